"""Descriptions as small text files beside the photos.

In: what became of each picture; what to do with a text file that is there already. Out: an item for each file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Progress
from engine.tasks.describe_exports import PictureRow
from engine.tasks.describe_exports_files import FileRefused, FilesFinished, FileWritten, Replacement

SidecarPolicy = Literal["refuse", "keep", "replace"]
_LONGEST_BYTES = 1_000_000  # an existing file that is longer is none of ours


def sidecar_paths(pictures: Sequence[Path]) -> tuple[Path, ...]:
    """Where the text of each picture goes: "photo.txt", or "photo.jpg.txt" where two pictures would share that."""
    plain = [picture.with_suffix(".txt") for picture in pictures]
    count = Counter(str(path).casefold() for path in plain)
    return tuple(
        path
        if count[str(path).casefold()] == 1 and path != picture
        else picture.with_name(f"{picture.name}.txt")
        for picture, path in zip(pictures, plain, strict=True)
    )


def existing_sidecars(rows: Sequence[PictureRow]) -> tuple[Path, ...]:
    """The files that an export would have to replace: ask about them first. Those that say the same do not count."""
    rows = _described(rows)
    paths = sidecar_paths([row.path for row in rows])
    return tuple(
        path for row, path in zip(rows, paths, strict=True) if path.exists() and not _says(path, row)
    )


def write_sidecars(
    rows: Sequence[PictureRow], policy: SidecarPolicy, cancel: Cancel
) -> Iterator[Progress | FileWritten | FileRefused | FilesFinished]:
    """Write the text of each described picture; one that cannot be written does not end it.

    A file that exists and says something else is refused, kept as it is, or replaced, as ``policy`` says.
    """
    rows = _described(rows)
    written = kept = refused = 0
    yield Progress("copy", 0, len(rows), "files")
    paths = sidecar_paths([row.path for row in rows])
    for row, path in zip(rows, paths, strict=True):
        if cancel.is_set:
            break
        try:
            is_there = path.exists() and not _says(path, row)
            if is_there and policy == "keep":
                kept += 1
            else:
                if is_there and policy == "refuse":
                    raise EngineError(
                        "{file} is there already.",
                        "Say whether it may be replaced.",
                        file=path.name,
                    )
                _write(path, row)
                written += 1
                yield FileWritten(path)
        except EngineError as error:
            refused += 1
            yield FileRefused(row.path, error)
        yield Progress("copy", written + kept + refused, len(rows), "files")
    whole = written + kept + refused == len(rows)
    yield FilesFinished("stop" if whole else "cancelled", written, kept, refused)


def _described(rows: Sequence[PictureRow]) -> list[PictureRow]:
    return [row for row in rows if row.described is not None and row.text]


def _content(row: PictureRow) -> bytes:
    return (row.text.rstrip("\n") + "\n").encode("utf-8", "replace")


def _says(path: Path, row: PictureRow) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_BYTES) == _content(row)
    except OSError:
        return False


def _write(path: Path, row: PictureRow) -> None:
    if _says(path, row):
        return
    with Replacement(path) as file:
        file.write(_content(row))
        file.commit()
