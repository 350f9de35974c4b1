"""When, where and with what a picture was taken, from its EXIF, IPTC and XMP.

In: an image that Pillow opened. Out: plain values; whatever is missing, broken or impossible is left out, and nothing raises.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from datetime import datetime

from PIL import ExifTags, Image, IptcImagePlugin

from engine.media.image_open import FAILURES

IPTC_CITY, IPTC_COUNTRY = (2, 90), (2, 101)
XMP_BYTES = 300_000
NAME_CHARACTERS = 80
_XMP_CITY = re.compile(r"photoshop:City(?:=\"([^\"]*)\"|>([^<]*)<)")
_XMP_COUNTRY = re.compile(r"photoshop:Country(?:=\"([^\"]*)\"|>([^<]*)<)")


@dataclass(frozen=True)
class Metadata:
    """``taken`` like "2024-05-03 14:22:10"; ``place`` like "Paris, France"; degrees north and east; "" or None if unknown.

    ``orientation`` is EXIF's: 1 is upright, 2 to 8 are the ways in which the pixels lie.
    """

    taken: str = ""
    camera: str = ""
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    orientation: int = 1


def read_metadata(image: Image.Image) -> Metadata:
    """What the picture's file says of itself."""
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        details = dict(exif.get_ifd(ExifTags.IFD.Exif))
        gps = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
        values = dict(exif)
    except FAILURES:
        orientation, details, gps, values = 1, {}, {}, {}
    latitude, longitude = _position(gps)
    return Metadata(
        taken=_taken(values, details),
        camera=_camera(values),
        place=_place(image),
        latitude=latitude,
        longitude=longitude,
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
    )


def _text(value: object) -> str:
    """One clean short line of what a file says."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    line = "".join(character if character.isprintable() else " " for character in value.split("\0")[0])
    return " ".join(line.split())[:NAME_CHARACTERS]


def _taken(values: dict[int, object], details: dict[int, object]) -> str:
    candidates = (
        details.get(ExifTags.Base.DateTimeOriginal),
        details.get(ExifTags.Base.DateTimeDigitized),
        values.get(ExifTags.Base.DateTimeOriginal),
        values.get(ExifTags.Base.DateTime),
    )
    for candidate in candidates:
        try:
            moment = datetime.strptime(_text(candidate)[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue
        if moment.year > 1800:
            return moment.strftime("%Y-%m-%d %H:%M:%S")
    return ""


def _camera(values: dict[int, object]) -> str:
    make, model = _text(values.get(ExifTags.Base.Make)), _text(values.get(ExifTags.Base.Model))
    first = make.split(" ")[0].lower()
    return model if first and model.lower().startswith(first) else f"{make} {model}".strip()


def _position(gps: dict[int, object]) -> tuple[float | None, float | None]:
    north = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    east = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if (
        north is None or east is None or (north == 0 and east == 0)
    ):  # 0, 0 is what devices write that do not know
        return None, None
    return north, east


def _degrees(value: object, side: object, negative: str, largest: float) -> float | None:
    if not isinstance(value, (tuple, list)) or not 1 <= len(value) <= 3:
        return None
    try:
        parts = [float(part) for part in value]
    except (TypeError, ValueError, ArithmeticError):
        return None
    degrees = sum(part / 60**power for power, part in enumerate(parts))
    if not math.isfinite(degrees) or not 0 <= degrees <= largest:
        return None
    return -degrees if _text(side).upper().startswith(negative) else degrees


def _place(image: Image.Image) -> str:
    city, country = _xmp_names(image)
    if not (city or country):
        try:
            iptc = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
        except FAILURES:
            iptc = {}
        city, country = _first(iptc.get(IPTC_CITY)), _first(iptc.get(IPTC_COUNTRY))
    return ", ".join(part for part in (city, country) if part)


def _first(value: object) -> str:
    return _text(value[0] if isinstance(value, list) and value else value)


def _xmp_names(image: Image.Image) -> tuple[str, str]:
    """City and country. Read as text, not as XML: what a stranger's XML may unfold to is not worth two words."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    text = xmp[:XMP_BYTES] if isinstance(xmp, str) else bytes(xmp[:XMP_BYTES]).decode("utf-8", "replace")
    names = []
    for pattern in (_XMP_CITY, _XMP_COUNTRY):
        found = pattern.search(text)
        names.append(_text(html.unescape(found.group(1) or found.group(2) or "")) if found else "")
    return names[0], names[1]
