"""What a language model looks like, as explicit numbers.

In: a Hugging Face ``config.json`` or the metadata of a GGUF file. Out: a :class:`LanguageConfig`, the one
description that the PyTorch module, the checkpoint readers and the ONNX exporter share. Family names
are translated into fields here and nowhere else; a key that nobody here understands is refused, because
a model that silently ignores one answers nonsense.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from engine.errors import EngineError

Activation = Literal["silu", "gelu_tanh"]


@dataclass(frozen=True)
class LanguageConfig:
    """A decoder-only Transformer: sizes in numbers of elements, ``context_tokens`` in tokens.

    ``architecture`` is only a label for other programs (``llama``, ``qwen2``, ``qwen3``); no behaviour hangs
    on it. ``rope_divisors`` stretch the rotary wavelengths: empty, or one divisor for each of the
    ``head_size / 2`` frequencies (that covers linear and Llama 3 scaling).

    Raises :class:`EngineError` when the numbers do not fit together.
    """

    architecture: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    context_tokens: int
    rope_theta: float
    rms_eps: float
    qkv_bias: bool = False
    qk_norm: bool = False
    tied_head: bool = True
    activation: Activation = "silu"
    rope_divisors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" and not is_size(value):
                raise unusable(f"{field.name} is {value!r}, not a number of elements")
            if field.type == "float" and not (isinstance(value, float) and 0 < value < math.inf):
                raise unusable(f"{field.name} is {value!r}, not a positive number")
            if field.type == "bool" and not isinstance(value, bool):
                raise unusable(f"{field.name} is {value!r}, not true or false")
        if self.layers > MOST_LAYERS:
            raise unusable(f"{self.layers} layers are too many")
        if self.heads % self.kv_heads:
            raise unusable(f"{self.heads} heads cannot share {self.kv_heads} key-value heads evenly")
        if self.head_size % 2:
            raise unusable(f"head_size is {self.head_size}; rotary positions need an even one")
        if self.activation not in ("silu", "gelu_tanh"):
            raise unusable(f"activation is {self.activation!r}, not silu or gelu_tanh")
        if self.rope_divisors and len(self.rope_divisors) != self.head_size // 2:
            raise unusable(f"{len(self.rope_divisors)} rotary divisors for {self.head_size // 2} frequencies")
        if not all(0 < divisor < math.inf for divisor in self.rope_divisors):
            raise unusable("a rotary divisor is not a positive number")

    @property
    def query_size(self) -> int:
        """Width of all heads together, H*D; not always the hidden size."""
        return self.heads * self.head_size

    @property
    def kv_size(self) -> int:
        """Width of all key (or value) heads together, G*D."""
        return self.kv_heads * self.head_size

    @property
    def parameters(self) -> int:
        """Weights of all matrices, the tied table once; norms and biases are too few to matter."""
        attention = self.hidden_size * 2 * (self.query_size + self.kv_size)
        tables = self.vocab_size * self.hidden_size * (1 if self.tied_head else 2)
        return tables + self.layers * (attention + 3 * self.hidden_size * self.intermediate_size)

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> LanguageConfig:
        """From a Hugging Face ``config.json``; raises :class:`EngineError` for what we cannot run."""
        architecture = config.get("model_type")
        if architecture not in _HF_FAMILIES:
            raise _unknown_architecture(architecture)
        values = dict(config)
        for key in _HF_IRRELEVANT:
            values.pop(key, None)
        for key, harmless in _HF_ONLY_AS.items():
            if key in values and values.pop(key) not in harmless:
                raise not_supported(key, config[key])
        window = values.pop("sliding_window", None)
        if (
            values.pop("use_sliding_window", True)
            and window
            and window < config.get("max_position_embeddings", 0)
        ):
            raise not_supported("sliding_window", window)
        if set(values.pop("layer_types", None) or ()) - {"full_attention"}:
            raise not_supported("layer_types", config["layer_types"])
        if architecture == "qwen2":
            # This family always has the biases, and its config.json does not say so.
            values["attention_bias"] = True
        elif values.get("attention_bias"):
            # In the other families the flag puts a bias on the output projection too.
            raise not_supported("attention_bias", True)

        hidden_size = take_whole(values, "hidden_size")
        heads = take_whole(values, "num_attention_heads")
        head_size = hidden_size // heads if values.get("head_dim") is None else take_whole(values, "head_dim")
        values.pop("head_dim", None)
        rope_theta, divisors = _hf_rope(values, head_size)
        activation = _take(values, "hidden_act", "silu")
        if activation not in _HF_ACTIVATIONS:
            raise not_supported("hidden_act", activation)
        result = cls(
            architecture=architecture,
            vocab_size=_take(values, "vocab_size"),
            hidden_size=hidden_size,
            intermediate_size=_take(values, "intermediate_size"),
            layers=_take(values, "num_hidden_layers"),
            heads=heads,
            kv_heads=values.pop("num_key_value_heads", None) or heads,
            head_size=head_size,
            context_tokens=_take(values, "max_position_embeddings"),
            rope_theta=rope_theta,
            rms_eps=_number(values, "rms_norm_eps"),
            qkv_bias=values.pop("attention_bias", False),
            qk_norm=architecture == "qwen3",
            tied_head=values.pop("tie_word_embeddings", False),
            activation=_HF_ACTIVATIONS[activation],
            rope_divisors=divisors,
        )
        if values:
            raise not_supported(*sorted(values.items())[0])
        return result

    @classmethod
    def from_gguf(
        cls,
        metadata: Mapping[str, Any],
        shapes: Mapping[str, tuple[int, ...]],
        rope_divisors: tuple[float, ...] = (),
    ) -> LanguageConfig:
        """From GGUF metadata, the shapes of the file's tensors, and its ``rope_freqs`` if it has them.

        Which biases and norms exist is read from the tensors that are there, not from the family.
        """
        architecture = metadata.get("general.architecture")
        if architecture not in GGUF_FAMILIES:
            raise _unknown_architecture(architecture)
        prefix = f"{architecture}."
        values = {key[len(prefix) :]: value for key, value in metadata.items() if key.startswith(prefix)}
        for key, harmless in _GGUF_ONLY_AS.items():
            if key in values and values.pop(key) not in harmless:
                raise not_supported(prefix + key, metadata[prefix + key])

        hidden_size = take_whole(values, "embedding_length")
        heads = take_whole(values, "attention.head_count")
        head_size = take_whole(values, "attention.key_length", hidden_size // heads)
        for key in ("attention.value_length", "rope.dimension_count"):
            if values.pop(key, head_size) != head_size:
                raise not_supported(prefix + key, metadata[prefix + key])
        scaling = values.pop("rope.scaling.type", "none")
        factor = _number(values, "rope.scaling.factor", 1.0)
        if scaling == "linear" and not rope_divisors:
            rope_divisors = (factor,) * (head_size // 2)
        elif scaling != "none":
            raise not_supported(prefix + "rope.scaling.type", scaling)
        vocab_size = values.pop("vocab_size", None) or shapes.get("token_embd.weight", (0,))[0]
        result = cls(
            architecture=architecture,
            vocab_size=vocab_size,
            hidden_size=hidden_size,
            intermediate_size=_take(values, "feed_forward_length"),
            layers=_take(values, "block_count"),
            heads=heads,
            kv_heads=values.pop("attention.head_count_kv", heads),
            head_size=head_size,
            context_tokens=_take(values, "context_length"),
            rope_theta=_number(values, "rope.freq_base", 10_000.0),
            rms_eps=_number(values, "attention.layer_norm_rms_epsilon"),
            qkv_bias="blk.0.attn_q.bias" in shapes,
            qk_norm="blk.0.attn_q_norm.weight" in shapes,
            tied_head="output.weight" not in shapes,
            rope_divisors=rope_divisors,
        )
        if values:
            key, value = sorted(values.items())[0]
            raise not_supported(prefix + key, value)
        return result


# GGUF family -> whether its files hold the rows of q and k permuted for interleaved rotary positions.
GGUF_FAMILIES = {"llama": True, "qwen2": False, "qwen3": False}

_HF_FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
_HF_ACTIVATIONS: dict[str, Activation] = {"silu": "silu", "gelu_pytorch_tanh": "gelu_tanh"}

# Keys that say nothing about how the model computes (training, bookkeeping, ids that the tokenizer has).
_HF_IRRELEVANT = (
    "_name_or_path", "architectures", "attention_dropout", "bos_token_id", "chunk_size_feed_forward", "dtype",
    "eos_token_id", "id2label", "initializer_range", "is_llama_config", "label2id",
    "max_window_layers", "model_type", "output_attentions", "output_hidden_states", "pad_token_id",
    "pretraining_tp", "problem_type", "return_dict", "torch_dtype", "transformers.js_config",
    "transformers_version", "unsloth_fixed", "use_cache",
)  # fmt: skip
# Keys that would change the computation, with the values at which they do not.
_HF_ONLY_AS: dict[str, tuple[Any, ...]] = {
    "mlp_bias": (False, None),
    "rope_interleaved": (False, None),
    "is_encoder_decoder": (False,),
}
_GGUF_ONLY_AS: dict[str, tuple[Any, ...]] = {
    "expert_count": (0,),
    "expert_used_count": (0,),
    "attention.sliding_window": (0,),
    "attention.causal": (True,),
    "rope.scaling.finetuned": (True, False),
    "rope.scaling.original_context_length": (0,),
}


def _hf_rope(values: dict[str, Any], head_size: int) -> tuple[float, tuple[float, ...]]:
    """Take the rotary settings out of ``values``: theta, and the divisor of each frequency."""
    scaling: dict[str, Any] = {}
    for key in ("rope_scaling", "rope_parameters"):
        settings = values.pop(key, None) or {}
        if not isinstance(settings, dict):
            raise unusable(f"{key} is {settings!r}")
        scaling |= settings
    theta = _number(values, "rope_theta", 10_000.0)
    theta = _number(scaling, "rope_theta", theta)
    kind = scaling.pop("rope_type", None) or scaling.pop("type", "default")
    scaling.pop("type", None)
    if kind == "default":
        divisors: tuple[float, ...] = ()
    elif kind == "linear":
        divisors = (_number(scaling, "factor"),) * (head_size // 2)
    elif kind == "llama3":
        divisors = _llama3_divisors(
            theta,
            head_size,
            factor=_number(scaling, "factor"),
            low=_number(scaling, "low_freq_factor"),
            high=_number(scaling, "high_freq_factor"),
            trained_tokens=take_whole(scaling, "original_max_position_embeddings"),
        )
    else:
        raise not_supported("rope_scaling", kind)
    if scaling:
        raise not_supported(*sorted(scaling.items())[0])
    return theta, divisors


def _llama3_divisors(
    theta: float, head_size: int, *, factor: float, low: float, high: float, trained_tokens: int
) -> tuple[float, ...]:
    """Llama 3.1's stretching: long wavelengths by ``factor``, short ones not at all, a ramp between.

    Source: ``_compute_llama3_parameters`` in ``transformers/modeling_rope_utils.py``.
    """
    divisors = []
    for pair in range(head_size // 2):
        wavelength_tokens = 2 * math.pi * theta ** (2 * pair / head_size)
        ramp = (trained_tokens / wavelength_tokens - low) / (high - low)
        ramp = min(max(ramp, 0.0), 1.0)
        divisors.append(1 / ((1 - ramp) / factor + ramp))
    return tuple(divisors)


_MISSING = object()
# A damaged file may state any number, and lists are made as long as these; real models stay far below.
_MOST_ELEMENTS, MOST_LAYERS = 1 << 25, 1000


def is_size(value: object) -> bool:
    """Whether a value read from a file can be a number of elements."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_ELEMENTS


def _take(values: dict[str, Any], key: str, default: Any = _MISSING) -> Any:
    value = values.pop(key, default)
    if value is _MISSING:
        raise unusable(f"{key} is missing")
    return value


def take_whole(values: dict[str, Any], key: str, default: Any = _MISSING) -> int:
    """Take a number of elements out of ``values``; EngineError when it is missing or no such number."""
    value = _take(values, key, default)
    if not is_size(value):
        raise unusable(f"{key} is {value!r}, not a number of elements")
    return value


def _number(values: dict[str, Any], key: str, default: Any = _MISSING) -> float:
    value = _take(values, key, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise unusable(f"{key} is {value!r}, not a positive number")
    return float(value)


def unusable(reason: str) -> EngineError:
    """For numbers that cannot describe a model."""
    return EngineError(
        "The model's configuration cannot be used: {reason}.",
        "The file is damaged or of a kind that Pollux does not know; get it again or choose another model.",
        reason=reason,
    )


def not_supported(key: str, value: object) -> EngineError:
    """For a setting that would change what a model computes, in a way that nobody here implements."""
    return EngineError(
        "The model's configuration asks for something that Pollux cannot do: {key} = {value}.",
        "Choose another model.",
        key=key,
        value=str(value)[:80],
    )


def _unknown_architecture(name: object) -> EngineError:
    return EngineError(
        "Models of the architecture {name} are not supported.",
        "Supported are {known}.",
        name=str(name)[:80],
        known=", ".join(_HF_FAMILIES),
    )
