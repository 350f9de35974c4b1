"""Pictures to measure with: made here, or taken from a folder.

In: how many. Out: files. The made ones are of the sizes and shapes that telephones give (JPEG, the longer side mostly 4,000
pixels), since reading them is part of the time, and what differs in shape is what memory grows by; some have a sign with
words, for the OCR.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LONGEST_PX = 4000
SHAPES = (4 / 3, 3 / 4, 16 / 9, 9 / 16, 3 / 2, 1, 2 / 3)  # width to height
GRAIN_PX = 500
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
WORDS = ("OPEN 9 TO 5", "FRESH BREAD", "PLATFORM 4", "NO PARKING", "HARBOUR STREET")


def pictures(data: Path | None, folder: Path, count: int) -> list[Path]:
    """``count`` picture files: of ``data`` (pictures, or tar files with pictures), or made in ``folder``."""
    if data is None:
        return [_made(folder / f"made_{number:02d}.jpg", number) for number in range(count)]
    found = sorted(path for path in data.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        found = _unpacked(data, folder, count)
    if not found:
        raise SystemExit(f"{data} holds neither pictures nor tar files with pictures.")
    return found[:count]


def repeated(files: list[Path], folder: Path, count: int) -> list[Path]:
    """``count`` files, the given ones over and over under new names."""
    folder.mkdir()
    made = []
    for number in range(count):
        source = files[number % len(files)]
        path = folder / f"{number:04d}{source.suffix}"
        try:
            os.link(source, path)
        except OSError:
            shutil.copyfile(source, path)
        made.append(path)
    return made


def _unpacked(data: Path, folder: Path, count: int) -> list[Path]:
    made: list[Path] = []
    for path in sorted(data.glob("*.tar")):
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is None or Path(member.name).suffix.lower() not in SUFFIXES:
                    continue
                made.append(folder / f"{len(made):04d}{Path(member.name).suffix.lower()}")
                made[-1].write_bytes(stream.read())
                if len(made) == count:
                    return made
    return made


def _made(path: Path, number: int) -> Path:
    """Sky, ground, a few things, grain as a sensor's; every other one has a sign."""
    dice = np.random.default_rng(number)
    shape = SHAPES[number % len(SHAPES)]
    longest = LONGEST_PX if number % 2 else int(dice.integers(LONGEST_PX // 4, LONGEST_PX))
    width, height = (round(longest * min(1, shape)), round(longest * min(1, 1 / shape)))
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    top, bottom = dice.integers(80, 246, 3), dice.integers(20, 180, 3)
    horizon = dice.uniform(0.3, 0.7)
    scene = np.where(rows < horizon, top * (1 - 0.3 * rows), bottom * (0.6 + 0.4 * rows)).astype(np.uint8)
    grain = dice.integers(0, 10, (GRAIN_PX, GRAIN_PX, 1), np.uint8)  # the same everywhere: made faster
    grain = np.tile(grain, (height // GRAIN_PX + 1, width // GRAIN_PX + 1, 1))[:height, :width]
    picture = Image.fromarray(scene[:, None] + grain)
    draw = ImageDraw.Draw(picture)
    for _ in range(6):
        left, above = int(dice.integers(0, width)), int(dice.integers(0, height))
        sides = dice.integers(longest // 20, longest // 3, 2)
        box = (left, above, left + int(sides[0]), above + int(sides[1]))
        colour = tuple(int(value) for value in dice.integers(0, 256, 3))
        (draw.ellipse if dice.random() < 0.5 else draw.rectangle)(box, fill=colour)
    if number % 2:
        box = (width // 8, height // 3, width * 7 // 8, height // 3 + width // 6)
        draw.rectangle(box, fill="white", outline="black", width=max(1, width // 200))
        font = ImageFont.load_default(width // 14)
        draw.text((box[0] + width // 30, box[1] + width // 30), WORDS[number % len(WORDS)], "black", font)
    picture.save(path, quality=90)
    return path
