"""The pictures in a row: small, with a dot that says what goes on with each.

In: the session's items. Out: ``chosen``, ``remove_wanted``, ``menu_wanted``. Left and Right go through them, Delete removes.
Drawn, not built of widgets: somebody may drop hundreds.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.image_items import ImageItem
from app.image_session import ImageSession
from app.image_text import state_text
from app.theme import colours, icon, scaled

SIDE_PX = 68
LOW_SIDE_PX = 42  # where the window is low
DOT_PX = 10
_ROOT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class StripModel(QAbstractListModel):
    """Rows are the session's items."""

    def __init__(self, session: ImageSession) -> None:
        super().__init__()
        self._session = session
        self.items: list[ImageItem] = []
        session.list_changed.connect(self.fill)
        session.item_changed.connect(self._changed)
        self.fill()

    @Slot()
    def fill(self) -> None:
        """Take the items anew; where some only came at the end, only those."""
        now = list(self._session.items)
        known = len(self.items)
        if known and len(now) > known and now[:known] == self.items:
            self.beginInsertRows(_ROOT, known, len(now) - 1)
            self.items = now
            self.endInsertRows()
            return
        self.beginResetModel()
        self.items = now
        self.endResetModel()

    @Slot(object)
    def _changed(self, item: ImageItem) -> None:
        row = self.row_of(item)
        if row >= 0:
            self.dataChanged.emit(self.index(row), self.index(row))

    def row_of(self, item: ImageItem | None) -> int:
        """Where an item is; -1 if nowhere."""
        return next((row for row, other in enumerate(self.items) if other is item), -1)

    def item_at(self, index: Index) -> ImageItem | None:
        """The item of a row."""
        return self.items[index.row()] if index.isValid() and index.row() < len(self.items) else None

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many there are."""
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts; the rest is painted."""
        item = self.item_at(index)
        if item is None:
            return None
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            state = state_text(item, self._session.waits_for)
            between = "\n" if role == Qt.ItemDataRole.ToolTipRole else ", "
            return between.join(part for part in (item.title, state) if part)
        return None


class StripDelegate(QStyledItemDelegate):
    """Draws one small picture."""

    side_px = SIDE_PX

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """All have one size."""
        return QSize(scaled(self.side_px) + 10, scaled(self.side_px) + 10)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The picture cut to a square, a frame where it is shown, a dot."""
        model = index.model()
        assert isinstance(model, StripModel)
        item = model.item_at(index)
        if item is None:
            return
        c, state = colours(), option.state  # type: ignore[attr-defined]
        place = QRectF(0, 0, scaled(self.side_px), scaled(self.side_px))
        place.moveCenter(QRectF(option.rect).center())  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        clip = QPainterPath()
        clip.addRoundedRect(place, 8, 8)
        painter.setClipPath(clip)
        painter.fillRect(place, QColor(c.soft))
        if item.thumbnail is not None and not item.thumbnail.isNull():
            painter.drawPixmap(place, _square(item), QRectF(_square(item).rect()))
        else:
            name = "warning" if item.state == "failed" else "video" if item.is_video else "images"
            side = place.width() * 0.4
            middle = QRectF(0, 0, side, side)
            middle.moveCenter(place.center())
            icon(name, c.on_error if item.state == "failed" else c.muted).paint(painter, middle.toRect())
        painter.setClipping(False)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            focus = bool(state & QStyle.StateFlag.State_HasFocus)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(
                QPen(QColor(c.accent if selected else c.strong_border), 3 if selected and focus else 2)
            )
            painter.drawRoundedRect(place.adjusted(-2.5, -2.5, 2.5, 2.5), 10, 10)
        self._paint_marks(painter, place, item)
        painter.restore()

    def _paint_marks(self, painter: QPainter, place: QRectF, item: ImageItem) -> None:
        c = colours()
        tints = {"running": c.accent, "stopping": c.accent, "failed": "#D64545"}
        tint = tints.get(item.state, "")
        if item.state in ("done", "described"):
            tint = "#E0A100" if item.unsure else c.good
        dot = QRectF(0, 0, scaled(DOT_PX), scaled(DOT_PX))
        dot.moveBottomRight(place.bottomRight() - QPoint(4, 4).toPointF())
        if tint or item.state in ("waiting", "stopped"):
            painter.setPen(QPen(QColor("#FFFFFF"), 1.5))
            painter.setBrush(QColor(tint) if tint else QColor(c.strong_border))
            painter.drawEllipse(dot)
        if item.is_video and item.thumbnail is not None:
            badge = QRectF(place.left() + 4, place.top() + 4, scaled(18), scaled(18))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(0, 0, 0, 150))
            painter.drawRoundedRect(badge, 5, 5)
            icon("play", "#FFFFFF").paint(painter, badge.adjusted(3, 3, -3, -3).toRect())


def _square(item: ImageItem) -> QPixmap:
    """The middle of the picture."""
    assert item.thumbnail is not None
    side = min(item.thumbnail.width(), item.thumbnail.height())
    left, top = (item.thumbnail.width() - side) // 2, (item.thumbnail.height() - side) // 2
    return QPixmap.fromImage(item.thumbnail.copy(QRect(left, top, side, side)))


class PictureStrip(QListView):
    """The row."""

    chosen = Signal(object)  # ImageItem
    remove_wanted = Signal(object)  # ImageItem
    menu_wanted = Signal(QPoint)

    def __init__(self, session: ImageSession) -> None:
        super().__init__()
        self._session = session
        self.rows = StripModel(session)
        self.setModel(self.rows)
        self._delegate = StripDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setObjectName("strip")
        self.setAccessibleName(QCoreApplication.translate("images", "Pictures"))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_wanted)
        self.setFixedHeight(scaled(SIDE_PX) + 10 + 14)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        session.selected_changed.connect(self.show_selected)
        session.list_changed.connect(self.show_selected)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.show_selected()

    def set_low(self, low: bool) -> None:
        """Smaller pictures, where the window is low."""
        side_px = LOW_SIDE_PX if low else SIDE_PX
        if side_px != self._delegate.side_px:
            self._delegate.side_px = side_px
            self.setFixedHeight(scaled(side_px) + 10 + 14)
            self.scheduleDelayedItemsLayout()

    @Slot()
    def show_selected(self) -> None:
        """Mark the one that is shown."""
        row = self.rows.row_of(self._session.selected)
        if row >= 0 and self.currentIndex().row() != row:
            self.setCurrentIndex(self.rows.index(row))
        if row >= 0:
            self.scrollTo(self.rows.index(row))

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, now: QModelIndex, _before: QModelIndex) -> None:
        item = self.rows.item_at(now)
        if item is not None and item is not self._session.selected:
            self.chosen.emit(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete removes."""
        item = self.rows.item_at(self.currentIndex())
        if event.key() == Qt.Key.Key_Delete and item is not None:
            self.remove_wanted.emit(item)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event) -> None:
        """A wheel goes along the row."""
        steps = event.angleDelta().y() or event.angleDelta().x()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - steps)
        event.accept()
