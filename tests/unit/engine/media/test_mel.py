"""The shape of the log-mel picture, its padding and its speed; its numbers are compared in tests/parity."""

from __future__ import annotations

import time

import numpy as np
import pytest

from engine.media.mel import log_mel, mel_filters


@pytest.mark.parametrize(("samples", "frames"), [(16_000, 100), (16_159, 100), (159, 0), (0, 0)])
def test_one_frame_each_10_ms(samples: int, frames: int) -> None:
    assert log_mel(np.ones(samples, np.float32)).shape == (80, frames)


def test_padding_is_silence_that_is_heard() -> None:
    sound = np.random.default_rng(0).normal(size=50_000).astype(np.float32)
    padded = np.concatenate((sound, np.zeros(480_000 - len(sound), np.float32)))
    assert np.allclose(log_mel(sound, 80, 3000), log_mel(padded), atol=1e-6)
    assert np.allclose(log_mel(padded, 80, 700), log_mel(padded[: 700 * 160]), atol=1e-6)


def test_no_sound_at_all() -> None:
    assert np.allclose(log_mel(np.zeros(0, np.float32), 80, 300), -1.5)
    assert np.allclose(log_mel(np.zeros(4000, np.float32), 128), -1.5)


def test_a_tone_is_where_it_should_be() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    loudest = log_mel(tone).mean(axis=1).argmax()
    assert mel_filters(80)[loudest].argmax() == 1000 // 40


def test_thirty_seconds_take_milliseconds() -> None:
    sound = np.random.default_rng(0).normal(size=480_000).astype(np.float32)
    log_mel(sound)
    times = []
    for _ in range(5):
        begin = time.process_time()
        log_mel(sound)
        times.append(time.process_time() - begin)
    assert min(times) < 0.1  # 6 ms on an idle core
