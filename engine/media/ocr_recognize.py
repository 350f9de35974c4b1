"""Reads one line of text, with PP-OCR's recognizer.

In: the pixels of a picture and the box of a line in it, and by how much the line is turned. Out: its text, and how sure that
is. The recognizer says for each eighth pixel of a line, 48 pixels high, which character is there (CTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.cancel import Cancel
from engine.media.ocr_boxes import TextBox
from engine.runtime.own_models import PictureModel

HEIGHT_PX = 48
LEAST_WIDTH_PX = 320  # narrower lines are padded to it, as they were when it learned
WIDEST_PX = 4096
STEP_PX = 32


@dataclass(frozen=True)
class Reading:
    """What a line says; ``confidence`` is the mean probability of its characters, 0 where there are none."""

    text: str
    confidence: float


class Recognizer:
    """PP-OCR's recognizer. Close it to free its memory."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises EngineError if the file is missing or damaged."""
        self._model = PictureModel(path, threads)
        # Class 0 is CTC's "nothing new", the last one the space.
        self._characters = ["", *self._model.metadata.get("character", "").split("\n"), " "]

    def read(self, picture: Image.Image, box: TextBox, turns: int, cancel: Cancel) -> Reading:
        """The text in ``box`` turned by ``turns`` quarters counter-clockwise. Raises Interrupted."""
        line = _cut_out(picture, box, turns)
        width = min(WIDEST_PX, max(HEIGHT_PX // 4, round(line.width * HEIGHT_PX / line.height)))
        line = line.resize((width, HEIGHT_PX), Image.Resampling.BILINEAR)
        padded = np.zeros((3, HEIGHT_PX, -(-max(width, LEAST_WIDTH_PX) // STEP_PX) * STEP_PX), np.float32)
        # PP-OCR learned from OpenCV's order of colours, blue first.
        np.divide(np.asarray(line)[:, :, ::-1].transpose(2, 0, 1), 127.5, out=padded[:, :, :width])
        padded[:, :, :width] -= 1.0
        return self._decoded(self._model.run(padded[None], cancel)[0])

    def close(self) -> None:
        """Free the memory. May be called twice."""
        self._model.close()

    def _decoded(self, probabilities: NDArray[np.float32]) -> Reading:
        """``probabilities`` is [steps, characters]: the likeliest of each step, a character said twice in a row is one."""
        best = probabilities.argmax(axis=1)
        kept = (best != 0) & np.concatenate(((True,), best[1:] != best[:-1]))
        sure = probabilities[np.flatnonzero(kept), best[kept]]
        text = "".join(self._characters[at] for at in best[kept])
        return Reading(text.strip(), float(sure.mean()) if len(sure) else 0.0)


def _cut_out(picture: Image.Image, box: TextBox, turns: int) -> Image.Image:
    """The pixels of ``box``, upright and then turned."""
    corners = box.corners
    size = (max(1, round(box.width)), max(1, round(box.height)))
    if abs(corners[1, 1] - corners[0, 1]) < 1e-6:
        left, top = np.clip(corners[0], 0, (picture.width - 1, picture.height - 1))
        right, bottom = np.clip(corners[2], (left + 1, top + 1), picture.size)
        cut = picture.crop((round(left), round(top), round(right), round(bottom)))
    else:
        along = (corners[1] - corners[0]) / size[0]
        down = (corners[3] - corners[0]) / size[1]
        x, y = corners[0]
        # The edge's own colour beyond the edge would be best; black is what Pillow gives.
        cut = picture.transform(
            size,
            Image.Transform.AFFINE,
            (along[0], down[0], x, along[1], down[1], y),
            Image.Resampling.BILINEAR,
        )
    quarter = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
    return cut.transpose(quarter[turns]) if turns else cut
