"""The chat pane: the conversation, the composer, banners, the system prompt.

In: the session's signals. Out: what the user does, to the session.
"""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.chat_session import ChatSession, LanguageGap
from app.history import Message
from app.host import Host, ModelState, Task
from app.i18n import notice_text
from app.language_names import language_name, size_text
from app.presets import preset, presets
from app.theme import colours, pixmap
from app.widgets.banner import Banner, BannerStack
from app.widgets.basics import button, disable, label
from app.widgets.composer import Composer
from app.widgets.message_view import COLUMN_PX, MessageView
from app.widgets.task_line import cannot_build_reason, import_instead, task_line
from engine.errors import EngineError
from engine.results import Finished, Notice, Progress

DRAFT_AFTER_MS = 600


class ChatPane(QWidget):
    """One conversation with a model."""

    show_models = Signal()

    def __init__(self, session: ChatSession, host: Host) -> None:
        super().__init__()
        self._session, self._host = session, host
        self._editing: Message | None = None
        self._gap: LanguageGap | None = None
        self.setAccessibleName(self.tr("Chat"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.view = MessageView(host.jobs)
        self.view.edit_wanted.connect(self._edit)
        self.view.regenerate_wanted.connect(self._regenerate)
        self._empty = self._make_empty()
        layout.addWidget(self._empty, 1)
        layout.addWidget(self.view, 1)
        self._bottom = QVBoxLayout()
        self._bottom.setContentsMargins(24, 6, 24, 14)
        self._bottom.setSpacing(8)
        self.banners = BannerStack()
        self._bottom.addWidget(self.banners)
        self.composer = Composer()
        self.composer.sent.connect(self._send)
        self.composer.stopped.connect(session.stop)
        self.composer.edited.connect(self._edited)
        self.prompt_button = button("", "flat", "prompt", colours().muted)
        self.prompt_button.clicked.connect(self._choose_prompt)
        self.composer.left.addWidget(self.prompt_button)
        self._bottom.addWidget(self.composer)
        layout.addLayout(self._bottom)
        self._draft_timer = QTimer(self)
        self._draft_timer.setSingleShot(True)
        self._draft_timer.setInterval(DRAFT_AFTER_MS)
        self._draft_timer.timeout.connect(self.save_draft)
        self._connect()
        self._opened()

    def _make_empty(self) -> QWidget:
        made = QWidget()
        box = QVBoxLayout(made)
        box.setContentsMargins(32, 32, 32, 16)
        box.addStretch(1)
        self._empty_icon = QLabel()
        self._empty_title = label("", "title")
        self._empty_text = label("", "muted")
        for item in (self._empty_icon, self._empty_title, self._empty_text):
            row = QHBoxLayout()
            row.addStretch(1)
            item.setWordWrap(False)
            row.addWidget(item)
            row.addStretch(1)
            box.addLayout(row)
        box.addStretch(1)
        return made

    def _connect(self) -> None:
        session, host = self._session, self._host
        session.opened.connect(self._opened)
        session.added.connect(self._added)
        session.answer_changed.connect(self._answer_changed)
        session.answer_ended.connect(self._answer_ended)
        session.cut.connect(self.view.cut)
        session.busy_changed.connect(self._busy_changed)
        session.prefill.connect(self._prefill)
        session.notice.connect(self.show_notice)
        session.language_gap.connect(self._show_gap)
        session.failed.connect(self.show_error)
        host.model_changed.connect(self._model_changed)
        host.task_changed.connect(self._task_changed)

    # The conversation on the screen

    @Slot()
    def _opened(self) -> None:
        self._draft_timer.stop()
        self._editing = None
        self.banners.clear()
        self.view.show_messages(self._session.messages)
        self.composer.set_text(self._session.draft())
        self._draft_timer.stop()
        self._busy_changed(self._session.busy)
        self._update_prompt()
        self._update_empty()
        self._update_meter()
        self._model_changed(self._host.model)

    def _update_empty(self) -> None:
        empty = not self._session.messages
        self._empty.setVisible(empty)
        self.view.setVisible(not empty)
        chosen = preset(self._session.preset)
        self._empty_icon.setPixmap(pixmap(chosen.icon, colours().accent, 40))
        self._empty_title.setText(chosen.title)
        self._empty_text.setText(chosen.summary)

    @Slot(object)
    def _added(self, message: Message) -> None:
        self.view.add(message)
        self._update_empty()
        if message.role == "assistant":
            self._waiting()

    def _waiting(self) -> None:
        last = self.view.last()
        if last is not None and last.message.state == "streaming" and not last.message.text:
            loading = self._host.model.status == "loading"
            last.set_waiting(self.tr("Loading the model…") if loading else self.tr("Reading…"))

    @Slot(object)
    def _answer_changed(self, message: Message) -> None:
        last = self.view.last()
        if last is not None:
            last.set_waiting("")
        self.view.update_last(message)

    @Slot(object, object)
    def _answer_ended(self, message: Message, _finished: Finished | None) -> None:
        self._answer_changed(message)
        self.view._update_actions()
        self._update_meter()
        if message.text:
            self._announce(self.tr("Answer: {text}").format(text=message.text[:4000]))

    def _announce(self, text: str) -> None:
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @Slot(object)
    def _prefill(self, progress: Progress) -> None:
        last = self.view.last()
        if last is None or last.message.text or not progress.total:
            return
        last.set_waiting(
            self.tr("Reading… {percent} %").format(percent=round(100 * progress.done / progress.total))
        )

    @Slot(bool)
    def _busy_changed(self, busy: bool) -> None:
        self.composer.set_busy(busy and self._session.answering_here)
        elsewhere = busy and not self._session.answering_here
        self.composer.set_blocked(
            self.tr("An answer is being written in another conversation.") if elsewhere else ""
        )

    def _update_meter(self) -> None:
        done = self._session.last_finished
        if done is None or not done.context_limit_tokens:
            self.composer.meter.clear()
            self.composer.meter.setAccessibleName(self.tr("Context: not used yet"))
            return
        used = self.tr("Context {used} of {limit} tokens ({percent} %)").format(
            used=done.context_tokens,
            limit=done.context_limit_tokens,
            percent=round(100 * done.context_tokens / done.context_limit_tokens),
        )
        self.composer.meter.setText(used)
        self.composer.meter.setAccessibleName(used)
        self.composer.meter.setToolTip(
            self.tr(
                "How much of the conversation the model can see at once. When it is full, the oldest turns go first."
            )
        )

    @Slot(object)
    def _model_changed(self, state: ModelState) -> None:
        self._waiting()
        reason = (
            self.tr("No model is installed yet; get one under Models.")
            if not self._host.packs_of("language")
            else ""
        )
        if reason:
            self.composer.set_blocked(reason)
        else:
            self._busy_changed(self._session.busy)
        if self._gap is not None and state.status == "ready":
            self._gap_model_ready(state)

    # What the user does

    @Slot(str)
    def _send(self, text: str) -> None:
        editing = self._editing
        sent = self._session.edit(editing, text) if editing is not None else self._session.send(text)
        if sent:
            self._editing = None
            self.banners.drop("editing")
            self.composer.set_text("")
            self._draft_timer.stop()

    @Slot(object)
    def _edit(self, message: Message) -> None:
        if self._session.busy:
            return
        self._editing = message
        self.composer.set_text(message.text)
        self.composer.editor.setFocus()
        banner = Banner("info", self.tr("Sending replaces your message and everything after it."))
        banner.closed.connect(self._stop_editing)
        self.banners.show_banner("editing", banner)

    @Slot()
    def _stop_editing(self) -> None:
        if self._editing is not None:
            self._editing = None
            self.composer.set_text("")

    @Slot(object)
    def _regenerate(self, message: Message) -> None:
        if self._session.messages and message.id == self._session.messages[-1].id:
            self._session.regenerate()
            return
        index = next((i for i, item in enumerate(self._session.messages) if item.id == message.id), 0)
        if index:
            question = self._session.messages[index - 1]
            self._session.edit(question, question.text)

    @Slot()
    def regenerate_last(self) -> None:
        """Answer the last question again."""
        self._session.regenerate()

    @Slot()
    def edit_last(self) -> None:
        """Edit the last question."""
        last = self.view.last_question()
        if last is not None:
            self._edit(last.message)

    @Slot()
    def copy_last(self) -> None:
        """Copy the last answer."""
        last = self.view.last_answer()
        if last is not None:
            last._wants_copy()

    @Slot()
    def escape(self) -> None:
        """Stop the answer, or leave editing."""
        if self._session.busy:
            self._session.stop()
        elif self._editing is not None:
            self.banners.drop("editing")

    def quote_file(self, name: str, text: str) -> None:
        """Put the text of a dropped file into the draft."""
        fence = "```"
        while fence in text:
            fence += "`"
        before = self.composer.text.rstrip()
        block = f"{name}:\n{fence}\n{text.rstrip()}\n{fence}\n"
        self.composer.set_text(f"{before}\n\n{block}" if before else block)
        self.composer.editor.setFocus()

    @Slot()
    def _edited(self) -> None:
        if self._editing is None:
            self._draft_timer.start()

    @Slot()
    def save_draft(self) -> None:
        """Keep what is written."""
        self._draft_timer.stop()
        if self._editing is None and self.composer.text != self._session.draft():
            self._session.set_draft(self.composer.text)

    # System prompt

    def _update_prompt(self) -> None:
        title = preset(self._session.preset).title
        self.prompt_button.setText(f" {title}")
        self.prompt_button.setAccessibleName(self.tr("System prompt: {title}").format(title=title))
        self.prompt_button.setToolTip(self.tr("Choose how the model should answer in this conversation"))

    @Slot()
    def _choose_prompt(self) -> None:
        dialog = PromptDialog(self._session.preset, self._session.system, self)
        dialog.accepted_prompt.connect(self._prompt_chosen)
        dialog.open()

    @Slot(str, str)
    def _prompt_chosen(self, key: str, system: str) -> None:
        self._session.set_prompt(key, system)
        self._update_prompt()
        self._update_empty()

    # Banners

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error that the user can mend."""
        self.banners.show_error(error)

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Something to know."""
        self.banners.show_banner(notice.code, Banner("info", notice_text(notice)))

    @Slot(object)
    def _show_gap(self, gap: LanguageGap) -> None:
        self._gap = gap
        language = language_name(gap.code)
        text = self.tr("{model} does not list {language} among its languages.").format(
            model=gap.model, language=language
        )
        banner = Banner("warn", text, self.tr("Its answer may make no sense."))
        pack = self._host.pack(gap.pack)
        entry = self._host.entry(gap.entry)
        if pack is not None:
            switch = banner.add_button(self.tr("Answer with {model}").format(model=pack.display_name))
            switch.setObjectName("gapSwitch")
            switch.clicked.connect(self._gap_switch)
        elif entry is not None:
            get = banner.add_button(
                self.tr("Get {model} ({size})").format(
                    model=entry.display_name, size=size_text(entry.download_bytes)
                )
            )
            get.setObjectName("gapGet")
            get.clicked.connect(self._gap_get)
            detail = self.tr("Its answer may make no sense. {model} lists {language}.").format(
                model=entry.display_name, language=language
            )
            cannot = self._host.cannot_build
            if cannot is not None:
                disable(get, cannot_build_reason(cannot))
                detail = f"{detail}\n{import_instead()}"
            banner.set_detail(detail)
        else:
            banner.set_detail(
                self.tr(
                    "Its answer may make no sense, and no model in the catalogue that fits this machine lists it."
                )
            )
        self.banners.show_banner("language", banner)

    @Slot()
    def _gap_switch(self) -> None:
        gap = self._gap
        if gap is None:
            return
        self._gap = None
        self.banners.drop("language")
        self._again_with(gap.pack)

    def _again_with(self, pack: str) -> None:
        self._session.stop()
        self._host.load(pack)
        self._session.regenerate_soon()

    @Slot()
    def _gap_get(self) -> None:
        gap, banner = self._gap, self.banners.get("language")
        if gap is None or banner is None:
            return
        banner.clear_buttons()
        cancel = banner.add_button(self.tr("Cancel"))
        cancel.clicked.connect(self._gap_cancel)
        self._host.add(gap.entry, use=True)

    @Slot()
    def _gap_cancel(self) -> None:
        if self._gap is not None:
            self._host.cancel_task(self._gap.entry)

    @Slot(object)
    def _task_changed(self, task: Task) -> None:
        banner = self.banners.get("language")
        if self._gap is None or banner is None or task.key != self._gap.entry:
            return
        banner.set_detail(task_line(task))
        progress = task.progress
        banner.bar.setVisible(task.state in ("running", "cancelling"))
        if progress is not None and progress.total:
            banner.bar.setRange(0, 1000)
            banner.bar.setValue(int(1000 * progress.done / progress.total))
        else:
            banner.bar.setRange(0, 0)
        if task.state in ("failed", "cancelled"):
            self._show_gap(self._gap)
            if task.error is not None:
                self.show_error(task.error)

    def _gap_model_ready(self, state: ModelState) -> None:
        gap, banner = self._gap, self.banners.get("language")
        if gap is None or banner is None or state.pack is None or state.pack.name != gap.entry:
            return
        self._gap = None
        banner = Banner("info", self.tr("{model} is ready.").format(model=state.pack.display_name))
        again = banner.add_button(self.tr("Answer again"))
        again.clicked.connect(self._gap_again)
        self.banners.show_banner("language", banner)

    @Slot()
    def _gap_again(self) -> None:
        self.banners.drop("language")
        self._session.stop()
        self._session.regenerate_soon()

    def resizeEvent(self, event) -> None:
        """The composer is as wide as the conversation."""
        super().resizeEvent(event)
        side = max(24, (self.width() - COLUMN_PX) // 2)
        self._bottom.setContentsMargins(side, 6, side, 14)


class PromptDialog(QDialog):
    """Choose a preset and change its text, for this conversation."""

    accepted_prompt = Signal(str, str)

    def __init__(self, key: str, system: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("System prompt"))
        self.setMinimumWidth(520)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(
            label(
                self.tr(
                    "What the model is told before the conversation begins. Empty means the model's own default."
                ),
                "muted",
            )
        )
        self.choice = QComboBox()
        self.choice.setAccessibleName(self.tr("Preset"))
        self.choice.view().setAccessibleName(self.tr("Preset"))
        for item in presets():
            self.choice.addItem(item.title, item.key)
        self.choice.setCurrentIndex(max(self.choice.findData(key), 0))
        self.text = QPlainTextEdit(system)
        self.text.setAccessibleName(self.tr("System prompt"))
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(140)
        self.choice.currentIndexChanged.connect(self._preset_chosen)
        layout.addWidget(self.choice)
        layout.addWidget(self.text, 1)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)

    @Slot(int)
    def _preset_chosen(self, _index: int) -> None:
        self.text.setPlainText(preset(self.choice.currentData()).system)

    @Slot()
    def _accept(self) -> None:
        self.accepted_prompt.emit(self.choice.currentData(), self.text.toPlainText())
        self.accept()
