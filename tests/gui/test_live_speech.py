"""The promise of the speech pane: text appears while one speaks. A real window, the real model, a virtual microphone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.media.audio import SAMPLE_RATE_HZ, AudioFile
from tests.virtual_microphone import VirtualMicrophone, missing

ROOT = Path(__file__).resolve().parents[2]
PACK = os.environ.get("POLLUX_TEST_SPEECH_PACK", "")
PHRASES = {
    "The weather was cold in the morning, but the afternoon was warm and sunny.": "en_weather.flac",
    "Please send the finished report to my office before Friday.": "en_report.flac",
    "We will meet again in front of the railway station on Monday evening.": "en_station.flac",
}
LATENCY_S = 1.5  # from the end of a phrase to its text
BUSY_LATENCY_S = 10.0  # where other programs want all processors, too
PAUSE_S = 1.2
LOUD = 0.02
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PACK, reason="POLLUX_TEST_SPEECH_PACK does not name a speech model"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the virtual microphone needs Linux"),
    pytest.mark.skipif(bool(missing()) and not os.environ.get("CI"), reason=missing() or "-"),
]


def speak(phrases: dict[str, Path], to: Path) -> dict[str, Any]:
    """One recording of several clips with a pause behind each; says when each phrase ends."""
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    parts, spoken, at = [], [], 0
    for text, clip in phrases.items():
        with AudioFile.open(clip) as file:
            sound = np.concatenate(list(file.blocks()))
        loud = np.flatnonzero(np.abs(sound) > LOUD)
        spoken.append({"text": text, "end_s": (at + int(loud[-1])) / SAMPLE_RATE_HZ})
        parts += [sound, pause]
        at += len(sound) + len(pause)
    with wave.open(str(to), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.concatenate(parts) * 32767).astype("<i2").tobytes())
    return {"recording": str(to), "phrases": spoken}


def listen(microphone: VirtualMicrophone, home: Path, spoken: dict[str, Any]) -> dict[str, Any]:
    """Record in the window what is spoken."""
    packs = home / "packs"
    packs.mkdir()
    (packs / Path(PACK).name).symlink_to(Path(PACK).resolve(), target_is_directory=True)
    asked, answered = home / "spoken.json", home / "heard.json"
    asked.write_text(json.dumps(spoken), encoding="utf-8")
    environment = {
        **microphone.environment,
        "PYTHONPATH": str(ROOT),
        "POLLUX_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONIOENCODING": "utf-8",
    }
    command = [sys.executable, "-m", "tests.gui.live_speech", str(asked), str(answered)]
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(answered.read_text(encoding="utf-8"))


def test_text_appears_while_one_speaks(pollux_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = {text: ROOT / "tests/data/phrases" / name for text, name in PHRASES.items()}
    load = os.getloadavg()[0]
    with VirtualMicrophone() as microphone:
        heard = listen(microphone, pollux_home, speak(clips, pollux_home / "said.wav"))
    load = max(load, os.getloadavg()[0])  # others may have begun in the middle
    busy = load > 1.5 * (os.cpu_count() or 1)
    assert not heard["errors"]
    first, second, last = heard["phrases"]
    with capsys.disabled():
        print()
        for phrase in heard["phrases"]:
            shown, final = (_seconds(phrase[key]) for key in ("shown_after_s", "final_after_s"))
            print(f"  shown {shown} after it was said, final {final}: {phrase['text']}")
        print(f"  the last words came {heard['drained_s']:.2f} s after Stop; load of the machine {load:.1f}")
    assert first["while_playing"], "the first phrase is not in the pane before the clip ends"
    assert last["final_after_s"] is not None, "the last words did not come after Stop"
    assert not heard["left"], "text that is still being said stays in the pane"
    latencies_s = [phrase["shown_after_s"] for phrase in (first, second, last)]
    assert None not in latencies_s, f"not all was understood: {heard['text']}"
    latency_s = float(np.median(latencies_s))
    assert latency_s < (BUSY_LATENCY_S if busy else LATENCY_S)
    with wave.open(heard["recording"], "rb") as file:
        assert file.getnframes() / file.getframerate() > 15.0


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
