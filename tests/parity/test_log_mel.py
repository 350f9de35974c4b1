"""Our log-mel picture is that of ``transformers``' Whisper feature extractor, which follows OpenAI's reference."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.mel import log_mel, mel_filters

pytest.importorskip("transformers")
from transformers import WhisperFeatureExtractor

BOUND = 1e-4
RATE_HZ = 16_000


def sweep(seconds: float) -> np.ndarray:
    """Rising tones and noise that come and go: loud, soft and silent frames."""
    random = np.random.default_rng(3)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    tone = 0.5 * np.sin(2 * np.pi * (100 + 120 * t) * t) * (np.sin(t * 5) > 0)
    return (tone + random.normal(size=len(t)) * 0.02 * (np.sin(t * 3) > -0.5)).astype(np.float32)


@pytest.mark.parametrize("mels", [80, 128])
@pytest.mark.parametrize("seconds", [30.0, 30.0049, 3.3, 0.4, 0.01])
def test_equals_the_reference(mels: int, seconds: float) -> None:
    sound = sweep(seconds)
    extractor = WhisperFeatureExtractor(feature_size=mels)
    reference = extractor(sound, sampling_rate=RATE_HZ, return_tensors="np").input_features[0]
    ours = log_mel(sound, mels, 3000)
    assert ours.shape == reference.shape
    assert np.abs(ours - reference).max() < BOUND


@pytest.mark.parametrize("mels", [80, 128])
def test_equals_the_reference_without_padding(mels: int) -> None:
    sound = sweep(7.123)
    extractor = WhisperFeatureExtractor(feature_size=mels)
    reference = extractor(sound, sampling_rate=RATE_HZ, return_tensors="np", padding=False, truncation=False)  # pyright: ignore[reportArgumentType]
    assert np.abs(log_mel(sound, mels) - reference.input_features[0][:, : len(sound) // 160]).max() < BOUND


def test_silence_equals_the_reference() -> None:
    silence = np.zeros(RATE_HZ * 2, np.float32)
    extractor = WhisperFeatureExtractor(feature_size=80)
    reference = extractor(silence, sampling_rate=RATE_HZ, return_tensors="np").input_features[0]
    assert np.abs(log_mel(silence, 80, 3000) - reference).max() < BOUND


@pytest.mark.parametrize("mels", [80, 128])
def test_filters_equal_the_reference(mels: int) -> None:
    reference = np.asarray(WhisperFeatureExtractor(feature_size=mels).mel_filters).T
    assert np.abs(mel_filters(mels) - reference).max() < 1e-7
