"""One image engine's process and what it measured.

In: the engine's name, its Python and its model. Out: answers of ``images_worker.py``, and the figures made of them.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Runner:
    """An engine that is asked one thing at a time. Empty figures were not measured."""

    label: str
    engine: str
    python: Path
    model: Path
    threads: int
    load_s: float = 0.0
    peak_bytes: int = 0
    sentence_s: dict[str, list[float]] = field(default_factory=dict)  # by "OCR" or "no OCR", one a picture
    wall_s: dict[str, list[float]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    batch: dict[str, Any] = field(default_factory=dict)
    write_s: dict[int, list[float]] = field(default_factory=dict)  # by tokens, one a picture and round

    def start(self) -> None:
        worker = Path(__file__).with_name("images_worker.py")
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [self.python, worker, self.engine, self.model, str(self.threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
        )
        self.load_s = self._answer()["load_s"]

    def stop(self) -> None:
        """Ends the process; one that is not there is no matter."""
        process = getattr(self, "_process", None)
        if process is not None:
            process.kill()
            process.wait()

    def ask(self, do: str, **command: object) -> dict[str, Any]:
        """One question, and its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    @property
    def size_bytes(self) -> int:
        """Of the model's files."""
        return sum(path.stat().st_size for path in self.model.rglob("*") if path.is_file())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self._log.seek(0)
        raise SystemExit(f"{self.label} ended:\n{self._log.read()[-3000:]}")
