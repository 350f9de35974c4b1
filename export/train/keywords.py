"""Trains the head that says which words people would use for a picture.

In: photos with their captions, named photos, and the features of all of them. Out: the head's weights, and what it says of
every photo. Of the photos that it learns from, a head says too much: so each third of them is read by a head that learnt from
the other two, and the language model meets in training what it will meet in use.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from engine.results import Progress
from engine.runtime.captioner_settings import expected_words
from export.nn.captioner import CaptionerConfig
from export.nn.efficientnet import EfficientNet
from export.nn.keywords import KeywordHead
from export.train.data import Photo
from export.train.features import Features

FILE = "keywords.safetensors"
PARTS = 3
EPOCHS = 4
BATCH = 50
RATE, WARM_UP, WEIGHT_DECAY, DROPOUT = 1.5e-3, 60, 0.05, 0.3
LEAST_PHOTOS = 25  # that a word must be used for to be learnt
NAMED_SHARE = 0.8  # of the captions of a named photo would hold its name
_PASSED_OVER = frozenset(
    "a an the in on of with and at to by from for near while is are as into over through his her their its that it he she "
    "they there this up out down other another some one s t be being been has have having who which".split()
)
Shares = NDArray[np.float16]  # [photos, K]


@dataclass(frozen=True)
class Told:
    """Photos of one kind: the features of each variant, and which words their captions hold, by share [photos, K]."""

    features: Sequence[Features]
    targets: NDArray[np.float32]


@dataclass(frozen=True)
class Keywords:
    """The configuration with its words; the head's weights; for each kind of photo what is said of each variant."""

    config: CaptionerConfig
    weights: dict[str, Tensor]
    shares: dict[str, tuple[Shares, ...]]

    def likely(self, shares: NDArray[np.float16], names: Sequence[str]) -> tuple[str, ...]:
        """The words of one picture [K] that stand in the prompt after ``names``."""
        config = self.config
        return expected_words(config.keywords, shares, config.keywords_max, config.keywords_least, names)


def words_of(caption: str) -> set[str]:
    """The words of a caption that say something about the picture."""
    return {word for word in re.findall(r"[a-z]+(?:-[a-z]+)?", caption.lower()) if word not in _PASSED_OVER}


def vocabulary(photos: Sequence[Photo], nouns: Sequence[str]) -> tuple[str, ...]:
    """The words used for enough photos, most frequent first, and the nouns of the named photos."""
    counts = Counter(word for photo in photos for word in set().union(*map(words_of, photo.captions)))
    # Not most_common(): among words used equally often its order is another in each process.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    frequent = [word for word, count in ranked if count >= LEAST_PHOTOS]
    return tuple(dict.fromkeys([*frequent, *sorted(nouns)]))


def targets(photos: Sequence[Photo], words: Sequence[str]) -> NDArray[np.float32]:
    """For each photo the share of its captions that hold each word [photos, K]."""
    places = {word: place for place, word in enumerate(words)}
    shares = np.zeros((len(photos), len(words)), np.float32)
    for row, photo in enumerate(photos):
        for caption in photo.captions:
            for word in words_of(caption) & places.keys():
                shares[row, places[word]] += 1 / len(photo.captions)
    return shares


def named_targets(nouns: Sequence[str], words: Sequence[str]) -> NDArray[np.float32]:
    """The same for photos that have a name only."""
    shares = np.zeros((len(nouns), len(words)), np.float32)
    for row, noun in enumerate(nouns):
        shares[row, words.index(noun)] = NAMED_SHARE
    return shares


def learn_keywords(  # noqa: PLR0917 - what it learns from, and where it is kept
    config: CaptionerConfig,
    vision: EfficientNet,
    told: dict[str, Told],
    unseen: Mapping[str, Sequence[Features]],
    folder: Path,
    seed: int,
) -> Iterator[Progress | Keywords]:
    """Train the head for ``config.keywords``; the last item is the result, kept in ``folder``.

    ``told`` are the photos to learn from, ``unseen`` those that are only read, both by kind.
    """
    path = folder / FILE
    kept = _kept(config, path, seed)
    if kept is not None:
        yield kept
        return
    steps = PARTS + 1
    shares: dict[str, tuple[Shares, ...]] = {
        kind: tuple(np.zeros((len(some.targets), len(config.keywords)), np.float16) for _ in some.features)
        for kind, some in told.items()
    }
    for part in range(PARTS):
        yield Progress("keywords", part, steps, "steps")
        head = _trained(config, vision, told, seed + part, part)
        for kind, some in told.items():
            rows = np.arange(part, len(some.targets), PARTS)
            for variant, features in enumerate(some.features):
                shares[kind][variant][rows] = _read(head, vision, features, rows)
    yield Progress("keywords", PARTS, steps, "steps")
    head = _trained(config, vision, told, seed + PARTS, None)
    for kind, variants in unseen.items():
        shares[kind] = tuple(
            _read(head, vision, features, np.arange(len(features.patches))) for features in variants
        )
    weights = {name: tensor.detach().clone() for name, tensor in head.state_dict().items()}
    _keep(path, config, seed, weights, shares)
    yield Progress("keywords", steps, steps, "steps")
    yield Keywords(config, weights, shares)


def _trained(
    config: CaptionerConfig, vision: EfficientNet, told: dict[str, Told], seed: int, left_out: int | None
) -> KeywordHead:
    """A head that learnt from all photos but every third one, from ``left_out``."""
    torch.manual_seed(seed)
    random = np.random.default_rng((seed, 4))
    head = KeywordHead(config).train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=WEIGHT_DECAY)
    places = [
        (kind, row)
        for kind, some in told.items()
        for row in range(len(some.targets))
        if row % PARTS != left_out
    ]
    steps = EPOCHS * (len(places) // BATCH)
    orders = [random.permutation(len(places)) for _ in range(EPOCHS)]
    for step in range(steps):
        epoch, place = divmod(step, len(places) // BATCH)
        batch = [places[i] for i in orders[epoch][place * BATCH : (place + 1) * BATCH]]
        patches = np.stack([_variant(told[kind], epoch).patches[row] for kind, row in batch])
        wanted = torch.from_numpy(np.stack([told[kind].targets[row] for kind, row in batch]))
        share = min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = RATE * share
        logits = _logits(head, vision, patches, DROPOUT)
        loss = functional.binary_cross_entropy_with_logits(logits, wanted) * len(config.keywords)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimizer.step()
    return head.eval().requires_grad_(False)


def _variant(told: Told, epoch: int) -> Features:
    return told.features[epoch % len(told.features)]


def _logits(head: KeywordHead, vision: EfficientNet, patches: NDArray[np.float16], dropout: float) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        with torch.no_grad():
            features = vision.widen(torch.from_numpy(patches).float())
        return head(features, dropout).float()


@torch.no_grad()
def _read(
    head: KeywordHead, vision: EfficientNet, features: Features, rows: NDArray[np.int64]
) -> NDArray[np.float16]:
    """What the head says of these photos [rows, K]."""
    said = [
        _logits(head, vision, np.ascontiguousarray(features.patches[some]), 0.0).sigmoid().numpy()
        for some in np.array_split(rows, max(1, len(rows) // BATCH))
    ]
    return np.concatenate(said).astype(np.float16)


def _keep(
    path: Path,
    config: CaptionerConfig,
    seed: int,
    weights: dict[str, Tensor],
    shares: dict[str, tuple[Shares, ...]],
) -> None:
    tensors = {f"weights.{name}": tensor.contiguous() for name, tensor in weights.items()}
    for kind, variants in shares.items():
        for variant, said in enumerate(variants):
            tensors[f"shares.{kind}.{variant}"] = torch.from_numpy(said)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    save_file(tensors, part, metadata={"made": _mark(config, seed)})
    part.replace(path)


def _kept(config: CaptionerConfig, path: Path, seed: int) -> Keywords | None:
    """What an earlier run with the same words left behind."""
    from safetensors import safe_open

    if not path.is_file():
        return None
    with safe_open(path, "pt") as file:
        if (file.metadata() or {}).get("made") != _mark(config, seed):
            return None
    weights: dict[str, Tensor] = {}
    shares: dict[str, dict[int, Shares]] = {}
    for name, tensor in load_file(path).items():
        kind, _, rest = name.partition(".")
        if kind == "weights":
            weights[rest] = tensor
        else:
            owner, _, variant = rest.rpartition(".")
            shares.setdefault(owner, {})[int(variant)] = tensor.numpy()
    ordered = {kind: tuple(said[i] for i in range(len(said))) for kind, said in shares.items()}
    return Keywords(config, weights, ordered)


def _mark(config: CaptionerConfig, seed: int) -> str:
    return json.dumps([list(config.keywords), config.keyword_width, EPOCHS, PARTS, seed])


def with_keywords(config: CaptionerConfig, photos: Sequence[Photo], nouns: Sequence[str]) -> CaptionerConfig:
    """The configuration that knows the words of these photos."""
    return replace(config, keywords=vocabulary(photos, nouns))
