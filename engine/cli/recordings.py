"""Which recordings a command means, and where their transcripts go.

In: what was typed. Out: files, and for each the path of its transcript, or None for standard output.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.tasks.transcript_formats import TranscriptFormat
from engine.tasks.transcripts import format_of

# What is taken from a folder. A file that is named is tried whatever it is called.
SUFFIXES = frozenset(
    ".3gp .aac .ac3 .aif .aiff .amr .ape .au .avi .caf .dts .flac .flv .m2ts .m4a .m4b .m4v .mka .mkv .mov .mp2 .mp3 "
    ".mp4 .mpeg .mpg .mts .oga .ogg .ogv .opus .spx .ts .tta .vob .wav .weba .webm .wma .wmv .wv".split()
)
STANDARD_OUTPUT = "-"


@dataclass(frozen=True)
class Mistake:
    """An argument that gives no recordings, and why."""

    path: Path
    error: EngineError


@dataclass(frozen=True)
class Recordings:
    """``several`` also where a folder holds only one."""

    files: tuple[Path, ...]
    mistakes: tuple[Mistake, ...]
    several: bool


def find_recordings(names: Sequence[str]) -> Recordings:
    """The files, and those in folders by name; each once."""
    files: list[Path] = []
    mistakes: list[Mistake] = []
    several = len(names) > 1
    for path in map(Path, names):
        if not path.is_dir():
            files.append(path)
            continue
        several = True
        try:
            inside = sorted(
                each
                for each in path.iterdir()
                if each.suffix.casefold() in SUFFIXES and not each.name.startswith(".") and each.is_file()
            )
        except OSError as error:
            mistakes.append(Mistake(path, _unreadable(path, error)))
            continue
        files.extend(inside)
        if not inside:
            missing = EngineError(
                "There is no recording in {folder}.",
                "Name a file, or a folder that holds audio or video files.",
                folder=str(path),
            )
            mistakes.append(Mistake(path, missing))
    return Recordings(tuple(dict.fromkeys(files)), tuple(mistakes), several)


def choose_format(wanted: TranscriptFormat | None, out: str | None, several: bool) -> TranscriptFormat:
    """What ``--format`` says, else the ending of ``-o FILE``, else plain text."""
    if wanted is not None:
        return wanted
    if out is None or out == STANDARD_OUTPUT or several or _is_folder(out):
        return "txt"
    return format_of(Path(out))


def transcript_paths(
    recordings: Recordings, out: str | None, format: TranscriptFormat
) -> tuple[Path | None, ...]:
    """Where each transcript goes. Raises EngineError for an ``-o`` that cannot take them."""
    files = recordings.files
    if out is None or out == STANDARD_OUTPUT:
        return (None,) * len(files)
    if not recordings.several and not _is_folder(out):
        paths: tuple[Path, ...] = (Path(out),) * len(files)
    else:
        if Path(out).exists() and not Path(out).is_dir():
            raise EngineError(
                "{path} is a file, and there are several recordings.",
                "Give a folder with -o.",
                path=out,
            )
        paths = _different(tuple(Path(out) / f"{file.stem}.{format}" for file in files), files)
    for path in paths:
        for file in files:
            if path.exists() and file.exists() and path.samefile(file):
                raise EngineError(
                    "{path} is the recording itself; the transcript would overwrite it.",
                    "Give another name with -o.",
                    path=str(path),
                )
    return paths


def beside_video(video: Path, format: TranscriptFormat) -> Path:
    """Where players look for the subtitles of a video. Raises EngineError if some are there: they may be made by hand."""
    path = video.with_suffix(f".{format}")
    if path.exists():
        raise EngineError(
            "{path} is there already.",
            "Move it away, or say with -o where the subtitles shall go.",
            path=str(path),
        )
    return path


def _is_folder(out: str) -> bool:
    return Path(out).is_dir() or out.endswith(("/", os.sep))


def _different(paths: tuple[Path, ...], files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Paths of which no two are one: recordings may differ only in their endings, or in their folders."""
    made: list[Path] = []
    taken: set[str] = set()
    names = [path.name.casefold() for path in paths]
    for path, file in zip(paths, files, strict=True):
        stem = path.stem if names.count(path.name.casefold()) == 1 else file.name
        free = path.with_name(f"{stem}{path.suffix}")
        number = 2
        while free.name.casefold() in taken:
            free = path.with_name(f"{stem} ({number}){path.suffix}")
            number += 1
        taken.add(free.name.casefold())
        made.append(free)
    return tuple(made)


def _unreadable(folder: Path, error: OSError) -> EngineError:
    return EngineError(
        "The folder {folder} cannot be read: {reason}.",
        "Check that you may read it.",
        folder=str(folder),
        reason=error.strerror or type(error).__name__,
    )
