"""Reads pictures: for a model, for showing, and for lists.

In: the path of an untrusted file of any format that Pillow opens, or HEIC. Out: upright RGB pixels of a bounded size with what the
file says of itself, or one clear EngineError. Drawings (SVG) are painted by the app, which hands in their pixels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.media.image_errors import damaged, no_memory
from engine.media.image_metadata import read_metadata
from engine.media.image_open import FAILURES, decode, open_file
from engine.media.image_pixels import to_rgb
from engine.results import Notice

MAX_SIDE_PX = 2048
THUMBNAIL_QUALITY = 80
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class ImageInfo:
    """What a picture's file holds. Width and height are as shown: after the turn that its EXIF asks for."""

    width_px: int
    height_px: int
    format: str
    mode: str
    frames: int
    bytes: int


@dataclass(frozen=True)
class Picture:
    """A decoded picture. ``pixels`` is uint8 [height, width, 3], RGB, upright, perhaps smaller than the file's.

    ``taken`` is like "2024-05-03 14:22:10", ``place`` like "Paris, France"; degrees are north and east; "" or None where the file
    does not say. ``damage`` is "" or says in English what of the file is missing; `damage_notice` is for showing.
    """

    pixels: NDArray[np.uint8]
    info: ImageInfo
    taken: str = ""
    camera: str = ""
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    damage: str = ""


def open_picture(source: Path, max_side_px: int = MAX_SIDE_PX) -> Picture:
    """Read ``source``, at most ``max_side_px`` on its long side; of animated files the first frame. Raises EngineError."""
    with open_file(source) as file:
        decoded = decode(source, file, max_side_px)
        try:
            metadata = read_metadata(decoded.source)
            image = to_rgb(decoded.image, max_side_px)
            if metadata.orientation in _TURNS:
                image = image.transpose(_TURNS[metadata.orientation])
        except MemoryError as error:
            raise no_memory(source) from error
        except FAILURES as error:  # pixels of a kind that Pillow decodes and cannot convert
            raise damaged(source) from error
    width_px, height_px = decoded.width_px, decoded.height_px
    if metadata.orientation >= 5:
        width_px, height_px = height_px, width_px
    kind = {"MPO": "JPEG"}.get(decoded.source.format or "", decoded.source.format or "")
    return Picture(
        pixels=np.array(image),
        info=ImageInfo(width_px, height_px, kind, decoded.mode, decoded.frames, decoded.size_bytes),
        taken=metadata.taken,
        camera=metadata.camera,
        place=metadata.place,
        latitude=metadata.latitude,
        longitude=metadata.longitude,
        damage="" if decoded.kept == 1 else _damage(decoded.kept),
    )


def _damage(kept: float) -> str:
    missing = round(100 * (1 - kept))
    return (
        f"The file is damaged; about {missing} % of the picture is missing."
        if missing > 1
        else "The file is damaged."
    )


def damage_notice(file_name: str, picture: Picture) -> Notice | None:
    """What the user should know of a picture that is not all there; None where it is."""
    if not picture.damage:
        return None
    return Notice(
        "picture_damaged",
        "{file} is damaged or cut short; only a part of the picture could be read.",
        {"file": file_name},
    )


def picture_from_pixels(pixels: NDArray[np.uint8], format: str = "") -> Picture:
    """A picture from pixels that were painted elsewhere: uint8 [height, width, 3], RGB."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"not RGB pixels: {pixels.dtype} {pixels.shape}")
    height_px, width_px = pixels.shape[:2]
    return Picture(np.ascontiguousarray(pixels), ImageInfo(width_px, height_px, format, "RGB", 1, 0))


def resize_for_model(pixels: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Squeeze pixels [height, width, 3] into [size_px, size_px, 3]: nothing is cut off, and every pixel counts."""
    image = Image.fromarray(pixels)
    return np.array(image.resize((size_px, size_px), Image.Resampling.BICUBIC))


def thumbnail_jpeg(path: Path, side_px: int) -> bytes:
    """A small JPEG of a picture for a list, at most ``side_px`` on its long side. Raises EngineError."""
    buffer = io.BytesIO()
    Image.fromarray(open_picture(path, side_px).pixels).save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
    return buffer.getvalue()
