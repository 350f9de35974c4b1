"""Reads the files of a model folder: JSON, text, and safetensors whether in one file or in shards.

In: a folder, and file names that this project gives. Out: their contents; one clear :class:`EngineError` for a file
that is missing, damaged, or points outside the folder.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine.errors import EngineError

_FLOATS = ("F32", "F16", "BF16")


class FolderTensors:
    """The tensors in ``model.safetensors``, or in the shards of its index.

    ``shapes`` holds all but those whose whole name ``ignored`` matches. Raises :class:`EngineError` on construction
    when a file is missing or damaged or holds anything but floating point.
    """

    def __init__(self, folder: Path, ignored: re.Pattern[str]) -> None:
        self._folder = folder
        self._file_of: dict[str, Path] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for file in self._weight_files():
            try:
                with safe_open(file, framework="pt") as tensors:
                    for name in tensors.keys():  # noqa: SIM118 - not a dict, it cannot be iterated
                        if ignored.fullmatch(name):
                            continue
                        described = tensors.get_slice(name)
                        if described.get_dtype() not in _FLOATS:
                            raise damaged(file, f"{name[:80]} is stored as {described.get_dtype()}")
                        self.shapes[name] = tuple(described.get_shape())
                        self._file_of[name] = file
            except (SafetensorError, OSError) as error:
                raise damaged(file, str(error)) from error

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, by the name that the file gives it."""
        file = self._file_of[name]
        try:
            with safe_open(file, framework="pt") as tensors:
                return tensors.get_tensor(name).float().numpy()
        except (SafetensorError, OSError) as error:
            raise damaged(file, str(error)) from error

    def _weight_files(self) -> list[Path]:
        single = self._folder / "model.safetensors"
        if single.is_file():
            return [single]
        index = self._folder / "model.safetensors.index.json"
        if not index.is_file():
            raise EngineError(
                "The folder {folder} holds no model.safetensors.",
                "Choose the folder of a model in the safetensors format.",
                folder=str(self._folder),
            )
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
            raise damaged(index, "it has no weight_map")
        for shard in shards.values():
            if Path(shard).name != shard or "\\" in shard:
                raise damaged(index, f"{shard[:80]} is outside the folder")
        return [self._folder / shard for shard in sorted(set(shards.values()))]


def read_text(path: Path) -> str:
    """The text of a file that must be there."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise EngineError(
            "The folder {folder} lacks the file {file}.",
            "Download the model again, with all its files.",
            folder=str(path.parent),
            file=path.name,
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error


def read_json(path: Path, optional: bool = False) -> dict[str, Any]:
    """The JSON object in a file; empty if it is ``optional`` and not there."""
    if optional and not path.exists():
        return {}
    try:
        values = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not valid JSON") from error
    if not isinstance(values, dict):
        raise damaged(path, "it is not a JSON object")
    return values


def damaged(file: Path, reason: str) -> EngineError:
    """For a file that is there and cannot be used."""
    return EngineError(
        "{file} cannot be used: {reason}.",
        "It is damaged or of another kind; download the model again.",
        file=file.name,
        reason=reason[:160],
    )
