"""Reads a Whisper model out of a folder in CTranslate2's format.

In: a folder with ``model.bin``, ``config.json`` and ``tokenizer.json`` (what faster-whisper loads). Out: a
:class:`export.checkpoints.whisper.WhisperCheckpoint`. Weights in fp32, fp16, bf16, int16 or int8; whole numbers are
multiplied out. The file is mapped, never read as a whole, and no number in it is trusted.

``model.bin``, all little-endian (``serialize`` in CTranslate2's specs/model_spec.py): uint32 version; name of the
specification; uint32 its revision; uint32 number of variables, then each: name, uint8 rank, uint32 sizes, uint8 type,
uint32 bytes, data; uint32 number of aliases, then each: alias, name. A name is uint16 bytes, then text ending in NUL.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from export.checkpoints.folder import damaged, read_json, read_text
from export.checkpoints.interface import ModelInfo, check_tensors
from export.checkpoints.whisper import (
    WhisperCheckpoint,
    check_tokenizer,
    generation_info,
    whisper_shapes,
)
from export.whisper_config import SMALLEST_MULTILINGUAL_VOCABULARY, WhisperConfig, not_supported

# The layout of variables and aliases is the same in all of these.
_VERSIONS = (4, 5, 6)
_SPECIFICATION, _REVISION = "WhisperSpec", 3
_MOST_RANK = 4
# Type ids, as in CTranslate2's include/ctranslate2/types.h; bfloat16 is read by its bits.
_TYPES = {0: "<f4", 1: "|i1", 2: "<i2", 3: "<i4", 4: "<f2", 5: "<u2"}
_BFLOAT16, _QUANTISED = 5, (1, 2)

_LAYER = re.compile(r"(encoder|decoder)\.blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "self_attention/layer_norm",
    "attention.qkv": "self_attention/linear_0",
    "attention.output": "self_attention/linear_1",
    "cross_norm": "attention/layer_norm",
    "cross.q": "attention/linear_0",
    "cross.kv": "attention/linear_1",
    "cross.output": "attention/linear_2",
    "mlp_norm": "ffn/layer_norm",
    "mlp.up": "ffn/linear_0",
    "mlp.down": "ffn/linear_1",
}
_OTHER_NAMES = {
    "encoder.positions": "encoder/position_encodings/encodings",
    "decoder.positions": "decoder/position_encodings/encodings",
    "decoder.embedding.weight": "decoder/embeddings/weight",
}
_NORM_FIELDS = {"weight": "gamma", "bias": "beta"}
_HEAD = "decoder/projection/weight"
# Single numbers that say how the model computes, with the only value that is Whisper's (3 is the exact GELU).
_ONLY_AS = {"activation": 3, "pre_norm": 1}
_ANY = ("alignment_layer", "alignment_heads", "alibi_use_positive_positions")


class CTranslate2Checkpoint(WhisperCheckpoint):
    """A Whisper model in CTranslate2's format; see :class:`export.checkpoints.whisper.WhisperCheckpoint`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = _ModelFile(folder / "model.bin")
        heads = self._check_numbers()
        found = self._found()
        ours = {ct2_name(name): name for name in _OTHER_NAMES} | {
            ct2_name("encoder.conv1.weight"): "encoder.conv1.weight"
        }
        sizes = {ours[name]: shape for name, shape in found.items() if name in ours}
        sizes |= {
            f"{match[1]}.blocks.{match[2]}.": shape
            for name, shape in found.items()
            if (match := re.match(r"(encoder|decoder)/layer_(\d+)/", name))
        }
        self.config = WhisperConfig.from_shapes(sizes, heads)
        expected = {ct2_name(name): shape for name, shape in whisper_shapes(self.config).items()}
        check_tensors(expected, found, "model.bin")
        self.info = ModelInfo(name=folder.resolve().name, licence="", languages=())
        self.generation = generation_info(
            read_json(folder / "config.json", optional=True),
            self.config,
            suppress="suppress_ids",
            begin="suppress_ids_begin",
            is_multilingual=self.config.vocab_size >= SMALLEST_MULTILINGUAL_VOCABULARY,
        )

    def read(self, name: str) -> NDArray[np.float32]:
        """One parameter of the module in fp32."""
        stored = ct2_name(name)
        return self._file.read(stored, f"{stored}_scale")

    def tokenizer_json(self) -> str:
        """The folder's own file."""
        return check_tokenizer(read_text(self._folder / "tokenizer.json"), self.config)

    def _check_numbers(self) -> int:
        """The number of heads; EngineError when a setting is not Whisper's."""
        heads: set[int] = set()
        for name in self._file.variables:
            if self._file.variables[name].shape or name.endswith("_scale"):
                continue
            value = float(self._file.read(name))
            key = name.rpartition("/")[2]
            if key == "num_heads" and value.is_integer():
                heads.add(int(value))
            elif key not in _ANY and value != _ONLY_AS.get(key, 0):
                raise not_supported(name, value)
        if len(heads) != 1:
            raise damaged(self._file.path, f"it states {len(heads)} numbers of heads")
        return heads.pop()

    def _found(self) -> dict[str, tuple[int, ...]]:
        """The shapes of all matrices and vectors; scales belong to their matrices."""
        variables = self._file.variables
        found = {
            name: variable.shape
            for name, variable in variables.items()
            if variable.shape and not (name.endswith("_scale") and name.removesuffix("_scale") in variables)
        }
        head, embedding = variables.get(_HEAD), variables.get(ct2_name("decoder.embedding.weight"))
        if head is not None and head == embedding:
            del found[_HEAD]  # another name for the embedding
        return found


def ct2_name(name: str) -> str:
    """The name that CTranslate2's files give to one of our parameters."""
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if match := _LAYER.fullmatch(name):
        side, layer, part, field = match.groups()
        owner = f"{side}/layer_{layer}/{_LAYER_NAMES[part]}"
    else:
        owner, _, field = name.replace(".norm.", ".layer_norm.").replace(".", "/").rpartition("/")
    return f"{owner}/{_NORM_FIELDS[field] if owner.endswith('layer_norm') else field}"


@dataclass(frozen=True)
class _Variable:
    """One tensor of the file: where its data begin, and what they are."""

    shape: tuple[int, ...]
    type_id: int
    offset: int
    count: int


class _ModelFile:
    """``model.bin``: its variables by name, with the aliases among them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                self._data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: the file is empty
            raise damaged(path, str(error)) from error
        self._at = 0
        self.variables: Mapping[str, _Variable] = self._parse()

    def read(self, name: str, scale: str = "") -> NDArray[np.float32]:
        """A variable in fp32; whole numbers are divided by the variable ``scale``, one for each row or for all."""
        variable = self.variables[name]
        raw = np.frombuffer(self._data, _TYPES[variable.type_id], variable.count, variable.offset)
        if variable.type_id == _BFLOAT16:
            result = (raw.astype(np.uint32) << 16).view(np.float32)
        else:
            result = raw.astype(np.float32)
        result = result.reshape(variable.shape)
        if variable.type_id in _QUANTISED and variable.shape:
            divisor = self.read(scale) if scale in self.variables else np.zeros(())
            if divisor.shape not in ((), variable.shape[:1]) or not np.all(divisor > 0):
                raise damaged(self.path, f"{name[:80]} has no usable scale")
            result /= divisor.reshape(-1, *(1,) * (len(variable.shape) - 1))
        return result

    def _parse(self) -> dict[str, _Variable]:
        version = self._number("I")
        if version not in _VERSIONS:
            raise damaged(self.path, f"it is not a CTranslate2 model, or of version {version}")
        specification, revision = self._text(), self._number("I")
        if (specification, revision) != (_SPECIFICATION, _REVISION):
            raise EngineError(
                "{file} holds a model of the kind {kind}, revision {revision}, which is not supported.",
                "Supported is {known}, revision {known_revision}; choose another model or convert it again.",
                file=self.path.name,
                kind=specification[:80],
                revision=revision,
                known=_SPECIFICATION,
                known_revision=_REVISION,
            )
        variables: dict[str, _Variable] = {}
        for _ in range(self._number("I")):
            name = self._text()
            if name in variables:
                raise damaged(self.path, f"{name[:80]} stands twice")
            variables[name] = self._variable(name)
        # Files that were made without aliases may end here.
        for _ in range(self._number("I") if self._at < len(self._data) else 0):
            alias, name = self._text(), self._text()
            if name not in variables or alias in variables:
                raise damaged(self.path, f"{alias[:80]} is another name for nothing")
            variables[alias] = variables[name]
        return variables

    def _variable(self, name: str) -> _Variable:
        rank = self._number("B")
        if rank > _MOST_RANK:
            raise damaged(self.path, f"{name[:80]} has {rank} axes")
        shape = tuple(self._number("I") for _ in range(rank))
        type_id, size_bytes = self._number("B"), self._number("I")
        if type_id not in _TYPES:
            raise damaged(self.path, f"{name[:80]} is of the unknown type {type_id}")
        count = math.prod(shape)
        if count * np.dtype(_TYPES[type_id]).itemsize != size_bytes:
            raise damaged(self.path, f"{name[:80]} does not have the size of its shape")
        variable = _Variable(shape, type_id, self._at, count)
        self._advance(size_bytes)
        return variable

    def _number(self, form: str) -> int:
        at = self._at
        self._advance(struct.calcsize(f"<{form}"))
        return struct.unpack_from(f"<{form}", self._data, at)[0]

    def _text(self) -> str:
        size_bytes = self._number("H")
        at = self._at
        self._advance(size_bytes)
        return self._data[at : at + size_bytes].rstrip(b"\0").decode("utf-8", "replace")

    def _advance(self, size_bytes: int) -> None:
        self._at += size_bytes
        if self._at > len(self._data):
            raise damaged(self.path, "it ends too early")
