"""Describes a folder of pictures in one go.

In: files and folders; what describes one picture. Out: an item for each picture, described or failed, and how far it is;
nothing is kept here, so that a thousand pictures need no more memory than one. A picture that cannot be described never
ends the run: it is an item with the reason.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Described, Notice, Progress, TextChunk

if TYPE_CHECKING:
    from engine.tasks.describe_journal import PictureJournal

# What is taken from a folder; a file that is named itself may be called anything.
PICTURE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .apng .gif .webp .bmp .dib .tif .tiff .heic .heif .hif .avif .jp2 .j2k .jpx "
    ".ico .icns .tga .ppm .pgm .pbm .pnm .pcx .dds .psd .qoi .svg .svgz .mpo".split()
)
ORIGINAL = ".original"  # what is put behind the name of a file whose copy got a description
_KEPT = re.compile(rf"(.+){re.escape(ORIGINAL)}(?:-[0-9]+)?")

DescribeOne = Callable[[Path], Iterator[object]]  # Progress, TextChunk, Notice and at last a Described


@dataclass(frozen=True)
class PictureDescribed:
    """A picture is done. ``kept`` that it was described by an earlier run."""

    path: Path
    described: Described
    kept: bool = False


@dataclass(frozen=True)
class PictureFailed:
    """A picture cannot be described; the templates and values are those of an EngineError."""

    path: Path
    message_template: str
    hint_template: str = ""
    values: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, error: EngineError) -> PictureFailed:
        """What became of a picture that an error stopped."""
        return cls(path, error.message_template, error.hint_template, dict(error.values))

    @property
    def error(self) -> EngineError:
        """What is wrong."""
        return EngineError(self.message_template, self.hint_template, **self.values)


@dataclass(frozen=True)
class ManyFinished:
    """The end of a run: how many pictures were described, those of earlier runs among them, and how many failed."""

    reason: Literal["stop", "cancelled"]
    described: int
    failed: int
    wall_s: float


def expand(paths: Iterable[Path | str]) -> tuple[Path, ...]:
    """The pictures that files and folders stand for, each once.

    Files keep their place and need not exist: describing them says what is wrong. Folders are read with all that is below
    them, in the order in which people count ("2" before "10"); what is hidden, what does not look like a picture and the
    originals that :mod:`engine.tasks.describe_exports` left are passed over, links to folders are not followed. A folder
    that cannot be read stands for itself.
    """
    found: dict[Path, None] = {}
    for given in paths:
        path = Path(os.path.abspath(given))  # noqa: PTH100 - Path.absolute() keeps "..", resolve() follows links
        if path.is_dir():
            found.update(dict.fromkeys(_pictures_below(path)))
        else:
            found[path] = None
    return tuple(found)


def describe_many(
    describe_one: DescribeOne, paths: Sequence[Path], cancel: Cancel, journal: PictureJournal | None = None
) -> Iterator[object]:
    """Describe pictures one after the other: Progress, PictureDescribed and PictureFailed; ends with a ManyFinished.

    A notice of ``describe_one`` is passed on the first time that its code comes, and anything that is not known here each
    time. With a ``journal``, pictures that are in it are not described again. An EngineError, or an OSError about a file
    that is gone, is an item; any other exception is a bug and goes through.
    """
    start_s = time.monotonic()
    described = failed = 0
    codes: set[str] = set()
    yield Progress("describe", 0, len(paths), "pictures")
    for path in paths:
        if cancel.is_set:
            break
        item: PictureDescribed | PictureFailed | None = None
        known = journal.find(path) if journal is not None else None
        if known is not None:
            item = PictureDescribed(path, known, kept=True)
        else:
            stamp = journal.stamp(path) if journal is not None else None  # as it was when it was read
            steps = _one(describe_one, path)
            with closing(steps):
                for step in steps:
                    if isinstance(step, PictureDescribed | PictureFailed):
                        item = step
                    elif not isinstance(step, Notice):
                        yield step
                    elif step.code not in codes:
                        codes.add(step.code)
                        yield step
            if cancel.is_set and (item is None or _is_partial(item)):
                break
            if item is None:
                raise RuntimeError(f"{path.name} was neither described nor refused")
            if journal is not None and isinstance(item, PictureDescribed):
                yield from journal.add(stamp, item.described)
        described += isinstance(item, PictureDescribed)
        failed += isinstance(item, PictureFailed)
        yield item
        yield Progress("describe", described + failed, len(paths), "pictures")
    whole = described + failed == len(paths)
    yield ManyFinished("stop" if whole else "cancelled", described, failed, time.monotonic() - start_s)


def _one(describe_one: DescribeOne, path: Path) -> Generator[object, None, None]:
    """Describe one picture; what is not about its text, and at last what became of it."""
    last: Described | None = None
    try:
        for item in describe_one(path):
            if isinstance(item, Described):
                last = item
            elif not isinstance(item, Progress | TextChunk):
                yield item
    except EngineError as error:
        yield PictureFailed.of(path, error)
        return
    except OSError as error:
        if _is_readable(path):
            raise  # the trouble is somewhere else
        yield PictureFailed.of(path, _unreadable(path, error))
        return
    if last is not None:
        yield PictureDescribed(path, replace(last, looks=()))


def _is_partial(item: PictureDescribed | PictureFailed) -> bool:
    """Whether the user's stop, and not the picture, made it what it is."""
    return isinstance(item, PictureFailed) or item.described.reason == "cancelled"


def _is_readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def _unreadable(path: Path, error: OSError) -> EngineError:
    if not path.exists():
        return EngineError(
            "{file} is no longer there.", "Put it back, or take it from the list.", file=path.name
        )
    return EngineError(
        "{file} cannot be read: {reason}.",
        "Check that the file is there and may be read.",
        file=path.name,
        reason=error.strerror or type(error).__name__,
    )


# Folders


def _pictures_below(top: Path) -> Iterator[Path]:
    """The pictures of a folder, then those of its folders; a folder that cannot be read is itself an item."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted((e for e in entries if not _is_hidden(e)), key=lambda e: natural_key(e.name))
        except OSError:
            yield folder
            continue
        names = {entry.name for entry in inside}
        folders: list[Path] = []
        for entry in inside:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif (
                path.suffix.casefold() in PICTURE_SUFFIXES
                and not _is_original(path, names)
                and path.is_file()
            ):
                yield path
        waiting += reversed(folders)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith("."):
        return True
    try:
        attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    except OSError:
        return False
    return bool(attributes & 0x2)  # FILE_ATTRIBUTE_HIDDEN, on Windows only


def _is_original(path: Path, names: set[str]) -> bool:
    """Whether this is the untouched copy of a picture beside it that got its description."""
    kept = _KEPT.fullmatch(path.stem)
    return kept is not None and f"{kept[1]}{path.suffix}" in names


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts as people count: "photo 2" before "photo 10"."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), part) if index % 2 else (1, 0, part) for index, part in enumerate(parts)]
