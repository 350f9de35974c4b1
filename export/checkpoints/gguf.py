"""Reads a language model out of one GGUF file.

In: the path of a ``.gguf`` file. Out: a :class:`export.checkpoints.interface.Checkpoint`. The file stays on disk
behind a memory map; a tensor costs memory only while somebody holds it. The file is untrusted: whatever
is wrong with it ends as an :class:`EngineError`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from gguf.quants import dequantize
from numpy.typing import NDArray

from engine.errors import EngineError
from export import tokenizer
from export.checkpoints import blocks
from export.checkpoints.gguf_header import read_gguf
from export.checkpoints.interface import (
    ModelInfo,
    SpecialTokens,
    TokenizerFiles,
    check_tensors,
    expected_shapes,
)
from export.config import GGUF_FAMILIES, LanguageConfig

_LAYER = re.compile(r"blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.core.q_norm": "attn_q_norm",
    "attention.core.k_norm": "attn_k_norm",
    "attention.output": "attn_output",
    "mlp_norm": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
}
_OTHER_NAMES = {
    "embedding.weight": "token_embd.weight",
    "norm.weight": "output_norm.weight",
    "head.weight": "output.weight",
}
_ROPE_DIVISORS = "rope_freqs.weight"


class GgufCheckpoint:
    """A language model in a GGUF file; see :class:`export.checkpoints.interface.Checkpoint`.

    Raises :class:`EngineError` on construction when the file is no GGUF, is cut short, or does not hold
    exactly the tensors that its own configuration calls for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        file = read_gguf(path)
        self._tensors = file.tensors
        self.metadata = file.metadata
        shapes = {name: tensor.shape for name, tensor in file.tensors.items()}
        divisors = ()
        if _ROPE_DIVISORS in shapes:
            divisors = tuple(float(value) for value in self._dequantised(_ROPE_DIVISORS))
        self._config = LanguageConfig.from_gguf(self.metadata, shapes, divisors)
        self._permuted = GGUF_FAMILIES[self._config.architecture]
        expected = expected_shapes(self._config)
        shapes.pop(_ROPE_DIVISORS, None)
        check_tensors({gguf_name(name): shape for name, shape in expected.items()}, shapes, path.name)
        self._names = tuple(expected)

    @property
    def config(self) -> LanguageConfig:
        """Sizes and switches of the model."""
        return self._config

    @property
    def info(self) -> ModelInfo:
        """Name, licence and languages, as the file states them."""
        languages = self.metadata.get("general.languages", [])
        return ModelInfo(
            name=str(self.metadata.get("general.name", "")),
            licence=str(self.metadata.get("general.license", "")),
            languages=tuple(str(code) for code in languages) if isinstance(languages, list) else (),
        )

    @property
    def special_tokens(self) -> SpecialTokens:
        """Beginning, end and padding."""
        return tokenizer.special_tokens(self.metadata)

    @property
    def chat_template(self) -> str:
        """The jinja2 chat template, empty if there is none. Untrusted."""
        return str(self.metadata.get("tokenizer.chat_template", ""))

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that :meth:`read` takes."""
        return self._names

    def format_of(self, name: str) -> str:
        """How a tensor is stored: ``F32``, ``Q4_K`` and so on."""
        return self._tensors[gguf_name(name)].format.name

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, matrices as [output size, input size]; q and k in half-split rotary order."""
        weights = self._dequantised(gguf_name(name))
        rows = self._row_order(name)
        return weights if rows is None else weights[rows]

    def quantised(self, name: str) -> blocks.QuantisedTensor | None:
        """The same tensor exactly as stored, or None where the format has no scale and minimum a block."""
        tensor = self._tensors[gguf_name(name)]
        if tensor.raw.ndim != 2:
            return None
        rows = self._row_order(name)
        raw = tensor.raw if rows is None else tensor.raw[rows]
        return blocks.unpack(raw, tensor.format.name)

    def tokenizer_files(self) -> TokenizerFiles:
        """The tokenizer, in the form that the ``tokenizers`` library reads."""
        return tokenizer.tokenizer_files(self.metadata, self._config.context_tokens)

    def _dequantised(self, gguf_name: str) -> NDArray[np.float32]:
        tensor = self._tensors[gguf_name]
        if tensor.raw.ndim == 2 and (parts := blocks.unpack(tensor.raw, tensor.format.name)):
            return parts.dequantised()  # the same numbers as the library's, several times as fast
        try:
            return np.array(dequantize(tensor.raw, tensor.format), dtype=np.float32)
        except NotImplementedError:
            raise EngineError(
                "The tensor {name} of {file} is stored as {format}, which cannot be read.",
                "Get the model in another quantisation, such as Q4_K_M or Q8_0.",
                name=gguf_name,
                file=self._path.name,
                format=tensor.format.name,
            ) from None

    def _row_order(self, name: str) -> NDArray[np.intp] | None:
        """Where each row of our q or k stands in the file; None where the order is the same.

        Files of the llama family hold the rows of a head for rotary pairs that are neighbours (0,1), (2,3)
        ...; ours are (0, D/2), (1, D/2 + 1) ... See ``permute`` in llama.cpp's ``convert_hf_to_gguf.py``.
        """
        match = _LAYER.fullmatch(name)
        part = match.group(2) if match else ""
        if not self._permuted or part not in ("attention.q", "attention.k"):
            return None
        heads = self._config.heads if part == "attention.q" else self._config.kv_heads
        size = self._config.head_size
        return np.arange(heads * size).reshape(heads, size // 2, 2).swapaxes(1, 2).ravel()


def gguf_name(name: str) -> str:
    """The name that GGUF files give to one of our tensors."""
    match = _LAYER.fullmatch(name)
    if match is None:
        return _OTHER_NAMES[name]
    layer, part, field = match.groups()
    return f"blk.{layer}.{_LAYER_NAMES[part]}.{field}"
