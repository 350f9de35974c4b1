"""``pollux describe``: pictures get a sentence, alternative text, a longer description, or an answer.

In: files and folders. Out: descriptions on standard output as they come or in a file, as text, a table or JSON; on demand text files
beside the pictures, metadata inside them, and PNG files of where the model looked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.cli.chat import add_model_arguments
from engine.cli.console import Console
from engine.cli.interrupts import cancelled_by_ctrl_c
from engine.cli.pictures import (
    Pictures,
    Row,
    check_output,
    choose_picture_format,
    find_pictures,
    is_video,
    overlay_paths,
    picture_rows,
    show_rows,
    write_png,
    write_rows,
)
from engine.errors import EngineError
from engine.packs import primary
from engine.results import Described, Notice, Progress
from engine.store import Store
from engine.tasks.describe_exports import PictureRow
from engine.tasks.describe_exports_files import FileRefused
from engine.tasks.describe_many import ManyFinished, PictureDescribed, PictureFailed, describe_many
from engine.tasks.spoken_languages import language_code

if TYPE_CHECKING:
    from engine.media.ocr import TextReader
    from engine.runtime.image_model import ImageModel
    from engine.runtime.language_model import LanguageModel
    from engine.tasks.describe import DescribeOptions


def add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    """What is described, how, and where it goes."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="pictures or videos, or folders of pictures")
    parser.add_argument(
        "--style",
        choices=("short", "alt", "detailed"),
        default="short",
        help="a sentence, alternative text of at most 125 characters, or a few sentences (default: short)",
    )
    parser.add_argument("--question", metavar="T", default="", help="answer this instead")
    parser.add_argument("--language", metavar="L", default="", help="en or zh (default: en)")
    parser.add_argument("--no-text", action="store_true", help="do not read the text in the pictures")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object for each picture")
    form.add_argument("--csv", action="store_true", help="a table (default for folders)")
    parser.add_argument(
        "-o", "--output", metavar="OUT", help="a .csv, .json, .jsonl or .txt file (default: standard output)"
    )
    parser.add_argument(
        "--sidecar", action="store_true", help="also a text file beside each picture: photo.txt"
    )
    parser.add_argument(
        "--write-metadata",
        action="store_true",
        help="also into the pictures themselves (JPEG, PNG, WebP); the originals are kept beside them",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask, and replace text files")
    parser.add_argument(
        "--overlay", metavar="PNG", help="also where the model looked for each word; for several a folder"
    )
    add_model_arguments(parser)


def run_describe(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command; 130 if it was stopped, what was described by then is kept."""
    from engine.tasks.describe import DescribeOptions  # imports numpy: not for "models list"

    pictures = find_pictures(arguments.files)
    format = choose_picture_format(arguments.json, arguments.csv, arguments.output, pictures)
    output = check_output(arguments.output, pictures)
    overlays = overlay_paths(arguments.overlay, pictures)
    # The text in a picture takes longer than its caption: it is read where it is told.
    tells_text = format != "text" or arguments.style != "short" or bool(arguments.question.strip())
    options = DescribeOptions(
        style=arguments.style,
        language=primary(language_code(arguments.language)) if arguments.language else "",
        question=arguments.question,
        read_text=tells_text and not arguments.no_text,
        looks=bool(overlays),
    )
    for mistake in pictures.mistakes:
        console.note(f"pollux: {mistake.error}")
    if not pictures.files:
        return 1
    into_files = arguments.write_metadata and _may_write_metadata(arguments.yes, pictures, console)
    with ExitStack() as stack:
        models = stack.enter_context(closing(_Models(arguments, options, console, store)))
        cancel = stack.enter_context(cancelled_by_ctrl_c())
        runner = _Runner(models, options, overlays, console, cancel)
        kept: list[Row] = []
        rows = runner.rows(pictures.files)
        if arguments.sidecar or into_files:
            rows = _keeping(rows, kept)
        if output is None:
            show_rows(rows, format, pictures, console)
        else:
            write_rows(rows, format, pictures, output)
            if not console.as_json:
                console.text(str(output))
        done = list(picture_rows(kept))
        refused = _write_beside(done, arguments, into_files, console)
    if runner.stopped:
        console.note(f"Stopped; {runner.described} of {len(pictures.files)} were described.")
        return 130
    return 1 if runner.failed or refused or pictures.mistakes else 0


class _Models:
    """What this run needs open: the image model, and a chat model and a reader of text where they help."""

    def __init__(
        self, arguments: argparse.Namespace, options: DescribeOptions, console: Console, store: Store
    ) -> None:
        self._console = console
        device, threads = arguments.device, arguments.threads
        self.image: ImageModel
        self.chat: LanguageModel | None = None
        self.reader: TextReader | None = None
        with ExitStack() as opened:
            self.image = self._open_image(store, arguments.model, device, threads)
            opened.callback(self.image.close)
            self._open_chat(store, options, device, threads)
            if self.chat is not None:
                opened.callback(self.chat.close)
            if options.read_text:
                self._open_reader(threads)
            opened.pop_all()
        console.clear()

    def close(self) -> None:
        """Free all memory."""
        for opened in (self.image, self.chat, self.reader):
            if opened is not None:
                opened.close()

    def _open_image(self, store: Store, name: str | None, device: str, threads: int) -> ImageModel:
        from engine.runtime.image_model import open_image_model

        pack = store.choose(name, kind="image")
        if self._console.err_is_terminal:
            self._console.progress(Progress("load", 0, None, "steps"))
        model = open_image_model(pack, device, threads)
        for notice in model.notices:
            self._console.notice(notice)
        return model

    def _open_chat(self, store: Store, options: DescribeOptions, device: str, threads: int) -> None:
        from engine.runtime.language_model import LanguageModel
        from engine.tasks.describe_models import chat_pack

        pack = chat_pack(store, options, self.image)
        if pack is None:
            return
        try:
            self.chat = LanguageModel.open(pack, device, threads)
        except EngineError as error:
            if options.question.strip():
                raise
            self._console.note(f"pollux: {error}")

    def _open_reader(self, threads: int) -> None:
        from engine.media.ocr import TextReader

        try:
            self.reader = TextReader.open(threads)
        except EngineError as error:
            self._console.note(f"pollux: {error}")


class _Runner:
    """Describes one picture after the other, and says how far it is."""

    def __init__(
        self,
        models: _Models,
        options: DescribeOptions,
        overlays: dict[Path, Path],
        console: Console,
        cancel: Cancel,
    ) -> None:
        self._models, self._options, self._overlays = models, options, overlays
        self._console, self._cancel = console, cancel
        self.described = 0
        self.failed = self.stopped = False

    def rows(self, paths: tuple[Path, ...]) -> Iterator[Row]:
        """A row for each picture, then for each key frame of the videos."""
        videos = tuple(path for path in paths if is_video(path))
        yield from self._pictures(tuple(path for path in paths if not is_video(path)))
        for video in videos:
            if self._cancel.is_set:
                self.stopped = True
                return
            try:
                yield from self._frames(video)
            except EngineError as error:
                yield Row(PictureRow(video, error=str(error)))
                self._report(video, error)
            else:
                self.described += 1

    def _pictures(self, paths: tuple[Path, ...]) -> Iterator[Row]:
        with closing(describe_many(self._describe, paths, self._cancel)) as items:  # type: ignore[type-var]
            for item in items:
                if isinstance(item, Progress):
                    if item.total is not None and item.total > 1:
                        self._console.progress(item)
                elif isinstance(item, Notice):
                    self._console.notice(item)
                elif isinstance(item, PictureDescribed):
                    self.described += 1
                    yield Row(PictureRow.of(item))
                elif isinstance(item, PictureFailed):
                    yield Row(PictureRow.of(item))
                    self._report(item.path, item.error)
                elif isinstance(item, ManyFinished):
                    self.stopped = item.reason == "cancelled"

    def _describe(self, path: Path) -> Iterator[object]:
        from engine.media.image import damage_notice, open_picture
        from engine.tasks.describe import describe

        picture = open_picture(path)
        if (notice := damage_notice(path.name, picture)) is not None:
            self._console.notice(notice)  # of every such file, not only of the first
        models = self._models
        for item in describe(models.image, picture, self._options, self._cancel, models.chat, models.reader):
            if isinstance(item, Described) and path in self._overlays:
                self._write_overlay(self._overlays[path], picture.pixels, item)
            yield item

    def _frames(self, video: Path) -> Iterator[Row]:
        from engine.tasks.describe_video import KeyFrame, describe_video

        models, options = self._models, replace(self._options, looks=False)
        items = describe_video(models.image, video, options, self._cancel, models.chat, models.reader)
        with closing(items):  # type: ignore[type-var]
            for item in items:
                if isinstance(item, Progress):
                    self._console.progress(item)
                elif isinstance(item, Notice):
                    self._console.notice(item)
                elif isinstance(item, KeyFrame):
                    yield Row(PictureRow(video, item.described.text, item.described), item.at_s)
        self.stopped = self.stopped or self._cancel.is_set

    def _write_overlay(self, target: Path, pixels: object, described: Described) -> None:
        from engine.tasks.overlay import sheet_png

        if not described.looks:
            if described.reason != "cancelled":
                self._console.note(f"pollux: {described.model} does not say where it looked.")
            return
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write_png(target, sheet_png(pixels, described.looks))  # type: ignore[arg-type]
        except (EngineError, OSError) as error:
            self._report(target, error)

    def _report(self, path: Path, error: EngineError | OSError) -> None:
        """One line about a file; the others go on."""
        self.failed = True
        text = str(error) if isinstance(error, EngineError) else error.strerror or type(error).__name__
        where = "" if path.name in text else f"{path}: "
        self._console.note(f"pollux: {where}{text}")


def _keeping(rows: Iterator[Row], kept: list[Row]) -> Iterator[Row]:
    for row in rows:
        kept.append(row)
        yield row


def _may_write_metadata(yes: bool, pictures: Pictures, console: Console) -> bool:
    """Ask before the pictures are changed, and before the work begins."""
    if yes:
        return True
    if not (sys.stdin and sys.stdin.isatty()):
        raise EngineError(
            "Nothing was written into the pictures: nobody can be asked.",
            "Add --yes to write without a question.",
        )
    console.note(
        f"Write the descriptions into {len(pictures.files)} files? The originals stay beside them as "
        "NAME.original.EXT. [y/N]"
    )
    try:
        answer = input()
    except EOFError:
        answer = ""
    if answer.strip().casefold() in ("y", "yes"):
        return True
    console.note("The files stay as they are.")
    return False


def _write_beside(
    rows: list[PictureRow], arguments: argparse.Namespace, into_files: bool, console: Console
) -> bool:
    """Text files and metadata for all that was described, also where the run was stopped; whether any was refused."""
    from engine.tasks.describe_exports_metadata import write_metadata_many
    from engine.tasks.describe_exports_sidecar import write_sidecars

    refused = False
    policy = "replace" if arguments.yes else "refuse"
    for wanted, items in (
        (arguments.sidecar, lambda: write_sidecars(rows, policy, Cancel())),
        (into_files, lambda: write_metadata_many(rows, Cancel())),
    ):
        for item in items() if wanted else ():
            if isinstance(item, FileRefused):
                refused = True
                where = "" if item.path.name in item.error.message else f"{item.path}: "
                hint = (
                    " Add --yes to replace it."
                    if item.error.message_template == "{file} is there already."
                    else ""
                )
                console.note(f"pollux: {where}{item.error.message}{hint or ' ' + item.error.hint}")
    return refused
