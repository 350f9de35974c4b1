"""What can be said of a picture besides its description: the likely subjects, when, where and how large.

In: calibrated class probabilities with the classes' names; a picture's own metadata. Out: frozen values and short texts in English or
Chinese, ready to show and to hand to a chat model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.labels import Label
from engine.media.image import Picture

Language = Literal["en", "zh"]
MOST = 0.7  # of a noun's probability: from here on one class speaks for it
LEAST_CONFIDENCE = 0.05
MONTHS = "January February March April May June July August September October November December".split()


@dataclass(frozen=True)
class Subject:
    """Something that is probably in the picture.

    ``name`` is as exact as the model is sure ("golden retriever", else "dog"), ``noun`` the everyday word. ``confidence`` is the
    probability of ``name``, 0 to 1; ``noun_confidence`` that of ``noun``.
    """

    name: str
    noun: str
    name_zh: str
    noun_zh: str
    confidence: float
    noun_confidence: float


@dataclass(frozen=True)
class PictureFacts:
    """What the file says of itself, in one language; "" where it says nothing."""

    date: str
    place: str
    coordinates: str
    camera: str
    size: str


def subjects(
    probabilities: NDArray[np.float32], labels: Sequence[Label], top: int = 3
) -> tuple[Subject, ...]:
    """The likeliest subjects, the likeliest noun first.

    ``probabilities`` [number of labels] are calibrated and sum to 1. Classes with the same noun add up: fifty breeds at one per cent
    each are half a dog.
    """
    if probabilities.shape != (len(labels),):
        raise ValueError(f"{probabilities.shape} probabilities for {len(labels)} labels")
    sums: dict[str, float] = {}
    best: dict[str, int] = {}
    for index, label in enumerate(labels):
        sums[label.noun] = sums.get(label.noun, 0.0) + float(probabilities[index])
        if label.noun not in best or probabilities[index] > probabilities[best[label.noun]]:
            best[label.noun] = index
    found = []
    for noun in sorted(sums, key=lambda word: -sums[word])[:top]:
        if not sums[noun] >= LEAST_CONFIDENCE:
            break
        total, own = min(1.0, sums[noun]), float(probabilities[best[noun]])
        label = labels[best[noun]]
        if own >= MOST * total:
            found.append(Subject(label.name, noun, label.name_zh, label.noun_zh, own, total))
        else:
            found.append(Subject(noun, noun, label.noun_zh, label.noun_zh, total, total))
    return tuple(found)


def facts(picture: Picture, language: Language = "en") -> PictureFacts:
    """Date, place, camera and size as texts."""
    return PictureFacts(
        date=date_text(picture.taken, language),
        place=picture.place,
        coordinates=_coordinates(picture.latitude, picture.longitude, language),
        camera=picture.camera,
        size=_size(picture.info.width_px, picture.info.height_px, language),
    )


def date_text(taken: str, language: Language) -> str:
    """A date like "2024-05-03 14:22:10" as people write it; "" stays ""."""
    if not taken:
        return ""
    moment = datetime.fromisoformat(taken)
    clock = f"{moment:%H:%M}"
    if language == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日 {clock}"
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {clock}"


def _coordinates(latitude: float | None, longitude: float | None, language: Language) -> str:
    if latitude is None or longitude is None:
        return ""
    north, east = f"{abs(latitude):.4f}°", f"{abs(longitude):.4f}°"
    if language == "zh":
        return f"{'南纬' if latitude < 0 else '北纬'} {north}，{'西经' if longitude < 0 else '东经'} {east}"
    return f"{north} {'S' if latitude < 0 else 'N'}, {east} {'W' if longitude < 0 else 'E'}"


def _size(width_px: int, height_px: int, language: Language) -> str:
    return f"{width_px} × {height_px} 像素" if language == "zh" else f"{width_px} × {height_px} pixels"
