"""Finds lines of text in a picture, with PP-OCR's detector.

In: a picture. Out: the boxes of the lines, in the picture's pixels. A first look at a small copy is enough to know that there is
no text, and how large it is where there is some; only then small text gets a second look at a larger copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from engine.cancel import Cancel
from engine.media.ocr_boxes import TextBox, text_boxes
from engine.runtime.own_models import PictureModel

STEP_PX = 32  # the detector halves its input five times
LOOK_PIXELS = 736 * 552
CLOSE_PIXELS = 1600 * 1200
LONGEST_PX = 2560
LARGER_MAX = 1.5  # small pictures are enlarged so much at most
# The height of a box, text and margin, that the detector finds reliably.
GOOD_HEIGHT_PX = 26.0
SMALL_SHARE = 0.25  # the height that so many of the boxes do not reach counts
COVERED = 0.3  # of a box of the first look, from which the second look has it too


class Detector:
    """PP-OCR's detector. Close it to free its memory."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises EngineError if the file is missing or damaged."""
        self._model = PictureModel(path, threads)

    def boxes(self, picture: Image.Image, cancel: Cancel) -> list[TextBox]:
        """The lines in ``picture``, which is RGB. Raises Interrupted."""
        width, height = picture.size
        scale = _scale(width, height, LOOK_PIXELS)
        found = self._look(picture, scale, cancel)
        largest = min(1.0, _scale(width, height, CLOSE_PIXELS))
        if not found or largest <= scale:
            return found
        height_px = float(np.quantile([min(box.height, box.width) for box in found], SMALL_SHARE))
        wanted = min(largest, GOOD_HEIGHT_PX / height_px)
        if wanted < scale * 1.2:
            return found
        closer = self._look(picture, wanted, cancel)
        # Seen close, thin letters in a wide empty space may fall apart: what was seen before counts as well.
        return closer + [box for box in found if not _covered(box, closer)]

    def close(self) -> None:
        """Free the memory. May be called twice."""
        self._model.close()

    def _look(self, picture: Image.Image, scale: float, cancel: Cancel) -> list[TextBox]:
        width, height = picture.size
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = picture.resize(size, Image.Resampling.BILINEAR)
        padded = np.zeros((3, -(-size[1] // STEP_PX) * STEP_PX, -(-size[0] // STEP_PX) * STEP_PX), np.float32)
        # PP-OCR learned from OpenCV's order of colours, blue first.
        np.divide(
            np.asarray(small)[:, :, ::-1].transpose(2, 0, 1), 127.5, out=padded[:, : size[1], : size[0]]
        )
        padded[:, : size[1], : size[0]] -= 1.0
        probabilities = self._model.run(padded[None], cancel)[0, 0, : size[1], : size[0]]
        return [box.scaled(width / size[0], height / size[1]) for box in text_boxes(probabilities)]


def _covered(box: TextBox, others: Sequence[TextBox]) -> bool:
    """Whether a good part of ``box`` lies in ``others``; both taken upright."""
    if not others:
        return False
    (left, top), (right, bottom) = box.corners.min(axis=0), box.corners.max(axis=0)
    corners = np.stack([other.corners for other in others])  # [boxes, 4, 2]
    low, high = corners.min(axis=1), corners.max(axis=1)
    shared = np.minimum(high, (right, bottom)) - np.maximum(low, (left, top))
    return float(np.clip(shared, 0, None).prod(axis=1).sum()) > COVERED * (right - left) * (bottom - top)


def _scale(width: int, height: int, pixels: int) -> float:
    """How much to shrink or enlarge to about ``pixels``."""
    return min((pixels / (width * height)) ** 0.5, LONGEST_PX / max(width, height), LARGER_MAX)
