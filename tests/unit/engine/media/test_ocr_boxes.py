"""The geometry behind the detector, on maps that are drawn here."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.media.ocr_boxes import text_boxes
from engine.media.ocr_order import TurnedLine, reading_order
from engine.results import TextLine


def drawn(*polygons: list[tuple[float, float]], size: tuple[int, int] = (200, 120)) -> np.ndarray:
    """A map [height, width] that is 0.9 within the polygons."""
    image = Image.new("L", size)
    for polygon in polygons:
        ImageDraw.Draw(image).polygon(polygon, fill=230)
    return np.asarray(image, np.float32) / 255


def bar(x: float, y: float, width: float, height: float, angle: float = 0.0) -> list[tuple[float, float]]:
    """A rectangle around x, y, turned clockwise by degrees."""
    along = np.array((np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle)))) * width / 2
    down = np.array((-np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle)))) * height / 2
    corners = (-along - down, along - down, along + down, down - along)
    return [(x + float(corner[0]), y + float(corner[1])) for corner in corners]


def test_a_bar_gets_one_box_that_is_larger_on_all_sides() -> None:
    [box] = text_boxes(drawn(bar(100, 60, 100, 10)))
    assert box.score == pytest.approx(0.9, abs=0.1)
    left, top = box.corners[0]
    right, bottom = box.corners[2]
    assert 35 < left < 50 and 150 < right < 165
    assert 44 < top < 55 and 65 < bottom < 76
    assert box.width == pytest.approx(right - left)


@pytest.mark.parametrize("angle", [-40, -20, -5, 5, 20, 40])
def test_a_turned_bar_gets_a_turned_box(angle: int) -> None:
    [box] = text_boxes(drawn(bar(100, 60, 110, 12, angle)))
    along = box.corners[1] - box.corners[0]
    assert np.rad2deg(np.arctan2(along[1], along[0])) == pytest.approx(angle, abs=2)
    assert box.width > 3 * box.height
    assert box.corners.mean(axis=0) == pytest.approx((100, 60), abs=2)


def test_bars_stay_apart_and_touching_ones_are_one() -> None:
    assert len(text_boxes(drawn(bar(50, 30, 60, 10), bar(150, 30, 60, 10), bar(50, 80, 60, 10)))) == 3
    assert len(text_boxes(drawn(bar(50, 30, 60, 10), bar(100, 30, 60, 10)))) == 1


def test_what_is_tiny_or_nothing_is_left_out() -> None:
    assert text_boxes(drawn()) == []
    assert text_boxes(drawn(bar(100, 60, 2, 1))) == []
    faint = np.full((50, 50), 0.35, np.float32)
    assert text_boxes(faint) == []  # above the threshold everywhere, likely nowhere


def test_a_map_full_of_specks_ends_quickly() -> None:
    specks = np.zeros((480, 640), np.float32)
    specks[::3, ::3] = 1
    assert text_boxes(specks) == []


def turned(text: str, box: tuple[float, float, float, float], turns: int = 0) -> TurnedLine:
    left, top, right, bottom = box
    corners = np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float64)
    return TurnedLine(TextLine(text, 1.0, box), corners, turns)


def test_rows_then_columns_of_a_table() -> None:
    cells = [
        turned("d", (0.6, 0.51, 0.9, 0.61)),
        turned("b", (0.6, 0.08, 0.9, 0.19)),
        turned("a", (0.1, 0.1, 0.4, 0.2)),
        turned("c", (0.1, 0.5, 0.4, 0.6)),
    ]
    assert "".join(line.text for line in reading_order(cells)) == "abcd"


def test_lines_that_are_turned_come_after_the_others() -> None:
    lines = [
        turned("side", (0.9, 0.1, 0.95, 0.9), 3),
        turned("title of it", (0.1, 0.1, 0.8, 0.2)),
        turned("text", (0.1, 0.3, 0.8, 0.4)),
    ]
    assert [line.text for line in reading_order(lines)] == ["title of it", "text", "side"]
    assert reading_order(()) == ()
