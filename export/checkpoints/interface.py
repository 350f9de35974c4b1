"""What every checkpoint reader offers, whatever the file format.

In: nothing but types. Out: :class:`Checkpoint`, the names by which its tensors are asked for, and the frozen
values that describe a model. Names follow ``export/nn/language.py``, with one difference: matrices that the
module fuses (``qkv``, ``gate_up``) are read by their parts, since files keep them apart and may quantise
them differently; :func:`parts_of` tells which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from export.checkpoints.blocks import QuantisedTensor
from export.config import LanguageConfig

_FUSED = {"qkv": ("q", "k", "v"), "gate_up": ("gate", "up")}


@dataclass(frozen=True)
class SpecialTokens:
    """Ids with a meaning; ``eos_ids`` are all tokens that end an answer, the main one first."""

    bos_id: int | None
    eos_ids: tuple[int, ...]
    pad_id: int | None


@dataclass(frozen=True)
class ModelInfo:
    """What a checkpoint says about itself; empty where it says nothing. Untrusted text."""

    name: str
    licence: str
    languages: tuple[str, ...]


@dataclass(frozen=True)
class TokenizerFiles:
    """Contents of the two files that a pack holds for its tokenizer; the template is inside the second."""

    tokenizer_json: str
    tokenizer_config_json: str


class Checkpoint(Protocol):
    """One model on disk. Tensors are read when asked for, one at a time."""

    @property
    def config(self) -> LanguageConfig:
        """Sizes and switches of the model."""
        ...

    @property
    def info(self) -> ModelInfo:
        """Name, licence and languages, as the checkpoint states them."""
        ...

    @property
    def special_tokens(self) -> SpecialTokens:
        """Beginning, end and padding."""
        ...

    @property
    def chat_template(self) -> str:
        """The jinja2 chat template, empty if there is none. Untrusted."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that :meth:`read` takes, all of them, in the order of the model."""
        ...

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, matrices as [output size, input size]."""
        ...

    def quantised(self, name: str) -> QuantisedTensor | None:
        """The same tensor exactly as stored, or None where it is stored as floating point."""
        ...

    def tokenizer_files(self) -> TokenizerFiles:
        """The tokenizer, in the form that the ``tokenizers`` library reads."""
        ...


def parts_of(name: str) -> tuple[str, ...]:
    """The names under which a checkpoint holds a parameter of the module; itself if it is not fused."""
    owner, _, field = name.rpartition(".")
    owner, _, last = owner.rpartition(".")
    return tuple(f"{owner}.{part}.{field}" for part in _FUSED[last]) if last in _FUSED else (name,)


def expected_shapes(config: LanguageConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor that a checkpoint of this configuration must hold, with its shape."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {"embedding.weight": (config.vocab_size, hidden)}
    for layer in range(config.layers):
        block = f"blocks.{layer}"
        shapes[f"{block}.attention_norm.weight"] = (hidden,)
        for part, rows in (("q", config.query_size), ("k", config.kv_size), ("v", config.kv_size)):
            shapes[f"{block}.attention.{part}.weight"] = (rows, hidden)
            if config.qkv_bias:
                shapes[f"{block}.attention.{part}.bias"] = (rows,)
        if config.qk_norm:
            shapes[f"{block}.attention.core.q_norm.weight"] = (config.head_size,)
            shapes[f"{block}.attention.core.k_norm.weight"] = (config.head_size,)
        shapes[f"{block}.attention.output.weight"] = (hidden, config.query_size)
        shapes[f"{block}.mlp_norm.weight"] = (hidden,)
        shapes[f"{block}.mlp.gate.weight"] = (inner, hidden)
        shapes[f"{block}.mlp.up.weight"] = (inner, hidden)
        shapes[f"{block}.mlp.down.weight"] = (hidden, inner)
    shapes["norm.weight"] = (hidden,)
    if not config.tied_head:
        shapes["head.weight"] = (config.vocab_size, hidden)
    return shapes


def check_tensors(
    expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]], source: str
) -> None:
    """Compare names and shapes, both in the file's own names; names the first tensors that do not fit."""
    hint = "The file is damaged or belongs to another kind of model; get it again or choose another model."
    if missing := [name for name in expected if name not in found]:
        raise EngineError(
            "{source} lacks {count} tensor(s), among them {names}.",
            hint,
            source=source,
            count=len(missing),
            names=_some(missing),
        )
    if extra := [name for name in found if name not in expected]:
        raise EngineError(
            "{source} holds {count} tensor(s) that Pollux does not know, among them {names}.",
            hint,
            source=source,
            count=len(extra),
            names=_some(extra),
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise EngineError(
                "In {source}, the tensor {name} has the shape {found} instead of {expected}.",
                hint,
                source=source,
                name=name,
                found=list(found[name]),
                expected=list(shape),
            )


def _some(names: list[str]) -> str:
    return ", ".join(name[:80] for name in names[:3])
