"""From a name in the catalogue, or a checkpoint on disk, to a finished pack folder.

In: a :class:`Recipe`. Out: :class:`Progress`, and at last the folder: graph, weights, tokenizer, configuration and
``pack.json`` with the figures measured. Whatever is written is written into a folder that nobody reads yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.cancel import Cancel
from engine.disk import check_space
from engine.errors import EngineError
from engine.genai_config import CAPTIONER
from engine.packs import write_pack_json
from engine.results import Progress
from export.build_captioner import build_captioner
from export.build_speech import build_speech
from export.build_vision import build_vision
from export.checkpoints.idefics3 import Idefics3Checkpoint
from export.checkpoints.interface import Checkpoint
from export.checkpoints.load import open_checkpoint
from export.checkpoints.whisper import WhisperCheckpoint
from export.onnx_graph import DecoderGraph, export_graph
from export.pack_config import genai_config, write_genai_config
from export.pack_tokenizer import usable_tokenizer, write_tokenizer
from export.packing import packed_model
from export.recipe import Recipe
from export.verify import Parity, measure


def build(recipe: Recipe, folder: Path, cancel: Cancel) -> Iterator[Progress | Path]:
    """Make the pack in ``folder`` (new or empty); the last item is the folder itself.

    Raises EngineError when the checkpoint cannot be had or read, or the disk is full.
    """
    path = recipe.checkpoint
    if recipe.entry is not None:
        from export.checkpoints.sources import get_checkpoint

        for item in get_checkpoint(recipe.entry, cancel):
            if isinstance(item, Path):
                path = item
            else:
                yield item
    if path is None or cancel.is_set:
        return
    checkpoint = open_checkpoint(path)
    try:
        if isinstance(checkpoint, WhisperCheckpoint):
            yield from build_speech(recipe, checkpoint, folder, cancel)
        elif isinstance(checkpoint, Idefics3Checkpoint):
            yield from build_vision(recipe, checkpoint, folder, cancel)
        elif recipe.entry is not None and recipe.entry.family == CAPTIONER:
            yield from build_captioner(recipe, checkpoint, folder, cancel)
        else:
            yield from _build(recipe, checkpoint, folder, cancel)
    except OSError as error:
        raise EngineError(
            "The model cannot be written to {folder}: {reason}.",
            "Make room or choose another folder.",
            folder=folder,
            reason=error.strerror or error,
        ) from error


def _build(recipe: Recipe, checkpoint: Checkpoint, folder: Path, cancel: Cancel) -> Iterator[Progress | Path]:
    files = usable_tokenizer(checkpoint)  # before the work of minutes
    folder.mkdir(parents=True, exist_ok=True)
    model = None
    for item in packed_model(checkpoint, recipe.form):
        if cancel.is_set:
            return
        if isinstance(item, Progress):
            yield item
        else:
            model = item
    assert model is not None
    yield Progress("export", 0, 1, "steps")
    check_space(folder, sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers())))
    export_graph(DecoderGraph(model, recipe.form.dtype), recipe.form.dtype, folder)
    del model
    yield Progress("export", 1, 1, "steps")
    if cancel.is_set:
        return
    write_tokenizer(folder, files)
    write_genai_config(folder, genai_config(checkpoint.config, checkpoint.special_tokens, recipe.form))
    languages = recipe.entry.languages if recipe.entry else checkpoint.info.languages
    parity: Parity | None = None
    if recipe.form.device == "cpu":
        for item in measure(checkpoint, folder, languages):
            if cancel.is_set:
                return
            if isinstance(item, Progress):
                yield item
            else:
                parity = item
    write_pack_json(
        folder,
        recipe.manifest(
            folder,
            checkpoint.info,
            parameters=checkpoint.config.parameters,
            context_tokens=checkpoint.config.context_tokens,
            parity=parity.as_json() if parity else {},
        ),
    )
    yield folder
