"""The image model: opened on first need, kept, used by one job at a time on the lane of the chat's model.

In: the door to the engine, packs, pictures. Out: jobs, not yet started, and the state of the model. It shares the chat's lane
because the chat's model may write the longer descriptions and the answers, and a model has one user at a time. Where another one
writes them better, that is opened for it (:mod:`app.picture_writer`) and freed when no picture asked for it for a while. A folder
of pictures is described patiently: what somebody waits for goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Slot

from app.image_items import ImageChoices
from app.jobs import Job, Jobs
from app.picture_writer import PictureWriter, WriterDoor
from app.settings import SettingsStore
from app.task_model import TaskModel
from engine.cancel import Cancel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.media.image import Picture
    from engine.packs import Pack
    from engine.results import Notice
    from engine.runtime.language_model import LanguageModel
    from engine.tasks.describe_many import DescribeOne


WRITER_IDLE_MS = 30_000  # how long a chat model that was opened for pictures waits for the next one


class OpenImageModel(Protocol):
    """An image model that is loaded, and what reads the text in pictures."""

    @property
    def pack(self) -> Pack: ...

    @property
    def provider(self) -> str: ...

    @property
    def notices(self) -> tuple[Notice, ...]: ...

    def close(self) -> None: ...


class ImageDoor(WriterDoor, Protocol):
    """What the engine does for pictures."""

    def open_image(self, pack: Pack, device: str, threads: int) -> OpenImageModel:
        """Load an image model; slow."""
        ...

    def open_picture(self, path: Path) -> Picture:
        """Read a picture file; for the lane of files."""
        ...

    def picture_from_pixels(self, pixels: NDArray[np.uint8], form: str) -> Picture:
        """A picture of pixels that the app has: pasted, from the screen, or drawn from an SVG."""
        ...

    def thumbnail_jpeg(self, path: Path, side_px: int) -> bytes:
        """A small JPEG of a picture file."""
        ...

    def overlay_png(self, pixels: NDArray[np.uint8], attention: NDArray[np.float32], word: str) -> bytes:
        """The picture with where the model looked on it."""
        ...

    def describe(
        self,
        model: OpenImageModel,
        picture: Picture,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe a picture, or answer a question about it; ends with a Described."""
        ...

    def describe_path(
        self,
        model: OpenImageModel,
        path: Path,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe a file for a table of many: without where the model looked."""
        ...

    def describe_video(
        self,
        model: OpenImageModel,
        path: Path,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe the key frames of a video."""
        ...

    def describe_many(
        self, describe_one: DescribeOne, paths: Sequence[Path], cancel: Cancel
    ) -> Iterator[object]:
        """Describe pictures one after the other."""
        ...


class ImageEngine(TaskModel["OpenImageModel"]):
    """Owns the image model for the life of the window."""

    def __init__(
        self,
        door: ImageDoor,
        settings: SettingsStore,
        jobs: Jobs,
        chat: Callable[[], LanguageModel | None],
        parent: QObject,
    ) -> None:
        """``chat`` gives the chat's model, if one is loaded; it is asked on the lane of that model."""
        super().__init__(settings, parent)
        self.door = door  # its reading of files needs no model
        self._jobs = jobs
        self._writer = PictureWriter(door, chat)
        self._writer_idle = QTimer(self)
        self._writer_idle.setSingleShot(True)
        self._writer_idle.setInterval(WRITER_IDLE_MS)
        self._writer_idle.timeout.connect(self._writer_unused)

    # Jobs

    def describe_job(self, pack: Pack, picture: Picture, choices: ImageChoices) -> Job:
        """Describe a picture, or answer a question about it."""

        def use(model: OpenImageModel, cancel: Cancel) -> Iterator[object]:
            writer = yield from self._take_writer(model, choices)
            yield from self.door.describe(model, picture, choices, cancel, writer)

        return self._job(pack, use, "answer about a picture" if choices.question else "describe")

    def video_job(self, pack: Pack, path: Path, choices: ImageChoices) -> Job:
        """Describe the key frames of a video."""

        def use(model: OpenImageModel, cancel: Cancel) -> Iterator[object]:
            writer = yield from self._take_writer(model, choices)
            yield from self.door.describe_video(model, path, choices, cancel, writer)

        return self._job(pack, use, "describe a video")

    def describe_many_job(
        self,
        pack: Pack,
        paths: Sequence[Path],
        choices: ImageChoices,
        run: Callable[[DescribeOne, Sequence[Path], Cancel], Iterator[object]] | None = None,
    ) -> Job:
        """Describe many pictures; to be started with :meth:`start_patient`. ``run`` takes the place of the door's way."""
        wanted = self._wanted(pack)

        def use(_model: OpenImageModel, cancel: Cancel) -> Iterator[object]:
            def describe_one(path: Path) -> Iterator[object]:
                yield from self._open(pack, wanted)  # a job that went first may have freed it
                assert self._loaded is not None
                writer = yield from self._take_writer(self._loaded, choices)
                yield from self.door.describe_path(self._loaded, path, choices, cancel, writer)

            return (run or self.door.describe_many)(describe_one, paths, cancel)

        return self._job(pack, use, "describe pictures")

    def start(self, job: Job) -> None:
        """Queue a job that somebody waits for."""
        self._jobs.start_inference(job)

    def start_patient(self, job: Job) -> None:
        """Queue a job that lets others go first."""
        self._jobs.start_patient(job)

    # The chat model that writes

    def _take_writer(
        self, model: OpenImageModel, choices: ImageChoices
    ) -> Generator[object, None, LanguageModel | None]:
        settings = self._settings.value
        return self._writer.take(model, choices, settings.device, settings.threads)

    def free_writer(self) -> None:
        """Free the chat model that was opened for pictures; called on the lane."""
        self._writer.free()

    def unload_writer(self) -> None:
        """Queue the freeing of the chat model that was opened for pictures."""
        self._writer_idle.stop()
        self._start_freeing(self._close_writer)

    def _close_writer(self, _cancel: Cancel) -> Iterator[object]:
        self._writer.free()
        yield from ()

    @Slot(object)
    def _ended(self, job: Job) -> None:
        super()._ended(job)
        self._writer_idle.start()

    @Slot()
    def _writer_unused(self) -> None:
        if self._running:
            self._writer_idle.start()
        elif self._writer.is_spent:
            self.unload_writer()

    def _free(self) -> None:
        super()._free()
        self._writer.free()

    def close(self) -> None:
        """Free the models; called when no job runs any more."""
        self._writer_idle.stop()
        super().close()

    def _open_model(self, pack: Pack, device: str, threads: int) -> OpenImageModel:
        return self.door.open_image(pack, device, threads)

    def _start_freeing(self, work: Callable[[Cancel], Iterator[object]]) -> None:
        self._jobs.start_inference(Job(work, "free the image model"))
