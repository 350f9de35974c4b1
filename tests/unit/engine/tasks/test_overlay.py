"""Where the model looked, painted."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.results import Look
from engine.tasks.overlay import GAP_PX, overlay, overlay_png, sheet, sheet_png, with_word

GREY = np.full((60, 90, 3), 128, np.uint8)


def map_of(rows: int = 2, columns: int = 3, at: tuple[int, int] = (0, 2)) -> np.ndarray:
    attention = np.zeros((rows, columns), np.float32)
    attention[at] = 1
    return attention


def test_bluer_where_it_looked_and_darker_where_not() -> None:
    made = overlay(GREY, map_of())
    assert made.shape == GREY.shape and made.dtype == np.uint8
    looked, not_looked = made[5, 85].astype(int), made[55, 5].astype(int)
    assert looked[2] - looked[0] > 60 and looked[2] > 150
    assert len(set(not_looked)) == 1 and not_looked[0] < 100
    steps = np.abs(np.diff(made[5, :, 2].astype(int)))
    assert steps.max() < 12  # the grid of the map is not seen


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan")])
def test_a_map_without_a_place(value: float) -> None:
    made = overlay(GREY, np.full((3, 3), value, np.float32))
    assert (made == made[0, 0]).all() and made[0, 0, 0] < 128


def test_tiny_pictures() -> None:
    for shape in ((1, 1, 3), (1, 500, 3), (500, 1, 3)):
        pixels = np.zeros(shape, np.uint8)
        assert overlay(pixels, map_of()).shape == shape
        assert sheet(pixels, [Look("dog", 0, 3, 0.5, map_of())]).ndim == 3


def test_the_word_stands_under_the_picture() -> None:
    made = with_word(GREY, "dog")
    assert made.shape[1] == 90 and made.shape[0] > 70
    assert (made[:60] == GREY).all() and made[60:].min() < 100 < made[60:].max()
    long = with_word(GREY, "incomprehensibilities")
    edges = long[60:, [0, -1]]
    assert edges.min() > 200


def test_png() -> None:
    with Image.open(io.BytesIO(overlay_png(GREY, map_of(), "dog"))) as image:
        assert image.format == "PNG" and image.width == 90 and image.height > 60
    with Image.open(io.BytesIO(overlay_png(GREY, map_of()))) as image:
        assert image.size == (90, 60)


def test_a_sheet_has_the_picture_and_every_word() -> None:
    looks = [Look(word, 0, 1, 0.5, map_of()) for word in "a dog runs on grass".split()]
    made = sheet(GREY, looks)
    tile = with_word(GREY, " ").shape
    assert made.shape[:2] == (2 * (tile[0] + GAP_PX) + GAP_PX, 4 * (tile[1] + GAP_PX) + GAP_PX)
    assert sheet_png(GREY, looks)[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="no words"):
        sheet(GREY, [])
