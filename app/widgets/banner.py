"""A line across the pane: an error with its hint, a notice, an offer with a button.

In: texts, a tone, actions. Out: a frame that closes itself; a stack of them that keeps one of each key.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.i18n import error_hint, error_message
from app.theme import colours, pixmap
from app.widgets.basics import button, label, tool_button
from engine.errors import EngineError

NARROW_PX = 620
_ICONS = {"error": "warning", "warn": "warning", "info": "info"}


class Banner(QFrame):
    """One message with an optional second line, buttons and a progress bar."""

    closed = Signal()

    def __init__(self, tone: str, text: str, detail: str = "", closable: bool = True) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.setProperty("tone", tone)
        c = colours()
        tint = {"error": c.on_error, "warn": c.on_warn}.get(tone, c.accent)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 10, 10)
        row.setSpacing(10)
        picture = QLabel()
        picture.setPixmap(pixmap(_ICONS[tone], tint, 20))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self.text = label(text, "strong" if detail else "")
        self.detail = label(detail)
        for item in (self.text, self.detail):
            item.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            item.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            item.setMinimumWidth(1)
        texts.addWidget(self.text)
        texts.addWidget(self.detail)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.bar.hide()
        texts.addWidget(self.bar)
        self._middle = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(10)
        self._middle.addLayout(texts, 1)
        row.addLayout(self._middle, 1)
        self.detail.setVisible(bool(detail))  # only now: shown without a parent it would be a window
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.addStretch(1)
        self._middle.addLayout(self._buttons)
        self.setAccessibleName(f"{text} {detail}".strip())
        if closable:
            close = tool_button(self.tr("Close this message"), "close", 16, tint=tint)
            close.clicked.connect(self.close_banner)
            row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)

    def add_button(self, text: str) -> QPushButton:
        """A button at the end of the line."""
        made = button(text)
        self._buttons.addWidget(made)
        return made

    def resizeEvent(self, event) -> None:
        """In a narrow window the buttons go below the text."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_PX
        self._middle.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )

    def clear_buttons(self) -> None:
        """Remove the buttons."""
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def set_detail(self, text: str) -> None:
        """Change the second line."""
        self.detail.setText(text)
        self.detail.setVisible(bool(text))

    def close_banner(self) -> None:
        """Go away."""
        self.hide()
        self.closed.emit()
        self.deleteLater()


class BannerStack(QWidget):
    """Where a pane shows its banners; a new one takes the place of the one with the same key."""

    LIMIT = 3

    def __init__(self, top_px: int = 0) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, top_px, 0, 0)
        self._layout.setSpacing(8)
        self._shown: dict[str, Banner] = {}
        self.hide()

    def show_banner(self, key: str, banner: Banner) -> Banner:
        """Show a banner, first closing an earlier one with this key."""
        self.drop(key)
        while len(self._shown) >= self.LIMIT:
            self.drop(next(iter(self._shown)))
        self._shown[key] = banner
        self._layout.addWidget(banner)
        banner.closed.connect(self._tidy)
        self.show()
        banner.show()
        QAccessible.updateAccessibility(QAccessibleEvent(banner, QAccessible.Event.Alert))
        return banner

    def show_error(self, error: EngineError) -> Banner:
        """An EngineError in the user's language."""
        message, hint = error_message(error), error_hint(error)
        return self.show_banner(error.message_template, Banner("error", message, hint))

    def get(self, key: str) -> Banner | None:
        """The banner shown under a key."""
        return self._shown.get(key)

    def all(self) -> tuple[Banner, ...]:
        """What is shown."""
        return tuple(self._shown.values())

    def drop(self, key: str) -> None:
        """Close one banner."""
        banner = self._shown.pop(key, None)
        if banner is not None:
            banner.close_banner()

    def clear(self) -> None:
        """Close all."""
        for key in tuple(self._shown):
            self.drop(key)

    def _tidy(self) -> None:
        self._shown = {key: banner for key, banner in self._shown.items() if not banner.isHidden()}
        self.setVisible(bool(self._shown))
