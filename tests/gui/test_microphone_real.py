"""Recorder and player on a real sound system: PulseAudio with a microphone that hears what is played into it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.virtual_microphone import VirtualMicrophone, missing

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing()) and not os.environ.get("CI"), reason=missing() or "-"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the virtual microphone needs Linux"),
]


class RecorderProcess:
    """Asks the recorder in the other process."""

    def __init__(self, microphone: VirtualMicrophone, wav: Path) -> None:
        environment = {**microphone.environment, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-m", "tests.gui.recorder_process", str(wav)]
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def state_until(self, key: str, at_least: float, timeout_s: float = 8.0) -> dict[str, Any]:
        until = time.monotonic() + timeout_s
        while (state := self.ask("state"))[key] < at_least and time.monotonic() < until:
            time.sleep(0.02)
        return state

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def microphone() -> Iterator[VirtualMicrophone]:
    with VirtualMicrophone() as made:
        yield made


@pytest.fixture
def wav(pollux_home: Path) -> Path:
    return pollux_home / "录音.wav"


@pytest.fixture
def recorder(microphone: VirtualMicrophone, wav: Path) -> Iterator[RecorderProcess]:
    process = RecorderProcess(microphone, wav)
    yield process
    process.close()


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Two seconds at -9 dB."""
    path = tmp_path / "tone.wav"
    samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * 44_100) / 44_100)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767.0


def sounding_s(samples: np.ndarray) -> float:
    """How long it is loud, in seconds."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return float(np.sum(np.sqrt(np.mean(blocks**2, axis=1)) > 0.1)) * 0.01


def test_records_what_is_played(
    microphone: VirtualMicrophone, recorder: RecorderProcess, wav: Path, tone: Path
) -> None:
    assert recorder.ask("devices")["devices"] == [["System default", True]]
    assert "error" not in recorder.ask("start")
    assert recorder.state_until("seconds", 0.1)["running"]
    playing = microphone.play(tone)
    assert recorder.state_until("level_db", -9.5)["level_db"] == pytest.approx(-9.0, abs=0.5)
    assert playing.wait(10) == 0
    recorder.state_until("seconds", recorder.ask("state")["seconds"] + 0.5)
    state = recorder.ask("stop")
    assert not state["problem"]
    assert state["overflows"] == 0
    assert state["ended"]
    assert not state["running"]
    assert state["read_s"] == pytest.approx(state["seconds"])
    samples = read_wav(wav)
    assert len(samples) / 16_000 == pytest.approx(state["seconds"])
    assert sounding_s(samples) == pytest.approx(2.0, abs=0.3)


def test_pause_leaves_out(
    microphone: VirtualMicrophone, recorder: RecorderProcess, wav: Path, tone: Path
) -> None:
    recorder.ask("start")
    recorder.state_until("seconds", 0.5)
    before_s = recorder.ask("pause")["seconds"]
    assert microphone.play(tone).wait(10) == 0
    paused = recorder.ask("state")
    assert paused["running"]
    assert paused["level_db"] == -120.0
    assert paused["seconds"] == pytest.approx(before_s + 1.0, abs=0.1)  # the silence that ends a phrase
    time.sleep(0.3)  # what is in the sound system is from the pause
    recorder.ask("resume")
    assert microphone.play(tone).wait(10) == 0
    state = recorder.ask("stop")
    assert sounding_s(read_wav(wav)) == pytest.approx(2.0, abs=0.3)
    assert state["seconds"] == pytest.approx(before_s + 3.3, abs=0.8)


def test_silence_is_told(recorder: RecorderProcess) -> None:
    recorder.ask("start")
    state = recorder.state_until("silent", True)
    assert state["silent"]
    assert state["running"]
    assert 2.9 <= state["seconds"] < 3.6


@pytest.mark.parametrize("how", ["kill", "unplug"])
def test_unplugged(
    microphone: VirtualMicrophone, recorder: RecorderProcess, wav: Path, tone: Path, how: str
) -> None:
    recorder.ask("start")
    recorder.state_until("seconds", 0.2)
    playing = microphone.play(tone)
    recorder.state_until("level_db", -12.0)
    recorder.state_until("seconds", recorder.ask("state")["seconds"] + 0.5)
    getattr(microphone, how)()
    state = recorder.ask("wait")
    playing.wait(10)
    assert state["came"]
    assert state["problem"].startswith('The microphone "System default" was disconnected.')
    assert not recorder.ask("stop")["running"]
    assert sounding_s(read_wav(wav)) >= 0.4  # kept
    assert state["read_s"] == pytest.approx(state["seconds"])


def test_killed_in_mid_recording_leaves_a_file(
    microphone: VirtualMicrophone, recorder: RecorderProcess, wav: Path, tone: Path
) -> None:
    recorder.ask("start")
    recorder.state_until("seconds", 0.1)
    playing = microphone.play(tone)
    recorder.state_until("level_db", -12.0)
    seconds = recorder.state_until("seconds", recorder.ask("state")["seconds"] + 0.5)["seconds"]
    recorder.close()
    playing.wait(10)
    assert len(read_wav(wav)) / 16_000 >= seconds - 0.05


def play_with_the_app(
    microphone: VirtualMicrophone, path: Path, from_s: float, until_s: float
) -> dict[str, Any]:
    environment = {**microphone.environment, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "tests.gui.player_process", str(path), str(from_s), str(until_s)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=30)
    return json.loads(done.stdout)


def test_player_is_heard_where_it_says(
    microphone: VirtualMicrophone, recorder: RecorderProcess, wav: Path, tone: Path
) -> None:
    recorder.ask("start")
    recorder.state_until("seconds", 0.1)
    told = play_with_the_app(microphone, tone, 0.5, 1.7)
    recorder.ask("stop")
    assert not told["problem"]
    assert sounding_s(read_wav(wav)) == pytest.approx(1.2, abs=0.1)
    times = [at for at, _ in told["positions"]]
    positions = [position for _, position in told["positions"]]
    assert positions == sorted(positions)
    assert positions[-1] == pytest.approx(1.7, abs=0.02)
    assert len(positions) <= 30 * (times[-1] - times[0]) + 4


def test_no_loudspeaker(microphone: VirtualMicrophone, tone: Path) -> None:
    microphone.kill()
    assert play_with_the_app(microphone, tone, 0.0, 1.0)["problem"].startswith("No loudspeaker")
