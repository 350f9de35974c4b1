"""Which colours a picture is made of, in words.

In: RGB pixels. Out: up to three named colours and how much of the picture each has. Every pixel is named by where it lies in OKLab,
a space in which equal steps look equal (Björn Ottosson, "A perceptual color space for image processing", 2020), and names are counted:
the light and the dark of a colour together, and strong colours a little more than the greys that nobody looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.media.image import resize_for_model

SAMPLE_PX = 96
SMALLEST_SHARE = 0.08
NEUTRAL_CHROMA = 0.035  # less colourful than this is grey, to most eyes
NAMES_ZH = {
    "black": "黑色",
    "dark grey": "深灰色",
    "grey": "灰色",
    "light grey": "浅灰色",
    "white": "白色",
    "red": "红色",
    "dark red": "深红色",
    "pink": "粉色",
    "orange": "橙色",
    "brown": "棕色",
    "dark brown": "深棕色",
    "beige": "米色",
    "yellow": "黄色",
    "olive": "橄榄绿",
    "green": "绿色",
    "dark green": "深绿色",
    "light green": "浅绿色",
    "turquoise": "青色",
    "blue": "蓝色",
    "dark blue": "深蓝色",
    "light blue": "浅蓝色",
    "purple": "紫色",
    "dark purple": "深紫色",
}
NAMES = tuple(NAMES_ZH)
# Shades of one colour, which are counted together and named after the one with most pixels.
SHADES = (
    *(
        ("black",),
        ("dark grey", "grey", "light grey"),
        ("white",),
        ("red", "dark red"),
        ("pink",),
        ("orange",),
    ),
    *(("brown", "dark brown"), ("beige",), ("yellow",), ("olive", "green", "dark green", "light green")),
    *(("turquoise",), ("blue", "dark blue", "light blue"), ("purple", "dark purple")),
)
WEIGHT_OF_CHROMA = 5.0  # a strong colour has a chroma of 0.2: its pixels count twice
# Up to which lightness a grey has its name.
GREYS = ((0.27, "black"), (0.48, "dark grey"), (0.72, "grey"), (0.91, "light grey"), (2.0, "white"))
# Up to which hue, in degrees, a colour has its name: where it is dark, in between, and light; and the two lightnesses between.
HUES = (
    (12.0, "dark purple", "pink", "pink", 0.36, 0.70),
    (35.0, "dark red", "red", "pink", 0.46, 0.70),
    (48.0, "brown", "orange", "orange", 0.62, 0.80),
    (78.0, "brown", "orange", "orange", 0.72, 0.80),
    (95.0, "brown", "yellow", "yellow", 0.62, 0.85),
    (118.0, "olive", "yellow", "yellow", 0.70, 0.85),
    (158.0, "dark green", "green", "light green", 0.47, 0.82),
    (215.0, "dark green", "turquoise", "turquoise", 0.36, 0.85),
    (285.0, "dark blue", "blue", "light blue", 0.37, 0.68),
    (335.0, "dark purple", "purple", "purple", 0.36, 0.80),
    (360.0, "dark red", "pink", "pink", 0.40, 0.70),
)
# Weak colours from red to yellow have names of their own; where they are dark, the last of them are olive.
EARTH_HUES = (12.0, 95.0, 110.0)
EARTH_LIGHTNESS = 0.70
EARTH_CHROMA = 0.10
EARTHS = ((0.27, "black"), (0.40, "dark brown"), (0.70, "brown"), (0.95, "beige"), (2.0, "white"))
BLACK_LIGHTNESS = 0.22


@dataclass(frozen=True)
class Colour:
    """A named colour; ``share`` is how much of the picture it has, 0 to 1, and ``hex`` its mean, like "#3f7a2e"."""

    name: str
    name_zh: str
    share: float
    hex: str


def dominant_colours(pixels: NDArray[np.uint8], top: int = 3) -> tuple[Colour, ...]:
    """The colours with the largest shares of pixels [height, width, 3], the largest first; at least one."""
    sample = resize_for_model(pixels, SAMPLE_PX).reshape(-1, 3)  # [SAMPLE_PX ** 2, 3]
    lightness, chroma, hue = _lightness_chroma_hue(sample)
    names = _names(lightness, chroma, hue)
    counts = np.bincount(names, minlength=len(NAMES))
    weights = np.bincount(names, weights=1 + WEIGHT_OF_CHROMA * chroma, minlength=len(NAMES))
    families = [[NAMES.index(name) for name in shades] for shades in SHADES]
    families.sort(key=lambda family: -weights[family].sum())
    found = []
    for family in families:
        share = float(counts[family].sum() / len(sample))
        if len(found) == top or (found and share < SMALLEST_SHARE):
            break
        index = max(family, key=lambda shade: counts[shade])
        red, green, blue = np.rint(sample[names == index].mean(axis=0)).astype(int)
        found.append(Colour(NAMES[index], NAMES_ZH[NAMES[index]], share, f"#{red:02x}{green:02x}{blue:02x}"))
    return tuple(found)


def _names(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.int64]:
    """For N pixels the index in NAMES of each one's name, [N]."""
    names = np.full(len(hue), -1)
    for limit, dark, middle, light, first, second in HUES:
        words = np.where(
            lightness < first, _index(dark), np.where(lightness < second, _index(middle), _index(light))
        )
        names = np.where((names < 0) & (hue <= limit), words, names)
    last = np.where(lightness < EARTH_LIGHTNESS, EARTH_HUES[1], EARTH_HUES[2])
    earthy = (hue > EARTH_HUES[0]) & (hue < last) & (chroma < EARTH_CHROMA)
    names = np.where(earthy, _by_lightness(lightness, EARTHS), names)
    names = np.where(chroma < NEUTRAL_CHROMA, _by_lightness(lightness, GREYS), names)
    return np.where(lightness < BLACK_LIGHTNESS, _index("black"), names)


def _by_lightness(lightness: NDArray[np.float64], steps: tuple[tuple[float, str], ...]) -> NDArray[np.int64]:
    limits = np.array([limit for limit, _ in steps])
    return np.array([_index(name) for _, name in steps])[np.searchsorted(limits, lightness)]


def _index(name: str) -> int:
    return NAMES.index(name)


def _lightness_chroma_hue(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """OKLab in cylinder coordinates for sRGB pixels [N, 3]: lightness 0 to 1, chroma 0 to about 0.3, hue in degrees."""
    value = pixels / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    lab = np.cbrt(cones) @ np.array(
        [
            [0.2104542553, 1.9779984951, 0.0259040371],
            [0.7936177850, -2.4285922050, 0.7827717662],
            [-0.0040720468, 0.4505937099, -0.8086757660],
        ]
    )
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    return lab[:, 0], np.hypot(lab[:, 1], lab[:, 2]), hue
