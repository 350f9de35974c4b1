"""What was found in a picture beside its description: subjects, text, colours, what the file says of itself.

In: findings and the language of their names. Out: ``box_wanted`` with the box of the line of text that is pointed at, or None.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QGuiApplication, QMouseEvent, QPainter, QPen, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from app.image_text import colour_name, facts, read_text, subject_name
from app.theme import colours, scaled
from app.widgets.basics import clear, label, tool_button
from app.widgets.flow import FlowBox
from engine.results import Colour, Findings, Subject, TextLine

MOST_LINES = 8
FOUND_FROM = 0.02  # a subject less likely than this is noise


def _section(text: str) -> QLabel:
    made = label(text, "section")
    made.setIndent(0)
    return made


class ShareBar(QWidget):
    """A bar that is filled by a share."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share
        self.setFixedHeight(scaled(6))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def paintEvent(self, _event) -> None:
        """Ground and filling."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole, radius = QRectF(self.rect()), self.height() / 2
        painter.setBrush(QColor(colours().soft))
        painter.drawRoundedRect(whole, radius, radius)
        whole.setWidth(max(whole.width() * min(self._share, 1.0), self.height()))
        painter.setBrush(QColor(colours().accent))
        painter.drawRoundedRect(whole, radius, radius)


class Swatch(QWidget):
    """A round patch of a colour."""

    def __init__(self, colour: str) -> None:
        super().__init__()
        self._colour = QColor(colour)
        self.setFixedSize(scaled(16), scaled(16))

    def paintEvent(self, _event) -> None:
        """The patch; its edge is seen on a ground of the same colour."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours().strong_border), 1))
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))


class ReadText(QPlainTextEdit):
    """The text in the picture; the line under the mouse or the cursor is pointed at."""

    line_pointed = Signal(int)  # -1 for none

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.viewport().setMouseTracking(True)
        self.setAccessibleName(self.tr("Text in the picture"))
        self.cursorPositionChanged.connect(self._cursor_moved)

    def show_text(self, text: str) -> None:
        """Show it, as high as it is up to some lines."""
        self.setPlainText(text)
        lines = min(text.count("\n") + 1, MOST_LINES)
        self.setFixedHeight(self.fontMetrics().lineSpacing() * lines + scaled(20))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The line under the mouse."""
        super().mouseMoveEvent(event)
        self.line_pointed.emit(self._line_at(event.position()))

    def _line_at(self, where: QPointF) -> int:
        return self.cursorForPosition(where.toPoint()).blockNumber()

    def leaveEvent(self, event) -> None:
        """No line."""
        super().leaveEvent(event)
        self.line_pointed.emit(-1)

    def focusOutEvent(self, event) -> None:
        """No line."""
        super().focusOutEvent(event)
        self.line_pointed.emit(-1)

    @Slot()
    def _cursor_moved(self) -> None:
        if self.hasFocus():
            self.line_pointed.emit(self.textCursor().blockNumber())


class ImageFindings(QWidget):
    """The findings, one under the other."""

    box_wanted = Signal(object)  # (left, top, right, bottom) or None
    said = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._lines: tuple[TextLine, ...] = ()
        self._shown: tuple[Findings, str] | None = None

    def show_findings(self, findings: Findings | None, language: str) -> None:
        """Show what was found; nothing where there is nothing."""
        if findings is not None and self._shown == (findings, language):
            return
        self._shown = (findings, language) if findings is not None else None
        clear(self._column)
        self._lines = ()
        self.setVisible(findings is not None)
        if findings is None:
            return
        if findings.damage:
            damage = label(self.tr("The file is damaged: only a part of the picture could be read."), "warn")
            damage.setToolTip(findings.damage)
            self._column.addWidget(damage)
        subjects = [subject for subject in findings.subjects if subject.confidence >= FOUND_FROM]
        if subjects:
            self._add_section(self.tr("Likely subjects"))
            for subject in subjects:
                self._column.addWidget(self._subject(subject, language))
        if findings.text:
            self._add_text(findings.text, read_text(findings))
        if findings.colours:
            self._add_section(self.tr("Colours"))
            flow = FlowBox(12)
            flow.add(*(self._colour(colour, language) for colour in findings.colours))
            self._column.addWidget(flow)
        self._add_section(self.tr("About the file"))
        for name, value in facts(findings):
            self._column.addWidget(self._fact(name, value))

    def _add_section(self, text: str) -> None:
        self._column.addSpacing(6)
        self._column.addWidget(_section(text))

    def _subject(self, subject: Subject, language: str) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        name, percent = subject_name(subject, language), f"{round(100 * subject.confidence)} %"
        text = label(name)
        text.setFixedWidth(scaled(130))
        share = label(percent, "small", wrap=False)
        share.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        share.setFixedWidth(scaled(38))
        row.addWidget(text)
        row.addWidget(ShareBar(subject.confidence), 1)
        row.addWidget(share)
        made.setAccessibleName(f"{name}, {percent}")
        return made

    def _add_text(self, lines: tuple[TextLine, ...], text: str) -> None:
        self._lines = lines
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(0, 6, 0, 0)
        row.addWidget(_section(self.tr("Text in the picture")), 1)
        copy = tool_button(self.tr("Copy the text in the picture"), "copy", 16, tint=colours().muted)
        copy.clicked.connect(self._copy)
        row.addWidget(copy)
        self._column.addWidget(head)
        self.text = ReadText()
        self.text.line_pointed.connect(self._line_pointed)
        self._column.addWidget(self.text)
        self.text.show_text(text)

    def _colour(self, colour: Colour, language: str) -> QWidget:
        made = QFrame()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        row.addWidget(Swatch(colour.hex))
        name, percent = colour_name(colour, language), f"{round(100 * colour.share)} %"
        row.addWidget(label(name, wrap=False))
        row.addWidget(label(percent, "small", wrap=False))
        made.setToolTip(colour.hex)
        made.setAccessibleName(f"{name}, {percent}, {colour.hex}")
        return made

    def _fact(self, name: str, value: str) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        key = label(name, "muted", wrap=False)
        key.setFixedWidth(scaled(76))
        row.addWidget(key, 0, Qt.AlignmentFlag.AlignTop)
        text = label(value)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setMinimumSize(QSize(1, 1))
        row.addWidget(text, 1)
        made.setAccessibleName(f"{name}: {value}")
        return made

    @Slot(int)
    def _line_pointed(self, row: int) -> None:
        self.box_wanted.emit(self._lines[row].box if 0 <= row < len(self._lines) else None)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(line.text for line in self._lines))
        self.said.emit(self.tr("Copied the text in the picture"))
