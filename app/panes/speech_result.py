"""One recording and its transcript: what it is, what can be done with it, the table, the player.

In: the session's choice. Out: what the user does, to the session.
"""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.panes.speech_head import SpeechHead
from app.speech_items import SpeechItem
from app.speech_session import SpeechSession
from app.speech_text import clock_text, error_line
from app.theme import icon
from app.widgets.basics import label
from app.widgets.find_bar import FindBar
from app.widgets.player_bar import PlayerBar
from app.widgets.segment_model import SegmentModel
from app.widgets.segment_table import SegmentTable


class SpeechResult(QWidget):
    """The right side of the speech pane."""

    def __init__(self, session: SpeechSession) -> None:
        super().__init__()
        self._session = session
        self._item: SpeechItem | None = None
        self._hit = -1  # the row of the search that was gone to
        self.model = SegmentModel()
        self.model.edited.connect(self._edited)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.head = SpeechHead(session)
        self.head.find_wanted.connect(self.open_find)
        self.head.copy_selection_wanted.connect(self._copy_selection)
        column.addWidget(self.head)
        self.finder = FindBar()
        self.finder.searched.connect(self._search)
        self.finder.step.connect(self._step)
        self.finder.closed.connect(self.close_find)
        column.addWidget(self.finder)
        self.table = SegmentTable(self.model)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._row_menu)
        column.addWidget(self.table, 1)
        self.note = label("", "muted")
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.note, 1)
        self.player = PlayerBar(session.player)
        self.player.moved.connect(self._moved)
        self.table.hear.connect(self.player.hear)
        self.table.play_or_pause.connect(self.player.toggle)
        self.table.selectionModel().selectionChanged.connect(self._selection_changed)
        column.addWidget(self.player)
        for keys, method in (("F3", self._next), ("Shift+F3", self._previous)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(method)
        session.selected_changed.connect(self.show_selected)
        session.item_changed.connect(self._item_changed)
        session.segments_reset.connect(self._segments_reset)
        session.segments_added.connect(self._segments_added)
        session.segment_edited.connect(self._segment_edited)
        session.live_changed.connect(self._live_changed)
        self.show_selected()

    # What is shown

    @Slot()
    def show_selected(self) -> None:
        """Another recording was chosen."""
        self._item = item = self._session.selected
        if item is None:
            self.player.show_recording(None, 0.0)
            return
        self.model.show(item.segments, item.live)
        self.close_find()
        self.table.scrollToTop()
        self._item_changed(item)

    @Slot(object)
    def _item_changed(self, item: SpeechItem) -> None:
        if item is not self._item:
            return
        self.head.show_item(item)
        if item.state == "recording":
            reason = self.tr("It can be heard when the recording is over.")
        else:
            reason = self.head.gone(item)
        self.player.show_recording(item.path, item.duration_s, reason)
        self._update_note(item)

    def _update_note(self, item: SpeechItem) -> None:
        """What stands in the place of the table while it is empty."""
        empty = not item.segments and item.live is None
        note = ""
        if item.state == "failed":
            note = error_line(item)
        elif empty:
            note = {
                "waiting": self._session.waits_for or self.tr("It is in the queue."),
                "running": self.tr("The text appears here as it is written."),
                "recording": self.tr("Speak; the text appears here."),
                "finishing": self.tr("Finishing…"),
                "done": self.tr("No speech was found in it.") if item.loaded else "",
                "stopped": self.tr("It is not transcribed yet."),
            }.get(item.state, "")
        self.note.setText(note)
        self.note.setProperty("role", "bad" if item.state == "failed" else "muted")
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)
        self.note.setVisible(empty or item.state == "failed")
        self.table.setVisible(not empty)

    @Slot(object)
    def _segments_reset(self, item: SpeechItem) -> None:
        if item is self._item:
            self.model.show(item.segments, item.live)
            self._update_find()
            self._item_changed(item)

    @Slot(object, int, int)
    def _segments_added(self, item: SpeechItem, first: int, end: int) -> None:
        if item is self._item:
            new = item.segments[max(first, len(self.model.segments)) : end]
            if new:
                self.model.add(new)
                self._update_find()

    @Slot(object, int)
    def _segment_edited(self, item: SpeechItem, row: int) -> None:
        if item is self._item and row < len(self.model.segments):
            self.model.change(row, item.segments[row])
            self._update_find()

    @Slot(object)
    def _live_changed(self, item: SpeechItem) -> None:
        if item is self._item:
            self.model.set_live(item.live)

    @Slot(float)
    def _moved(self, seconds: float) -> None:
        row = self.model.row_at(seconds)
        if row != self.model.heard:
            self.table.follow(row)

    @Slot()
    def _selection_changed(self) -> None:
        self.head.has_selection = self.table.selectionModel().hasSelection()

    # Find

    @Slot()
    def open_find(self) -> None:
        """Open the search, or go to it."""
        if self.head.search.isEnabled():
            self.finder.show()
            self.finder.field.setFocus()
            self.finder.field.selectAll()

    @Slot()
    def close_find(self) -> None:
        """Close the search."""
        if self.finder.isHidden():
            return
        self.finder.hide()
        self.finder.field.clear()
        self.table.setFocus()

    @Slot(str)
    def _search(self, text: str) -> None:
        self.model.search(text)
        self._hit = -1
        if self.model.hits:
            self._step(1)
        self._update_find()

    @Slot(int)
    def _step(self, direction: int) -> None:
        hits = self.model.hits
        if not hits:
            return
        if direction > 0:
            self._hit = next((row for row in hits if row > self._hit), hits[0])
        else:
            self._hit = next((row for row in reversed(hits) if row < self._hit), hits[-1])
        self.table.go_to(self._hit)
        self._update_find()

    @Slot()
    def _next(self) -> None:
        self._step(1)

    @Slot()
    def _previous(self) -> None:
        self._step(-1)

    def _update_find(self) -> None:
        hits = self.model.hits
        self.finder.show_count(hits.index(self._hit) + 1 if self._hit in hits else 0, len(hits))

    # What the user does

    @Slot(int, str)
    def _edited(self, row: int, text: str) -> None:
        if self._item is not None:
            self._session.edit(self._item, row, text)

    @Slot()
    def _copy_selection(self) -> None:
        self.table.copy_selection()

    @Slot(QPoint)
    def _row_menu(self, where: QPoint) -> None:
        index = self.table.indexAt(where)
        if not index.isValid():
            return
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Line"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        hear = menu.addAction(
            icon("play"),
            self.tr("Hear it from {time}").format(time=clock_text(self.model.start_s(index.row()))),
            self._hear_current,
        )
        hear.setEnabled(self.player.button.isEnabled())
        edit = menu.addAction(icon("edit"), self.tr("Edit (F2)"), self._edit_current)
        edit.setEnabled(not self.model.is_live(index.row()))
        menu.addAction(icon("copy"), self.tr("Copy the selected lines"), self._copy_selection)
        menu.popup(self.table.viewport().mapToGlobal(where))

    @Slot()
    def _hear_current(self) -> None:
        self.player.hear(self.model.start_s(self.table.currentIndex().row()))

    @Slot()
    def _edit_current(self) -> None:
        self.table.edit_row(self.table.currentIndex().row())
