"""Gets all that a run starts from.

In: the settings. Out: the photos, their features, the frozen models and the tokenizer. Downloads and features are made
once and kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from engine.cancel import Cancel
from engine.catalogue import read_catalogue
from engine.results import Progress
from export.checkpoints.load import load_language, open_language
from export.checkpoints.sources import get_checkpoint
from export.checkpoints.vision import get_vision, read_vision
from export.nn.captioner import CaptionerConfig
from export.nn.efficientnet import EfficientNet
from export.nn.language import LanguageModel
from export.train.data import LabelledPhoto, Photo, Pictures, read_labelled, read_photos
from export.train.examples import Examples, Seen, Words
from export.train.features import WHOLE, Features, Shown, make_features
from export.train.keywords import Keywords, Told, learn_keywords, named_targets, targets, with_keywords
from export.train.nouns import fit_temperature, read_nouns
from export.train.settings import Settings
from export.train.templates import meaning


@dataclass(frozen=True)
class Inputs:
    """What a run reads: ``train`` and the photos of the dev split with what was seen of them; the frozen models."""

    config: CaptionerConfig
    words: Words
    end: int
    train: Examples
    dev: tuple[Photo, ...]
    dev_seen: Seen
    language: LanguageModel
    vision: EfficientNet
    keywords: Keywords


def gather(settings: Settings) -> Iterator[Progress | Inputs]:
    """Everything, in order; the last item is the inputs."""
    cancel = Cancel()
    paths: list[Path] = []
    for got in chain(
        get_vision(settings.vision, cancel), get_checkpoint(read_catalogue().get(settings.language), cancel)
    ):
        if isinstance(got, Progress):
            yield got
        else:
            paths.append(got)
    vision = read_vision(settings.vision, paths[0])
    checkpoint = open_language(paths[1])
    language = load_language(checkpoint, torch.bfloat16)

    photos = read_photos(settings.data)
    train = tuple(photo for photo in photos if photo.split == "train")
    dev = tuple(photo for photo in photos if photo.split == "dev")
    pictures = Pictures(settings.data)
    seen: dict[str, list[Features]] = {"train": [], "dev": [], "labelled": []}
    shown = {
        "train": [Shown(pictures, photo.image, not photo.tells_sides) for photo in train],
        "dev": [Shown(pictures, photo.image, may_flip=False) for photo in dev],
        "labelled": [],
    }
    labelled: tuple[LabelledPhoto, ...] = ()
    if settings.labelled is not None:
        labelled = tuple(photo for photo in read_labelled(settings.labelled) if not photo.held_out)
        named = Pictures(settings.labelled)
        shown["labelled"] = [Shown(named, photo.image, may_flip=True) for photo in labelled]
    yield from _look(settings, vision, shown, seen)
    config = _config(settings, vision, language)
    nouns = read_nouns()
    truth = [meaning(photo.source, photo.label).noun for photo in labelled]
    if labelled:
        logits = seen["labelled"][WHOLE].logits.astype(np.float32)
        config = replace(config, class_temperature=fit_temperature(nouns, logits, truth))
    config = with_keywords(config, train, sorted(set(truth)))
    told = {
        "train": Told(seen["train"], targets(train, config.keywords)),
        "labelled": Told(seen["labelled"], named_targets(truth, config.keywords)),
    }
    keywords: Keywords | None = None
    for item in learn_keywords(config, vision, told, {"dev": seen["dev"]}, settings.out, settings.seed):
        if isinstance(item, Progress):
            yield item
        else:
            keywords = item
    assert keywords is not None
    words = Words(Tokenizer.from_str(checkpoint.tokenizer_files().tokenizer_json), config)
    examples = Examples(
        settings,
        words,
        (train, Seen.of(seen["train"], nouns, keywords, "train")),
        (labelled, Seen.of(seen["labelled"], nouns, keywords, "labelled")),
    )
    dev_seen = Seen.of(seen["dev"], nouns, keywords, "dev")
    end = checkpoint.special_tokens.eos_ids[0]
    yield Inputs(config, words, end, examples, dev, dev_seen, language, vision, keywords)


def _look(
    settings: Settings,
    vision: EfficientNet,
    shown: dict[str, list[Shown]],
    seen: dict[str, list[Features]],
) -> Iterator[Progress]:
    """Fill ``seen`` with the features of what is ``shown``, each variant of it."""
    for kind, variants in (("train", settings.variants), ("dev", 1), ("labelled", min(2, settings.variants))):
        for variant in range(WHOLE, variants if shown[kind] else 0):
            folder = settings.cache / settings.vision / f"{kind}-{variant}"
            for item in make_features(shown[kind], variant, vision, folder):
                if isinstance(item, Progress):
                    yield item
                else:
                    seen[kind].append(item)


def _config(settings: Settings, vision: EfficientNet, language: LanguageModel) -> CaptionerConfig:
    rms = float(language.embedding.weight.float().square().mean().sqrt())
    return CaptionerConfig(
        language=settings.language,
        vision=settings.vision,
        image_px=vision.config.image_px,
        feature_channels=vision.config.feature_channels,
        grid=vision.config.grid,
        hidden_size=language.config.hidden_size,
        prefix_rms=round(rms, 4),
    )


def prompts(words: Words, seen: Seen, indices: Sequence[int]) -> list[tuple[int, ...]]:
    """The tokens before the caption of photos shown whole, with all their names."""
    return [words.prompt(seen.names[WHOLE][index]) for index in indices]
