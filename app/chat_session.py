"""One conversation at a time: sends, streams, stops, answers again, and keeps all of it.

In: what the user does in the chat pane. Out: signals for the view, at most thirty a second while an answer
streams. The user's turn is on the disk before generation begins; the answer is saved every second while it
streams and once more at its end. An answer goes on when the user looks at another conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.history import Conversation, History, Message, State, checkpoint
from app.host import Host, ModelState
from app.jobs import Job
from app.languages import language_of, lists_language
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Finished, Notice, Progress, TextChunk

REDRAW_MS = 40
SAVE_EVERY_S = 1.0
TITLE_CHARS = 48


@dataclass(frozen=True)
class LanguageGap:
    """The model in use does not list the language of a question. One of ``pack`` and ``entry`` may be able."""

    code: str
    model: str  # display name
    pack: str  # name of an installed model that lists the language; "" if none
    entry: str  # name of a catalogue model that does; "" if none fits


class ChatSession(QObject):
    """The state behind the chat pane; outlives the pane when the window is made again."""

    opened = Signal()  # another conversation, or a new one
    added = Signal(object)  # Message
    answer_changed = Signal(object)  # Message, still streaming
    answer_ended = Signal(object, object)  # Message, Finished | None
    cut = Signal(int)  # messages from this index on are gone
    busy_changed = Signal(bool)
    prefill = Signal(object)  # Progress
    notice = Signal(object)  # Notice
    language_gap = Signal(object)  # LanguageGap
    failed = Signal(object)  # EngineError
    crashed = Signal(object)
    list_changed = Signal()

    def __init__(self, host: Host, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host = host
        self.history = history
        self.conversation: Conversation | None = None
        self.messages: list[Message] = []
        self.preset = "assistant"
        self.system = ""
        self.last_finished: Finished | None = None
        self._job: Job | None = None
        self._answer: Message | None = None
        self._parts: list[str] = []
        self._finished: Finished | None = None
        self._ended_by: State = "failed"
        self._saved_s = 0.0
        self._save_failed = False
        self._again = False
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._flush)
        host.model_changed.connect(self._model_changed)

    # Which conversation

    @property
    def busy(self) -> bool:
        """Whether an answer is being written, here or in another conversation."""
        return self._job is not None

    @property
    def answering_here(self) -> bool:
        """Whether the answer being written belongs to the conversation on the screen."""
        return self._answer is not None and self._is_here(self._answer)

    def begin(self, preset: str = "assistant", system: str = "") -> None:
        """A new conversation; it gets a place in the history with its first message."""
        self.conversation, self.messages = None, []
        self.preset, self.system, self.last_finished = preset, system, None
        self.opened.emit()

    def open(self, conversation: int) -> None:
        """Show a conversation of the history."""
        try:
            self.conversation = self.history.get(conversation)
        except KeyError:
            self.begin()
            return
        self.preset, self.system = self.conversation.preset, self.conversation.system
        self.messages = list(self.history.messages(conversation))
        self.last_finished = None
        if self._answer is not None and self._answer.conversation == conversation:
            self.messages = [self._answer if item.id == self._answer.id else item for item in self.messages]
        self.opened.emit()

    def renamed(self) -> None:
        """The conversation on the screen has another title."""
        if self.conversation is not None:
            self.conversation = self.history.get(self.conversation.id)

    def set_prompt(self, preset: str, system: str) -> None:
        """Change the system prompt of this conversation; it holds from the next answer on."""
        self.preset, self.system = preset, system
        if self.conversation is not None:
            self._try(lambda key: self.history.set_prompt(key, preset, system), self.conversation.id)

    def set_draft(self, text: str) -> None:
        """Keep what is written and not yet sent."""
        self._try(
            lambda key: self.history.set_draft(key, text), self.conversation.id if self.conversation else None
        )

    def draft(self) -> str:
        """What was written here and not sent."""
        try:
            return self.history.draft(self.conversation.id if self.conversation else None)
        except KeyError:
            return ""

    def _try(self, change, key) -> None:
        try:
            change(key)
        except EngineError as error:
            self.failed.emit(error)

    # Turns

    def send(self, text: str) -> bool:
        """Send a message; False if it could not be taken, and then nothing has changed."""
        text = text.strip()
        if not text or self.busy or not self._can_answer():
            return False
        try:
            if self.conversation is None:
                title = text.splitlines()[0][:TITLE_CHARS].strip()
                self.conversation = self.history.create(title, self.preset, self.system)
                self.history.set_draft(None, "")
            message = self.history.add(self.conversation.id, "user", text)
        except EngineError as error:
            self.failed.emit(error)
            return False
        self.messages.append(message)
        self.added.emit(message)
        self._start_answer(text)
        return True

    def regenerate(self) -> None:
        """Answer the last question again."""
        if self.busy or not self.messages or not self._can_answer():
            return
        last = self.messages[-1]
        if last.role == "assistant":
            try:
                self.history.cut_from(last)
            except EngineError as error:
                self.failed.emit(error)
                return
            self.messages.pop()
            self.cut.emit(len(self.messages))
        if self.messages:
            self._start_answer(self.messages[-1].text)

    def regenerate_soon(self) -> None:
        """Answer again as soon as the answer that is being stopped has ended."""
        if self.busy:
            self._again = True
        else:
            self.regenerate()

    def edit(self, message: Message, text: str) -> bool:
        """Replace a question and all that follows it, and answer anew."""
        text = text.strip()
        if not text or self.busy or message not in self.messages or not self._can_answer():
            return False
        try:
            edited = self.history.replace_from(message, text)
        except EngineError as error:
            self.failed.emit(error)
            return False
        index = self.messages.index(message)
        del self.messages[index:]
        self.cut.emit(index)
        self.messages.append(edited)
        self.added.emit(edited)
        self._start_answer(text)
        return True

    def stop(self) -> None:
        """End the answer where it is; what is there is kept."""
        if self._job is not None:
            self._job.cancel.set()

    def _can_answer(self) -> bool:
        if self._host.model.status in ("ready", "loading"):
            return True
        if self._host.model.status == "failed" and self._host.model.error is not None:
            self.failed.emit(self._host.model.error)
        else:
            self.failed.emit(
                EngineError(
                    "No model is loaded.", "Choose one with the button at the top, or get one under Models."
                )
            )
        return False

    def _start_answer(self, question: str) -> None:
        self._check_language(question)
        pack = self._host.model.pack
        turns = [(item.role, item.text) for item in self.messages if item.text]
        if self.system.strip():
            turns.insert(0, ("system", self.system.strip()))
        conversation = self.messages[-1].conversation
        try:
            answer = self.history.add(
                conversation, "assistant", "", "streaming", pack.display_name if pack else ""
            )
        except EngineError as error:
            self.failed.emit(error)
            return
        self._answer, self._parts, self._finished = answer, [], None
        self._ended_by, self._saved_s, self._save_failed = "cancelled", monotonic(), False
        self.messages.append(answer)
        self.added.emit(answer)
        job = self._host.chat_job(turns)
        job.signals.item.connect(self._item)
        job.signals.failed.connect(self._job_failed)
        job.signals.ended.connect(self._job_ended)
        self._job = job
        self.busy_changed.emit(True)
        self.list_changed.emit()
        self._host.jobs.start_inference(job)

    def _check_language(self, question: str) -> None:
        pack, code = self._host.model.pack, language_of(question)
        if pack is None or code is None or lists_language(pack.languages, code):
            return
        able = self._host.pack_for_language(code)
        entry = self._host.entry_for_language(code) if able is None else None
        self.language_gap.emit(
            LanguageGap(code, pack.display_name, able.name if able else "", entry.name if entry else "")
        )

    # What comes back

    @Slot(object, object)
    def _item(self, job: Job, item: object) -> None:
        if job is not self._job:
            return
        if isinstance(item, TextChunk):
            self._parts.append(item.text)
            if not self._redraw.isActive():
                self._redraw.start(REDRAW_MS)
        elif isinstance(item, Finished):
            self._finished = item
            self._ended_by = item.reason
            self._host.provider_seen(item.provider)
        elif isinstance(item, Progress):
            if self.answering_here:
                self.prefill.emit(item)
        elif isinstance(item, Notice):
            self.notice.emit(item)

    @Slot(object, object)
    def _job_failed(self, job: Job, error: Exception) -> None:
        if job is not self._job:
            return
        self._ended_by = "failed"
        if isinstance(error, EngineError):
            self.failed.emit(error)
        else:
            self.crashed.emit(error)

    @Slot(object)
    def _job_ended(self, job: Job) -> None:
        if job is not self._job or self._answer is None:
            return
        self._redraw.stop()
        done = self._finished
        answer = replace(
            self._answer,
            text=done.text if done else "".join(self._parts),
            state=self._ended_by,
            model=self._answer.model,
            provider=done.provider if done else "",
            new_tokens=done.new_tokens if done else 0,
            tokens_per_s=done.decode_tokens_per_s if done else 0.0,
        )
        self._replace(answer)
        self._save(answer)
        here = self._is_here(answer)
        self._job, self._answer = None, None
        self._host.jobs.start_files(Job(self._checkpoint, "checkpoint"))
        if here:
            self.last_finished = done
            self.answer_ended.emit(answer, done)
        self.busy_changed.emit(False)
        self.list_changed.emit()
        if self._again:
            self._again = False
            if here:
                self.regenerate()

    def _checkpoint(self, _cancel: Cancel) -> Iterator[object]:
        """On the file pool."""
        checkpoint(self.history.path)
        yield from ()

    @Slot()
    def _flush(self) -> None:
        if self._answer is None:
            return
        text = "".join(self._parts)
        self._parts = [text]
        self._replace(replace(self._answer, text=text))
        if monotonic() - self._saved_s >= SAVE_EVERY_S:
            self._save(self._answer)
        if self._is_here(self._answer):
            self.answer_changed.emit(self._answer)

    def _replace(self, answer: Message) -> None:
        self._answer = answer
        if self._is_here(answer) and self.messages and self.messages[-1].id == answer.id:
            self.messages[-1] = answer

    def _is_here(self, answer: Message) -> bool:
        return self.conversation is not None and self.conversation.id == answer.conversation

    def _save(self, answer: Message) -> None:
        self._saved_s = monotonic()
        try:
            self.history.save_answer(answer)
        except EngineError as error:
            if not self._save_failed:  # say it once an answer; the text stays on the screen
                self.failed.emit(error)
            self._save_failed = True

    @Slot(object)
    def _model_changed(self, _state: ModelState) -> None:
        self.last_finished = None

    def close(self) -> None:
        """Keep what has come so far; called before the host waits for its jobs."""
        self.stop()
        if self._answer is not None:
            self._redraw.stop()
            self._save(replace(self._answer, text="".join(self._parts), state="cancelled"))
            self._job, self._answer = None, None
