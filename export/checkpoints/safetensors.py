"""Reads a language model out of a Hugging Face folder.

In: a folder with ``config.json``, ``model.safetensors`` (or ``model.safetensors.index.json`` and its shards) and the
tokenizer's files. Out: a :class:`export.checkpoints.interface.Checkpoint`. Weights in fp32, fp16 or bf16; pickled
weights (``pytorch_model.bin``) are never opened, since a pickle can run code.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.checkpoints.blocks import QuantisedTensor
from export.checkpoints.folder import FolderTensors, damaged, read_json, read_text
from export.checkpoints.interface import (
    ModelInfo,
    SpecialTokens,
    TokenizerFiles,
    check_tensors,
    expected_shapes,
)
from export.config import LanguageConfig

_LAYER = re.compile(r"blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "input_layernorm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.core.q_norm": "self_attn.q_norm",
    "attention.core.k_norm": "self_attn.k_norm",
    "attention.output": "self_attn.o_proj",
    "mlp_norm": "post_attention_layernorm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}
_OTHER_NAMES = {
    "embedding.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "head.weight": "lm_head.weight",
}
# What old files store although it follows from the configuration.
_REDUNDANT = re.compile(r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq")


class FolderCheckpoint:
    """A language model in a folder; see :class:`export.checkpoints.interface.Checkpoint`.

    Raises :class:`EngineError` on construction when a file is missing or damaged, or when the tensors are not
    exactly those that the configuration calls for.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        values = read_json(folder / "config.json")
        self._config = LanguageConfig.from_hf(values)
        generation = read_json(folder / "generation_config.json", optional=True)
        self._ids = values | {key: value for key, value in generation.items() if value is not None}
        self._tensors = FolderTensors(folder, ignored=_REDUNDANT)
        found = dict(self._tensors.shapes)
        if self._config.tied_head:
            found.pop(_OTHER_NAMES["head.weight"], None)  # a copy of the embedding
        expected = expected_shapes(self._config)
        check_tensors({hf_name(name): shape for name, shape in expected.items()}, found, folder.name)
        self._names = tuple(expected)

    @property
    def config(self) -> LanguageConfig:
        """Sizes and switches of the model."""
        return self._config

    @property
    def info(self) -> ModelInfo:
        """The folder's name; licence and languages are only in prose, so they stay empty."""
        return ModelInfo(name=self._folder.name, licence="", languages=())

    @property
    def special_tokens(self) -> SpecialTokens:
        """Beginning, end and padding, from ``generation_config.json`` or else ``config.json``."""
        bos, pad = self._some_ids("bos_token_id"), self._some_ids("pad_token_id")
        return SpecialTokens(
            bos_id=bos[0] if bos else None,
            eos_ids=self._some_ids("eos_token_id"),
            pad_id=pad[0] if pad else None,
        )

    @property
    def chat_template(self) -> str:
        """The jinja2 chat template, empty if there is none. Untrusted."""
        file = self._folder / "chat_template.jinja"
        if file.is_file():
            return read_text(file)
        template = read_json(self._folder / "tokenizer_config.json", optional=True).get("chat_template")
        if isinstance(template, list):  # several templates by name
            named = {item.get("name"): item.get("template") for item in template if isinstance(item, dict)}
            template = named.get("default")
        return template if isinstance(template, str) else ""

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that :meth:`read` takes."""
        return self._names

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, matrices as [output size, input size]."""
        return self._tensors.read(hf_name(name))

    def quantised(self, name: str) -> QuantisedTensor | None:
        """None: these files hold floating point."""
        return None

    def tokenizer_files(self) -> TokenizerFiles:
        """The folder's own files, with the chat template moved into the second if it stands alone."""
        config = read_json(self._folder / "tokenizer_config.json", optional=True)
        config["chat_template"] = self.chat_template or None
        return TokenizerFiles(
            tokenizer_json=read_text(self._folder / "tokenizer.json"),
            tokenizer_config_json=json.dumps(config, ensure_ascii=False, indent=1),
        )

    def _some_ids(self, key: str) -> tuple[int, ...]:
        value = self._ids.get(key)
        ids = value if isinstance(value, list) else [] if value is None else [value]
        for number in ids:
            if not isinstance(number, int) or not 0 <= number < self._config.vocab_size:
                raise damaged(self._folder / "config.json", f"{key} is {value!r}")
        return tuple(ids)


def hf_name(name: str) -> str:
    """The name that Hugging Face files give to one of our tensors."""
    match = _LAYER.fullmatch(name)
    if match is None:
        return _OTHER_NAMES[name]
    layer, part, field = match.groups()
    return f"model.layers.{layer}.{_LAYER_NAMES[part]}.{field}"
