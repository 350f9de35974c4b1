"""What every reader of a Whisper checkpoint offers, whatever the file format.

In: nothing but types. Out: :class:`WhisperCheckpoint`, whose tensors have the names and shapes of
``export/nn/whisper.py``; and what readers share: the shapes, the putting together of matrices that most files keep
apart, and the checking of the tokenizer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engine.errors import EngineError
from export.checkpoints.interface import ModelInfo
from export.whisper_config import GenerationInfo, WhisperConfig, unusable, upper_half

_FUSED = {"qkv": ("q", "k", "v"), "kv": ("k", "v")}
# Without these no transcription can even begin.
_NEEDED_TOKENS = ("<|endoftext|>", "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>")


class WhisperCheckpoint(ABC):
    """One speech model on disk. Tensors are read when asked for, one at a time.

    Constructors raise :class:`EngineError` when a file is missing or damaged, or when the tensors are not exactly
    those that the configuration calls for.
    """

    config: WhisperConfig
    info: ModelInfo
    generation: GenerationInfo

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that :meth:`read` takes: every parameter of the module."""
        return tuple(whisper_shapes(self.config))

    @abstractmethod
    def read(self, name: str) -> NDArray[np.float32]:
        """One parameter of the module in fp32, matrices as [output size, input size]."""

    @abstractmethod
    def tokenizer_json(self) -> str:
        """The tokenizer, in the form that the ``tokenizers`` library reads; checked against the model."""


def whisper_shapes(config: WhisperConfig) -> dict[str, tuple[int, ...]]:
    """Every parameter of the module, with its shape."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str) -> None:
        shapes.update({f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)})

    def linear(name: str, rows: int, columns: int) -> None:
        shapes.update({f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)})

    def layers(side: str, count: int) -> None:
        for block in (f"{side}.blocks.{layer}" for layer in range(count)):
            norm(f"{block}.attention_norm")
            linear(f"{block}.attention.qkv", 3 * hidden, hidden)
            linear(f"{block}.attention.output", hidden, hidden)
            if side == "decoder":
                norm(f"{block}.cross_norm")
                linear(f"{block}.cross.q", hidden, hidden)
                linear(f"{block}.cross.kv", 2 * hidden, hidden)
                linear(f"{block}.cross.output", hidden, hidden)
            norm(f"{block}.mlp_norm")
            linear(f"{block}.mlp.up", inner, hidden)
            linear(f"{block}.mlp.down", hidden, inner)
        norm(f"{side}.norm")

    for name, channels in (("conv1", config.mels), ("conv2", hidden)):
        shapes[f"encoder.{name}.weight"] = (hidden, channels, 3)
        shapes[f"encoder.{name}.bias"] = (hidden,)
    shapes["encoder.positions"] = (config.audio_context_frames, hidden)
    layers("encoder", config.encoder_layers)
    shapes["decoder.embedding.weight"] = (config.vocab_size, hidden)
    shapes["decoder.positions"] = (config.text_context_tokens, hidden)
    layers("decoder", config.decoder_layers)
    return shapes


def parts_of(name: str) -> tuple[str, ...]:
    """The matrices of which a parameter of the module is made, where files keep them apart; itself if one."""
    owner, _, field = name.rpartition(".")
    owner, _, last = owner.rpartition(".")
    return tuple(f"{owner}.{part}.{field}" for part in _FUSED[last]) if last in _FUSED else (name,)


def split_shapes(config: WhisperConfig) -> dict[str, tuple[int, ...]]:
    """The shapes of all parts, without the keys' biases, which no such file holds: they are zero."""
    return {
        part: (shape[0] // len(parts), *shape[1:])
        for name, shape in whisper_shapes(config).items()
        for parts in (parts_of(name),)
        for part in parts
        if not part.endswith(".k.bias")
    }


def read_split(name: str, read: Callable[[str], NDArray[np.float32]]) -> NDArray[np.float32]:
    """A parameter of the module out of its parts, which ``read`` takes by the names of :func:`parts_of`."""
    parts = parts_of(name)
    if len(parts) == 1:
        return read(name)
    arrays = {part: read(part) for part in parts if not part.endswith(".k.bias")}
    zeros = np.zeros_like(next(iter(arrays.values())))
    return np.concatenate([arrays.get(part, zeros) for part in parts])


def generation_info(
    values: Mapping[str, Any], config: WhisperConfig, suppress: str, begin: str, is_multilingual: bool
) -> GenerationInfo:
    """From JSON of a checkpoint: ``suppress`` and ``begin`` are the keys of its two lists of tokens.

    Heads that the file does not name are all those of the upper half. Raises :class:`EngineError` for nonsense.
    """
    heads = values.get("alignment_heads")
    if heads is None:
        pairs = upper_half(config)
    else:
        if not isinstance(heads, list) or not all(_are_ids(pair) and len(pair) == 2 for pair in heads):
            raise unusable("alignment_heads are not pairs of layer and head")
        pairs = tuple((pair[0], pair[1]) for pair in heads)
    lists = []
    for key in (suppress, begin):
        tokens = values.get(key) or []
        if not _are_ids(tokens):
            raise unusable(f"{key} is not a list of tokens")
        # -1 is how some files say "the usual ones, which I list in other places".
        lists.append(tuple(token for token in tokens if token != -1))
    return GenerationInfo(pairs, *lists, is_multilingual=is_multilingual).check(config)


def check_tokenizer(text: str, config: WhisperConfig) -> str:
    """The text of a ``tokenizer.json`` itself; :class:`EngineError` when it cannot belong to this model."""
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises nothing more exact
        raise unusable_tokenizer(str(error)[:160]) from error
    if missing := [token for token in _NEEDED_TOKENS if tokenizer.token_to_id(token) is None]:
        raise unusable_tokenizer(f"it lacks {missing[0]}")
    if tokenizer.get_vocab_size() > config.vocab_size:
        raise unusable_tokenizer(
            f"it has {tokenizer.get_vocab_size()} tokens, and the model knows {config.vocab_size}"
        )
    return text


def unusable_tokenizer(reason: str) -> EngineError:
    """For a tokenizer that nobody could read, or that belongs to another model."""
    return EngineError(
        "The model's tokenizer cannot be used: {reason}.",
        "The file is damaged or belongs to another model; download the model again.",
        reason=reason,
    )


def _are_ids(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int) and not isinstance(value, bool) for value in values
    )
