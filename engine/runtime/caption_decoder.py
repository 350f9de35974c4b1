"""The captioner's decoder: a prefix of embeddings and ids in, logits and attention out.

In: the graph ``model.onnx`` of a captioner pack. Out: logits ``[V]``, or ``[B, V]`` for texts side by side, and which of
the tokens before it each token looked at. Legend: Q embeddings of the prefix, T ids, S all tokens so far, C hidden size,
V vocabulary, B rows.

    prefix_embeds [B, Q, C]   input_ids [B, T]   attention_mask [B, S]   past_key_values.* (buffers)
    logits [B, 1, V]   token_weights [B, Q+T, S]   present.* (the same buffers)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.genai_config import GenaiConfig
from engine.packs import Pack
from engine.runtime.rows import Rows
from engine.runtime.session import Session

PREFIX_INPUT = "prefix_embeds"
WEIGHTS_OUTPUT = "token_weights"


class CaptionDecoder:
    """One graph and its buffers. Not for two threads at once."""

    def __init__(self, session: Session, pack: Pack, capacity_tokens: int) -> None:
        """``capacity_tokens``: prefix, prompt and caption have at most so many tokens together."""
        config = pack.config
        _check(session, config, pack.display_name)
        self._session, self._config, self._capacity = session, config, capacity_tokens
        self._single = Rows(session, config, 1, capacity_tokens)
        self._many: Rows | None = None
        self._length = 0

    def begin(self, prefix: NDArray[np.float32], ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Forget everything and read ``prefix`` [Q, C] and ``ids``: the logits [V] after them."""
        self._read(prefix, ids, cancel)
        return self._single.logits[0, 0].copy()

    def weights(self, prefix: NDArray[np.float32], ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Read the same, and a text: where each token looked, fp32 [Q+T, Q+T], rows sum to 1."""
        return self._read(prefix, ids, cancel)[0]

    def branch(self, rows: int) -> None:
        """Go on with ``rows`` copies of what was read, each with a text of its own from here on."""
        if self._many is None or self._many.rows != rows:
            self._many = Rows(self._session, self._config, rows, self._capacity)
        self._many.copy_from(self._single, self._length)

    def advance(self, ids: Sequence[int], parents: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        """Row n takes over the text of row ``parents[n]`` and reads ``ids[n]``: the logits [B, V]."""
        assert self._many is not None
        self._many.choose(parents, self._length)
        nothing = np.zeros((len(ids), 0, self._config.hidden_size), np.float32)
        self._run(self._many, nothing, np.array(ids, np.int64)[:, None], cancel)
        return self._many.logits[:, 0]

    def close(self) -> None:
        """Let go of all buffers."""
        self._single.close()
        if self._many is not None:
            self._many.close()
        self._session.close()

    def _read(self, prefix: NDArray[np.float32], ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        self._length = 0
        return self._run(self._single, prefix[None], np.array([ids], np.int64), cancel)

    def _run(
        self, rows: Rows, prefix: NDArray[np.float32], ids: NDArray[np.int64], cancel: Cancel
    ) -> NDArray[np.float32]:
        total = self._length + prefix.shape[1] + ids.shape[1]
        if total > self._capacity:
            raise ValueError("the caption is longer than its buffers")
        binding = rows.binding
        binding.bind_cpu_input(PREFIX_INPUT, np.ascontiguousarray(prefix, np.float32))
        binding.bind_cpu_input(self._config.input_ids, ids)
        binding.bind_cpu_input(self._config.attention_mask, np.ones((rows.rows, total), np.int64))
        binding.bind_output(WEIGHTS_OUTPUT)
        self._session.run(binding, cancel)
        self._length = total
        return binding.get_outputs()[-1].numpy()


def _check(session: Session, config: GenaiConfig, model: str) -> None:
    layers = range(config.num_hidden_layers)
    past = [name for n in layers for name in (config.past_key(n), config.past_value(n))]
    present = [name for n in layers for name in (config.present_key(n), config.present_value(n))]
    wanted = {config.input_ids, config.attention_mask, PREFIX_INPUT, *past}
    missing = wanted ^ set(session.inputs) or {config.logits, WEIGHTS_OUTPUT, *present} - set(session.outputs)
    if missing:
        raise EngineError(
            "The image model {model} is laid out in a way that Pollux cannot run: {name}.",
            "Get the model again, or build it with the exporter of Pollux.",
            model=model,
            name=min(missing),
        )
