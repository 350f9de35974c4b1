"""What the speech pane shows before there is a recording: what it takes, its limits, and a model if there is none.

In: the host's packs and catalogue. Out: ``files_wanted``, ``models_wanted``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.host import Host
from app.language_names import size_text
from app.theme import colours, pixmap
from app.widgets.basics import Page, button, clear, label
from app.widgets.model_offer import ModelOffer


class SpeechEmpty(Page):
    """The empty state."""

    files_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__("", 560)
        self._host = host
        self.setAccessibleName(self.tr("Speech"))
        self.column.setSpacing(8)
        self._shown: tuple[object, ...] | None = None
        host.packs_changed.connect(self._fill)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        entry = self._host.suggestion("speech") if not self._host.packs_of("speech") else None
        shown = (bool(self._host.packs_of("speech")), entry, self._host.cannot_build)
        if shown == self._shown:
            return
        self._shown = shown
        clear(self.column)
        picture = QLabel()
        picture.setPixmap(pixmap("speech", colours().accent, 44))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(picture)
        for text, role in (
            (self.tr("Recordings become text"), "title"),
            (
                self.tr(
                    "Drop files of sound or video anywhere in this window, or record with the microphone and "
                    "read along."
                ),
                "muted",
            ),
        ):
            made = label(text, role)
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            self.column.addWidget(made)
        if not self._host.packs_of("speech"):
            self.column.addSpacing(6)
            self._offer(entry)
        self.column.addSpacing(6)
        facts = label(
            "\n".join(
                (
                    self.tr(
                        "Takes wav, mp3, m4a, flac, ogg, opus, mp4, mkv, mov, webm and most others, of any length."
                    ),
                    self.tr("Files with copy protection and videos without sound cannot be read."),
                    self.tr(
                        "Everything stays on this machine. What was transcribed is kept, even after a crash."
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
        missing = label(self.tr("No speech model is installed yet."), "strong")
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
