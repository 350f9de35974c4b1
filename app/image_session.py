"""The pictures of the image pane: what is in the strip, what is being described, and what came of it.

In: files, pasted images, what the user does with them, and items of the engine. Out: signals for the pane, at most thirty a
second while text comes. Everything lives here, outside of the widgets, so that the window can be made again in the middle of
it. A picture is read on the lane of files and shown at once; describing it, and answering questions about it, is one queue on
the lane of the models. What was described is kept as long as the app is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from app.host import Host
from app.i18n import language_code
from app.image_items import Answer, Frame, ImageChoices, ImageItem
from app.jobs import Job
from app.languages import lists_language
from app.model_state import ModelState
from app.picture_reader import THUMBNAIL_PX, PictureReader
from app.pixels import MAX_SIDE_PX, fitted, image_of, pixels_of
from app.rows import take_out
from app.settings import SettingsStore
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Described, Look, Notice, Progress, TextChunk

REDRAW_MS = 40
FRAME_PX = 960  # a video's frames are all kept


@dataclass
class _Wish:
    """Something to be done with a picture; ``answer`` is set for a question."""

    item: ImageItem
    choices: ImageChoices
    answer: Answer | None = None


class ImageSession(QObject):
    """The state behind the image pane."""

    list_changed = Signal()  # items came or went
    item_changed = Signal(object)  # ImageItem: its state, results or thumbnail
    writing_changed = Signal(object)  # ImageItem: the text that is being written
    answer_changed = Signal(object, object)  # ImageItem, Answer
    shown_changed = Signal(object)  # ImageItem whose picture can be shown now
    frame_added = Signal(object)  # ImageItem
    selected_changed = Signal()
    choices_changed = Signal()
    finished = Signal(object)  # ImageItem that is described, to be announced
    saved = Signal(object)  # Path
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError
    crashed = Signal(object)

    def __init__(self, host: Host, settings: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host, self._settings = host, settings
        self.items: list[ImageItem] = []
        self.selected: ImageItem | None = None
        self.in_table = False  # whether many pictures are looked at in a table
        self._keys = 0
        self._reader = PictureReader(host, self)
        self._reader.was_read.connect(self._was_read)
        self._reader.read_failed.connect(self._read_failed)
        self._reader.thumbnail_made.connect(self.item_changed)
        self._reader.crashed.connect(self.crashed)
        self._wishes: list[_Wish] = []
        self._job: Job | None = None
        self._wish: _Wish | None = None
        self._save_jobs: set[Job] = set()
        self._dirty: dict[int, ImageItem] = {}
        self._closed = False
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._flush)
        host.packs_changed.connect(self._next)
        host.model_changed.connect(self._chat_changed)

    # What there is

    @property
    def choices(self) -> ImageChoices:
        """How the settings say that pictures are described; in the language of the window where they say nothing."""
        now = self._settings.value
        language = now.image_language or ("zh" if language_code(now.language) == "zh_CN" else "en")
        return ImageChoices(now.image_style, language)  # type: ignore[arg-type]

    def choose(self, choices: ImageChoices) -> None:
        """Describe like this from now on; the picture on the screen at once."""
        self._settings.change(image_style=choices.style, image_language=choices.language)
        self.choices_changed.emit()
        if self.selected is not None:
            self.item_changed.emit(self.selected)
            if self.selected.state != "failed" and not self.selected.is_video:
                self.want(self.selected)

    @property
    def busy(self) -> bool:
        """Whether something is being described or answered."""
        return self._job is not None

    @property
    def waits_for(self) -> str:
        """Why nothing begins, in the user's language; empty where something can be done."""
        if self._host.best_pack("image") is not None:
            return ""
        return QCoreApplication.translate("images", "Waits for an image model")

    def shown(self, item: ImageItem) -> QImage | None:
        """The picture of an item, if it is in memory; else it is read, and ``shown_changed`` comes."""
        if item.is_video:
            return item.frames[item.frame].image if item.frames else None
        found = self._reader.get(item)
        if found is None and item.state != "failed":
            self._reader.read(item)
        return found.shown if found is not None else None

    def add_files(self, paths: Sequence[Path]) -> None:
        """Take pictures and videos into the strip; the first of them is shown and described."""
        chosen: ImageItem | None = None
        for given in paths:
            path = given.absolute()
            item = next((item for item in self.items if item.path == path), None)
            if item is None:
                item = self._new(path.name, path)
            elif item.state == "failed":
                item.state, item.error = "new", None
            chosen = chosen or item
        self._added(chosen)

    def add_image(self, image: QImage, title: str) -> None:
        """Take an image that is no file: pasted, or from the screen."""
        item = self._new(title)
        item.pasted = fitted(image, MAX_SIDE_PX)
        self._added(item)

    def _new(self, title: str, path: Path | None = None) -> ImageItem:
        self._keys += 1
        item = ImageItem(self._keys, title, path)
        self.items.append(item)
        return item

    def _added(self, chosen: ImageItem | None) -> None:
        self.list_changed.emit()
        if chosen is not None:
            self.select(chosen)
            self.want(chosen)  # also where it was selected before
        self._reader.make_thumbnails(self.items)

    @Slot(object, object)
    def take_described(self, path: Path, described: Described) -> None:
        """A picture was described elsewhere, in the table; where the model looked is not known of it."""
        item = next((item for item in self.items if item.path == path), None)
        if item is not None:
            self._take(item, described)
            self.item_changed.emit(item)

    def add_described(
        self, paths: Sequence[Path], described: Mapping[Path, Described], chosen: Path | None
    ) -> None:
        """Take the pictures of the table into the strip, with what is known of them; show ``chosen`` if it is given."""
        known = {item.path: item for item in self.items}
        for path in paths:
            item = known.get(path) or self._new(path.name, path)
            if path in described:
                self._take(item, described[path])
            if path == chosen:
                self.selected = item
        if self.selected is None and self.items:
            self.selected = self.items[0]
        self.list_changed.emit()
        self.selected_changed.emit()
        self._reader.make_thumbnails(self.items)
        if self.selected is not None:
            self.want(self.selected)

    def _take(self, item: ImageItem, described: Described) -> None:
        choices = ImageChoices(described.style, self.choices.language)
        if choices not in item.results or choices in item.from_table:
            item.results[choices] = described
            item.from_table.add(choices)
        if item.state == "new":
            item.state = "described"

    def select(self, item: ImageItem | None) -> None:
        """Show one, and describe it if that was not done yet."""
        if item is self.selected:
            return
        self.selected = item
        self.selected_changed.emit()
        if item is not None and item.state in ("new", "described"):
            self.want(item)

    def step(self, by: int) -> None:
        """Show the next or the one before."""
        if self.selected in self.items:
            row = self.items.index(self.selected) + by
            if 0 <= row < len(self.items):
                self.select(self.items[row])

    def show_frame(self, item: ImageItem, row: int) -> None:
        """Show a frame of a video."""
        if 0 <= row < len(item.frames) and row != item.frame:
            item.frame = row
            self.shown_changed.emit(item)

    def remove(self, item: ImageItem) -> None:
        """Take one from the strip; the file stays."""
        self.stop(item)
        self._reader.forget(item)
        neighbour = take_out(self.items, item)
        if self.selected is item:
            self.selected = None
            self.select(neighbour) if neighbour is not None else self.selected_changed.emit()
        self.list_changed.emit()

    # Reading

    @Slot(object)
    def _was_read(self, item: ImageItem) -> None:
        if item in self.items:
            self.item_changed.emit(item)
            self.shown_changed.emit(item)
            self._next()

    @Slot(object, object)
    def _read_failed(self, item: ImageItem, error: Exception) -> None:
        if item not in self.items:
            return
        for wish in self._wishes:
            if wish.item is item and wish.answer is not None:
                wish.answer.state = "failed"
        self._wishes = [wish for wish in self._wishes if wish.item is not item]
        self._fail(item, error)
        self._next()

    def _fail(self, item: ImageItem, error: Exception) -> None:
        item.state = "failed"
        if isinstance(error, EngineError):
            item.error = error
        else:
            self.crashed.emit(error)
        self.item_changed.emit(item)
        self.finished.emit(item)

    # Describing

    @Slot(object)
    def _chat_changed(self, state: ModelState) -> None:
        """A model came that knows the language that the one before did not: what was told in English is told anew."""
        language = self.choices.language
        if (
            state.status != "ready"
            or state.pack is None
            or not lists_language(state.pack.languages, language)
        ):
            return
        for item in self.items:
            for choices, described in tuple(item.results.items()):
                if choices.language == language != described.language:
                    del item.results[choices]
            if item.state == "done" and not item.results and not item.is_video:
                item.state = "new"
        if self.selected is not None and self.selected.state == "new":
            self.want(self.selected)

    def want(self, item: ImageItem, again: bool = False) -> None:
        """Describe a picture as it is chosen now, before the others that wait; not again unless that is said.

        A description from the table is shown, and made anew for the sake of where the model looked.
        """
        choices = self.choices
        here = self._wish is not None and self._wish.item is item and self._wish.answer is None
        if item.is_video:
            if (item.frames and not again) or item.busy:
                return
        elif (here and self._wish is not None and self._wish.choices == choices) or (
            not again and choices in item.results and choices not in item.from_table
        ):
            return
        if here and self._job is not None:  # it was begun with other choices
            self._job.cancel.set()
        self._wishes = [wish for wish in self._wishes if wish.item is not item or wish.answer is not None]
        item.state, item.error = "waiting", None
        if item.is_video and again:
            item.frames, item.frame = [], 0
            self.frame_added.emit(item)
        self._wishes.insert(0, _Wish(item, choices))
        self.item_changed.emit(item)
        self._next()

    def ask(self, item: ImageItem, question: str) -> Answer:
        """Answer a question about a picture."""
        answer = Answer(question)
        item.answers.append(answer)
        self._wishes.append(_Wish(item, replace(self.choices, question=question), answer))
        self.answer_changed.emit(item, answer)
        self._next()
        return answer

    @Slot()
    def _next(self) -> None:
        if self._job is not None or self._closed or not self._wishes:
            return
        pack, wish = self._host.best_pack("image"), self._wishes[0]
        read = None if wish.item.is_video else self._reader.get(wish.item)
        if read is None and not wish.item.is_video:
            self._reader.read(wish.item)  # shown at once, also where there is no model yet
            return
        if pack is None:
            return
        item = wish.item
        if item.is_video:
            assert item.path is not None
            job = self._host.images.video_job(pack, item.path, wish.choices)
        else:
            assert read is not None
            choices = wish.choices
            if wish.answer is not None:  # only now the answers before it are there
                choices = replace(choices, earlier=item.asked_before(wish.answer))
            job = self._host.images.describe_job(pack, read.picture, choices)
        self._wishes.pop(0)
        self._job, self._wish = job, wish
        job.signals.item.connect(self._got)
        job.signals.failed.connect(self._run_failed)
        job.signals.ended.connect(self._run_ended)
        if wish.answer is not None:
            wish.answer.state = "running"
            self.answer_changed.emit(item, wish.answer)
        else:
            item.state, item.writing, item.done_steps, item.total_steps = "running", "", 0, 0
            self.item_changed.emit(item)
        self._host.images.start(job)

    def stop(self, item: ImageItem) -> None:
        """Stop all that is being done or waits for one picture; what there is of it stays."""
        for wish in self._wishes:
            if wish.item is item and wish.answer is not None:
                wish.answer.state = "stopped"
                self.answer_changed.emit(item, wish.answer)
        waiting = [wish for wish in self._wishes if wish.item is item and wish.answer is None]
        self._wishes = [wish for wish in self._wishes if wish.item is not item]
        if waiting:
            item.state = "stopped"
        if self._job is not None and self._wish is not None and self._wish.item is item:
            if self._wish.answer is None:
                item.state = "stopping"
            self._job.cancel.set()
        self.item_changed.emit(item)
        self._next()

    # What comes back

    @Slot(object, object)
    def _got(self, job: Job, got: object) -> None:
        wish = self._wish
        if job is not self._job or wish is None or wish.item not in self.items:
            return
        if isinstance(got, Notice):
            self.notice.emit(got)
        elif isinstance(got, Described):
            self._described(wish, got)
        elif isinstance(got, TextChunk):
            if wish.answer is not None:
                wish.answer.text += got.text
            else:
                wish.item.writing += got.text
            self._redraw_soon(wish.item)
        elif isinstance(got, Progress):
            if got.stage == "describe":  # of the reading of a prompt nobody can tell how far the whole is
                counted = wish.answer or wish.item
                counted.done_steps, counted.total_steps = got.done, got.total or 0
                self._redraw_soon(wish.item)
        elif wish.item.is_video:
            self._frame(wish.item, got)

    def _described(self, wish: _Wish, got: Described) -> None:
        self._host.images.provider_seen(got.provider)
        whole = got.reason != "cancelled"
        if wish.answer is not None:
            wish.answer.text, wish.answer.described = got.text or wish.answer.text, got
            wish.answer.state = "done" if whole else "stopped"
        elif whole:
            wish.item.results[wish.choices] = got
            wish.item.from_table.discard(wish.choices)
            wish.item.writing = ""

    def _frame(self, item: ImageItem, got: object) -> None:
        from engine.tasks.describe_video import KeyFrame

        if not isinstance(got, KeyFrame):
            return
        item.frames.append(Frame(got.at_s, fitted(image_of(got.picture.pixels), FRAME_PX), got.described))
        if len(item.frames) == 1:
            item.thumbnail = fitted(item.frames[0].image, THUMBNAIL_PX)
            self.item_changed.emit(item)
            self.shown_changed.emit(item)
        self.frame_added.emit(item)

    def _redraw_soon(self, item: ImageItem) -> None:
        self._dirty[item.key] = item
        if not self._redraw.isActive():
            self._redraw.start(REDRAW_MS)

    @Slot()
    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for item in dirty.values():
            self.writing_changed.emit(item)
            for answer in item.answers:
                if answer.state == "running":
                    self.answer_changed.emit(item, answer)

    @Slot(object, object)
    def _run_failed(self, job: Job, error: Exception) -> None:
        wish = self._wish
        if job is not self._job or wish is None:
            return
        if wish.answer is None:
            self._fail(wish.item, error)
            return
        wish.answer.state = "failed"
        if isinstance(error, EngineError):
            wish.answer.error = error
        else:
            self.crashed.emit(error)

    @Slot(object)
    def _run_ended(self, job: Job) -> None:
        wish = self._wish
        if job is not self._job or wish is None:
            return
        self._job, self._wish = None, None
        self._redraw.stop()
        self._flush()
        item = wish.item
        if wish.answer is not None:
            if wish.answer.state == "running":
                wish.answer.state = "stopped"
            self.answer_changed.emit(item, wish.answer)
        elif item.state in ("running", "stopping"):
            done = bool(item.frames) if item.is_video else wish.choices in item.results
            item.state = "done" if done and not job.cancel.is_set else "stopped"
            self.item_changed.emit(item)
            if item.state == "done":
                self.finished.emit(item)
        self._next()

    # Writing

    def save_overlay(self, item: ImageItem, look: Look, target: Path) -> None:
        """Write the picture with where the model looked for one word."""
        if item.is_video:
            shown = self.shown(item)
            pixels = pixels_of(shown) if shown is not None else None
        else:
            read = self._reader.get(item)
            pixels = read.picture.pixels if read is not None else None
        if pixels is None:
            return
        door = self._host.images.door

        def write(_cancel: Cancel) -> Iterator[object]:
            data = door.overlay_png(pixels, look.attention, look.word)
            try:
                target.write_bytes(data)
            except OSError as error:
                raise EngineError(
                    "{file} cannot be written: {reason}.",
                    "Choose another folder.",
                    file=target.name,
                    reason=error.strerror or type(error).__name__,
                ) from error
            yield target

        job = Job(write, "save an overlay")
        self._save_jobs.add(job)
        job.signals.item.connect(self._was_saved)
        job.signals.failed.connect(self._broke)
        job.signals.ended.connect(self._save_ended)
        self._host.jobs.start_files(job)

    @Slot(object, object)
    def _was_saved(self, _job: Job, target: Path) -> None:
        self.saved.emit(target)

    @Slot(object)
    def _save_ended(self, job: Job) -> None:
        self._save_jobs.discard(job)

    @Slot(object, object)
    def _broke(self, _job: Job, error: Exception) -> None:
        (self.failed if isinstance(error, EngineError) else self.crashed).emit(error)

    def close(self) -> None:
        """Stop what runs; called before the host waits for its jobs."""
        self._closed = True
        self._wishes = []
        self._reader.close()
        if self._job is not None:
            self._job.cancel.set()
        self._redraw.stop()
