"""From the classifier's logits to the everyday nouns that stand before a caption, and how far to trust them.

In: logits of the 1,000 ImageNet classes, and ``resources/labels/imagenet.tsv``. Out: nouns, most likely first, with the
probabilities of all classes that share a noun added up; and the temperature that makes probabilities honest.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.folders import resources_folder


@dataclass(frozen=True)
class Nouns:
    """The nouns, and for each class the place of its noun among them."""

    nouns: tuple[str, ...]
    of_class: NDArray[np.int64]

    def probabilities(self, logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
        """Logits [n,1000] -> probabilities of the nouns [n, nouns]."""
        scaled = logits.astype(np.float32) / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        classes = np.exp(scaled)
        classes /= classes.sum(axis=1, keepdims=True)
        membership = np.zeros((len(self.of_class), len(self.nouns)), np.float32)
        membership[np.arange(len(self.of_class)), self.of_class] = 1
        return classes @ membership

    def likely(self, probabilities: NDArray[np.float32], most: int, least: float) -> tuple[str, ...]:
        """The nouns of one picture [nouns] with at least the probability ``least``, most likely first."""
        order = np.argsort(-probabilities, kind="stable")[:most]
        return tuple(self.nouns[i] for i in order if probabilities[i] >= least)


def read_nouns(path: Path | None = None) -> Nouns:
    """The table that ships with Pollux."""
    path = path or resources_folder() / "labels" / "imagenet.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = sorted(csv.DictReader(stream, delimiter="\t"), key=lambda row: int(row["index"]))
        names = [row["noun"] for row in rows]
    except (OSError, KeyError, ValueError) as error:
        raise EngineError(
            "{file} cannot be read: {reason}.", "Install Pollux again.", file=path, reason=error
        ) from error
    nouns = tuple(dict.fromkeys(names))
    places = {noun: i for i, noun in enumerate(nouns)}
    return Nouns(nouns, np.array([places[name] for name in names]))


def fit_temperature(nouns: Nouns, logits: NDArray[np.float32], truth: Sequence[str]) -> float:
    """The temperature under which the true nouns of these pictures are most likely; 1 where none can be found.

    Pictures whose noun the table lacks are left out.
    """
    places = {noun: i for i, noun in enumerate(nouns.nouns)}
    rows = [i for i, noun in enumerate(truth) if noun in places]
    if not rows:
        return 1.0
    wanted = np.array([places[truth[i]] for i in rows])
    chosen = np.asarray(logits, np.float32)[rows]

    def loss(temperature: float) -> float:
        right = nouns.probabilities(chosen, temperature)[np.arange(len(rows)), wanted]
        return float(-np.log(right + 1e-6).mean())

    return min((float(t) for t in np.round(np.arange(0.3, 2.01, 0.05), 2)), key=loss)
