"""The transcript on the screen: rows of time and text that follow the player, are found in, edited and copied.

In: a :class:`app.widgets.segment_model.SegmentModel`. Out: ``hear`` with a time, ``play_or_pause``, edits of the model.
An hour is a thousand rows: only those in sight are measured and drawn at once, the heights of the others follow in
small slices, so that a new width blocks nothing.
"""

from __future__ import annotations

from time import perf_counter

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.speech_text import clock_text, plain_text
from app.theme import scaled
from app.widgets.segment_delegate import SegmentDelegate, text_height
from app.widgets.segment_model import TEXT, TIME, SegmentModel

SLICE_S = 0.008


class SegmentTable(QTableView):
    """Rows of a transcript."""

    hear = Signal(float)  # seconds
    play_or_pause = Signal()

    def __init__(self, model: SegmentModel) -> None:
        super().__init__()
        self._rows = model
        self._measured = bytearray()
        self._width = 0
        self._delegate = SegmentDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(self.tr("Transcript"))
        self.setProperty("role", "transcript")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.setWordWrap(True)
        self.setMouseTracking(True)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(text_height("X", self.font(), 1000))
        self.verticalScrollBar().setSingleStep(scaled(24))
        self.setModel(model)
        self.horizontalHeader().setSectionResizeMode(TIME, QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        self._later = QTimer(self)
        self._later.setInterval(0)
        self._later.timeout.connect(self._measure_slice)
        self._scrolling = False
        self._place = 0  # the first row that may not be measured
        model.modelReset.connect(self._reset)
        model.rowsInserted.connect(self._inserted)
        model.rowsAboutToBeInserted.connect(self._remember_end)
        model.rowsRemoved.connect(self._removed)
        model.dataChanged.connect(self._changed)
        self._at_end = True
        self._reset()

    # Heights

    @Slot()
    def _reset(self) -> None:
        self._measured = bytearray(self._rows.rowCount())
        self._fit_times()
        self._begin_measuring()

    def _fit_times(self) -> None:
        last = self._rows.start_s(self._rows.rowCount() - 1) if self._rows.rowCount() else 0.0
        longest = "".join("0" if char.isdigit() else char for char in clock_text(max(last, 600)))
        width = self._delegate.column_width(self.font(), longest)
        if width != self.columnWidth(TIME):
            self.setColumnWidth(TIME, width)

    def _begin_measuring(self) -> None:
        self._place = 0
        self.measure_visible()
        self._later.start()

    @Slot(QModelIndex, int, int)
    def _remember_end(self, _parent: QModelIndex, _first: int, _last: int) -> None:
        bar = self.verticalScrollBar()
        self._at_end = bar.value() >= bar.maximum() - scaled(40)

    @Slot(QModelIndex, int, int)
    def _inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        self._measured[first:first] = bytes(last - first + 1)
        self._place = min(self._place, first)
        self._fit_times()
        if last - first < 20:
            for row in range(first, last + 1):
                self._measure(row)
        else:
            self._later.start()
        if self._at_end:
            QTimer.singleShot(0, self, self._go_to_end)

    @Slot()
    def _go_to_end(self) -> None:
        if self._at_end and self._rows.heard < 0:
            self.scrollToBottom()

    @Slot(QModelIndex, int, int)
    def _removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        del self._measured[first : last + 1]

    @Slot(QModelIndex, QModelIndex)
    def _changed(self, first: QModelIndex, last: QModelIndex) -> None:
        if last.row() - first.row() > 2:
            return  # what is searched for, which changes no height
        for row in range(first.row(), last.row() + 1):
            self._measure(row)

    def _measure(self, row: int) -> None:
        height = text_height(self._rows.text_at(row), self.font(), self.columnWidth(TEXT))
        self._measured[row] = 1
        if height != self.rowHeight(row):
            self.setRowHeight(row, height)

    def measure_visible(self) -> None:
        """The rows in sight, at once; what is above them stays where it is."""
        top = max(self.rowAt(0), 0)
        bottom = self.viewport().height()
        for row in range(top, self._rows.rowCount()):
            if self.rowViewportPosition(row) > bottom:
                break
            if not self._measured[row]:
                self._measure(row)

    @Slot()
    def _measure_slice(self) -> None:
        """Some of the other rows; the row at the top of the view keeps its place."""
        start_s, rows = perf_counter(), self._rows.rowCount()
        top = self.rowAt(0)
        was = self.rowViewportPosition(top) if top >= 0 else 0
        while self._place < rows and perf_counter() - start_s < SLICE_S:
            if not self._measured[self._place]:
                self._measure(self._place)
            self._place += 1
        if self._place >= rows:
            self._later.stop()
        if top >= 0:
            moved = self.rowViewportPosition(top) - was
            if moved:
                self.verticalScrollBar().setValue(self.verticalScrollBar().value() + moved)

    @property
    def measuring(self) -> bool:
        """Whether some heights are not known yet."""
        return self._later.isActive()

    def resizeEvent(self, event) -> None:
        """Another width breaks other lines."""
        super().resizeEvent(event)
        if self.columnWidth(TEXT) != self._width:
            self._width = self.columnWidth(TEXT)
            self._measured = bytearray(self._rows.rowCount())
            self._begin_measuring()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Measure what comes into sight."""
        super().scrollContentsBy(dx, dy)
        if self._later.isActive() and not self._scrolling:
            self._scrolling = True  # heights that change scroll, too
            self.measure_visible()
            self._scrolling = False

    # What the user does

    def show_row(self, row: int) -> None:
        """Scroll to a row if it is not in sight."""
        if row >= 0:
            self.scrollTo(self._rows.index(row, TEXT), QAbstractItemView.ScrollHint.EnsureVisible)

    def follow(self, row: int) -> None:
        """The row that is heard: kept in sight, unless the user is editing."""
        self._rows.set_heard(row)
        if row >= 0 and self.state() != QAbstractItemView.State.EditingState:
            self.show_row(row)

    def go_to(self, row: int) -> None:
        """Make a row the current one, and show it."""
        index = self._rows.index(row, TEXT)
        self.setCurrentIndex(index)
        self.show_row(row)

    def edit_row(self, row: int) -> None:
        """Open the editor of a row."""
        index = self._rows.index(row, TEXT)
        if index.isValid() and not self._rows.is_live(row):
            self.setCurrentIndex(index)
            self.edit(index)

    def selected_text(self) -> str:
        """The text of the selected rows."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows(TEXT)})
        return plain_text(self._rows.segments[row] for row in rows if row < len(self._rows.segments))

    def copy_selection(self) -> bool:
        """Copy the selected rows; False if there are none."""
        text = self.selected_text()
        if text:
            QGuiApplication.clipboard().setText(text)
        return bool(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space plays and pauses, Enter hears the row."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.edit_row(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_Space:
            self.play_or_pause.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.hear.emit(self._rows.start_s(self.currentIndex().row()))
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on a time hears it."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if (
            plain
            and event.button() == Qt.MouseButton.LeftButton
            and index.isValid()
            and index.column() == TIME
        ):
            self.hear.emit(self._rows.start_s(index.row()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A hand over the times."""
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        over_time = index.isValid() and index.column() == TIME
        self.viewport().setCursor(
            Qt.CursorShape.PointingHandCursor if over_time else Qt.CursorShape.ArrowCursor
        )
