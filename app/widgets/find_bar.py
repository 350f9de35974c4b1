"""Finds a text in a transcript: a field, how many there are, next and previous.

In: keys. Out: ``searched`` with the text, ``step`` with +1 or -1, ``closed``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.theme import colours
from app.widgets.basics import label, tool_button
from app.widgets.search_line import SearchLine


class FindLine(SearchLine):
    """Enter goes to the next, Shift+Enter to the one before, Escape closes."""

    step = Signal(int)
    closed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The usual keys of a search."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.step.emit(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


class FindBar(QWidget):
    """The field with its buttons."""

    searched = Signal(str)
    step = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.field = FindLine(self.tr("Find in the transcript"))
        self.field.textChanged.connect(self.searched)
        self.field.step.connect(self.step)
        self.field.closed.connect(self.closed)
        row.addWidget(self.field, 1)
        self.count = label("", "small", wrap=False)
        row.addWidget(self.count)
        self.previous = tool_button(self.tr("Previous place (Shift+Enter)"), "up", tint=colours().muted)
        self.next = tool_button(self.tr("Next place (Enter)"), "down", tint=colours().muted)
        self.previous.clicked.connect(self._previous)
        self.next.clicked.connect(self._next)
        close = tool_button(self.tr("Close the search"), "close", 16, tint=colours().muted)
        close.clicked.connect(self.closed)
        for made in (self.previous, self.next, close):
            row.addWidget(made)
        self.hide()

    def show_count(self, place: int, total: int) -> None:
        """Which of how many rows; ``place`` begins with 1, 0 is none of them."""
        if not self.field.text():
            text = ""
        elif not total:
            text = self.tr("Nothing found.")
        elif place:
            text = self.tr("{place} of {total}").format(place=place, total=total)
        else:
            text = str(total)
        self.count.setText(text)
        for made in (self.previous, self.next):
            made.setEnabled(total > 0)

    @Slot()
    def _previous(self) -> None:
        self.step.emit(-1)

    @Slot()
    def _next(self) -> None:
        self.step.emit(1)
