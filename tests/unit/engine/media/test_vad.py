"""Silero's detector on real sound, in pieces of any length, and its absence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine import folders
from engine.errors import EngineError
from engine.media.audio import AudioFile
from engine.media.vad import Splitter, Vad
from tests.unit.engine.media.sounds import CLIPS


@pytest.fixture(scope="module")
def vad() -> Vad:
    return Vad.open()


def clip(name: str) -> np.ndarray:
    with AudioFile.open(CLIPS / name) as audio:
        return np.concatenate(list(audio.blocks()))


def test_speech_is_told_from_music_and_silence(vad: Vad) -> None:
    vad.reset()
    assert vad.probabilities(clip("english.flac")).mean() > 0.6
    vad.reset()
    assert vad.probabilities(clip("music.opus")).max() < 0.5
    vad.reset()
    assert vad.probabilities(np.zeros(48_000, np.float32)).max() < 0.5


def test_pieces_of_any_length_give_the_same(vad: Vad) -> None:
    sound = clip("chinese.flac")
    vad.reset()
    whole = vad.probabilities(sound)
    assert len(whole) == len(sound) // 512
    vad.reset()
    parts = [vad.probabilities(sound[at : at + 777]) for at in range(0, len(sound), 777)]
    assert np.abs(np.concatenate(parts) - whole).max() < 1e-5


def test_a_clip_is_split_exactly(vad: Vad) -> None:
    sound = np.concatenate((np.zeros(40_000, np.float32), clip("english.flac"), np.zeros(40_000, np.float32)))
    splitter = Splitter(vad, start_s=100.0)
    chunks = [chunk for at in range(0, len(sound), 3000) for chunk in splitter.push(sound[at : at + 3000])]
    chunks += splitter.flush()
    assert len(chunks) == 1
    [chunk] = chunks
    at = round(chunk.start_s * 16_000) - 1_600_000
    assert np.array_equal(chunk.samples, sound[at : at + len(chunk.samples)])
    assert chunk.start_s == pytest.approx(102.3, abs=0.3)
    assert chunk.end_s == pytest.approx(113.1, abs=0.5)


def test_a_missing_model_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "resources_folder", lambda: tmp_path)
    with pytest.raises(EngineError, match="missing or damaged"):
        Vad.open()
    (tmp_path / "vad").mkdir()
    (tmp_path / "vad" / "silero_vad_16k_sequence.onnx").write_bytes(b"no model")
    with pytest.raises(EngineError, match="missing or damaged"):
        Vad.open()
