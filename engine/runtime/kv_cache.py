"""What the model remembers of the tokens it has read: keys and values of every layer.

In: the session's cache tensors and the ids that were run. Out: buffers bound to the next run, and how much of a
new prompt need not be read again.

Shapes: ``[1, G, P, D]`` (G KV heads, P past tokens, D head size), two for each layer. Two kinds of graph:

- shared: one buffer for C tokens is bound both as past and as present, and the graph writes into it in place
  (GroupQueryAttention). No copy a token; C grows by doubling, so that a short chat needs little memory.
- separate: the graph returns past and present as new tensors, which become the past of the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort

from engine.runtime.session import Session, fits_memory, out_of_memory

FIRST_CAPACITY_TOKENS = 512


@dataclass(frozen=True)
class KVLayout:
    """Names, one past and one present for each cache tensor; G, D and the element type are of all of them."""

    past_names: tuple[str, ...]
    present_names: tuple[str, ...]
    heads: int
    head_size: int
    dtype: np.dtype

    def bytes_for(self, tokens: int) -> int:
        """Memory for so many tokens."""
        return len(self.past_names) * self.heads * self.head_size * tokens * self.dtype.itemsize


class KVCache:
    """The ids that were read, and where the model keeps what it made of them."""

    def __init__(self, session: Session, layout: KVLayout, binding: ort.IOBinding, limit_tokens: int) -> None:
        self.layout = layout
        self.limit_tokens = limit_tokens
        self.ids: list[int] = []
        self._session = session
        self._binding = binding
        self._device = session.input_device(layout.past_names[0])

    @property
    def length(self) -> int:
        """Tokens that are held."""
        return len(self.ids)

    def match(self, ids: Sequence[int]) -> int:
        """How many tokens at the beginning of ``ids`` are held already; the last one is never counted.

        The model has to run at least one token to say what comes next.
        """
        most = min(len(ids) - 1, len(self.ids))
        return next((at for at in range(most) if ids[at] != self.ids[at]), max(most, 0))

    def truncate(self, length: int) -> None:
        """Forget all but the first ``length`` tokens."""
        del self.ids[length:]

    def prepare(self, new_tokens: int) -> None:
        """Make room for a run of so many tokens and bind the buffers."""
        raise NotImplementedError

    def commit(self, ids: Sequence[int]) -> None:
        """The run over ``ids`` is done: they are held from now on."""
        self.ids.extend(ids)

    def close(self) -> None:
        """Let go of the buffers."""
        self.ids = []

    def _value(self, array: np.ndarray) -> ort.OrtValue:
        """An array where the session wants it; on the CPU it is used as it is, not copied."""
        kind, number = self._device
        return ort.OrtValue.ortvalue_from_numpy(array, kind, number)

    def _room_for(self, bytes_: int) -> None:
        if not fits_memory(bytes_):
            raise out_of_memory(self._session.path.parent.name)


class SharedKV(KVCache):
    """Buffers that the graph writes into in place."""

    def __init__(self, session: Session, layout: KVLayout, binding: ort.IOBinding, limit_tokens: int) -> None:
        super().__init__(session, layout, binding, limit_tokens)
        self.capacity_tokens = 0
        self._values: list[ort.OrtValue] = []

    def prepare(self, new_tokens: int) -> None:
        needed = self.length + new_tokens
        if needed > self.capacity_tokens:
            grown = False
            try:
                self._grow(needed)
                grown = True
            finally:
                if not grown:  # some tensors are new and some old: begin again with the next run
                    self.close()

    def close(self) -> None:
        super().close()
        self._values = []
        self.capacity_tokens = 0

    def _grow(self, needed: int) -> None:
        capacity = max(self.capacity_tokens, FIRST_CAPACITY_TOKENS)
        while capacity < needed:
            capacity *= 2
        layout, held = self.layout, self.length
        if not fits_memory(layout.bytes_for(capacity)):
            capacity = needed + FIRST_CAPACITY_TOKENS  # a smaller step, while that is possible
        capacity = max(needed, min(capacity, self.limit_tokens))
        self._room_for(layout.bytes_for(capacity) - layout.bytes_for(self.capacity_tokens))
        shape = (1, layout.heads, capacity, layout.head_size)
        names = zip(layout.past_names, layout.present_names, strict=True)
        for index, (past, present) in enumerate(names):
            buffer = np.zeros(shape, layout.dtype)  # memory is taken only where it is written
            if held:
                buffer[:, :, :held] = self._values[index].numpy()[:, :, :held]
            value = self._value(buffer)
            # One by one, so that old and new exist together for one tensor only.
            self._binding.bind_ortvalue_input(past, value)
            self._binding.bind_ortvalue_output(present, value)
            if self._values and len(self._values) > index:
                self._values[index] = value
            else:
                self._values.append(value)
        self.capacity_tokens = capacity


class SeparateKV(KVCache):
    """The graph's outputs become its next inputs."""

    def __init__(self, session: Session, layout: KVLayout, binding: ort.IOBinding, limit_tokens: int) -> None:
        super().__init__(session, layout, binding, limit_tokens)
        self._values: list[ort.OrtValue] = []
        self._value_tokens = -1

    def prepare(self, new_tokens: int) -> None:
        if self._value_tokens != self.length:
            self._shorten()
        # Past and present exist together while the graph runs.
        if (self.length + new_tokens) % FIRST_CAPACITY_TOKENS < new_tokens:
            self._room_for(self.layout.bytes_for(self.length + new_tokens))
        for name, value in zip(self.layout.past_names, self._values, strict=True):
            self._binding.bind_ortvalue_input(name, value)
        for name in self.layout.present_names:
            self._binding.bind_output(name, *self._device)

    def commit(self, ids: Sequence[int]) -> None:
        super().commit(ids)
        # Outputs come in the order in which they were bound: the logits first, then ours.
        self._values = self._binding.get_outputs()[-len(self.layout.present_names) :]
        self._value_tokens = self.length

    def close(self) -> None:
        super().close()
        self._values = []
        self._value_tokens = -1

    def _shorten(self) -> None:
        layout, held = self.layout, self.length
        empty = np.zeros((1, layout.heads, 0, layout.head_size), layout.dtype)
        self._values = [
            self._value(np.ascontiguousarray(self._values[index].numpy()[:, :, :held]) if held else empty)
            for index in range(len(layout.past_names))
        ]
        self._value_tokens = held
