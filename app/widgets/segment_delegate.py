"""Draws the rows of a transcript, and edits their text in place.

In: rows of a :class:`app.widgets.segment_model.SegmentModel`. Out: pictures, heights, an editor whose Enter keeps the
change and whose Escape does not. What the model doubts has a soft mark, what is searched for a ground.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from app.speech_text import DOUBTFUL, DOUBTFUL_WORD
from app.theme import colours, scaled
from app.widgets.cell_editor import CellDelegate, Index
from app.widgets.segment_model import TIME, SegmentModel

PAD_X, PAD_Y, LINE_GAP = 10, 6, 3
MARK_PX = 3


def laid_out(text: str, font: QFont, width_px: int, formats: list[QTextLayout.FormatRange]) -> QTextLayout:
    """A text broken into lines."""
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    if formats:
        layout.setFormats(formats)
    layout.beginLayout()
    y = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(width_px, 1))
        line.setPosition(QPointF(0, y))
        y += line.height() + LINE_GAP
    layout.endLayout()
    return layout


def text_height(text: str, font: QFont, width_px: int) -> int:
    """How high a cell with this text is."""
    layout = laid_out(text or " ", font, width_px - 2 * PAD_X, [])
    last = layout.lineAt(layout.lineCount() - 1)
    return round(last.y() + last.height()) + 2 * PAD_Y


class SegmentDelegate(CellDelegate):
    """Pictures and the editor of both columns."""

    def __init__(self, parent: QObject) -> None:
        name = QCoreApplication.translate("SegmentDelegate", "Text of this line")
        keys = QCoreApplication.translate(
            "SegmentDelegate", "Enter keeps the change, Escape leaves it as it was."
        )
        super().__init__(parent, name, keys)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """One cell."""
        model = index.model()
        assert isinstance(model, SegmentModel)
        c, row, rect = colours(), index.row(), option.rect  # type: ignore[attr-defined]
        state, font = option.state, option.font  # type: ignore[attr-defined]
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(c.soft))
        if row == model.heard:
            painter.fillRect(rect, QColor(c.bubble))
        if index.column() == TIME:
            self._paint_time(painter, rect, font, model, row)
        else:
            self._paint_text(painter, rect, font, model, row)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(c.accent))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def _paint_time(self, painter: QPainter, rect: QRect, font: QFont, model: SegmentModel, row: int) -> None:
        c = colours()
        painter.setFont(font)
        painter.setPen(QColor(c.muted if model.is_live(row) else c.accent))
        where = rect.adjusted(PAD_X, PAD_Y, -PAD_X, 0)
        painter.drawText(
            where, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop), model.index(row, TIME).data()
        )

    def _paint_text(self, painter: QPainter, rect: QRect, font: QFont, model: SegmentModel, row: int) -> None:
        c, text = colours(), model.text_at(row)
        if model.is_live(row):
            font = QFont(font)
            font.setItalic(True)
        elif model.segments[row].confidence < DOUBTFUL:
            mark = QRect(rect.left() + 1, rect.top() + PAD_Y, scaled(MARK_PX), rect.height() - 2 * PAD_Y)
            painter.fillRect(mark, QColor(c.number))
        layout = laid_out(text, font, rect.width() - 2 * PAD_X, self._formats(model, row, text))
        painter.setPen(QColor(c.muted if model.is_live(row) else c.text))
        layout.draw(painter, QPointF(rect.left() + PAD_X, rect.top() + PAD_Y))

    @staticmethod
    def _formats(model: SegmentModel, row: int, text: str) -> list[QTextLayout.FormatRange]:
        """Doubtful words have dots below; what is searched for has a ground."""
        made: list[QTextLayout.FormatRange] = []
        c = colours()

        def add(start: int, length: int, form: QTextCharFormat) -> None:
            item = QTextLayout.FormatRange()
            item.start, item.length, item.format = (
                _utf16(text[:start]),
                _utf16(text[start : start + length]),
                form,
            )
            made.append(item)

        if not model.is_live(row):
            at = 0
            for word in model.segments[row].words:
                bare = word.text.strip()
                place = text.find(bare, at) if bare else -1
                if place < 0:
                    continue
                at = place + len(bare)
                if word.confidence < DOUBTFUL_WORD:
                    form = QTextCharFormat()
                    form.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
                    form.setUnderlineColor(QColor(c.number))
                    add(place, len(bare), form)
        if model.needle:
            folded, at = text.casefold(), 0
            while len(folded) == len(text) and (at := folded.find(model.needle, at)) >= 0:
                form = QTextCharFormat()
                form.setBackground(QColor(c.warn))
                form.setForeground(QColor(c.on_warn))
                add(at, len(model.needle), form)
                at += len(model.needle)
        return made

    def column_width(self, font: QFont, longest: str) -> int:
        """Width of the times."""
        return QFontMetrics(font).horizontalAdvance(longest) + 2 * PAD_X


def _utf16(text: str) -> int:
    """Length as Qt counts it."""
    return len(text.encode("utf-16-le")) // 2
