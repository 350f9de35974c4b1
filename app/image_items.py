"""One picture or video of the image pane and what is known of it.

In: what happens to it. Out: an :class:`ImageItem`, changed only on the UI thread by the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.speech_items import MEDIA_SUFFIXES
from engine.errors import EngineError
from engine.results import Described, Style
from engine.tasks.describe_many import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from engine.tasks.describe_options import Asked

SVG_SUFFIXES = frozenset((".svg", ".svgz"))
# Of the suffixes that recordings have, those that have pictures too.
VIDEO_SUFFIXES = MEDIA_SUFFIXES & frozenset(
    ".mp4 .m4v .mkv .webm .mov .avi .wmv .flv .mpg .mpeg .3gp .ts .mts .ogv".split()
)
# "described" came from the table: where the model looked is not known yet.
State = Literal["new", "described", "waiting", "running", "stopping", "stopped", "done", "failed"]


@dataclass(frozen=True)
class ImageChoices:
    """How to describe: the style, and the language of the text, "en" or "zh"; a question is answered instead, which may
    follow on those asked ``earlier``."""

    style: Style = "short"
    language: str = "en"
    question: str = ""
    earlier: tuple[Asked, ...] = ()


@dataclass(eq=False)
class Answer:
    """A question about a picture and what came of it so far."""

    question: str
    text: str = ""
    state: Literal["waiting", "running", "stopped", "done", "failed"] = "waiting"
    done_steps: int = 0
    total_steps: int = 0
    error: EngineError | None = None
    described: Described | None = None

    @property
    def from_findings(self) -> bool:
        """Whether a model answered that was told the findings and did not see the picture."""
        # A model that sees needs no caption to answer; then the other one only put it into Chinese.
        return self.described is not None and bool(self.described.composed_by and self.described.caption)


@dataclass(eq=False)
class Frame:
    """A picture of a video: when it is seen, and what it shows."""

    at_s: float
    image: QImage
    described: Described


@dataclass(eq=False)
class ImageItem:
    """A picture or a video. ``path`` is None for what was pasted or taken from the screen; ``pasted`` is that then."""

    key: int
    title: str
    path: Path | None = None
    pasted: QImage | None = None
    state: State = "new"
    thumbnail: QImage | None = None
    results: dict[ImageChoices, Described] = field(default_factory=dict)
    from_table: set[ImageChoices] = field(default_factory=set)  # those of the results that came from there
    writing: str = ""  # the text of the description that is being written
    answers: list[Answer] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    frame: int = 0  # the one that is shown
    done_steps: int = 0
    total_steps: int = 0
    error: EngineError | None = None

    @property
    def is_video(self) -> bool:
        """Whether it is described by its key frames."""
        return self.path is not None and self.path.suffix.lower() in VIDEO_SUFFIXES

    @property
    def busy(self) -> bool:
        """Whether it waits for its description or is being described."""
        return self.state in ("waiting", "running", "stopping")

    def asked_before(self, answer: Answer) -> tuple[Asked, ...]:
        """The questions before this one that were answered to the end, with their answers.

        They stay when the picture is described again: they are about the picture, and that is the same.
        """
        from engine.tasks.describe_options import Asked

        before = self.answers[: self.answers.index(answer)]
        return tuple(
            Asked(each.question, text)
            for each in before
            if each.state == "done" and (text := each.text.strip())
        )

    @property
    def unsure(self) -> bool:
        """Whether a description of it should be read with doubt."""
        return any(described.unsure for described in self.results.values())


def is_picture(path: Path) -> bool:
    """Whether a file is called like a picture."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def is_video(path: Path) -> bool:
    """Whether a file is called like a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES
