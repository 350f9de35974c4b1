"""Texts side by side: the buffers of a decoder that writes several at once.

In: a session, and the names and sizes of its cache. Out: :class:`Rows`, bound to the session, whose keys and values the
graph writes in place. Legend: B rows, G key-value heads, C tokens that fit, D head size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.genai_config import GenaiConfig
from engine.runtime.session import Session


class Rows:
    """Keys and values [B, G, C, D] and logits [B, 1, V], bound to the decoder as past and as present."""

    def __init__(self, session: Session, config: GenaiConfig, rows: int, capacity_tokens: int) -> None:
        layers = range(config.num_hidden_layers)
        past = [name for n in layers for name in (config.past_key(n), config.past_value(n))]
        present = [name for n in layers for name in (config.present_key(n), config.present_value(n))]
        self.rows = rows
        self.binding = session.binding()
        shape = (rows, config.num_key_value_heads, capacity_tokens, config.head_size)
        dtype = session.inputs[past[0]].dtype or np.dtype(np.float32)
        device = session.input_device(past[0])
        self.buffers: list[NDArray[np.floating]] = []
        for before, after in zip(past, present, strict=True):
            buffer = np.zeros(shape, dtype)
            value = ort.OrtValue.ortvalue_from_numpy(buffer, *device)  # on the CPU the same memory
            self.binding.bind_ortvalue_input(before, value)
            self.binding.bind_ortvalue_output(after, value)
            self.buffers.append(buffer)
        self.logits = np.zeros((rows, 1, config.vocab_size), np.float32)
        self.binding.bind_ortvalue_output(config.logits, ort.OrtValue.ortvalue_from_numpy(self.logits))

    def copy_from(self, single: Rows, length_tokens: int) -> None:
        """Every row becomes a copy of the one row of ``single``, of which so many tokens are held."""
        for one, many in zip(single.buffers, self.buffers, strict=True):
            many[:, :, :length_tokens] = one[:, :, :length_tokens]

    def choose(self, parents: Sequence[int], length_tokens: int) -> None:
        """Row n becomes a copy of row ``parents[n]``."""
        moved = [row for row, parent in enumerate(parents) if row != parent]
        if moved:
            sources = [parents[row] for row in moved]
            for buffer in self.buffers:
                held = buffer[:, :, :length_tokens]
                held[moved] = held[sources]

    def close(self) -> None:
        """Let go of the buffers."""
        self.binding.clear_binding_inputs()
        self.binding.clear_binding_outputs()
        self.buffers = []
