"""What every open model has, whatever it does: one run at a time, a fall-back to the CPU, an end.

In: a pack. Out: :class:`OpenModel`, of which :class:`engine.runtime.language_model.LanguageModel` and
:class:`engine.runtime.speech_model.SpeechModel` are made.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator

from engine.errors import EngineError
from engine.packs import Pack
from engine.results import Notice
from engine.runtime.devices import CPU, Device
from engine.runtime.session import DeviceFailure, fallback_notice, trim_memory


class OpenModel(ABC):
    """An open pack. One run at a time; close it to free its memory."""

    def __init__(self, pack: Pack, threads: int = 0) -> None:
        """``threads`` 0 means one for each physical core."""
        self.pack = pack
        self.notices: tuple[Notice, ...] = ()
        self.provider = ""
        self._threads = threads
        self._lock = threading.Lock()
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether somebody closed the model while it runs: the run should end."""
        return self._closing

    @contextlib.contextmanager
    def one_run(self) -> Iterator[None]:
        """Hold the model for one run; raises EngineError where another is under way, or the model is closed."""
        if not self._lock.acquire(blocking=False):
            raise EngineError(
                "{model} is busy with something else.",
                "Wait until it is done, or stop it.",
                model=self.pack.display_name,
            )
        try:
            if self._device() is None:
                raise self.closed()
            yield
        finally:
            if self._closing:
                self._free()
            self._lock.release()

    def fall_back(self, failure: DeviceFailure) -> Notice:
        """Open the model again on the CPU, after its device failed."""
        failed = self._device() or CPU
        self._free()
        self._open_on("cpu")
        notice = fallback_notice(failed, str(failure))
        self.notices = (*self.notices, notice)
        return notice

    def closed(self) -> EngineError:
        """For who uses a model that is closed."""
        return EngineError("The model {model} is closed.", "Load it again.", model=self.pack.display_name)

    def close(self) -> None:
        """Free all memory; a run under way ends as if cancelled, and frees it then. May be called twice."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                self._free()
            finally:
                self._lock.release()

    def _free(self) -> None:
        self._let_go()
        gc.collect()
        trim_memory()

    @abstractmethod
    def _open_on(self, device: str) -> None:
        """Open what runs it; sets :attr:`provider` and adds to :attr:`notices`."""

    @abstractmethod
    def _device(self) -> Device | None:
        """What it runs on; None while it is closed."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close sessions and buffers."""
