"""What to say of a file that cannot be opened as a picture.

In: the path, and the first bytes of the file. Out: one EngineError that names what the file is, where that is easy to see.
"""

from __future__ import annotations

import re
from pathlib import Path

from engine.errors import EngineError

HEAD_BYTES = 2048
# What files of pictures begin with: such a file is a picture that is damaged, not something else.
_PICTURES = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    *(b"8BPS", b"DDS ", b"qoif", b"\x00\x00\x01\x00", b"\x00\x00\x02\x00", b"icns", b"\x01\xda", b"BLP"),
    *(b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51", b"#define", b"/* XPM", b"P4", b"P5", b"P6", b"SIMPLE"),
)
_PICTURE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_VIDEO = (
    *(b"\x1aE\xdf\xa3", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"\xff\xf3", b"FLV\x01", b"\x00\x00\x01\xba"),
    *(b"\x00\x00\x01\xb3", b"0&\xb2u\x8ef\xcf\x11"),
)
_RIFF_VIDEO = (b"AVI ", b"WAVE")
_DRAWINGS = (b"%!PS", b"%!Adobe", b"\xc5\xd0\xd3\xc6", b"\xd7\xcd\xc6\x9a", b"\x01\x00\x09\x00")
_JXL = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
_SVG = re.compile(rb"<(\w+:)?svg[\s>]", re.IGNORECASE)


def not_opened(path: Path, head: bytes) -> EngineError:
    """Why Pillow found no picture in a file that begins with ``head``."""
    known = _other_picture(path, head) or _other_file(path.name, head)
    if known is not None:
        return known
    if (
        head.startswith(_PICTURES)
        or head[4:12] in [b"ftyp" + brand for brand in _PICTURE_BRANDS]
        or _is_webp(head)
    ):
        return damaged(path)
    return EngineError(
        "{file} is not a picture, or it is damaged.",
        "Look at it in another program, and save it as JPEG or PNG there.",
        file=path.name,
    )


def damaged(path: Path) -> EngineError:
    """It is a picture by its beginning, and no part of it can be decoded."""
    return EngineError(
        "{file} is damaged, or a picture of a rare kind: no part of it can be read.",
        "Copy it again from where it came from, or save it as JPEG or PNG in another program.",
        file=path.name,
    )


def unreadable(path: Path, error: Exception) -> EngineError:
    """The disk, or what stands for one, does not give the file."""
    return EngineError(
        "{file} cannot be read: {reason}.",
        "Copy it to another place and try that.",
        file=path.name,
        reason=getattr(error, "strerror", None) or str(error) or type(error).__name__,
    )


def too_large(path: Path, limit_px: int) -> EngineError:
    """It says that it has more pixels than fit into memory; many such files are made to do harm."""
    return EngineError(
        "{file} has more than the {limit} megapixels that can be opened.",
        "Make it smaller in another program first.",
        file=path.name,
        limit=limit_px // 1_000_000,
    )


def svg(path: Path) -> EngineError:
    """A drawing that only the app's window can paint."""
    return EngineError(
        "{file} is an SVG drawing, which only the app can open.",
        "Drop it on the app's window, or save it as PNG.",
        file=path.name,
    )


def no_memory(path: Path) -> EngineError:
    """The machine has not the memory that the pixels need."""
    return EngineError(
        "There is not enough memory to open {file}.",
        "Close other programs, or make the picture smaller.",
        file=path.name,
    )


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _other_picture(path: Path, head: bytes) -> EngineError | None:
    """A picture or drawing that Pillow does not decode by itself."""
    name = path.name
    if _SVG.search(head) or (path.suffix.lower() == ".svgz" and head.startswith(b"\x1f\x8b")):
        return svg(path)
    if head.startswith(_JXL):
        return EngineError(
            "{file} is a JPEG XL picture, which cannot be opened here.", "Save it as JPEG or PNG.", file=name
        )
    if head.startswith(_DRAWINGS) or head[40:44] == b" EMF":
        return EngineError(
            "{file} is a drawing (PostScript or Windows metafile) that needs another program to be painted.",
            "Save it as PNG in the program that made it.",
            file=name,
        )
    return None


def _other_file(name: str, head: bytes) -> EngineError | None:
    if head.lstrip().startswith(b"%PDF"):
        return EngineError(
            "{file} is a PDF document, not a picture.",
            "Save its pages as pictures, or choose a picture.",
            file=name,
        )
    is_film = head[4:8] == b"ftyp" and head[8:12] not in _PICTURE_BRANDS
    if is_film or head.startswith(_VIDEO) or (head[:4] == b"RIFF" and head[8:12] in _RIFF_VIDEO):
        return EngineError("{file} is sound or video, not a picture.", "Open it under Speech.", file=name)
    if head.startswith(b"PK\x03\x04"):
        return EngineError(
            "{file} is an archive or an office document, not a picture.",
            "Take the pictures out of it and open those.",
            file=name,
        )
    if _is_text(head):
        return EngineError("{file} is text, not a picture.", "Choose a picture.", file=name)
    return None


def _is_text(head: bytes) -> bool:
    if head.startswith(_PICTURES) or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return bool(head) and error.start > len(head) - 4  # the last character is cut in two
    return bool(head)
