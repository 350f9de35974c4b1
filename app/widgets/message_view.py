"""The conversation on the screen: one widget a message, of which only the streaming one is rendered again.

In: messages of the history. Out: widgets, and signals for what the user wants done with a message. Long
conversations show their end first; earlier messages are added on request.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.highlight import highlight_work
from app.history import Message
from app.jobs import Job, Jobs
from app.markdown import StreamSplitter, to_html
from app.theme import colours, icon
from app.widgets.basics import button, label, tool_button
from app.widgets.rich_text import CodeBlock, RichText

SHOWN_AT_ONCE = 30
COLUMN_PX = 800


class MessageWidget(QFrame):
    """One message with its actions, which appear when the pointer or the keyboard is on it."""

    copy_wanted = Signal(object)
    edit_wanted = Signal(object)
    regenerate_wanted = Signal(object)

    def __init__(self, message: Message, jobs: Jobs) -> None:
        super().__init__()
        self.message = message
        self._jobs = jobs
        self._splitter = StreamSplitter()
        self._blocks: list[RichText | CodeBlock] = []
        self._sources: list[str] = []
        self._coloured: dict[Job, CodeBlock] = {}
        self._is_user = message.role == "user"
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("role", "answer")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 4)
        outer.setSpacing(2)
        self._bubble = QFrame()
        self._body = QVBoxLayout(self._bubble)
        self._body.setSpacing(8)
        if self._is_user:
            self._bubble.setProperty("role", "bubble")
            self._body.setContentsMargins(14, 10, 14, 10)
            self._user_row = QHBoxLayout()
            self._user_row.setSpacing(4)
            self._user_row.addStretch(1)
            outer.addLayout(self._user_row)
        else:
            self._body.setContentsMargins(0, 0, 0, 0)
            outer.addWidget(self._bubble)
        self._waiting = label("", "muted")
        self._waiting.hide()
        outer.addWidget(self._waiting)
        self._foot(outer)
        self.set_message(message)

    def _foot(self, outer: QVBoxLayout) -> None:
        row = self._user_row if self._is_user else QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        tint = colours().muted
        self.figures = QLabel()
        self.figures.setTextFormat(Qt.TextFormat.PlainText)
        self.figures.setProperty("role", "small")
        self._copy = tool_button(self.tr("Copy this message (C)"), "copy", 16, tint=tint)
        self._copy.clicked.connect(self._wants_copy)
        self._actions = [self._copy]
        if self._is_user:
            edit = tool_button(self.tr("Edit and send again (E)"), "edit", 16, tint=tint)
            edit.clicked.connect(self._wants_edit)
            self._actions.append(edit)
        else:
            again = tool_button(self.tr("Answer again (R)"), "regenerate", 16, tint=tint)
            again.clicked.connect(self._wants_regenerate)
            self._actions.append(again)
        if not self._is_user:
            row.addWidget(self.figures)
            row.addSpacing(6)
        for action in self._actions:
            policy = action.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            action.setSizePolicy(policy)
            row.addWidget(action, 0, Qt.AlignmentFlag.AlignVCenter)
        if self._is_user:
            row.addSpacing(4)
            row.addWidget(self._bubble)
        else:
            row.addStretch(1)
            outer.addLayout(row)
        self.show_actions(False)

    # What it shows

    @property
    def blocks(self) -> tuple[RichText | CodeBlock, ...]:
        """The views of the text, in order."""
        return tuple(self._blocks)

    def set_message(self, message: Message) -> None:
        """Show a message; blocks that have not changed are left as they are."""
        self.message = message
        who = self.tr("You") if self._is_user else (message.model or "Pollux")
        self.setAccessibleName(f"{who}: {message.text[:2000]}")
        if self._is_user:
            self._set_plain(message.text)
        else:
            self._set_markdown(message.text)
        self.figures.setText(self._figures())

    def set_waiting(self, text: str) -> None:
        """What is going on before the first word."""
        self._waiting.setText(text)
        self._waiting.setVisible(bool(text))

    def _set_plain(self, text: str) -> None:
        if not self._blocks:
            self._append_block(RichText(self.tr("Your message")))
        view = self._blocks[0]
        if isinstance(view, RichText):
            view.setPlainText(text)
        self._fit_bubble()

    def _set_markdown(self, text: str) -> None:
        parts, final = self._splitter.feed(text)
        streaming = self.message.state == "streaming"
        for index, part in enumerate(parts):
            if index < len(self._blocks) and self._sources[index] == part.source:
                continue
            block = self._blocks[index] if index < len(self._blocks) else None
            if block is None or isinstance(block, CodeBlock) != (part.kind == "code"):
                self._drop_blocks(index)
                block = CodeBlock(part.language) if part.kind == "code" else RichText(self.tr("Answer"))
                self._append_block(block)
            self._sources[index] = part.source
            if isinstance(block, CodeBlock):
                block.set_language(part.language)  # the fence may have come without it, in two pieces
                block.set_code(part.source)
            else:
                block.setHtml(to_html(part.source))
        self._drop_blocks(len(parts))
        for index, part in enumerate(parts):
            block = self._blocks[index]
            if isinstance(block, CodeBlock) and (index < final or not streaming):
                self._colour(block, part.source)

    def _append_block(self, block: RichText | CodeBlock) -> None:
        self._blocks.append(block)
        self._sources.append("\0")
        self._body.addWidget(block)

    def _drop_blocks(self, first: int) -> None:
        for block in self._blocks[first:]:
            self._body.removeWidget(block)
            block.hide()
            block.deleteLater()
        del self._blocks[first:], self._sources[first:]

    def _colour(self, block: CodeBlock, code: str) -> None:
        if block.property("coloured") == code or not block.language:
            return
        block.setProperty("coloured", code)
        language = block.language
        job = Job(lambda _cancel: highlight_work(code, language), "highlight")
        job.signals.item.connect(self._colours_found)
        self._coloured[job] = block
        self._jobs.start_files(job)

    @Slot(object, object)
    def _colours_found(self, job: Job, spans: object) -> None:
        block = self._coloured.pop(job, None)
        if block is not None and block in self._blocks and isinstance(spans, list):
            block.set_spans(spans)

    def _figures(self) -> str:
        message = self.message
        if self._is_user or message.state == "streaming":
            return ""
        parts = []
        if message.model:
            parts.append(f"{message.model} · {message.provider}" if message.provider else message.model)
        if message.tokens_per_s > 0:
            parts.append(self.tr("{speed} tokens/s").format(speed=f"{message.tokens_per_s:.0f}"))
        if message.new_tokens:
            parts.append(self.tr("{count} tokens").format(count=message.new_tokens))
        if message.state == "cancelled":
            parts.append(self.tr("stopped"))
        elif message.state == "length":
            parts.append(self.tr("cut at the length limit"))
        elif message.state == "failed":
            parts.append(self.tr("broken off"))
        return "  ·  ".join(parts)

    # Actions

    def show_actions(self, shown: bool) -> None:
        """Show or hide the buttons."""
        shown = shown and self.message.state != "streaming"
        for action in self._actions:
            action.setVisible(shown)

    def enterEvent(self, event) -> None:
        """The pointer is here."""
        self.show_actions(True)
        super().enterEvent(event)

    def leaveEvent(self, event) -> None:
        """The pointer has left."""
        self.show_actions(self._has_focus())
        super().leaveEvent(event)

    def focusInEvent(self, event) -> None:
        """The keyboard is here."""
        self.show_actions(True)
        super().focusInEvent(event)

    def _has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and (focus is self or self.isAncestorOf(focus))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """C copies, E edits, R answers again."""
        key = event.key()
        if event.modifiers() == Qt.KeyboardModifier.NoModifier:
            if key == Qt.Key.Key_C:
                self._wants_copy()
                return
            if key == Qt.Key.Key_E and self._is_user:
                self._wants_edit()
                return
            if key == Qt.Key.Key_R and not self._is_user:
                self._wants_regenerate()
                return
        super().keyPressEvent(event)

    @Slot()
    def _wants_copy(self) -> None:
        QGuiApplication.clipboard().setText(self.message.text)
        self.copy_wanted.emit(self.message)

    @Slot()
    def _wants_edit(self) -> None:
        self.edit_wanted.emit(self.message)

    @Slot()
    def _wants_regenerate(self) -> None:
        self.regenerate_wanted.emit(self.message)

    # Size of what the user wrote

    def resizeEvent(self, event) -> None:
        """The bubble is as wide as its text, at most four fifths."""
        super().resizeEvent(event)
        self._fit_bubble()

    def _fit_bubble(self) -> None:
        if not self._is_user or not self._blocks:
            return
        metrics = QFontMetricsF(self._blocks[0].font())
        widest = max(
            (metrics.horizontalAdvance(line[:200]) for line in self.message.text.split("\n")[:200]), default=0
        )
        wanted = math.ceil(widest) + 28 + 6
        width = max(min(wanted, int(self.width() * 0.8)), 60)
        if self._bubble.width() != width or self._bubble.maximumWidth() != width:
            self._bubble.setFixedWidth(width)


class MessageView(QScrollArea):
    """The scrolling column of messages; stays at the end while the user is there."""

    edit_wanted = Signal(object)
    regenerate_wanted = Signal(object)
    copied = Signal()

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs
        self._messages: list[Message] = []
        self._widgets: list[MessageWidget] = []
        self._first = 0
        self._stick = True
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Conversation"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        holder = QWidget()
        holder.setObjectName("page")
        self._outer = QVBoxLayout(holder)
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        self._earlier = button(self.tr("Show earlier messages"), "flat", "up")
        self._earlier.clicked.connect(self._show_earlier)
        self._earlier.hide()
        self._outer.addWidget(self._earlier, 0, Qt.AlignmentFlag.AlignHCenter)
        self._outer.addLayout(self._column)
        self._outer.addStretch(1)
        self.setWidget(holder)
        bar = self.verticalScrollBar()
        bar.rangeChanged.connect(self._range_changed)
        bar.valueChanged.connect(self._scrolled)
        bar.setAccessibleName(self.tr("Scroll the conversation"))
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    @Slot(QWidget, QWidget)
    def _focus_moved(self, old: QWidget | None, _now: QWidget | None) -> None:
        """When the focus moves inside, the message that it left hides its actions."""
        if old is not None and self.isAncestorOf(old):
            self._update_actions()

    @Slot()
    def _update_actions(self) -> None:
        for widget in self._widgets:
            widget.show_actions(widget._has_focus() or widget.underMouse())

    def warm_up(self) -> None:
        """Make and forget one message of each kind: the first ones cost more, and then nobody is waiting."""
        for role, text in (("user", "x"), ("assistant", "x\n\n```\nx\n```")):
            message = Message(0, 0, role, text, "stop", 0.0, "x", "x", 1, 1.0)  # type: ignore[arg-type]
            widget = MessageWidget(message, self._jobs)
            widget.setParent(self)
            for part in (widget, *widget.findChildren(QWidget)):
                part.ensurePolished()
            widget.deleteLater()
        icon("stop", colours().on_accent)

    @property
    def widgets(self) -> tuple[MessageWidget, ...]:
        """The messages on the screen."""
        return tuple(self._widgets)

    def show_messages(self, messages: list[Message]) -> None:
        """Show a conversation from its end."""
        for widget in self._widgets:
            self._remove(widget)
        self._widgets.clear()
        self._messages = list(messages)
        self._first = max(len(messages) - SHOWN_AT_ONCE, 0)
        for message in messages[self._first :]:
            self._add_widget(message)
        self._earlier.setVisible(self._first > 0)
        self._stick = True

    def add(self, message: Message) -> MessageWidget:
        """Append a message."""
        self._messages.append(message)
        self._stick = True
        return self._add_widget(message)

    def cut(self, index: int) -> None:
        """Remove messages from an index on."""
        del self._messages[index:]
        keep = max(index - self._first, 0)
        for widget in self._widgets[keep:]:
            self._remove(widget)
        del self._widgets[keep:]

    def update_last(self, message: Message) -> None:
        """Show what has been added to the last message."""
        if self._widgets and self._widgets[-1].message.id == message.id:
            self._messages[-1] = message
            self._widgets[-1].set_message(message)

    def last(self) -> MessageWidget | None:
        """The widget of the last message."""
        return self._widgets[-1] if self._widgets else None

    def last_answer(self) -> MessageWidget | None:
        """The widget of the last answer."""
        return next(
            (widget for widget in reversed(self._widgets) if widget.message.role == "assistant"), None
        )

    def last_question(self) -> MessageWidget | None:
        """The widget of the last message of the user."""
        return next((widget for widget in reversed(self._widgets) if widget.message.role == "user"), None)

    def _add_widget(self, message: Message, at: int = -1) -> MessageWidget:
        widget = MessageWidget(message, self._jobs)
        widget.edit_wanted.connect(self.edit_wanted)
        widget.regenerate_wanted.connect(self.regenerate_wanted)
        widget.copy_wanted.connect(self._copied)
        self._column.insertWidget(at, widget)
        self._widgets.insert(len(self._widgets) if at < 0 else at, widget)
        return widget

    @Slot(object)
    def _copied(self, _message: Message) -> None:
        self.copied.emit()

    def _remove(self, widget: MessageWidget) -> None:
        self._column.removeWidget(widget)
        widget.hide()
        widget.deleteLater()

    @Slot()
    def _show_earlier(self) -> None:
        bar = self.verticalScrollBar()
        from_end = bar.maximum() - bar.value()
        first = max(self._first - SHOWN_AT_ONCE, 0)
        for at, message in enumerate(self._messages[first : self._first]):
            self._add_widget(message, at)
        self._first = first
        self._earlier.setVisible(first > 0)
        self._outer.activate()
        bar.setValue(bar.maximum() - from_end)

    @Slot(int, int)
    def _range_changed(self, _low: int, high: int) -> None:
        if self._stick:
            self.verticalScrollBar().setValue(high)

    @Slot(int)
    def _scrolled(self, value: int) -> None:
        self._stick = value >= self.verticalScrollBar().maximum() - 40

    def wheelEvent(self, event) -> None:
        """A turn of the wheel upwards lets go of the end."""
        if event.angleDelta().y() > 0:
            self._stick = False
        super().wheelEvent(event)

    def resizeEvent(self, event) -> None:
        """Keep the column in the middle."""
        super().resizeEvent(event)
        side = max(24, (self.viewport().width() - COLUMN_PX) // 2)
        self._outer.setContentsMargins(side, 12, side, 12)
