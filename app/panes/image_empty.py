"""What the image pane shows before there is a picture: what it takes, its limits, and a model if there is none.

In: the host's packs and catalogue. Out: wishes to open, to paste, to take the screen.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.host import Host
from app.widgets.basics import button
from app.widgets.flow import FlowBox
from app.widgets.task_empty import EmptyTexts, TaskEmpty


class ImageEmpty(TaskEmpty):
    """The empty state."""

    files_wanted = Signal()
    folder_wanted = Signal()
    paste_wanted = Signal()
    screen_wanted = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(host, self.tr("Images"), "image", "images", 620)

    def texts(self) -> EmptyTexts:
        """What the pane takes, and its limits."""
        return EmptyTexts(
            title=self.tr("Pictures become words"),
            lead=self.tr(
                "Drop photos, a folder of them, or a video anywhere in this window, and read what is on them."
            ),
            facts=(
                self.tr(
                    "Takes JPEG, PNG, WebP, HEIC, AVIF, TIFF, GIF, BMP, SVG and most others; of animated "
                    "pictures the first frame, of videos the key frames."
                ),
                self.tr("A folder becomes a table of descriptions that can be edited and exported."),
                self.tr(
                    "Everything stays on this machine. Descriptions can be wrong: the pane says how sure "
                    "the model is."
                ),
            ),
            needed=self.tr("{model} is needed first ({size})"),
            missing=self.tr("No image model is installed yet."),
            to_models=self.tr("Import one under Models"),
        )

    def add_middle(self) -> None:
        """The ways in stand here too: somebody who comes first looks at the middle."""
        self.column.addSpacing(10)
        flow = FlowBox()
        flow.add(*self._buttons())
        self.add_in_the_middle(flow)
        self.column.addSpacing(10)

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
