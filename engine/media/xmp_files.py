"""Which files can get a description without their picture being touched, and how.

In: the bytes of a file. Out: its packet, its pieces with another packet, and a fingerprint of all that is not the packet.
What is in a file is told by its first bytes, never by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.media import xmp_jpeg, xmp_png, xmp_webp


@dataclass(frozen=True)
class XmpContainer:
    """How one kind of file holds a packet; each raises BadPacketError for a file that is not whole."""

    name: str
    read_packet: Callable[[bytes], bytes | None]
    with_packet: Callable[[bytes, bytes], list[bytes]]
    fingerprint: Callable[[bytes], bytes]


def container_of(data: bytes) -> XmpContainer | None:
    """How to handle a file, by its first bytes; None where descriptions cannot be put in safely."""
    if data.startswith(xmp_jpeg.MAGIC):
        return XmpContainer("JPEG", xmp_jpeg.read_packet, xmp_jpeg.with_packet, xmp_jpeg.fingerprint)
    if data.startswith(xmp_png.MAGIC):
        return XmpContainer("PNG", xmp_png.read_packet, xmp_png.with_packet, xmp_png.fingerprint)
    if xmp_webp.is_webp(data):
        return XmpContainer("WebP", xmp_webp.read_packet, xmp_webp.with_packet, xmp_webp.fingerprint)
    return None
