"""A tiny random Whisper, and the same weights in each layout that its checkpoints come in.

In: a config. Out: tensors under our names, a PyTorch module, a Hugging Face folder, OpenAI's ``.pt`` with its tokenizer
beside it, or a folder in CTranslate2's format. Needs the export extra.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import save_file

from export.checkpoints.ctranslate2 import ct2_name
from export.checkpoints.whisper import parts_of, whisper_shapes
from export.checkpoints.whisper_folder import whisper_hf_name
from export.checkpoints.whisper_pt import openai_name
from export.nn.whisper import Whisper
from export.whisper_config import WhisperConfig

torch.set_num_threads(1)  # models this small only lose time to a second thread

Tensors = dict[str, np.ndarray]
Stored = Literal["fp32", "fp16", "int8"]

PIECES = [chr(number) for number in (*range(33, 127), *range(161, 173), *range(174, 256), *range(256, 324))]
MERGES = ["t h", "th e", "Ġ the"]
CONTROL = [
    *("<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|zh|>", "<|translate|>", "<|transcribe|>"),
    *("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
]
TIMES = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
# The order of the real vocabularies: pieces, control tokens, times.
VOCABULARY = [*PIECES, *("".join(merge.split()) for merge in MERGES), *CONTROL, *TIMES]

TINY = WhisperConfig(
    mels=80, vocab_size=len(VOCABULARY), hidden_size=64, heads=4, encoder_layers=2, decoder_layers=3
)
ALIGNMENT_HEADS = [[1, 0], [2, 3]]
SUPPRESSED = [VOCABULARY.index(token) for token in ("#", "(", *CONTROL[1:2], *CONTROL[4:9])]
SUPPRESSED_FIRST = [VOCABULARY.index("Ġ"), VOCABULARY.index("<|endoftext|>")]


def random_tensors(config: WhisperConfig = TINY, seed: int = 0) -> Tensors:
    """Weights under our names, fp32: norms around 1, everything else around 0, and no bias for keys."""
    dice = np.random.default_rng(seed)
    tensors: Tensors = {}
    for name, shape in whisper_shapes(config).items():
        middle, width = (1, 0.3) if "norm.weight" in name else (0, 0.3 if len(shape) == 1 else 0.12)
        tensors[name] = dice.normal(middle, width, shape).astype(np.float32)
        if name.endswith(("qkv.bias", "kv.bias")):
            keys = -2 * config.hidden_size, -config.hidden_size
            tensors[name][slice(*keys)] = 0
    return tensors


def whisper_model(config: WhisperConfig = TINY, seed: int = 0) -> Whisper:
    """The module with those weights."""
    model = Whisper(config)
    model.load_state_dict(
        {name: torch.from_numpy(tensor) for name, tensor in random_tensors(config, seed).items()}
    )
    return model.eval().requires_grad_(False)


def tokenizer_json() -> str:
    """A byte-level tokenizer with three merges and Whisper's control tokens and times."""
    base = len(PIECES) + len(MERGES)
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": token in CONTROL,
        }
        for number, token in enumerate(VOCABULARY)
        if number >= base
    ]
    values = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(VOCABULARY[:base])},
            "merges": MERGES,
        },
    }
    return json.dumps(values, ensure_ascii=False)


def hf_config(config: WhisperConfig = TINY) -> dict[str, Any]:
    """What ``config.json`` says in a Hugging Face folder."""
    return {
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "activation_function": "gelu",
        "num_mel_bins": config.mels,
        "vocab_size": config.vocab_size,
        "d_model": config.hidden_size,
        "encoder_attention_heads": config.heads,
        "decoder_attention_heads": config.heads,
        "encoder_layers": config.encoder_layers,
        "decoder_layers": config.decoder_layers,
        "encoder_ffn_dim": config.intermediate_size,
        "decoder_ffn_dim": config.intermediate_size,
        "max_source_positions": config.audio_context_frames,
        "max_target_positions": config.text_context_tokens,
        "decoder_start_token_id": VOCABULARY.index("<|startoftranscript|>"),
        **{f"{kind}_token_id": VOCABULARY.index("<|endoftext|>") for kind in ("bos", "eos", "pad")},
    }


def split(tensors: Tensors) -> Tensors:
    """Queries, keys and values apart, and no bias for keys: how all files but CTranslate2's hold them."""
    parts: Tensors = {}
    for name, tensor in tensors.items():
        names = parts_of(name)
        parts |= dict(zip(names, np.split(tensor, len(names)), strict=True))
    return {name: tensor for name, tensor in parts.items() if not name.endswith(".k.bias")}


def write_hf_folder(folder: Path, config: WhisperConfig = TINY, tensors: Tensors | None = None) -> Path:
    """A folder as on the model hub."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {
        whisper_hf_name(name): torch.from_numpy(tensor.copy())
        for name, tensor in split(random_tensors(config) if tensors is None else tensors).items()
    }
    save_file(stored, folder / "model.safetensors")
    write_json(folder / "config.json", hf_config(config))
    write_json(
        folder / "generation_config.json",
        {
            "alignment_heads": ALIGNMENT_HEADS,
            "suppress_tokens": SUPPRESSED,
            "begin_suppress_tokens": SUPPRESSED_FIRST,
            "is_multilingual": True,
        },
    )
    (folder / "tokenizer.json").write_text(tokenizer_json(), "utf-8")
    return folder


def write_pt(path: Path, config: WhisperConfig = TINY, tensors: Tensors | None = None) -> Path:
    """A checkpoint as OpenAI's, and the tokenizer beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        openai_name(name): torch.from_numpy(tensor.copy())
        for name, tensor in split(random_tensors(config) if tensors is None else tensors).items()
    }
    torch.save({"dims": openai_dims(config), "model_state_dict": state}, path)
    path.with_name("tokenizer.json").write_text(tokenizer_json(), "utf-8")
    return path


def openai_dims(config: WhisperConfig = TINY) -> dict[str, int]:
    """The ``dims`` of OpenAI's checkpoints."""
    values = asdict(config)
    names = {
        "n_mels": "mels",
        "n_audio_ctx": "audio_context_frames",
        "n_audio_state": "hidden_size",
        "n_audio_head": "heads",
        "n_audio_layer": "encoder_layers",
        "n_vocab": "vocab_size",
        "n_text_ctx": "text_context_tokens",
        "n_text_state": "hidden_size",
        "n_text_head": "heads",
        "n_text_layer": "decoder_layers",
    }
    return {name: values[field] for name, field in names.items()}


def write_ct2_folder(
    folder: Path, config: WhisperConfig = TINY, tensors: Tensors | None = None, stored: Stored = "fp16"
) -> Path:
    """A folder as CTranslate2's converter writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = random_tensors(config) if tensors is None else tensors
    (folder / "model.bin").write_bytes(ct2_bytes(ct2_variables(config, tensors, stored)))
    write_json(
        folder / "config.json",
        {
            "alignment_heads": ALIGNMENT_HEADS,
            "lang_ids": [VOCABULARY.index("<|en|>"), VOCABULARY.index("<|zh|>")],
            "suppress_ids": SUPPRESSED,
            "suppress_ids_begin": SUPPRESSED_FIRST,
        },
    )
    write_json(folder / "vocabulary.json", VOCABULARY)
    (folder / "tokenizer.json").write_text(tokenizer_json(), "utf-8")
    return folder


def ct2_variables(config: WhisperConfig, tensors: Tensors, stored: Stored) -> dict[str, np.ndarray]:
    """The variables of ``model.bin`` by their names in the file."""
    numbers = {
        "encoder/num_heads": np.array(config.heads, np.int16),
        "decoder/num_heads": np.array(config.heads, np.int16),
        "decoder/pre_norm": np.array(1, np.int8),
        "decoder/activation": np.array(3, np.int8),
        "decoder/alignment_layer": np.array(-1, np.int16),
        "decoder/alignment_heads": np.array(1, np.int16),
        "decoder/scale_embeddings": np.array(0, np.int8),
    }
    variables: dict[str, np.ndarray] = dict(numbers)
    for name, tensor in tensors.items():
        if stored == "int8" and name.endswith(".weight") and tensor.ndim > 1:
            whole, scale = quantised(tensor)
            variables |= {ct2_name(name): whole, f"{ct2_name(name)}_scale": scale}
        else:
            variables[ct2_name(name)] = tensor.astype(np.float16 if stored == "fp16" else np.float32)
    return variables


def quantised(tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers and the scale of each row that they were multiplied by."""
    rows = tensor.reshape(len(tensor), -1)
    scale = (127 / np.abs(rows).max(axis=1)).astype(np.float32)
    return np.rint(rows * scale[:, None]).astype(np.int8).reshape(tensor.shape), scale


_CT2_TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def ct2_bytes(
    variables: dict[str, np.ndarray], specification: str = "WhisperSpec", revision: int = 3, version: int = 6
) -> bytes:
    """``model.bin``; the head is another name for the embedding."""
    out = struct.pack("<I", version) + _ct2_text(specification) + struct.pack("<I", revision)
    out += struct.pack("<I", len(variables))
    for name, array in variables.items():
        out += _ct2_text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += struct.pack("<BI", _CT2_TYPES[str(array.dtype)], array.nbytes) + array.tobytes()
    aliases = {
        f"decoder/projection/{part}": f"decoder/embeddings/{part}"
        for part in ("weight", "weight_scale")
        if f"decoder/embeddings/{part}" in variables
    }
    out += struct.pack("<I", len(aliases))
    return out + b"".join(_ct2_text(alias) + _ct2_text(name) for alias, name in aliases.items())


def write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")


def _ct2_text(text: str) -> bytes:
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data
