"""The block formats of GGUF, taken apart without loss.

In: the raw bytes of a quantised tensor, one row of the matrix a row. Out: a :class:`QuantisedTensor`, the small
whole numbers and the scale and minimum of each block, so that the exporter can repack a checkpoint's own
grid instead of rounding it a second time. Layouts: ``ggml-quants.c`` and ``gguf/quants.py`` of llama.cpp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Whole = NDArray[np.integer[Any]]
Real = NDArray[np.floating[Any]]
Parts = tuple[Whole, Real, Real]  # q [n, weights], scale [n, blocks], minimum [n, blocks]


@dataclass(frozen=True)
class QuantisedTensor:
    """A matrix [N,K] as ``weight = scale * q + minimum``, with one scale and minimum a block of K.

    ``q`` uint8 [N,K] in 0 .. 2^bits - 1; ``scale`` and ``minimum`` fp32 [N, K/block]. ``offset`` is set where
    every minimum is ``-offset * scale``: the format is symmetric around that value of q.
    """

    q: Bytes
    scale: Floats
    minimum: Floats
    block: int
    bits: int
    offset: int | None

    def dequantised(self) -> Floats:
        """The weights, fp32 [N,K]."""
        rows, columns = self.q.shape
        weights = self.q.reshape(rows, -1, self.block) * self.scale[..., None]
        weights += self.minimum[..., None]
        return weights.reshape(rows, columns)

    def rows(self, start: int, stop: int, step: int = 1) -> QuantisedTensor:
        """Some rows of it, without copying."""
        part = slice(start, stop, step)
        return QuantisedTensor(
            self.q[part], self.scale[part], self.minimum[part], self.block, self.bits, self.offset
        )


@dataclass(frozen=True)
class _Format:
    weights: int  # weights in one unit of the format
    size_bytes: int  # bytes of one unit
    block: int  # weights that share a scale
    bits: int
    offset: int | None
    unpack: Callable[[Bytes], Parts]


def unpack(raw: Bytes, format_name: str) -> QuantisedTensor | None:
    """Take raw rows [N, bytes] of a GGUF format apart; None where the format is not of this kind."""
    layout = _FORMATS.get(format_name)
    if layout is None:
        return None
    rows = raw.shape[0]
    columns = raw.shape[1] // layout.size_bytes * layout.weights
    q = np.empty((rows, columns), np.uint8)
    scale = np.empty((rows, columns // layout.block), np.float32)
    minimum = np.empty_like(scale)
    # A piece at a time, so that the temporaries stay in the processor's cache and memory stays modest.
    step = max(1, _PIECE_WEIGHTS // columns)
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        units = np.ascontiguousarray(raw[part]).reshape(-1, layout.size_bytes)
        piece_q, piece_scale, piece_minimum = layout.unpack(units)
        q[part] = piece_q.reshape(-1, columns)
        scale[part] = piece_scale.reshape(q[part].shape[0], -1)
        minimum[part] = piece_minimum.reshape(q[part].shape[0], -1)
    return QuantisedTensor(q, scale, minimum, layout.block, layout.bits, layout.offset)


_PIECE_WEIGHTS = 1 << 18


def _half(units: Bytes, at: int) -> Floats:
    """The fp16 at byte ``at`` of every unit, as fp32 [n,1]."""
    return np.ascontiguousarray(units[:, at : at + 2]).view(np.float16).astype(np.float32)


def _nibbles(packed: Bytes, run: int) -> Whole:
    """[n, b] -> [n, 2b]: each run of bytes gives its low halves, then its high halves."""
    runs = packed.reshape(packed.shape[0], -1, 1, run)
    return np.concatenate((runs & 15, runs >> 4), axis=2).reshape(packed.shape[0], -1)


def _bit_planes(packed: Bytes, run: int, bits: int) -> Whole:
    """[n, b] -> [n, b*8/bits]: each run of bytes gives its lowest bits, then the next ones, and so on."""
    runs = packed.reshape(packed.shape[0], -1, 1, run)
    shifts = np.arange(0, 8, bits, dtype=np.uint8).reshape(1, 1, -1, 1)
    return ((runs >> shifts) & ((1 << bits) - 1)).reshape(packed.shape[0], -1)


def _bits32(packed: Bytes) -> Bytes:
    """Four bytes a unit -> 32 bits [n,32], lowest first."""
    return np.unpackbits(packed, axis=1, bitorder="little")


def _q4_0(units: Bytes) -> Parts:
    scale = _half(units, 0)
    return _nibbles(units[:, 2:], 16), scale, scale * -8


def _q4_1(units: Bytes) -> Parts:
    return _nibbles(units[:, 4:], 16), _half(units, 0), _half(units, 2)


def _q5_0(units: Bytes) -> Parts:
    scale = _half(units, 0)
    return _nibbles(units[:, 6:], 16) | _bits32(units[:, 2:6]) << 4, scale, scale * -16


def _q5_1(units: Bytes) -> Parts:
    q = _nibbles(units[:, 8:], 16) | _bits32(units[:, 4:8]) << 4
    return q, _half(units, 0), _half(units, 2)


def _q8_0(units: Bytes) -> Parts:
    scale = _half(units, 0)
    return units[:, 2:] ^ 0x80, scale, scale * -128  # flipping the sign bit adds 128


def _six_bit_pairs(units: Bytes) -> tuple[Real, Real]:
    """Scales and minima of Q4_K and Q5_K: eight pairs of six-bit numbers in bytes 4 to 15, [n,8] each."""
    low, middle, high = units[:, 4:8], units[:, 8:12], units[:, 12:16]
    scale = np.concatenate((low & 63, (high & 15) | (low >> 2 & 48)), axis=1)
    minimum = np.concatenate((middle & 63, (high >> 4) | (middle >> 2 & 48)), axis=1)
    return _half(units, 0) * scale, _half(units, 2) * minimum


def _q4_k(units: Bytes) -> Parts:
    scale, minimum = _six_bit_pairs(units)
    return _nibbles(units[:, 16:], 32), scale, -minimum


def _q5_k(units: Bytes) -> Parts:
    scale, minimum = _six_bit_pairs(units)
    return _nibbles(units[:, 48:], 32) | _bit_planes(units[:, 16:48], 32, 1) << 4, scale, -minimum


def _q6_k(units: Bytes) -> Parts:
    q = _nibbles(units[:, :128], 64) | _bit_planes(units[:, 128:192], 32, 2) << 4
    scale = _half(units, 208) * units[:, 192:208].view(np.int8)
    return q, scale, scale * -32


def _q2_k(units: Bytes) -> Parts:
    scale = _half(units, 80) * (units[:, :16] & 15)
    minimum = _half(units, 82) * (units[:, :16] >> 4)
    return _bit_planes(units[:, 16:80], 32, 2), scale, -minimum


def _q3_k(units: Bytes) -> Parts:
    q = _bit_planes(units[:, 32:96], 32, 2) | _bit_planes(units[:, :32], 32, 1) << 2
    low = _nibbles(units[:, 96:104], 8)
    high = _bit_planes(units[:, 104:108], 4, 2)
    scale = _half(units, 108) * ((low | high << 4).astype(np.int8) - 32)
    return q, scale, scale * -4


_FORMATS = {
    "Q4_0": _Format(32, 18, 32, 4, 8, _q4_0),
    "Q4_1": _Format(32, 20, 32, 4, None, _q4_1),
    "Q5_0": _Format(32, 22, 32, 5, 16, _q5_0),
    "Q5_1": _Format(32, 24, 32, 5, None, _q5_1),
    "Q8_0": _Format(32, 34, 32, 8, 128, _q8_0),
    "Q2_K": _Format(256, 84, 16, 2, None, _q2_k),
    "Q3_K": _Format(256, 110, 16, 3, 4, _q3_k),
    "Q4_K": _Format(256, 144, 32, 4, None, _q4_k),
    "Q5_K": _Format(256, 176, 32, 5, None, _q5_k),
    "Q6_K": _Format(256, 210, 16, 6, 32, _q6_k),
}
