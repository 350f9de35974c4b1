"""A speech model that hears something every two seconds, at once or slowly, so that runs can be stopped and compared."""

from __future__ import annotations

import signal
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import AudioFile
from engine.packs import Pack, read_pack
from engine.results import LanguageFound, Notice, Progress, Segment, Transcribed, Word
from engine.tasks import transcribe_file
from engine.tasks.transcribe import TranscribeOptions
from tests.unit.engine.pack_maker import make_speech_pack

SENTENCES = (
    " We shall meet at noon, <near> the bridge & wait.",
    "今天天气很好，我们去公园吧。",
    " Is it so?",
)
PIECE_S = 2
CHUNK_S = 6  # what is decoded together: progress comes after each


@dataclass
class FakeSpeechModel:
    """What a task needs to know of a model."""

    pack: Pack
    provider: str = "CPU"
    notices: tuple[Notice, ...] = ()
    languages: tuple[str, ...] = ("en", "zh")
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


class FakeTranscribe:
    """Stands in for the task; remembers how it was called. ``delay_s`` is how long each sentence takes."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.calls: list[tuple[TranscribeOptions, float]] = []
        self.known_languages: list[str] = []
        self.cancel_at_s = self.interrupt_at_s = self.fail_at_s = float("inf")
        self.damage = ""

    def __call__(  # noqa: PLR0917 - as the task
        self,
        model: FakeSpeechModel,
        audio: AudioFile,
        options: TranscribeOptions,
        cancel: Cancel,
        start_s: float = 0.0,
        language: str = "",
    ) -> Iterator[object]:
        self.calls.append((options, start_s))
        self.known_languages.append(language)
        total_s = int(audio.info.duration_s or 0)
        audio.damage = self.damage
        yield Progress("transcribe", round(start_s * 1000), total_s * 1000, "ms")
        language = options.language or language or ("en" if start_s == 0 else "wrong")
        yield LanguageFound(language, 0.9)
        at = int(start_s)
        count = 0
        while at < total_s and not cancel.is_set:
            time.sleep(self.delay_s)
            if at >= self.fail_at_s:
                raise EngineError("There is not enough memory.", "Close something.")
            yield sentence(at, language, options.words)
            count += 1
            at += PIECE_S
            if at >= self.cancel_at_s:
                cancel.set()
            if at >= self.interrupt_at_s:
                heard = threading.Event()
                with cancel.interrupting(heard.set):
                    signal.raise_signal(signal.SIGINT)
                    heard.wait(5)
            if at % CHUNK_S == 0 and not cancel.is_set:
                yield Progress("transcribe", at * 1000, total_s * 1000, "ms")
        reason = "cancelled" if cancel.is_set else "stop"
        yield Transcribed(reason, language, model.pack.name, "CPU", float(at), count * 1.5, 0.1, count)


def sentence(at_s: int, language: str = "en", words: bool = False) -> Segment:
    """What is said at a time."""
    text = SENTENCES[at_s // PIECE_S % len(SENTENCES)]
    parts = [f" {part}" for part in text.split()] if text[0] == " " else list(text)
    times = [at_s + 1.5 * i / len(parts) for i in range(len(parts) + 1)]
    said = tuple(Word(part, times[i], times[i + 1], 0.9) for i, part in enumerate(parts)) if words else ()
    return Segment(at_s, at_s + 1.5, text, language, 0.8, said)


def make_wav(path: Path, seconds: int) -> Path:
    """A recording in which nothing is heard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes([128]) * 8000 * seconds)
    return path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeTranscribe:
    made = FakeTranscribe()
    monkeypatch.setattr(transcribe_file, "transcribe", made)
    return made


@pytest.fixture
def model(tmp_path: Path) -> FakeSpeechModel:
    return FakeSpeechModel(read_pack(make_speech_pack(tmp_path / "模型")))
