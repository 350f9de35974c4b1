"""Reads a Whisper checkpoint of OpenAI's own.

In: a ``.pt`` file with ``dims`` and ``model_state_dict``, and the ``tokenizer.json`` that must lie beside it, since the
file has none. Out: a :class:`export.checkpoints.whisper.WhisperCheckpoint`. The file is a pickle; PyTorch's
restricted loader takes tensors out of it and refuses everything that could run code.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engine.errors import EngineError
from export.checkpoints.folder import damaged, read_text
from export.checkpoints.interface import ModelInfo, check_tensors
from export.checkpoints.whisper import WhisperCheckpoint, check_tokenizer, read_split, split_shapes
from export.whisper_config import (
    SMALLEST_MULTILINGUAL_VOCABULARY,
    GenerationInfo,
    WhisperConfig,
    upper_half,
)

_LAYER = re.compile(r"(encoder|decoder)\.blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "attn_ln",
    "attention.q": "attn.query",
    "attention.k": "attn.key",
    "attention.v": "attn.value",
    "attention.output": "attn.out",
    "cross_norm": "cross_attn_ln",
    "cross.q": "cross_attn.query",
    "cross.k": "cross_attn.key",
    "cross.v": "cross_attn.value",
    "cross.output": "cross_attn.out",
    "mlp_norm": "mlp_ln",
    "mlp.up": "mlp.0",
    "mlp.down": "mlp.2",
}
_OTHER_NAMES = {
    "encoder.positions": "encoder.positional_embedding",
    "encoder.norm.weight": "encoder.ln_post.weight",
    "encoder.norm.bias": "encoder.ln_post.bias",
    "decoder.embedding.weight": "decoder.token_embedding.weight",
    "decoder.positions": "decoder.positional_embedding",
    "decoder.norm.weight": "decoder.ln.weight",
    "decoder.norm.bias": "decoder.ln.bias",
}

# What marks speakers, sounds and songs instead of speech; the set is that of ``non_speech_tokens`` in OpenAI's
# whisper/tokenizer.py. Notes are suppressed by their first byte pair where a vocabulary has no token for them.
_MARKS = (
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    *"<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪".split(),
)
_NOTES = "♩♪♫♬♭♮♯"
_BEFORE_WORDS = (" -", " '")  # fine inside a word, not in front of one
_CONTROL_TOKENS = (
    "<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
    "<|nocaptions|>",
)  # fmt: skip


class WhisperPtCheckpoint(WhisperCheckpoint):
    """A checkpoint of OpenAI's own; see :class:`export.checkpoints.whisper.WhisperCheckpoint`."""

    def __init__(self, path: Path) -> None:
        values = _load(path)
        dims, tensors = values.get("dims"), values.get("model_state_dict")
        if not isinstance(dims, dict) or not isinstance(tensors, dict):
            raise damaged(path, "it has no dims and model_state_dict; it is not a Whisper checkpoint")
        self.config = WhisperConfig.from_openai(dims)
        for name, tensor in tensors.items():
            # Only what lies in the file as it is: a view may claim any size.
            if (
                not isinstance(tensor, torch.Tensor)
                or tensor.layout != torch.strided
                or not tensor.is_floating_point()
                or not tensor.is_contiguous()
            ):
                raise damaged(path, f"{str(name)[:80]} is not a plain tensor of floating point")
        self._tensors: dict[str, torch.Tensor] = tensors
        expected = {openai_name(name): shape for name, shape in split_shapes(self.config).items()}
        check_tensors(expected, {name: tuple(tensor.shape) for name, tensor in tensors.items()}, path.name)
        self._tokenizer_json = check_tokenizer(_tokenizer_beside(path), self.config)
        self.info = ModelInfo(name=path.stem, licence="", languages=())
        self.generation = GenerationInfo(
            alignment_heads=upper_half(self.config),
            suppress_tokens=suppressed_tokens(self._tokenizer_json),
            begin_suppress_tokens=_first_suppressed_tokens(self._tokenizer_json),
            is_multilingual=self.config.vocab_size >= SMALLEST_MULTILINGUAL_VOCABULARY,
        ).check(self.config)

    def read(self, name: str) -> NDArray[np.float32]:
        """One parameter of the module in fp32."""
        return read_split(name, lambda part: self._tensors[openai_name(part)].float().numpy())

    def tokenizer_json(self) -> str:
        """The file beside the checkpoint."""
        return self._tokenizer_json


def openai_name(name: str) -> str:
    """The name that OpenAI's files give to one of our tensors, or to a part of one."""
    if match := _LAYER.fullmatch(name):
        side, layer, part, field = match.groups()
        return f"{side}.blocks.{layer}.{_LAYER_NAMES[part]}.{field}"
    return _OTHER_NAMES.get(name, name)


def suppressed_tokens(tokenizer_json: str) -> tuple[int, ...]:
    """The tokens that transcription never chooses: marks of what is not speech, and control tokens."""
    tokenizer = Tokenizer.from_str(tokenizer_json)

    def ids(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    found = {number for text in _BEFORE_WORDS for number in ids(text)[:1]}
    for mark in (*_MARKS, *_NOTES):
        for tokens in (ids(mark), ids(f" {mark}")):
            if len(tokens) == 1 or (tokens and mark in _NOTES):
                found.add(tokens[0])
    found |= {number for token in _CONTROL_TOKENS if (number := tokenizer.token_to_id(token)) is not None}
    return tuple(sorted(found))


def _first_suppressed_tokens(tokenizer_json: str) -> tuple[int, ...]:
    """Not as the first token of a text: a lone space, and the end."""
    tokenizer = Tokenizer.from_str(tokenizer_json)
    space = tokenizer.encode(" ", add_special_tokens=False).ids
    end = tokenizer.token_to_id("<|endoftext|>")
    return (*space[:1], *([] if end is None else [end]))


def _load(path: Path) -> dict[Any, Any]:
    try:
        # Mapped where the format allows it, so that no more than one matrix is copied at a time.
        with warnings.catch_warnings(action="ignore"):
            values = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from error
    except Exception as error:  # a damaged pickle makes the loader raise anything
        raise damaged(path, "it is damaged, or holds more than tensors, which could run code") from error
    return values if isinstance(values, dict) else {}


def _tokenizer_beside(path: Path) -> str:
    file = path.with_name("tokenizer.json")
    if not file.is_file():
        raise EngineError(
            "{file} holds no tokenizer, and no tokenizer.json lies beside it.",
            "Put the tokenizer.json of the same Whisper size (English-only or multilingual) into {folder}.",
            file=path.name,
            folder=str(path.parent),
        )
    return read_text(file)
