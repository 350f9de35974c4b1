"""A line to search with: a drawing, a placeholder, a button that clears it.

In: keys. Out: ``textChanged``; Escape clears.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolButton

from app.theme import colours, icon


class SearchLine(QLineEdit):
    """A search field."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.addAction(icon("search", colours().muted), QLineEdit.ActionPosition.LeadingPosition)
        self.setClearButtonEnabled(True)
        for made in self.findChildren(QToolButton):
            made.setAccessibleName(self.tr("Clear the search") if made.isHidden() else name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape clears."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
