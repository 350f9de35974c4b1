"""What a dropped file is, and which pane can take it.

In: a path. Out: text for the chat, a model to import, whether a folder has pictures, or an EngineError that says why not.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import EngineError
from engine.tasks.describe_many import PICTURE_SUFFIXES

MAX_TEXT_BYTES = 64_000
MOST_LOOKED_AT = 5_000  # files of a folder: the window waits for this


@dataclass(frozen=True)
class Drop:
    """A file that something can be done with; ``text`` is set for text."""

    kind: Literal["text", "model"]
    path: Path
    text: str = ""


def holds_pictures(folder: Path) -> bool:
    """Whether a folder is one of pictures: one is found in it or below it soon, and it is no model."""
    if (folder / "genai_config.json").is_file():
        return False
    seen = 0
    for _place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in PICTURE_SUFFIXES and not name.startswith("."):
                return True
        seen += len(names) + 1
        if seen > MOST_LOOKED_AT:
            break
    return False


def read_drop(path: Path) -> Drop:
    """Look at what was dropped; EngineError if nothing can be done with it."""
    try:
        if path.is_dir():
            if (path / "genai_config.json").is_file():
                return Drop("model", path)
            raise EngineError(
                "{name} is a folder without a model or pictures in it.",
                "Drop a folder of pictures, a model folder, a zipped model, or a text file.",
                name=path.name,
            )
        if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
            return Drop("model", path)
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise EngineError(
                "{name} is too long for a message: {size} kB, at most {limit} kB can be taken.",
                "Copy the part that matters.",
                name=path.name,
                size=path.stat().st_size // 1000,
                limit=MAX_TEXT_BYTES // 1000,
            )
        data = path.read_bytes()
    except OSError as error:
        raise EngineError(
            "{name} cannot be read: {reason}.",
            "Check that it is there and that you may read it.",
            name=path.name,
            reason=error.strerror or error,
        ) from error
    return Drop("text", path, _decode(data, path))


def _decode(data: bytes, path: Path) -> str:
    if b"\x00" not in data:
        for encoding in ("utf-8-sig", "gb18030"):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise EngineError(
        "{name} is not a text file.",
        "Drop a text file, a model folder, or a zipped model.",
        name=path.name,
    )
