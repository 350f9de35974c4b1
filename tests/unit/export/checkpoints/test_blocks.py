"""Taking a quantised tensor apart loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

gguf = pytest.importorskip("gguf", reason="needs the export extra")

from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize, quantize

from export.checkpoints.blocks import unpack

FORMATS = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
QUANTISABLE = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]  # the library quantises only these
HALVES = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def raw_rows(name: str, rows: int, columns: int, seed: int) -> np.ndarray:
    """Random tensor in a format: quantised noise, or random bytes with sane half-precision scales."""
    dice = np.random.default_rng(seed)
    kind = GGMLQuantizationType[name]
    if name in QUANTISABLE:
        return quantize(dice.normal(0, 0.05, (rows, columns)).astype(np.float32), kind)
    weights, size = GGML_QUANT_SIZES[kind]
    units = dice.integers(0, 256, (rows * columns // weights, size), dtype=np.uint8)
    for at in HALVES.get(name, (0,)):
        scales = dice.normal(0, 0.01, (len(units), 1)).astype(np.float16)
        units[:, at : at + 2] = scales.view(np.uint8)
    return units.reshape(rows, -1)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("rows", "columns"), [(1, 256), (7, 512), (700, 1024)])
def test_equals_the_library(name: str, rows: int, columns: int) -> None:
    raw = raw_rows(name, rows, columns, seed=rows)
    parts = unpack(raw, name)
    assert parts is not None
    assert parts.q.shape == (rows, columns)
    assert parts.q.dtype == np.uint8
    assert parts.scale.shape == parts.minimum.shape == (rows, columns // parts.block)
    assert parts.q.max() == 2**parts.bits - 1
    expected = dequantize(raw, GGMLQuantizationType[name])
    # Bit for bit: every product and sum here is exact in fp32, or rounded in the same place.
    np.testing.assert_array_equal(parts.dequantised(), expected)
    if parts.offset is not None:
        np.testing.assert_array_equal(parts.minimum, -parts.offset * parts.scale)


def test_rows_are_a_part() -> None:
    raw = raw_rows("Q4_K", 9, 256, seed=1)
    parts = unpack(raw, "Q4_K")
    assert parts is not None
    np.testing.assert_array_equal(parts.rows(2, 5).dequantised(), parts.dequantised()[2:5])


@pytest.mark.parametrize("name", ["F32", "F16", "BF16", "IQ4_NL", "TQ2_0"])
def test_other_formats_are_not_taken_apart(name: str) -> None:
    assert unpack(np.zeros((2, 256), np.uint8), name) is None
