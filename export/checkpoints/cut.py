"""A language model's checkpoint with some of its tokens only.

In: any :class:`Checkpoint`, and the tokens to keep. Out: the same interface, where row n of the embedding and of the head
is that of token ``tokens[n]``. A model that only ever writes captions needs an eighth of its vocabulary, and half of a small
model's bytes are in that table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from export.checkpoints.blocks import QuantisedTensor
from export.checkpoints.interface import Checkpoint
from export.checkpoints.wrapped import WrappedCheckpoint
from export.config import LanguageConfig

_TABLES: Final = ("embedding.weight", "head.weight")


class CutCheckpoint(WrappedCheckpoint):
    """``checkpoint`` with the tokens ``tokens``. What it says of the tokenizer still counts all of them."""

    def __init__(self, checkpoint: Checkpoint, tokens: Sequence[int]) -> None:
        """Raises EngineError where the model has no such tokens."""
        super().__init__(checkpoint)
        self._rows = np.array(tokens, np.int64)
        size = checkpoint.config.vocab_size
        if not len(tokens) or min(tokens) < 0 or max(tokens) >= size:
            raise EngineError(
                "The trained weights do not fit the language model: {name}.",
                "Train them again for this model, or choose the model that they were trained for.",
                name="tokens",
            )

    @property
    def config(self) -> LanguageConfig:
        """Sizes and switches of the model, with the number of tokens that are left."""
        return dataclasses.replace(self._checkpoint.config, vocab_size=len(self._rows))

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32."""
        tensor = self._checkpoint.read(name)
        return tensor[self._rows] if name in _TABLES else tensor

    def quantised(self, name: str) -> QuantisedTensor | None:
        """The tensor as stored, or None where it is stored as floating point."""
        grid = self._checkpoint.quantised(name)
        if grid is None or name not in _TABLES:
            return grid
        rows = self._rows
        return dataclasses.replace(grid, q=grid.q[rows], scale=grid.scale[rows], minimum=grid.minimum[rows])
