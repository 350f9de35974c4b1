"""Small pictures for the rows that are in sight, made on the lane of files.

In: paths that are asked for while the table is painted. Out: pixmaps, the last few hundred of which are kept; ``made`` for
each new one. What was asked for last comes first, so that a table that is scrolled shows what it shows now.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage, QPixmap

from app.host import Host
from app.image_items import SVG_SUFFIXES
from app.jobs import Job
from app.pixels import fitted, image_of
from engine.cancel import Cancel
from engine.errors import EngineError

KEPT = 600
WANTED = 120  # more do not fit any screen: older wishes are forgotten until they are in sight again


@dataclass(frozen=True)
class _Made:
    path: Path
    image: QImage


class Thumbnails(QObject):
    """The cache."""

    made = Signal(object)  # Path
    crashed = Signal(object)

    def __init__(self, host: Host, side_px: int, parent: QObject) -> None:
        super().__init__(parent)
        self._host, self._side_px = host, side_px
        self._kept: OrderedDict[Path, QPixmap] = OrderedDict()
        self._wanted: deque[Path] = deque(maxlen=WANTED)
        self._lock = Lock()  # the wishes are read on the lane
        self._job: Job | None = None
        self._closed = False

    def get(self, path: Path) -> QPixmap | None:
        """A picture that is there (null where the file has none); else it is asked for, and ``made`` comes."""
        found = self._kept.get(path)
        if found is not None:
            self._kept.move_to_end(path)
            return found
        with self._lock:
            if path in self._wanted:
                return None
            self._wanted.append(path)
        self._start()
        return None

    def _start(self) -> None:
        if self._job is None and not self._closed:
            self._job = Job(self._make, "thumbnails of the table")
            self._job.signals.item.connect(self._got)
            self._job.signals.failed.connect(self._broke)
            self._job.signals.ended.connect(self._ended)
            self._host.jobs.start_files(self._job)

    def _make(self, cancel: Cancel) -> Iterator[object]:
        """On the lane."""
        door = self._host.images.door
        while not cancel.is_set:
            with self._lock:
                if not self._wanted:
                    return
                path = self._wanted.pop()
            try:
                if path.suffix.lower() in SVG_SUFFIXES:
                    image = fitted(image_of(door.open_picture(path).pixels), self._side_px)
                else:
                    image = QImage.fromData(door.thumbnail_jpeg(path, self._side_px))
            except EngineError:
                image = QImage()  # its row says what is wrong
            yield _Made(path, image)

    @Slot(object, object)
    def _got(self, job: Job, made: _Made) -> None:
        if job is self._job:
            self._kept[made.path] = QPixmap.fromImage(made.image)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            self.made.emit(made.path)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        if job is self._job:
            self._job = None
            if self._wanted:
                self._start()

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        with self._lock:
            self._wanted.clear()
        self.crashed.emit(error)

    def close(self) -> None:
        """Make no more."""
        self._closed = True
        if self._job is not None:
            self._job.cancel.set()
