"""Describes a pack's graphs the way ONNX Runtime GenAI reads them.

In: sizes, special tokens and the form of a pack. Out: the values of ``genai_config.json``, and the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.genai_config import IDEFICS3
from engine.packs import CONFIG_FILE
from export.checkpoints.interface import SpecialTokens
from export.config import LanguageConfig
from export.idefics3_config import Idefics3Config
from export.idefics3_graph import VISION_FILE
from export.onnx_graph import EMBEDDING_FILE, MODEL_FILE
from export.packing import Format

Json = dict[str, Any]
PROCESSOR_FILE = "processor.json"  # how pictures are prepared


def genai_config(config: LanguageConfig, special: SpecialTokens, form: Format) -> Json:
    """For a decoder of text alone."""
    decoder = {
        "filename": MODEL_FILE,
        "head_size": config.head_size,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "num_hidden_layers": config.layers,
        "inputs": {
            "input_ids": "input_ids",
            "attention_mask": "attention_mask",
            "past_key_names": "past_key_values.%d.key",
            "past_value_names": "past_key_values.%d.value",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present.%d.key",
            "present_value_names": "present.%d.value",
        },
        "session_options": {
            "log_id": "onnxruntime-genai",
            "provider_options": [{"cuda": {}}] if form.device == "cuda" else [],
        },
    }
    model = {
        "type": config.architecture,
        "vocab_size": config.vocab_size,
        "context_length": config.context_tokens,
        "bos_token_id": special.bos_id if special.bos_id is not None else special.eos_ids[0],
        "eos_token_id": list(special.eos_ids),
        "pad_token_id": special.pad_id if special.pad_id is not None else special.eos_ids[0],
        "decoder": decoder,
    }
    search = {
        "do_sample": False,
        "max_length": config.context_tokens,
        "min_length": 0,
        "num_beams": 1,
        "num_return_sequences": 1,
        "past_present_share_buffer": True,
        "repetition_penalty": 1.0,
        "temperature": 1.0,
        "top_k": 1,
        "top_p": 1.0,
    }
    return {"model": model, "search": search}


def vision_genai_config(config: Idefics3Config, special: SpecialTokens, form: Format) -> Json:
    """For one that takes embeddings, with what sees and what looks up beside it."""
    values = genai_config(config.text, special, form)
    model, decoder = values["model"], values["model"]["decoder"]
    model |= {"type": IDEFICS3, "image_token_id": config.image_token_id}
    names = {key: name for key, name in decoder["inputs"].items() if key != "input_ids"}
    decoder["inputs"] = {"inputs_embeds": "inputs_embeds"} | names
    model["embedding"] = {
        "filename": EMBEDDING_FILE,
        "inputs": {"input_ids": "input_ids"},
        "outputs": {"inputs_embeds": "inputs_embeds"},
    }
    model["vision"] = {
        "filename": VISION_FILE,
        "config_filename": PROCESSOR_FILE,
        "inputs": {"pixel_values": "pixel_values"},
        "outputs": {"image_features": "image_features"},
    }
    return values


def write_genai_config(folder: Path, values: Json) -> None:
    """Put it into the pack."""
    (folder / CONFIG_FILE).write_text(json.dumps(values, indent=2) + "\n", "utf-8")
