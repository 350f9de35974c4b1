"""GGUF files: what a good one gives, and what is said about a bad one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the export extra")

from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize, quantize

from engine.catalogue import read_catalogue
from engine.errors import EngineError
from engine.folders import cache_folder
from export.checkpoints.gguf import GgufCheckpoint, gguf_name
from export.checkpoints.gguf_header import read_gguf
from export.checkpoints.interface import ModelInfo, SpecialTokens
from tests import tiny

CHECKPOINTS = cache_folder() / "checkpoints"  # the user's, looked up before any fixture points elsewhere


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "测试 ü" / "GGUF"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def path(folder: Path) -> Path:
    return tiny.write_gguf(folder / "模型 ü.gguf", tiny.LLAMA, tiny.random_tensors(tiny.LLAMA))


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_gives_back_what_was_written(family: str, folder: Path) -> None:
    config = tiny.FAMILIES[family]
    tensors = tiny.random_tensors(config)
    checkpoint = GgufCheckpoint(tiny.write_gguf(folder / "a.gguf", config, tensors))
    eps = float(np.float32(config.rms_eps))  # the file holds it in fp32
    assert checkpoint.config == dataclasses.replace(config, rms_eps=eps)
    assert checkpoint.names == tuple(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(checkpoint.read(name), tensor)
        assert checkpoint.quantised(name) is None


@pytest.mark.parametrize("kind", ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_quantised_tensors(kind: str, family: str, folder: Path) -> None:
    config = tiny.FAMILIES[family]
    tensors = tiny.random_tensors(config)
    formats: dict[str, str] = dict.fromkeys(
        ("q.weight", "k.weight", "v.weight", "up.weight", "down.weight", "embedding.weight"), kind
    )
    checkpoint = GgufCheckpoint(tiny.write_gguf(folder / "a.gguf", config, tensors, formats=formats))
    for name, tensor in tensors.items():
        stored = GGMLQuantizationType[kind if any(name.endswith(end) for end in formats) else "F32"]
        assert checkpoint.format_of(name) == stored.name
        # Rows are quantised one by one, so permuting them before or after is the same.
        expected = dequantize(quantize(tensor, stored), stored)
        np.testing.assert_array_equal(checkpoint.read(name), expected)
        parts = checkpoint.quantised(name)
        assert (parts is None) == (stored.name in ("F32", "F16", "BF16"))
        if parts is not None:
            np.testing.assert_array_equal(parts.dequantised(), expected)


def test_describes_itself(path: Path) -> None:
    checkpoint = GgufCheckpoint(path)
    assert checkpoint.info == ModelInfo("Tiny", "apache-2.0", ("en", "zh"))
    assert checkpoint.special_tokens == SpecialTokens(bos_id=259, eos_ids=(260, 258), pad_id=258)
    assert "add_generation_prompt" in checkpoint.chat_template


def test_rope_frequencies_of_the_file_are_used(folder: Path) -> None:
    tensors = tiny.random_tensors(tiny.LLAMA)
    divisors = tuple(float(n) for n in range(1, 9))
    path = folder / "a.gguf"
    tiny.write_gguf(path, tiny.LLAMA, tensors, extra={"rope_freqs.weight": np.array(divisors, np.float32)})
    assert GgufCheckpoint(path).config.rope_divisors == divisors


@pytest.mark.parametrize("share", [0.0, 0.00002, 0.001, 0.01, 0.05, 0.3, 0.9, 0.9999])
def test_a_cut_file_is_refused(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(EngineError) as caught:
        GgufCheckpoint(path)
    assert "模型 ü.gguf is not a usable GGUF file" in caught.value.message
    assert "download it again" in caught.value.hint


def test_another_file_is_refused(folder: Path) -> None:
    path = folder / "holiday.gguf"
    path.write_bytes(b"\x89PNG" * 1000)
    with pytest.raises(EngineError, match="does not begin with GGUF"):
        GgufCheckpoint(path)
    with pytest.raises(EngineError, match="There is no file"):
        GgufCheckpoint(folder / "absent.gguf")
    with pytest.raises(EngineError, match="There is no file"):
        GgufCheckpoint(folder)


def test_stated_lengths_are_not_trusted(path: Path) -> None:
    """Flip the header's bytes one at a time: an EngineError or a file that still reads, and soon."""
    data = bytearray(path.read_bytes())
    for at in range(4, 400):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        try:
            GgufCheckpoint(path)
        except EngineError as error:
            assert error.message and error.hint


def test_missing_extra_and_misshaped_tensors_are_named(folder: Path) -> None:
    tensors = tiny.random_tensors(tiny.LLAMA)
    path = folder / "a.gguf"

    missing = {name: tensor for name, tensor in tensors.items() if name != "blocks.1.mlp.up.weight"}
    with pytest.raises(EngineError, match=r"a.gguf lacks 1 tensor\(s\), among them blk.1.ffn_up.weight"):
        GgufCheckpoint(tiny.write_gguf(path, tiny.LLAMA, missing))

    extra = {"blk.0.ffn_gate_inp.weight": np.zeros((2, 64), np.float32)}
    with pytest.raises(EngineError, match=r"does not know, among them blk.0.ffn_gate_inp.weight"):
        GgufCheckpoint(tiny.write_gguf(path, tiny.LLAMA, tensors, extra=extra))

    wrong = tensors | {"blocks.0.mlp.down.weight": np.zeros((64, 32), np.float32)}
    with pytest.raises(EngineError) as caught:
        GgufCheckpoint(tiny.write_gguf(path, tiny.LLAMA, wrong))
    assert "blk.0.ffn_down.weight has the shape [64, 32] instead of [64, 96]" in caught.value.message


def test_an_unknown_key_is_named(folder: Path) -> None:
    metadata = tiny.gguf_metadata(tiny.LLAMA) | {"llama.residual_scale": 0.5}
    path = tiny.write_gguf(folder / "a.gguf", tiny.LLAMA, tiny.random_tensors(tiny.LLAMA), metadata=metadata)
    with pytest.raises(EngineError, match=r"llama\.residual_scale"):
        GgufCheckpoint(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tokenizer.ggml.model": "llama"}, "llama"),
        ({"tokenizer.ggml.pre": "unheard-of"}, "unheard-of"),
        ({"tokenizer.ggml.eos_token_id": 5000}, "eos"),
        ({"tokenizer.ggml.tokens": ["a", "a"], "tokenizer.ggml.token_type": [1, 1]}, "twice"),
        ({"tokenizer.ggml.tokens": ["a", "b"]}, "kinds"),
        ({"tokenizer.ggml.merges": ["no such"]}, "out of vocabulary"),
    ],
)
def test_a_bad_tokenizer_is_named(change: dict[str, Any], named: str, folder: Path) -> None:
    metadata = tiny.gguf_metadata(tiny.LLAMA) | change
    tensors = tiny.random_tensors(tiny.LLAMA)
    checkpoint = GgufCheckpoint(tiny.write_gguf(folder / "a.gguf", tiny.LLAMA, tensors, metadata=metadata))
    with pytest.raises(EngineError, match=named):
        checkpoint.tokenizer_files()


@pytest.mark.real
@pytest.mark.parametrize("model", ["smollm2-135m", "qwen2.5-coder-1.5b"])
def test_real_tensors_equal_the_library(model: str) -> None:
    """Every format that a real file holds, taken apart and put together again, bit for bit."""
    path = CHECKPOINTS / read_catalogue().get(model).source.file
    if not path.is_file():
        pytest.skip(f"{path.name} is not in the cache")
    checkpoint = GgufCheckpoint(path)
    stored = read_gguf(path).tensors
    seen: set[str] = set()
    for name in checkpoint.names:
        tensor = stored[gguf_name(name)]
        if tensor.format.name in seen or ".q." in name or ".k." in name or name == "embedding.weight":
            continue  # one of each format will do; not those whose rows we put in another order
        seen.add(tensor.format.name)
        expected = dequantize(tensor.raw, tensor.format)
        np.testing.assert_array_equal(checkpoint.read(name), expected)
        if parts := checkpoint.quantised(name):
            np.testing.assert_array_equal(parts.dequantised(), expected)
    assert len(seen) >= 2
