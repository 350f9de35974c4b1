"""One speech engine's process and what it measured.

In: the engine's name, its Python and its model. Out: answers of ``speech_worker.py`` and the figures made of them.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.error_rate import Errors, errors
from tests.bench.speech_sets import Clip


@dataclass(frozen=True)
class TimedWord:
    """A word as an engine placed it."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Answer:
    """What an engine made of a file, and how long it took."""

    text: str
    language: str
    wall_s: float
    segments: tuple[TimedWord, ...]
    words: tuple[TimedWord, ...]


@dataclass
class Runner:
    """An engine that is asked one thing at a time. Empty figures were not measured."""

    label: str
    engine: str
    python: Path
    model: Path
    threads: int
    load_s: list[float] = field(default_factory=list)
    wall_s: dict[str, list[float]] = field(
        default_factory=dict
    )  # by what was transcribed, one for each round
    peak_bytes: int = 0
    heard: dict[Clip, Answer] = field(default_factory=dict)
    cut_errors_s: dict[str, list[float]] = field(default_factory=dict)  # |word - cut|, by what
    long: dict[str, float] = field(default_factory=dict)
    invented: dict[str, str] = field(default_factory=dict)  # file without speech: text

    def start(self) -> None:
        worker = Path(__file__).with_name("speech_worker.py")
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [self.python, worker, self.engine, self.model, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self.load_s.append(self._answer()["load_s"])

    def stop(self) -> None:
        """Ends the process; one that is not there is no matter."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.kill()
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    def transcribe(self, file: Path, language: str, words: bool = False) -> Answer:
        found = self._ask(do="transcribe", file=str(file), language=language, words=words)
        return Answer(
            found["text"],
            found["language"],
            found["wall_s"],
            tuple(TimedWord(*row) for row in found["segments"]),
            tuple(TimedWord(*row) for row in found["words"]),
        )

    def peak(self) -> int:
        """The most memory that the process ever had, in bytes."""
        return int(self._ask(do="memory")["peak_bytes"])

    def errors_by_language(self) -> dict[str, list[tuple[Clip, Errors]]]:
        """For each language every clip with its errors, in the order of the set."""
        found: dict[str, list[tuple[Clip, Errors]]] = {}
        for clip, answer in self.heard.items():
            counted = errors(clip.text, answer.text, clip.language)
            found.setdefault(clip.language, []).append((clip, counted))
        return found

    def _ask(self, **command: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self._log.seek(0)
        raise SystemExit(f"{self.label} ended:\n{self._log.read()[-3000:]}")
