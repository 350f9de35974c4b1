"""Reads what stands before the weights in a GGUF file: metadata, and where each tensor lies.

In: the path of a ``.gguf`` file. Out: a :class:`GgufFile` whose tensors are views of the memory-mapped file.

The ``gguf`` package has a reader too. It makes an array object of every token and merge, which takes 18
seconds and 400 MB for a vocabulary of 150,000; this one takes half a second, and never trusts a length that
the file states. Format: ``docs/gguf.md`` of the ggml project, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from numpy.typing import NDArray

from engine.errors import EngineError

_MAGIC = 0x46554747  # "GGUF", little-endian
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_DEFAULT_ALIGNMENT_BYTES = 32


@dataclass(frozen=True)
class GgufTensor:
    """A stored tensor: its shape (rows first), its format, and its bytes, one row of the matrix a row."""

    shape: tuple[int, ...]
    format: GGMLQuantizationType
    raw: NDArray[np.uint8]


@dataclass(frozen=True)
class GgufFile:
    """Everything in a GGUF file; the tensors' bytes stay on disk until they are read."""

    metadata: dict[str, Any]
    tensors: dict[str, GgufTensor]


def read_gguf(path: Path) -> GgufFile:
    """Read the header of a GGUF file; :class:`EngineError` when it is not one, or cut short."""
    if not path.is_file():
        raise EngineError(
            "There is no file {path}.", "Check the path, or download the model again.", path=str(path)
        )
    try:
        data = np.memmap(path, mode="r")
        return _Header(data).read()
    except PermissionError:
        raise EngineError(
            "{path} may not be read.", "Change the file's permissions.", path=str(path)
        ) from None
    except (ValueError, OSError) as error:  # ValueError also covers bad UTF-8 and an empty file
        raise EngineError(
            "{file} is not a usable GGUF file ({reason}).",
            "It is damaged, cut short or of another kind; download it again.",
            file=path.name,
            reason=str(error)[:120],
        ) from error


class _Header:
    """A cursor over the file. Everything wrong with the bytes is a ValueError."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self._view = data.data
        self._at = 0

    def read(self) -> GgufFile:
        if self._scalar("I") != _MAGIC:
            raise ValueError("it does not begin with GGUF")
        version = self._scalar("I")
        if version not in (2, 3):
            raise ValueError(f"version {version} of the format is not supported")
        tensor_count, key_count = self._scalar("Q"), self._scalar("Q")
        metadata: dict[str, Any] = {}
        for _ in range(key_count):
            key = self._string()
            if key in metadata:
                raise ValueError(f"the key {key[:80]} stands twice")
            metadata[key] = self._value(self._scalar("I"))
        places = [self._tensor_place() for _ in range(tensor_count)]

        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT_BYTES)
        if not isinstance(alignment, int) or alignment <= 0:
            raise ValueError("the alignment is not a positive number")
        start = -(-self._at // alignment) * alignment
        tensors: dict[str, GgufTensor] = {}
        for name, shape, number, offset in places:
            if name in tensors:
                raise ValueError(f"the tensor {name[:80]} stands twice")
            tensors[name] = self._tensor(name, shape, number, start + offset)
        return GgufFile(metadata, tensors)

    def _take(self, size: int) -> int:
        """Move on by ``size`` bytes; returns where they began."""
        begin = self._at
        if size > len(self._view) - begin:
            raise ValueError("the file ends too early")
        self._at = begin + size
        return begin

    def _scalar(self, code: str) -> Any:
        return struct.unpack_from(f"<{code}", self._view, self._take(struct.calcsize(f"<{code}")))[0]

    def _string(self) -> str:
        size = self._scalar("Q")
        begin = self._take(size)
        return str(self._view[begin : begin + size], "utf-8")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._scalar(_scalar_code(kind))
        kind, count = self._scalar("I"), self._scalar("Q")
        if kind == _STRING:
            return [self._string() for _ in range(count)]
        if kind == _ARRAY:
            raise ValueError("arrays of arrays are not supported")
        code = _scalar_code(kind)
        begin = self._take(count * struct.calcsize(f"<{code}"))
        return np.frombuffer(self._view[begin : self._at], dtype=f"<{code}").tolist()

    def _tensor_place(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string()
        dimensions = self._scalar("I")
        if not 1 <= dimensions <= 4:
            raise ValueError(f"the tensor {name[:80]} has {dimensions} dimensions")
        # The file counts from the fastest dimension; everybody else from the slowest.
        shape = tuple(self._scalar("Q") for _ in range(dimensions))[::-1]
        return name, shape, self._scalar("I"), self._scalar("Q")

    def _tensor(self, name: str, shape: tuple[int, ...], number: int, begin: int) -> GgufTensor:
        try:
            kind = GGMLQuantizationType(number)
        except ValueError:
            raise ValueError(f"the tensor {name[:80]} has the unknown format {number}") from None
        unit_weights, unit_bytes = GGML_QUANT_SIZES[kind]
        if shape[-1] % unit_weights:
            raise ValueError(f"the rows of the tensor {name[:80]} do not fit its format {kind.name}")
        row_bytes = shape[-1] // unit_weights * unit_bytes
        end = begin + math.prod(shape[:-1]) * row_bytes
        if end > len(self._view):
            raise ValueError(f"the file ends before the end of the tensor {name[:80]}")
        return GgufTensor(shape, kind, self._data[begin:end].reshape(*shape[:-1], row_bytes))


def _scalar_code(kind: int) -> str:
    if kind not in _SCALARS:
        raise ValueError(f"metadata of the unknown type {kind}")
    return _SCALARS[kind]
