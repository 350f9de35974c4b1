"""Chooses what every step of training reads.

In: photos, their features and the settings. Out: for a step, patches and token sequences. Everything is drawn from the
seed and the step's number, so that a resumed run, or one split over processes, reads the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from export.nn.captioner import CaptionerConfig
from export.train.data import LabelledPhoto, Photo
from export.train.features import Features
from export.train.keywords import Keywords
from export.train.nouns import Nouns
from export.train.sequences import Item
from export.train.settings import Settings
from export.train.templates import meaning, sentences

_CHUNK = 12  # batches whose photos are sorted by length together, so that little is padded
_WORDS, _LABELLED, _ORDER = 1, 2, 3  # keeps the random streams apart


@dataclass(frozen=True)
class Example:
    """One photo of a step: what the network saw of it [N,P], and the sequence."""

    patches: NDArray[np.float16]
    item: Item


class Words:
    """Text to tokens, the way that training and use share: names and captions apart, a separator between."""

    def __init__(self, tokenizer: Tokenizer, config: CaptionerConfig) -> None:
        self._tokenizer = tokenizer
        self._config = config
        self._separator = tuple(tokenizer.encode(config.separator, add_special_tokens=False).ids)
        self._known: dict[str, tuple[int, ...]] = {}

    def caption(self, text: str) -> tuple[int, ...]:
        """The tokens of a caption, without the end."""
        known = self._known.get(text)
        if known is None:
            known = tuple(self._tokenizer.encode(text, add_special_tokens=False).ids)
            self._known[text] = known
        return known

    def prompt(self, names: Sequence[str]) -> tuple[int, ...]:
        """The tokens before a caption: the names, if any, and the separator."""
        return (
            self.caption(self._config.names_joint.join(names)) + self._separator if names else self._separator
        )

    def text(self, ids: Sequence[int]) -> str:
        """The caption that the tokens stand for."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=True).strip()


@dataclass(frozen=True)
class Seen:
    """Photos of one kind: the features of each variant, and the names and words that stand before their captions."""

    features: tuple[Features, ...]
    names: tuple[tuple[tuple[str, ...], ...], ...]

    @classmethod
    def of(cls, features: Sequence[Features], nouns: Nouns, keywords: Keywords, kind: str) -> Seen:
        """The names are read off the logits; the words are what ``keywords`` has of photos of this ``kind``."""
        config = keywords.config
        names = []
        for variant, said in zip(features, keywords.shares[kind], strict=True):
            merged = nouns.probabilities(variant.logits.astype(np.float32), config.class_temperature)
            rows = []
            for row, shares in zip(merged, said, strict=True):
                likely = nouns.likely(row, config.names_max, config.names_least)
                rows.append((*likely, *keywords.likely(shares, likely)))
            names.append(tuple(rows))
        return cls(tuple(features), tuple(names))


class Examples:
    """All that training reads."""

    def __init__(
        self,
        settings: Settings,
        words: Words,
        photos: tuple[Sequence[Photo], Seen],
        labelled: tuple[Sequence[LabelledPhoto], Seen],
    ) -> None:
        self._settings = settings
        self._words = words
        self._photos, self._seen = photos
        self._labelled, self._labelled_seen = labelled
        self._meanings = [meaning(photo.source, photo.label) for photo in self._labelled]
        self._lengths = [
            sum(len(words.caption(caption)) for caption in photo.captions) for photo in self._photos
        ]
        self._orders: dict[tuple[int, int], list[NDArray[np.int64]]] = {}

    @property
    def steps_per_epoch(self) -> int:
        """Steps in which every captioned photo comes up once; a rest that fills no step is left out."""
        return len(self._photos) // self._settings.photos

    def used_tokens(self, end: int) -> set[int]:
        """Every token that some caption can need."""
        used = {end}
        for photo in self._photos:
            for caption in photo.captions:
                used.update(self._words.caption(caption))
        for named in set(self._meanings):
            for sentence in sentences(named, 99, np.random.default_rng(0)):
                used.update(self._words.caption(sentence))
        for nouns in self._seen.names + self._labelled_seen.names:
            for names in nouns:
                for name in names:
                    used.update(self._words.caption(f" {name}"))
        return used

    @property
    def count(self) -> int:
        """How many captioned photos there are."""
        return len(self._photos)

    def step(self, step: int, first_pass: int = 0) -> list[Example]:
        """What step ``step`` reads, the same in every process; passes are numbered from ``first_pass``."""
        epoch, place = divmod(step, self.steps_per_epoch)
        epoch += first_pass
        batch = self.order(epoch, self._settings.photos)[place]
        examples = [
            self.captioned(int(index), epoch, (self._settings.seed, _WORDS, step, index)) for index in batch
        ]
        if self._labelled:
            random = np.random.default_rng((self._settings.seed, _LABELLED, step))
            for index in random.integers(0, len(self._labelled), self._settings.labelled_photos):
                examples.append(self._named(int(index), random))
        return examples

    def order(self, epoch: int, size: int) -> list[NDArray[np.int64]]:
        """The batches of one pass: photos at random, those of a batch with captions of like length."""
        known = self._orders.get((epoch, size))
        if known is not None:
            return known
        random = np.random.default_rng((self._settings.seed, _ORDER, epoch))
        shuffled = random.permutation(len(self._photos))
        batches: list[NDArray[np.int64]] = []
        for start in range(0, len(shuffled), _CHUNK * size):
            chunk = sorted(shuffled[start : start + _CHUNK * size], key=lambda index: self._lengths[index])
            cut = [np.array(chunk[i : i + size]) for i in range(0, len(chunk) - size + 1, size)]
            batches += [cut[i] for i in random.permutation(len(cut))]
        self._orders[epoch, size] = batches
        return batches

    def captioned(self, index: int, epoch: int, seed: tuple[int, ...]) -> Example:
        """A photo with its human captions, shown in the variant of this pass."""
        variant = (epoch + index) % len(self._seen.features)
        names = self._kept(self._seen.names[variant][index], np.random.default_rng(seed))
        captions = tuple(self._words.caption(caption) for caption in self._photos[index].captions)
        return Example(self._seen.features[variant].patches[index], Item(self._words.prompt(names), captions))

    def references(self, index: int) -> tuple[str, ...]:
        """The human captions of a photo."""
        return self._photos[index].captions

    def _named(self, index: int, random: np.random.Generator) -> Example:
        variant = int(random.integers(0, len(self._labelled_seen.features)))
        named = self._meanings[index]
        names = self._kept(self._labelled_seen.names[variant][index], random)
        if random.random() < self._settings.name_given and named.noun not in names:
            names = (named.noun, *names)
        captions = sentences(named, self._settings.sentences, random)
        item = Item(self._words.prompt(names), tuple(self._words.caption(caption) for caption in captions))
        return Example(self._labelled_seen.features[variant].patches[index], item)

    def _kept(self, names: tuple[str, ...], random: np.random.Generator) -> tuple[str, ...]:
        """Some names left out, so that the captions rest on the picture as well."""
        share = self._settings.name_dropout
        if random.random() < share:
            return ()
        return tuple(name for name in names if random.random() >= share)
