"""From an opened Idefics3 checkpoint (SmolVLM) to a finished image pack.

In: a recipe and a checkpoint. Out: :class:`Progress`, and at last the folder: three graphs with their weights, tokenizer,
configuration, the numbers for pictures and ``pack.json`` with the figures measured. ``export/build_pack.py`` calls it for
checkpoints that see and converse.

The language model is stored like any other (see ``export/packing.py``); the matrices of what sees are rounded to 8 bits
wherever those are, since there is one run of it for each tile, whose errors all answers would share.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from engine.cancel import Cancel
from engine.disk import check_space
from engine.errors import EngineError
from engine.packs import write_pack_json
from engine.results import Progress
from export.checkpoints.idefics3 import Idefics3Checkpoint
from export.checkpoints.load import load_pictures
from export.idefics3_config import Idefics3Config
from export.idefics3_graph import VisionGraph, export_vision
from export.onnx_graph import DecoderGraph, export_embedding, export_graph
from export.pack_config import PROCESSOR_FILE, vision_genai_config, write_genai_config
from export.pack_tokenizer import usable_tokenizer, write_tokenizer
from export.packing import SMALLEST_BLOCK, packed_model
from export.recipe import Recipe
from export.speech_packing import packed_linear
from export.verify_vision import measure_vision
from export.whisper_graph import replace_linears

WORKING_BYTES = 400_000_000  # a tile's attention, keys and values of a picture, the program itself


def build_vision(
    recipe: Recipe, checkpoint: Idefics3Checkpoint, folder: Path, cancel: Cancel
) -> Iterator[Progress | Path]:
    """Make the pack in ``folder`` (new or empty); the last item is the folder itself, unless cancelled."""
    text, form = checkpoint.text, recipe.form
    _check_sizes(checkpoint.config, form.is_packed)
    files = usable_tokenizer(text)  # before the work of minutes
    checkpoint.check_tokens(files)
    _check_template(text.chat_template)
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, 4 * checkpoint.config.vision.parameters)
    yield Progress("export", 0, 3, "steps")
    pictures = load_pictures(checkpoint)
    if form.is_packed:
        replace_linears(pictures, packed_linear)
    with torch.no_grad():
        export_vision(VisionGraph(pictures, checkpoint.tiles.tile_px), folder)
    del pictures
    model = None
    for item in packed_model(text, form):
        if cancel.is_set:
            return
        if isinstance(item, Progress):
            yield item
        else:
            model = item
    assert model is not None
    yield Progress("export", 1, 3, "steps")
    check_space(folder, sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers())))
    embedding = model.embedding
    export_graph(DecoderGraph(model, form.dtype, from_embeddings=True), form.dtype, folder)
    del model
    yield Progress("export", 2, 3, "steps")
    if cancel.is_set:
        return
    export_embedding(embedding, folder)
    del embedding
    yield Progress("export", 3, 3, "steps")
    if cancel.is_set:
        return
    write_tokenizer(folder, files)
    checkpoint.tiles.write(folder / PROCESSOR_FILE)
    write_genai_config(folder, vision_genai_config(checkpoint.config, text.special_tokens, form))
    parity: dict[str, object] = {}
    if form.device == "cpu":
        yield Progress("check", 0, 1, "steps")
        parity = measure_vision(checkpoint, folder).as_json()
        yield Progress("check", 1, 1, "steps")
    write_pack_json(
        folder,
        recipe.manifest(
            folder,
            checkpoint.info,
            kind="image",
            parameters=checkpoint.config.parameters,
            context_tokens=checkpoint.config.text.context_tokens,
            parity=parity,
            working_bytes=WORKING_BYTES,
        ),
    )
    yield folder


def _check_sizes(config: Idefics3Config, packed: bool) -> None:
    sizes = (config.vision.hidden_size, config.vision.intermediate_size, config.joint_size)
    odd = next((size for size in sizes if size % SMALLEST_BLOCK), None)
    if packed and odd is not None:
        raise EngineError(
            "A model with a hidden size of {size} cannot be stored in 4 or 8 bits.",
            "Build it with --precision fp32 or fp16.",
            size=odd,
        )


def _check_template(template: str) -> None:
    if not template:
        raise EngineError(
            "The model has no chat template, so it cannot converse about pictures.",
            "Choose a model that was taught to answer, such as SmolVLM-Instruct.",
        )
