"""The model of one task: opened on first need, kept, used by one job at a time on its lane.

In: settings, and packs to open. Out: jobs, not yet started, that open the model where that is needed; and its state. What the
model is and on which lane it runs is its owner's: :class:`app.speech_engine.SpeechEngine` and
:class:`app.image_engine.ImageEngine`. It stands beside the chat's model; both may be loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from app.jobs import Job
from app.model_state import ModelState
from app.settings import SettingsStore
from engine.cancel import Cancel
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.packs import Pack
    from engine.results import Notice


class OpenModel(Protocol):
    """What every open model has."""

    @property
    def provider(self) -> str: ...
    @property
    def notices(self) -> Sequence[Notice]: ...
    def close(self) -> None: ...


M = TypeVar("M", bound=OpenModel)


@dataclass(frozen=True)
class _State:
    """Sent by a job that opens the model."""

    state: ModelState


class TaskModel(QObject, Generic[M]):
    """Owns a model for the life of the window."""

    changed = Signal(object)  # ModelState

    def __init__(self, settings: SettingsStore, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self.state = ModelState("none")
        self._loaded: M | None = None
        self._loaded_as: tuple[str, str, int] | None = None
        self._running: set[Job] = set()

    # What its owner says

    def _open_model(self, pack: Pack, device: str, threads: int) -> M:
        """Open a pack; called on the lane."""
        raise NotImplementedError

    def _start_freeing(self, work: Callable[[Cancel], Iterator[object]]) -> None:
        """Queue the job that frees the model on the lane."""
        raise NotImplementedError

    # Jobs

    def _wanted(self, pack: Pack) -> tuple[str, str, int]:
        settings = self._settings.value
        return (pack.name, settings.device, settings.threads)

    def _job(self, pack: Pack, use: Callable[[M, Cancel], Iterator[object]], name: str) -> Job:
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
            self._loaded = self._open_model(pack, wanted[1], wanted[2])
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
        """A result says what it ran on: a failing graphics card is left in its middle."""
        if self.state.status == "ready" and provider and provider != self.state.provider:
            self.state = ModelState("ready", self.state.pack, provider)
            self.changed.emit(self.state)

    def unload(self) -> None:
        """Free the model and its memory; what is under way stops."""
        for job in tuple(self._running):
            job.cancel.set()
        self.state = ModelState("none")
        self.changed.emit(self.state)
        self._start_freeing(self._close)

    def _close(self, _cancel: Cancel) -> Iterator[object]:
        self._free()
        yield from ()

    def close(self) -> None:
        """Free the model; called when no job runs any more."""
        self._free()
