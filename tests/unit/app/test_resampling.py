"""Sound at another rate, as it flows."""

from __future__ import annotations

import numpy as np
import pytest

from app.resampling import Resampler


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (16_000, 44_100)]
)
def test_a_tone_stays_itself(from_hz: int, to_hz: int) -> None:
    """No step where blocks meet, nothing lost, nothing late."""
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * from_hz) / from_hz)).astype(np.float32)
    resampler = Resampler(from_hz, to_hz)
    size = from_hz // 33
    parts = [resampler.push(tone[at : at + size]) for at in range(0, len(tone), size)]
    sound = np.concatenate([*parts, resampler.push(tone[:0]), resampler.flush()])
    assert sound.dtype == np.float32
    assert len(sound) == 3 * to_hz
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(sound)) / to_hz)
    assert np.abs(sound - wanted)[100:-100].max() < 1e-4


def test_equal_rates_pass_through() -> None:
    resampler = Resampler(16_000, 16_000)
    block = np.ones(7, np.float32)
    assert resampler.push(block) is block
    assert not len(resampler.flush())


def test_nothing_in_nothing_out() -> None:
    assert not len(Resampler(44_100, 16_000).flush())
