"""How pictures are cut into tiles, and what stands for them in a prompt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.media.tiles import TileSettings, cut, first_size, grid, picture_text, whole_tiles

SETTINGS = TileSettings(tile_px=512, longest_edge_px=2048, tile_tokens=64)


@pytest.mark.parametrize(
    ("size", "rows_columns"),
    [
        ((2048, 2048), (4, 4)),
        ((300, 200), (3, 4)),
        ((200, 300), (4, 3)),
        ((4000, 100), (1, 4)),
        ((1, 1), (4, 4)),
        ((1, 9000), (4, 1)),
    ],
)
def test_grids_of_the_published_models(size: tuple[int, int], rows_columns: tuple[int, int]) -> None:
    assert grid(*size, SETTINGS) == rows_columns
    assert grid(*size, TileSettings(512, 2048, 64, split=False)) == (0, 0)


def test_sizes() -> None:
    assert first_size(300, 200, SETTINGS) == (2048, 1366)  # 1365, made even
    assert whole_tiles(2048, 1366, 512) == (2048, 1536)
    assert first_size(1, 9000, SETTINGS) == (1, 2048)
    small = TileSettings(512, 512, 64)
    assert grid(640, 480, small) == (0, 0)  # one tile is no grid


def test_tiles_are_parts_of_the_picture() -> None:
    settings = TileSettings(8, 32, 4, resample=0)
    pixels = np.arange(32 * 32 * 3, dtype=np.uint32).reshape(32, 32, 3).astype(np.uint8)
    tiles = cut(pixels, settings)
    assert (tiles.rows, tiles.columns) == (4, 4) and tiles.pixels.shape == (17, 3, 8, 8)
    back = np.rint((tiles.pixels * 0.5 + 0.5) * 255).transpose(0, 2, 3, 1)
    assert np.array_equal(back[0], pixels[:8, :8]) and np.array_equal(back[6], pixels[8:16, 16:24])
    assert tiles.pixels.min() >= -1 and tiles.pixels.max() <= 1


def test_the_text() -> None:
    around, image = "<fake_token_around_image>", "<image>" * 2
    assert picture_text(0, 0, 2) == f"{around}<global-img>{image}{around}"
    assert picture_text(2, 1, 2) == (
        f"{around}<row_1_col_1>{image}\n{around}<row_2_col_1>{image}\n\n{around}<global-img>{image}{around}"
    )


def test_written_and_read(tmp_path: Path) -> None:
    settings = TileSettings(384, 1536, 81, split=False, resample=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    settings.write(tmp_path / "processor.json")
    assert TileSettings.read(tmp_path / "processor.json") == settings


@pytest.mark.parametrize(
    "values",
    [
        {"tile_px": 0},
        {"tile_px": 5000},
        {"longest_edge_px": 9000},
        {"tile_px": 16},
        {"tile_tokens": 0},
        {"resample": 99},
        {"rescale_factor": 0.0},
        {"std": (1.0, 1.0, 0.0)},
        {"mean": (0.0, float("nan"), 0.0)},
    ],
)
def test_impossible_settings(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        TileSettings(**{"tile_px": 512, "longest_edge_px": 2048, "tile_tokens": 64} | values)  # pyright: ignore[reportArgumentType]
