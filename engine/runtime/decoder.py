"""Ids in, logits out: the loop around one decoder graph.

In: ids (int) and a session whose graph has the inputs of ONNX Runtime GenAI's decoders. Out: the logits ``[V]`` after
the last id, float32. Legend: B batch (always 1), T new tokens, P past tokens, V vocabulary, C hidden size.

    input_ids [B, T] or inputs_embeds [B, T, C]   attention_mask [B, P+T]   position_ids [B, T]   past_key_values.* [B, G, P, D]
    logits [B, 1, V] or [B, T, V]   present.* [B, G, P+T, D]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.genai_config import GenaiConfig
from engine.results import Progress
from engine.runtime.kv_cache import KVCache, KVLayout, SeparateKV, SharedKV
from engine.runtime.session import ORT_ERRORS, Interrupted, Session

# Measured faster than one piece, and short enough to say how far it is.
PREFILL_CHUNK_TOKENS = 128
Embed = Callable[[Sequence[int]], NDArray[np.floating]]  # T ids -> [1, T, C]
# Inputs that are numbers about the lengths, which some graphs want spelled out: name -> what it is.
LENGTH_INPUTS = ("past_sequence_length", "past_seq_len", "total_sequence_length", "total_seq_len")


class Decoder:
    """One graph, its cache and its bound buffers. Not for two threads at once."""

    def __init__(
        self, session: Session, config: GenaiConfig, limit_tokens: int, embed: Embed | None = None
    ) -> None:
        """``embed`` is for a graph that takes embeddings; ids may then be any numbers that it knows.

        Raises EngineError where the graph's inputs and outputs are not those of a decoder.
        """
        self._session = session
        self._config = config
        self._model = session.path.parent.name
        self._embed = embed
        self._tokens_input = config.input_ids if embed is None else config.inputs_embeds
        self._check_inputs()
        self._binding = session.binding()
        self._tokens_type = self._number_type(self._tokens_input, "i" if embed is None else "f")
        # Ones for the whole context, of which each run binds the beginning.
        self._mask = (
            np.ones((1, limit_tokens + 1), self._integer_type(config.attention_mask))
            if config.attention_mask in session.inputs
            else None
        )
        self._position_type = (
            self._integer_type(config.position_ids) if config.position_ids in session.inputs else None
        )
        self._lengths = [name for name in LENGTH_INPUTS if name in session.inputs]
        self._logits_type, self._one_position = self._logits_info()
        self._logits: np.ndarray | None = None  # [1, 1, V], bound to the output
        self._logits_value: ort.OrtValue | None = None
        self._binding.bind_output(config.logits)
        kv = SharedKV if config.past_present_share_buffer else SeparateKV
        self.cache: KVCache = kv(session, self._kv_layout(), self._binding, limit_tokens)

    def try_out(self) -> None:
        """Run one token and forget it: shows whether the device can, and learns the vocabulary's size."""
        first = self._config.bos_token_id
        self.step(0 if first is None or first >= self._config.vocab_size else first, Cancel())
        self.cache.truncate(0)

    def prefill(self, ids: Sequence[int], cancel: Cancel) -> Iterator[Progress]:
        """Read ``ids``, of which a prefix may be held already; then :attr:`logits` are what comes next.

        Raises Interrupted when cancelled; what was read until then stays held.
        """
        kept = self.cache.match(ids)
        self.cache.truncate(kept)
        total = len(ids) - kept
        yield Progress("prefill", 0, total, "tokens")
        for start in range(kept, len(ids), PREFILL_CHUNK_TOKENS):
            chunk = ids[start : start + PREFILL_CHUNK_TOKENS]
            self._run(chunk, cancel)
            yield Progress("prefill", start + len(chunk) - kept, total, "tokens")

    def step(self, token_id: int, cancel: Cancel) -> NDArray[np.float32]:
        """Read one more token; the logits after it. Raises Interrupted when cancelled."""
        self._run((token_id,), cancel)
        return self.logits

    @property
    def logits(self) -> NDArray[np.float32]:
        """``[V]`` after the last token that was read; overwritten by the next run."""
        if self._logits is None:
            raise RuntimeError("nothing was run yet")
        return self._logits[0, -1].astype(np.float32, copy=False)

    def close(self) -> None:
        """Let go of all buffers."""
        self.cache.close()
        self._binding.clear_binding_inputs()
        self._binding.clear_binding_outputs()
        self._logits = self._logits_value = self._mask = None

    def _run(self, ids: Sequence[int], cancel: Cancel) -> None:
        if cancel.is_set:
            raise Interrupted
        new, past = len(ids), self.cache.length
        binding, config = self._binding, self._config
        tokens = np.asarray([ids]) if self._embed is None else self._embed(ids)
        tokens = np.ascontiguousarray(tokens, self._tokens_type)
        binding.bind_cpu_input(self._tokens_input, tokens)
        if self._mask is not None:
            binding.bind_cpu_input(config.attention_mask, self._mask[:, : past + new])
        if self._position_type is not None:
            positions = np.arange(past, past + new, dtype=self._position_type)[None]
            binding.bind_cpu_input(config.position_ids, positions)
        for name in self._lengths:
            self._bind_length(name, past if name.startswith("past") else past + new)
        bound = (new == 1 or self._one_position) and self._logits_value is not None
        if bound:
            binding.bind_ortvalue_output(config.logits, self._logits_value)
        else:
            binding.bind_output(config.logits)
        try:
            self.cache.prepare(new)
        except ORT_ERRORS as error:  # no memory, here or on the device
            raise self._session.failure(error) from error
        self._session.run(binding, cancel)
        self.cache.commit(ids)
        if not bound:
            self._keep_logits(binding.get_outputs()[0].numpy())

    def _keep_logits(self, logits: np.ndarray) -> None:
        """Copy the last position into the buffer that later runs write to themselves."""
        last = logits[:, -1:]
        if self._logits is None:
            self._logits = np.ascontiguousarray(last).copy()
            self._logits_value = ort.OrtValue.ortvalue_from_numpy(self._logits)
        else:
            self._logits[:] = last

    def _bind_length(self, name: str, value: int) -> None:
        info = self._session.inputs[name]
        shape = [1] * len(info.shape)
        self._binding.bind_cpu_input(name, np.full(shape, value, self._integer_type(name)))

    def _check_inputs(self) -> None:
        config, layers = self._config, range(self._config.num_hidden_layers)
        past = {config.past_key(n) for n in layers} | {config.past_value(n) for n in layers}
        present = {config.present_key(n) for n in layers} | {config.present_value(n) for n in layers}
        inputs, outputs = set(self._session.inputs), set(self._session.outputs)
        lacking = ({self._tokens_input} | past) - inputs or ({config.logits} | present) - outputs
        if lacking:
            raise self._unusable(
                "The model {model} has no {name}, which its genai_config.json announces.", min(lacking)
            )
        known = {self._tokens_input, config.attention_mask, config.position_ids, *past, *LENGTH_INPUTS}
        if unknown := inputs - known:
            raise self._unusable(
                "The model {model} wants an input that Pollux does not know: {name}.", min(unknown)
            )

    def _integer_type(self, name: str) -> np.dtype:
        return self._number_type(name, "i")

    def _number_type(self, name: str, kind: str) -> np.dtype:
        dtype = self._session.inputs[name].dtype
        if dtype is None or dtype.kind != kind:
            message = "The input {name} of the model {model} does not hold whole numbers."
            if kind == "f":
                message = "The input {name} of the model {model} does not hold embeddings."
            raise self._unusable(message, name)
        return dtype

    def _logits_info(self) -> tuple[np.dtype, bool]:
        info = self._session.outputs[self._config.logits]
        if info.dtype is None or info.dtype.kind != "f" or len(info.shape) != 3:
            raise self._unusable("The output {name} of the model {model} does not hold logits.", info.name)
        return info.dtype, info.shape[1] == 1

    def _kv_layout(self) -> KVLayout:
        config = self._config
        past: list[str] = []
        present: list[str] = []
        for layer in range(config.num_hidden_layers):
            past += [config.past_key(layer), config.past_value(layer)]
            present += [config.present_key(layer), config.present_value(layer)]
        infos = [self._session.inputs[name] for name in past]
        heads, size, dtype = config.num_key_value_heads, config.head_size, infos[0].dtype
        for info in infos:
            if (
                info.dtype is None
                or info.dtype.kind != "f"
                or info.dtype != dtype
                or len(info.shape) != 4
                or info.shape[1] not in (None, heads)
                or info.shape[3] not in (None, size)
            ):
                raise self._unusable(
                    "The input {name} of the model {model} is not what its genai_config.json announces.",
                    info.name,
                )
        assert dtype is not None
        return KVLayout(tuple(past), tuple(present), heads, size, dtype)

    def _unusable(self, message: str, name: str) -> EngineError:
        return EngineError(message, "Use another model, or get this one again.", model=self._model, name=name)
