"""The table of the image pane: many pictures that are described one after the other, and what came of each.

In: files and folders, what the user does with the rows, items of the engine. Out: signals for the table, at most thirty a
second. Everything lives here, outside of the widgets, so that the window can be made again in the middle of it. What was
described is noted on the disk at once: a batch that was stopped, even by a crash, goes on where it was when its folder is
given again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.host import Host
from app.image_batch_exports import BatchExports
from app.image_batch_items import BatchItem
from app.image_batch_thumbnails import Thumbnails
from app.image_session import ImageSession
from app.jobs import Job
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Notice, Progress
from engine.tasks.describe_many import ManyFinished, PictureDescribed, PictureFailed

if TYPE_CHECKING:
    from engine.tasks.describe_many import DescribeOne

REDRAW_MS = 40
THUMBNAIL_PX = 128
SPEED_AFTER = 2  # pictures that must be done before it is said how long the rest takes


@dataclass(frozen=True)
class BatchCounts:
    """Rows of each kind. ``problems`` are those that failed and those whose description could not be written."""

    total: int
    done: int
    failed: int
    waiting: int
    stopped: int
    unsure: int
    problems: int


class ImageBatchSession(QObject):
    """The state behind the table."""

    added = Signal(int, int)  # the first new row, the one after the last
    list_changed = Signal()  # rows went
    items_changed = Signal(object)  # list[BatchItem]
    changed = Signal()  # how far it is, what runs
    described_one = Signal(object, object)  # Path, Described
    finished = Signal()  # nothing is left to be described, to be announced
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError
    crashed = Signal(object)

    def __init__(self, host: Host, pictures: ImageSession, parent: QObject | None = None) -> None:
        """``pictures`` knows how the user wants descriptions."""
        super().__init__(parent)
        self._host, self._pictures = host, pictures
        self.items: list[BatchItem] = []
        self._by_path: dict[Path, BatchItem] = {}
        self._keys = 0
        self._job: Job | None = None
        self._choices = pictures.choices
        self._stopping = False
        self._restarting = False
        self._expanding: set[Job] = set()
        self._round: list[BatchItem] = []
        self._start_s = 0.0
        self._done_now = 0  # described or refused in this run, not taken from an earlier one
        self._dirty: dict[int, BatchItem] = {}
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._flush)
        self._closed = False
        self.thumbnails = Thumbnails(host, THUMBNAIL_PX, self)
        self.thumbnails.crashed.connect(self.crashed)
        self.exports = BatchExports(host, self)
        self.exports.item_changed.connect(self._mark)
        host.packs_changed.connect(self._next)
        pictures.choices_changed.connect(self._choices_changed)

    # What there is

    @property
    def paths(self) -> list[Path]:
        """The pictures, in the order of the list."""
        return [item.path for item in self.items]

    @property
    def busy(self) -> bool:
        """Whether pictures are being described."""
        return self._job is not None

    @property
    def stopping(self) -> bool:
        """Whether the last picture is being ended."""
        return self._stopping and self._job is not None

    @property
    def looking(self) -> bool:
        """Whether folders are being read."""
        return bool(self._expanding)

    @property
    def waits_for(self) -> str:
        """Why nothing begins, in the user's language; empty where something can be done."""
        return self._pictures.waits_for

    @property
    def counts(self) -> BatchCounts:
        """How many there are of each kind."""
        states = Counter(item.state for item in self.items)
        return BatchCounts(
            total=len(self.items),
            done=states["done"],
            failed=states["failed"],
            waiting=states["waiting"] + states["running"],
            stopped=states["stopped"],
            unsure=sum(item.unsure for item in self.items),
            problems=sum(item.has_problem for item in self.items),
        )

    @property
    def done(self) -> int:
        """How many were described or refused."""
        return sum(item.state in ("done", "failed") for item in self.items)

    @property
    def left_s(self) -> float | None:
        """Seconds until all are done; None where that cannot be said."""
        if self._job is None or self._done_now < SPEED_AFTER:
            return None
        return self.counts.waiting * (monotonic() - self._start_s) / self._done_now

    @property
    def outdated(self) -> list[BatchItem]:
        """What was described in another style or language than is chosen now."""
        now = self._pictures.choices
        return [item for item in self.items if item.state == "done" and item.choices != now]

    # What the user does

    def add(self, paths: Sequence[Path]) -> None:
        """Take files and folders; they are described at once, behind those that wait. Known ones are not taken twice."""
        given = list(paths)
        job = Job(lambda _cancel: self._expand(given), "look for pictures")
        job.signals.item.connect(self._found)
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._expanded)
        self._expanding.add(job)
        self._host.jobs.start_files(job)
        self.changed.emit()

    @staticmethod
    def _expand(paths: Sequence[Path]) -> Iterator[object]:
        """On the lane of files."""
        from engine.tasks.describe_many import expand

        found = expand(paths)
        if not found:
            raise EngineError(
                "There are no pictures in {folder}.",
                "Choose a folder with photos; hidden files are passed over.",
                folder=paths[0].name if paths else "",
            )
        yield found

    @Slot(object, object)
    def _found(self, _job: Job, paths: tuple[Path, ...]) -> None:
        first = len(self.items)
        again: list[BatchItem] = []
        for path in paths:
            known = self._by_path.get(path)
            if known is None:
                self._keys += 1
                item = BatchItem(self._keys, path)
                self.items.append(item)
                self._by_path[path] = item
            elif known.state in ("failed", "stopped"):
                known.state, known.error = "waiting", None
                again.append(known)
        if len(self.items) > first:
            self.added.emit(first, len(self.items))
        if again:
            self.items_changed.emit(again)
        self._next()

    @Slot(object)
    def _expanded(self, job: Job) -> None:
        self._expanding.discard(job)
        self.changed.emit()

    def stop(self) -> None:
        """Stop; what is described stays, the rest can go on later."""
        waiting = [item for item in self.items if item.state == "waiting"]
        for item in waiting:
            item.state = "stopped"
        if self._job is not None:
            self._stopping = True
            self._job.cancel.set()
        self.items_changed.emit(waiting)
        self.changed.emit()

    def go_on(self) -> None:
        """Go on with what was stopped."""
        stopped = [item for item in self.items if item.state == "stopped"]
        for item in stopped:
            item.state = "waiting"
        self.items_changed.emit(stopped)
        self._next()

    def again(self, items: Sequence[BatchItem]) -> None:
        """Describe some again as it is chosen now, whatever is known of them."""
        for item in items:
            if item.state != "running":
                item.state, item.error, item.again = "waiting", None, True
        self.items_changed.emit(list(items))
        self._next()

    def edit(self, item: BatchItem, text: str) -> None:
        """The user words a description anew. It is noted for a later run, too."""
        text = text.strip()
        if item.described is None or not text or text == item.text:
            return
        item.text, item.edited = text, text != item.described.text
        self.items_changed.emit([item])
        self.changed.emit()
        self.exports.note(item)

    def remove(self, items: Sequence[BatchItem]) -> None:
        """Take rows from the list; the files stay."""
        going = {item.key for item in items}
        self.items = [item for item in self.items if item.key not in going]
        self._by_path = {item.path: item for item in self.items}
        if self._job is not None and any(item.key in going for item in self._round if _is_open(item)):
            self._restart()
        self.list_changed.emit()
        self.changed.emit()

    def clear(self) -> None:
        """Take all rows from the list."""
        self.remove(list(self.items))

    @Slot()
    def _choices_changed(self) -> None:
        """What is not described yet will be as it is chosen now."""
        if self._job is not None and self._pictures.choices != self._choices:
            self._restart()

    def _restart(self) -> None:
        """End the run; another one begins with what waits then."""
        if self._job is not None and not self._stopping:
            self._restarting = True
            self._job.cancel.set()

    # The run

    @Slot()
    def _next(self) -> None:
        pack = self._host.best_pack("image")
        waiting = [item for item in self.items if item.state == "waiting"]
        if self._job is not None or self._closed or pack is None or not waiting:
            self.changed.emit()
            return
        self._round = waiting
        self._choices = self._pictures.choices
        self._start_s, self._done_now, self._stopping, self._restarting = monotonic(), 0, False, False
        notes = self.exports.notes(pack, self._choices)
        again = [item.path for item in self._round if item.again]

        def run(describe_one: DescribeOne, paths: Sequence[Path], cancel: Cancel) -> Iterator[object]:
            from engine.tasks.describe_many import describe_many

            journal = notes()
            for path in again:
                journal.forget(path)
            return describe_many(describe_one, paths, cancel, journal)

        paths = [item.path for item in self._round]
        job = self._host.images.describe_many_job(pack, paths, self._choices, run)
        job.signals.item.connect(self._got)
        job.signals.failed.connect(self._run_failed)
        job.signals.ended.connect(self._run_ended)
        self._job = job
        self.changed.emit()
        self._host.images.start_patient(job)

    @Slot(object, object)
    def _got(self, job: Job, got: object) -> None:
        if job is not self._job:
            return
        if isinstance(got, Notice):
            self.notice.emit(got)
        elif isinstance(got, Progress):
            self._begins(got.done)
        elif isinstance(got, PictureDescribed):
            self._described(got)
        elif isinstance(got, PictureFailed):
            item = self._by_path.get(got.path)
            self._done_now += 1
            if item is not None:
                item.state, item.error, item.again = "failed", got.error, False
                item.described, item.text, item.edited = None, "", False
                self._mark(item)
        elif isinstance(got, ManyFinished):
            self._flush()

    def _begins(self, number: int) -> None:
        """The picture with this number is being described now."""
        if number < len(self._round) and not self._stopping and not self._restarting:
            item = self._round[number]
            if item.state == "waiting":
                item.state = "running"
                self._mark(item)

    def _described(self, got: PictureDescribed) -> None:
        item = self._by_path.get(got.path)
        self._done_now += not got.kept
        if item is None:  # it was taken from the list meanwhile
            return
        item.state, item.error, item.export_error, item.again = "done", None, None, False
        item.described, item.choices = got.described, self._choices
        item.text, item.edited = got.described.text, False
        if not got.kept:
            self._host.images.provider_seen(got.described.provider)
        self._mark(item)
        self.described_one.emit(got.path, got.described)

    @Slot(object)
    def _mark(self, item: BatchItem) -> None:
        self._dirty[item.key] = item
        if not self._redraw.isActive():
            self._redraw.start(REDRAW_MS)

    @Slot()
    def _flush(self) -> None:
        self._redraw.stop()
        dirty, self._dirty = self._dirty, {}
        if dirty:
            self.items_changed.emit(list(dirty.values()))
        self.changed.emit()

    @Slot(object, object)
    def _run_failed(self, job: Job, error: Exception) -> None:
        """The model cannot be opened, or something of ours broke: no picture is to blame."""
        if job is self._job:
            self._stopping = True
            self._broke(job, error)

    @Slot(object)
    def _run_ended(self, job: Job) -> None:
        if job is not self._job:
            return
        self._job = None
        stopped, self._stopping, self._restarting = self._stopping, False, False
        for item in self._round:
            if _is_open(item):
                item.state = "stopped" if stopped else "waiting"
                self._dirty[item.key] = item
        self._flush()
        self._next()
        if self.items and not any(_is_open(item) or item.state == "stopped" for item in self.items):
            self.finished.emit()

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)

    def close(self) -> None:
        """Stop what runs."""
        self._closed = True
        for job in (self._job, *self._expanding):
            if job is not None:
                job.cancel.set()
        self.thumbnails.close()
        self.exports.close()


def _is_open(item: BatchItem) -> bool:
    return item.state in ("waiting", "running")
