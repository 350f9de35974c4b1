"""Checks an ONNX file before ONNX Runtime sees it, without the ``onnx`` package.

In: the path of an untrusted ``.onnx`` file. Out: the names of the external data files that it refers to, all
of them plain names of files in the same folder that hold every byte range asked for, or an
:class:`EngineError`.

A small reader of the protobuf wire format on a memory map: it enters only the messages that can lead to a
tensor and skips everything else by its length, so weights stored inside the file cost nothing.
Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

MAX_DEPTH = 32  # messages inside messages; real graphs need six, subgraphs a few more
MAX_FIELDS = 1_000_000  # entered in all; a graph of 10,000 nodes has about 200,000
MAX_TEXT = 4096

# Which fields of which message lead on to a tensor: message -> {field number: message}.
_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_TENSOR_EXTERNAL_DATA = 13
_MODEL_GRAPH = 7


class _DamageError(Exception):
    """The bytes are not what the format allows; turned into an EngineError at the one way out."""


@dataclass(frozen=True)
class _Reference:
    """One tensor's external data: ``length`` None means up to the end of the file."""

    location: str
    offset: int
    length: int | None


def external_files(path: Path) -> tuple[str, ...]:
    """The external data files of the ONNX file at ``path``, each checked to be a file beside it.

    Raises EngineError if the file is damaged, if a name points outside the folder, or if a file is
    missing or too short.
    """
    folder = path.parent
    sizes: dict[str, int] = {}
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for reference in _Walk(data).references():
                if reference.location not in sizes:
                    sizes[reference.location] = contained_file(folder, reference.location).stat().st_size
                size = sizes[reference.location]
                end = reference.offset + (reference.length or 0)
                if end > size:
                    raise EngineError(
                        "The model file {file} is cut short: {needed} bytes are needed, {size} are there.",
                        "Remove the model and add it again.",
                        file=reference.location,
                        needed=end,
                        size=size,
                    )
    except (_DamageError, ValueError) as error:  # ValueError: an empty file cannot be mapped
        raise EngineError(
            "The model file {file} is damaged.", "Remove the model and add it again.", file=path.name
        ) from error
    except OSError as error:
        raise EngineError(
            "The model file {file} cannot be read: {reason}.",
            "Check that the file is there and that you may read it.",
            file=path.name,
            reason=error.strerror or type(error).__name__,
        ) from error
    return tuple(sorted(sizes))


def contained_file(folder: Path, name: str) -> Path:
    """The regular file ``name`` directly inside ``folder``.

    Refuses anything but a plain name: ``..``, separators of any system, drives, and links that leave the
    folder. This also refuses ONNX Runtime's own ``*/_ORT_MEM_ADDR_/*``, which reads raw memory.
    """
    if not is_plain_name(name):
        raise EngineError(
            "The model refers to a file outside its own folder: {file}.",
            "Do not use this model, or get it again from a source that you trust.",
            file=repr(name[:200]),
        )
    path = folder / name
    if not path.exists():
        raise EngineError(
            "The model file {file} is missing.", "Remove the model and add it again.", file=name
        )
    if path.resolve().parent != folder.resolve() or not path.is_file():
        raise EngineError(
            "The model refers to a file outside its own folder: {file}.",
            "Do not use this model, or get it again from a source that you trust.",
            file=repr(name),
        )
    return path


def is_plain_name(name: str) -> bool:
    """Whether ``name`` is a file name and nothing more, on every system."""
    return (
        0 < len(name) <= 255
        and name not in (".", "..")
        and name == name.strip()
        and not name.endswith(".")
        and not any(char in '/\\:*?"<>|' or not char.isprintable() for char in name)
    )


class _Walk:
    """One pass over one file; counts what it enters so that a hostile file cannot keep it busy."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._budget = MAX_FIELDS

    def references(self) -> Iterator[_Reference]:
        end = len(self._data)
        if not any(field == _MODEL_GRAPH for field, _, _ in self._messages(0, end)):
            raise _DamageError("no graph")
        yield from self._message("model", 0, end, 0)

    def _message(self, kind: str, start: int, end: int, depth: int) -> Iterator[_Reference]:
        if depth > MAX_DEPTH:
            raise _DamageError("nested too deeply")
        if kind == "tensor":
            yield from self._tensor(start, end)
            return
        children = _CHILDREN[kind]
        for field, inner_start, inner_end in self._messages(start, end):
            if field in children:
                yield from self._message(children[field], inner_start, inner_end, depth + 1)

    def _tensor(self, start: int, end: int) -> Iterator[_Reference]:
        entries: list[tuple[str, str]] = [
            self._entry(inner_start, inner_end)
            for field, inner_start, inner_end in self._messages(start, end)
            if field == _TENSOR_EXTERNAL_DATA
        ]
        if not entries:
            return
        values = dict(entries)
        if len(values) != len(entries) or "location" not in values:  # two readers could read it differently
            raise _DamageError("external data is ambiguous")
        length = _whole(values["length"]) if "length" in values else None
        offset = _whole(values.get("offset", "0"))
        yield _Reference(values["location"], offset, length)

    def _entry(self, start: int, end: int) -> tuple[str, str]:
        """A StringStringEntryProto: key (1) and value (2)."""
        texts = {1: "", 2: ""}
        for field, inner_start, inner_end in self._messages(start, end):
            if field in texts:
                if inner_end - inner_start > MAX_TEXT:
                    raise _DamageError("text too long")
                try:
                    texts[field] = self._data[inner_start:inner_end].decode("utf-8")
                except UnicodeDecodeError as error:
                    raise _DamageError("text is not UTF-8") from error
        return texts[1], texts[2]

    def _messages(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The length-delimited fields of one message: (field number, start, end); the others are skipped."""
        at = start
        while at < end:
            self._budget -= 1
            if self._budget < 0:
                raise _DamageError("too many fields")
            tag, at = self._varint(at, end)
            field, wire = tag >> 3, tag & 7
            if field == 0:
                raise _DamageError("field number 0")
            if wire == 2:  # length-delimited
                length, at = self._varint(at, end)
                if length > end - at:
                    raise _DamageError("a field runs past its message")
                yield field, at, at + length
                at += length
            elif wire == 0:  # varint
                _, at = self._varint(at, end)
            elif wire in (1, 5):  # 8 or 4 bytes
                at += 8 if wire == 1 else 4
            else:  # groups are not used by ONNX
                raise _DamageError("unknown wire type")
        if at != end:
            raise _DamageError("a message does not end where it should")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 70:  # ten bytes hold 64 bits
            byte = self._data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
            shift += 7
        raise _DamageError("a number does not end")


def _whole(text: str) -> int:
    """A byte count written as text."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _DamageError("not a byte count")
    return int(text)
