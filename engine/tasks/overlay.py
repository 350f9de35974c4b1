"""Where the model looked, painted over the picture.

In: pixels and, for each word of a caption, its attention over them. Out: pixels or a PNG: the picture in the colour of the map where
the model looked, darker where it did not; the word underneath; or all words on one sheet.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.results import Look

TINT = (76, 110, 245)  # blue: seldom in photos, and told from grey by those who do not tell red from green
STRONGEST = 0.62  # how much of the picture the tint hides where the model looked most
DIMMED = 0.34  # how dark the picture gets where it did not look
CONTRAST = 0.8  # below 1: what was looked at a little is seen, too
WORD_SHARE = 0.07  # of the picture's longer side: the height of the line under it
WORD_LEAST_PX = 18
SHEET_COLUMNS = 4
SHEET_SIDE_PX = 320  # of each picture on a sheet
GAP_PX = 8
_PAPER, _INK = (255, 255, 255), (30, 30, 34)


def overlay(pixels: NDArray[np.uint8], attention: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture, uint8 [height, width, 3], under the map float32 [rows, columns]; of the size of the picture."""
    height, width = pixels.shape[:2]
    heat = _smooth(attention, width, height)[..., None] ** CONTRAST
    alpha = STRONGEST * heat + DIMMED * (1 - heat) ** 2
    layer = np.asarray(TINT, np.float32) * (STRONGEST * heat)  # where it did not look the layer is black
    mixed = pixels.astype(np.float32) * (1 - alpha) + layer
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def with_word(pixels: NDArray[np.uint8], word: str) -> NDArray[np.uint8]:
    """The picture with a line under it that says the word."""
    height, width = pixels.shape[:2]
    band = max(round(max(width, height) * WORD_SHARE), WORD_LEAST_PX)
    page = Image.new("RGB", (width, height + band), _PAPER)
    page.paste(Image.fromarray(pixels), (0, 0))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(band * 0.62)
    # A long word under a narrow picture gets smaller letters.
    if (long := draw.textlength(word, font)) > width:
        font = ImageFont.load_default(max(band * 0.62 * 0.9 * width / long, 1))
    draw.text((width / 2, height + band / 2), word, _INK, font, anchor="mm")
    return np.array(page)


def overlay_png(pixels: NDArray[np.uint8], attention: NDArray[np.float32], word: str = "") -> bytes:
    """The overlay as a PNG file, with the word under it unless it is ""."""
    painted = overlay(pixels, attention)
    return _png(with_word(painted, word) if word else painted)


def sheet(pixels: NDArray[np.uint8], looks: Sequence[Look]) -> NDArray[np.uint8]:
    """The picture, and again for each word where the model looked for it, in reading order. ValueError without a word."""
    if not looks:
        raise ValueError("no words")
    small = _fitted(pixels, SHEET_SIDE_PX)
    tiles = [with_word(small, " "), *(with_word(overlay(small, look.attention), look.word) for look in looks)]
    height, width = tiles[0].shape[:2]
    columns = min(SHEET_COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    page = np.full((rows * (height + GAP_PX) + GAP_PX, columns * (width + GAP_PX) + GAP_PX, 3), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top = GAP_PX + number // columns * (height + GAP_PX)
        left = GAP_PX + number % columns * (width + GAP_PX)
        page[top : top + height, left : left + width] = tile
    return page


def sheet_png(pixels: NDArray[np.uint8], looks: Sequence[Look]) -> bytes:
    """The sheet as a PNG file."""
    return _png(sheet(pixels, looks))


def _smooth(attention: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """The map between 0 and 1, as large as the picture and without the steps of its grid."""
    heat = np.nan_to_num(attention.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    heat = heat - heat.min()
    peak = float(heat.max())
    if peak <= 0:  # it looked everywhere alike
        return np.zeros((height, width), np.float32)
    large = Image.fromarray(heat / peak).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large, np.float32), 0, 1)


def _fitted(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    image = Image.fromarray(pixels)
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return np.array(image)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
