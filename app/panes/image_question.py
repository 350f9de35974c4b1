"""Questions about a picture: where they are asked, and the answers.

In: the session and one of its pictures. Out: calls of the session.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.host import Host
from app.image_items import Answer, ImageItem
from app.image_session import ImageSession
from app.image_text import error_text
from app.theme import colours
from app.widgets.basics import clear, disable, label, tool_button


class AnswerView(QFrame):
    """A question with its answer, as far as it is written."""

    said = Signal(str)

    def __init__(self, answer: Answer, host: Host) -> None:
        super().__init__()
        self.answer, self._host = answer, host
        self.setProperty("role", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 8, 10)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(label(answer.question, "strong"), 1)
        self.copy = tool_button(self.tr("Copy the answer"), "copy", 16, tint=colours().muted)
        self.copy.clicked.connect(self._copy)
        row.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        self.text = label("")
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setMinimumWidth(1)
        column.addWidget(self.text)
        self.note = label("", "small")
        column.addWidget(self.note)
        self.update_answer()

    def update_answer(self) -> None:
        """Follow the answer."""
        answer, note = self.answer, ""
        text = answer.text.strip()
        if answer.state == "failed":
            text = error_text(answer.error)
        elif answer.state == "waiting" and not text:
            text = self.tr("Waits…")
        elif answer.state == "running" and not text:
            text = self.tr("Thinks…")
            if answer.total_steps:  # a model that sees reads a large picture for a while
                text = f"{text} {answer.done_steps} / {answer.total_steps}"
        elif answer.state == "stopped":
            note = self.tr("Stopped.")
        elif answer.from_findings and answer.described is not None:
            note = self.tr("{model} answered from the findings only; it did not see the picture.").format(
                model=self._host.shown_name(answer.described.composed_by)
            )
        elif answer.described is not None:
            note = self._host.shown_name(answer.described.model)
        self.text.setText(text)
        role = "bad" if answer.state == "failed" else "" if answer.text else "muted"
        if role != self.text.property("role"):
            self.text.setProperty("role", role)
            self.text.style().unpolish(self.text)
            self.text.style().polish(self.text)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.copy.setVisible(bool(answer.text) and answer.state in ("done", "stopped"))
        self.setAccessibleName(f"{answer.question} {text} {note}".strip())

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.answer.text.strip())
        self.said.emit(self.tr("Copied the answer"))


class ImageAnswers(QWidget):
    """The answers about one picture."""

    said = Signal(str)
    grown = Signal()

    def __init__(self, session: ImageSession, host: Host) -> None:
        super().__init__()
        self._host = host
        self._item: ImageItem | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 6, 0, 0)
        self._column.setSpacing(8)
        self.views: list[AnswerView] = []
        session.answer_changed.connect(self._answer_changed)

    def show_item(self, item: ImageItem | None) -> None:
        """Another picture."""
        if item is self._item and item is not None and len(item.answers) == len(self.views):
            return
        self._item = item
        clear(self._column)
        self.views = []
        for answer in item.answers if item is not None else ():
            self._add(answer)
        self.setVisible(bool(self.views))

    def _add(self, answer: Answer) -> None:
        made = AnswerView(answer, self._host)
        made.said.connect(self.said)
        self.views.append(made)
        self._column.addWidget(made)

    @Slot(object, object)
    def _answer_changed(self, item: ImageItem, answer: Answer) -> None:
        if item is not self._item:
            return
        view = next((view for view in self.views if view.answer is answer), None)
        if view is None:
            self._add(answer)
            self.show()
        else:
            view.update_answer()
        self.grown.emit()


class ImageQuestion(QFrame):
    """The line where a question is written; Enter asks."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Ask about this picture"))
        self.field.setAccessibleName(self.tr("Ask about this picture"))
        self.field.setMaxLength(2000)
        self.field.returnPressed.connect(self._ask)
        self.field.textChanged.connect(self._edited)
        row.addWidget(self.field, 1)
        self.send = tool_button(self.tr("Ask (Enter)"), "send", 18, "send", colours().on_accent)
        self.send.clicked.connect(self._ask)
        row.addWidget(self.send)
        self._reason = ""
        self._edited()

    def set_blocked(self, reason: str) -> None:
        """Why nothing can be asked; empty where it can."""
        self._reason = reason
        disable(self.field, reason)
        if not reason:
            self.field.setToolTip("")
            self.field.setAccessibleDescription("")
        self._edited()

    @Slot()
    def _edited(self) -> None:
        self.send.setEnabled(bool(self.field.text().strip()) and not self._reason)

    @Slot()
    def _ask(self) -> None:
        text = self.field.text().strip()
        if text and not self._reason:
            self.field.clear()
            self.asked.emit(text)
