"""The configuration refuses what it does not understand, and names it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from engine.errors import EngineError
from export.config import LanguageConfig

HF: dict[str, Any] = {
    "model_type": "qwen2",
    "architectures": ["Qwen2ForCausalLM"],
    "vocab_size": 1000,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rope_theta": 1_000_000.0,
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "sliding_window": 512,
    "use_sliding_window": False,
    "max_window_layers": 2,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}
GGUF: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.context_length": 512,
    "llama.embedding_length": 64,
    "llama.feed_forward_length": 96,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.rope.freq_base": 100_000.0,
    "llama.rope.dimension_count": 16,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "tokenizer.ggml.pre": "smollm",
}
SHAPES = {"token_embd.weight": (1000, 64)}
VALID = LanguageConfig.from_hf(HF)


def test_reads_a_hugging_face_config() -> None:
    assert VALID.qkv_bias
    assert VALID.tied_head
    assert not VALID.qk_norm
    assert (VALID.head_size, VALID.query_size, VALID.kv_size) == (16, 64, 32)
    assert VALID.rope_theta == 1_000_000.0


def test_reads_gguf_metadata() -> None:
    config = LanguageConfig.from_gguf(GGUF, SHAPES)
    assert (config.vocab_size, config.kv_heads, config.tied_head, config.qkv_bias) == (1000, 2, True, False)
    shapes = SHAPES | {"output.weight": (1000, 64), "blk.0.attn_q.bias": (64,)}
    config = LanguageConfig.from_gguf(GGUF, shapes)
    assert (config.tied_head, config.qkv_bias) == (False, True)


def test_linear_scaling_becomes_divisors() -> None:
    scaled = GGUF | {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4.0}
    assert LanguageConfig.from_gguf(scaled, SHAPES).rope_divisors == (4.0,) * 8


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model_type": "gpt_neox"}, "gpt_neox"),
        ({"model_type": None}, "None"),
        ({"logit_scale": 0.5}, "logit_scale = 0.5"),
        ({"mlp_bias": True}, "mlp_bias"),
        ({"hidden_act": "relu"}, "relu"),
        ({"use_sliding_window": True, "sliding_window": 128}, "sliding_window = 128"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "layer_types"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "yarn"),
        ({"rope_scaling": {"rope_type": "linear"}}, "factor is missing"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"hidden_size": "64"}, "hidden_size"),
        ({"num_attention_heads": 0}, "num_attention_heads"),
        ({"num_attention_heads": 3, "head_dim": 16}, "3 heads"),
        ({"head_dim": 15}, "even"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps"),
        ({"rope_theta": "big"}, "rope_theta"),
        ({"tie_word_embeddings": 1}, "tied_head"),
    ],
)
def test_refuses_a_hugging_face_config(change: dict[str, Any], named: str) -> None:
    with pytest.raises(EngineError) as caught:
        LanguageConfig.from_hf(HF | change)
    assert named in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("key", ["hidden_size", "vocab_size", "num_hidden_layers", "rms_norm_eps"])
def test_names_a_missing_key(key: str) -> None:
    with pytest.raises(EngineError, match=key):
        LanguageConfig.from_hf({name: value for name, value in HF.items() if name != key})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"general.architecture": "mamba"}, "mamba"),
        ({"llama.expert_count": 8}, "llama.expert_count = 8"),
        ({"llama.attention.sliding_window": 4096}, "sliding_window"),
        ({"llama.rope.scaling.type": "yarn"}, "yarn"),
        ({"llama.rope.dimension_count": 8}, "rope.dimension_count"),
        ({"llama.logit_scale": 2.0}, "llama.logit_scale"),
        ({"llama.block_count": [2, 2]}, "layers"),
        ({"llama.block_count": 2**30}, "layers"),
        ({"llama.block_count": 5000}, "5000 layers"),
        ({"llama.attention.key_length": 2**31}, "key_length"),
        ({"llama.embedding_length": "64"}, "embedding_length"),
        ({"llama.attention.head_count": [4, 4]}, "head_count"),
    ],
)
def test_refuses_gguf_metadata(change: dict[str, Any], named: str) -> None:
    with pytest.raises(EngineError) as caught:
        LanguageConfig.from_gguf(GGUF | change, SHAPES)
    assert named in caught.value.message


def test_divisors_must_fit() -> None:
    with pytest.raises(EngineError, match="rotary divisors"):
        dataclasses.replace(VALID, rope_divisors=(2.0,))
    with pytest.raises(EngineError, match="rotary divisor"):
        dataclasses.replace(VALID, rope_divisors=(0.0,) * 8)
    with pytest.raises(EngineError, match="activation"):
        dataclasses.replace(VALID, activation="relu")
