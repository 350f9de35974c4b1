"""Tiny random models, made inside the tests that need one.

In: which family. Out: a config of two layers, a PyTorch module with random weights, and the same weights
in a GGUF file or a Hugging Face folder. Needs the export extra.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf.constants import GGMLQuantizationType
from gguf.quants import quantize

from export.checkpoints.gguf import gguf_name
from export.checkpoints.interface import expected_shapes, parts_of
from export.config import LanguageConfig
from export.nn.language import LanguageModel

torch.set_num_threads(1)  # models this small only lose time to a second thread

LLAMA = LanguageConfig(
    architecture="llama",
    vocab_size=288,
    hidden_size=64,
    intermediate_size=96,
    layers=2,
    heads=4,
    kv_heads=2,
    head_size=16,
    context_tokens=128,
    rope_theta=10_000.0,
    rms_eps=1e-5,
)
QWEN2 = dataclasses.replace(LLAMA, architecture="qwen2", qkv_bias=True, tied_head=False, rms_eps=1e-6)
QWEN3 = dataclasses.replace(LLAMA, architecture="qwen3", qk_norm=True, head_size=32, rms_eps=1e-6)
FAMILIES = {config.architecture: config for config in (LLAMA, QWEN2, QWEN3)}


def random_tensors(config: LanguageConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights under the checkpoint's names, fp32: norms around 1, everything else around 0."""
    dice = np.random.default_rng(seed)
    return {
        name: (
            dice.normal(1 if "norm" in name else 0, 0.3 if len(shape) == 1 else 0.12, shape).astype(
                np.float32
            )
        )
        for name, shape in expected_shapes(config).items()
    }


def language_model(config: LanguageConfig, seed: int = 0) -> LanguageModel:
    """The module with those weights."""
    model = LanguageModel(config)
    tensors = random_tensors(config, seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(np.concatenate([tensors[part] for part in parts_of(name)])))
    return model.eval().requires_grad_(False)


def byte_tokenizer() -> dict[str, Any]:
    """GGUF metadata of a byte-level tokenizer: 256 bytes, two merges, then control tokens up to 288."""
    pieces = [chr(code) for code in _byte_alphabet()] + ["th", "the"]
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    unused = [f"[PAD{number}]" for number in range(len(pieces) + len(control), LLAMA.vocab_size)]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smollm",
        "tokenizer.ggml.tokens": pieces + control + unused,
        "tokenizer.ggml.token_type": [1] * len(pieces) + [3] * len(control) + [5] * len(unused),
        "tokenizer.ggml.merges": ["t h", "th e"],
        "tokenizer.ggml.bos_token_id": pieces.index("the") + 2,
        "tokenizer.ggml.eos_token_id": pieces.index("the") + 3,
        "tokenizer.ggml.padding_token_id": pieces.index("the") + 1,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": (
            "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
            "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
        ),
    }


def gguf_metadata(config: LanguageConfig) -> dict[str, Any]:
    """The keys that describe ``config``, and the tokenizer's."""
    family = config.architecture
    return {
        "general.name": "Tiny",
        "general.license": "apache-2.0",
        "general.languages": ["en", "zh"],
        f"{family}.block_count": config.layers,
        f"{family}.context_length": config.context_tokens,
        f"{family}.embedding_length": config.hidden_size,
        f"{family}.feed_forward_length": config.intermediate_size,
        f"{family}.attention.head_count": config.heads,
        f"{family}.attention.head_count_kv": config.kv_heads,
        f"{family}.attention.key_length": config.head_size,
        f"{family}.attention.value_length": config.head_size,
        f"{family}.rope.freq_base": config.rope_theta,
        f"{family}.attention.layer_norm_rms_epsilon": config.rms_eps,
        **byte_tokenizer(),
    }


def write_gguf(
    path: Path,
    config: LanguageConfig,
    tensors: Mapping[str, np.ndarray],
    *,
    metadata: Mapping[str, Any] | None = None,
    formats: Mapping[str, str] | None = None,
    extra: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """A GGUF file of ``tensors`` (checkpoint names), as llama.cpp's converter writes it.

    ``formats`` names the quantisation of some tensors by the end of their name; the others are fp32. ``metadata``
    replaces :func:`gguf_metadata`; ``extra`` are more tensors, by their names in the file.
    """
    writer = gguf.GGUFWriter(path, config.architecture)
    for key, value in (gguf_metadata(config) if metadata is None else metadata).items():
        _add(writer, key, value)
    for name, tensor in tensors.items():
        stored = tensor
        if config.architecture == "llama" and ".attention.q." in name:
            stored = _interleaved(tensor, config.heads)
        elif config.architecture == "llama" and ".attention.k." in name:
            stored = _interleaved(tensor, config.kv_heads)
        kind = next((kind for end, kind in (formats or {}).items() if name.endswith(end)), "F32")
        stored = quantize(stored, GGMLQuantizationType[kind])
        writer.add_tensor(gguf_name(name), stored, raw_dtype=GGMLQuantizationType[kind])
    for name, tensor in (extra or {}).items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _interleaved(tensor: np.ndarray, heads: int) -> np.ndarray:
    """``permute`` of llama.cpp's convert_hf_to_gguf.py."""
    return (
        tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
        .swapaxes(1, 2)
        .reshape(tensor.shape)
    )


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)


def _byte_alphabet() -> list[int]:
    """The character that stands for each byte in a byte-level vocabulary (GPT-2's ``bytes_to_unicode``)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return sorted(plain + [256 + number for number in range(len(others))])
