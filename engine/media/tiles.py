"""Cuts a picture into the square tiles that models of the Idefics3 family see, and says so in their words.

In: pixels uint8 [h, w, 3] (RGB, upright) and a :class:`TileSettings` out of the pack. Out: :class:`Tiles`, the normalised
pixels of each tile and last of the whole picture made small, and the text that stands for them in a prompt. Both equal what
``Idefics3ImageProcessor`` (on Pillow) and ``Idefics3Processor`` of transformers give, pixel for pixel and token for token.
Legend: N tiles, S side of a tile.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.json_files import Reader

LARGEST_SIDE_PX = 4096  # a picture is never made larger than that
MOST_TILES_A_SIDE = 16
MOST_TILE_TOKENS = 1 << 16
IMAGE_TOKEN = (
    "<image>"  # stands once in a template for each picture, and in a prompt for each of its features
)
AROUND_TOKEN = "<fake_token_around_image>"
WHOLE_TOKEN = "<global-img>"
RESAMPLING = {kind.value: kind for kind in Image.Resampling}


@dataclass(frozen=True)
class TileSettings:
    """How pixels are prepared. ``resample`` is Pillow's number of a filter; ``tile_tokens`` are the features of a tile.

    Raises ValueError for numbers that make no sense.
    """

    tile_px: int
    longest_edge_px: int
    tile_tokens: int
    split: bool = True
    resample: int = Image.Resampling.LANCZOS.value
    rescale_factor: float = 1 / 255
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        if not 1 <= self.tile_px <= LARGEST_SIDE_PX or not 1 <= self.longest_edge_px <= LARGEST_SIDE_PX:
            raise ValueError(f"tiles of {self.tile_px} pixels, pictures of {self.longest_edge_px}")
        if self.longest_edge_px > MOST_TILES_A_SIDE * self.tile_px:
            raise ValueError(f"too many tiles of {self.tile_px} pixels for {self.longest_edge_px}")
        if not 1 <= self.tile_tokens <= MOST_TILE_TOKENS:
            raise ValueError(f"{self.tile_tokens} tokens for a tile")
        if self.resample not in RESAMPLING:
            raise ValueError(f"there is no resampling filter {self.resample}")
        numbers = (self.rescale_factor, *self.std)
        if not all(map(math.isfinite, (*numbers, *self.mean))) or min(numbers) <= 0:
            raise ValueError("a mean, a deviation or a factor is impossible")

    @classmethod
    def read(cls, path: Path) -> TileSettings:
        """Read the file in a pack; raises EngineError naming it."""
        file = Reader.open(path)
        mean, std = (file.numbers(key, -1000.0, 1000.0) for key in ("mean", "std"))
        if len(mean) != 3 or len(std) != 3:
            raise file.bad('"mean" and "std" must be three numbers each')
        try:
            return cls(
                tile_px=file.whole("tile_px", 1, LARGEST_SIDE_PX),
                longest_edge_px=file.whole("longest_edge_px", 1, LARGEST_SIDE_PX),
                tile_tokens=file.whole("tile_tokens", 1, MOST_TILE_TOKENS),
                split=file.flag("split", True),
                resample=file.whole("resample", 0, 99, cls.resample),
                rescale_factor=file.number("rescale_factor", 0.0, 1.0, cls.rescale_factor),
                mean=(mean[0], mean[1], mean[2]),
                std=(std[0], std[1], std[2]),
            )
        except ValueError as error:
            raise file.bad(str(error)) from error

    def write(self, path: Path) -> None:
        """Write it where :meth:`read` finds it."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


@dataclass(frozen=True)
class Tiles:
    """What the model sees of one picture: float32 [N, 3, S, S], the whole picture last.

    ``rows`` and ``columns`` count the tiles beside it; both are 0 where the picture was not split.
    """

    pixels: NDArray[np.float32]
    rows: int
    columns: int


def cut(pixels: NDArray[np.uint8], settings: TileSettings) -> Tiles:
    """Resize, split and normalise one picture."""
    side, kind = settings.tile_px, RESAMPLING[settings.resample]
    image = Image.fromarray(pixels).resize(first_size(pixels.shape[1], pixels.shape[0], settings), kind)
    rows, columns = grid(pixels.shape[1], pixels.shape[0], settings)
    if settings.split:
        image = image.resize(whole_tiles(*image.size, side), kind)
    parts = [
        image.crop((left * side, top * side, (left + 1) * side, (top + 1) * side))
        for top in range(rows)
        for left in range(columns)
    ]
    if image.size != (side, side):
        image = image.resize((side, side), kind)
    return Tiles(np.stack([_normalised(part, settings) for part in (*parts, image)]), rows, columns)


def grid(width: int, height: int, settings: TileSettings) -> tuple[int, int]:
    """Rows and columns of the tiles that :func:`cut` makes of such a picture."""
    if not settings.split:
        return 0, 0
    width, height = whole_tiles(*first_size(width, height, settings), settings.tile_px)
    rows, columns = height // settings.tile_px, width // settings.tile_px
    return (0, 0) if rows == columns == 1 else (rows, columns)


def first_size(width: int, height: int, settings: TileSettings) -> tuple[int, int]:
    """The width and height that a picture is resized to first: the longest edge is what the settings say."""
    longest, ratio = settings.longest_edge_px, width / height
    if width >= height:
        width, height = longest, int(longest / ratio)
        height += height % 2
    else:
        width, height = int(longest * ratio), longest
        width += width % 2
    return max(width, 1), max(height, 1)


def whole_tiles(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The nearest larger width and height that are whole numbers of tiles; the shape may change a little."""
    ratio = width / height
    if width >= height:
        width = math.ceil(width / side_px) * side_px
        height = math.ceil(max(int(width / ratio), 1) / side_px) * side_px
    else:
        height = math.ceil(height / side_px) * side_px
        width = math.ceil(max(int(height * ratio), 1) / side_px) * side_px
    return width, height


def picture_text(rows: int, columns: int, tile_tokens: int) -> str:
    """What stands for a picture of so many tiles in a prompt."""
    features = IMAGE_TOKEN * tile_tokens
    text = ""
    for row in range(1, rows + 1):
        text += "".join(
            f"{AROUND_TOKEN}<row_{row}_col_{column}>{features}" for column in range(1, columns + 1)
        )
        text += "\n"
    return f"{text}{chr(10) if rows else ''}{AROUND_TOKEN}{WHOLE_TOKEN}{features}{AROUND_TOKEN}"


def _normalised(image: Image.Image, settings: TileSettings) -> NDArray[np.float32]:
    """[S, S, 3] in 0 .. 255 -> [3, S, S], in the order of rounding that transformers has."""
    values = (np.asarray(image).astype(np.float64) * settings.rescale_factor).astype(np.float32)
    values = (values - np.array(settings.mean, np.float32)) / np.array(settings.std, np.float32)
    return np.ascontiguousarray(values.transpose(2, 0, 1))
