"""Runs an image pack over photos that people described, and judges what it says.

In: something that captions pixels (ONNX Runtime, as the app runs it), and the photos. Out: :class:`Judged` for every photo
and :class:`Figures` of a set, beside those of the best constant caption; for photos that only have a name,
:class:`Naming`, how often the caption has it.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import EngineError
from engine.results import Progress
from engine.runtime.captions import Caption
from export.train.data import Photo, Pictures, read_labelled, read_photos
from export.train.labelled import read_label_words
from export.train.metrics import CiderD, bleu, rouge_l
from export.train.metrics_meteor import meteor

# What can be had without looking: the best of these on a set is what a model is compared with.
CONSTANTS = (
    "A dog is running through the grass.",
    "A man is standing next to a dog.",
    "A man in a red shirt is standing in front of a building.",
    "A man standing in front of a table with food.",
)
NEXT_PHOTOS = 10  # progress is told after so many

Captioner = Callable[[NDArray[np.uint8]], Caption]


@dataclass(frozen=True)
class Judged:
    """One photo: what was said, how long that took (pixels to sentence), and CIDEr-D of it."""

    image: str
    caption: str
    references: tuple[str, ...]
    confidence: float
    wall_s: float
    cider_d: float


@dataclass(frozen=True)
class Figures:
    """Of a whole set; ``meteor`` is None where its tool is not installed, and for constant captions (it takes a minute)."""

    bleu: tuple[float, ...]
    rouge_l: float
    cider_d: float
    meteor: float | None = None

    def as_json(self) -> dict[str, float | None]:
        """With stable keys, rounded as far as they mean anything."""
        named = {f"bleu_{order}": value for order, value in enumerate(self.bleu, start=1)}
        named |= {"rouge_l": self.rouge_l, "cider_d": self.cider_d}
        return {name: round(value, 4) for name, value in named.items()} | {
            "meteor": None if self.meteor is None else round(self.meteor, 4)
        }


@dataclass(frozen=True)
class Evaluation:
    """A set that was captioned."""

    name: str
    photos: tuple[Judged, ...]
    figures: Figures
    constant: str
    constant_figures: Figures

    @property
    def median_s(self) -> float:
        """Of the seconds from pixels to sentence."""
        return statistics.median(photo.wall_s for photo in self.photos)


@dataclass(frozen=True)
class Naming:
    """How many of the labelled photos of a source had their subject named, and what was said of those that had not."""

    source: str
    named: int
    photos: int
    missed: tuple[tuple[str, str], ...]  # label, caption


def photos_of(folder: Path, split: str, limit: int | None) -> tuple[Photo, ...]:
    """The first ``limit`` photos of a split; raises EngineError where there is none."""
    photos = [photo for photo in read_photos(folder) if photo.split == split][:limit]
    if not photos:
        raise EngineError(
            "{folder} has no photo of the split {split}.",
            "Choose another --split, or another folder.",
            folder=folder,
            split=split,
        )
    return tuple(photos)


def evaluate(caption: Captioner, folder: Path, photos: Sequence[Photo]) -> Iterator[Progress | Evaluation]:
    """Caption photos whose pictures lie in ``folder``; the last item is the evaluation."""
    pictures = Pictures(folder)
    scorer = CiderD([photo.captions for photo in photos])
    judged: list[Judged] = []
    for place, photo in enumerate(photos):
        found, wall_s = _timed(caption, read_pixels(pictures, photo.image))
        score = scorer.score(place, found.text)
        judged.append(Judged(photo.image, found.text, photo.captions, found.confidence, wall_s, score))
        if len(judged) % NEXT_PHOTOS == 0 or len(judged) == len(photos):
            yield Progress("describe", len(judged), len(photos), "pictures")
    references, said = [photo.captions for photo in photos], [photo.caption for photo in judged]
    constant = max(CONSTANTS, key=lambda text: _cider_d(scorer, [text] * len(photos)))
    yield Evaluation(
        folder.resolve().name,
        tuple(judged),
        _figures(scorer, said, references, meteor(said, references)),
        constant,
        _figures(scorer, [constant] * len(photos), references),
    )


def evaluate_naming(
    caption: Captioner, folder: Path, limit: int | None
) -> Iterator[Progress | tuple[Naming, ...]]:
    """Caption the held-out labelled photos; the last item tells for each source how often the subject was named."""
    pictures, words = Pictures(folder), read_label_words()
    held_out = [photo for photo in read_labelled(folder) if photo.held_out]
    if limit is not None:  # evenly, as they come class by class
        held_out = held_out[:: max(1, len(held_out) // limit)][:limit]
    named: dict[str, int] = {}
    missed: dict[str, list[tuple[str, str]]] = {}
    for done, photo in enumerate(held_out, start=1):
        text = caption(read_pixels(pictures, photo.image)).text
        mine = missed.setdefault(photo.source, [])
        named.setdefault(photo.source, 0)
        if words[photo.source, photo.label].named_in(text):
            named[photo.source] += 1
        else:
            mine.append((photo.label, text))
        if done % NEXT_PHOTOS == 0 or done == len(held_out):
            yield Progress("describe", done, len(held_out), "pictures")
    yield tuple(
        Naming(source, count, count + len(missed[source]), tuple(missed[source]))
        for source, count in named.items()
    )


def read_pixels(pictures: Pictures, image: str) -> NDArray[np.uint8]:
    """One picture of a tar file: uint8 [h, w, 3]."""
    try:
        with Image.open(io.BytesIO(pictures.read(image))) as picture:
            return np.asarray(picture.convert("RGB"))
    except (KeyError, OSError) as error:
        raise EngineError(
            "The picture {image} is missing or damaged.", "Get the photos again.", image=image
        ) from error


def _timed(caption: Captioner, pixels: NDArray[np.uint8]) -> tuple[Caption, float]:
    begin = time.perf_counter()
    found = caption(pixels)
    return found, time.perf_counter() - begin


def _figures(
    scorer: CiderD,
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    meteor_score: float | None = None,
) -> Figures:
    return Figures(
        bleu(captions, references),
        rouge_l(captions, references),
        _cider_d(scorer, captions),
        meteor_score,
    )


def _cider_d(scorer: CiderD, captions: Sequence[str]) -> float:
    return sum(scorer.score(place, text) for place, text in enumerate(captions)) / len(captions)
