"""The text in a picture, Chinese and English, with the PP-OCR models that RapidOCR publishes for ONNX Runtime.

In: pixels. Out: :class:`engine.results.TextLine` in reading order. The models are a part of Pollux (``resources/ocr``);
what is around them is in the modules ``ocr_detect``, ``ocr_boxes``, ``ocr_recognize`` and ``ocr_order``.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine import folders, machine
from engine.cancel import Cancel
from engine.media.ocr_boxes import TextBox
from engine.media.ocr_detect import Detector
from engine.media.ocr_order import TurnedLine, join_lines, reading_order
from engine.media.ocr_recognize import Reading, Recognizer
from engine.results import TextLine
from engine.runtime.session import Interrupted

__all__ = ["OCR_LINES_MAX", "TextReader", "join_lines"]

DETECTOR_NAME = "PP-OCRv6_det_small.onnx"
RECOGNIZER_NAME = "PP-OCRv6_rec_small.onnx"
OCR_LINES_MAX = 300  # of the lines of one picture, the largest are read
TALL = 1.5  # height over width from which a box is taken for a column, or for a line of a picture on its side
TALL_CHARACTER = 2.5  # up to which it may be a single character as well
SURE = 0.9  # a reading from which no other way round is tried
# What is no text at all reads as a few characters that the recognizer is not sure of.
LEAST_CONFIDENCE = 0.7
LEAST_CONFIDENCE_SHORT = {1: 0.99, 2: 0.9, 3: 0.85, 4: 0.8, 5: 0.75}
# With nothing else beside them these are as often poles, windows or stripes.
MERE_STROKES = frozenset("1IiJjLlOoTUVvXx0/一丁二三八人十口日田山工川门")


class TextReader:
    """Reads text in pictures, on the CPU. Not for two threads at once; close it to free its memory (70 MB, up to 250 MB while it reads)."""

    def __init__(self, detector: Detector, recognizer: Recognizer) -> None:
        """Use :meth:`open`."""
        self._detector = detector
        self._recognizer = recognizer

    @classmethod
    def open(cls, threads: int = 0) -> TextReader:
        """Load the models, a quarter of a second. Raises EngineError if they are missing or damaged.

        ``threads`` 0 means one for each physical core.
        """
        folder = folders.resources_folder() / "ocr"
        threads = threads or machine.physical_cores()
        return cls(Detector(folder / DETECTOR_NAME, threads), Recognizer(folder / RECOGNIZER_NAME, threads))

    def read(self, pixels: NDArray[np.uint8], cancel: Cancel | None = None) -> tuple[TextLine, ...]:
        """The lines of text in ``pixels`` [height, width, 3], RGB, in reading order.

        Where ``cancel`` is set, those that were read by then. Raises EngineError where memory is short.
        """
        cancel = cancel or Cancel()
        height, width = pixels.shape[:2]
        if not height or not width:
            return ()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        lines: list[TurnedLine] = []
        try:
            boxes = self._detector.boxes(picture, cancel)
            boxes.sort(key=lambda box: -box.width * box.height)
            turning = _Turning()
            for box in boxes[:OCR_LINES_MAX]:
                turns, reading = self._read_box(picture, box, turning, cancel)
                if _is_text(reading):
                    shares = _shares(box, width, height)
                    line = TextLine(reading.text, min(1.0, reading.confidence), shares)
                    lines.append(TurnedLine(line, box.corners, turns))
        except Interrupted:
            pass
        return reading_order(lines)

    def close(self) -> None:
        """Free the memory. May be called twice."""
        self._detector.close()
        self._recognizer.close()

    def __enter__(self) -> TextReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_box(
        self, picture: Image.Image, box: TextBox, turning: _Turning, cancel: Cancel
    ) -> tuple[int, Reading]:
        """The best reading of a box, and how it was turned for that."""
        best = 0, Reading("", 0.0)
        for turns in turning.ways(box):
            reading = self._recognizer.read(picture, box, turns, cancel)
            if reading.confidence > best[1].confidence:
                best = turns, reading
            if reading.confidence >= SURE:
                break
        if _is_text(best[1]):
            turning.note(best[0])
        return best


class _Turning:
    """Which way round lines are tried: as most lines of the picture so far first."""

    def __init__(self) -> None:
        self._seen: Counter[int] = Counter()

    def ways(self, box: TextBox) -> list[int]:
        if box.height < TALL * box.width:
            ways = [0, 2]
        elif box.height < TALL_CHARACTER * box.width:
            ways = [1, 3, 0]
        else:
            ways = [1, 3]
        return sorted(ways, key=lambda turns: -self._seen[turns])

    def note(self, turns: int) -> None:
        self._seen[turns] += 1


def _is_text(reading: Reading) -> bool:
    """Whether a reading is good enough to be shown: the fewer characters, the surer."""
    letters = [character for character in reading.text if unicodedata.category(character)[0] in "LN"]
    if not letters or (len(set(letters)) == 1 and letters[0] in MERE_STROKES):
        return False
    return reading.confidence >= LEAST_CONFIDENCE_SHORT.get(len(letters), LEAST_CONFIDENCE)


def _shares(box: TextBox, width: int, height: int) -> tuple[float, float, float, float]:
    """The upright box around a turned one, as shares of the picture."""
    left, top = np.clip(box.corners.min(axis=0) / (width, height), 0.0, 1.0)
    right, bottom = np.clip(box.corners.max(axis=0) / (width, height), 0.0, 1.0)
    return float(left), float(top), float(right), float(bottom)
