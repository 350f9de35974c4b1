"""Reads JSON that others wrote: strict about types, bounded in size, one clear error.

In: the path of an untrusted JSON file. Out: a :class:`Reader` whose methods return builtins of the type asked
for, or raise an :class:`EngineError` that names the file and the key.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from engine.errors import EngineError

MAX_BYTES = 4_000_000
MAX_TEXT = 10_000


class Reader:
    """One JSON object, with the name of its file and the path of keys that led to it, for messages."""

    def __init__(self, file: str, values: dict[str, object], where: str = "") -> None:
        self._file = file
        self._values = values
        self._where = where

    @classmethod
    def open(cls, path: Path) -> Reader:
        """Read a whole file; its top must be an object."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise bad_file(path.name, "it is too large")
            values = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=_no_constant)
        except OSError as error:
            raise bad_file(path.name, error.strerror or type(error).__name__) from error
        except (
            ValueError,
            RecursionError,
        ) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
            raise bad_file(path.name, "it is not valid JSON") from error
        if not isinstance(values, dict):
            raise bad_file(path.name, "it is not a JSON object")
        return cls(path.name, values)

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def keys(self) -> tuple[str, ...]:
        """The keys that are there."""
        return tuple(self._values)

    def object(self, key: str) -> Reader:
        """An object; an absent one reads as empty."""
        value = self._values.get(key)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Reader(self._file, value, f"{self._where}{key}.")

    def objects(self, key: str) -> tuple[Reader, ...]:
        """A list of objects; an absent one reads as empty."""
        items = self._list(key)
        readers: list[Reader] = []
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                raise self.wrong(key, "a list of objects")
            readers.append(Reader(self._file, item, f"{self._where}{key}[{index}]."))
        return tuple(readers)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings; an absent one reads as empty."""
        items = self._list(key)
        texts = [item for item in items if isinstance(item, str) and len(item) <= MAX_TEXT]
        if len(texts) != len(items):
            raise self.wrong(key, "a list of texts")
        return tuple(texts)

    def text(self, key: str, default: str | None = None) -> str:
        """One line of text; without a default it must be there."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or len(value) > MAX_TEXT or not all(map(str.isprintable, value)):
            raise self.wrong(key, "a line of text")
        return value

    def block(self, key: str) -> str:
        """Text of any length and characters; an absent one reads as empty."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "text")
        return value or ""

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number in a range; without a default it must be there."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        return self._as_whole(key, value, least, most)

    def maybe_whole(self, key: str, least: int, most: int) -> int | None:
        """A whole number in a range, or None where it is absent."""
        value = self._values.get(key)
        return None if value is None else self._as_whole(key, value, least, most)

    def wholes(self, key: str, least: int, most: int) -> tuple[int, ...]:
        """A whole number or a list of them; an absent one reads as empty."""
        value = self._values.get(key)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        return tuple(self._as_whole(key, item, least, most) for item in items)

    def number(self, key: str, least: float, most: float, default: float) -> float:
        """A number in a range."""
        value = self._values.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.wrong(key, "a number")
        if not least <= value <= most:
            raise self.wrong(key, f"between {least:g} and {most:g}")
        return float(value)

    def numbers(self, key: str, least: float, most: float) -> tuple[float, ...]:
        """A list of numbers in a range; an absent one reads as empty."""
        items = self._list(key)
        each = [Reader(self._file, {key: item}, self._where) for item in items]
        if None in items:
            raise self.wrong(key, "a list of numbers")
        return tuple(one.number(key, least, most, 0.0) for one in each)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def wrong(self, key: str, wanted: str) -> EngineError:
        """An error about one value of this object."""
        return self.bad(f'"{self._where}{key}" must be {wanted}')

    def bad(self, reason: str) -> EngineError:
        """An error about this file."""
        return bad_file(self._file, reason)

    def _list(self, key: str) -> list[object]:
        value = self._values.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > 10_000:
            raise self.wrong(key, "a list")
        return value

    def _as_whole(self, key: str, value: object, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(key, "a whole number")
        if not least <= value <= most:
            raise self.wrong(key, f"between {least} and {most}")
        return value


def bad_file(file: str, reason: str) -> EngineError:
    """The error for a file that says something impossible."""
    return EngineError(
        "The model's file {file} cannot be used: {reason}.",
        "Remove the model and add it again.",
        file=file,
        reason=reason,
    )


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
