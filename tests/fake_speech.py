"""Speech for the app's tests: a model that hears what it is told, a microphone, a player.

In: segments, gates and failures set by a test. Out: what the engine, the recorder and the player would say. Journals are
real ones, in the data folder of the test.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QObject, Signal

from app.sound import SoundDoor
from app.speech_items import JournalAt
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import LanguageFound, LiveText, Progress, Segment, Transcribed

SAID = (
    "Good morning, and thank you for coming.",
    "We have three things to talk about today.",
    "The first is the budget for the coming year.",
    "The second is where we meet next time.",
    "And the third is a surprise.",
)


def said(texts: Sequence[str] = SAID, language: str = "en", every_s: float = 4.0) -> list[Segment]:
    """Segments, one after the other; the third is doubtful."""
    return [
        Segment(every_s * row, every_s * (row + 0.9), text, language, 0.4 if row == 2 else 0.9)
        for row, text in enumerate(texts)
    ]


@dataclass
class FakeSpeech:
    """What the speech model does. ``gate`` holds a run after half of its segments until it is set."""

    segments: list[Segment] = field(default_factory=said)
    errors: dict[str, Exception] = field(default_factory=dict)  # by file name
    gate: threading.Event | None = None
    live: list[LiveText | Segment] = field(default_factory=list)  # each waits for ``live_gate``
    live_gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    live_error: Exception | None = None
    last_words: Segment | None = None  # what comes while a recording is being finished
    drain_gate: threading.Event | None = None
    choices: list[Any] = field(default_factory=list)
    resumed_at: list[int] = field(default_factory=list)

    def transcribe(
        self, model: Any, path: Path, choices: Any, cancel: Cancel, resume: bool
    ) -> Iterator[object]:
        """A file."""
        from engine.tasks.transcript_journal import Journal
        from engine.tasks.transcripts import transcripts_folder

        self.choices.append(choices)
        if path.name in self.errors:
            raise self.errors[path.name]
        total_ms = round(1000 * self.segments[-1].end_s) if self.segments else 4000
        journal = Journal.open(
            transcripts_folder(), path, model.pack.name, choices, total_ms / 1000, not resume
        )
        try:
            yield JournalAt(journal.path)
            known = list(journal.segments)
            self.resumed_at.append(len(known))
            found = LanguageFound(self.segments[0].language if self.segments else "en", 0.98)
            if journal.language is None:
                journal.found(found)
            yield found
            yield from known
            reason = "stop"
            for number in range(len(known), len(self.segments)):
                if self.gate is not None and number == len(self.segments) // 2:
                    while not self.gate.wait(0.005) and not cancel.is_set:
                        pass
                if cancel.is_set:
                    reason = "cancelled"
                    break
                segment = self.segments[number]
                journal.add(segment)
                yield segment
                journal.reached(segment.end_s)
                yield Progress("transcribe", round(1000 * segment.end_s), total_ms, "ms")
            done = Transcribed(
                cast(Any, reason),
                found.language,
                model.pack.name,
                model.provider,
                total_ms / 1000,
                total_ms / 1100,
                1.0,
                len(self.segments),
            )
            if reason == "stop":
                journal.finish(done)
            yield done
        finally:
            journal.close()

    def listen(self, model: Any, source: Any, choices: Any, cancel: Cancel) -> Iterator[object]:
        """A microphone: each item when the test lets it come, then the last words."""
        self.choices.append(choices)
        if self.live_error is not None:
            raise self.live_error
        yield LanguageFound("en", 0.9)
        waiting = list(self.live)
        count = 0
        while source.read(0.005) is not None and not cancel.is_set:
            if waiting and self.live_gate.acquire(timeout=0.005):
                count += isinstance(waiting[0], Segment)
                yield waiting.pop(0)
        if self.drain_gate is not None:
            while not self.drain_gate.wait(0.005) and not cancel.is_set:
                pass
        if self.last_words is not None and not cancel.is_set:
            yield self.last_words
            count += 1
        reason = "cancelled" if cancel.is_set else "stop"
        yield Transcribed(
            cast(Any, reason), "en", model.pack.name, model.provider, source.seconds, 3.0, 5.0, count
        )


@dataclass(frozen=True)
class FakeDevice:
    """A microphone in the list."""

    key: str
    name: str
    is_default: bool = False


@dataclass(frozen=True)
class FakeLevel:
    """How loud it is."""

    peak: float = 0.3
    rms_db: float = -22.0


class FakeRecorder:
    """A recording that lasts until it is stopped, or until a test sets ``problem``."""

    def __init__(self, device: str, path: Path, start_error: EngineError | None) -> None:
        self.device, self.wav_path = device, path
        self.problem: EngineError | None = None
        self.file_problem: EngineError | None = None
        self.silence_problem: EngineError | None = None
        self.seconds = 0.0
        self.level = FakeLevel()
        self.paused = False
        self.stopped = threading.Event()
        self._start_error = start_error

    def start(self) -> None:
        """Begin, or fail as set."""
        if self._start_error is not None:
            raise self._start_error
        self.wav_path.write_bytes(b"RIFF")
        self.seconds = 3.0

    def pause(self) -> None:
        """Leave out what comes."""
        self.paused = True

    def resume(self) -> None:
        """Go on."""
        self.paused = False

    def stop(self, _wait_s: float = 0.0) -> None:
        """End."""
        self.stopped.set()

    def read(self, timeout_s: float) -> object | None:
        """Nothing to hear, then the end."""
        return None if self.stopped.wait(timeout_s) else ()


class FakePlayer(QObject):
    """A player without sound; tests move it."""

    position_changed = Signal(float)
    playing_changed = Signal(bool)
    duration_changed = Signal(float)
    ended = Signal()
    failed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None
        self.position_s, self.duration_s, self.playing = 0.0, 0.0, False

    def load(self, path: Path) -> None:
        """Take a recording."""
        self.path, self.duration_s = path, 20.0
        self.move(0.0)
        self.duration_changed.emit(20.0)

    def play(self, from_s: float | None = None, _until_s: float | None = None) -> None:
        """Play."""
        self.playing = True
        self.playing_changed.emit(True)
        if from_s is not None:
            self.move(from_s)

    def pause(self) -> None:
        """Pause."""
        self.playing = False
        self.playing_changed.emit(False)

    def seek(self, to_s: float) -> None:
        """Go elsewhere."""
        self.move(to_s)

    def move(self, to_s: float) -> None:
        """As time does."""
        self.position_s = to_s
        self.position_changed.emit(to_s)

    def close(self, _wait_s: float = 1.0) -> None:
        """Fall silent."""
        self.playing, self.path = False, None


@dataclass
class FakeSound(SoundDoor):
    """Sound in and out for tests."""

    devices: tuple[FakeDevice, ...] = (FakeDevice("usb", "USB microphone", True), FakeDevice("cam", "Camera"))
    devices_error: EngineError | None = None
    start_error: EngineError | None = None
    recorders: list[FakeRecorder] = field(default_factory=list)
    players: list[FakePlayer] = field(default_factory=list)

    def microphones(self) -> Any:
        """As set."""
        if self.devices_error is not None:
            raise self.devices_error
        return self.devices

    def recorder(self, device: str, path: Path) -> Any:
        """A recorder that a test steers."""
        self.recorders.append(FakeRecorder(device, path, self.start_error))
        return self.recorders[-1]

    def player(self) -> Any:
        """A silent player."""
        self.players.append(FakePlayer())
        return self.players[-1]
