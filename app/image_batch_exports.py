"""Writes what is in the table: to a file, beside the photos, into them, and to the notes for a later run.

In: rows of the table. Out: jobs on the lane of files; signals with what came of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal, Slot

from app.host import Host
from app.image_batch_items import BatchItem
from app.image_items import ImageChoices
from app.jobs import Job
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.folders import data_folder
from engine.results import Notice, Progress
from engine.tasks.describe_exports_files import FileRefused, FilesFinished, FileWritten

if TYPE_CHECKING:
    from engine.packs import Pack
    from engine.tasks.describe_exports import PictureRow
    from engine.tasks.describe_exports_sidecar import SidecarPolicy
    from engine.tasks.describe_journal import PictureJournal

Kind = Literal["table", "sidecars", "metadata"]


@dataclass(frozen=True)
class _Existing:
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class _Saved:
    path: Path


class BatchExports(QObject):
    """One export at a time."""

    changed = Signal()  # whether one runs, and how far it is
    saved = Signal(object)  # Path of a table
    asked = Signal(object)  # tuple[Path, ...]: text files that are there already, before any is written
    ended = Signal(str, object)  # Kind, FilesFinished
    item_changed = Signal(object)  # BatchItem: its export_error
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError
    crashed = Signal(object)

    def __init__(self, host: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._job: Job | None = None
        self._noting: set[Job] = set()
        self._kind: Kind = "table"
        self._items: dict[Path, BatchItem] = {}
        self.progress: Progress | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being written."""
        return self._job is not None

    # Exports

    def write_table(self, path: Path, form: str, items: Sequence[BatchItem]) -> None:
        """Write a table: "csv" or "json", whatever the file is called."""
        rows = [item.row() for item in items if item.state in ("done", "failed")]

        def work(_cancel: Cancel) -> Iterator[object]:
            from engine.tasks.describe_exports import write_csv, write_json

            write = write_csv if form == "csv" else write_json
            yield _Saved(write(path, rows))

        self._begin("table", items, work)

    def look_for_sidecars(self, items: Sequence[BatchItem]) -> None:
        """Find text files that an export would replace; ``asked`` follows, with none where there are none."""
        rows = _described(items)

        def work(_cancel: Cancel) -> Iterator[object]:
            from engine.tasks.describe_exports_sidecar import existing_sidecars

            yield _Existing(existing_sidecars(rows))

        self._begin("sidecars", items, work)

    def write_sidecars(self, items: Sequence[BatchItem], policy: SidecarPolicy) -> None:
        """Write a text file beside each photo."""
        rows = _described(items)

        def work(cancel: Cancel) -> Iterator[object]:
            from engine.tasks.describe_exports_sidecar import write_sidecars

            yield from write_sidecars(rows, policy, cancel)

        self._begin("sidecars", items, work)

    def write_metadata(self, items: Sequence[BatchItem]) -> None:
        """Write the texts into the photos; the user has said yes."""
        rows = _described(items)
        notes = {item.path: self._note_of(item) for item in items}

        def work(cancel: Cancel) -> Iterator[object]:
            from engine.tasks.describe_exports_metadata import write_metadata_many

            for step in write_metadata_many(rows, cancel):
                if isinstance(step, FileWritten):
                    yield from notes[step.path]()  # the file is another now, and still described
                yield step

        self._begin("metadata", items, work)

    def _begin(
        self, kind: Kind, items: Sequence[BatchItem], work: Callable[[Cancel], Iterator[object]]
    ) -> None:
        if self._job is not None:
            return
        self._kind, self.progress = kind, None
        self._items = {item.path: item for item in items}
        job = Job(work, f"export {kind}")
        job.signals.item.connect(self._got)
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._ended)
        self._job = job
        self._host.jobs.start_files(job)
        self.changed.emit()

    def stop(self) -> None:
        """Stop an export between two files."""
        if self._job is not None:
            self._job.cancel.set()

    @Slot(object, object)
    def _got(self, job: Job, got: object) -> None:
        if job is not self._job:
            return
        if isinstance(got, Progress):
            self.progress = got
            self.changed.emit()
        elif isinstance(got, FileRefused):
            self._set_error(got.path, got.error)
        elif isinstance(got, FileWritten):
            self._set_error(got.path, None)
        elif isinstance(got, Notice):
            self.notice.emit(got)
        elif isinstance(got, _Saved):
            self.saved.emit(got.path)
        elif isinstance(got, _Existing):
            self._job = None  # what follows is asked for at once
            self.asked.emit(got.paths)
            self.changed.emit()
        elif isinstance(got, FilesFinished):
            self.ended.emit(self._kind, got)

    def _set_error(self, path: Path, error: EngineError | None) -> None:
        item = self._items.get(path)
        if item is not None and item.export_error is not error:
            item.export_error = error
            self.item_changed.emit(item)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        if job is self._job:
            self._job = self.progress = None
            self.changed.emit()

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)

    # Notes for a later run

    def notes(self, pack: Pack, choices: ImageChoices) -> Callable[[], PictureJournal]:
        """What opens the notes of a model and its choices; to be called on a lane."""
        # Another chat model words descriptions otherwise.
        chat = self._host.best_pack() if choices.language != "en" or choices.style == "detailed" else None
        model = "\n".join(
            (pack.name, *(file.sha256 for file in pack.files), chat.name if chat is not None else "")
        )

        def opened() -> PictureJournal:
            from engine.tasks.describe_journal import PictureJournal

            return PictureJournal(data_folder() / "described", model, choices)

        return opened

    def note(self, item: BatchItem) -> None:
        """Keep what the user wrote."""
        note = self._note_of(item)
        job = Job(lambda _cancel: note(), "note a description")
        job.signals.item.connect(self._noted)
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._note_ended)
        self._noting.add(job)
        self._host.jobs.start_files(job)

    def _note_of(self, item: BatchItem) -> Callable[[], Iterator[object]]:
        pack, choices, described, text = (
            self._host.best_pack("image"),
            item.choices,
            item.described,
            item.text,
        )
        if pack is None or choices is None or described is None:
            return lambda: iter(())
        notes, path = self.notes(pack, choices), item.path

        def work() -> Iterator[object]:
            journal = notes()
            yield from journal.add(journal.stamp(path), replace(described, text=text))

        return work

    @Slot(object, object)
    def _noted(self, _job: Job, got: object) -> None:
        if isinstance(got, Notice):
            self.notice.emit(got)

    @Slot(object)
    def _note_ended(self, job: Job) -> None:
        self._noting.discard(job)

    def close(self) -> None:
        """Stop what runs."""
        self.stop()


def _described(items: Sequence[BatchItem]) -> list[PictureRow]:
    return [item.row() for item in items if item.state == "done"]
