"""Reads a model of the Idefics3 family (SmolVLM) out of a Hugging Face folder.

In: a folder with ``config.json``, ``model.safetensors`` (or its shards), the tokenizer's files, a chat template, and the
numbers of the image processor (in ``preprocessor_config.json``, or inside ``processor_config.json`` as newer libraries write
them). Out: an :class:`Idefics3Checkpoint`, whose ``text`` is a language model's checkpoint like any other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.media.tiles import AROUND_TOKEN, IMAGE_TOKEN, TileSettings
from export.checkpoints.folder import FolderTensors, damaged, read_json
from export.checkpoints.interface import ModelInfo, TokenizerFiles, check_tensors, expected_shapes
from export.checkpoints.safetensors import FolderCheckpoint, hf_name
from export.config import not_supported
from export.idefics3_config import Idefics3Config

_LAYER = re.compile(r"vision\.blocks\.(\d+)\.(.+)\.(weight|bias)")
_LAYER_NAMES = {
    "attention_norm": "layer_norm1",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.output": "self_attn.out_proj",
    "mlp_norm": "layer_norm2",
    "mlp.up": "mlp.fc1",
    "mlp.down": "mlp.fc2",
}
_OTHER_NAMES = {
    "vision.patches.weight": "vision_model.embeddings.patch_embedding.weight",
    "vision.patches.bias": "vision_model.embeddings.patch_embedding.bias",
    "vision.positions": "vision_model.embeddings.position_embedding.weight",
    "vision.norm.weight": "vision_model.post_layernorm.weight",
    "vision.norm.bias": "vision_model.post_layernorm.bias",
    "projection.weight": "connector.modality_projection.proj.weight",
}
_REDUNDANT = re.compile(r".*\.(rotary_emb\.inv_freq|position_ids)")
_QKV = ("q", "k", "v")
PROCESSORS = ("Idefics3ImageProcessor", "SmolVLMImageProcessor")  # also with "Fast" or "Pil" at the end
_STEPS = ("do_resize", "do_rescale", "do_normalize")


class TextPart(FolderCheckpoint):
    """The language model inside; see :class:`export.checkpoints.interface.Checkpoint`."""

    def __init__(
        self, folder: Path, config: Idefics3Config, values: dict[str, Any], tensors: FolderTensors
    ) -> None:
        """``values`` are those of ``config.json``, from which come the ids with a meaning."""
        self._folder, self._config, self._tensors = folder, config.text, tensors
        generation = read_json(folder / "generation_config.json", optional=True)
        self._ids: dict[str, Any] = {}
        for source in (values.get("text_config") or {}, values, generation):
            self._ids |= {key: value for key, value in source.items() if value is not None}
        self._names = tuple(expected_shapes(config.text))

    @property
    def chat_template(self) -> str:
        """The processor's before the tokenizer's own, which may know no pictures."""
        if not (self._folder / "chat_template.jinja").is_file():
            for name in ("chat_template.json", "processor_config.json"):
                found = read_json(self._folder / name, optional=True).get("chat_template")
                if isinstance(found, str) and found:
                    return found
        return super().chat_template

    def read(self, name: str) -> NDArray[np.float32]:
        """One tensor in fp32, matrices as [output size, input size]."""
        return self._tensors.read(text_hf_name(name))


class Idefics3Checkpoint:
    """A model that sees, in a folder.

    Raises :class:`EngineError` on construction when a file is missing or damaged, or when the tensors are not exactly
    those that the configuration calls for.
    """

    def __init__(self, folder: Path) -> None:
        values = read_json(folder / "config.json")
        self.config = Idefics3Config.from_hf(values)
        self.tiles = tile_settings(folder, self.config)
        self._tensors = FolderTensors(folder, ignored=_REDUNDANT)
        found = dict(self._tensors.shapes)
        if self.config.text.tied_head:
            found.pop(text_hf_name("head.weight"), None)  # a copy of the embedding
        expected = {text_hf_name(name): shape for name, shape in expected_shapes(self.config.text).items()}
        for name, shape in vision_shapes(self.config).items():
            parts = _parts_of(name)
            for part in parts:
                expected[vision_hf_name(part)] = (shape[0] // len(parts), *shape[1:])
        check_tensors(expected, found, folder.name)
        self.text = TextPart(folder, self.config, values, self._tensors)

    @property
    def info(self) -> ModelInfo:
        """The folder's name; licence and languages are only in prose, so they stay empty."""
        return self.text.info

    def read(self, name: str) -> NDArray[np.float32]:
        """One parameter of :class:`export.nn.idefics3.PictureEncoder` in fp32."""
        parts = [self._tensors.read(vision_hf_name(part)) for part in _parts_of(name)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def check_tokens(self, files: TokenizerFiles) -> None:
        """EngineError unless the tokenizer knows the tokens that stand for pictures, by the number in the configuration."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(files.tokenizer_json)
        special = {added.content for added in tokenizer.get_added_tokens_decoder().values() if added.special}
        if tokenizer.token_to_id(IMAGE_TOKEN) != self.config.image_token_id or IMAGE_TOKEN not in special:
            raise EngineError(
                "The model's tokenizer does not know the token {token} as number {number}, which stands for pictures.",
                "The tokenizer belongs to another model; download the model again.",
                token=IMAGE_TOKEN,
                number=self.config.image_token_id,
            )
        if AROUND_TOKEN not in special:
            raise EngineError(
                "The model's tokenizer lacks the token {token}.",
                "The tokenizer belongs to another model; download the model again.",
                token=AROUND_TOKEN,
            )


def tile_settings(folder: Path, config: Idefics3Config) -> TileSettings:
    """How the folder says that pictures are prepared; EngineError where it does not, or in a way nobody here knows."""
    whole = read_json(folder / "processor_config.json", optional=True)
    nested = whole.get("image_processor")
    file = folder / ("processor_config.json" if isinstance(nested, dict) else "preprocessor_config.json")
    values = nested if isinstance(nested, dict) else read_json(file)
    kind = values.get("image_processor_type", PROCESSORS[0])
    if not isinstance(kind, str) or not kind.startswith(PROCESSORS):
        raise not_supported("image_processor_type", kind)
    for step in _STEPS:
        if values.get(step, True) is not True:
            raise not_supported(step, values[step])
    tile_px = _edge(file, values, "max_image_size")
    tokens = config.tile_tokens(tile_px)
    stated = whole.get("image_seq_len", tokens)
    if stated != tokens:
        raise damaged(
            file, f"image_seq_len is {stated!r}, but a tile of {tile_px} pixels has {tokens} tokens"
        )
    try:
        return TileSettings(
            tile_px=tile_px,
            longest_edge_px=_edge(file, values, "size"),
            tile_tokens=tokens,
            split=values.get("do_image_splitting", True) is True,
            resample=int(values.get("resample", TileSettings.resample)),
            rescale_factor=float(values.get("rescale_factor", TileSettings.rescale_factor)),
            mean=_colours(values.get("image_mean", TileSettings.mean)),
            std=_colours(values.get("image_std", TileSettings.std)),
        )
    except (TypeError, ValueError) as error:
        raise damaged(file, str(error)) from error


def vision_shapes(config: Idefics3Config) -> dict[str, tuple[int, ...]]:
    """Every parameter of the module that sees, with its shape."""
    vision = config.vision
    hidden, inner = vision.hidden_size, vision.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "vision.patches.weight": (hidden, 3, vision.patch_px, vision.patch_px),
        "vision.patches.bias": (hidden,),
        "vision.positions": (vision.sides**2, hidden),
        "vision.norm.weight": (hidden,),
        "vision.norm.bias": (hidden,),
        "projection.weight": (config.text.hidden_size, config.joint_size),
    }
    for block in (f"vision.blocks.{layer}" for layer in range(vision.layers)):
        for norm in ("attention_norm", "mlp_norm"):
            shapes |= {f"{block}.{norm}.weight": (hidden,), f"{block}.{norm}.bias": (hidden,)}
        for part, rows, columns in (
            ("attention.qkv", 3 * hidden, hidden),
            ("attention.output", hidden, hidden),
            ("mlp.up", inner, hidden),
            ("mlp.down", hidden, inner),
        ):
            shapes |= {f"{block}.{part}.weight": (rows, columns), f"{block}.{part}.bias": (rows,)}
    return shapes


def text_hf_name(name: str) -> str:
    """The name that these files give to a tensor of the language model."""
    found = hf_name(name)
    return found.replace("model.", "model.text_model.", 1) if found.startswith("model.") else found


def vision_hf_name(name: str) -> str:
    """The name that these files give to a tensor of what sees, or to a part of one."""
    match = _LAYER.fullmatch(name)
    if match is None:
        return f"model.{_OTHER_NAMES[name]}"
    layer, part, field = match.groups()
    return f"model.vision_model.encoder.layers.{layer}.{_LAYER_NAMES[part]}.{field}"


def _parts_of(name: str) -> tuple[str, ...]:
    """Files keep queries, keys and values apart."""
    return tuple(name.replace(".qkv.", f".{part}.") for part in _QKV) if ".qkv." in name else (name,)


def _edge(file: Path, values: dict[str, Any], key: str) -> int:
    value = values.get(key)
    edge = value.get("longest_edge") if isinstance(value, dict) else None
    if not isinstance(edge, int) or isinstance(edge, bool) or edge < 1:
        raise damaged(file, f"{key} has no longest_edge")
    return edge


def _colours(value: Any) -> tuple[float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise ValueError("a mean or a deviation is not three numbers")
    red, green, blue = (float(number) for number in value)
    return red, green, blue
