"""Where the user writes: Enter sends, Shift+Enter breaks the line, and input methods keep their Enter.

In: keys, compositions of input methods, dropped files (passed on). Out: ``sent`` with the text, ``stopped``,
``edited`` while writing.
"""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QFocusEvent, QInputMethodEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout

from app.theme import colours, icon
from app.widgets.basics import label, tool_button

# Some input methods end a composition and then let the Enter that ended it through.
AFTER_COMPOSITION_MS = 80
MAX_LINES = 9


class Editor(QPlainTextEdit):
    """Plain text that tells an Enter that sends from one that ends a composition."""

    enter = Signal()
    focus_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._composing = False
        self._since_composition = QElapsedTimer()
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)  # the window takes files; text is pasted
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(self.fit)
        self.fit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Know whether a composition is going on, and when it ended."""
        was_composing = self._composing
        self._composing = bool(event.preeditString())
        if was_composing and not self._composing:
            self._since_composition.start()
        super().inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends unless Shift is held or an input method is at work."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.insertPlainText("\n")
                self.ensureCursorVisible()
                return
            just_ended = (
                self._since_composition.isValid() and self._since_composition.elapsed() < AFTER_COMPOSITION_MS
            )
            if not self._composing and not just_ended:
                self.enter.emit()
            self._since_composition.invalidate()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    @Slot()
    def fit(self) -> None:
        """Grow with the text, up to a point."""
        lines = min(max(int(self.document().size().height()), 1), MAX_LINES)
        height = self.fontMetrics().lineSpacing() * lines + 12
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event) -> None:
        """Another width wraps to another height."""
        super().resizeEvent(event)
        self.fit()


class Composer(QFrame):
    """The editor with its buttons."""

    sent = Signal(str)
    stopped = Signal()
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "composer")
        self._busy = False
        self._blocked = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 10, 8)
        layout.setSpacing(4)
        self.editor = Editor()
        self.editor.setPlaceholderText(self.tr("Write a message"))
        self.editor.setAccessibleName(self.tr("Message"))
        self.editor.setAccessibleDescription(self.tr("Enter sends, Shift+Enter begins a new line."))
        self.editor.enter.connect(self._send)
        self.editor.textChanged.connect(self._changed)
        self.editor.focus_changed.connect(self._focus)
        layout.addWidget(self.editor)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.left = QHBoxLayout()
        row.addLayout(self.left)
        row.addStretch(1)
        self.meter = label("", "small", wrap=False)
        row.addWidget(self.meter)
        self.send_button = tool_button(self.tr("Send (Enter)"), "send", 18, "send", colours().on_accent)
        self.send_button.clicked.connect(self._pressed)
        row.addWidget(self.send_button)
        layout.addLayout(row)
        self._update()

    @property
    def text(self) -> str:
        """What is written."""
        return self.editor.toPlainText()

    def set_text(self, text: str) -> None:
        """Put a text there, the cursor at its end."""
        self.editor.setPlainText(text)
        cursor = self.editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.editor.setTextCursor(cursor)

    def set_busy(self, busy: bool) -> None:
        """While an answer is written, the button stops it."""
        self._busy = busy
        self._update()

    def set_blocked(self, reason: str) -> None:
        """Why nothing can be sent; empty when it can."""
        self._blocked = reason
        self._update()

    @Slot()
    def _changed(self) -> None:
        self._update()
        self.edited.emit()

    def _update(self) -> None:
        tint = colours().on_accent
        name = self.tr("Stop (Esc)") if self._busy else self.tr("Send (Enter)")
        self.send_button.setIcon(icon("stop" if self._busy else "send", tint))
        self.send_button.setAccessibleName(name)
        reason = (
            ""
            if self._busy
            else self._blocked or ("" if self.text.strip() else self.tr("Write something first."))
        )
        self.send_button.setEnabled(not reason)
        self.send_button.setToolTip(reason or name)

    @Slot()
    def _pressed(self) -> None:
        if self._busy:
            self.stopped.emit()
        else:
            self._send()

    @Slot()
    def _send(self) -> None:
        if not self._busy and not self._blocked and self.text.strip():
            self.sent.emit(self.text)

    @Slot(bool)
    def _focus(self, active: bool) -> None:
        self.setProperty("active", "true" if active else "false")
        self.style().unpolish(self)
        self.style().polish(self)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """The window takes what is dropped."""
        event.ignore()
