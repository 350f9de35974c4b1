"""Repacking keeps a checkpoint's own grid, and ONNX Runtime multiplies with what we say it does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize
from onnx import TensorProto, helper

from export.checkpoints.blocks import Floats, QuantisedTensor, unpack
from export.quantize import (
    PackedMatrix,
    _pack4,
    _unpack,
    grid_4bit,
    join,
    pack_4bit,
    pack_8bit,
    pack_8bit_grid,
)

# One block, odd and even counts, exactly one block of extra columns, and one more than that.
BLOCKS = [1, 2, 3, 18, 32, 33, 48]
ROWS = 24


def normal(blocks: int, seed: int = 0, rows: int = ROWS) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.1, (rows, 32 * blocks)).astype(np.float32)


def quantised(weights: Floats, kind: str) -> QuantisedTensor:
    """As a GGUF file would hold them."""
    grid = unpack(quantize(weights, GGMLQuantizationType[kind]), kind)
    assert grid is not None
    return grid


def q4_k(blocks: int, seed: int) -> QuantisedTensor:
    """Q4_K's numbers: scales and minima are six bits times an fp16 of 256 weights."""
    dice = np.random.default_rng(seed)
    units = -(-blocks // 8)

    def scales(least: int) -> Floats:
        coarse = dice.uniform(0.001, 0.002, (ROWS, units, 1)).astype(np.float16).astype(np.float32)
        fine = coarse * dice.integers(least, 64, (ROWS, units, 8)).astype(np.float32)
        return fine.reshape(ROWS, -1)[:, :blocks]

    scale = scales(16)
    minimum = -np.minimum(scales(0) * 8, scale * 15)
    q = dice.integers(0, 16, (ROWS, 32 * blocks)).astype(np.uint8)
    return QuantisedTensor(q, scale, minimum, 32, 4, None)


def allowed(grid: QuantisedTensor) -> Floats:
    """A 28th of the greatest step among the blocks whose remainders share a scale: half of a seventh of half of it."""
    blocks = grid.scale.shape[1]
    greatest = [
        np.abs(grid.scale[:, start : start + 32]).max(axis=1, keepdims=True).repeat(32, axis=1)
        for start in range(0, blocks, 32)
    ]
    each = np.concatenate(greatest, axis=1)[:, :blocks].repeat(32, axis=1) / 28
    return each.astype(np.float32)


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("kind", ["Q4_1", "q4_k", "floats"])
@pytest.mark.parametrize("seed", range(3))
def test_a_grid_with_minima_keeps_its_weights(kind: str, blocks: int, seed: int) -> None:
    if kind == "q4_k":
        grid = q4_k(blocks, seed)
    elif kind == "floats":
        grid = grid_4bit(normal(blocks, seed))
    else:
        grid = quantised(normal(blocks, seed), kind)
    packed = pack_4bit(grid)
    assert packed.columns == 33 * blocks
    assert packed.data.shape == (ROWS, blocks + -(-blocks // 32), 16)
    assert packed.zeros is not None
    assert packed.zeros.shape == (ROWS, -(-packed.data.shape[1] // 2))
    error = np.abs(packed.effective() - grid.dequantised())
    assert (error <= allowed(grid) + 1e-6).all()
    # On average far less than the sixth of a step that a whole zero point alone would cost.
    assert error.mean() < np.abs(grid.scale).mean() / 30


@pytest.mark.parametrize("blocks", BLOCKS)
def test_a_symmetric_grid_is_exact(blocks: int) -> None:
    grid = quantised(normal(blocks), "Q4_0")
    packed = pack_4bit(grid)
    assert (packed.columns, packed.zeros, packed.means_block) == (32 * blocks, None, 0)
    np.testing.assert_array_equal(packed.effective(), grid.dequantised())


@pytest.mark.parametrize("blocks", BLOCKS)
def test_eight_bits_of_the_file_are_exact(blocks: int) -> None:
    grid = quantised(normal(blocks), "Q8_0")
    np.testing.assert_array_equal(pack_8bit_grid(grid).effective(), grid.dequantised())


def test_only_symmetric_8_bit_grids_are_taken_as_they_are() -> None:
    with pytest.raises(ValueError, match="symmetric"):
        pack_8bit_grid(quantised(normal(2), "Q4_0"))
    with pytest.raises(ValueError, match="symmetric"):
        pack_8bit_grid(replace(quantised(normal(2), "Q8_0"), offset=None))


@pytest.mark.parametrize("columns", [16, 32, 96, 128, 200, 257, 576])
@pytest.mark.parametrize("block", [16, 32, 128])
def test_8_bit_rounding_is_half_a_step_at_most(columns: int, block: int) -> None:
    weights = np.random.default_rng(columns).normal(0, 1, (ROWS, columns)).astype(np.float32)
    packed = pack_8bit(weights, block)
    assert packed.columns == columns
    step = packed.scales.repeat(block, axis=1)[:, :columns]
    assert (np.abs(packed.effective() - weights) <= step / 2 * 1.001).all()
    assert (np.abs(step) <= np.abs(weights).max() / 127 * 1.001).all()


@pytest.mark.parametrize("blocks", BLOCKS)
def test_a_new_grid_keeps_the_ends_of_every_block(blocks: int) -> None:
    weights = normal(blocks)
    grid = grid_4bit(weights)
    assert grid.q.max() == 15
    assert grid.q.min() == 0
    found, given = (values.reshape(ROWS, blocks, 32) for values in (grid.dequantised(), weights))
    assert (np.abs(found - given) <= grid.scale[..., None] / 2 * 1.001).all()
    np.testing.assert_allclose(found.min(axis=-1), given.min(axis=-1), atol=1e-6)
    np.testing.assert_allclose(found.max(axis=-1), given.max(axis=-1), atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.37, -0.37])
def test_constant_blocks(value: float) -> None:
    weights = np.full((2, 96), value, np.float32)
    grid = grid_4bit(weights)
    np.testing.assert_array_equal(grid.dequantised(), weights)
    np.testing.assert_allclose(pack_4bit(grid).effective(), weights, rtol=1e-6)
    np.testing.assert_allclose(pack_8bit(weights).effective(), weights, rtol=1e-6)


def test_blocks_that_do_not_reach_zero() -> None:
    """No zero point can stand for them: the remainder columns carry their distance, with seven steps."""
    weights = normal(4) + 5
    grid = grid_4bit(weights)
    error = np.abs(pack_4bit(grid).effective() - grid.dequantised())
    assert error.max() <= np.abs(grid.minimum).max() / 14 * 1.001


def test_half_bytes_round_trip() -> None:
    values = np.random.default_rng(0).integers(0, 16, (5, 64)).astype(np.uint8)
    packed = _pack4(values)
    assert packed.shape == (5, 32)
    assert packed[0, 0] == values[0, 0] | values[0, 1] << 4  # the first in the low half
    np.testing.assert_array_equal(_unpack(packed, 4), values)


def test_join_stacks_rows() -> None:
    parts = [quantised(normal(2, seed), "Q4_1") for seed in range(3)]
    np.testing.assert_array_equal(
        join(parts).dequantised(), np.concatenate([part.dequantised() for part in parts])
    )
    with pytest.raises(ValueError, match="one kind"):
        join([parts[0], quantised(normal(2), "Q8_0")])
    mixed = join([parts[0], quantised(normal(2), "Q4_0")])  # symmetric rows among others: no longer so
    assert mixed.offset is None
    assert np.abs(pack_4bit(mixed).effective() - mixed.dequantised()).max() <= allowed(mixed).max() + 1e-6


def multiply(packed: PackedMatrix, x: Floats, accuracy_level: int) -> Floats:
    """x [T,K] through MatMulNBits, the means appended as the graph does."""
    if packed.means_block:
        means = x.reshape(x.shape[0], -1, packed.means_block).mean(axis=-1)
        x = np.concatenate((x, means), axis=1)
    names = ["x", "data", "scales"] + ([] if packed.zeros is None else ["zeros"])
    tensors = [
        helper.make_tensor("data", TensorProto.UINT8, packed.data.shape, packed.data.tobytes(), raw=True),
        helper.make_tensor(
            "scales", TensorProto.FLOAT, packed.scales.shape, packed.scales.tobytes(), raw=True
        ),
    ]
    if packed.zeros is not None:
        tensors.append(
            helper.make_tensor(
                "zeros", TensorProto.UINT8, packed.zeros.shape, packed.zeros.tobytes(), raw=True
            )
        )
    attributes: dict[str, Any] = {
        "K": packed.columns,
        "N": packed.rows,
        "bits": packed.bits,
        "block_size": packed.block,
    }
    node = helper.make_node(
        "MatMulNBits", names, ["y"], domain="com.microsoft", accuracy_level=accuracy_level, **attributes
    )
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (x.shape[0], packed.rows))],
        tensors,
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


@pytest.mark.parametrize("tokens", [1, 5])
@pytest.mark.parametrize("blocks", [1, 3, 18, 33])
@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q8_0", "rounded"])
def test_onnx_runtime_multiplies_with_it(kind: str, blocks: int, tokens: int) -> None:
    weights = normal(blocks)
    if kind == "rounded":
        packed = pack_8bit(weights)
    else:
        grid = quantised(weights, kind)
        packed = pack_8bit_grid(grid) if kind == "Q8_0" else pack_4bit(grid)
    x = np.random.default_rng(1).normal(0, 1, (tokens, 32 * blocks)).astype(np.float32)
    expected = x @ packed.effective().T
    exact = multiply(packed, x, accuracy_level=0)
    assert np.abs(exact - expected).max() < 1e-4
    quick = multiply(packed, x, accuracy_level=4)
    # Activations in 8 bits, per block: half a step (1/254 of the greatest) each, adding up like a random walk.
    noise = np.abs(x).max() / 254 * np.linalg.norm(packed.dequantised(), axis=1).max()
    assert np.abs(quick - expected).max() < 4 * noise
