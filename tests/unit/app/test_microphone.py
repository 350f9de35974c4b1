"""The recorder: what goes through it, and its problems told apart."""

from __future__ import annotations

import builtins
import os
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import microphone as module
from app import microphone_problems as problems
from app.microphone import Recorder, input_devices
from engine.errors import EngineError
from tests.unit.app.fake_sounddevice import FakeSoundDevice, PortAudioError, Stream, device


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Linux with a microphone that nobody uses, whatever machine this is."""
    monkeypatch.setattr(problems, "capture_state", lambda: "free")


@pytest.fixture
def make(sd: FakeSoundDevice, free: None) -> Iterator[Callable[..., tuple[Recorder, Stream]]]:
    made: list[Recorder] = []

    def start(*arguments: Any) -> tuple[Recorder, Stream]:
        recorder = Recorder(*arguments)
        made.append(recorder)
        recorder.start()
        return recorder, sd.streams[-1]

    yield start
    for recorder in made:
        recorder.stop(wait_s=5.0)


def noise(seconds: float, rate_hz: int = 16_000) -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate_hz))).astype(np.float32)


def drain(recorder: Recorder) -> np.ndarray:
    blocks = []
    until = time.monotonic() + 10.0
    while (block := recorder.read(0.2)) is not None:
        assert time.monotonic() < until, "the recording does not end"
        blocks.append(block)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def wav_samples(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767.0


# What goes through


def test_sound_reaches_reader_and_file(make: Callable, pollux_home: Path) -> None:
    recorder, stream = make(None, pollux_home / "a.wav")
    sound = noise(1.0)
    for block in np.split(sound, 10):
        stream.give(block)
    wait_for(lambda: recorder.seconds == 1.0)
    assert recorder.running
    assert recorder.level.rms_db == pytest.approx(-20.0, abs=1.0)
    assert 0.3 < recorder.level.peak < 0.6
    assert len(wav_samples(pollux_home / "a.wav")) == 16_000  # whole while it grows
    assert len(recorder.read(1.0)) == 16_000  # type: ignore[arg-type]
    assert len(recorder.read(0.01)) == 0  # type: ignore[arg-type]
    stream.give(sound[:800])
    recorder.stop()
    assert np.array_equal(drain(recorder), sound[:800])
    assert recorder.read(0.0) is None
    assert recorder.read(0.0) is None
    assert stream.closed
    assert recorder.problem is None
    in_file = wav_samples(pollux_home / "a.wav")
    assert len(in_file) == 16_800
    assert np.abs(in_file - np.concatenate([sound, sound[:800]])).max() < 1e-4


@pytest.mark.parametrize("code", [-9997, -9998])
def test_a_device_with_other_formats(sd: FakeSoundDevice, make: Callable, code: int) -> None:
    """16 kHz mono is refused: its own rate and channels are taken, and made into what the model reads."""
    sd.devices[0] = device("Interface", inputs=2, rate=44_100.0)
    sd.refuse = lambda asked: (
        None if (asked["samplerate"], asked["channels"]) == (44_100, 2) else PortAudioError("Invalid", code)
    )
    recorder, stream = make()
    assert sd.asked == [(16_000, 1, 0), (44_100, 1, 0), (44_100, 2, 0)]
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100)
    for block in np.split(tone, 30):
        stream.give(np.stack([block, block], 1))
    recorder.stop()
    sound = drain(recorder)
    assert len(sound) == pytest.approx(16_000, abs=16)
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(sound)) / 16_000)
    assert np.abs(sound - wanted)[200:-200].max() < 1e-3


def test_pause_leaves_out_and_ends_the_phrase(make: Callable) -> None:
    recorder, stream = make()
    sound = noise(0.5)
    stream.give(sound)
    wait_for(lambda: recorder.seconds == 0.5)
    recorder.pause()
    wait_for(lambda: recorder.seconds == 1.5)
    stream.give(sound)
    assert recorder.paused
    assert recorder.level == module.Level()
    recorder.pause()
    recorder.resume()
    assert not recorder.paused
    stream.give(sound)
    recorder.stop()
    heard = drain(recorder)
    assert np.array_equal(heard, np.concatenate([sound, np.zeros(16_000, np.float32), sound]))


def test_a_slow_reader_loses_nothing(
    make: Callable, pollux_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.recorded.MEMORY_S", 1.0)
    recorder, stream = make(None, pollux_home / "a.wav")
    sound = noise(12.3)
    stream.give(sound[:100])
    assert np.array_equal(recorder.read(1.0), sound[:100])  # type: ignore[arg-type]
    for start in range(100, len(sound), 480):
        stream.give(sound[start : start + 480])
    wait_for(lambda: recorder.behind_s == (len(sound) - 100) / 16_000)
    assert sum(len(block) for block in recorder._backlog._blocks) <= 16_480
    first = recorder.read(0.0)
    assert first is not None
    assert len(first) == 5 * 16_000
    stream.give(sound[:480])
    recorder.stop()
    heard = np.concatenate([first, drain(recorder)])
    assert recorder.problem is None
    wanted = np.concatenate([sound[100:], sound[:480]])
    assert len(heard) == len(wanted)
    assert np.abs(heard - wanted).max() < 1e-4


def test_without_a_file_the_backlog_has_an_end(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WITHOUT_FILE_S", 60.0)
    recorder, stream = make()
    stream.give(noise(61.0))
    wait_for(lambda: recorder.problem)
    assert len(drain(recorder)) == 61 * 16_000
    assert str(recorder.problem).startswith("The recording was ended: the model is 1 minutes behind.")


# The file


def test_unwritable_file_is_kept_elsewhere(make: Callable, pollux_home: Path) -> None:
    wanted = pollux_home / "no folder" / "a.wav"
    recorder, stream = make(None, wanted)
    stream.give(noise(0.5))
    recorder.stop()
    drain(recorder)
    assert recorder.wav_path is not None
    assert recorder.wav_path != wanted
    assert len(wav_samples(recorder.wav_path)) == 8_000
    assert recorder.file_problem is not None
    assert str(recorder.wav_path) in str(recorder.file_problem)
    assert "cannot be written" in str(recorder.file_problem)
    recorder.wav_path.unlink()
    recorder.wav_path.parent.rmdir()


def test_full_disk_loses_no_text(make: Callable, pollux_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, stream = make(None, pollux_home / "a.wav")
    sound = noise(0.5)
    stream.give(sound)
    wait_for(lambda: recorder.seconds == 0.5)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.recorded.GrowingWav.write", full)
    stream.give(sound)
    stream.give(sound)
    recorder.stop()
    assert np.array_equal(drain(recorder), np.tile(sound, 3))
    assert recorder.problem is None
    assert str(recorder.file_problem).startswith("The disk is full.")
    assert len(wav_samples(pollux_home / "a.wav")) == 8_000


# Problems at the start


def problem_at_start(key: str | None = None) -> str:
    recorder = Recorder(key)
    with pytest.raises(EngineError) as caught:
        recorder.start()
    assert caught.value.hint
    assert recorder.read(0.0) is None
    assert not recorder.running
    recorder.stop(wait_s=1.0)
    return caught.value.message


def test_no_microphone(sd: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "capture_state", lambda: "none")
    sd.devices = [device("Speakers", inputs=0, outputs=2)]
    assert input_devices() == ()
    assert problem_at_start() == "No microphone was found."


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("denied", "Pollux may not use the microphone."),
        ("busy", "The microphone is in use by another program."),
    ],
)
def test_linux_hides_microphones(
    sd: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch, state: str, message: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(problems, "capture_state", lambda: state)
    sd.devices = []
    assert problem_at_start() == message


def test_chosen_one_is_not_connected(sd: FakeSoundDevice) -> None:
    assert problem_at_start("ALSA|USB microphone") == 'The microphone "USB microphone" is not connected.'


@pytest.mark.parametrize("error", [
    PortAudioError("Device unavailable", -9985),
    PortAudioError("Unanticipated host error", -9999, (0, -16, "Device or resource busy")),
])  # fmt: skip
@pytest.mark.parametrize("at_start", [False, True])
def test_busy(sd: FakeSoundDevice, free: None, error: Exception, at_start: bool) -> None:
    if at_start:
        sd.start_error = error
    else:
        sd.refuse = lambda _asked: error
    assert problem_at_start() == 'The microphone "Headset" is in use by another program.'
    assert all(stream.closed for stream in sd.streams)


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_denied(sd: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    if platform == "linux":
        monkeypatch.setattr(problems, "capture_state", lambda: "denied")
        sd.refuse = lambda _asked: PortAudioError("Illegal combination of I/O devices", -9993)
    else:
        sd.refuse = lambda _asked: PortAudioError("Unanticipated", -9999, (0, -2147024891, "Access denied"))
    assert problem_at_start() == "Pollux may not use the microphone."


def test_a_sound_server_without_a_microphone(sd: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lists a default that cannot be opened."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(problems, "capture_state", lambda: "none")
    sd.devices[0] = device("default")
    sd.refuse = lambda _asked: PortAudioError("Unanticipated", -9999, (0, -5, "Input/output error"))
    assert problem_at_start() == "No microphone was found."


def test_another_problem_keeps_the_reason(sd: FakeSoundDevice, free: None) -> None:
    sd.refuse = lambda _asked: PortAudioError("Unanticipated", -9999, (0, -5, "Input/output error"))
    assert problem_at_start() == 'The microphone "Headset" cannot be opened: Input/output error.'


def test_portaudio_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real_import(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr(sys, "platform", "linux")
    assert problem_at_start() == "The sound library PortAudio is missing."
    monkeypatch.setattr(sys, "platform", "win32")
    assert problem_at_start() == "The sound library PortAudio cannot be loaded: PortAudio library not found."
    with pytest.raises(EngineError):
        input_devices()


def test_linux_capture_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices, status = tmp_path / "snd", tmp_path / "asound"
    sub = status / "card1" / "pcm0c" / "sub0"
    devices.mkdir()
    sub.mkdir(parents=True)
    assert problems.capture_state(devices, status) == "none"
    (devices / "pcmC1D0c").touch()
    (devices / "pcmC1D0p").touch()
    (sub / "status").write_text("closed\n")
    assert problems.capture_state(devices, status) == "free"
    (sub / "status").write_text("state: RUNNING\nowner_pid   : 4242\n")
    assert problems.capture_state(devices, status) == "busy"
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    assert problems.capture_state(devices, status) == "denied"


# Problems in mid-recording


def test_unplugged_by_the_stream(make: Callable, pollux_home: Path) -> None:
    recorder, stream = make(None, pollux_home / "a.wav")
    stream.give(noise(0.5))
    stream.vanish()
    assert len(drain(recorder)) == 8_000
    assert str(recorder.problem).startswith('The microphone "Headset" was disconnected.')
    assert stream.closed
    assert len(wav_samples(pollux_home / "a.wav")) == 8_000


def test_unplugged_without_a_word(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "GONE_S", 0.1)
    recorder, stream = make()
    stream.give(noise(0.5))
    assert len(drain(recorder)) == 8_000
    assert str(recorder.problem).startswith('The microphone "Headset" was disconnected.')


def test_opened_but_gives_nothing(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "NEVER_CAME_S", 0.1)
    recorder, _stream = make()
    assert len(drain(recorder)) == 0
    assert str(recorder.problem).startswith('The microphone "Headset" was opened but gives no sound.')


def test_silence_is_told_and_is_no_end(make: Callable) -> None:
    recorder, stream = make()
    hiss = np.full(16_000, 1e-4)  # -80 dB
    stream.give(np.concatenate([hiss, hiss]))
    wait_for(lambda: recorder.seconds == 2.0)
    assert not recorder.silent
    stream.give(hiss)
    wait_for(lambda: recorder.silent)
    assert str(recorder.silence_problem).startswith("The microphone gives only silence.")
    stream.give(noise(0.1))
    wait_for(lambda: not recorder.silent)
    assert recorder.silence_problem is None
    stream.give(np.tile(hiss, 9))  # one may think for a while: noise gates give zeros
    wait_for(lambda: recorder.seconds > 12.0)
    assert not recorder.silent
    stream.give(hiss)
    wait_for(lambda: recorder.silent)
    assert recorder.running
    assert recorder.problem is None


def test_lost_sound_is_counted(make: Callable) -> None:
    recorder, stream = make()
    stream.give(noise(0.1), overflow=True)
    assert recorder.overflows == 1


# The list


def test_devices_are_read_afresh_only_while_nothing_records(sd: FakeSoundDevice, make: Callable) -> None:
    assert [(item.key, item.name, item.is_default) for item in input_devices()] == [
        ("ALSA|Headset", "Headset", True)
    ]
    begun = sd.begun
    recorder, _stream = make("")
    assert sd.begun == begun + 1
    sd.devices.append(device("Camera"))
    assert [item.name for item in input_devices()] == ["Headset", "Camera"]
    assert sd.begun == begun + 1
    recorder.stop(wait_s=5.0)
    input_devices()
    assert sd.begun == begun + 2


def test_windows_lists_each_microphone_once(sd: FakeSoundDevice, make: Callable) -> None:
    long_name = "Microphone Array (Realtek High Definition Audio)"
    sd.host_apis = [
        {"name": "MME", "default_input_device": 0},
        {"name": "Windows DirectSound", "default_input_device": 3},
        {"name": "Windows WASAPI", "default_input_device": 7},
    ]
    sd.devices = [
        device("Microsoft Sound Mapper - Input", 0),
        device(long_name[:31], 0),
        device("Speakers", 0, inputs=0, outputs=2),
        device("Primary Sound Capture Driver", 1),
        device(long_name, 1),
        device("Headset (Bluetooth)", 1),
        device("Headset (Bluetooth)", 2),
        device(long_name, 2),
    ]
    found = input_devices()
    assert [(item.key, item.is_default) for item in found] == [
        (f"Windows WASAPI|{long_name}", True),
        ("Windows WASAPI|Headset (Bluetooth)", False),
    ]
    make("Windows WASAPI|Headset (Bluetooth)")
    assert sd.asked[-1][2] == 6
    make(None)
    assert sd.asked[-1][2] == 7


def test_linux_lists_no_aliases(sd: FakeSoundDevice) -> None:
    sd.host_apis = [{"name": "ALSA", "default_input_device": 5}]
    names = ("HDA Intel PCH: ALC257 Analog (hw:0,0)", "sysdefault", "front", "samplerate", "pulse", "default")
    sd.devices = [device(name) for name in names]
    assert [item.name for item in input_devices()] == ["System default", names[0]]
