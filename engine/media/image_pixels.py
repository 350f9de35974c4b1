"""Any pixels that Pillow decodes become 8-bit RGB of a bounded size.

In: a decoded Pillow image of any mode. Out: an RGB image in sRGB, transparent parts on white, not larger than asked for.
Large pictures are converted strip by strip, so that no second full-size copy is made.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from engine.media.image_open import FAILURES

STRIP_PX = 4_000_000
WHITE = (255, 255, 255)
FULL_16_BIT = 65535
DIM_16_BIT = 4096  # 10- or 12-bit values in 16-bit pixels: shown as they are, the picture would be black
WIDE_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


def to_rgb(image: Image.Image, max_side_px: int) -> Image.Image:
    """``image`` as RGB, its long side ``max_side_px`` or less; never made larger."""
    profile = image.info.get("icc_profile")
    factor = max(1, max(image.size) // (2 * max_side_px))  # the rest is left to a better filter
    factors = min(factor, image.width), min(factor, image.height)
    convert = _Flatten(image)
    small = _reduced(image, factors, convert) if factor > 1 else convert(image)
    small = _to_srgb(small, profile)
    scale = max_side_px / max(image.size)
    if scale < 1:
        wanted = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        small = small.resize(wanted, Image.Resampling.LANCZOS)
    return small


class _Flatten:
    """Converts the picture's pixels, or a strip of them, to RGB (CMYK stays, for its colour profile)."""

    def __init__(self, image: Image.Image) -> None:
        self._wide = _range(image) if image.mode in WIDE_MODES else None
        self._has_alpha = image.has_transparency_data and not _is_all_transparent(image)

    def __call__(self, image: Image.Image) -> Image.Image:
        if self._wide is not None:
            return _scaled(image, *self._wide).convert("RGB")
        if image.mode in ("RGB", "CMYK"):
            if not self._has_alpha:
                return image
        elif image.mode == "LAB":
            return _from_lab(image)
        if not self._has_alpha:
            if image.mode in ("LA", "La"):
                return image.convert("LA").getchannel("L").convert("RGB")
            return image.convert("RGB")
        rgba = image.convert("RGBA")
        flat = Image.new("RGB", image.size, WHITE)
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat


def _reduced(image: Image.Image, factors: tuple[int, int], convert: _Flatten) -> Image.Image:
    """``image`` averaged over blocks of ``factors`` pixels, converted strip by strip."""
    across, down = factors
    rows = down * max(1, STRIP_PX // (image.width * down))
    result: Image.Image | None = None
    for top in range(0, image.height, rows):
        strip = convert(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factors)
        if result is None:
            result = Image.new(strip.mode, (-(-image.width // across), -(-image.height // down)))
        result.paste(strip, (0, top // down))
    assert result is not None
    return result


def _is_all_transparent(image: Image.Image) -> bool:
    """Some programs leave the opacity of every pixel at nought, and mean a picture that can be seen."""
    if image.mode not in ("RGBA", "LA"):
        return False
    return image.getextrema()[-1] == (0, 0)


def _range(image: Image.Image) -> tuple[float, float]:
    """Which values are black and white, in pixels of more than 8 bits."""
    low, high = np.inf, -np.inf
    rows = max(1, STRIP_PX // image.width)
    for top in range(0, image.height, rows):
        values = _values(image.crop((0, top, image.width, min(top + rows, image.height))))
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low > high:  # not one number in it
        return 0.0, 1.0
    if low >= 0:
        if image.mode == "F" and high <= 1:
            return 0.0, 1.0
        if high <= 255 and image.mode in ("I", "F"):
            return 0.0, 255.0
        if high <= FULL_16_BIT:
            return 0.0, float(FULL_16_BIT) if high >= DIM_16_BIT else max(high, 1.0)
    return low, max(high, low + 1e-6)


def _values(image: Image.Image) -> NDArray[np.float32]:
    """[height, width] of a single-channel image."""
    return np.asarray(image if image.mode == "F" else image.convert("I"), dtype=np.float32)


def _scaled(image: Image.Image, black: float, white: float) -> Image.Image:
    values = (_values(image) - np.float32(black)) * np.float32(255.0 / (white - black))
    values = np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0)
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours of another space (a phone's wide one, a printer's) as the screen shows them; a broken profile is ignored."""
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            header: Any = own.profile  # Pillow's annotation names something else
            fits = header.xcolor_space.strip() == image.mode
            is_srgb = "srgb" in (header.profile_description or "").lower()
            if fits and not is_srgb:
                changed = ImageCms.profileToProfile(image, own, _srgb(), outputMode="RGB")
                image = changed if changed is not None else image
        except (ImageCms.PyCMSError, *FAILURES):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    changed = ImageCms.profileToProfile(image, lab, _srgb(), outputMode="RGB")
    assert changed is not None
    return changed
