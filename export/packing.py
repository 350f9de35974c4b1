"""Decides how each weight of a checkpoint is stored in a pack, and puts it into the module that is exported.

In: a checkpoint, a precision and a device. Out: a :class:`LanguageModel` whose linear layers and embedding are the
operators of ``export/onnx_graph.py``, filled; the exact same model in floating point for ``fp16`` and ``fp32``.

A 4-bit checkpoint keeps its own grid, with the remainder columns of ``export/quantize.py``. The square projection
after attention is stored in 8 bits instead: at its size that is as quick as 4 bits, and it needs no means. (With
its zero points merely rounded, SmolLM2-135M loses 1.2 % of perplexity.) What has more than four bits in the
checkpoint is stored in eight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import torch
from torch import nn

from engine.errors import EngineError
from engine.results import Progress
from export.checkpoints.adapted import AdaptedCheckpoint
from export.checkpoints.blocks import Floats, QuantisedTensor
from export.checkpoints.interface import Checkpoint, parts_of
from export.checkpoints.load import load_language, read_parameter
from export.config import LanguageConfig
from export.nn.language import Block, LanguageModel, RMSNorm
from export.onnx_graph import CPU_ACCURACY_LEVEL, PackedEmbedding, PackedLinear
from export.quantize import (
    BLOCK_4BIT,
    BLOCK_8BIT,
    PackedMatrix,
    grid_4bit,
    join,
    pack_4bit,
    pack_8bit,
    pack_8bit_grid,
)

Precision = Literal["int4", "int8", "fp16", "fp32"]
Device = Literal["cpu", "cuda"]

# An untied head and embedding that were one matrix before somebody quantised them differently; the relative
# difference of two independent matrices is about 1.4.
SAME_TABLE = 0.15
SAMPLED_ROWS = 997
IN_8_BITS = ("attention.output",)
# Below it, ONNX Runtime has no kernels.
SMALLEST_BLOCK = 16


@dataclass(frozen=True)
class Format:
    """How a pack stores its numbers; validated against what the device can do."""

    precision: Precision
    device: Device
    usual: Precision = "int4"  # what packs of this kind are stored in, if nobody says anything else

    @property
    def dtype(self) -> torch.dtype:
        """The type of activations, scales and the KV cache."""
        if self.precision == "fp32":
            return torch.float32
        return torch.float16 if self.device == "cuda" or self.precision == "fp16" else torch.float32

    @property
    def is_packed(self) -> bool:
        """Whether matrices are stored in whole numbers."""
        return self.precision in ("int4", "int8")

    @property
    def suffix(self) -> str:
        """What is added to a pack's name, so that variants stand side by side; the default has none."""
        parts = [
            part for part, usual in ((self.precision, self.usual), (self.device, "cpu")) if part != usual
        ]
        return "".join(f"-{part}" for part in parts)


def packed_model(checkpoint: Checkpoint, form: Format) -> Iterator[Progress | LanguageModel]:
    """Fill a model for export; the last item is the model. Peak memory is the pack plus one matrix in fp32.

    A 4-bit grid with an update on top (:class:`AdaptedCheckpoint`) is kept, and the update stands beside it: rounded
    together, most of the update would be lost.
    """
    _check_sizes(checkpoint.config, form)
    if not form.is_packed:
        yield Progress("quantize", 0, 1, "steps")
        yield load_language(checkpoint, form.dtype)
        return
    with torch.device("meta"):
        model = LanguageModel(checkpoint.config)
    packer = _Packer(checkpoint, form)
    blocks = cast("list[Block]", list(model.blocks))
    steps = len(blocks) + 1
    for layer, block in enumerate(blocks):
        yield Progress("quantize", layer, steps, "steps")
        name = f"blocks.{layer}"
        packer.fill_norm(block.attention_norm, f"{name}.attention_norm")
        packer.fill_norm(block.mlp_norm, f"{name}.mlp_norm")
        for part in ("q_norm", "k_norm"):
            if (norm := getattr(block.attention.core, part)) is not None:
                packer.fill_norm(norm, f"{name}.attention.core.{part}")
        for part in ("attention.qkv", "attention.output", "mlp.gate_up", "mlp.down"):
            owner, _, field = part.rpartition(".")
            setattr(block.get_submodule(owner), field, packer.linear(f"{name}.{part}"))
    yield Progress("quantize", steps - 1, steps, "steps")
    packer.fill_norm(model.norm, "norm")
    head, embedding = packer.tables()
    model.head, model.embedding = cast("nn.Linear", head), cast("nn.Embedding", embedding)
    yield Progress("quantize", steps, steps, "steps")
    yield model


def _check_sizes(config: LanguageConfig, form: Format) -> None:
    if config.head_size % SMALLEST_BLOCK:
        raise EngineError(
            "A model with attention heads of {size} numbers cannot be run: ONNX Runtime wants a multiple of 16.",
            "Choose another model.",
            size=config.head_size,
        )
    if form.is_packed and config.hidden_size % SMALLEST_BLOCK:
        raise EngineError(
            "A model with a hidden size of {size} cannot be stored in 4 or 8 bits.",
            "Build it with --precision fp32 or fp16.",
            size=config.hidden_size,
        )


class _Packer:
    """Reads matrices from one checkpoint and packs them in one format."""

    def __init__(self, checkpoint: Checkpoint, form: Format) -> None:
        self._checkpoint, self._form = checkpoint, form
        self._accuracy_level = CPU_ACCURACY_LEVEL if form.device == "cpu" else 0

    def fill_norm(self, norm: RMSNorm, name: str) -> None:
        weight = torch.from_numpy(self._checkpoint.read(f"{name}.weight")).to(self._form.dtype)
        norm.weight = nn.Parameter(weight, requires_grad=False)

    def linear(self, name: str) -> PackedLinear:
        """The module's linear layer ``name``, with its bias if the checkpoint has one."""
        grids = [self._checkpoint.quantised(part) for part in parts_of(f"{name}.weight")]
        bias = None
        if parts_of(f"{name}.bias")[0] in self._checkpoint.names:
            bias = read_parameter(self._checkpoint, f"{name}.bias")
        update = self._checkpoint.update(name) if isinstance(self._checkpoint, AdaptedCheckpoint) else None
        matrix = self._pack(name, grids, None if update is None else update.second)
        first = None if update is None or not matrix.update_columns else torch.from_numpy(update.first)
        return self._module(matrix, bias, first)

    def tables(self) -> tuple[PackedLinear, PackedEmbedding]:
        """Head and embedding, in 8 bits: on one table if they are, or once were, the same matrix."""
        config = self._checkpoint.config
        head_name = "embedding.weight" if config.tied_head else "head.weight"
        head = self._module(self._table(head_name), None)
        if config.tied_head or self._is_same_table():
            return head, PackedEmbedding(head)
        return head, PackedEmbedding(self._module(self._table("embedding.weight"), None))

    def _table(self, name: str) -> PackedMatrix:
        grid = self._checkpoint.quantised(name)
        if grid is not None and grid.bits == 8 and grid.offset == 128:
            return pack_8bit_grid(grid)
        return self._pack_8bit(name)

    def _is_same_table(self) -> bool:
        head, embedding = (self._sampled_rows(name) for name in ("head.weight", "embedding.weight"))
        return bool(np.linalg.norm(head - embedding) < SAME_TABLE * np.linalg.norm(head))

    def _sampled_rows(self, name: str) -> Floats:
        grid = self._checkpoint.quantised(name)
        if grid is None:
            return self._checkpoint.read(name)[::SAMPLED_ROWS]
        return grid.rows(0, grid.q.shape[0], SAMPLED_ROWS).dequantised()

    def _pack(self, name: str, grids: list[QuantisedTensor | None], update: Floats | None) -> PackedMatrix:
        known = [grid for grid in grids if grid is not None]
        if self._form.precision == "int4" and not name.endswith(IN_8_BITS):
            if len(known) == len(grids) and all(g.bits == 4 and g.block == BLOCK_4BIT for g in known):
                return pack_4bit(join(known), update)
            if not known:  # floating point: there is no grid to keep
                weights = self._read(f"{name}.weight")
                if weights.shape[1] % BLOCK_4BIT == 0:
                    return pack_4bit(grid_4bit(weights))
        return self._pack_8bit(f"{name}.weight")

    def _pack_8bit(self, name: str) -> PackedMatrix:
        weights = self._read(name)
        block = next((size for size in (BLOCK_8BIT, 64, 32) if weights.shape[1] % size == 0), SMALLEST_BLOCK)
        return pack_8bit(weights, block)

    def _read(self, name: str) -> Floats:
        return read_parameter(self._checkpoint, name).numpy()

    def _module(
        self, matrix: PackedMatrix, bias: torch.Tensor | None, first: torch.Tensor | None = None
    ) -> PackedLinear:
        return PackedLinear(matrix, bias, self._form.dtype, self._accuracy_level, first)
