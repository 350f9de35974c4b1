"""The speech model: opened on first need, kept, used by one job at a time on the speech lane.

In: the door to the engine, packs, what to transcribe. Out: jobs, not yet started, and the state of the model.
It stands beside the chat's model: both may be loaded, since one is small and people dictate what they then ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.jobs import Job, Jobs
from app.model_state import ModelState
from app.settings import SettingsStore
from app.speech_items import SpeechChoices
from app.transcripts import Transcripts
from engine.cancel import Cancel
from engine.errors import EngineError

if TYPE_CHECKING:
    from app.host import EngineDoor
    from engine.packs import Pack
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.transcribe import LiveSource


@dataclass(frozen=True)
class _State:
    """Sent by a job that opens the model."""

    state: ModelState


class SpeechEngine(QObject):
    """Owns the speech model for the life of the window."""

    changed = Signal(object)  # ModelState

    def __init__(self, door: EngineDoor, settings: SettingsStore, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._door, self._settings, self._jobs = door, settings, jobs
        self._transcripts = Transcripts()
        self.state = ModelState("none")
        self._loaded: SpeechModel | None = None
        self._loaded_as: tuple[str, str, int] | None = None
        self._running: set[Job] = set()

    # Jobs

    def transcribe_job(self, pack: Pack, path: Path, choices: SpeechChoices, resume: bool) -> Job:
        """Transcribe a file; ``resume`` goes on where an earlier run stopped."""
        return self._job(
            pack,
            lambda model, cancel: self._door.transcribe_file(model, path, choices, cancel, resume),
            "transcribe",
        )

    def listen_job(self, pack: Pack, source: LiveSource, wav: Path | None, choices: SpeechChoices) -> Job:
        """Transcribe what a microphone hears, and keep it beside the recording ``wav``."""
        return self._job(
            pack,
            lambda model, cancel: self._transcripts.kept_live(
                self._door.listen(model, source, choices, cancel), wav, pack.name, choices
            ),
            "listen",
        )

    def start(self, job: Job) -> None:
        """Queue a job."""
        self._jobs.start_speech(job)

    def _job(self, pack: Pack, use: Callable[[SpeechModel, Cancel], Iterator[object]], name: str) -> Job:
        settings = self._settings.value
        wanted = (pack.name, settings.device, settings.threads)

        def work(cancel: Cancel) -> Iterator[object]:
            yield from self._open(pack, wanted)
            if self._loaded is not None and not cancel.is_set:
                yield from use(self._loaded, cancel)

        job = Job(work, name)
        job.signals.item.connect(self._item)
        job.signals.ended.connect(self._ended)
        self._running.add(job)
        return job

    def _open(self, pack: Pack, wanted: tuple[str, str, int]) -> Iterator[object]:
        """On the speech lane: free the old model first, so that two never share the memory."""
        if self._loaded is not None and self._loaded_as == wanted:
            return
        self._free()
        yield _State(ModelState("loading", pack))
        try:
            self._loaded = self._door.open_speech(pack, wanted[1], wanted[2])
        except EngineError as error:
            yield _State(ModelState("failed", pack, error=error))
            raise
        except Exception:
            yield _State(ModelState("failed", pack))
            raise
        self._loaded_as = wanted
        yield _State(ModelState("ready", pack, self._loaded.provider))
        yield from self._loaded.notices

    def _free(self) -> None:
        if self._loaded is not None:
            self._loaded.close()
        self._loaded = self._loaded_as = None

    @Slot(object, object)
    def _item(self, _job: Job, item: object) -> None:
        if isinstance(item, _State):
            self.state = item.state
            self.changed.emit(self.state)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        self._running.discard(job)

    # Ends

    def provider_seen(self, provider: str) -> None:
        """A transcription says what it ran on: a failing graphics card is left in its middle."""
        if self.state.status == "ready" and provider and provider != self.state.provider:
            self.state = ModelState("ready", self.state.pack, provider)
            self.changed.emit(self.state)

    def unload(self) -> None:
        """Free the model and its memory; what is being transcribed stops, and can go on later."""
        for job in tuple(self._running):
            job.cancel.set()
        self.state = ModelState("none")
        self.changed.emit(self.state)
        self._jobs.start_speech(Job(self._close, "free the speech model"))

    def _close(self, _cancel: Cancel) -> Iterator[object]:
        self._free()
        yield from ()

    def close(self) -> None:
        """Free the model; called when no job runs any more."""
        self._free()
