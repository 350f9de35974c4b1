"""Every published size of Whisper is the one description with other numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the export extra")

from engine.errors import EngineError
from export.checkpoints.whisper import whisper_shapes
from export.whisper_config import GenerationInfo, WhisperConfig, upper_half

# Mels, vocabulary, hidden size, heads, layers of encoder and decoder; and millions of parameters as published.
SIZES = {
    "tiny.en": (80, 51864, 384, 6, 4, 4, 39),
    "tiny": (80, 51865, 384, 6, 4, 4, 39),
    "base": (80, 51865, 512, 8, 6, 6, 74),
    "small": (80, 51865, 768, 12, 12, 12, 244),
    "medium": (80, 51865, 1024, 16, 24, 24, 769),
    "large-v2": (80, 51865, 1280, 20, 32, 32, 1550),
    "large-v3": (128, 51866, 1280, 20, 32, 32, 1550),
    "large-v3-turbo": (128, 51866, 1280, 20, 32, 4, 809),
}


@pytest.mark.parametrize("name", SIZES)
def test_published_sizes(name: str) -> None:
    mels, vocab_size, hidden_size, heads, encoder_layers, decoder_layers, millions = SIZES[name]
    config = WhisperConfig(mels, vocab_size, hidden_size, heads, encoder_layers, decoder_layers)
    assert config == WhisperConfig.from_openai(
        {
            "n_mels": mels,
            "n_audio_ctx": 1500,
            "n_audio_state": hidden_size,
            "n_audio_head": heads,
            "n_audio_layer": encoder_layers,
            "n_vocab": vocab_size,
            "n_text_ctx": 448,
            "n_text_state": hidden_size,
            "n_text_head": heads,
            "n_text_layer": decoder_layers,
        }
    )
    shapes = whisper_shapes(config)
    assert config == WhisperConfig.from_shapes(shapes, heads)
    total = sum(math.prod(shape) for shape in shapes.values())
    assert config.head_size == 64
    assert config.parameters == pytest.approx(total, rel=0.03)
    assert total == pytest.approx(millions * 1e6, rel=0.04)


@pytest.mark.parametrize("heads", [0, -1, 3, True, 1 << 40, 8.0, "8", None])
def test_heads_that_cannot_be_are_refused(heads: Any) -> None:
    with pytest.raises(EngineError, match="configuration cannot be used"):
        WhisperConfig(80, 300, 64, heads, 1, 1)


def test_the_upper_half_of_an_odd_number_of_layers() -> None:
    config = WhisperConfig(80, 300, 64, 2, 1, 3)
    assert upper_half(config) == ((1, 0), (1, 1), (2, 0), (2, 1))
    with pytest.raises(EngineError, match="no token 300"):
        GenerationInfo((), (300,), (), False).check(config)
