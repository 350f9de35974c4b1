"""One way off the UI thread: a Job runs any generator of the engine on a pool and signals its items.

In: a function that takes a :class:`engine.cancel.Cancel` and returns an iterator. Out: signals, delivered
to slots of objects that live on the UI thread. Receivers compare the job with the one they wait for, and
so drop what a stale job still sends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from time import monotonic

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Progress

Work = Callable[[Cancel], Iterator[object]]

TURN_S = 0.2  # how long a patient job goes on before others may come first

log = logging.getLogger(__name__)


class JobSignals(QObject):
    """Made on the UI thread; a QRunnable is no QObject, so a Job has these. Each carries its Job."""

    item = Signal(object, object)
    failed = Signal(object, object)  # an EngineError, or an exception that is our bug
    ended = Signal(object)  # always, and last


class Job(QRunnable):
    """One call of a generator. Keep it only through :class:`Jobs`, which holds it until it ended."""

    def __init__(self, work: Work, name: str = "") -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.signals = JobSignals()
        self.cancel = Cancel()
        self.name = name
        self.give_way: Callable[[Job], None] | None = None  # queues this job again; set for a patient one
        self._work = work
        self._steps: Iterator[object] | None = None

    def run(self) -> None:
        """Called by the pool, on its thread; for a patient job again and again."""
        try:
            if self._run_for_a_turn():
                return
        except EngineError as error:
            log.info("%s: %s", self.name, type(error).__name__)
            self.signals.failed.emit(self, error)
        except Exception as error:
            log.exception("%s broke", self.name)
            self.signals.failed.emit(self, error)
        self.signals.ended.emit(self)

    def _run_for_a_turn(self) -> bool:
        """Go on with the work; True where it is not at its end and was queued again."""
        if self._steps is None:
            if self.cancel.is_set:
                return False
            self._steps = iter(self._work(self.cancel))
        end_s = monotonic() + TURN_S
        for item in self._steps:
            self.signals.item.emit(self, item)
            resting = isinstance(item, Progress)  # between two steps: no model is in the middle of something
            if self.give_way is not None and resting and monotonic() > end_s:
                self.give_way(self)
                return True
        return False


class Jobs(QObject):
    """Three lanes: one thread for chat, one for speech, so that each model has one user; a few for files.

    Speech has a lane of its own because transcribing an hour takes minutes: in the chat's lane every question would
    wait for its end. The two models share the processor instead, and both go on, each more slowly.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inference = QThreadPool(self)
        self._inference.setMaxThreadCount(1)
        self._inference.setExpiryTimeout(-1)
        self._speech = QThreadPool(self)
        self._speech.setMaxThreadCount(1)
        self._speech.setExpiryTimeout(-1)
        self._files = QThreadPool(self)
        self._files.setMaxThreadCount(2)
        self._running: set[Job] = set()

    def start_inference(self, job: Job) -> Job:
        """Queue a job that uses a model."""
        return self._start(job, self._inference)

    def start_patient(self, job: Job) -> Job:
        """Queue a long job that uses a model, and lets other jobs of the lane go first at each of its Progress items.

        It must not rely on a model that it used before such an item: what comes first may have freed it.
        """
        job.give_way = self._queue_again
        self._running.add(job)
        job.signals.ended.connect(self._forget)
        self._inference.start(job, -1)
        return job

    def _queue_again(self, job: Job) -> None:
        """On the lane's thread, behind whatever waits there."""
        self._inference.start(job, -1)

    def start_speech(self, job: Job) -> Job:
        """Queue a job that uses the speech model."""
        return self._start(job, self._speech)

    def start_files(self, job: Job) -> Job:
        """Queue a job that reads or writes files."""
        return self._start(job, self._files)

    def _start(self, job: Job, pool: QThreadPool) -> Job:
        self._running.add(job)
        job.signals.ended.connect(self._forget)
        pool.start(job)
        return job

    @Slot(object)
    def _forget(self, job: Job) -> None:
        self._running.discard(job)

    @property
    def busy(self) -> bool:
        """Whether any job is queued or running."""
        return bool(self._running)

    def stop_all(self, wait_ms: int = 10_000) -> bool:
        """Cancel everything and wait; False if something did not stop in time."""
        for job in tuple(self._running):
            job.cancel.set()
        stopped = True
        for lane in (self._inference, self._speech, self._files):
            stopped = lane.waitForDone(wait_ms) and stopped
        return stopped
