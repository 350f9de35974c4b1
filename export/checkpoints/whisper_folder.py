"""Reads a Whisper model out of a Hugging Face folder.

In: a folder with ``config.json``, ``model.safetensors`` (or its shards), ``generation_config.json`` and the tokenizer's
files, new (``tokenizer.json``) or old (``vocab.json`` and ``merges.txt``). Out: a
:class:`export.checkpoints.whisper.WhisperCheckpoint`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from export.checkpoints.folder import FolderTensors, damaged, read_json, read_text
from export.checkpoints.interface import ModelInfo, check_tensors
from export.checkpoints.whisper import (
    WhisperCheckpoint,
    check_tokenizer,
    generation_info,
    read_split,
    split_shapes,
    unusable_tokenizer,
)
from export.whisper_config import SMALLEST_MULTILINGUAL_VOCABULARY, WhisperConfig

_LAYER = re.compile(r"(encoder|decoder)\.blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "self_attn_layer_norm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.output": "self_attn.out_proj",
    "cross_norm": "encoder_attn_layer_norm",
    "cross.q": "encoder_attn.q_proj",
    "cross.k": "encoder_attn.k_proj",
    "cross.v": "encoder_attn.v_proj",
    "cross.output": "encoder_attn.out_proj",
    "mlp_norm": "final_layer_norm",
    "mlp.up": "fc1",
    "mlp.down": "fc2",
}
_OTHER_NAMES = {
    "encoder.positions": "encoder.embed_positions.weight",
    "encoder.norm.weight": "encoder.layer_norm.weight",
    "encoder.norm.bias": "encoder.layer_norm.bias",
    "decoder.embedding.weight": "decoder.embed_tokens.weight",
    "decoder.positions": "decoder.embed_positions.weight",
    "decoder.norm.weight": "decoder.layer_norm.weight",
    "decoder.norm.bias": "decoder.layer_norm.bias",
}
_REDUNDANT = re.compile(r"proj_out\.weight")  # a copy of the embedding
_CONTROL_TOKEN, _TIME_TOKEN = re.compile(r"<\|.*\|>"), re.compile(r"<\|\d+\.\d\d\|>")


class WhisperFolderCheckpoint(WhisperCheckpoint):
    """A Whisper model in a folder; see :class:`export.checkpoints.whisper.WhisperCheckpoint`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        values = read_json(folder / "config.json")
        self.config = WhisperConfig.from_hf(values)
        self._tensors = FolderTensors(folder, ignored=_REDUNDANT)
        expected = {whisper_hf_name(name): shape for name, shape in split_shapes(self.config).items()}
        check_tensors(expected, self._tensors.shapes, folder.name)
        generation = read_json(folder / "generation_config.json", optional=True)
        known: Any = generation.get("is_multilingual")
        self.info = ModelInfo(name=folder.resolve().name, licence="", languages=())
        self.generation = generation_info(
            values | generation,
            self.config,
            suppress="suppress_tokens",
            begin="begin_suppress_tokens",
            is_multilingual=known
            if isinstance(known, bool)
            else self.config.vocab_size >= SMALLEST_MULTILINGUAL_VOCABULARY,
        )

    def read(self, name: str) -> NDArray[np.float32]:
        """One parameter of the module in fp32."""
        return read_split(name, lambda part: self._tensors.read(whisper_hf_name(part)))

    def tokenizer_json(self) -> str:
        """The folder's own file, or one made of its vocabulary and merges."""
        file = self._folder / "tokenizer.json"
        if file.is_file() or not (self._folder / "vocab.json").is_file():
            return check_tokenizer(read_text(file), self.config)
        return check_tokenizer(_from_vocabulary(self._folder), self.config)


def whisper_hf_name(name: str) -> str:
    """The name that Hugging Face files give to one of our tensors, or to a part of one."""
    if match := _LAYER.fullmatch(name):
        side, layer, part, field = match.groups()
        return f"model.{side}.layers.{layer}.{_LAYER_NAMES[part]}.{field}"
    return f"model.{_OTHER_NAMES.get(name, name)}"


def _from_vocabulary(folder: Path) -> str:
    """A ``tokenizer.json`` out of ``vocab.json``, ``merges.txt`` and, where there is one, ``added_tokens.json``."""
    vocabulary = read_json(folder / "vocab.json")
    added = read_json(folder / "added_tokens.json", optional=True)
    for values, file in ((vocabulary, "vocab.json"), (added, "added_tokens.json")):
        if not all(isinstance(number, int) and number >= 0 for number in values.values()):
            raise damaged(folder / file, "it does not number its tokens")
    added |= {token: i for token, i in vocabulary.items() if _CONTROL_TOKEN.fullmatch(token)}
    lines = [line for line in read_text(folder / "merges.txt").split("\n") if line.strip()]
    merges = [tuple(line.split(" ")) for line in lines if not line.startswith("#version")]
    if not all(len(merge) == 2 for merge in merges):
        raise damaged(folder / "merges.txt", "a line does not hold two pieces")
    try:
        tokenizer = Tokenizer(models.BPE(vocabulary, [(merge[0], merge[1]) for merge in merges]))
    except Exception as error:  # the library raises nothing more exact
        raise unusable_tokenizer(str(error)[:160]) from error
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    for token, number in sorted(added.items(), key=lambda item: item[1]):
        # Times are printed text to whoever decodes; the other marks are not.
        special = _TIME_TOKEN.fullmatch(token) is None
        tokenizer.add_tokens([AddedToken(token, normalized=False, special=special)])
        if tokenizer.token_to_id(token) != number:
            raise unusable_tokenizer(f"{token[:40]} cannot be given the number {number}")
    return tokenizer.to_str()
