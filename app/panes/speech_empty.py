"""What the speech pane shows before there is a recording: what it takes, its limits, and a model if there is none.

In: the host's packs and catalogue. Out: ``files_wanted``, ``models_wanted``.
"""

from __future__ import annotations

from PySide6.QtCore import Signal

from app.host import Host
from app.widgets.task_empty import EmptyTexts, TaskEmpty


class SpeechEmpty(TaskEmpty):
    """The empty state."""

    files_wanted = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(host, self.tr("Speech"), "speech", "speech", 560)

    def texts(self) -> EmptyTexts:
        """What the pane takes, and its limits."""
        return EmptyTexts(
            title=self.tr("Recordings become text"),
            lead=self.tr(
                "Drop files of sound or video anywhere in this window, or record with the microphone and "
                "read along."
            ),
            facts=(
                self.tr(
                    "Takes wav, mp3, m4a, flac, ogg, opus, mp4, mkv, mov, webm and most others, of any length."
                ),
                self.tr("Files with copy protection and videos without sound cannot be read."),
                self.tr(
                    "Everything stays on this machine. What was transcribed is kept, even after a crash."
                ),
            ),
            needed=self.tr("{model} is needed first ({size})"),
            missing=self.tr("No speech model is installed yet."),
            to_models=self.tr("Import one under Models"),
        )
