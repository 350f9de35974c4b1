"""One recording of the speech pane and what is known of it.

In: what happens to it. Out: a :class:`SpeechItem`, changed only on the UI thread by the session and the recorder.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Literal

from engine.errors import EngineError
from engine.results import LiveText, Progress, Segment, Transcribed

# Every suffix that files of sound or of video usually have; what is in them is found out when they are opened.
MEDIA_SUFFIXES = frozenset(
    ".wav .mp3 .m4a .flac .ogg .oga .opus .aac .wma .aif .aiff .amr .caf .mka .weba .ac3 .ape "
    ".mp4 .m4v .mkv .webm .mov .avi .wmv .flv .mpg .mpeg .3gp .ts .mts .ogv".split()
)
State = Literal["waiting", "running", "stopping", "stopped", "done", "failed", "recording", "finishing"]
SPEED_AFTER_S = 0.5


@dataclass(frozen=True)
class SpeechChoices:
    """How to transcribe. ``language`` "" finds it out."""

    language: str = ""
    translate: bool = False
    words: bool = False


@dataclass(frozen=True)
class JournalAt:
    """Where a run keeps what it says."""

    path: Path


@dataclass
class SpeechItem:
    """A file or a recording. ``earlier`` is from before the app was opened; its segments are read on first look."""

    key: int
    path: Path
    state: State = "waiting"
    earlier: bool = False
    loaded: bool = True
    resume: bool = True  # go on where an earlier run stopped
    segments: list[Segment] = field(default_factory=list)
    live: LiveText | None = None
    language: str = ""
    choices: SpeechChoices | None = None  # None takes those of the moment when it begins
    journal: Path | None = None
    replaced: Path | None = None  # the journal of an earlier run with other choices
    done_ms: int = 0
    total_ms: int = 0
    error: EngineError | None = None
    transcribed: Transcribed | None = None
    started_s: float = 0.0
    started_ms: int = -1

    @property
    def busy(self) -> bool:
        """Whether something is being done with it."""
        return self.state in ("running", "stopping", "recording", "finishing")

    @property
    def title(self) -> str:
        """What it is called."""
        return self.path.name

    @property
    def duration_s(self) -> float:
        """Its length as far as it is known, else 0."""
        if self.total_ms:
            return self.total_ms / 1000
        if self.transcribed is not None:
            return self.transcribed.audio_s
        return self.segments[-1].end_s if self.segments else 0.0

    def begin(self) -> None:
        """A run starts."""
        self.state, self.error, self.live, self.transcribed = "running", None, None, None
        self.segments, self.started_ms, self.started_s = [], -1, monotonic()

    def progress(self, item: Progress) -> None:
        """How far the run is. What an earlier run had done comes at once, and counts for no speed."""
        self.done_ms, self.total_ms = item.done, item.total or 0
        if self.started_ms < 0:
            self.started_ms, self.started_s = item.done, monotonic()

    @property
    def speed(self) -> float:
        """Seconds of sound for each second of work; 0 where it cannot be said yet."""
        elapsed_s = monotonic() - self.started_s
        if self.started_ms < 0 or elapsed_s < SPEED_AFTER_S:
            return 0.0
        return (self.done_ms - self.started_ms) / 1000 / elapsed_s

    @property
    def left_s(self) -> float | None:
        """Seconds until it is done; None where that cannot be said."""
        speed = self.speed
        return (self.total_ms - self.done_ms) / 1000 / speed if speed > 0 and self.total_ms else None

    @property
    def fraction(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done_ms / self.total_ms, 1.0) if self.total_ms else 0.0
