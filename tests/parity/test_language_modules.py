"""Our Transformer equals ``transformers`` with the same weights, and equals itself with a cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
transformers = pytest.importorskip("transformers", reason="needs the parity extra")

from export.checkpoints.load import load_language, open_language
from export.checkpoints.safetensors import hf_name
from export.config import LanguageConfig
from export.nn.language import LanguageModel
from tests import tiny

SIZES: dict[str, Any] = {
    "vocab_size": 288,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
LINEAR_ROPE = {"rope_type": "linear", "rope_theta": 10_000.0, "factor": 4.0}
REFERENCES = {
    "llama": ("Llama", {}),
    "llama, tied head": ("Llama", {"tie_word_embeddings": True}),
    "llama, one key-value head, wide heads": ("Llama", {"num_key_value_heads": 1, "head_dim": 24}),
    "llama, llama3 rope": ("Llama", {"rope_parameters": LLAMA3_ROPE}),
    "llama, linear rope": ("Llama", {"rope_parameters": LINEAR_ROPE}),
    "qwen2": ("Qwen2", {}),
    "qwen2, tied head": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 32}),
}


@pytest.fixture(params=REFERENCES, scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ``transformers`` saved: a random model of one family."""
    family, changes = REFERENCES[request.param]
    config = getattr(transformers, f"{family}Config")(**SIZES | changes)
    torch.manual_seed(1)
    reference = getattr(transformers, f"{family}ForCausalLM")(config)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.normal_(1.0 if parameter.ndim == 1 else 0.0, 0.3 if parameter.ndim == 1 else 0.12)
    path = tmp_path_factory.mktemp("测试 ü")
    reference.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def ours(folder: Path) -> LanguageModel:
    return load_language(open_language(folder))


@pytest.fixture(scope="module")
def input_ids() -> Any:
    return torch.randint(0, 288, (3, 100), generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_equals_transformers(reference: Any, ours: LanguageModel, input_ids: Any) -> None:
    expected = reference(input_ids).logits
    assert expected.std() > 0.1  # a model that says something
    assert (ours(input_ids)[0] - expected).abs().max() < 1e-4


@torch.no_grad()
@pytest.mark.parametrize(
    "lengths", [[64, 36], [1] * 24 + [76], [7, 1, 1, 80, 11]], ids=["chunks", "single", "mixed"]
)
def test_cached_equals_uncached(ours: LanguageModel, input_ids: Any, lengths: list[int]) -> None:
    whole, whole_cache = ours(input_ids)
    past, pieces = None, []
    for piece in input_ids.split(lengths, dim=1):
        logits, past = ours(piece, past)
        pieces.append(logits)
    assert (torch.cat(pieces, dim=1) - whole).abs().max() < 1e-4
    assert past is not None
    for (keys, values), (whole_keys, whole_values) in zip(past, whole_cache, strict=True):
        assert keys.shape == (3, ours.config.kv_heads, 100, ours.config.head_size)
        assert (keys - whole_keys).abs().max() < 1e-4
        assert (values - whole_values).abs().max() < 1e-4


@torch.no_grad()
def test_last_only_is_the_last_position(ours: LanguageModel, input_ids: Any) -> None:
    whole, _ = ours(input_ids)
    last, cache = ours(input_ids, last_only=True)
    assert last.shape == (3, 1, 288)
    assert (last - whole[:, -1:]).abs().max() < 1e-5
    assert cache[-1][0].shape[2] == 100  # the cache still has every token
    following, _ = ours(input_ids[:, :1], cache, last_only=True)
    assert (following - ours(input_ids[:, :1], ours(input_ids)[1])[0]).abs().max() < 1e-5


@torch.no_grad()
def test_a_batch_is_its_rows(ours: LanguageModel, input_ids: Any) -> None:
    together, _ = ours(input_ids)
    for row in range(3):
        assert (ours(input_ids[row : row + 1])[0][0] - together[row]).abs().max() < 1e-4


def test_config_from_transformers(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text("utf-8"))
    config = LanguageConfig.from_hf(values)
    assert config.qkv_bias == (values["model_type"] == "qwen2")
    assert config.qk_norm == (values["model_type"] == "qwen3")
    assert config.tied_head == values["tie_word_embeddings"]


@torch.no_grad()
@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_gguf_equals_transformers(family: str, input_ids: Any, tmp_path: Path) -> None:
    """The same weights through a GGUF file, with the llama family's permutation undone."""
    config = tiny.FAMILIES[family]
    tensors = tiny.random_tensors(config)
    checkpoint = open_language(tiny.write_gguf(tmp_path / "m.gguf", config, tensors))
    name = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[family]
    reference = getattr(transformers, f"{name}ForCausalLM")(
        getattr(transformers, f"{name}Config")(
            **SIZES,
            head_dim=config.head_size,
            rms_norm_eps=config.rms_eps,
            tie_word_embeddings=config.tied_head,
        )
    ).eval()
    state = {hf_name(key): torch.from_numpy(value) for key, value in tensors.items()}
    reference.load_state_dict(state, strict=False)
    reference.tie_weights()
    difference = load_language(checkpoint)(input_ids)[0] - reference(input_ids).logits
    assert difference.abs().max() < 1e-4
