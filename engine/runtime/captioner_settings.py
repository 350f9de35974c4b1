"""What a captioner was trained with, and so has to be used with.

In: ``captioner.json`` of a pack (untrusted). Out: :class:`CaptionerSettings`, and the prompt that stands between a
picture and its caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.json_files import Reader
from engine.labels import Label

MAX_IMAGE_PX = 2048
MAX_NAMES = 16


@dataclass(frozen=True)
class CaptionerSettings:
    """``image_px`` is the side of the square that it sees, ``grid`` how many patches lie along it.

    Before a caption stand at most ``names_max`` of the classifier's nouns, those with at least the probability
    ``names_least``, most likely first, then at most ``keywords_max`` of its ``keywords``, those that are in at least the share
    ``keywords_least`` of what people say of such pictures, all joined by ``names_joint``, and then ``separator``. A caption
    whose confidence is below ``unsure_below`` should be read with doubt.
    """

    image_px: int
    grid: int
    names_max: int
    names_least: float
    names_joint: str
    keywords: tuple[str, ...]
    keywords_max: int
    keywords_least: float
    separator: str
    unsure_below: float

    @classmethod
    def read(cls, path: Path) -> CaptionerSettings:
        """Raises EngineError where the file is damaged."""
        file = Reader.open(path)
        return cls(
            image_px=file.whole("image_px", 1, MAX_IMAGE_PX),
            grid=file.whole("grid", 1, MAX_IMAGE_PX),
            names_max=file.whole("names_max", 0, MAX_NAMES),
            names_least=file.number("names_least", 0.0, 1.0, 0.1),
            names_joint=file.text("names_joint"),
            keywords=file.texts("keywords") if "keywords" in file else (),
            keywords_max=file.whole("keywords_max", 0, MAX_NAMES, 0),
            keywords_least=file.number("keywords_least", 0.0, 1.0, 0.0),
            separator=file.block("separator"),
            unsure_below=file.number("unsure_below", 0.0, 1.0, 0.0),
        )

    def prompt(
        self,
        probabilities: NDArray[np.float32],
        labels: Sequence[Label],
        shares: NDArray[np.float32],
    ) -> str:
        """What stands before the caption; ``probabilities`` are of the classes ``labels``, ``shares`` of the keywords."""
        merged: dict[str, float] = {}
        for label, probability in zip(labels, probabilities.tolist(), strict=True):
            merged[label.noun] = merged.get(label.noun, 0.0) + probability
        likely = sorted(merged.items(), key=lambda item: -item[1])[: self.names_max]
        names = [noun for noun, probability in likely if probability >= self.names_least]
        names += expected_words(self.keywords, shares, self.keywords_max, self.keywords_least, names)
        return self.names_joint.join(names) + self.separator


def expected_words(
    keywords: Sequence[str],
    shares: NDArray[np.floating],
    most: int,
    least: float,
    names: Sequence[str],
) -> tuple[str, ...]:
    """Of the ``most`` likeliest keywords those with at least the share ``least`` that are not among ``names`` yet.

    ``shares`` [K] are of the ``keywords``. Training calls it too, so that a prompt is the same in both.
    """
    order: list[int] = np.argsort(-shares, kind="stable")[:most].tolist()
    words = (keywords[place] for place in order if shares[place] >= least)
    return tuple(word for word in words if word not in names)
