"""Opens the file of a picture with Pillow and decodes it, within bounds of memory and with no other program.

In: the path of an untrusted file, and how many pixels are wanted. Out: a decoded Pillow image, and one clear EngineError for
each way in which that can fail. Pillow gets an open file, no name, and only formats that it decodes by itself: PostScript
would start Ghostscript, and Windows' metafiles are painted by Windows.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import stat
import struct
import warnings
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, JpegImagePlugin

from engine.errors import EngineError
from engine.media.image_errors import HEAD_BYTES, damaged, no_memory, not_opened, too_large, unreadable

FORMATS = (
    "JPEG PNG WEBP GIF HEIF AVIF TIFF BMP ICO MPO JPEG2000 PPM QOI TGA PSD DDS DIB CUR ICNS PCX DCX SGI SUN XBM XPM IM "
    "BLP FTEX GBR FITS FLI MSP PCD PIXAR SPIDER XVTHUMB IMT"
).split()
MAX_PX = 250_000_000  # a pixel takes 4 bytes while a picture is decoded
MAX_JPEG_PX = 1_000_000_000  # decoded row by row, and made smaller at once; not so where it is progressive
END_OF_JPEG = b"\xff\xd9"
# What Pillow's decoders raise on files that are damaged, or were made to do harm.
FAILURES = (
    *(OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, EOFError),
    *(RuntimeError, AssertionError, struct.error, zlib.error, Image.DecompressionBombError),
)
SMALLEST_PART = 0.02  # of a damaged picture's height
ALMOST_ALL = 0.99

# Pillow raises above twice this, also for pictures inside of other files (icons).
Image.MAX_IMAGE_PIXELS = MAX_PX // 2
# What is odd in a file is said by our own errors; on a user's terminal too, it is noise.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Decoded:
    """A picture as its file holds it. ``image`` may be smaller than the file's ``width_px`` x ``height_px``.

    ``source`` is what Pillow opened, with the metadata; ``kept`` is how much of the height could be decoded, 1 where all.
    """

    image: Image.Image
    source: ImageFile.ImageFile
    width_px: int
    height_px: int
    mode: str
    frames: int
    size_bytes: int
    kept: float


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading; the caller closes it. Raises EngineError."""
    values = {"file": path.name, "folder": str(path.parent)}
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise EngineError("{file} is a folder.", "Choose a picture.", **values)
        if not stat.S_ISREG(status.st_mode):  # opening a pipe or a device could wait for ever
            raise EngineError("{file} is not a file.", "Choose a picture.", **values)
        if status.st_size == 0:
            raise EngineError("{file} is empty.", "Copy it again from where it came from.", **values)
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EngineError("{file} does not exist.", "Look for it in {folder}.", **values) from error
    except PermissionError as error:
        raise EngineError(
            "You have no permission to read {file}.",
            "Change its permissions, or copy it elsewhere.",
            **values,
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def decode(path: Path, file: BinaryIO, side_px: int) -> Decoded:
    """Decode the first frame. Where the format can, it is made smaller meanwhile, never below ``side_px`` on the long side."""
    try:
        size_bytes = os.fstat(file.fileno()).st_size
        head = file.read(HEAD_BYTES)
        source = _identified(path, file, head)
        width_px, height_px, mode = *source.size, source.mode
        frames = _frames(source)
        _make_smaller(source, side_px)
        image, kept = _loaded(path, source, file, side_px)
    except MemoryError as error:
        raise no_memory(path) from error
    except OSError as error:  # the rest of Pillow's was caught where it was raised
        raise unreadable(path, error) from error
    if source.size != (width_px, height_px) and source.format == "TIFF":  # turned upright by Pillow itself
        width_px, height_px = source.size
    return Decoded(image, source, width_px, height_px, mode, frames, size_bytes, kept)


def _identified(path: Path, file: BinaryIO, head: bytes) -> ImageFile.ImageFile:
    if head[4:8] == b"ftyp":
        _register_heif()
    try:
        image = Image.open(file, formats=_known_formats())
    except Image.DecompressionBombError as error:
        if not head.startswith(b"\xff\xd8"):
            raise too_large(path, MAX_PX) from error
        image = _large_jpeg(path, file)
    except FAILURES as error:
        _raise_if_of_the_disk(error)
        raise not_opened(path, head) from error
    baseline = image.format == "JPEG" and not image.info.get("progressive")
    limit_px = MAX_JPEG_PX if baseline else MAX_PX
    if image.width * image.height > limit_px:
        raise too_large(path, limit_px)
    return image


def _large_jpeg(path: Path, file: BinaryIO) -> ImageFile.ImageFile:
    """A JPEG with more pixels than Pillow would open: it need not have them all in memory."""
    file.seek(0)
    try:
        return JpegImagePlugin.JpegImageFile(file)
    except FAILURES as error:
        _raise_if_of_the_disk(error)
        raise damaged(path) from error


@cache
def _register_heif() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener()


def _known_formats() -> list[str]:
    """The formats that this Pillow was built with, all of its plug-ins loaded."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _frames(image: ImageFile.ImageFile) -> int:
    """How many pictures are in it, with the first one still the current one."""
    try:
        return max(1, int(getattr(image, "n_frames", 1)))
    except FAILURES as error:  # a damaged later frame: the first may be whole
        _raise_if_of_the_disk(error)
        with contextlib.suppress(*FAILURES):
            image.seek(0)
        return 1


def _make_smaller(image: ImageFile.ImageFile, side_px: int) -> None:
    """Ask the decoder for a smaller picture: JPEG and JPEG 2000 can, and HEIF has small ones beside the large one."""
    scale = side_px / max(image.size)
    if scale >= 1:
        return
    if image.format == "JPEG2000":
        halvings = int(max(image.size) // side_px).bit_length() - 1
        image.reduce = min(halvings, 5)  # type: ignore[method-assign]  # the plug-in's own name for it
        return
    wanted = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    try:
        image.draft(None, wanted)  # type: ignore[arg-type]
    except FAILURES as error:
        _raise_if_of_the_disk(error)


def _loaded(
    path: Path, source: ImageFile.ImageFile, file: BinaryIO, side_px: int
) -> tuple[Image.Image, float]:
    """The decoded picture, or the part that is there of one whose file is damaged, and how much of the height that is."""
    try:
        source.load()
        return source, 1.0
    except Image.DecompressionBombError as error:  # of a picture inside of an icon
        raise too_large(path, MAX_PX) from error
    except FAILURES as error:
        _raise_if_of_the_disk(error)
        core = getattr(source, "_im", None)
        image = source._new(core) if core is not None and core.size == source.size else None
        top, bottom = _rows_there(image) if image is not None else (0, 0)
        if image is not None and bottom - top >= SMALLEST_PART * image.height:
            kept = min(ALMOST_ALL, (bottom - top) / image.height)
            return image.crop((0, top, image.width, bottom)), kept
        if source.format in ("JPEG", "MPO"):
            whole = _jpeg_with_an_end(file, side_px)
            if whole is not None:
                return whole, ALMOST_ALL  # progressive: all of it, less sharp
        raise damaged(path) from error


def _rows_there(image: Image.Image) -> tuple[int, int]:
    """From which row to which it was decoded: what was not is zero. (Some formats begin with the lowest row.)"""
    box = image.convert("I").getbbox() if image.mode.startswith("I;16") else image.getbbox(alpha_only=False)
    return (box[1], box[3]) if box else (0, 0)


def _jpeg_with_an_end(file: BinaryIO, side_px: int) -> Image.Image | None:
    """A progressive JPEG that is cut off shows nothing until its end is there: give it one."""
    file.seek(0)
    try:
        image = JpegImagePlugin.JpegImageFile(io.BytesIO(file.read() + END_OF_JPEG))
        _make_smaller(image, side_px)
        image.load()
    except FAILURES:
        return None
    extremes = image.getextrema()
    bands = extremes if isinstance(extremes[0], tuple) else (extremes,)
    return image if any(low != high for low, high in bands) else None  # type: ignore[misc]


def _raise_if_of_the_disk(error: BaseException) -> None:
    """Pillow's own OSErrors have no number; one that has is the system's."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
