"""What a Whisper model looks like, as explicit numbers.

In: a Hugging Face ``config.json``, the ``dims`` of an OpenAI checkpoint, or the shapes of the tensors themselves.
Out: a :class:`WhisperConfig`, and a :class:`GenerationInfo` with what decoding has to know. The sizes from tiny to
large-v3-turbo differ in these numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from export.config import MOST_LAYERS, is_size, not_supported, take_whole, unusable

# Vocabularies from here on have a token for each of several languages; smaller ones are English only. The same
# rule as ``is_multilingual`` in OpenAI's whisper/model.py.
SMALLEST_MULTILINGUAL_VOCABULARY = 51_865


@dataclass(frozen=True)
class WhisperConfig:
    """An encoder-decoder Transformer for speech: sizes in numbers of elements.

    ``audio_context_frames`` are the encoder's positions, after its convolutions have halved the mel frames.

    Raises :class:`EngineError` when the numbers do not fit together.
    """

    mels: int
    vocab_size: int
    hidden_size: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    audio_context_frames: int = 1500
    text_context_tokens: int = 448

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not is_size(value):
                raise unusable(f"{field.name} is {value!r}, not a number of elements")
        if max(self.encoder_layers, self.decoder_layers) > MOST_LAYERS:
            raise unusable(f"{max(self.encoder_layers, self.decoder_layers)} layers are too many")
        if self.hidden_size % self.heads:
            raise unusable(f"{self.heads} heads cannot share a hidden size of {self.hidden_size} evenly")

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.heads

    @property
    def intermediate_size(self) -> int:
        """Width inside the feed-forward layers: always four times the hidden size (Vaswani et al., 3.3)."""
        return 4 * self.hidden_size

    @property
    def parameters(self) -> int:
        """Weights of all matrices; norms, biases and positions are too few to matter."""
        square = self.hidden_size**2
        tables = self.vocab_size * self.hidden_size + 3 * self.mels * self.hidden_size + 3 * square
        # Attention has four square matrices, a feed-forward layer eight; the decoder attends twice.
        return tables + square * (12 * self.encoder_layers + 16 * self.decoder_layers)

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> WhisperConfig:
        """From a Hugging Face ``config.json``; raises :class:`EngineError` for what we cannot run."""
        values = {
            key: value
            for key, value in config.items()
            if key not in _HF_IRRELEVANT and not key.startswith(_HF_IRRELEVANT_STARTS)
        }
        for key, harmless in _HF_ONLY_AS.items():
            if key in values and values.pop(key) not in harmless:
                raise not_supported(key, config[key])
        heads = take_whole(values, "decoder_attention_heads")
        if take_whole(values, "encoder_attention_heads") != heads:
            raise not_supported("encoder_attention_heads", config["encoder_attention_heads"])
        result = cls(
            mels=take_whole(values, "num_mel_bins"),
            vocab_size=take_whole(values, "vocab_size"),
            hidden_size=take_whole(values, "d_model"),
            heads=heads,
            encoder_layers=take_whole(values, "encoder_layers"),
            decoder_layers=take_whole(values, "decoder_layers"),
            audio_context_frames=take_whole(values, "max_source_positions", 1500),
            text_context_tokens=take_whole(values, "max_target_positions", 448),
        )
        for key in ("encoder_ffn_dim", "decoder_ffn_dim"):
            if values.pop(key, result.intermediate_size) != result.intermediate_size:
                raise not_supported(key, config[key])
        if values:
            raise not_supported(*sorted(values.items())[0])
        return result

    @classmethod
    def from_openai(cls, dims: Mapping[str, Any]) -> WhisperConfig:
        """From the ``dims`` of a checkpoint of OpenAI's own."""
        values = dict(dims)
        hidden_size, heads = take_whole(values, "n_text_state"), take_whole(values, "n_text_head")
        for key, same in (("n_audio_state", hidden_size), ("n_audio_head", heads)):
            if take_whole(values, key) != same:
                raise not_supported(key, dims[key])
        result = cls(
            mels=take_whole(values, "n_mels"),
            vocab_size=take_whole(values, "n_vocab"),
            hidden_size=hidden_size,
            heads=heads,
            encoder_layers=take_whole(values, "n_audio_layer"),
            decoder_layers=take_whole(values, "n_text_layer"),
            audio_context_frames=take_whole(values, "n_audio_ctx"),
            text_context_tokens=take_whole(values, "n_text_ctx"),
        )
        if values:
            raise not_supported(*sorted(values.items())[0])
        return result

    @classmethod
    def from_shapes(cls, shapes: Mapping[str, tuple[int, ...]], heads: int) -> WhisperConfig:
        """From the tensors' shapes under the names of ``export/nn/whisper.py``, and the number of heads."""

        def size(name: str, axis: int) -> int:
            shape = shapes.get(name, ())
            if axis >= len(shape):
                raise unusable(f"the tensor {name} is missing or has too few axes")
            return shape[axis]

        return cls(
            mels=size("encoder.conv1.weight", 1),
            vocab_size=size("decoder.embedding.weight", 0),
            hidden_size=size("decoder.embedding.weight", 1),
            heads=heads,
            encoder_layers=_count_layers("encoder", shapes),
            decoder_layers=_count_layers("decoder", shapes),
            audio_context_frames=size("encoder.positions", 0),
            text_context_tokens=size("decoder.positions", 0),
        )


@dataclass(frozen=True)
class GenerationInfo:
    """What decoding has to know besides the weights.

    ``alignment_heads`` are the (layer, head) pairs of the decoder whose cross-attention follows the sound, for the
    times of words. ``suppress_tokens`` are never chosen, ``begin_suppress_tokens`` not as the first token of a text.
    """

    alignment_heads: tuple[tuple[int, int], ...]
    suppress_tokens: tuple[int, ...]
    begin_suppress_tokens: tuple[int, ...]
    is_multilingual: bool

    def check(self, config: WhisperConfig) -> GenerationInfo:
        """Itself; :class:`EngineError` when it names a head or a token that the model lacks."""
        for layer, head in self.alignment_heads:
            if not (0 <= layer < config.decoder_layers and 0 <= head < config.heads):
                raise unusable(f"there is no attention head {head} in layer {layer}")
        for token in (*self.suppress_tokens, *self.begin_suppress_tokens):
            if not 0 <= token < config.vocab_size:
                raise unusable(f"there is no token {token}")
        return self


def upper_half(config: WhisperConfig) -> tuple[tuple[int, int], ...]:
    """All heads of the decoder's upper half: what OpenAI's whisper/model.py aligns by when it knows no better."""
    layers = range(config.decoder_layers // 2, config.decoder_layers)
    return tuple((layer, head) for layer in layers for head in range(config.heads))


def _count_layers(side: str, names: Iterable[str]) -> int:
    return len({match[1] for name in names if (match := re.match(rf"{side}\.blocks\.(\d+)\.", name))})


# Keys that say nothing about how the model computes: training, bookkeeping, and ids that the tokenizer has or
# that ``GenerationInfo`` takes.
_HF_IRRELEVANT = (
    "_name_or_path", "activation_dropout", "apply_spec_augment", "architectures", "attention_dropout",
    "begin_suppress_tokens", "bos_token_id", "chunk_size_feed_forward", "classifier_proj_size",
    "decoder_layerdrop", "decoder_start_token_id", "dropout", "dtype", "encoder_layerdrop", "eos_token_id",
    "forced_decoder_ids", "id2label", "init_std", "is_encoder_decoder", "label2id", "max_length",
    "median_filter_width", "model_type", "num_hidden_layers", "output_attentions", "output_hidden_states",
    "pad_token_id", "problem_type", "return_dict", "suppress_tokens", "torch_dtype", "transformers.js_config",
    "transformers_version", "use_cache", "use_weighted_layer_sum",
)  # fmt: skip
_HF_IRRELEVANT_STARTS = ("mask_feature_", "mask_time_")
# Keys that would change the computation, with the values at which they do not.
_HF_ONLY_AS: dict[str, tuple[Any, ...]] = {
    "activation_function": ("gelu",),
    "scale_embedding": (False, None),
    "tie_word_embeddings": (True, None),
}
