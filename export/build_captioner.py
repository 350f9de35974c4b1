"""From the trained weights, a picture network and a language model to a finished captioner pack.

In: a recipe whose entry is the captioner, and the language model's checkpoint. Out: :class:`Progress`, and at last the
folder: two graphs with their weights, tokenizer, labels, settings, model card and ``pack.json``. ``export/build_pack.py``
calls it for the family "captioner".
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from engine.cancel import Cancel
from engine.disk import check_space
from engine.errors import EngineError
from engine.folders import resources_folder
from engine.genai_config import CAPTIONER
from engine.labels import load_labels
from engine.packs import CARD_FILE, LABELS_FILE, write_pack_json
from engine.results import Progress
from export.captioner_graph import (
    VISION_FILE,
    CaptionGraph,
    VisionGraph,
    export_caption_decoder,
    export_vision,
)
from export.checkpoints.adapted import AdaptedCheckpoint
from export.checkpoints.cut import CutCheckpoint
from export.checkpoints.interface import Checkpoint
from export.checkpoints.vision import get_vision, read_vision
from export.nn.captioner import CaptionerConfig, Connector
from export.nn.keywords import KeywordHead
from export.pack_config import Json, genai_config, write_genai_config
from export.pack_tokenizer import usable_tokenizer, write_tokenizer
from export.packing import Format, packed_model
from export.recipe import Recipe, trained_folder
from export.verify_captioner import CaptionerParts, measure_captioner

M = TypeVar("M", bound=nn.Module)

SETTINGS_FILE = "captioner.json"
WEIGHTS_NAME = "captioner"
CONTEXT_TOKENS = 192  # longer captions than this were never seen
WORKING_BYTES = 300_000_000


@dataclass(frozen=True)
class TrainedCaptioner:
    """What training gives: ``card`` is JSON beside the sizes, with the figures."""

    config: CaptionerConfig
    card: dict[str, Any]
    connector: dict[str, Tensor]
    lora: dict[str, Tensor]
    keywords: dict[str, Tensor]
    tokens: tuple[int, ...]  # that captions are written with; none where it may be any
    readme: str


def read_trained(folder: Path) -> TrainedCaptioner:
    """The weights in ``folder``: ``captioner.safetensors``, ``captioner.json`` and a model card ``README.md``.

    Raises EngineError where they are missing or damaged.
    """
    path = folder / f"{WEIGHTS_NAME}.safetensors"
    try:
        card = json.loads((folder / f"{WEIGHTS_NAME}.json").read_text("utf-8"))
        config = CaptionerConfig.from_json(card)
        tensors = load_file(path)
        readme = (folder / CARD_FILE).read_text("utf-8") if (folder / CARD_FILE).is_file() else ""
    except (OSError, ValueError, TypeError, AttributeError, SafetensorError) as error:
        raise EngineError(
            "The trained weights in {folder} cannot be read: {reason}.",
            "Train them again: python -m export train captioner",
            folder=folder,
            reason=error,
        ) from error
    tokens = tensors.pop("tokens", torch.zeros(0)).int().tolist()
    parts: dict[str, dict[str, Tensor]] = {"connector": {}, "lora": {}, "keywords": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = tensor.float()
    return TrainedCaptioner(
        config, card, parts["connector"], parts["lora"], parts["keywords"], tuple(tokens), readme
    )


def tokens_of(trained: TrainedCaptioner, checkpoint: Checkpoint) -> tuple[int, ...]:
    """The tokens that the pack has to know, in order: those of captions, and of all that may stand before them."""
    if not trained.tokens:
        return tuple(range(checkpoint.config.vocab_size))
    tokenizer = Tokenizer.from_str(checkpoint.tokenizer_files().tokenizer_json)
    config = trained.config
    names = [label.noun for label in load_labels(_labels_file())] + list(config.keywords)
    needed = {*trained.tokens, *checkpoint.special_tokens.eos_ids}
    for text in [config.separator, *(before + name for name in names for before in ("", config.names_joint))]:
        needed.update(tokenizer.encode(text, add_special_tokens=False).ids)
    return tuple(sorted(needed))


def build_captioner(
    recipe: Recipe, language: Checkpoint, folder: Path, cancel: Cancel
) -> Iterator[Progress | Path]:
    """Make the pack in ``folder`` (new or empty); the last item is the folder itself, unless cancelled."""
    if recipe.form.precision == "fp16" or recipe.form.device != "cpu":
        raise EngineError(
            "The image model cannot be built in {precision} for {device}.",
            "Use --precision int4, int8 or fp32, and --device cpu.",
            precision=recipe.form.precision,
            device=recipe.form.device,
        )
    trained = read_trained(recipe.weights or trained_folder())
    whole = AdaptedCheckpoint(language, trained.lora, trained.config.lora_scale)
    tokens = tokens_of(trained, language)
    adapted = AdaptedCheckpoint(CutCheckpoint(language, tokens), trained.lora, trained.config.lora_scale)
    files = usable_tokenizer(whole)
    network: Path | None = None
    for item in get_vision(trained.config.vision, cancel):
        if isinstance(item, Path):
            network = item
        else:
            yield item
    if network is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    yield Progress("export", 0, 2, "steps")
    check_space(folder, 4 * adapted.config.parameters)
    with torch.no_grad():
        vision = VisionGraph(
            read_vision(trained.config.vision, network),
            connector_of(trained),
            keywords_of(trained),
            recipe.form.is_packed,
        )
        export_vision(vision, folder)
    del vision
    yield Progress("export", 1, 2, "steps")
    model = None
    for item in packed_model(adapted, recipe.form):
        if cancel.is_set:
            return
        if isinstance(item, Progress):
            yield item
        else:
            model = item
    assert model is not None
    with torch.no_grad():
        export_caption_decoder(CaptionGraph(model, tokens, whole.config.vocab_size), folder)
    del model
    yield Progress("export", 2, 2, "steps")
    if cancel.is_set:
        return
    write_tokenizer(folder, files)
    (folder / SETTINGS_FILE).write_text(json.dumps(trained.card, indent=2) + "\n", "utf-8")
    shutil.copyfile(_labels_file(), folder / LABELS_FILE)
    if trained.readme:
        (folder / CARD_FILE).write_text(trained.readme, "utf-8")
    write_genai_config(folder, _genai_config(whole, recipe.form))
    yield Progress("check", 0, 1, "steps")
    vision = read_vision(trained.config.vision, network)
    parts = CaptionerParts(vision, connector_of(trained), keywords_of(trained), whole)
    parity = measure_captioner(parts, folder)
    yield Progress("check", 1, 1, "steps")
    parameters = adapted.config.parameters + sum(map(_size, (parts.vision, parts.connector, parts.keywords)))
    write_pack_json(
        folder,
        recipe.manifest(
            folder,
            whole.info,
            kind="image",
            parameters=parameters,
            context_tokens=CONTEXT_TOKENS,
            parity={**parity.as_json(), "figures": trained.card.get("figures", {})},
            working_bytes=WORKING_BYTES,
        ),
    )
    yield folder


def connector_of(trained: TrainedCaptioner) -> Connector:
    """The connector with its weights; EngineError where they are not its own."""
    return _filled(Connector(trained.config), trained.connector)


def keywords_of(trained: TrainedCaptioner) -> KeywordHead:
    """The head for keywords, likewise."""
    return _filled(KeywordHead(trained.config), trained.keywords)


def _filled(module: M, weights: dict[str, Tensor]) -> M:
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise EngineError(
            "The trained weights do not fit the sizes that stand beside them.",
            "Train them again: python -m export train captioner",
        ) from error
    return module.requires_grad_(False).eval()


def _labels_file() -> Path:
    return resources_folder() / "labels" / "imagenet.tsv"


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _genai_config(checkpoint: Checkpoint, form: Format) -> Json:
    """Both graphs, as far as possible in the words of ONNX Runtime GenAI: a text decoder, and what sees beside it."""
    values = genai_config(checkpoint.config, checkpoint.special_tokens, form)
    values["model"] |= {"type": CAPTIONER, "context_length": CONTEXT_TOKENS}
    values["model"]["vision"] = {
        "filename": VISION_FILE,
        "config_filename": SETTINGS_FILE,
        "inputs": {"pixel_values": "pixel_values"},
        "outputs": {"image_features": "image_features"},
    }
    values["search"] |= {"max_length": CONTEXT_TOKENS, "num_beams": 5}
    return values
