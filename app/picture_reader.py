"""Reads the pictures of the image pane on the lane of files, and keeps the last few of them decoded.

In: items of the session. Out: pictures for the engine with what is shown of them, and small pictures for the strip.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from app.host import Host
from app.image_items import SVG_SUFFIXES, ImageItem
from app.jobs import Job
from app.pixels import fitted, image_of, pixels_of
from engine.cancel import Cancel
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.media.image import Picture

THUMBNAIL_PX = 144  # of a thousand pictures they are 60 MB
KEPT_PICTURES = 6  # decoded, 12 MB each at most


@dataclass(frozen=True)
class ReadPicture:
    """A picture that was read: for the engine, for the screen, for the strip."""

    picture: Picture
    shown: QImage
    thumbnail: QImage


@dataclass(frozen=True)
class _Thumbnail:
    key: int
    image: QImage


class PictureReader(QObject):
    """Files to pictures."""

    was_read = Signal(object)  # ImageItem
    read_failed = Signal(object, object)  # ImageItem, exception
    thumbnail_made = Signal(object)  # ImageItem
    crashed = Signal(object)

    def __init__(self, host: Host, parent: QObject) -> None:
        super().__init__(parent)
        self._host = host
        self._kept: OrderedDict[int, ReadPicture] = OrderedDict()
        self._reading: dict[Job, ImageItem] = {}
        self._thumbnail_job: Job | None = None
        self._items: Sequence[ImageItem] = ()
        self._closed = False

    def get(self, item: ImageItem) -> ReadPicture | None:
        """A picture that is in memory."""
        found = self._kept.get(item.key)
        if found is not None:
            self._kept.move_to_end(item.key)
        return found

    def forget(self, item: ImageItem) -> None:
        """Free a picture."""
        self._kept.pop(item.key, None)

    def read(self, item: ImageItem) -> None:
        """Read one; ``was_read`` or ``read_failed`` follows."""
        if self._closed or item in self._reading.values():
            return
        path, pasted = item.path, item.pasted
        job = Job(lambda _cancel: self._read_one(path, pasted), "read a picture")
        self._reading[job] = item
        job.signals.item.connect(self._read_done)
        job.signals.failed.connect(self._failed)
        self._host.jobs.start_files(job)

    def _read_one(self, path: Path | None, pasted: QImage | None) -> Iterator[object]:
        """On the lane of files."""
        door = self._host.images.door
        if path is None:
            assert pasted is not None
            picture = door.picture_from_pixels(pixels_of(pasted), "PNG")
        else:
            picture = door.open_picture(path)
        shown = image_of(picture.pixels)
        yield ReadPicture(picture, shown, fitted(shown, THUMBNAIL_PX))

    @Slot(object, object)
    def _read_done(self, job: Job, read: ReadPicture) -> None:
        item = self._reading.pop(job, None)
        if item is None:
            return
        item.thumbnail = read.thumbnail
        self._kept[item.key] = read
        while len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)
        self.was_read.emit(item)

    @Slot(object, object)
    def _failed(self, job: Job, error: Exception) -> None:
        item = self._reading.pop(job, None)
        if item is not None:
            self.read_failed.emit(item, error)

    # The strip

    def make_thumbnails(self, items: Sequence[ImageItem]) -> None:
        """Small pictures of what was not looked at yet, one after the other."""
        self._items = items
        if self._thumbnail_job is not None or self._closed:
            return
        missing = [
            (item.key, item.path)
            for item in items
            if item.thumbnail is None
            and item.path is not None
            and item.state in ("new", "described")
            and not item.is_video
        ]
        if not missing:
            return
        job = Job(lambda cancel: self._thumbnails(missing, cancel), "thumbnails")
        job.signals.item.connect(self._thumbnail)
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._thumbnails_done)
        self._thumbnail_job = job
        self._host.jobs.start_files(job)

    def _thumbnails(self, missing: Sequence[tuple[int, Path]], cancel: Cancel) -> Iterator[object]:
        door = self._host.images.door
        for key, path in missing:
            if cancel.is_set:
                return
            try:
                if path.suffix.lower() in SVG_SUFFIXES:
                    image = fitted(image_of(door.open_picture(path).pixels), THUMBNAIL_PX)
                else:
                    image = QImage.fromData(door.thumbnail_jpeg(path, THUMBNAIL_PX))
            except EngineError:
                image = QImage()  # what is wrong is said when somebody looks at the picture
            yield _Thumbnail(key, image)

    @Slot(object, object)
    def _thumbnail(self, _job: Job, made: _Thumbnail) -> None:
        item = next((item for item in self._items if item.key == made.key), None)
        if item is not None and item.thumbnail is None:
            item.thumbnail = made.image
            self.thumbnail_made.emit(item)

    @Slot(object)
    def _thumbnails_done(self, _job: Job) -> None:
        self._thumbnail_job = None
        self.make_thumbnails(self._items)

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        self.crashed.emit(error)

    def close(self) -> None:
        """Stop what runs."""
        self._closed = True
        if self._thumbnail_job is not None:
            self._thumbnail_job.cancel.set()
