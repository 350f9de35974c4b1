"""Descriptions in packets, packets in files: what is there stays, byte for byte."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from engine.media.xmp import BadPacketError, PacketTexts, read_texts, with_description
from engine.media.xmp_files import XmpContainer, container_of

EXISTING = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Other 1.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="uuid:7" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dublin="http://purl.org/dc/elements/1.1/"
    xmp:Rating="4" xmp:Note="a &gt; b&#xA;two > lines">
   <dublin:description><rdf:Alt>
     <rdf:li xml:lang="x-default">old text</rdf:li><rdf:li xml:lang="fr">un &amp; deux</rdf:li>
   </rdf:Alt></dublin:description>
   <dublin:creator><rdf:Seq><rdf:li>李 Ü</rdf:li></rdf:Seq></dublin:creator><!-- kept -->
  </rdf:Description>
  <rdf:Description rdf:about="uuid:7" xmlns:other="urn:other"><other:thing rdf:parseType="Resource"/></rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def packet_with(inner: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">{inner}</rdf:RDF></x:xmpmeta>'
    ).encode()


# Packets


def test_a_new_packet_says_the_text_as_description_and_as_alternative_text() -> None:
    text = "一只狗 & a <cat>, \"sat\" 😀 'here'"
    assert read_texts(with_description(None, text)) == PacketTexts(text, text)


def test_control_characters_and_halves_of_characters_are_left_out() -> None:
    assert read_texts(with_description(None, "a\x00b\x1b[1m\ud800c\ufffe")).description == "ab[1mc"


def test_a_long_text_is_an_extended_description() -> None:
    text = "word " * 60
    assert read_texts(with_description(None, text)) == PacketTexts(text, "", text)


def test_all_else_in_a_packet_stays_to_the_byte() -> None:
    made = with_description(EXISTING.encode(), "new", "en").decode()
    start, end = EXISTING.index("<dublin:description>"), EXISTING.index("   <dublin:creator>")
    for part in (
        EXISTING[:start],
        EXISTING[end : EXISTING.index("</rdf:RDF>")],
        "</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end",
    ):
        assert part in made
    assert "old text" not in made and '<rdf:li xml:lang="fr">un &amp; deux</rdf:li>' in made
    assert 'rdf:about="uuid:7" xmlns:rdf=' in made
    assert read_texts(made.encode()) == PacketTexts("new", "new")


def test_writing_again_adds_nothing() -> None:
    once = with_description(EXISTING.encode(), "one", "en")
    assert with_description(once, "one", "en") == once
    assert with_description(with_description(once, "two"), "one", "en") == once
    assert len(with_description(with_description(None, "x" * 300), "y")) == len(with_description(None, "y"))


def test_the_text_of_the_same_language_is_replaced_and_of_others_kept() -> None:
    packet = packet_with(
        '<rdf:Description rdf:about=""><dc:description><rdf:Alt><rdf:li xml:lang="en-GB">colour</rdf:li>'
        '<rdf:li xml:lang="zh-CN">颜色</rdf:li></rdf:Alt></dc:description></rdf:Description>'
    )
    assert read_texts(packet).description == "colour"
    made = with_description(packet, "狗", "zh").decode()
    assert '"x-default">狗<' in made and '"en-GB">colour<' in made and '"zh-CN">狗<' in made


def test_odd_but_allowed_packets() -> None:
    as_attribute = packet_with('<rdf:Description rdf:about="" dc:description="old" dc:title="t > u"/>')
    assert read_texts(as_attribute).description == "old"
    made = with_description(as_attribute, "new")
    assert b"old" not in made and b'dc:title="t > u"' in made and read_texts(made).description == "new"
    as_text = packet_with("<rdf:Description><dc:description>plain</dc:description></rdf:Description>")
    assert read_texts(as_text).description == "plain"
    assert read_texts(with_description(as_text, "new")).description == "new"
    for packet in (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>',
        packet_with(""),
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        b"\0\0  " + EXISTING.encode() + b"\n" * 2000 + b"\0",
        EXISTING.removeprefix('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n').encode("utf-16"),
    ):
        assert read_texts(with_description(packet, "new")).description == "new"


@pytest.mark.parametrize(
    "packet",
    [
        b"not xml",
        b"<a>",
        b"<a></b>",
        EXISTING.encode()[:300],
        EXISTING.encode("latin-1", "replace").replace(b"?", b"\xff"),
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>',
        b"<a>" * 100_000,
        b"<a><b" + b' x="y' * 10,
    ],
)
def test_a_packet_that_cannot_be_read_is_refused(packet: bytes) -> None:
    with pytest.raises(BadPacketError):
        with_description(packet, "text")
    with pytest.raises(BadPacketError):
        read_texts(packet)


# Files


def picture(mode: str = "RGB", size: tuple[int, int] = (37, 23)) -> Image.Image:
    made = Image.radial_gradient("L").resize(size).convert(mode)
    ImageDraw.Draw(made).line(
        (0, 0, *size), fill=9 if mode in ("L", "P") else tuple([90] * len(made.getbands())), width=3
    )
    return made


def saved(format: str, mode: str = "RGB", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture(mode).save(buffer, format, **options)
    return buffer.getvalue()


def exif() -> bytes:
    made = Image.Exif()
    made[0x0112] = 6
    made[0x010F] = "Maker"
    return made.tobytes()


def frames(format: str) -> bytes:
    buffer = io.BytesIO()
    others = [picture().rotate(angle) for angle in (90, 180)]
    picture().save(buffer, format, save_all=True, append_images=others, duration=50)
    return buffer.getvalue()


FILES = {
    "jpeg": saved("JPEG"),
    "jpeg progressive": saved("JPEG", progressive=True, quality=95, subsampling=0),
    "jpeg cmyk": saved("JPEG", "CMYK"),
    "jpeg grey": saved("JPEG", "L"),
    "jpeg exif": saved("JPEG", exif=exif(), comment=b"said", icc_profile=b"profile" * 20_000),
    "jpeg xmp": saved("JPEG", xmp=EXISTING.encode(), exif=exif()),
    "jpeg and more": saved("JPEG") + b"behind the end",
    "jpegs": frames("MPO"),
    "png": saved("PNG"),
    "png palette": saved("PNG", "P", transparency=0),
    "png 16": saved("PNG", "I;16"),
    "png exif": saved("PNG", "RGBA", exif=exif(), dpi=(72, 72)),
    "apng": frames("PNG"),
    "webp": saved("WEBP"),
    "webp lossless": saved("WEBP", "RGBA", lossless=True),
    "webp lossless opaque": saved("WEBP", lossless=True),
    "webp alpha": saved("WEBP", "RGBA"),
    "webp exif": saved("WEBP", exif=exif(), icc_profile=b"profile"),
    "webp xmp": saved("WEBP", xmp=EXISTING.encode()),
    "webps": frames("WEBP"),
}


def container(data: bytes) -> XmpContainer:
    found = container_of(data)
    assert found is not None
    return found


def decoded(data: bytes) -> list[str]:
    """A hash of each frame, with what is said about it."""
    hashes: list[str] = []
    with Image.open(io.BytesIO(data)) as opened:
        for frame in range(getattr(opened, "n_frames", 1)):
            opened.seek(frame)
            digest = hashlib.sha256(opened.tobytes()).hexdigest()
            hashes.append(
                f"{opened.mode} {opened.size} {digest} {dict(opened.getexif())} {opened.info.get('icc_profile')}"
            )
    return hashes


@pytest.mark.parametrize("name", FILES)
def test_a_file_gets_its_packet_and_its_picture_stays(name: str) -> None:
    data = FILES[name]
    kind = container(data)
    old = kind.read_packet(data)
    assert (old is not None) == ("xmp" in name)
    packet = with_description(old, "一只狗 on grass")
    made = b"".join(kind.with_packet(data, packet))
    assert kind.read_packet(made) == packet
    assert kind.fingerprint(made) == kind.fingerprint(data)
    assert decoded(made) == decoded(data)
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.info["xmp"] == packet
    longer = with_description(packet, "another text, longer than the first one")
    again = b"".join(kind.with_packet(made, longer))
    assert kind.read_packet(again) == longer and decoded(again) == decoded(data)
    assert b"".join(kind.with_packet(again, packet)) == made


@pytest.mark.parametrize("name", [name for name in FILES if "jpeg" in name])
def test_the_coded_bytes_of_a_jpeg_are_the_same(name: str) -> None:
    data = FILES[name]
    made = b"".join(container(data).with_packet(data, with_description(None, "text")))
    start = data.index(b"\xff\xda")
    assert made.endswith(data[start:]) and made[: made.index(b"http://ns.adobe.com")].startswith(
        b"\xff\xd8\xff"
    )


def test_the_data_chunks_of_a_png_and_a_webp_are_the_same() -> None:
    data = FILES["png exif"]
    made = b"".join(container(data).with_packet(data, b"packet"))
    assert made.endswith(data[33:]) and made.startswith(data[:33])
    data = FILES["webp"]
    made = b"".join(container(data).with_packet(data, b"packet"))
    assert data[12:] in made and made[8:16] == b"WEBPVP8X" and made[20] == 0x04
    assert struct.unpack_from("<I", made, 4)[0] == len(made) - 8


def test_pictures_behind_the_first_are_found_wherever_the_packet_stands() -> None:
    data = FILES["jpegs"]
    index = data.index(b"MPF\0") - 4
    end = index + 2 + struct.unpack_from(">H", data, index + 2)[0]
    old = b"http://ns.adobe.com/xap/1.0/\0" + EXISTING.encode()
    behind = data[:end] + b"\xff\xe1" + struct.pack(">H", len(old) + 2) + old + data[end:]
    behind = b"".join(container(behind).with_packet(behind, EXISTING.encode()))
    # Pillow counts from the index, and so finds the pictures only after the offsets were moved.
    made = b"".join(container(behind).with_packet(behind, with_description(EXISTING.encode(), "x" * 5000)))
    assert container(made).read_packet(made) != EXISTING.encode()
    with Image.open(io.BytesIO(made)) as opened:
        sizes = opened.mpinfo[0xB002]  # type: ignore[attr-defined]
    assert sizes[0]["Size"] > len(EXISTING) and len(sizes) == 3


def test_a_packed_packet_of_a_png_is_read() -> None:
    data = FILES["png"]
    body = b"iTXtXML:com.adobe.xmp\0\1\0en\0key\0" + zlib.compress(EXISTING.encode())
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = data[:33] + chunk + data[33:]
    assert container(data).read_packet(data) == EXISTING.encode()
    bomb = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(20_000_000))
    data = (
        data[:33] + struct.pack(">I", len(bomb) - 4) + bomb + struct.pack(">I", zlib.crc32(bomb)) + data[33:]
    )
    with pytest.raises(BadPacketError):
        container(data).read_packet(data)


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "AVIF"])
def test_other_kinds_of_files_are_left_alone(format: str) -> None:
    assert container_of(saved(format)) is None
    assert container_of(b"") is None and container_of(b"RIFF") is None


@pytest.mark.parametrize("name", ["jpeg exif", "jpegs", "png exif", "webp", "webp exif"])
def test_damaged_files_are_refused_or_kept_whole_and_nothing_else(name: str) -> None:
    data = FILES[name]
    step = max(1, len(data) // 150)
    for length in range(len(data) - 1, 12, -step):
        for damaged in (data[:length], data[:length] + b"\xff" + data[length + 1 :]):
            kind = container_of(damaged)
            if kind is None:
                continue
            try:
                made = b"".join(kind.with_packet(damaged, b"packet"))
                assert kind.read_packet(made) == b"packet"
                assert kind.fingerprint(made) == kind.fingerprint(damaged)
            except BadPacketError:
                pass


def test_a_packet_that_does_not_fit_a_jpeg_is_refused() -> None:
    with pytest.raises(BadPacketError):
        container(FILES["jpeg"]).with_packet(FILES["jpeg"], b" " * 65_600)
