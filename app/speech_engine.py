"""The speech model: opened on first need, kept, used by one job at a time on the speech lane.

In: the door to the engine, packs, what to transcribe. Out: jobs, not yet started, and the state of the model.
It stands beside the chat's model: both may be loaded, since one is small and people dictate what they then ask about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.jobs import Job, Jobs
from app.settings import SettingsStore
from app.speech_items import SpeechChoices
from app.task_model import TaskModel
from app.transcripts import Transcripts
from engine.cancel import Cancel

if TYPE_CHECKING:
    from app.host import EngineDoor
    from engine.packs import Pack
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.transcribe import LiveSource


class SpeechEngine(TaskModel["SpeechModel"]):
    """Owns the speech model for the life of the window."""

    def __init__(self, door: EngineDoor, settings: SettingsStore, jobs: Jobs, parent: QObject) -> None:
        super().__init__(settings, parent)
        self._door, self._jobs = door, jobs
        self._transcripts = Transcripts()

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

    def _open_model(self, pack: Pack, device: str, threads: int) -> SpeechModel:
        return self._door.open_speech(pack, device, threads)

    def _start_freeing(self, work: Callable[[Cancel], Iterator[object]]) -> None:
        self._jobs.start_speech(Job(work, "free the speech model"))
