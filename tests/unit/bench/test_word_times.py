"""How far words are from where they should be."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.bench.speech_runner import TimedWord
from tests.bench.speech_sets import (
    SAMPLE_RATE_HZ,
    Clip,
    Joined,
    join,
    read_clips,
    samples,
    trimmed,
    write_wav,
)
from tests.bench.word_times import cut_errors, differences


def clip(text: str, language: str = "en") -> Clip:
    return Clip(Path(f"{text}.wav"), text, language, 1.0)


def words(*rows: tuple[str, float, float]) -> list[TimedWord]:
    return list(itertools.starmap(TimedWord, rows))


def test_first_and_last_words_are_held_against_the_cuts() -> None:
    joined = Joined(Path("j.wav"), (clip("hello there"), clip("good, bye")), ((0.0, 1.0), (1.5, 2.5)))
    placed = words((" Hello", 0.05, 0.4), (" there,", 0.5, 0.9), (" god", 1.4, 2.0), (" bye.", 2.0, 2.8))

    starts, ends = cut_errors(joined, placed)

    assert starts == pytest.approx([0.05])  # "god" is not "good": no word to measure
    assert ends == pytest.approx([0.1, 0.3])


def test_a_word_of_several_characters_counts_by_its_first_and_last() -> None:
    joined = Joined(Path("j.wav"), (clip("北湖公园", "zh"),), ((0.0, 1.0),))

    assert cut_errors(joined, words(("北湖", 0.1, 0.5), ("公園", 0.5, 0.8))) == ([0.1], [pytest.approx(0.2)])


def test_words_that_both_heard_are_compared() -> None:
    ours = words((" one", 0.0, 0.5), (" dog", 0.5, 1.0))
    theirs = words((" One,", 0.1, 0.5), (" cat", 0.5, 1.0))

    assert differences(ours, theirs, "en") == pytest.approx([0.1, 0.0])


def test_joined_clips_lie_where_the_spans_say(tmp_path: Path) -> None:
    folder = tmp_path / "测试 ü" / "de"
    folder.mkdir(parents=True)
    tone = (np.sin(np.arange(SAMPLE_RATE_HZ) / 5) / 2).astype(np.float32)
    quiet = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
    write_wav(folder / "a.wav", np.concatenate([quiet, tone, quiet]))
    (folder / "transcripts.tsv").write_text("a.wav\tEin Ton\n", "utf-8")

    (own,) = read_clips(tmp_path)
    joined = join([own, own], tmp_path / "joined.wav", gap_s=0.5, trim=True)

    assert (own.language, own.text, own.duration_s) == ("de", "Ein Ton", pytest.approx(2.0))
    assert joined.spans_s == (
        (0.0, pytest.approx(1.0, abs=0.03)),
        (pytest.approx(1.5, abs=0.03), pytest.approx(2.5, abs=0.05)),
    )
    assert len(samples(joined.file)) / SAMPLE_RATE_HZ == pytest.approx(joined.duration_s, abs=0.01)
    assert len(samples(join([own], tmp_path / "long.wav", 5.0).file)) == 5 * SAMPLE_RATE_HZ
    assert not len(trimmed(quiet[:0]))
