"""The XMP packet in a PNG file: XMP specification part 3, 1.1.5; chunks as in the PNG specification, 5.3 and 11.3.3.4.

In: the bytes of a file. Out: its packet; the pieces of the same file with another packet, all other chunks as they were.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from engine.media.xmp import MAX_PACKET_BYTES, BadPacketError

MAGIC = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"


@dataclass(frozen=True)
class _Chunk:
    start: int
    end: int
    kind: bytes
    is_packet: bool


def read_packet(data: bytes) -> bytes | None:
    """The packet; None where there is none. Raises BadPacketError where the file is no whole PNG."""
    for chunk in _chunks(data):
        if chunk.is_packet:
            return _unpacked(data[chunk.start + 8 + len(_KEYWORD) : chunk.end - 4])
    return None


def with_packet(data: bytes, packet: bytes) -> list[bytes]:
    """The pieces of the file with ``packet`` in the place of the one it has, else behind its header."""
    chunks = list(_chunks(data))
    old = [chunk for chunk in chunks if chunk.is_packet]
    place = old[0].start if old else chunks[0].end
    body = b"iTXt" + _KEYWORD + b"\0\0\0\0" + packet  # not compressed, no language, no translated keyword
    new = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    pieces, done = [data[:place], new], place
    for chunk in old:
        pieces.append(data[done : chunk.start])
        done = chunk.end
    pieces.append(data[done:])
    return pieces


def fingerprint(data: bytes) -> bytes:
    """Of all bytes but the packet. Raises BadPacketError."""
    digest, done = hashlib.sha256(), 0
    for chunk in _chunks(data):
        if chunk.is_packet:
            digest.update(data[done : chunk.start])
            done = chunk.end
    digest.update(memoryview(data)[done:])
    return digest.digest()


def _chunks(data: bytes) -> Iterator[_Chunk]:
    place = len(MAGIC)
    while True:
        if len(data) < place + 12:
            raise BadPacketError("it is not whole")
        (length,) = struct.unpack_from(">I", data, place)
        kind, end = data[place + 4 : place + 8], place + 12 + length
        if end > len(data) or (place == len(MAGIC)) != (kind == b"IHDR"):
            raise BadPacketError("it is not whole")
        yield _Chunk(place, end, kind, kind == b"iTXt" and data.startswith(_KEYWORD, place + 8))
        if kind == b"IEND":
            return
        place = end


def _unpacked(body: bytes) -> bytes:
    """The text of an iTXt chunk, behind its keyword."""
    compressed, method = body[:1], body[1:2]
    _language, _, rest = body[2:].partition(b"\0")
    _translated, separator, text = rest.partition(b"\0")
    if not separator or compressed not in (b"\0", b"\1") or method != b"\0":
        raise BadPacketError("it is not whole")
    if compressed == b"\0":
        return text
    unpacker = zlib.decompressobj()
    try:
        made = unpacker.decompress(text, MAX_PACKET_BYTES)
    except zlib.error as error:
        raise BadPacketError("it is not whole") from error
    if not unpacker.eof:
        raise BadPacketError("it is too large")
    return made
