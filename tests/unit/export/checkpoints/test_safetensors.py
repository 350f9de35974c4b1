"""Hugging Face folders: what a good one gives, and what is said about a bad one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")

from safetensors.torch import save_file

from engine.errors import EngineError
from export.checkpoints.interface import SpecialTokens
from export.checkpoints.load import load_language, open_language
from export.checkpoints.safetensors import FolderCheckpoint, hf_name
from tests import tiny

CONFIG: dict[str, Any] = {
    "model_type": "qwen2",
    "vocab_size": 288,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10_000.0,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
TENSORS = tiny.random_tensors(tiny.QWEN2)


def stored(dtype: Any = torch.float32) -> dict[str, Any]:
    return {hf_name(name): torch.from_numpy(tensor).to(dtype) for name, tensor in TENSORS.items()}


def write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "测试 ü" / "模型"
    path.mkdir(parents=True)
    write_json(path / "config.json", CONFIG)
    save_file(stored(), path / "model.safetensors")
    write_json(path / "tokenizer_config.json", {"eos_token": "é", "chat_template": "{{ 1 }}"})
    (path / "tokenizer.json").write_text("{}", "utf-8")
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_gives_back_what_was_written(dtype: Any, folder: Path) -> None:
    save_file(stored(dtype), folder / "model.safetensors")
    checkpoint = open_language(folder)
    assert checkpoint.config == tiny.QWEN2
    for name, tensor in TENSORS.items():
        read = checkpoint.read(name)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, torch.from_numpy(tensor).to(dtype).float().numpy())
        assert checkpoint.quantised(name) is None


def test_shards(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    names = list(stored())
    shards = {name: f"model-0000{1 + index % 2}-of-00002.safetensors" for index, name in enumerate(names)}
    for shard in set(shards.values()):
        save_file({name: stored()[name] for name in names if shards[name] == shard}, folder / shard)
    write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": shards})
    np.testing.assert_array_equal(FolderCheckpoint(folder).read("head.weight"), TENSORS["head.weight"])

    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(EngineError, match="model-00002-of-00002"):
        FolderCheckpoint(folder)

    write_json(folder / "model.safetensors.index.json", {"weight_map": {"a": "../secret.safetensors"}})
    with pytest.raises(EngineError, match="outside the folder"):
        FolderCheckpoint(folder)


def test_loads_the_module(folder: Path) -> None:
    model = load_language(open_language(folder))
    for name, parameter in tiny.language_model(tiny.QWEN2).named_parameters():
        assert torch.equal(parameter, model.get_parameter(name))
    assert load_language(open_language(folder), torch.bfloat16).head.weight.dtype == torch.bfloat16


def test_special_tokens_and_template(folder: Path) -> None:
    checkpoint = FolderCheckpoint(folder)
    assert checkpoint.special_tokens == SpecialTokens(1, (2,), None)
    assert checkpoint.chat_template == "{{ 1 }}"
    write_json(folder / "generation_config.json", {"eos_token_id": [2, 3], "pad_token_id": 4})
    (folder / "chat_template.jinja").write_text("{{ 2 }}", "utf-8")
    checkpoint = FolderCheckpoint(folder)
    assert checkpoint.special_tokens == SpecialTokens(1, (2, 3), 4)
    files = checkpoint.tokenizer_files()
    assert json.loads(files.tokenizer_config_json) == {"eos_token": "é", "chat_template": "{{ 2 }}"}
    assert files.tokenizer_json == "{}"


def test_missing_extra_and_misshaped_tensors_are_named(folder: Path) -> None:
    file = folder / "model.safetensors"
    tensors = stored()
    del tensors["model.layers.1.self_attn.k_proj.bias"]
    save_file(tensors, file)
    with pytest.raises(EngineError, match=r"lacks 1 tensor.*model\.layers\.1\.self_attn\.k_proj\.bias"):
        FolderCheckpoint(folder)
    save_file(stored() | {"model.layers.0.mlp.gate_proj.bias": torch.zeros(96)}, file)
    with pytest.raises(EngineError, match=r"does not know.*model\.layers\.0\.mlp\.gate_proj\.bias"):
        FolderCheckpoint(folder)
    save_file(stored() | {"lm_head.weight": torch.zeros(10, 64)}, file)
    with pytest.raises(EngineError) as caught:
        FolderCheckpoint(folder)
    assert "lm_head.weight has the shape [10, 64] instead of [288, 64]" in caught.value.message
    save_file(stored() | {"lm_head.weight": torch.zeros(288, 64, dtype=torch.int8)}, file)
    with pytest.raises(EngineError, match=r"lm_head\.weight is stored as I8"):
        FolderCheckpoint(folder)


def test_damaged_and_missing_files_are_named(folder: Path) -> None:
    file = folder / "model.safetensors"
    data = file.read_bytes()
    for size in (0, 7, 100, len(data) - 1):
        file.write_bytes(data[:size])
        with pytest.raises(EngineError, match=r"model\.safetensors cannot be used"):
            FolderCheckpoint(folder)
    file.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(EngineError, match=r"holds no model\.safetensors"):
        FolderCheckpoint(folder)

    for text, named in (
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not valid JSON"),
    ):
        (folder / "config.json").write_text(text, "utf-8")
        with pytest.raises(EngineError, match=named):
            FolderCheckpoint(folder)
    (folder / "config.json").unlink()
    with pytest.raises(EngineError, match=r"lacks the file config\.json"):
        FolderCheckpoint(folder)


def test_ids_outside_the_vocabulary_are_refused(folder: Path) -> None:
    write_json(folder / "generation_config.json", {"eos_token_id": 288})
    with pytest.raises(EngineError, match="eos_token_id is 288"):
        _ = FolderCheckpoint(folder).special_tokens
