"""The only maker of engine objects: models that are installed, the one that is loaded, and jobs on them.

In: what the user asks for. Out: signals with results of the engine. Panes know packs, catalogue entries,
tasks and results; never sessions, tokens or providers. The engine is imported on first use, on the lane
that needs it, so that the window opens at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Signal, Slot

from app.engine_door import EngineDoor
from app.image_engine import ImageEngine
from app.jobs import Job, Jobs
from app.languages import lists_language
from app.model_state import ModelState
from app.settings import Settings, SettingsStore
from app.speech_engine import SpeechEngine
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Notice, Progress

if TYPE_CHECKING:
    from engine.catalogue import CatalogueEntry
    from engine.packs import Pack
    from engine.runtime.language_model import LanguageModel
    from engine.store import PackProblem, Store
    from engine.tasks.chat import ChatOptions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """A model that is being added, imported or verified. ``per_s`` is in units of ``progress`` a second."""

    key: str  # catalogue name, pack name, or path
    kind: Literal["add", "import", "verify"]
    title: str
    progress: Progress | None = None
    per_s: float = 0.0
    state: Literal["running", "cancelling", "done", "cancelled", "failed"] = "running"
    error: EngineError | None = None


@dataclass(frozen=True)
class _Opened:
    model: LanguageModel


@dataclass
class _Speed:
    """How fast a task moves, over the last seconds; begins again with each stage."""

    stage: str = ""
    start_s: float = 0.0
    start_done: int = 0

    def per_s(self, progress: Progress) -> float:
        now = monotonic()
        if progress.stage != self.stage or now - self.start_s > 8:
            self.stage, self.start_s, self.start_done = progress.stage, now, progress.done
        elapsed = now - self.start_s
        return (progress.done - self.start_done) / elapsed if elapsed > 0.3 else 0.0


class Host(QObject):
    """Owns the engine's objects for the life of the window."""

    model_changed = Signal(object)  # ModelState
    packs_changed = Signal()
    task_changed = Signal(object)  # Task
    devices_known = Signal(object)  # tuple[str, ...]
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError, for a banner in the pane
    crashed = Signal(object)  # any other exception, for the crash dialog

    def __init__(
        self, settings: SettingsStore, door: EngineDoor | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._door = door or EngineDoor()
        self._settings = settings
        self.jobs = Jobs(self)
        self.speech = SpeechEngine(self._door, settings, self.jobs, self)
        self._loaded: LanguageModel | None = None
        self.images = ImageEngine(self._door, settings, self.jobs, lambda: self._loaded, self)
        self.model = ModelState("none")
        self.packs: tuple[Pack, ...] = ()
        self.problems: tuple[PackProblem, ...] = ()
        self.entries: tuple[CatalogueEntry, ...] = ()
        self.devices: tuple[str, ...] = ("auto", "cpu")
        self.cannot_build: EngineError | None = None  # why nothing of the catalogue can be got here
        self.tasks: dict[str, Task] = {}
        self._load_job: Job | None = None
        self._task_jobs: dict[Job, str] = {}
        self._speeds: dict[str, _Speed] = {}
        self._use_when_added: set[str] = set()
        self._devices_job: Job | None = None
        self._builder_job: Job | None = None
        self._closing = False
        self._store: Store | None = None
        settings.changed.connect(self._settings_changed)

    # What there is

    @property
    def usable_memory_bytes(self) -> int:
        """Memory that a model may take here."""
        return self._door.usable_memory_bytes()

    def refresh(self) -> None:
        """Read again what is installed and what can be got."""
        try:
            if self._store is None:
                self._store = self._door.store()
            self.packs = tuple(self._store.list())
            self.problems = tuple(self._store.problems())
            self.entries = tuple(self._door.catalogue().entries)
        except EngineError as error:
            self.failed.emit(error)
        self.packs_changed.emit()
        self._find_builder()

    def _find_builder(self) -> None:
        """Whether models can be built here, once, where nothing waits for it."""
        if self._builder_job is None:
            self._builder_job = self._job(self._check_builder, "builder")
            self._builder_job.signals.item.connect(self._builder_missing)
            self._builder_job.signals.failed.connect(self._job_failed)
            self.jobs.start_files(self._builder_job)

    def _check_builder(self, _cancel: Cancel) -> Iterator[object]:
        try:
            self._door.check_builder()
        except EngineError as error:
            yield error

    @Slot(object, object)
    def _builder_missing(self, _job: Job, error: EngineError) -> None:
        self.cannot_build = error
        self.packs_changed.emit()

    @property
    def packs_folder(self) -> Path:
        """Where added models lie."""
        from engine.folders import packs_folder

        return packs_folder()

    def pack(self, name: str) -> Pack | None:
        """An installed pack by name."""
        return next((pack for pack in self.packs if pack.name == name), None)

    def shown_name(self, name: str) -> str:
        """What a pack is called; its name where it is not here any more."""
        pack = self.pack(name)
        return pack.display_name if pack is not None else name

    def entry(self, name: str) -> CatalogueEntry | None:
        """A catalogue entry by name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def fits(self, memory_bytes: int) -> bool:
        """Whether a model that needs this much memory suits this machine."""
        return memory_bytes <= self.usable_memory_bytes

    def packs_of(self, kind: str) -> tuple[Pack, ...]:
        """The installed packs for chat ("language"), for speech ("speech") or for pictures ("image")."""
        return tuple(pack for pack in self.packs if pack.kind == kind)

    def entries_of(self, kind: str) -> tuple[CatalogueEntry, ...]:
        """The models of one kind that can be got."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def best_pack(self, kind: str = "language") -> Pack | None:
        """The installed pack of a kind that was used last, else the largest that fits."""
        now, packs = self._settings.value, self.packs_of(kind)
        names = {"language": now.model, "speech": now.speech_model, "image": now.image_model}
        chosen = self.pack(names[kind])
        if chosen is not None and chosen.kind == kind:
            return chosen
        fitting = [pack for pack in packs if self.fits(pack.memory_bytes)]
        return max(fitting or packs, key=lambda pack: pack.memory_bytes, default=None)

    def suggestion(self, kind: str = "language") -> CatalogueEntry | None:
        """The best model of its kind in the catalogue that fits and is better than all installed ones."""
        entries = self.entries_of(kind)
        known = [entry.quality for entry in entries if self.pack(entry.name)]
        better = [
            entry
            for entry in entries
            if self.fits(entry.memory_bytes)
            and not self.pack(entry.name)
            and entry.quality > max(known, default=-1)
        ]
        return max(better, key=lambda entry: entry.quality, default=None)

    def pack_for_language(self, code: str) -> Pack | None:
        """An installed pack that lists the language; the largest that fits."""
        able = [
            pack
            for pack in self.packs_of("language")
            if pack.languages and lists_language(pack.languages, code) and self.fits(pack.memory_bytes)
        ]
        return max(able, key=lambda pack: pack.memory_bytes, default=None)

    def entry_for_language(self, code: str) -> CatalogueEntry | None:
        """The best model of the catalogue that lists the language and fits."""
        able = [
            entry
            for entry in self.entries_of("language")
            if lists_language(entry.languages, code) and self.fits(entry.memory_bytes)
        ]
        return max(able, key=lambda entry: entry.quality, default=None)

    # The model in use

    def load(self, name: str) -> None:
        """Load a model in the background; the one in use stays until it is replaced."""
        pack = self.pack(name)
        if pack is None or pack.kind != "language":
            return
        if self._load_job is not None:
            self._load_job.cancel.set()
        self._settings.change(model=name)
        settings = self._settings.value
        self.model = ModelState("loading", pack)
        self.model_changed.emit(self.model)
        self._load_job = self._job(lambda cancel: self._open(pack, settings, cancel), f"load {name}")
        self._load_job.signals.item.connect(self._opened)
        self._load_job.signals.failed.connect(self._open_failed)
        self.jobs.start_inference(self._load_job)

    def _open(self, pack: Pack, settings: Settings, cancel: Cancel) -> Iterator[object]:
        """On the inference lane: free the old model first, so that two never share the memory."""
        self.images.free_writer()
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None
        if not cancel.is_set:
            self._loaded = self._door.open_model(pack, settings.device, settings.threads)
            yield _Opened(self._loaded)

    @Slot(object, object)
    def _opened(self, job: Job, item: object) -> None:
        if job is not self._load_job or not isinstance(item, _Opened):
            return
        self._load_job = None
        self.model = ModelState("ready", item.model.pack, item.model.provider)
        for notice in item.model.notices:
            self.notice.emit(notice)
        self.model_changed.emit(self.model)
        self._find_devices()

    @Slot(object, object)
    def _open_failed(self, job: Job, error: Exception) -> None:
        if job is not self._load_job:
            return
        self._load_job = None
        known = error if isinstance(error, EngineError) else None
        self.model = ModelState("failed", self.model.pack, error=known)
        self.model_changed.emit(self.model)
        self._tell(error)

    def unload(self) -> None:
        """Free the models and their memory."""
        self.speech.unload()
        self.images.unload()
        if self._load_job is not None:
            self._load_job.cancel.set()
            self._load_job = None
        self.model = ModelState("none")
        self.model_changed.emit(self.model)
        self.jobs.start_inference(self._job(self._close, "unload"))

    def _close(self, _cancel: Cancel) -> Iterator[object]:
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None
        yield from ()

    def _find_devices(self) -> None:
        """Ask the runtime which devices there are, once, when it is imported anyway."""
        if self._devices_job is None:
            self._devices_job = self._job(lambda _cancel: iter((self._door.devices(),)), "devices")
            self._devices_job.signals.item.connect(self._devices_found)
            self.jobs.start_inference(self._devices_job)

    @Slot(object, object)
    def _devices_found(self, _job: Job, devices: tuple[str, ...]) -> None:
        self.devices = ("auto", *(device for device in devices if device != "auto"))
        self.devices_known.emit(self.devices)

    @Slot(object, object)
    def _settings_changed(self, before: Settings, now: Settings) -> None:
        if (before.device, before.threads) != (now.device, now.threads) and self.model.pack is not None:
            self.load(self.model.pack.name)

    # Chat

    def provider_seen(self, provider: str) -> None:
        """An answer says what it ran on: a failing graphics card is left while a model is loaded."""
        if self.model.status == "ready" and provider and provider != self.model.provider:
            self.model = replace(self.model, provider=provider)
            self.model_changed.emit(self.model)

    def options(self) -> ChatOptions:
        """The generation settings as the engine takes them."""
        from engine.tasks.chat import ChatOptions

        now = self._settings.value
        return ChatOptions(
            max_new_tokens=now.max_new_tokens,
            temperature=0.0 if now.greedy else now.temperature,
            top_k=now.top_k,
            top_p=now.top_p,
            min_p=now.min_p,
            repetition_penalty=now.repetition_penalty,
            seed=now.seed if now.seed >= 0 else None,
        )

    def chat_job(self, turns: Sequence[tuple[str, str]]) -> Job:
        """A job, not yet started, that answers with the loaded model. ``turns`` are (role, text)."""
        return self._job(lambda cancel: self._chat(turns, cancel), "chat")

    def _chat(self, turns: Sequence[tuple[str, str]], cancel: Cancel) -> Iterator[object]:
        from engine.tasks.chat import Turn

        if self._loaded is None:
            raise EngineError("No model is loaded.", "Choose one with the button at the top.")
        made = [Turn(role, text) for role, text in turns]  # type: ignore[arg-type]
        yield from self._door.chat(self._loaded, made, self.options(), cancel)

    # Adding, importing, verifying, removing

    def add(self, name: str, use: bool = False) -> None:
        """Get a model of the catalogue; ``use`` loads it when it is there."""
        entry = self.entry(name)
        if entry is None or self.cannot_build is not None or self._is_running(name):
            return
        if use:
            self._use_when_added.add(name)
        store = self._the_store()
        self._start_task(
            Task(name, "add", entry.display_name), lambda cancel: self._door.add_model(entry, store, cancel)
        )

    def add_or_cancel(self, name: str, use: bool = False) -> None:
        """What the one button of an offer does: get the model, or stop getting it."""
        if self._is_running(name):
            self.cancel_task(name)
        else:
            self.add(name, use)

    def import_path(self, path: Path) -> None:
        """Import a folder or a zip."""
        store = self._the_store()
        self._start_task(Task(str(path), "import", path.name), lambda cancel: store.import_path(path, cancel))

    def verify(self, name: str) -> None:
        """Compare the files of a pack with their hashes."""
        pack, store = self.pack(name), self._the_store()
        if pack is not None:
            self._start_task(
                Task(name, "verify", pack.display_name), lambda cancel: store.verify(name, cancel)
            )

    def cancel_task(self, key: str) -> None:
        """Stop a task; what was downloaded is kept for the next try."""
        for job, job_key in self._task_jobs.items():
            if job_key == key:
                job.cancel.set()
                self._update(replace(self.tasks[key], state="cancelling"))

    def remove(self, name: str) -> None:
        """Remove an installed model; the caller has asked."""
        pack, store = self.pack(name), self._the_store()
        speech = pack is not None and pack.kind == "speech"
        if speech:
            self.speech.unload()
        elif pack is not None and pack.kind == "image":
            self.images.unload()
        else:
            self.images.unload_writer()  # it may be this one
            if self.model.pack is not None and self.model.pack.name == name:
                self.unload()
        job = self._job(lambda _cancel: self._remove(store, name), f"remove {name}")
        job.signals.failed.connect(self._job_failed)
        job.signals.ended.connect(self._removed)
        # Behind the unloading: an open model cannot be removed everywhere.
        (self.jobs.start_speech if speech else self.jobs.start_inference)(job)

    @staticmethod
    def _remove(store: Store, name: str) -> Iterator[object]:
        store.remove(name)
        yield from ()

    @Slot(object)
    def _removed(self, _job: Job) -> None:
        self.refresh()

    def _the_store(self) -> Store:
        if self._store is None:
            self._store = self._door.store()
        return self._store

    def _is_running(self, key: str) -> bool:
        task = self.tasks.get(key)
        return task is not None and task.state in ("running", "cancelling")

    def _start_task(self, task: Task, work: Callable[[Cancel], Iterator[object]]) -> None:
        if self._is_running(task.key):
            return
        job = self._job(work, f"{task.kind} {task.title}")
        self._task_jobs[job] = task.key
        self._speeds[task.key] = _Speed()
        job.signals.item.connect(self._task_item)
        job.signals.failed.connect(self._task_failed)
        job.signals.ended.connect(self._task_ended)
        self._update(task)
        self.jobs.start_files(job)

    def _update(self, task: Task) -> None:
        self.tasks[task.key] = task
        self.task_changed.emit(task)

    @Slot(object, object)
    def _task_item(self, job: Job, item: object) -> None:
        key = self._task_jobs.get(job)
        if key is None:
            return
        task = self.tasks[key]
        if isinstance(item, Progress):
            if task.state == "running":
                self._update(replace(task, progress=item, per_s=self._speeds[key].per_s(item)))
        elif isinstance(item, Notice):
            self.notice.emit(item)
        else:  # the Pack that it led to
            self._update(replace(task, state="done"))

    @Slot(object, object)
    def _task_failed(self, job: Job, error: Exception) -> None:
        key = self._task_jobs.get(job)
        if key is None:
            return
        known = error if isinstance(error, EngineError) else None
        self._update(replace(self.tasks[key], state="failed", error=known))
        if known is None:
            self.crashed.emit(error)

    @Slot(object)
    def _task_ended(self, job: Job) -> None:
        key = self._task_jobs.pop(job, None)
        if key is None:
            return
        task = self.tasks[key]
        if task.state in ("running", "cancelling"):
            self._update(replace(task, state="cancelled" if job.cancel.is_set else "done"))
        if self._closing:
            return
        use = key in self._use_when_added
        self._use_when_added.discard(key)
        if task.kind != "verify":
            self.refresh()
        if self.tasks[key].state == "done" and task.kind == "add" and (use or self.model.status == "none"):
            self.load(
                key
            )  # nothing happens for the others: they are opened when there is something to hear or see

    # Ends

    def _job(self, work: Callable[[Cancel], Iterator[object]], name: str) -> Job:
        return Job(work, name)

    @Slot(object, object)
    def _job_failed(self, _job: Job, error: Exception) -> None:
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        if isinstance(error, EngineError):
            self.failed.emit(error)
        else:
            self.crashed.emit(error)

    def close(self) -> None:
        """Cancel everything, wait, free the models."""
        self._closing = True
        if not self.jobs.stop_all():
            return
        self.speech.close()
        self.images.close()
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None
