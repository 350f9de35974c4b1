"""The XMP packet in a JPEG file: XMP specification part 3, 1.1.3.

In: the bytes of a file. Out: its packet; the pieces of the same file with another packet, in which all other bytes stay
where they were in order: tables, the coded picture, what follows it. Only the sizes and offsets of a multi-picture index
(CIPA DC-007) are moved along, since other pictures may lie behind the first one.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from engine.media.xmp import BadPacketError

MAGIC = b"\xff\xd8\xff"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF = b"Exif\0\0"
_MULTI = b"MPF\0"
_LONGEST_BYTES = 65_533  # of what a segment holds
_MP_ENTRIES = 0xB002


@dataclass(frozen=True)
class _Segment:
    start: int  # at its 0xFF
    end: int
    marker: int
    kind: bytes  # the name at its beginning


def read_packet(data: bytes) -> bytes | None:
    """The packet; None where there is none. Raises BadPacketError where the file is no whole JPEG."""
    for segment in _segments(data):
        if segment.kind == _XMP:
            return data[segment.start + 4 + len(_XMP) : segment.end]
    return None


def with_packet(data: bytes, packet: bytes) -> list[bytes]:
    """The pieces of the file with ``packet`` in the place of the one it has. Raises BadPacketError."""
    if len(_XMP) + len(packet) > _LONGEST_BYTES:
        raise BadPacketError("there is no room for more text in it")
    segments = list(_segments(data))
    old = next((segment for segment in segments if segment.kind == _XMP), None)
    if old is None:
        # Behind JFIF and Exif, which want to be first, and before a multi-picture index, which counts from itself on.
        place = 2
        for segment in segments:
            if not (segment.marker == 0xE0 or segment.kind == _EXIF):
                break
            place = segment.end
        old = _Segment(place, place, 0xE1, _XMP)
    new = b"\xff\xe1" + struct.pack(">H", 2 + len(_XMP) + len(packet)) + _XMP + packet
    longer = len(new) - (old.end - old.start)
    edits = [(old.start, old.end, new)]
    for segment in segments:
        if segment.kind == _MULTI:
            moves = 0 if segment.start >= old.start else longer  # it counts from itself on
            edits.append(
                (segment.start, segment.end, _moved(data[segment.start : segment.end], longer, moves))
            )
    pieces: list[bytes] = []
    done = 0
    for start, end, piece in sorted(edits):
        pieces += [data[done:start], piece]
        done = end
    pieces.append(data[done:])
    return pieces


def fingerprint(data: bytes) -> bytes:
    """Of all bytes but the packet and a multi-picture index. Raises BadPacketError."""
    digest, done = hashlib.sha256(), 0
    for segment in _segments(data):
        if segment.kind in (_XMP, _MULTI):
            digest.update(data[done : segment.start])
            done = segment.end
    digest.update(memoryview(data)[done:])
    return digest.digest()


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments before the coded picture."""
    place = 2
    while True:
        while data[place : place + 2] == b"\xff\xff":  # fill bytes
            place += 1
        head = data[place : place + 4]
        if len(head) < 4 or head[0] != 0xFF:
            raise BadPacketError("it is not whole")
        marker = head[1]
        if marker == 0xDA:
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:
            raise BadPacketError("it is not whole")
        end = place + 2 + struct.unpack(">H", head[2:])[0]
        if end > len(data) or end < place + 4:
            raise BadPacketError("it is not whole")
        body = data[place + 4 : min(end, place + 4 + len(_XMP))]
        known = (_XMP, _EXIF) if marker == 0xE1 else (_MULTI,) if marker == 0xE2 else ()
        yield _Segment(place, end, marker, next(filter(body.startswith, known), b""))
        place = end


def _moved(segment: bytes, longer: int, moves: int) -> bytes:
    """A multi-picture index after ``longer`` more bytes: the first picture has grown, the others lie ``moves`` further on.

    An index that cannot be understood stays as it is: the picture itself does not depend on it.
    """
    head = 4 + len(_MULTI)
    order = {b"II": "<", b"MM": ">"}.get(segment[head : head + 2], "")
    made = bytearray(segment)
    try:
        if not order:
            return segment
        (at,) = struct.unpack_from(order + "I", segment, head + 4)
        (count,) = struct.unpack_from(order + "H", segment, head + at)
        for entry in range(min(count, 64)):
            tag, _, size, where = struct.unpack_from(order + "HHII", segment, head + at + 2 + 12 * entry)
            if tag != _MP_ENTRIES:
                continue
            for number in range(size // 16):
                place = head + where + 16 * number + 4
                length, offset = struct.unpack_from(order + "II", segment, place)
                if number == 0:
                    length += longer
                elif offset:
                    offset += moves
                struct.pack_into(order + "II", made, place, length, offset)
    except struct.error:
        return segment
    return bytes(made)
