"""From an opened Whisper checkpoint to a finished speech pack.

In: a recipe and a checkpoint. Out: :class:`Progress`, and at last the folder: two graphs with their weights, tokenizer,
configuration and ``pack.json`` with the figures measured. ``export/build_pack.py`` calls it for checkpoints that hear.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import nn

from engine.cancel import Cancel
from engine.disk import check_space
from engine.errors import EngineError
from engine.packs import GENERATION_FILE, TOKENIZER_FILE, write_pack_json
from engine.results import Progress
from export.checkpoints.load import load_whisper
from export.checkpoints.whisper import WhisperCheckpoint
from export.nn.whisper import DecoderBlock, Whisper
from export.recipe import Recipe
from export.speech_packing import BLOCKS, quantise_decoder, quantise_encoder
from export.verify_speech import measure_speech
from export.whisper_config import WhisperConfig
from export.whisper_graph import (
    DECODER_FILE,
    ENCODER_FILE,
    DecoderGraph,
    EncoderGraph,
    export_decoder,
    export_encoder,
)

STEPS = 4
WORKING_BYTES = 250_000_000  # sound, keys and values of 30 s, texts side by side, the program itself
HEAD_SIZE_STEP = 8
END_TOKEN, START_TOKEN = "<|endoftext|>", "<|startoftranscript|>"


def build_speech(
    recipe: Recipe, checkpoint: WhisperCheckpoint, folder: Path, cancel: Cancel
) -> Iterator[Progress | Path]:
    """Make the pack in ``folder`` (new or empty); the last item is the folder itself, unless cancelled."""
    if recipe.form.precision not in ("int8", "fp32") or recipe.form.device != "cpu":
        raise EngineError(
            "A speech model cannot be built in {precision} for {device}.",
            "Use --precision int8 or fp32, and --device cpu.",
            precision=recipe.form.precision,
            device=recipe.form.device,
        )
    _check_sizes(checkpoint.config, recipe.form.is_packed)
    tokenizer = checkpoint.tokenizer_json()  # before the work of minutes
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, 4 * checkpoint.config.parameters)
    packed = recipe.form.is_packed
    yield Progress("quantize", 0, STEPS, "steps")
    model = load_whisper(checkpoint)
    listening = EncoderGraph(model)
    if packed:
        quantise_encoder(listening)
    yield Progress("export", 1, STEPS, "steps")
    if cancel.is_set:
        return
    with torch.no_grad():
        export_encoder(listening, folder)
    del listening
    yield Progress("quantize", 2, STEPS, "steps")
    if cancel.is_set:
        return
    writing = _decoder_graph(model, checkpoint, packed)
    yield Progress("export", 3, STEPS, "steps")
    with torch.no_grad():
        export_decoder(writing, folder)
    del writing, model
    yield Progress("export", STEPS, STEPS, "steps")
    if cancel.is_set:
        return
    (folder / TOKENIZER_FILE).write_text(tokenizer, "utf-8")
    _write_generation_config(folder, checkpoint)
    _write_genai_config(folder, checkpoint.config, tokenizer)
    yield Progress("check", 0, 1, "steps")
    parity = measure_speech(checkpoint, folder)
    yield Progress("check", 1, 1, "steps")
    write_pack_json(
        folder,
        recipe.manifest(
            folder,
            checkpoint.info,
            kind="speech",
            parameters=checkpoint.config.parameters,
            context_tokens=checkpoint.config.text_context_tokens,
            parity=parity.as_json(),
            working_bytes=WORKING_BYTES,
        ),
    )
    yield folder


def _check_sizes(config: WhisperConfig, packed: bool) -> None:
    if config.head_size % HEAD_SIZE_STEP:
        raise EngineError(
            "A speech model with attention heads of {size} numbers cannot be run: ONNX Runtime wants a multiple of 8.",
            "Choose another model.",
            size=config.head_size,
        )
    if packed and config.hidden_size % BLOCKS[-1]:
        raise EngineError(
            "A speech model with a hidden size of {size} cannot be stored in 8 bits.",
            "Build it with --precision fp32.",
            size=config.hidden_size,
        )


def _decoder_graph(model: Whisper, checkpoint: WhisperCheckpoint, packed: bool) -> DecoderGraph:
    """The decoder without what the encoder's graph holds of it."""
    for block in cast("list[DecoderBlock]", list(model.decoder.blocks)):
        block.cross.kv = cast("nn.Linear", nn.Identity())
    head: nn.Module
    embedding: nn.Module
    if packed:
        head, embedding = quantise_decoder(model)
    else:
        embedding = model.decoder.embedding
        head = nn.Linear(checkpoint.config.hidden_size, checkpoint.config.vocab_size, bias=False)
        head.weight = model.decoder.embedding.weight
    return DecoderGraph(model, head, embedding, checkpoint.generation.alignment_heads)


def _write_generation_config(folder: Path, checkpoint: WhisperCheckpoint) -> None:
    """What decoding has to know, under the names that Hugging Face uses."""
    generation = checkpoint.generation
    values = {
        "alignment_heads": [list(pair) for pair in generation.alignment_heads],
        "begin_suppress_tokens": list(generation.begin_suppress_tokens),
        "is_multilingual": generation.is_multilingual,
        "num_mel_bins": checkpoint.config.mels,
        "suppress_tokens": list(generation.suppress_tokens),
    }
    (folder / GENERATION_FILE).write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def _write_genai_config(folder: Path, config: WhisperConfig, tokenizer: str) -> None:
    """Describe both graphs the way ONNX Runtime GenAI does."""
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_str(tokenizer)
    end, start = vocabulary.token_to_id(END_TOKEN), vocabulary.token_to_id(START_TOKEN)
    sizes = {
        "head_size": config.head_size,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
    }
    model = {
        "type": "whisper",
        "vocab_size": config.vocab_size,
        "context_length": config.text_context_tokens,
        "bos_token_id": start,
        "decoder_start_token_id": start,
        "eos_token_id": end,
        "pad_token_id": end,
        "encoder": {
            "filename": ENCODER_FILE,
            **sizes,
            "num_hidden_layers": config.encoder_layers,
            "inputs": {"audio_features": "audio_features"},
            "outputs": {
                "cross_present_key_names": "present_key_cross_%d",
                "cross_present_value_names": "present_value_cross_%d",
            },
        },
        "decoder": {
            "filename": DECODER_FILE,
            **sizes,
            "num_hidden_layers": config.decoder_layers,
            "inputs": {
                "input_ids": "input_ids",
                "past_sequence_length": "past_sequence_length",
                "past_key_names": "past_key_self_%d",
                "past_value_names": "past_value_self_%d",
                "cross_past_key_names": "past_key_cross_%d",
                "cross_past_value_names": "past_value_cross_%d",
            },
            "outputs": {
                "logits": "logits",
                "present_key_names": "present_key_self_%d",
                "present_value_names": "present_value_self_%d",
            },
        },
    }
    search = {"max_length": config.text_context_tokens, "num_beams": 1, "past_present_share_buffer": True}
    text = json.dumps({"model": model, "search": search}, indent=2)
    (folder / "genai_config.json").write_text(text + "\n", "utf-8")
