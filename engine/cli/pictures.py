"""Which pictures a command means, and where their descriptions go.

In: what was typed; rows as they come. Out: files to describe; text, a table or JSON on standard output or in one file, and PNG files
of where the model looked.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.cli.console import Console
from engine.cli.recordings import STANDARD_OUTPUT, Mistake
from engine.errors import EngineError
from engine.tasks.describe_exports import PictureRow, csv_header, csv_line, json_values, write_csv, write_json
from engine.tasks.describe_exports_files import Replacement
from engine.tasks.describe_many import expand

PictureFormat = Literal["text", "csv", "json"]
FORMAT_OF_SUFFIX: dict[str, PictureFormat] = {".csv": "csv", ".json": "json", ".jsonl": "json"}
VIDEO_SUFFIXES = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()
)
OVERLAY_SUFFIX = ".overlay.png"


@dataclass(frozen=True)
class Pictures:
    """``several`` also where a folder holds only one; ``has_folder`` that one was named."""

    files: tuple[Path, ...]
    mistakes: tuple[Mistake, ...]
    several: bool
    has_folder: bool


@dataclass(frozen=True)
class Row:
    """What became of a picture, or of one picture of a video, which is at ``at_s``."""

    picture: PictureRow
    at_s: float | None = None


def find_pictures(names: Sequence[str]) -> Pictures:
    """The files, and the pictures in folders; each once."""
    mistakes: list[Mistake] = []
    has_folder = False
    for path in map(Path, names):
        if path.is_dir():
            has_folder = True
            if not expand([path]):
                missing = EngineError(
                    "There is no picture in {folder}.",
                    "Name a file, or a folder that holds pictures.",
                    folder=str(path),
                )
                mistakes.append(Mistake(path, missing))
    return Pictures(expand(names), tuple(mistakes), has_folder or len(names) > 1, has_folder)


def is_video(path: Path) -> bool:
    """Whether a file is a video, by its name."""
    return path.suffix.casefold() in VIDEO_SUFFIXES


def choose_picture_format(
    as_json: bool, as_csv: bool, output: str | None, pictures: Pictures
) -> PictureFormat:
    """What was asked for, else as the ending of ``-o FILE`` says, else a table for folders and text for files."""
    if as_json or as_csv:
        return "json" if as_json else "csv"
    if output is not None and output != STANDARD_OUTPUT:
        return FORMAT_OF_SUFFIX.get(Path(output).suffix.casefold(), "text")
    return "csv" if pictures.has_folder else "text"


def check_output(output: str | None, pictures: Pictures) -> Path | None:
    """The file of ``-o``; None for standard output. Raises EngineError where it cannot be that file."""
    if output is None or output == STANDARD_OUTPUT:
        return None
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        raise EngineError(
            "{path} is a folder; the descriptions go into one file.",
            "Name a file with -o, for example descriptions.csv.",
            path=output,
        )
    _not_a_picture(path, pictures)
    return path


def overlay_paths(output: str | None, pictures: Pictures) -> dict[Path, Path]:
    """Where the model looked, for each picture. Raises EngineError where the files cannot be there."""
    if output is None:
        return {}
    target = Path(output)
    if not pictures.several and not target.is_dir() and not output.endswith(("/", os.sep)):
        _not_a_picture(target, pictures)
        return dict.fromkeys(pictures.files, target)
    if target.exists() and not target.is_dir():
        raise EngineError(
            "{path} is a file, and there are several pictures.", "Give a folder with --overlay.", path=output
        )
    names = Counter(path.stem.casefold() for path in pictures.files)
    made: dict[Path, Path] = {}
    taken: set[str] = set()
    for path in pictures.files:
        stem = path.stem if names[path.stem.casefold()] == 1 else path.name
        name, number = f"{stem}{OVERLAY_SUFFIX}", 2
        while name.casefold() in taken:
            name, number = f"{stem} ({number}){OVERLAY_SUFFIX}", number + 1
        taken.add(name.casefold())
        made[path] = target / name
    return made


def show_rows(rows: Iterable[Row], format: PictureFormat, pictures: Pictures, console: Console) -> None:
    """Write them to standard output as they come."""
    if format == "csv":
        console.text(_one_end(csv_header()), end="")
    for row in rows:
        if format == "json":
            console.record(_values(row))
        elif format == "csv":
            console.text(_one_end(csv_line(_fragment(row))), end="")
        elif row.picture.described is not None:
            console.text(_text_line(row, pictures))


def write_rows(rows: Iterable[Row], format: PictureFormat, pictures: Pictures, path: Path) -> None:
    """Write them to a file, which is there when they have ended. Raises EngineError."""
    if format == "csv":
        write_csv(path, map(_fragment, rows))
    elif format == "json":
        write_json(path, map(_fragment, rows))
    else:
        with Replacement(path) as file:
            for row in rows:
                if row.picture.described is not None:
                    file.write(f"{_text_line(row, pictures)}\n".encode("utf-8", "replace"))
            file.commit()


def write_png(path: Path, data: bytes) -> None:
    """Write a picture in one step. Raises EngineError."""
    with Replacement(path) as file:
        file.write(data)
        file.commit()


def _not_a_picture(path: Path, pictures: Pictures) -> None:
    for file in pictures.files:
        if path.exists() and file.exists() and path.samefile(file):
            raise EngineError(
                "{path} is one of the pictures; it would be overwritten.",
                "Give another name.",
                path=str(path),
            )


def _values(row: Row) -> dict[str, object]:
    values = json_values(row.picture)
    return values if row.at_s is None else {**values, "at_s": round(row.at_s, 3)}


def _fragment(row: Row) -> PictureRow:
    """The row of a table; a picture of a video is named as the W3C's media fragments name it: film.mp4#t=12.5."""
    if row.at_s is None:
        return row.picture
    return replace(row.picture, path=Path(f"{row.picture.path}#t={row.at_s:.1f}"))


def _text_line(row: Row, pictures: Pictures) -> str:
    path, text = row.picture.path, row.picture.text
    line = text
    if row.at_s is not None:
        from engine.tasks.describe_video import clock  # imports numpy: not for "models list"

        line = f"{clock(row.at_s)}  {text}"
    if not pictures.several:
        return line
    is_alone = sum(path.name == other.name for other in pictures.files) == 1
    return f"{path.name if is_alone else path}: {line}"


def _one_end(line: str) -> str:
    """The line with the end that standard output gives it."""
    return line.removesuffix("\r\n") + "\n"


def picture_rows(rows: Iterable[Row]) -> Iterator[PictureRow]:
    """The rows of whole pictures: those that can get a file of text beside them."""
    return (row.picture for row in rows if row.at_s is None)
