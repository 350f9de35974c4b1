"""Reads the photos that the captioner is trained on.

In: the folders of Flickr8k and of the labelled photos (tar files, and one JSON object a line about them). Out: frozen
records, and the bytes of a picture by its name. Nothing is unpacked.
"""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EngineError

HELD_OUT = 10  # of the labelled photos, every tenth of a class is held out


@dataclass(frozen=True)
class Photo:
    """One photo with its human captions, tidied; ``split`` is ``train`` or ``dev``: also where a set has none."""

    image: str
    split: str
    captions: tuple[str, ...]

    @property
    def tells_sides(self) -> bool:
        """Whether a caption says left or right, so that the photo must not be mirrored."""
        return any(re.search(r"\b(left|right)\b", caption, re.IGNORECASE) for caption in self.captions)


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo with a name for what it shows; ``held_out`` ones are for measuring."""

    image: str
    source: str
    label: str
    held_out: bool


class Pictures:
    """The members of all tar files of a folder, read in place."""

    def __init__(self, folder: Path) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        for path in sorted(folder.glob("*.tar")):
            try:
                with tarfile.open(path) as archive:
                    for member in archive:
                        if member.isfile():
                            self._places[member.name] = (path, member.offset_data, member.size)
            except (OSError, tarfile.TarError) as error:
                raise EngineError(
                    "{file} cannot be read: {reason}.", "Get it again.", file=path, reason=error
                ) from error

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def read(self, name: str) -> bytes:
        """The bytes of one picture; KeyError for an unknown name."""
        path, start, size = self._places[name]
        with path.open("rb") as stream:
            stream.seek(start)
            return stream.read(size)


def read_photos(folder: Path) -> tuple[Photo, ...]:
    """All photos that ``captions.jsonl`` lists, in its order."""
    return tuple(
        Photo(line["image"], line.get("split", "dev"), tuple(tidy(caption) for caption in line["en"]))
        for line in _lines(folder / "captions.jsonl", ("image", "en"))
    )


def read_labelled(folder: Path) -> tuple[LabelledPhoto, ...]:
    """All photos that ``labels.jsonl`` lists, in its order; every tenth of each class is held out."""
    seen: dict[tuple[str, str], int] = {}
    photos = []
    for line in _lines(folder / "labels.jsonl", ("image", "set", "label")):
        key = (line["set"], line["label"])
        seen[key] = seen.get(key, 0) + 1
        photos.append(LabelledPhoto(line["image"], line["set"], line["label"], seen[key] % HELD_OUT == 0))
    return tuple(photos)


def tidy(caption: str) -> str:
    """One way to write a caption: no space before the full stop, a capital first, exactly one full stop."""
    words = re.sub(r"\s+", " ", caption).strip().rstrip(" .")
    words = re.sub(r" ([,;:!?])", r"\1", words).replace(" 's", "'s").replace(" n't", "n't")
    return words[:1].upper() + words[1:] + "."


def _lines(path: Path, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise EngineError(
            "{file} cannot be read: {reason}.", "Name the folder that holds it.", file=path, reason=error
        ) from error
    if not lines or any(not isinstance(line, dict) or any(key not in line for key in keys) for line in lines):
        raise EngineError(
            "{file} is not a list of photos: every line needs {keys}.",
            "Name the folder of the photos.",
            file=path,
            keys=", ".join(keys),
        )
    return lines
