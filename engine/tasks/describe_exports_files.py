"""Files that appear whole or not at all, and what the exports say about each file.

In: bytes for a file. Out: the file, or what was there before and an EngineError; items for each picture of an export.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.disk import not_written
from engine.errors import EngineError


@dataclass(frozen=True)
class FileWritten:
    """A picture's description is in ``path``. ``original`` is the untouched copy of the picture, if one was needed."""

    path: Path
    original: Path | None = None


@dataclass(frozen=True)
class FileRefused:
    """A picture's description could not be written; nothing was changed. ``path`` is the picture."""

    path: Path
    error: EngineError


@dataclass(frozen=True)
class FilesFinished:
    """The end of an export: how many files were written, left as they were because they exist, and refused."""

    reason: Literal["stop", "cancelled"]
    written: int
    kept: int
    refused: int


class Replacement:
    """A file beside ``target`` that takes its place when it is whole. Raises EngineError where the disk refuses."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".pollux-{secrets.token_hex(6)}.part")
        self._committed = False

    def __enter__(self) -> Replacement:
        try:
            self._file = self.path.open("xb")
        except OSError as error:
            raise not_written(self.target, error) from error
        return self

    def write(self, data: bytes) -> None:
        """Write a piece."""
        try:
            self._file.write(data)
        except OSError as error:
            raise not_written(self.target, error) from error

    def close(self) -> None:
        """All of it is on the disk, and can be read again before it is used."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise not_written(self.target, error) from error

    def commit(self) -> None:
        """Take the target's place; a file that was there passes on its permissions."""
        if not self._file.closed:
            self.close()
        with suppress(OSError):
            self.path.chmod(self.target.stat().st_mode & 0o777)
        try:
            self.path.replace(self.target)
        except OSError as error:
            raise not_written(self.target, error) from error
        self._committed = True

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):
            self._file.close()
        if not self._committed:
            with suppress(OSError):
                self.path.unlink()
