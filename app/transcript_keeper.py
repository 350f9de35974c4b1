"""Writes transcripts off the UI thread: what was edited back to its journal, exports to files.

In: items of the speech pane. Out: signals when something was written, or why not. Edits are written a moment after the
last one, one transcript at a time, and all of them before the app ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.jobs import Job, Jobs
from app.speech_items import SpeechItem
from app.transcripts import Transcripts
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Notice, Segment, Transcribed

SAVE_AFTER_MS = 400


class TranscriptKeeper(QObject):
    """Saves and exports."""

    exported = Signal(object)  # Path
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError
    crashed = Signal(object)

    def __init__(self, jobs: Jobs, transcripts: Transcripts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._transcripts = jobs, transcripts
        self._unsaved: list[SpeechItem] = []
        self._save_job: Job | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SAVE_AFTER_MS)
        self._soon.timeout.connect(self._save_next)

    # What was edited

    def save(self, item: SpeechItem) -> None:
        """Keep what was edited, soon. What is still being transcribed is kept at its end."""
        if item not in self._unsaved:
            self._unsaved.append(item)
        self._soon.start()

    def wake(self) -> None:
        """Something is not being transcribed any more."""
        if self._unsaved:
            self._soon.start()

    @Slot()
    def _save_next(self) -> None:
        item = next((item for item in self._unsaved if not item.busy), None)
        if item is None or self._save_job is not None:
            return
        self._unsaved.remove(item)
        journal, segments = item.journal, tuple(item.segments)
        if journal is None:
            return
        job = Job(lambda _cancel: self._write(journal, segments), "save a transcript")
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._saved)
        self._save_job = job
        self._jobs.start_files(job)

    def _write(self, journal: Path, segments: tuple[Segment, ...]) -> Iterator[object]:
        self._transcripts.replace(journal, segments)
        yield from ()

    @Slot(object)
    def _saved(self, job: Job) -> None:
        if job is self._save_job:
            self._save_job = None
            self._save_next()

    def forget(self, item: SpeechItem) -> None:
        """It is being removed."""
        if item in self._unsaved:
            self._unsaved.remove(item)

    def flush(self) -> None:
        """Write at once what waits; called at the end, when no job runs any more."""
        self._soon.stop()
        unsaved, self._unsaved = self._unsaved, []
        for item in unsaved:
            if item.journal is not None:
                try:
                    self._transcripts.replace(item.journal, item.segments)
                except EngineError as error:
                    self.failed.emit(error)

    # Files

    def export(self, item: SpeechItem, target: Path, kind: str, model: str) -> None:
        """Write a transcript to a file: "txt", "srt", "vtt" or "json"."""
        segments, done = tuple(item.segments), item.transcribed or _so_far(item, model)

        def work(_cancel: Cancel) -> Iterator[object]:
            return self._transcripts.write(target, kind, segments, done)

        job = Job(work, "export a transcript")
        job.signals.item.connect(self._export_said)
        job.signals.failed.connect(self._broke)
        self._jobs.start_files(job)

    @Slot(object, object)
    def _export_said(self, _job: Job, item: object) -> None:
        if isinstance(item, Notice):
            self.notice.emit(item)
        elif isinstance(item, Path):
            self.exported.emit(item)

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)


def _so_far(item: SpeechItem, model: str) -> Transcribed:
    """What would be said at the end of an item that has none: one that stopped, or one from before."""
    return Transcribed(
        reason="stop" if item.state == "done" else "cancelled",
        language=item.language or (item.segments[0].language if item.segments else ""),
        model=model,
        provider="",
        audio_s=item.duration_s,
        speech_s=sum(segment.end_s - segment.start_s for segment in item.segments),
        wall_s=0.0,
        segments=len(item.segments),
    )
