"""Small things that every pane is made of: labels, buttons, cards, scrolling pages.

In: texts that are already translated. Out: widgets with their role set for the style sheet and an
accessible name.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.theme import icon, scaled


def label(text: str, role: str = "", wrap: bool = True) -> QLabel:
    """Plain text, never rich."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room; its whole text is the tool tip."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setMinimumWidth(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    def set_whole(self, text: str) -> None:
        """Show a text."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event) -> None:
        """Another width shows more or less."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


def button(text: str, role: str = "", icon_name: str = "", tint: str = "") -> QPushButton:
    """A push button; its text is its accessible name."""
    made = QPushButton(text)
    made.setProperty("role", role)
    made.setAccessibleName(text)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    if icon_name:
        made.setText(f" {text}")  # style sheets know no gap between drawing and text
        made.setIcon(icon(icon_name, tint))
        made.setIconSize(QSize(scaled(16), scaled(16)))
    return made


def tool_button(name: str, icon_name: str, size_px: int = 18, role: str = "", tint: str = "") -> QToolButton:
    """A button with a drawing only; ``name`` is its tool tip and accessible name."""
    made = QToolButton()
    made.setIcon(icon(icon_name, tint))
    made.setIconSize(QSize(scaled(size_px), scaled(size_px)))
    made.setToolTip(name)
    made.setAccessibleName(name)
    made.setProperty("role", role)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made


def combo(name: str) -> QComboBox:
    """A list to choose from."""
    made = QComboBox()
    made.setAccessibleName(name)
    made.view().setAccessibleName(name)
    return made


def disable(control: QWidget, reason: str) -> None:
    """A control that cannot work says why."""
    control.setEnabled(not reason)
    if reason:
        control.setToolTip(reason)
        control.setAccessibleDescription(reason)


def card() -> QFrame:
    """A rounded frame."""
    made = QFrame()
    made.setProperty("role", "card")
    return made


class Page(QScrollArea):
    """A scrolling column of limited width, for panes that are read from top to bottom."""

    def __init__(self, name: str, width_px: int = 860) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        holder = QWidget()
        holder.setObjectName("page")
        outer = QVBoxLayout(holder)
        outer.setContentsMargins(32, 20, 32, 32)
        column = QWidget()
        column.setMaximumWidth(width_px)
        column.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.column = QVBoxLayout(column)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(14)
        outer.addWidget(column)
        outer.addStretch(1)
        self.setWidget(holder)
        self._holder, self._column, self._outer, self._width_px = holder, column, outer, width_px

    def resizeEvent(self, event) -> None:
        """Keep the column in the middle; the margins first, since the page gets its width by them."""
        side = max(32, (self.viewport().width() - self._width_px) // 2)
        self._outer.setContentsMargins(side, 20, side, 32)
        self._outer.activate()
        super().resizeEvent(event)


def clear(layout: QVBoxLayout) -> None:
    """Remove what a layout holds."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


Handler = Callable[[], object]
