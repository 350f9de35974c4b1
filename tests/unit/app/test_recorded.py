"""The growing WAV and the backlog, in any order of writing and reading."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from app import recorded
from app.recorded import HEADER_BYTES, Backlog, GrowingWav


def test_a_torn_write_leaves_a_whole_file(pollux_home: Path) -> None:
    """Killed between the sound and the header: the header counts less than there is, and players read that."""
    path = pollux_home / "a.wav"
    file = GrowingWav(path)
    file.write(np.full(100, 0.5, np.float32))
    with path.open("ab") as torn:
        torn.write(b"\1" * 33)
    with wave.open(str(path), "rb") as read:
        assert read.getnframes() == 100
    file.write(np.full(100, -2.0, np.float32))  # clipped
    file.close()
    with wave.open(str(path), "rb") as read:
        sound = np.frombuffer(read.readframes(999), "<i2")
    assert (sound[99], sound[100], len(sound)) == (16384, -32767, 200)
    assert path.stat().st_size == HEADER_BYTES + 400


def test_reads_all_in_order(pollux_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MEMORY_S", 1.0)
    monkeypatch.setattr(recorded, "LONGEST_READ_S", 0.7)
    random = np.random.default_rng(1)
    sound = (np.arange(100_000) % 30_000 / 32_767).astype(np.float32)
    file, backlog = GrowingWav(pollux_home / "a.wav"), Backlog()
    heard, at = [], 0
    while at < len(sound):
        block = sound[at : at + int(random.integers(1, 3_000))]
        at += len(block)
        file.write(block)
        backlog.push(block, file.path, file.samples)
        if random.random() < 0.05:
            heard.append(backlog.read(0.0))
    assert backlog.waiting_s > 2.0
    backlog.end()
    while (block := backlog.read(0.0)) is not None:
        heard.append(block)
    assert np.array_equal(np.concatenate(heard), sound)
    assert backlog.read(0.0) is None


def test_a_lost_disk_keeps_the_times(pollux_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MEMORY_S", 0.1)
    file, backlog = GrowingWav(pollux_home / "a.wav"), Backlog()
    for _ in range(5):
        block = np.ones(1_600, np.float32)
        file.write(block)
        backlog.push(block, file.path, file.samples)
    file.close()
    file.path.unlink()
    backlog.end()
    first, second = backlog.read(0.0), backlog.read(0.0)
    assert first is not None
    assert second is not None
    assert len(first) + len(second) == 8_000
    assert not first.any()
    assert second.all()
