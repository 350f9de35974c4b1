"""What a pane shows before there is something in it: what it takes, its limits, and a model if there is none.

In: the host's packs and catalogue, texts that are already translated. Out: a page, filled again when models come or go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.host import Host
from app.language_names import size_text
from app.theme import colours, pixmap
from app.widgets.basics import Page, button, clear, label
from app.widgets.model_offer import ModelOffer

if TYPE_CHECKING:
    from engine.catalogue import CatalogueEntry


@dataclass(frozen=True)
class EmptyTexts:
    """What one pane says. ``needed`` has "{model}" and "{size}"."""

    title: str
    lead: str
    facts: tuple[str, ...]
    needed: str
    missing: str
    to_models: str


class TaskEmpty(Page):
    """The empty state of a pane whose task has a model of its own."""

    models_wanted = Signal()

    def __init__(self, host: Host, name: str, kind: str, drawing: str, width_px: int) -> None:
        """``kind`` is that of the packs, ``drawing`` the icon at the top."""
        super().__init__("", width_px)
        self._host, self._kind, self._drawing = host, kind, drawing
        self.setAccessibleName(name)
        self.column.setSpacing(8)
        self._shown: tuple[object, ...] | None = None
        host.packs_changed.connect(self._fill)
        self._fill()

    # What the pane says

    def texts(self) -> EmptyTexts:
        """Its texts, in the user's language."""
        raise NotImplementedError

    def add_middle(self) -> None:
        """Put into the column what stands between the head and the facts."""
        self.column.addSpacing(6)

    # What is shown

    @Slot()
    def _fill(self) -> None:
        installed = bool(self._host.packs_of(self._kind))
        entry = None if installed else self._host.suggestion(self._kind)
        shown = (installed, entry, self._host.cannot_build)
        if shown == self._shown:
            return
        self._shown = shown
        texts = self.texts()
        clear(self.column)
        picture = QLabel()
        picture.setPixmap(pixmap(self._drawing, colours().accent, 44))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(picture)
        self.add_centred(texts.title, "title")
        self.add_centred(texts.lead, "muted")
        if not installed:
            self.column.addSpacing(6)
            self._offer(entry, texts)
        self.add_middle()
        self.add_centred("\n".join(texts.facts), "small")

    def add_centred(self, text: str, role: str) -> None:
        """A line in the middle."""
        made = label(text, role)
        made.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(made)

    def add_in_the_middle(self, part: QWidget) -> None:
        """A widget with as much room at its left as at its right."""
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(part)
        row.addStretch(1)
        self.column.addWidget(holder)

    def _offer(self, entry: CatalogueEntry | None, texts: EmptyTexts) -> None:
        if entry is not None:
            title = texts.needed.format(model=entry.display_name, size=size_text(entry.download_bytes))
            self.column.addWidget(ModelOffer(entry, self._host, title, "download"))
            return
        self.add_centred(texts.missing, "strong")
        models = button(texts.to_models)
        models.clicked.connect(self.models_wanted)
        self.add_in_the_middle(models)
