"""The whole way from a microphone to the text in the window, in a process of its own.

In: ``python -m tests.gui.live_speech SPOKEN.json OUT.json`` in the environment of a virtual microphone, a data folder with the
speech model. ``SPOKEN.json`` names a recording and its phrases, each with its last moment in seconds. Out: a JSON file: for
each phrase when it was shown and when it was final, in seconds after it had been said, and what the window showed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QPushButton

from app.gui import Desktop, make_application
from app.panes.speech import SpeechPane
from app.widgets.segment_table import SegmentTable
from tests.virtual_microphone import SINK

LOOK_MS = 20
LOUD = 0.02
ENOUGH_WORDS = 0.8
LIMIT_S = 120.0


@dataclass(frozen=True)
class Look:
    """What was there at one moment. ``heard_s`` is how much the recorder had."""

    at_s: float
    heard_s: float
    playing: bool
    final: str
    shown: str


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("'", ""))


def has(text: str, phrase: str) -> bool:
    known = set(words(text))
    wanted = words(phrase)
    return sum(word in known for word in wanted) >= ENOUGH_WORDS * len(wanted)


def first_loud_s(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0
        return float(np.argmax(np.abs(samples) > LOUD)) / file.getframerate()


class Listener(QObject):
    """Presses the buttons and reads the pane, fifty times a second."""

    def __init__(self, desktop: Desktop, spoken: dict) -> None:
        super().__init__()
        self._desktop, self._spoken = desktop, spoken
        self.looks: list[Look] = []
        self.errors: list[str] = []
        self.recording = Path()
        self._began_s = time.monotonic()
        self._stopped = False
        self._voice: subprocess.Popen[bytes] | None = None
        self._pane, self._recorder = pane, recorder = desktop.window.speech, desktop.recorder
        assert isinstance(pane, SpeechPane)
        for signal in (recorder.problem, recorder.failed, recorder.crashed, desktop.host.crashed):
            signal.connect(self._failed)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @Slot(object)
    def _failed(self, error: object) -> None:
        self.errors.append(str(error))

    def _press(self, name: str) -> None:
        for button in self._pane.findChildren(QPushButton):
            if button.text().strip() == name and button.isVisible():
                assert button.isEnabled(), button.toolTip()
                button.click()
                return
        raise AssertionError(f"no button {name}")

    def _text(self) -> tuple[str, str]:
        """The final rows, and all rows."""
        table = self._pane.findChild(SegmentTable)
        if table is None:
            return "", ""
        model = table.model()
        rows = range(model.rowCount())
        texts = [str(model.index(row, 1).data()) for row in rows]
        return (
            " ".join(text for row, text in zip(rows, texts, strict=True) if not model.is_live(row)),  # type: ignore[attr-defined]
            " ".join(texts),
        )

    @Slot()
    def _look(self) -> None:
        if time.monotonic() - self._began_s > LIMIT_S:
            self.errors.append("it took too long")
            self._timer.stop()
            QApplication.quit()
            return
        state = self._recorder.state
        if not self.looks and state == "idle" and not self._stopped:
            if self._pane.bar.record.isEnabled():
                self._press("Record")
            return
        if state == "recording" and self._voice is None and self._ready():
            self._voice = subprocess.Popen(["paplay", f"--device={SINK}", self._spoken["recording"]])
        if self._voice is None:
            return
        playing = self._voice.poll() is None
        heard = self._recorder._recorder
        if heard is not None and heard.wav_path is not None:
            self.recording = heard.wav_path
        last = self.looks[-1].heard_s if self.looks else 0.0
        self.looks.append(Look(time.monotonic(), heard.seconds if heard else last, playing, *self._text()))
        if not playing and not self._stopped:
            self._stopped = True
            self._press("Stop")
        elif self._stopped and state == "idle":
            self._timer.stop()
            QApplication.quit()

    def _ready(self) -> bool:
        """Sound flows, and the model is there: its loading is no part of a phrase's latency."""
        recorder = self._recorder._recorder
        return (
            recorder is not None
            and recorder.seconds > 0.2
            and self._desktop.host.speech.state.status == "ready"
        )

    def result(self) -> dict:
        moved_s = first_loud_s(self.recording) - first_loud_s(Path(self._spoken["recording"]))
        at = np.array([look.at_s for look in self.looks])
        heard = np.array([look.heard_s for look in self.looks])
        phrases = []
        for phrase in self._spoken["phrases"]:
            said_at_s = float(np.interp(phrase["end_s"] + moved_s, heard, at))
            shown = next((look for look in self.looks if has(look.shown, phrase["text"])), None)
            final = next((look for look in self.looks if has(look.final, phrase["text"])), None)
            phrases.append(
                {
                    "text": phrase["text"],
                    "shown_after_s": None if shown is None else shown.at_s - said_at_s,
                    "final_after_s": None if final is None else final.at_s - said_at_s,
                    "while_playing": shown is not None and shown.playing,
                }
            )
        stopped_s = next((look.at_s for look in self.looks if not look.playing), at[-1])
        return {
            "phrases": phrases,
            "text": self.looks[-1].final,
            "left": self.looks[-1].shown != self.looks[-1].final,
            "drained_s": float(at[-1] - stopped_s),
            "recording": str(self.recording),
            "errors": self.errors,
        }


def main() -> None:
    spoken = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    app = make_application(sys.argv[:1])
    desktop = Desktop(app)
    desktop.window.resize(1100, 760)
    desktop.window.show()
    desktop.begin()
    desktop.window.show_speech()
    listener = Listener(desktop, spoken)
    app.exec()
    desktop.window.close()
    result = listener.result() if listener.looks else {"errors": listener.errors or ["nothing was recorded"]}
    Path(sys.argv[2]).write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
