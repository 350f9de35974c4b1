"""The recordings beside the transcript: what waits, what is being transcribed and how far it is, what is done.

In: the session's items. Out: ``chosen``, and wishes to remove one or to see its menu. Drawn, not built of widgets:
somebody may drop a folder of hundreds.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.speech_items import SpeechItem
from app.speech_session import SpeechSession
from app.speech_text import state_line
from app.theme import colours, icon, scaled

PAD = 9
ICON_PX = 16
BAR_PX = 4
MOST_LINES = 4
_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
_ICONS = {
    "waiting": "clock",
    "running": "wave",
    "stopping": "wave",
    "stopped": "pause",
    "done": "check",
    "failed": "warning",
    "recording": "record",
    "finishing": "record",
}


class QueueModel(QAbstractListModel):
    """Rows are items; before the first from earlier stands a heading."""

    def __init__(self, session: SpeechSession) -> None:
        super().__init__()
        self._session = session
        self.rows: list[SpeechItem | str] = []
        session.list_changed.connect(self.fill)
        session.item_changed.connect(self._changed)
        self.fill()

    @Slot()
    def fill(self) -> None:
        """Take the items anew."""
        self.beginResetModel()
        now = [item for item in self._session.items if not item.earlier]
        earlier = [item for item in self._session.items if item.earlier]
        self.rows = [*now, *([self.tr("Earlier")] if earlier else []), *earlier]
        self.endResetModel()

    @Slot(object)
    def _changed(self, item: SpeechItem) -> None:
        row = self.row_of(item)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def row_of(self, item: SpeechItem | None) -> int:
        """Where an item is; -1 if nowhere."""
        return next((row for row, other in enumerate(self.rows) if other is item), -1)

    def item_at(self, index: Index) -> SpeechItem | None:
        """The item of a row; None for the heading."""
        found = self.rows[index.row()] if index.isValid() and index.row() < len(self.rows) else None
        return found if isinstance(found, SpeechItem) else None

    def line(self, item: SpeechItem) -> str:
        """What goes on with it."""
        waits = self.tr("Waits for the recording") if self._session.held else self._session.waits_for
        return state_line(item, waits)

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Items and the heading."""
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts."""
        item = self.item_at(index)
        if item is None:
            heading = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
            return self.rows[index.row()] if heading else None
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            between = "\n" if role == Qt.ItemDataRole.ToolTipRole else ", "
            return between.join(part for part in (item.title, self.line(item)) if part)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The heading cannot be chosen."""
        if self.item_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class QueueDelegate(QStyledItemDelegate):
    """Draws a row: drawing, name, what goes on, a bar."""

    def __init__(self, parent: QueueList) -> None:
        super().__init__(parent)
        self._list = parent

    def _small(self, font: QFont) -> QFont:
        made = QFont(font)
        made.setPointSizeF(font.pointSizeF() * 0.88)
        return made

    def _text_left(self) -> int:
        return PAD + scaled(ICON_PX) + 8

    def _lines_height(self, item: SpeechItem, model: QueueModel, font: QFont) -> int:
        """The state may break into some lines where it is an error; else it is one line."""
        metrics = QFontMetrics(self._small(font))
        if item.state != "failed":
            return metrics.lineSpacing()
        width = max(self._list.viewport().width() - self._text_left() - PAD, 40)
        needed = metrics.boundingRect(
            QRect(0, 0, width, 10_000), int(Qt.TextFlag.TextWordWrap), model.line(item)
        ).height()
        return min(needed, MOST_LINES * metrics.lineSpacing())

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Two lines and the bar."""
        model, font = index.model(), option.font  # type: ignore[attr-defined]
        assert isinstance(model, QueueModel)
        item = model.item_at(index)
        if item is None:
            return QSize(60, QFontMetrics(self._small(font)).height() + 16)
        bar = BAR_PX + 5 if item.state in ("running", "stopping") else 0
        height = QFontMetrics(font).lineSpacing() + self._lines_height(item, model, font) + 2 * PAD + bar
        return QSize(60, height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One row."""
        model, font = index.model(), QFont(option.font)  # type: ignore[attr-defined]
        assert isinstance(model, QueueModel)
        c, rect, item = colours(), option.rect.adjusted(2, 1, -2, -1), model.item_at(index)  # type: ignore[attr-defined]
        small = self._small(font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if item is None:
            small.setWeight(QFont.Weight.DemiBold)
            painter.setFont(small)
            painter.setPen(QColor(c.muted))
            painter.drawText(
                rect.adjusted(PAD, 0, -PAD, -2), int(Qt.AlignmentFlag.AlignBottom), str(index.data())
            )
            painter.restore()
            return
        state = option.state  # type: ignore[attr-defined]
        if state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setBrush(QColor(c.soft))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawRoundedRect(rect, 8, 8)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(c.accent))
            painter.drawRoundedRect(rect, 8, 8)
        self._paint_item(painter, rect, font, item, model)
        painter.restore()

    def _paint_item(
        self, painter: QPainter, rect: QRect, font: QFont, item: SpeechItem, model: QueueModel
    ) -> None:
        c, metrics = colours(), QFontMetrics(font)
        tints = {"failed": c.on_error, "done": c.good, "recording": c.on_error, "finishing": c.on_error}
        tint = tints.get(item.state, c.accent if item.state in ("running", "stopping") else c.muted)
        drawing: QIcon = icon(_ICONS[item.state], tint)
        side = scaled(ICON_PX)
        drawing.paint(
            painter,
            QRect(rect.left() + PAD - 2, rect.top() + PAD + (metrics.lineSpacing() - side) // 2, side, side),
        )
        left, right = rect.left() + self._text_left() - 2, rect.right() - PAD + 2
        if item is self._list.session.selected:
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(c.text))
        top = QRect(left, rect.top() + PAD, right - left, metrics.lineSpacing())
        title = QFontMetrics(font).elidedText(item.title, Qt.TextElideMode.ElideMiddle, top.width())
        painter.drawText(top, int(Qt.AlignmentFlag.AlignVCenter), title)
        small = self._small(font)
        small.setWeight(QFont.Weight.Normal)
        painter.setFont(small)
        painter.setPen(QColor(c.on_error if item.state == "failed" else c.muted))
        below = QRect(left, top.bottom() + 1, right - left, self._lines_height(item, model, font))
        line = model.line(item)
        if item.state == "failed":
            painter.drawText(below, int(Qt.TextFlag.TextWordWrap), line)
        else:
            line = QFontMetrics(small).elidedText(line, Qt.TextElideMode.ElideRight, below.width())
            painter.drawText(below, int(Qt.AlignmentFlag.AlignVCenter), line)
        if item.state in ("running", "stopping"):
            bar = QRect(left, below.bottom() + 5, right - left, BAR_PX)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(c.border))
            painter.drawRoundedRect(bar, 2, 2)
            painter.setBrush(QColor(c.accent))
            bar.setWidth(round(bar.width() * item.fraction))
            painter.drawRoundedRect(bar, 2, 2)


class QueueList(QListView):
    """The list of recordings."""

    chosen = Signal(object)  # SpeechItem
    remove_wanted = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, session: SpeechSession) -> None:
        super().__init__()
        self.session = session
        self.rows = QueueModel(session)
        self.setAccessibleName(self.tr("Recordings"))
        self.setItemDelegate(QueueDelegate(self))
        self.setModel(self.rows)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_wanted)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.rows.modelReset.connect(self.show_selected)
        session.selected_changed.connect(self.show_selected)
        session.item_changed.connect(self._item_changed)
        self._states: dict[int, str] = {}
        self.show_selected()

    @Slot()
    def show_selected(self) -> None:
        """Mark the session's choice."""
        row = self.rows.row_of(self.session.selected)
        if row >= 0 and self.currentIndex().row() != row:
            self.setCurrentIndex(self.rows.index(row))
        elif row < 0:
            self.clearSelection()

    @Slot(object)
    def _item_changed(self, item: SpeechItem) -> None:
        """Another state may have another height."""
        if self._states.get(item.key) != item.state:
            self._states[item.key] = item.state
            self.scheduleDelayedItemsLayout()

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, now: QModelIndex, _before: QModelIndex) -> None:
        item = self.rows.item_at(now)
        if item is not None and item is not self.session.selected:
            self.chosen.emit(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes."""
        if event.key() == Qt.Key.Key_Delete:
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)
