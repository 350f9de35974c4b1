"""What the image pane shows before there is a picture: what it takes, its limits, and a model if there is none.

In: the host's packs and catalogue. Out: wishes to open, to paste, to take the screen.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.host import Host
from app.language_names import size_text
from app.theme import colours, pixmap
from app.widgets.basics import Page, button, clear, label
from app.widgets.flow import FlowBox
from app.widgets.model_offer import ModelOffer


class ImageEmpty(Page):
    """The empty state."""

    files_wanted = Signal()
    folder_wanted = Signal()
    paste_wanted = Signal()
    screen_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__("", 620)
        self._host = host
        self.setAccessibleName(self.tr("Images"))
        self.column.setSpacing(8)
        self._shown: tuple[object, ...] | None = None
        host.packs_changed.connect(self._fill)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        entry = self._host.suggestion("image") if not self._host.packs_of("image") else None
        shown = (bool(self._host.packs_of("image")), entry, self._host.cannot_build)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self.column)
        picture = QLabel()
        picture.setPixmap(pixmap("images", colours().accent, 44))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(picture)
        for text, role in (
            (self.tr("Pictures become words"), "title"),
            (
                self.tr(
                    "Drop photos, a folder of them, or a video anywhere in this window, and read what is on them."
                ),
                "muted",
            ),
        ):
            made = label(text, role)
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.column.addWidget(made)
        if not self._host.packs_of("image"):
            self.column.addSpacing(6)
            self._offer(entry)
        self.column.addSpacing(10)
        self._sources()
        self.column.addSpacing(10)
        self._facts()

    def _sources(self) -> None:
        """The ways in stand here too: somebody who comes first looks at the middle."""
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        flow = FlowBox()
        flow.add(*self._buttons())
        row.addStretch(1)
        row.addWidget(flow)
        row.addStretch(1)
        self.column.addWidget(holder)

    def _buttons(self) -> list[QWidget]:
        made = []
        for text, drawing, wish in (
            (self.tr("Open pictures…"), "plus", self.files_wanted),
            (self.tr("Open folder…"), "folder", self.folder_wanted),
            (self.tr("Paste"), "paste", self.paste_wanted),
            (self.tr("From the screen"), "screen", self.screen_wanted),
        ):
            made.append(button(text, "", drawing))
            made[-1].clicked.connect(wish)
        return made

    def _facts(self) -> None:
        facts = label(
            "\n".join(
                (
                    self.tr(
                        "Takes JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, BMP, SVG and most others; of animated "
                        "pictures the first frame, of videos the key frames."
                    ),
                    self.tr("A folder becomes a table of descriptions that can be edited and exported."),
                    self.tr(
                        "Everything stays on this machine. Descriptions can be wrong: the pane says how sure "
                        "the model is."
                    ),
                )
            ),
            "small",
        )
        facts.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(facts)

    def _offer(self, entry) -> None:
        if entry is not None:
            title = self.tr("{model} is needed first ({size})").format(
                model=entry.display_name, size=size_text(entry.download_bytes)
            )
            self.column.addWidget(ModelOffer(entry, self._host, title, "download"))
            return
        missing = label(self.tr("No image model is installed yet."), "strong")
        missing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(missing)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.addStretch(1)
        models = button(self.tr("Import one under Models"))
        models.clicked.connect(self.models_wanted)
        row.addWidget(models)
        row.addStretch(1)
        self.column.addWidget(holder)
