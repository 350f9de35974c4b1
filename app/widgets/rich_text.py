"""Views for text that comes from models and files: data, which loads nothing and opens nothing by itself.

In: HTML made by :mod:`app.markdown`, plain text, code. Out: widgets as high as what they hold.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QByteArray, QCoreApplication, QSize, Qt, QTimer, QUrl, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMessageBox,
    QPlainTextEdit,
    QSizePolicy,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.markdown import SAFE_SCHEMES
from app.theme import MONO_FAMILIES, colours, rich_text_sheet
from app.widgets.basics import button, label


class RichText(QTextBrowser):
    """Rendered text. Loads no resource of any kind; a link is shown and asked about before it opens."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setProperty("role", "rich")
        self.setAccessibleName(name)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.document().setDocumentMargin(0)
        self.document().setDefaultStyleSheet(rich_text_sheet())
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.anchorClicked.connect(self._ask)
        self.viewport().setAutoFillBackground(False)

    def loadResource(self, _kind: int, _name: QUrl | str) -> object:
        """Nothing is ever loaded. The answer is empty and not None: for None, Qt reads a local file itself."""
        return QByteArray(b"")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The conversation scrolls, not this part of it."""
        event.ignore()

    @Slot()
    def _fit(self) -> None:
        height = max(math.ceil(self.document().size().height()), 1)
        if height != self.height():
            self.setFixedHeight(height)

    def resizeEvent(self, event) -> None:
        """Another width wraps to another height."""
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        """As high as the text."""
        return QSize(200, max(math.ceil(self.document().size().height()), 1))

    @Slot(QUrl)
    def _ask(self, url: QUrl) -> None:
        ask_to_open(self, url)


def ask_to_open(parent: QWidget, url: QUrl) -> None:
    """Show where a link leads and open it only if the user says so; other schemes never open."""
    shown = url.toString()
    box = QMessageBox(parent.window())
    box.setObjectName("linkQuestion")
    box.setTextFormat(Qt.TextFormat.PlainText)
    if not shown.lower().startswith(SAFE_SCHEMES):
        box.setText(QCoreApplication.translate("RichText", "Pollux does not open links of this kind."))
        box.setInformativeText(shown)
        box.setStandardButtons(QMessageBox.StandardButton.Close)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(
        QCoreApplication.translate("RichText", "Open this link in the browser? It was written by a model.")
    )
    box.setInformativeText(shown)
    box.setStandardButtons(QMessageBox.StandardButton.Open | QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setProperty("url", url)
    box.finished.connect(_Opener(box, url).answered)
    box.open()


class _Opener(QWidget):
    """Waits for the answer of the question that it belongs to."""

    def __init__(self, box: QMessageBox, url: QUrl) -> None:
        super().__init__(box)
        self._url = url
        self.hide()

    @Slot(int)
    def answered(self, result: int) -> None:
        """Open the link if that was the answer."""
        if result == QMessageBox.StandardButton.Open:
            QDesktopServices.openUrl(self._url)


class _Highlighter(QSyntaxHighlighter):
    """Colours lines from spans that were found elsewhere: one list of (start, length, colour) a line."""

    def __init__(self, parent: QPlainTextEdit) -> None:
        super().__init__(parent.document())
        self.spans: list[list[tuple[int, int, str]]] = []

    def highlightBlock(self, text: str) -> None:
        """Called by Qt for each line."""
        number = self.currentBlock().blockNumber()
        if number >= len(self.spans):
            return
        for start, length, colour in self.spans[number]:
            shape = QTextCharFormat()
            shape.setForeground(QColor(getattr(colours(), colour)))
            if colour == "keyword":
                shape.setFontWeight(QFont.Weight.DemiBold)
            self.setFormat(start, min(length, len(text) - start), shape)


class CodeBlock(QFrame):
    """Code with its language, a copy button, and colours once it is whole."""

    highlight_wanted = Signal(object)  # self

    def __init__(self, language: str) -> None:
        super().__init__()
        self.setProperty("role", "code")
        self.language = language
        self._code = ""
        self._height = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 6)
        layout.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(12, 2, 4, 0)
        self._name = label(language or self.tr("code"), "small", wrap=False)
        head.addWidget(self._name)
        head.addStretch(1)
        self.copy_button = button(self.tr("Copy code"), "flat", "copy", colours().muted)
        self.copy_button.clicked.connect(self._copy)
        head.addWidget(self.copy_button)
        layout.addLayout(head)
        self.view = _CodeView(self.tr("Code"))
        layout.addWidget(self.view)
        self._highlighter: _Highlighter | None = None
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.timeout.connect(self._copy_again)

    @property
    def code(self) -> str:
        """What the copy button copies."""
        return self._code

    def set_language(self, language: str) -> None:
        """Name the language."""
        if language != self.language:
            self.language = language
            self._name.setText(language or self.tr("code"))

    def set_code(self, code: str) -> None:
        """Show the code; what is added at the end is only added, so that streaming stays cheap."""
        if code == self._code and self._height:
            return
        if self._code and code.startswith(self._code):
            cursor = QTextCursor(self.view.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(code[len(self._code) :])
        else:
            self.view.setPlainText(code)
        self._code = code
        self._height = self.view.fit()

    def set_spans(self, spans: list[list[tuple[int, int, str]]]) -> None:
        """Colour the code."""
        if self._highlighter is None:
            self._highlighter = _Highlighter(self.view)
        self._highlighter.spans = spans
        self._highlighter.rehighlight()

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._code)
        self.copy_button.setText(" " + self.tr("Copied"))
        self._back.start(1500)

    @Slot()
    def _copy_again(self) -> None:
        self.copy_button.setText(" " + self.tr("Copy code"))


class _CodeView(QPlainTextEdit):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setAccessibleName(name)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setFamilies(list(MONO_FAMILIES))
        font.setPointSizeF(QGuiApplication.font().pointSizeF() * 0.95)
        self.setFont(font)
        self.document().setDocumentMargin(10)
        self.horizontalScrollBar().rangeChanged.connect(self.fit)  # the bar comes and goes with the width

    @Slot()
    def fit(self) -> int:
        """As high as the lines; a bar at the bottom where they are wide."""
        block: QTextBlock = self.document().firstBlock()
        line = max(self.blockBoundingRect(block).height(), self.fontMetrics().lineSpacing())
        bar = self.horizontalScrollBar()
        height = math.ceil(line * self.document().blockCount()) + 24
        height += bar.sizeHint().height() if bar.maximum() > 0 else 0
        if height != self.height():
            self.setFixedHeight(height)
        return height

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Sideways here, up and down in the conversation."""
        if abs(event.angleDelta().x()) > abs(event.angleDelta().y()):
            super().wheelEvent(event)
        else:
            event.ignore()
