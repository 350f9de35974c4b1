"""A line below a description that is in English although Chinese was asked for: why, and a way to mend it.

In: the language that was asked for, the host's packs and catalogue. Out: calls of the host.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QVBoxLayout

from app.host import Host
from app.language_names import language_name, size_text
from app.widgets.basics import button, label


class LanguageLine(QFrame):
    """Says that no model in use knows the language, and offers one that does."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self._language = ""
        self.setProperty("role", "banner")
        self.setProperty("tone", "info")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 10)
        column.setSpacing(6)
        self.text = label("")
        self.mend = button("")
        self.mend.setAccessibleName(self.tr("Get a model that knows the language"))
        self.mend.clicked.connect(self._mend)
        self.mend.setMinimumWidth(1)  # with a long name it is cut, not the panel
        column.addWidget(self.text)
        column.addWidget(self.mend, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_gap(self, language: str) -> None:
        """Show it for a language; "" hides it."""
        self._language = language
        self.setVisible(bool(language))
        if not language:
            return
        name = language_name(language)
        pack, entry = self._host.pack_for_language(language), self._host.entry_for_language(language)
        if pack is not None:
            self.text.setText(
                self.tr("The chat model in use does not know {language}.").format(language=name)
            )
            self.mend.setText(self.tr("Use {model}").format(model=pack.display_name))
        else:
            self.text.setText(self.tr("No installed model knows {language}.").format(language=name))
            if entry is not None:
                self.mend.setText(
                    self.tr("Get {model} ({size})").format(
                        model=entry.display_name, size=size_text(entry.download_bytes)
                    )
                )
        self.mend.setVisible(pack is not None or (entry is not None and self._host.cannot_build is None))
        self.mend.setAccessibleName(self.mend.text())
        self.setAccessibleName(self.text.text())

    @Slot()
    def _mend(self) -> None:
        pack, entry = (
            self._host.pack_for_language(self._language),
            self._host.entry_for_language(self._language),
        )
        if pack is not None:
            self._host.load(pack.name)
        elif entry is not None:
            self._host.add_or_cancel(entry.name, use=True)
