"""What a model of the Idefics3 family (SmolVLM) looks like, as explicit numbers.

In: a Hugging Face ``config.json``. Out: an :class:`Idefics3Config`: a SigLIP that sees, a factor by which its patches are
gathered, and the language model that reads them among words. Keys that nobody here understands are refused, as in
``export/config.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from export.config import MOST_LAYERS, LanguageConfig, is_size, not_supported, take_whole, unusable

FAMILIES = ("idefics3", "smolvlm")
ACTIVATION = "gelu_pytorch_tanh"


@dataclass(frozen=True)
class SiglipConfig:
    """A vision Transformer: sizes in numbers of elements, sides of pictures and patches in pixels.

    Raises :class:`EngineError` when the numbers do not fit together.
    """

    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    image_px: int
    patch_px: int
    norm_eps: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and not is_size(value):
                raise unusable(f"{field.name} of what sees is {value!r}, not a number of elements")
        if not isinstance(self.norm_eps, float) or not 0 < self.norm_eps < math.inf:
            raise unusable(f"norm_eps of what sees is {self.norm_eps!r}, not a positive number")
        if self.layers > MOST_LAYERS:
            raise unusable(f"{self.layers} layers that see are too many")
        if self.hidden_size % self.heads:
            raise unusable(f"{self.heads} heads cannot share a hidden size of {self.hidden_size} evenly")
        if self.patch_px > self.image_px or self.image_px > 1 << 14:
            raise unusable(f"patches of {self.patch_px} pixels in a picture of {self.image_px}")

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.heads

    @property
    def sides(self) -> int:
        """Patches along each side of the largest picture."""
        return self.image_px // self.patch_px

    @property
    def parameters(self) -> int:
        """Weights of all matrices; norms and biases are too few to matter."""
        patches = 3 * self.patch_px**2 * self.hidden_size
        layer = 4 * self.hidden_size**2 + 2 * self.hidden_size * self.intermediate_size
        return patches + self.sides**2 * self.hidden_size + self.layers * layer


@dataclass(frozen=True)
class Idefics3Config:
    """What sees, what reads, and ``scale_factor`` x ``scale_factor`` patches for each vector in between."""

    vision: SiglipConfig
    text: LanguageConfig
    scale_factor: int
    image_token_id: int

    def __post_init__(self) -> None:
        if not is_size(self.scale_factor) or self.vision.sides % self.scale_factor:
            raise unusable(
                f"{self.vision.sides} x {self.vision.sides} patches cannot be gathered by {self.scale_factor!r}"
            )
        number = self.image_token_id
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < self.text.vocab_size:
            raise unusable(f"image_token_id is {number!r}, which is no token")

    @property
    def joint_size(self) -> int:
        """Width of the patches that are gathered in one vector."""
        return self.vision.hidden_size * self.scale_factor**2

    @property
    def parameters(self) -> int:
        """Weights of all matrices."""
        return self.vision.parameters + self.joint_size * self.text.hidden_size + self.text.parameters

    def tile_tokens(self, tile_px: int) -> int:
        """Vectors for a square picture of so many pixels a side; EngineError where its patches do not come out even."""
        sides = tile_px // self.vision.patch_px
        if not 0 < sides <= self.vision.sides or sides % self.scale_factor:
            raise unusable(f"the model cannot see tiles of {tile_px} pixels")
        return (sides // self.scale_factor) ** 2

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> Idefics3Config:
        """From a Hugging Face ``config.json``; raises :class:`EngineError` for what we cannot run."""
        if config.get("model_type") not in FAMILIES:
            raise not_supported("model_type", config.get("model_type"))
        values = {key: value for key, value in config.items() if key not in _IRRELEVANT}
        vision, text = (_part(values, key) for key in ("vision_config", "text_config"))
        result = cls(
            vision=_vision(vision),
            text=_text(text, config.get("tie_word_embeddings", False)),
            scale_factor=take_whole(values, "scale_factor", 2),
            image_token_id=values.pop("image_token_id", 128257),
        )
        values.pop("vocab_size", None)  # the text's own counts
        if values:
            raise not_supported(*sorted(values.items())[0])
        return result


def _part(values: dict[str, Any], key: str) -> dict[str, Any]:
    part = values.pop(key, None)
    if not isinstance(part, dict):
        raise unusable(f"{key} is missing")
    return dict(part)


def _vision(values: dict[str, Any]) -> SiglipConfig:
    """The defaults are those of ``Idefics3VisionConfig``: published files leave out what equals them."""
    for key in _IRRELEVANT:
        values.pop(key, None)
    for key, harmless in _VISION_ONLY_AS.items():
        if key in values and (value := values.pop(key)) not in harmless:
            raise not_supported(key, value)
    activation = values.pop("hidden_act", ACTIVATION)
    if activation != ACTIVATION:
        raise not_supported("hidden_act", activation)
    result = SiglipConfig(
        hidden_size=take_whole(values, "hidden_size", 1152),
        intermediate_size=take_whole(values, "intermediate_size", 3072),
        layers=take_whole(values, "num_hidden_layers", 12),
        heads=take_whole(values, "num_attention_heads", 16),
        image_px=take_whole(values, "image_size", 224),
        patch_px=take_whole(values, "patch_size", 32),
        norm_eps=values.pop("layer_norm_eps", 1e-6),
    )
    if values:
        raise not_supported(*sorted(values.items())[0])
    return result


def _text(values: dict[str, Any], tied: Any) -> LanguageConfig:
    """Keys that the training of these models, or an older library, left behind change nothing if they are as here."""
    for key, harmless in _TEXT_ONLY_AS.items():
        if key in values and (value := values.pop(key)) not in harmless:
            raise not_supported(key, value)
    for key in (*_IRRELEVANT, "tie_word_embeddings"):
        if key != "model_type":
            values.pop(key, None)
    return LanguageConfig.from_hf({"rms_norm_eps": 1e-5, **values, "tie_word_embeddings": tied is True})


# Bookkeeping, how text is generated (that is in generation_config.json), and how pictures are prepared (that is in
# preprocessor_config.json); older libraries wrote all of it into every part.
_IRRELEVANT = frozenset((
    "_attn_implementation_autoset", "_flash_attn_2_enabled", "_name_or_path", "_pad_token_id", "add_cross_attention",
    "architectures",
    "attention_dropout", "bad_words_ids", "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward",
    "cross_attention_hidden_size", "decoder_start_token_id", "diversity_penalty", "do_sample", "dtype",
    "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty",
    "finetuning_task", "forced_bos_token_id", "forced_eos_token_id", "freeze_config", "id2label", "initializer_range",
    "is_decoder", "is_encoder_decoder", "label2id", "length_penalty", "max_image_size", "max_length", "min_length",
    "model_type", "neftune_noise_alpha", "no_repeat_ngram_size", "num_beam_groups", "num_beams",
    "num_return_sequences", "output_attentions", "output_hidden_states", "output_scores", "pad_token_id",
    "perceiver_config", "pixel_shuffle_factor", "prefix", "problem_type", "pruned_heads", "remove_invalid_values",
    "repetition_penalty", "return_dict", "return_dict_in_generate", "sep_token_id", "size", "suppress_tokens",
    "task_specific_params", "temperature", "tf_legacy_loss", "tie_encoder_decoder", "tie_word_embeddings",
    "tokenizer_class", "top_k", "top_p", "torch_dtype", "torchscript", "transformers.js_config",
    "transformers_version", "typical_p", "use_bfloat16", "use_cache", "use_reentrant_checkpointing",
))  # fmt: skip
_VISION_ONLY_AS: dict[str, tuple[Any, ...]] = {"num_channels": (3,), "use_base_siglip": (True, False, None)}
_TEXT_ONLY_AS: dict[str, tuple[Any, ...]] = {"qk_layer_norms": (False, None), "use_resampler": (False, None)}
