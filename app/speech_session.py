"""The recordings of the speech pane: a queue that is transcribed one by one, and what came of them.

In: files, what the user does with them, and items of the engine. Out: signals for the pane, at most thirty a second
while segments come. Everything lives here, outside of the widgets, so that the window can be made again in the middle
of it. What is transcribed is on the disk before it is shown; a run that was stopped goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

from app.host import Host
from app.jobs import Job
from app.rows import take_out
from app.settings import SettingsStore
from app.sound import SoundDoor
from app.speech_items import JournalAt, SpeechChoices, SpeechItem
from app.transcript_keeper import TranscriptKeeper
from app.transcripts import Kept, Transcripts
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import LanguageFound, LiveText, Notice, Progress, Segment, Transcribed

if TYPE_CHECKING:
    from app.player import Player

REDRAW_MS = 40
MOST_AT_ONCE = 250  # segments given to the pane in one go


class SpeechSession(QObject):
    """The state behind the speech pane."""

    list_changed = Signal()  # items came or went
    item_changed = Signal(object)  # SpeechItem: its state or its progress
    segments_reset = Signal(object)  # SpeechItem
    segments_added = Signal(object, int, int)  # SpeechItem, the first new row, the one after the last
    segment_edited = Signal(object, int)  # SpeechItem, row
    live_changed = Signal(object)  # SpeechItem
    selected_changed = Signal()
    finished = Signal(object)  # SpeechItem that is done, to be announced
    exported = Signal(object)  # Path
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError
    crashed = Signal(object)

    def __init__(
        self, host: Host, settings: SettingsStore, sound: SoundDoor, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._host, self._settings, self._sound = host, settings, sound
        self._transcripts = transcripts = Transcripts()
        self._player: Player | None = None
        self.items: list[SpeechItem] = []
        self.selected: SpeechItem | None = None
        self._keys = 0
        self._job: Job | None = None
        self._item: SpeechItem | None = None
        self._fresh = False  # the run has said nothing yet, and what was there before is still shown
        self._held = False
        self._keeper = TranscriptKeeper(host.jobs, transcripts, self)
        self._keeper.exported.connect(self.exported)
        self._keeper.notice.connect(self.notice)
        self._keeper.failed.connect(self.failed)
        self._keeper.crashed.connect(self.crashed)
        self._dropped: set[int] = set()
        self._reading: dict[Job, SpeechItem] = {}
        self._list_job: Job | None = None
        self._shown: dict[int, int] = {}  # segments that the pane knows of
        self._dirty: dict[int, SpeechItem] = {}
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._flush)
        host.packs_changed.connect(self._next)

    # What there is

    @property
    def busy(self) -> bool:
        """Whether a file is being transcribed."""
        return self._job is not None

    @property
    def held(self) -> bool:
        """Whether files wait for the end of a recording."""
        return self._held

    def player(self) -> Player:
        """The one player, made when it is first needed; what it cannot play is said by ``failed``."""
        if self._player is None:
            self._player = self._sound.player()
            self._player.failed.connect(self._player_failed)
        return self._player

    @Slot(object)
    def _player_failed(self, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)

    @property
    def waits_for(self) -> str:
        """Why queued files do not begin, in the user's language; empty where one is being transcribed."""
        if self._host.best_pack("speech") is not None:
            return ""
        return QCoreApplication.translate("speech", "Waits for a speech model")

    def begin(self) -> None:
        """Find what was transcribed or recorded earlier."""
        self._list_job = Job(self._read_earlier, "earlier transcripts")
        self._list_job.signals.item.connect(self._earlier_found)
        self._list_job.signals.failed.connect(self._broke)
        self._host.jobs.start_files(self._list_job)

    def _read_earlier(self, _cancel: Cancel) -> Iterator[object]:
        yield self._transcripts.earlier()

    @Slot(object, object)
    def _earlier_found(self, _job: Job, found: Sequence[SpeechItem]) -> None:
        known = {item.path for item in self.items}
        for item in found:
            if item.path not in known:
                self._keys += 1
                item.key = self._keys
                self.items.append(item)
        self.list_changed.emit()

    def add_files(self, paths: Sequence[Path]) -> None:
        """Queue files; one that is here already is shown, and tried again if it was not finished."""
        chosen: SpeechItem | None = None
        place = next((row for row, item in enumerate(self.items) if item.earlier), len(self.items))
        for path in paths:
            item = next((item for item in self.items if item.path == path.absolute()), None)
            if item is None:
                item = self._new(path.absolute())
                self.items.insert(place, item)
                place += 1
            elif item.state in ("failed", "stopped"):
                item.state = "waiting"
            chosen = chosen or item
        self.list_changed.emit()
        if chosen is not None and not (self.selected is not None and self.selected.state == "recording"):
            self.select(chosen)
        self._next()

    def add_recording(self, path: Path) -> SpeechItem:
        """A recording begins."""
        item = self._new(path)
        item.state = "recording"
        self.items.insert(0, item)
        self.list_changed.emit()
        self.select(item)
        return item

    def _new(self, path: Path) -> SpeechItem:
        self._keys += 1
        return SpeechItem(self._keys, path)

    def select(self, item: SpeechItem | None) -> None:
        """Show one."""
        if item is self.selected:
            return
        self.selected = item
        self.selected_changed.emit()
        if item is not None and not item.loaded and item.journal is not None:
            item.loaded, journal = True, item.journal
            job = Job(lambda _cancel: iter((self._transcripts.read(journal),)), "read a transcript")
            self._reading[job] = item
            job.signals.item.connect(self._segments_read)
            job.signals.failed.connect(self._broke)
            self._host.jobs.start_files(job)

    @Slot(object, object)
    def _segments_read(self, job: Job, kept: Kept) -> None:
        item = self._reading.pop(job, None)
        if item is not None and not item.segments and not item.busy:
            item.segments, item.transcribed = list(kept.segments), kept.transcribed
            self.reset(item)
            self.item_changed.emit(item)

    # The queue

    @Slot()
    def _next(self) -> None:
        if self._job is not None or self._held:
            return
        pack = self._host.best_pack("speech")
        item = next((item for item in self.items if item.state == "waiting"), None)
        if pack is None or item is None:
            return
        if item.choices is None:
            item.choices = self.choices()
        self._item, self._fresh = item, True
        item.begin()
        job = self._host.speech.transcribe_job(pack, item.path, item.choices, item.resume)
        job.signals.item.connect(self._got)
        job.signals.failed.connect(self._run_failed)
        job.signals.ended.connect(self._run_ended)
        self._job = job
        self.item_changed.emit(item)
        self._host.speech.start(job)

    def cancel(self, item: SpeechItem) -> None:
        """Stop one; what it has stays, and it can go on later."""
        if item.state == "waiting":
            item.state = "stopped"
            self.item_changed.emit(item)
        elif item is self._item and self._job is not None:
            item.state = "stopping"
            self._job.cancel.set()
            self.item_changed.emit(item)

    def resume(self, item: SpeechItem) -> None:
        """Go on with one that stopped or failed."""
        self._queue(item, True)

    def again(self, item: SpeechItem) -> None:
        """Transcribe anew, with the options of now; what is there is replaced."""
        self._queue(item, False)

    def _queue(self, item: SpeechItem, resume: bool) -> None:
        if item.busy:
            return
        item.state, item.resume, item.choices, item.error = "waiting", resume, None, None
        if not resume:
            item.done_ms = 0
        self.item_changed.emit(item)
        self._next()

    def choices(self) -> SpeechChoices:
        """How the settings say that recordings are transcribed."""
        now = self._settings.value
        return SpeechChoices(now.speech_language, now.speech_translate, now.speech_words)

    def hold(self) -> None:
        """A recording begins: the file in work waits for its end."""
        self._held = True
        if self._job is not None:
            self._job.cancel.set()

    def release(self) -> None:
        """The recording is done: go on with the files."""
        self._held = False
        self._next()

    def remove(self, item: SpeechItem) -> None:
        """Take one from the list, and what was transcribed of it from the disk; the caller has asked."""
        self._dropped.add(item.key)
        if item is self._item and self._job is not None:
            self._job.cancel.set()
            return
        self._drop(item)

    def _drop(self, item: SpeechItem) -> None:
        self._dropped.discard(item.key)
        self._keeper.forget(item)
        if self._player is not None and self._player.path == item.path:
            self._player.close()
        try:
            self._transcripts.delete(item)
        except EngineError as error:
            self.failed.emit(error)
        if item in self.items:
            neighbour = take_out(self.items, item)
            if self.selected is item:
                self.selected = None
                self.select(neighbour) if neighbour is not None else self.selected_changed.emit()
        self.list_changed.emit()

    # What comes back

    @Slot(object, object)
    def _got(self, job: Job, got: object) -> None:
        if job is self._job and self._item is not None:
            if self._fresh and isinstance(got, (Segment, LanguageFound, Transcribed)):
                self._fresh = False
                self._item.segments = []
                self.reset(self._item)
            self.take(self._item, got)

    def take(self, item: SpeechItem, got: object) -> None:
        """What the engine says of an item; the recorder brings it here too."""
        if isinstance(got, Segment):
            item.segments.append(got)
            item.live = None
        elif isinstance(got, Progress):
            item.progress(got)
        elif isinstance(got, LiveText):
            item.live = got
        elif isinstance(got, LanguageFound):
            item.language = got.language
        elif isinstance(got, JournalAt):
            self._journal_known(item, got.path)
        elif isinstance(got, Notice):
            self.notice.emit(got)
            return
        elif isinstance(got, Transcribed):
            item.transcribed, item.language = got, got.language or item.language
            item.live = None
            self._host.speech.provider_seen(got.provider)
        else:
            return
        self._dirty[item.key] = item
        if not self._redraw.isActive():
            self._redraw.start(REDRAW_MS)

    def _journal_known(self, item: SpeechItem, journal: Path) -> None:
        """With other choices there is another journal; the one before is kept until the new one is whole."""
        if item.journal is not None and item.journal != journal:
            item.replaced = item.journal
        item.journal = journal

    @Slot()
    def _flush(self) -> None:
        self._redraw.stop()
        dirty, self._dirty = self._dirty, {}
        for item in dirty.values():
            known = self._shown.get(item.key, 0)
            end = min(len(item.segments), known + MOST_AT_ONCE)
            self._shown[item.key] = end
            if end > known:
                self.segments_added.emit(item, known, end)
            if end < len(item.segments):  # a kept transcript comes in one burst
                self._dirty[item.key] = item
                self._redraw.start(REDRAW_MS)
                continue
            self.live_changed.emit(item)
            self.item_changed.emit(item)

    def reset(self, item: SpeechItem) -> None:
        """The segments of an item are others."""
        self._shown[item.key] = len(item.segments)
        self.segments_reset.emit(item)

    @Slot(object, object)
    def _run_failed(self, job: Job, error: Exception) -> None:
        if job is not self._job or self._item is None:
            return
        self._item.state = "failed"
        if isinstance(error, EngineError):
            self._item.error = error
        else:
            self.crashed.emit(error)

    @Slot(object)
    def _run_ended(self, job: Job) -> None:
        item = self._item
        if job is not self._job or item is None:
            return
        self._job, self._item = None, None
        done = item.transcribed
        if item.state != "failed":
            finished = done is not None and done.reason == "stop"
            held = self._held and item.state == "running"  # not where the user stopped it
            item.state = "done" if finished else "waiting" if held else "stopped"
            if item.state == "stopped":
                item.choices = None
        item.resume = True
        if item.state == "done" and item.replaced is not None:
            self._transcripts.delete_journal(item.replaced)
            item.replaced = None
        self.end(item)
        self._next()

    def end(self, item: SpeechItem) -> None:
        """Nothing more comes for an item: keep what was edited meanwhile, and say what became of it."""
        self._flush()
        self._keeper.wake()
        if item.key in self._dropped:
            self._drop(item)
            return
        self.item_changed.emit(item)
        if item.state in ("done", "failed"):
            self.finished.emit(item)

    # Editing and writing

    def edit(self, item: SpeechItem, row: int, text: str) -> None:
        """Change the text of a segment. Its words go: their times belong to what was heard."""
        text = text.strip()
        if row >= len(item.segments) or text == item.segments[row].text.strip():
            return
        item.segments[row] = replace(item.segments[row], text=text, words=(), confidence=1.0)
        self._keeper.save(item)
        self.segment_edited.emit(item, row)

    def export(self, item: SpeechItem, target: Path, kind: str) -> None:
        """Write a transcript to a file: "txt", "srt", "vtt" or "json"."""
        pack = self._host.best_pack("speech")
        self._keeper.export(item, target, kind, pack.name if pack is not None else "")

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)

    def close(self) -> None:
        """Stop what runs; its journal has all that came. Called before the host waits for its jobs."""
        self._held = True
        if self._job is not None:
            self._job.cancel.set()
        self._redraw.stop()
        if self._player is not None:
            self._player.close()

    def keep_edits(self) -> None:
        """Write what was edited; called when no job runs any more."""
        self._keeper.flush()
