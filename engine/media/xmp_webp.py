"""The XMP packet in a WebP file: the WebP container specification.

In: the bytes of a file. Out: its packet; the pieces of the same file with another packet, all other chunks as they were. A
file of the simple layout gets the header of the extended one, which alone may have a packet.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from engine.media.xmp import BadPacketError

_HAS_XMP, _HAS_ALPHA = 0x04, 0x10
_PACKET = b"XMP "


@dataclass(frozen=True)
class _Chunk:
    start: int
    end: int  # with its padding
    length: int
    kind: bytes


def is_webp(data: bytes) -> bool:
    """Whether a file begins as WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_packet(data: bytes) -> bytes | None:
    """The packet; None where there is none. Raises BadPacketError where the file is no whole WebP."""
    for chunk in _chunks(data):
        if chunk.kind == _PACKET:
            return data[chunk.start + 8 : chunk.start + 8 + chunk.length]
    return None


def with_packet(data: bytes, packet: bytes) -> list[bytes]:
    """The pieces of the file with ``packet`` in the place of the one it has, else at its end. Raises BadPacketError."""
    chunks = list(_chunks(data))
    header = _header(data, chunks[0])
    parts = [header]
    new = _PACKET + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    placed = False
    for chunk in chunks[chunks[0].kind == b"VP8X" :]:
        if chunk.kind != _PACKET:
            parts.append(data[chunk.start : chunk.end])
        elif not placed:
            parts.append(new)
            placed = True
    if not placed:
        parts.append(new)
    size = 4 + sum(map(len, parts))
    if size > 0xFFFF_FFFE:
        raise BadPacketError("it is too large")
    return [b"RIFF" + struct.pack("<I", size) + b"WEBP", *parts, data[chunks[-1].end :]]


def fingerprint(data: bytes) -> bytes:
    """Of all chunks but the packet and the header that says that there is one. Raises BadPacketError."""
    digest = hashlib.sha256()
    end = 0
    for chunk in _chunks(data):
        if chunk.kind not in (_PACKET, b"VP8X"):
            digest.update(memoryview(data)[chunk.start : chunk.end])
        end = chunk.end
    digest.update(memoryview(data)[end:])
    return digest.digest()


def _chunks(data: bytes) -> Iterator[_Chunk]:
    (size,) = struct.unpack_from("<I", data, 4)
    whole, place = 8 + size, 12
    if whole > len(data) or whole < 20:
        raise BadPacketError("it is not whole")
    while place < whole:
        if place + 8 > whole:
            raise BadPacketError("it is not whole")
        (length,) = struct.unpack_from("<I", data, place + 4)
        end = place + 8 + length + length % 2
        if end > whole:
            raise BadPacketError("it is not whole")
        yield _Chunk(place, end, length, data[place : place + 4])
        place = end


def _header(data: bytes, first: _Chunk) -> bytes:
    """The extended header, saying that there is a packet."""
    body = data[first.start + 8 : first.end]
    if first.kind == b"VP8X":
        if len(body) < 10:
            raise BadPacketError("it is not whole")
        header = bytearray(data[first.start : first.end])
        header[8] |= _HAS_XMP
        return bytes(header)
    if first.kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a" and len(body) >= 10:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        flags = _HAS_XMP
    elif first.kind == b"VP8L" and body[:1] == b"\x2f" and len(body) >= 5:
        (bits,) = struct.unpack_from("<I", body, 1)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _HAS_XMP | (_HAS_ALPHA if bits >> 28 & 1 else 0)
    else:
        raise BadPacketError("it is not whole")
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<I", 10) + bytes((flags, 0, 0, 0)) + canvas
