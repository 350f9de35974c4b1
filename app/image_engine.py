"""The image model: opened on first need, kept, used by one job at a time on the lane of the chat's model.

In: the door to the engine, packs, pictures. Out: jobs, not yet started, and the state of the model. It shares the chat's lane
because the chat's model writes the longer descriptions and the answers, and a model has one user at a time. A folder of
pictures is described patiently: what somebody waits for goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from app.image_items import ImageChoices
from app.jobs import Job, Jobs
from app.model_state import ModelState
from app.settings import SettingsStore
from engine.cancel import Cancel
from engine.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.media.image import Picture
    from engine.packs import Pack
    from engine.results import Notice
    from engine.runtime.language_model import LanguageModel
    from engine.tasks.describe_many import DescribeOne


class OpenImageModel(Protocol):
    """An image model that is loaded, and what reads the text in pictures."""

    @property
    def pack(self) -> Pack: ...

    @property
    def provider(self) -> str: ...

    @property
    def notices(self) -> tuple[Notice, ...]: ...

    def close(self) -> None: ...


class ImageDoor(Protocol):
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


@dataclass(frozen=True)
class _State:
    """Sent by a job that opens the model."""

    state: ModelState


class ImageEngine(QObject):
    """Owns the image model for the life of the window."""

    changed = Signal(object)  # ModelState

    def __init__(
        self,
        door: ImageDoor,
        settings: SettingsStore,
        jobs: Jobs,
        chat: Callable[[], LanguageModel | None],
        parent: QObject,
    ) -> None:
        """``chat`` gives the chat's model, if one is loaded; it is asked on the lane of that model."""
        super().__init__(parent)
        self.door = door  # its reading of files needs no model
        self._settings, self._jobs, self._chat = settings, jobs, chat
        self.state = ModelState("none")
        self._loaded: OpenImageModel | None = None
        self._loaded_as: tuple[str, str, int] | None = None
        self._running: set[Job] = set()

    # Jobs

    def describe_job(self, pack: Pack, picture: Picture, choices: ImageChoices) -> Job:
        """Describe a picture, or answer a question about it."""
        return self._job(
            pack,
            lambda model, cancel: self.door.describe(model, picture, choices, cancel, self._chat()),
            "answer about a picture" if choices.question else "describe",
        )

    def video_job(self, pack: Pack, path: Path, choices: ImageChoices) -> Job:
        """Describe the key frames of a video."""
        return self._job(
            pack,
            lambda model, cancel: self.door.describe_video(model, path, choices, cancel, self._chat()),
            "describe a video",
        )

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
                yield from self.door.describe_path(self._loaded, path, choices, cancel, self._chat())

            return (run or self.door.describe_many)(describe_one, paths, cancel)

        return self._job(pack, use, "describe pictures")

    def start(self, job: Job) -> None:
        """Queue a job that somebody waits for."""
        self._jobs.start_inference(job)

    def start_patient(self, job: Job) -> None:
        """Queue a job that lets others go first."""
        self._jobs.start_patient(job)

    def _wanted(self, pack: Pack) -> tuple[str, str, int]:
        settings = self._settings.value
        return (pack.name, settings.device, settings.threads)

    def _job(self, pack: Pack, use: Callable[[OpenImageModel, Cancel], Iterator[object]], name: str) -> Job:
        wanted = self._wanted(pack)

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
        """On the lane: free the old model first, so that two never share the memory."""
        if self._loaded is not None and self._loaded_as == wanted:
            return
        self._free()
        yield _State(ModelState("loading", pack))
        try:
            self._loaded = self.door.open_image(pack, wanted[1], wanted[2])
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
        """A description says what it ran on: a failing graphics card is left in its middle."""
        if self.state.status == "ready" and provider and provider != self.state.provider:
            self.state = ModelState("ready", self.state.pack, provider)
            self.changed.emit(self.state)

    def unload(self) -> None:
        """Free the model and its memory; what is being described stops."""
        for job in tuple(self._running):
            job.cancel.set()
        self.state = ModelState("none")
        self.changed.emit(self.state)
        self._jobs.start_inference(Job(self._close, "free the image model"))

    def _close(self, _cancel: Cancel) -> Iterator[object]:
        self._free()
        yield from ()

    def close(self) -> None:
        """Free the model; called when no job runs any more."""
        self._free()
