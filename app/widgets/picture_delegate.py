"""Draws the rows of the table of pictures.

In: cells of a :class:`app.widgets.picture_model.PictureOrder`, small pictures. Out: pictures; an editor for descriptions.
All rows have one height, so that a thousand of them cost nothing until they are in sight.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.image_batch_items import BatchItem
from app.image_batch_thumbnails import Thumbnails
from app.theme import colours, icon, scaled
from app.widgets.cell_editor import CellDelegate, Index
from app.widgets.picture_model import FILE, ITEM, PICTURE, STATE, SURE, TEXT

PAD_X, PAD_Y = 10, 7
PICTURE_PX = 52
MARK_PX = 3
ICON_PX = 15
_ICONS = {"waiting": "clock", "running": "eye", "stopped": "pause", "done": "check", "failed": "warning"}


def row_height() -> int:
    """Of every row."""
    return scaled(PICTURE_PX) + 2 * PAD_Y


def draw_lines(painter: QPainter, rect: QRect, text: str, middle: bool = True) -> None:
    """A text in as many lines as fit; the last one ends in an ellipsis where it does not."""
    font, metrics = painter.font(), painter.fontMetrics()
    most = max(rect.height() // metrics.lineSpacing(), 1)
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    lines: list[str] = []
    units = text.encode("utf-16-le")  # as Qt counts
    layout.beginLayout()
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(rect.width(), 1))
        if len(lines) == most - 1:
            rest = units[2 * line.textStart() :].decode("utf-16-le", "replace")
            lines.append(metrics.elidedText(rest, Qt.TextElideMode.ElideRight, rect.width()))
            break
        start, end = line.textStart(), line.textStart() + line.textLength()
        lines.append(units[2 * start : 2 * end].decode("utf-16-le", "replace").rstrip())
    layout.endLayout()
    y = rect.top() + (max(rect.height() - len(lines) * metrics.lineSpacing(), 0) // 2 if middle else 0)
    for line in lines:
        painter.drawText(QPointF(rect.left(), y + metrics.ascent()), line)
        y += metrics.lineSpacing()


class PictureDelegate(CellDelegate):
    """Pictures of all columns."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject) -> None:
        name = QCoreApplication.translate("images", "Description of the picture")
        keys = QCoreApplication.translate("images", "Enter keeps the change, Escape leaves it as it was.")
        super().__init__(parent, name, keys)
        self._thumbnails = thumbnails

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        item, state, rect = index.data(ITEM), option.state, QRect(option.rect)  # type: ignore[attr-defined]
        if not isinstance(item, BatchItem):
            return
        c = colours()
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(c.soft))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(c.border))
        inside = rect.adjusted(PAD_X, PAD_Y, -PAD_X, -PAD_Y)
        painter.setFont(option.font)  # type: ignore[attr-defined]
        painter.setPen(QColor(c.text))
        if index.column() == PICTURE:
            self._paint_picture(painter, rect.adjusted(PAD_X, PAD_Y, 0, -PAD_Y), item)
        elif index.column() == FILE:
            self._paint_file(painter, inside, item)
        elif index.column() == TEXT:
            self._paint_text(painter, rect.adjusted(PAD_X, 3, -PAD_X, -3), item)
        elif index.column() == SURE:
            painter.setFont(_small(painter.font()))
            painter.setPen(QColor(c.number if item.unsure else c.muted))
            draw_lines(painter, inside, str(index.data() or ""))
        elif index.column() == STATE:
            self._paint_state(painter, inside, item, str(index.data() or ""))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(c.accent))
            painter.drawRoundedRect(QRectF(rect).adjusted(1.5, 1.5, -1.5, -2.5), 5, 5)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRect, item: BatchItem) -> None:
        c, side = colours(), scaled(PICTURE_PX)
        place = QRectF(rect.left(), rect.top() + (rect.height() - side) / 2, side, side)
        clip = QPainterPath()
        clip.addRoundedRect(place, 6, 6)
        painter.setClipPath(clip)
        painter.fillRect(place, QColor(c.soft if not colours().dark else c.code))
        found = self._thumbnails.get(item.path)
        if found is not None and not found.isNull():
            cut = min(found.width(), found.height())
            source = QRectF((found.width() - cut) / 2, (found.height() - cut) / 2, cut, cut)
            painter.drawPixmap(place, found, source)
            return
        middle = QRectF(0, 0, side * 0.4, side * 0.4)
        middle.moveCenter(place.center())
        name = "warning" if item.state == "failed" else "images"
        icon(name, c.on_error if item.state == "failed" else c.muted).paint(painter, middle.toRect())

    @staticmethod
    def _paint_file(painter: QPainter, rect: QRect, item: BatchItem) -> None:
        metrics, small = painter.fontMetrics(), _small(painter.font())
        below = QFontMetrics(small)
        top = rect.top() + (rect.height() - metrics.lineSpacing() - below.lineSpacing()) // 2
        name = metrics.elidedText(item.path.name, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(QPointF(rect.left(), top + metrics.ascent()), name)
        painter.setFont(small)
        painter.setPen(QColor(colours().muted))
        folder = below.elidedText(item.path.parent.name, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(QPointF(rect.left(), top + metrics.lineSpacing() + below.ascent()), folder)

    @staticmethod
    def _paint_text(painter: QPainter, rect: QRect, item: BatchItem) -> None:
        c = colours()
        if item.unsure:
            mark = QRect(rect.left() - scaled(8), rect.top() + 4, scaled(MARK_PX), rect.height() - 8)
            painter.fillRect(mark, QColor(c.number))
        if not item.text:
            painter.setPen(QColor(c.muted))
        draw_lines(painter, rect, item.text or ("…" if item.state == "running" else ""))

    @staticmethod
    def _paint_state(painter: QPainter, rect: QRect, item: BatchItem, text: str) -> None:
        c, side = colours(), scaled(ICON_PX)
        bad = item.has_problem
        tint = c.on_error if bad else {"done": c.good, "running": c.accent}.get(item.state, c.muted)
        name = "warning" if bad else "pen" if item.edited and item.state == "done" else _ICONS[item.state]
        painter.setFont(_small(painter.font()))
        place = QRect(rect.left(), rect.top() + (rect.height() - side) // 2, side, side)
        icon(name, tint).paint(painter, place)
        painter.setPen(QColor(c.on_error if bad else c.muted))
        draw_lines(painter, rect.adjusted(side + 7, 0, 0, 0), text)


def _small(font: QFont) -> QFont:
    made = QFont(font)
    made.setPointSizeF(font.pointSizeF() * 0.88)
    return made
