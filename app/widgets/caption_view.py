"""The description of a picture, word for word: a word under the mouse, or under the cursor, says where the model looked.

In: a text and the looks of its words. Out: ``looked`` with the look of a word, or None. It is plain text that can be selected;
the arrows go from word to word where the words have looks. Doubtful words are underlined with dots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextEdit

from app.theme import colours
from engine.results import Look

DOUBTFUL_WORD = 0.3


@dataclass(frozen=True)
class _Place:
    """Where the word of a look is in the text."""

    look: Look
    start: int
    end: int


def _placed(text: str, looks: Sequence[Look]) -> list[_Place]:
    """Where the words are: the text may begin with a capital, hedge, or leave out "a picture of"."""
    places: list[_Place] = []
    position, lower = 0, text.lower()
    for look in looks:
        word = look.word.strip()
        found = re.compile(rf"\b{re.escape(word.lower())}\b").search(lower, position) if word else None
        if found is not None:
            places.append(_Place(look, found.start(), found.end()))
            position = found.end()
    near = bool(places) and places[-1].end - places[0].start <= 1.3 * (looks[-1].end - looks[0].start) + 4
    return places if near and len(places) >= 0.7 * len(looks) else []


class CaptionView(QTextEdit):
    """Text whose words can be asked where they come from."""

    looked = Signal(object)  # Look or None

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName("caption")
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setAcceptDrops(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.document().setDocumentMargin(0)
        self.viewport().setMouseTracking(True)
        self._looks: Sequence[Look] = ()
        self._places: list[_Place] = []
        self._current: _Place | None = None
        self.last: Look | None = None  # what was pointed at last, also when the mouse has gone to a menu
        self.cursorPositionChanged.connect(self._cursor_moved)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    @property
    def text(self) -> str:
        """What is shown."""
        return self.toPlainText()

    @property
    def current(self) -> Look | None:
        """The look of the word that is pointed at."""
        return self._current.look if self._current is not None else None

    def show_text(self, text: str, looks: Sequence[Look] = ()) -> None:
        """Show a text; its words have looks where it is the sentence that the looks are of, as good as word for word."""
        if text == self.toPlainText() and looks is self._looks:
            return
        self._looks = looks
        if text != self.toPlainText():
            self.setPlainText(text)
        self._places, self.last = _placed(text, looks), None
        self._point_at(None)
        self._mark()
        self._fit()

    @property
    def has_looks(self) -> bool:
        """Whether its words can be asked."""
        return bool(self._places)

    # Pointing

    def _at(self, position: int) -> _Place | None:
        return next((place for place in self._places if place.start <= position < place.end), None)

    def _point_at(self, place: _Place | None) -> None:
        if place is self._current:
            return
        self._current = place
        self.last = place.look if place is not None else self.last
        self._mark()
        self.looked.emit(place.look if place is not None else None)

    def point_at_word(self, word: str) -> None:
        """Show where the model looked for the first such word; nothing where there is none."""
        self._point_at(next((place for place in self._places if place.look.word == word), None))

    def point_at_nothing(self) -> None:
        """Forget the word."""
        self._point_at(None)

    def _mark(self) -> None:
        """Dots under doubtful words, a ground behind the one that is pointed at."""
        marks: list[QTextEdit.ExtraSelection] = []
        for place in self._places:
            pointed = self._current is not None and place.start == self._current.start
            if not pointed and place.look.confidence >= DOUBTFUL_WORD:
                continue
            form = QTextCharFormat()
            if pointed:
                form.setBackground(QColor(colours().accent))
                form.setForeground(QColor(colours().on_accent))
            else:
                form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                form.setUnderlineColor(QColor(colours().on_warn))
            mark = QTextEdit.ExtraSelection()
            cursor = QTextCursor(self.document())
            cursor.setPosition(place.start)
            cursor.setPosition(place.end, QTextCursor.MoveMode.KeepAnchor)
            mark.cursor, mark.format = cursor, form  # type: ignore[misc]
            marks.append(mark)
        self.setExtraSelections(marks)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The word under the mouse."""
        super().mouseMoveEvent(event)
        self._point_at(self._under(event.position()))

    def _under(self, where: QPointF) -> _Place | None:
        cursor = self.cursorForPosition(where.toPoint())
        place = self._at(cursor.position()) or self._at(cursor.position() - 1)
        if place is None:
            return None
        # Beside the end of a line the nearest word is not the one that is meant.
        near = self.cursorRect(cursor).adjusted(-24, -2, 24, 2)
        return place if near.contains(where.toPoint()) else None

    def leaveEvent(self, event: QEvent) -> None:
        """With the mouse gone, the word of the keyboard counts again."""
        super().leaveEvent(event)
        self._point_at(self._at(self.textCursor().position()) if self.hasFocus() else None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard begins at a word."""
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self._step(0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nothing is pointed at any more."""
        super().focusOutEvent(event)
        self._point_at(None)

    @Slot()
    def _cursor_moved(self) -> None:
        if self.hasFocus() and self._places and not self.textCursor().hasSelection():
            self._point_at(self._at(self.textCursor().position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from word to word; with Shift or Ctrl they are as everywhere."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if plain and self._places and event.key() in steps:
            self._step(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        if not self._places:
            return
        position = self.textCursor().position()
        row = next(
            (row for row, place in enumerate(self._places) if place.end > position), len(self._places) - 1
        )
        place = self._places[min(max(row + by, 0), len(self._places) - 1)]
        cursor = self.textCursor()
        cursor.setPosition(place.start)
        self.setTextCursor(cursor)
        self._point_at(place)

    # Size

    @Slot()
    def _fit(self) -> None:
        height = max(int(self.document().size().height()), self.fontMetrics().lineSpacing()) + 4
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event) -> None:
        """Another width wraps to another height."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """As high as the text."""
        return QSize(200, self.height())
