"""Makes what ONNX Runtime GenAI's own builder would ship of a checkpoint: int4, block 32.

In: a checkpoint of ours (GGUF). Out: a GenAI model folder. The builder reads Hugging Face folders, so the
dequantised weights are written as one first. Run in ``.venv-export``: ``python -m tests.bench.genai_model GGUF OUT``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from export.checkpoints.interface import Checkpoint
from export.checkpoints.load import open_language
from export.config import LanguageConfig

_HF_NAMES = {
    "embedding.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "head.weight": "lm_head.weight",
}
_HF_PARTS = {
    "attention_norm": "input_layernorm",
    "mlp_norm": "post_attention_layernorm",
    "attention.q": "self_attn.q_proj",
    "attention.k": "self_attn.k_proj",
    "attention.v": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def hf_name(name: str) -> str:
    """Our name of a tensor as Hugging Face's llama and qwen2 call it."""
    if name in _HF_NAMES:
        return _HF_NAMES[name]
    _, layer, rest = name.split(".", 2)
    part, _, field = rest.rpartition(".")
    return f"model.layers.{layer}.{_HF_PARTS[part]}.{field}"


def write_hf_folder(checkpoint: Checkpoint, folder: Path) -> None:
    """The checkpoint in fp32 as ``transformers`` would have saved it."""
    tensors = {hf_name(name): torch.from_numpy(checkpoint.read(name)) for name in checkpoint.names}
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_hf_config(checkpoint.config, checkpoint)), "utf-8")
    files = checkpoint.tokenizer_files()
    (folder / "tokenizer.json").write_text(files.tokenizer_json, "utf-8")
    (folder / "tokenizer_config.json").write_text(files.tokenizer_config_json, "utf-8")


def _hf_config(config: LanguageConfig, checkpoint: Checkpoint) -> dict[str, object]:
    architecture = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}[config.architecture]
    special = checkpoint.special_tokens
    return {
        "architectures": [architecture],
        "model_type": config.architecture,
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_size,
        "hidden_act": "silu",
        "max_position_embeddings": config.context_tokens,
        "rms_norm_eps": config.rms_eps,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": config.tied_head,
        "attention_bias": False,
        "bos_token_id": special.bos_id if special.bos_id is not None else special.eos_ids[0],
        "eos_token_id": special.eos_ids[0],
        "pad_token_id": special.pad_id if special.pad_id is not None else special.eos_ids[0],
        "torch_dtype": "float32",
    }


def main() -> int:
    """Build; the builder's own exit code."""
    gguf, out = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        write_hf_folder(open_language(gguf), Path(folder))
        builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
        places = ["-i", folder, "-o", str(out), "-c", cache, "-p", "int4", "-e", "cpu"]
        options = ["--extra_options", "int4_block_size=32", "int4_accuracy_level=4"]
        return subprocess.run([*builder, *places, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
