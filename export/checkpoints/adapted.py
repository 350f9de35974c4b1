"""A language model's checkpoint with low-rank updates added to its matrices.

In: any :class:`Checkpoint`, and the updates that were trained for it (:mod:`export.nn.captioner`). Out: the same
interface, so that whatever reads a checkpoint reads the sum; who takes a grid as it is stored asks for the update as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import EngineError
from export.checkpoints.blocks import Floats, QuantisedTensor
from export.checkpoints.interface import Checkpoint, expected_shapes, parts_of
from export.checkpoints.wrapped import WrappedCheckpoint
from export.quantize import BLOCK_4BIT


@dataclass(frozen=True)
class Update:
    """What is added to one matrix of the module: second [N,U] @ first [U,K], U a multiple of 32, the rest of it zeros."""

    first: Floats
    second: Floats


class AdaptedCheckpoint(WrappedCheckpoint):
    """``checkpoint`` + ``scale`` * second @ first, for each pair of matrices in ``lora``."""

    def __init__(self, checkpoint: Checkpoint, lora: Mapping[str, Tensor], scale: float) -> None:
        """Raises EngineError where the updates are not for this model."""
        super().__init__(checkpoint)
        self._lora, self._scale = lora, scale
        shapes = expected_shapes(checkpoint.config)
        self._pieces: dict[str, tuple[str, int, int]] = {}  # part -> owner of the update, its rows there
        for name in lora:
            owner, _, kind = name.rpartition(".")
            if kind != "second":
                continue
            start = 0
            for part in parts_of(f"{owner}.weight"):
                if part not in shapes or f"{owner}.first" not in lora:
                    raise _foreign(owner)
                end = start + shapes[part][0]
                self._pieces[part] = (owner, start, end)
                start = end
            if start != lora[name].shape[0]:
                raise _foreign(owner)

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, its update added."""
        weights = self._checkpoint.read(name)
        if name not in self._pieces:
            return weights
        owner, start, end = self._pieces[name]
        second = self._lora[f"{owner}.second"][start:end].float()
        first = self._lora[f"{owner}.first"].float()
        return weights + (self._scale * (second @ first)).numpy()

    def quantised(self, name: str) -> QuantisedTensor | None:
        """The tensor as stored, without its update, or None where it is stored as floating point."""
        return self._checkpoint.quantised(name)

    def update(self, name: str) -> Update | None:
        """What is added to the linear layer ``name`` of the module; None where nothing is."""
        if f"{name}.second" not in self._lora:
            return None
        second = (self._scale * self._lora[f"{name}.second"].float()).numpy()
        padding = -second.shape[1] % BLOCK_4BIT
        first = np.pad(self._lora[f"{name}.first"].float().numpy(), ((0, padding), (0, 0)))
        return Update(first, np.pad(second, ((0, 0), (0, padding))))


def _foreign(owner: str) -> EngineError:
    return EngineError(
        "The trained weights do not fit the language model: {name}.",
        "Train them again for this model, or choose the model that they were trained for.",
        name=owner,
    )
