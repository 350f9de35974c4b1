"""The XMP packet of a picture: reads the description out of it, and puts one in.

In: a packet as a file holds it (XML that anybody may have written), texts. Out: texts; a packet in which nothing else has
changed by a single byte. Fields: ``dc:description`` (XMP specification part 1, 8.4) and the IPTC photo metadata standard's
``AltTextAccessibility`` and ``ExtDescrAccessibility``. A packet with a document type is refused: no entity is ever expanded.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
IPTC = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
XML = "http://www.w3.org/XML/1998/namespace"
MAX_PACKET_BYTES = 16_000_000
ALT_TEXT_CHARS = 250  # what the IPTC standard advises; a longer text is an extended description

_SEPARATOR = "\n"  # between a namespace and a name: no name holds one
_DESCRIPTION = f"{DC}{_SEPARATOR}description"
_ALT = f"{IPTC}{_SEPARATOR}AltTextAccessibility"
_EXTENDED = f"{IPTC}{_SEPARATOR}ExtDescrAccessibility"
_OURS = (_DESCRIPTION, _ALT, _EXTENDED)
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*>")
_DEEPEST = 100
_BEGIN = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = b'\n<?xpacket end="w"?>'


class BadPacketError(ValueError):
    """A packet that cannot be read, so that nothing may be put into it."""


@dataclass(frozen=True)
class PacketTexts:
    """What a packet says about its picture; "" where it says nothing."""

    description: str = ""
    alt: str = ""
    extended: str = ""


def read_texts(packet: bytes) -> PacketTexts:
    """The texts of a packet. Raises BadPacketError."""
    found = _read(_as_utf8(packet)).texts
    return PacketTexts(*(_default(found.get(name, {})) for name in _OURS))


def with_description(packet: bytes | None, text: str, language: str = "") -> bytes:
    """A packet with ``text`` as the picture's description and alternative text.

    All else that ``packet`` holds stays as it is, descriptions in other languages too. ``language`` is a code such as "en".
    Raises BadPacketError where ``packet`` cannot be read.
    """
    data = _as_utf8(packet) if packet is not None else b""
    read = _read(data) if data else _Read()
    name = _ALT if len(text) <= ALT_TEXT_CHARS else _EXTENDED
    properties = _property("dc:description", text, language, read.texts.get(_DESCRIPTION, {}))
    tag = "Iptc4xmpCore:" + name.rpartition(_SEPARATOR)[2]
    properties += _property(tag, text, language, read.texts.get(name, {}))
    block = (
        f'<rdf:Description rdf:about={quoteattr(read.about)} xmlns:rdf="{RDF}" xmlns:dc="{DC}"'
        f' xmlns:Iptc4xmpCore="{IPTC}">{properties}</rdf:Description>'
    ).encode()
    if not read.rdf_end:
        return b'%s<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s">%s</rdf:RDF></x:xmpmeta>%s' % (
            _BEGIN,
            RDF.encode(),
            block,
            _END,
        )
    start, end = read.rdf_end
    if start == end:  # before the closing tag
        edits = [(start, end, block)]
    else:  # an empty element: "/>" becomes a pair
        edits = [(start, end, b">" + block + b"</" + read.rdf_tag + b">")]
    edits += [(begin, stop, b"") for begin, stop in read.obsolete]
    for begin, stop, new in sorted(edits, reverse=True):
        data = data[:begin] + new + data[stop:]
    return data


def _property(tag: str, text: str, language: str, others: dict[str, str]) -> str:
    """A text in alternative languages (rdf:Alt), the default first; ``others`` are those that were there."""
    clean = _NOT_IN_XML.sub("", text)
    items = {"x-default": clean}
    for code, other in others.items():
        same = bool(language) and code.partition("-")[0].casefold() == language.partition("-")[0].casefold()
        if code != "x-default":
            items[code] = clean if same else other
    lines = "".join(
        f"<rdf:li xml:lang={quoteattr(code)}>{escape(item)}</rdf:li>" for code, item in items.items()
    )
    return f"<{tag}><rdf:Alt>{lines}</rdf:Alt></{tag}>"


def _default(texts: dict[str, str]) -> str:
    return texts.get("x-default") or next(iter(texts.values()), "")


def _as_utf8(packet: bytes) -> bytes:
    """The packet in UTF-8, without the padding around it."""
    if len(packet) > MAX_PACKET_BYTES:
        raise BadPacketError("it is too large")
    try:
        if packet.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            packet = _DECLARATION.sub("", packet.decode("utf-16").strip("\0")).encode()
        packet = packet.strip(b"\0")
        packet.decode("utf-8")
    except UnicodeError as error:
        raise BadPacketError("it is not UTF-8") from error
    return packet.removeprefix(codecs.BOM_UTF8).strip()


@dataclass
class _Read:
    """What was found in a packet. Places are in bytes.

    ``obsolete`` are the parts that a new description replaces; ``rdf_end`` is where rdf:RDF closes (an empty range before its
    closing tag, or the "/>" of an empty element), () where there is none.
    """

    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # property -> language -> text
    obsolete: list[tuple[int, int]] = field(default_factory=list)
    rdf_end: tuple[int, int] | tuple[()] = ()
    rdf_tag: bytes = b""
    about: str = ""


def _read(data: bytes) -> _Read:
    reader = _PacketReader(data)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadPacketError("it is not whole") from error
    return reader.read


class _PacketReader:
    """Follows a packet through an expat parser, which knows at which byte each element begins."""

    def __init__(self, data: bytes) -> None:
        self.read = _Read()
        self._data = data
        self._path: list[str] = []
        self._starts: list[int] = []
        self._prefixes: dict[str, list[str]] = {}
        self._kept = 0  # properties of the rdf:Description at hand that stay
        self._cuts: list[tuple[int, int]] = []
        self._text: list[str] | None = None
        self._language = ""
        self.parser = expat.ParserCreate("utf-8", namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartNamespaceDeclHandler = self._prefix
        self.parser.EndNamespaceDeclHandler = self._end_prefix
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _doctype(self, *_rest: object) -> None:
        raise BadPacketError("it has a document type")

    def _prefix(self, prefix: str | None, uri: str) -> None:
        self._prefixes.setdefault(prefix or "", []).append(uri)

    def _end_prefix(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    @property
    def _inside(self) -> int:
        """How deep below the first rdf:RDF: 0 outside, 1 is rdf:RDF itself, 2 rdf:Description, 3 a property."""
        rdf = f"{RDF}{_SEPARATOR}RDF"
        return len(self._path) - self._path.index(rdf) if rdf in self._path else 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) == _DEEPEST:
            raise BadPacketError("it is nested too deeply")
        place = self.parser.CurrentByteIndex
        self._path.append(name)
        self._starts.append(place)
        depth = self._inside
        if depth == 2:
            self.read.about = self.read.about or attributes.get(f"{RDF}{_SEPARATOR}about", "")
            self._cuts = self._ours_among_attributes(place, attributes)
            bare = {f"{RDF}{_SEPARATOR}about", *_OURS}
            self._kept = sum(attribute not in bare for attribute in attributes)
        elif depth == 3 and name not in _OURS:
            self._kept += 1
        elif depth == 3 or (depth == 5 and self._path[-3] in _OURS):
            self._text, self._language = [], attributes.get(f"{XML}{_SEPARATOR}lang", "x-default")

    def _ours_among_attributes(self, place: int, attributes: dict[str, str]) -> list[tuple[int, int]]:
        """Where the start tag has a text of ours as an attribute; such texts are noted."""
        cuts: list[tuple[int, int]] = []
        for found in _ATTRIBUTE.finditer(self._data, place, _tag_end(self._data, place)):
            prefix, _, local = found[1].decode().rpartition(":")
            uris = self._prefixes.get(prefix) if prefix else None
            name = f"{uris[-1]}{_SEPARATOR}{local}" if uris else ""
            if name in _OURS:
                cuts.append(found.span())
                self.read.texts.setdefault(name, {})["x-default"] = attributes.get(name, "")
        return cuts

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _end(self, name: str) -> None:
        place, begin, depth = self.parser.CurrentByteIndex, self._starts.pop(), self._inside
        self._note_text(depth)
        if depth in (1, 2, 3):
            start_tag_end = _tag_end(self._data, begin)
            is_empty = self._data[start_tag_end - 2 : start_tag_end] == b"/>"
            end = start_tag_end if is_empty else _tag_end(self._data, place)
            self._close(name, depth, (begin, place, end), is_empty)
        self._path.pop()

    def _close(self, name: str, depth: int, places: tuple[int, int, int], is_empty: bool) -> None:
        """An element of interest ends. ``places`` are where it begins, where its closing tag begins, and the byte behind."""
        begin, place, end = places
        if depth == 3 and name in _OURS:
            self._cuts.append((begin, end))
        elif depth == 2:
            # A description that held nothing else goes as a whole, so that writing again and again adds nothing.
            self.read.obsolete += [(begin, end)] if self._cuts and not self._kept else self._cuts
        elif depth == 1 and not self.read.rdf_end:
            self.read.rdf_end = (end - 2, end) if is_empty else (place, place)
            self.read.rdf_tag = re.split(rb"[\s/>]", self._data[begin + 1 : end], maxsplit=1)[0]

    def _note_text(self, depth: int) -> None:
        if self._text is None or depth not in (3, 5):
            return
        text = "".join(self._text)
        owner = self._path[-1] if depth == 3 else self._path[-3]
        if depth == 5 or text.strip():
            self.read.texts.setdefault(owner, {}).setdefault(self._language, text)
        self._text = None


def _tag_end(data: bytes, place: int) -> int:
    """The byte behind the tag that begins at ``place``; a ">" within quotes is none."""
    quote = 0
    for index in range(place, len(data)):
        byte = data[index]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == 0x3E:
            return index + 1
    raise BadPacketError("it is not whole")
