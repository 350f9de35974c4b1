"""The player on a sound system that the test drives: what is played, the position that is heard, its problems."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app import playback as module
from app.player import Player
from engine.errors import EngineError
from tests.unit.app.fake_sounddevice import FakeSoundDevice, PortAudioError, Stream, device

RATE_HZ = 16_000
RAMP = (np.arange(3 * RATE_HZ) // 3).astype("<i2")  # each sample says where it is


@pytest.fixture
def recording(pollux_home: Path) -> Path:
    path = pollux_home / "录音 ü.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(RAMP.tobytes())
    return path


@pytest.fixture
def player(qtbot: QtBot, sd: FakeSoundDevice) -> Iterator[Player]:
    made = Player()
    yield made
    made.close(5.0)


def playing_stream(qtbot: QtBot, sd: FakeSoundDevice, count: int = 1) -> Stream:
    """The stream of the ``count``-th time that something played."""
    qtbot.waitUntil(lambda: len(sd.streams) >= count and sd.streams[count - 1].started)
    return sd.streams[count - 1]


def take(qtbot: QtBot, stream: Stream, seconds: float) -> np.ndarray:
    """What the device plays; the decoder is a thread, so ask as a device does until enough came."""
    taken: list[np.ndarray] = []

    def enough() -> bool:
        block = stream.take(800)[:, 0]
        taken.append(block[: len(np.trim_zeros(block, "b"))])
        return sum(len(part) for part in taken) >= seconds * stream.rate_hz

    qtbot.waitUntil(enough)
    return np.concatenate(taken)


def test_plays_and_tells_what_is_heard(
    qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path
) -> None:
    positions: list[float] = []
    player.position_changed.connect(positions.append)
    with qtbot.waitSignal(player.duration_changed) as known:
        player.load(recording)
    assert known.args == [3.0]
    assert not player.playing
    with qtbot.waitSignal(player.playing_changed) as changed:
        player.play(1.0)
    assert changed.args == [True]
    stream = playing_stream(qtbot, sd)
    heard = take(qtbot, stream, 0.5)
    assert np.round(heard[:8_000] * 32768) == pytest.approx(RAMP[RATE_HZ : RATE_HZ + 8_000], abs=1)
    assert stream.channels == 2
    qtbot.waitUntil(lambda: positions[-1] > 1.3)
    assert max(positions) <= 1.0 + len(heard) / RATE_HZ  # never what was not yet given
    player.pause()
    at_s = player.position_s
    assert at_s == positions[-1]
    assert not player.playing
    qtbot.waitUntil(lambda: stream.closed)
    player.play()
    again = take(qtbot, playing_stream(qtbot, sd, 2), 0.1)
    assert np.round(again[0] * 32768) == pytest.approx(at_s * RATE_HZ / 3, abs=1)


def test_ends_at_the_end_and_begins_again(
    qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path
) -> None:
    with qtbot.waitSignal(player.duration_changed):
        player.load(recording)
    player.play(2.9)
    stream = playing_stream(qtbot, sd)
    with qtbot.waitSignals([player.ended, player.playing_changed]):
        assert len(take(qtbot, stream, 0.1)) == RATE_HZ // 10
        while not player._playback._finished.is_set():  # type: ignore[union-attr]
            stream.take(800)
    assert not player.playing
    assert player.position_s == pytest.approx(3.0)
    player.play()
    playing_stream(qtbot, sd, 2)
    assert player.position_s < 0.5


def test_plays_a_piece(qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path) -> None:
    player.load(recording)
    player.play(1.0, 1.25)
    stream = playing_stream(qtbot, sd)
    with qtbot.waitSignal(player.ended):
        heard = take(qtbot, stream, 0.25)
        while not player._playback._finished.is_set():  # type: ignore[union-attr]
            stream.take(800)
    assert len(heard) == RATE_HZ // 4
    assert player.position_s == pytest.approx(1.25)


def test_seeks(qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path) -> None:
    with qtbot.waitSignal(player.duration_changed):
        player.load(recording)
    player.seek(99.0)
    assert player.position_s == 3.0
    player.seek(0.5)
    assert (player.position_s, player.playing) == (0.5, False)
    player.play()
    playing_stream(qtbot, sd)
    player.seek(2.0)
    assert player.playing
    stream = playing_stream(qtbot, sd, 2)
    assert sd.streams[0].closed  # some devices take one stream only
    assert np.round(take(qtbot, stream, 0.1)[0] * 32768) == pytest.approx(2.0 * RATE_HZ / 3, abs=1)


def test_a_device_with_another_rate(
    qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path
) -> None:
    sd.refuse = lambda asked: (
        PortAudioError("Invalid sample rate", -9997) if asked["samplerate"] == RATE_HZ else None
    )
    player.load(recording)
    player.play(1.0)
    stream = playing_stream(qtbot, sd)
    assert stream.rate_hz == 48_000
    heard = take(qtbot, stream, 0.3)
    assert np.round(heard[3 * 1_600] * 32768) == pytest.approx((RATE_HZ + 1_600) / 3, abs=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("none", "No loudspeaker or headphones were found."),
        ("busy", "The loudspeaker is in use by another program."),
        ("odd", "The sound cannot be played: Input/output error."),
    ],
)
def test_problems_of_the_loudspeaker(
    qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path, *, change: str, message: str
) -> None:
    if change == "none":
        sd.devices = [device("Headset")]
    elif change == "busy":
        sd.refuse = lambda _asked: PortAudioError("Device unavailable", -9985)
    else:
        sd.refuse = lambda _asked: PortAudioError("Host error", -9999, (0, -5, "Input/output error"))
    player.load(recording)
    with qtbot.waitSignal(player.failed) as failed:
        player.play()
    assert failed.args is not None
    error = failed.args[0]
    assert isinstance(error, EngineError)
    assert error.message == message
    assert error.hint
    assert not player.playing


@pytest.mark.parametrize("how", ["ends", "stalls"])
def test_loudspeaker_is_unplugged(
    qtbot: QtBot,
    sd: FakeSoundDevice,
    player: Player,
    recording: Path,
    *,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "GONE_S", 0.1)
    player.load(recording)
    with qtbot.waitSignal(player.failed) as failed:
        player.play()
        stream = playing_stream(qtbot, sd)
        if how == "ends":
            stream.vanish()
    assert failed.args is not None
    assert failed.args[0].message == "The loudspeaker was disconnected."
    assert player.position_s == 0.0


def test_a_file_that_is_gone(qtbot: QtBot, player: Player, recording: Path) -> None:
    recording.unlink()
    with qtbot.waitSignal(player.failed) as failed:
        player.load(recording)
    assert failed.args is not None
    assert isinstance(failed.args[0], EngineError)
    with qtbot.waitSignal(player.failed):
        player.play()
    assert not player.playing


def test_close_lets_go(qtbot: QtBot, sd: FakeSoundDevice, player: Player, recording: Path) -> None:
    player.load(recording)
    player.play()
    stream = playing_stream(qtbot, sd)
    player.close(5.0)
    assert stream.closed
    assert not player.playing
    player.play()
    assert not player.playing
