"""Puts weights into the blocks that ONNX Runtime's ``MatMulNBits`` multiplies, with as little loss as can be.

In: a matrix, either as the checkpoint quantised it (:class:`QuantisedTensor`) or in fp32. Out: a
:class:`PackedMatrix`, the arrays that the operator takes.

A 4-bit checkpoint weight is ``scale * q + minimum``, but the operator only knows ``scale * (q - zero)`` with a
whole ``zero``. Rounding ``-minimum / scale`` to a whole number moves all weights of a block by up to half a step,
always in the same direction, and that costs a small model a quarter of its quality. So what the
rounding leaves over, ``remainder = minimum + scale * zero``, goes into extra columns: the sum over one block of
input values times its remainder is ``block * mean(x of the block) * remainder``. The input gets the means
of its blocks appended, the matrix gets ``block * remainder`` in 4 bits, and one operator does both. That leaves
an error of a thirtieth of a step, for 3 % more columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from export.checkpoints.blocks import Bytes, Floats, QuantisedTensor

# Block of the 4-bit grids of all checkpoints we read (Q4_0, Q4_1, Q4_K), and so of ours.
BLOCK_4BIT = 32
# Weights with 8 bits have levels to spare; longer blocks mean fewer scales to read.
BLOCK_8BIT = 128


@dataclass(frozen=True)
class PackedMatrix:
    """A matrix [N,K] for ``MatMulNBits``: ``weight = scale * (q - zero)``, blocks along K.

    ``data`` uint8 [N, blocks, block*bits/8], low bits first; ``scales`` fp32 [N, blocks]; ``zeros`` packed like
    ``data`` into uint8 [N, ceil(blocks*bits/8)], or None where every zero is ``2^(bits-1)``. ``columns`` counts
    the appended ones too; ``means_block`` is the block over which the input's means are appended, 0 for none.
    """

    bits: int
    block: int
    rows: int
    columns: int
    data: Bytes
    scales: Floats
    zeros: Bytes | None
    means_block: int = 0
    update_columns: int = 0  # between the matrix's own columns and those for the means

    def dequantised(self) -> Floats:
        """The weights that the operator multiplies with, fp32 [N, columns]."""
        blocks = self.scales.shape[1]
        q = _unpack(self.data.reshape(self.rows, -1), self.bits).reshape(self.rows, blocks, self.block)
        if self.zeros is None:
            zeros = np.full((self.rows, blocks), 1 << (self.bits - 1), np.uint8)
        else:
            zeros = _unpack(self.zeros, self.bits)[:, :blocks]
        weights = (q.astype(np.float32) - zeros[..., None]) * self.scales[..., None]
        return weights.reshape(self.rows, -1)[:, : self.columns].astype(np.float32)

    def effective(self) -> Floats:
        """The matrix [N,K] that it stands for, the appended columns spread over their blocks."""
        weights = self.dequantised()
        if not self.means_block:
            return weights
        columns = (self.columns - self.update_columns) * self.means_block // (self.means_block + 1)
        means = weights[:, columns + self.update_columns :]
        spread = np.repeat(means, self.means_block, axis=1) / np.float32(self.means_block)
        return (weights[:, :columns] + spread).astype(np.float32)


def join(parts: list[QuantisedTensor]) -> QuantisedTensor:
    """Stack the rows of matrices that share block and bits (queries, keys and values; gate and up)."""
    first = parts[0]
    if any((part.block, part.bits) != (first.block, first.bits) for part in parts):
        raise ValueError("only grids of one kind can be stacked")
    return QuantisedTensor(
        q=np.concatenate([part.q for part in parts]),
        scale=np.concatenate([part.scale for part in parts]),
        minimum=np.concatenate([part.minimum for part in parts]),
        block=first.block,
        bits=first.bits,
        offset=first.offset if all(part.offset == first.offset for part in parts) else None,
    )


def grid_4bit(weights: Floats) -> QuantisedTensor:
    """A 4-bit grid for weights that have none yet: the least and the greatest of each block are exact."""
    rows, columns = weights.shape
    blocks = weights.reshape(rows, columns // BLOCK_4BIT, BLOCK_4BIT)
    minimum = blocks.min(axis=-1)
    scale = (blocks.max(axis=-1) - minimum) / 15
    steps = np.divide(
        blocks - minimum[..., None], scale[..., None], out=np.zeros_like(blocks), where=scale[..., None] > 0
    )
    q = np.clip(np.rint(steps), 0, 15).astype(np.uint8)
    return QuantisedTensor(q.reshape(rows, columns), scale, minimum, BLOCK_4BIT, 4, None)


def pack_4bit(grid: QuantisedTensor, update: Floats | None = None) -> PackedMatrix:
    """Repack a 4-bit grid; what whole zero points cannot say gets extra columns.

    ``update`` [N, U], U a multiple of the grid's block, are columns of a low-rank update, which stand before those.
    """
    rows, columns = grid.q.shape
    blocks = columns // grid.block
    # A constant block has no step; its value is all remainder.
    step = np.where(grid.scale == 0, 1, grid.scale)
    zeros = np.clip(np.rint(-grid.minimum / step), 0, 15).astype(np.uint8)
    if grid.offset == 8 and update is None:  # Q4_0: the operator's own default, nothing remains
        data = _pack4(grid.q).reshape(rows, blocks, grid.block // 2)
        return PackedMatrix(4, grid.block, rows, columns, data, grid.scale, None)
    remainder = (grid.minimum + grid.scale * zeros) * grid.block  # per unit of the block's mean
    extra = -(-blocks // grid.block)  # blocks of extra columns, the last one padded with nothing
    padded = np.zeros((rows, extra * grid.block), np.float32)
    padded[:, :blocks] = remainder
    if update is not None:
        padded = np.concatenate((update, padded), axis=1)
        extra += update.shape[1] // grid.block
    padded = padded.reshape(rows, extra, grid.block)
    scale = np.abs(padded).max(axis=-1) / 7
    safe = np.where(scale == 0, 1, scale)
    q = np.clip(np.rint(padded / safe[..., None]) + 8, 0, 15).astype(np.uint8).reshape(rows, -1)
    return PackedMatrix(
        bits=4,
        block=grid.block,
        rows=rows,
        columns=columns + (0 if update is None else update.shape[1]) + blocks,
        data=_pack4(np.concatenate((grid.q, q), axis=1)).reshape(rows, blocks + extra, grid.block // 2),
        scales=np.concatenate((grid.scale, scale), axis=1),
        zeros=_pack4(_even(np.concatenate((zeros, np.full((rows, extra), 8, np.uint8)), axis=1))),
        means_block=grid.block,
        update_columns=0 if update is None else update.shape[1],
    )


def pack_8bit_grid(grid: QuantisedTensor) -> PackedMatrix:
    """Repack an 8-bit grid that is symmetric around 128 (Q8_0) without any change."""
    if grid.bits != 8 or grid.offset != 128:
        raise ValueError("not a symmetric 8-bit grid")
    rows, columns = grid.q.shape
    data = grid.q.reshape(rows, columns // grid.block, grid.block)
    return PackedMatrix(8, grid.block, rows, columns, data, grid.scale, None)


def pack_8bit(weights: Floats, block: int = BLOCK_8BIT) -> PackedMatrix:
    """Round to 8 bits, symmetric around zero. The last block is padded where K is no multiple of it."""
    rows, columns = weights.shape
    blocks = -(-columns // block)
    padded = np.zeros((rows, blocks * block), np.float32)
    padded[:, :columns] = weights
    padded = padded.reshape(rows, blocks, block)
    scales = np.abs(padded).max(axis=-1) / 127
    safe = np.where(scales == 0, 1, scales)
    data = (np.rint(padded / safe[..., None]) + 128).astype(np.uint8)
    return PackedMatrix(8, block, rows, columns, data, scales.astype(np.float32), None)


def _even(values: Bytes) -> Bytes:
    return np.pad(values, ((0, 0), (0, values.shape[1] % 2)))


def _pack4(values: Bytes) -> Bytes:
    """Two 4-bit numbers a byte, the first in the low half: [n, 2m] -> [n, m]."""
    return (values[:, 0::2] | values[:, 1::2] << 4).astype(np.uint8)


def _unpack(packed: Bytes, bits: int) -> Bytes:
    """[n, m] bytes -> [n, m*8/bits] numbers."""
    if bits == 8:
        return packed
    return np.stack((packed & 15, packed >> 4), axis=-1).reshape(packed.shape[0], -1).astype(np.uint8)
