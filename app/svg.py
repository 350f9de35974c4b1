"""Draws an SVG file into pixels of a bounded size, white where it is transparent; loads nothing but the file.

In: a path, on any thread. Out: uint8 [height, width, 3], RGB; EngineError for a file that is none.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from app.pixels import pixels_of
from engine.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_BYTES = 16_000_000
MAX_SIDE_PX = 1024  # vectors have no size of their own; this is more than any image model looks at
MAX_NODES = 200_000  # drawn nodes: <use> can name a group that names a group
_INSIDE = ("data:image/png", "data:image/jpeg", "data:image/jpg", "data:image/gif", "data:image/webp")


def draw_svg(path: Path) -> NDArray[np.uint8]:
    """The drawing, its longer side MAX_SIDE_PX."""
    renderer = QSvgRenderer(QByteArray(_harmless(path, _read(path))))
    size = renderer.viewBoxF().size() if renderer.viewBoxF().isValid() else renderer.defaultSize().toSizeF()
    if not renderer.isValid() or size.isEmpty():
        raise _broken(path)
    scale = MAX_SIDE_PX / max(size.width(), size.height())
    whole = QSize(max(round(size.width() * scale), 1), max(round(size.height() * scale), 1))
    image = QImage(whole, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    renderer.render(painter, QRectF(image.rect()))
    painter.end()
    return pixels_of(image)


def _broken(path: Path) -> EngineError:
    return EngineError(
        "{file} cannot be drawn: it is damaged or is no SVG file.",
        "Open it elsewhere and save it as PNG.",
        file=path.name,
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if data[:2] == b"\x1f\x8b":  # svgz
            unpacker = zlib.decompressobj(wbits=31)
            data = unpacker.decompress(data, MAX_BYTES + 1)
    except OSError as error:
        raise EngineError(
            "{name} cannot be read: {reason}.",
            "Check that it is there and that you may read it.",
            name=path.name,
            reason=error.strerror or type(error).__name__,
        ) from error
    except zlib.error as error:
        raise _broken(path) from error
    if len(data) > MAX_BYTES:
        raise EngineError(
            "{file} is too large: at most {limit} MB can be drawn.",
            "Save it as PNG elsewhere.",
            file=path.name,
            limit=MAX_BYTES // 1_000_000,
        )
    return data


def _harmless(path: Path, data: bytes) -> bytes:
    """The file without what it names outside of itself; EngineError where it is no drawing or would never end."""
    if b"<!ENTITY" in data:
        raise _broken(path)
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError) as error:
        raise _broken(path) from error
    if _name(root.tag) != "svg":
        raise _broken(path)
    for node in root.iter():
        for key in tuple(node.attrib):
            value = node.attrib[key].strip()
            if _name(key) != "href":
                continue
            del node.attrib[key]
            if value.startswith("#") or value.lower().startswith(_INSIDE):
                node.set("xlink:href", value)  # Qt looks for this spelling
            elif _name(node.tag) == "image":
                node.tag = "g"
    if _drawn_nodes(root) > MAX_NODES:
        raise _broken(path)
    for node in root.iter():  # names without spaces of names: Qt looks at the last part only
        node.tag = _name(node.tag)
    root.set("xmlns", "http://www.w3.org/2000/svg")
    root.set("xmlns:xlink", "http://www.w3.org/1999/xlink")
    return ElementTree.tostring(root, encoding="utf-8")


def _name(tag: object) -> str:
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def _drawn_nodes(root: ElementTree.Element) -> int:
    """How many nodes will be drawn when every <use> is followed; more than MAX_NODES where they go in a circle."""
    named = {node.get("id"): node for node in root.iter() if node.get("id")}
    counts: dict[ElementTree.Element, int] = {}
    open_nodes: set[ElementTree.Element] = set()

    def count(node: ElementTree.Element) -> int:
        if node in counts:
            return counts[node]
        if node in open_nodes or len(open_nodes) > 400:
            return MAX_NODES + 1
        open_nodes.add(node)
        total = 1 + sum(count(child) for child in node)
        if _name(node.tag) == "use":
            target = named.get(node.get("xlink:href", "")[1:])
            total += count(target) if target is not None else 0
        open_nodes.discard(node)
        counts[node] = total
        return total

    return count(root)
