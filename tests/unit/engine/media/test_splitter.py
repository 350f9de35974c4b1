"""Where sound is cut, with a detector whose probabilities are given."""

from __future__ import annotations

import numpy as np
import pytest

from engine.media.vad import Chunk, SplitOptions, Splitter

W = 512 / 16_000


class GivenVad:
    """Says what it is told, a probability for each window."""

    def __init__(self, likely: np.ndarray) -> None:
        self.likely = likely
        self.at = self.left = 0

    def probabilities(self, samples: np.ndarray) -> np.ndarray:
        windows, self.left = divmod(self.left + len(samples), 512)
        self.at += windows
        return self.likely[self.at - windows : self.at].astype(np.float32)

    def reset(self) -> None:
        self.left = 0


def windows(*parts: tuple[float, float]) -> np.ndarray:
    """(seconds, probability) one after the other"""
    return np.concatenate([np.full(round(seconds / W), likely) for seconds, likely in parts])


def split(
    likely: np.ndarray, options: SplitOptions | None = None, start_s: float = 0.0, step: int = 4000
) -> list[Chunk]:
    """All chunks; checks on the way what always holds."""
    options = options or SplitOptions()
    sound = np.random.default_rng(0).normal(size=len(likely) * 512).astype(np.float32)
    splitter = Splitter(GivenVad(np.append(likely, 0.0)), options, start_s)
    chunks: list[Chunk] = []
    safe_s = splitter.safe_s
    for at in range(0, len(sound), step):
        found = splitter.push(sound[at : at + step])
        assert all(chunk.start_s >= safe_s for chunk in found)  # nothing comes late
        chunks += found
        assert splitter.safe_s >= safe_s
        safe_s = splitter.safe_s
        assert splitter.heard_s == pytest.approx(start_s + min(at + step, len(sound)) / 16_000)
        now = splitter.current()
        if now is not None:
            place = round((now.start_s - start_s) * 16_000)
            assert np.array_equal(now.samples, sound[place : place + len(now.samples)])
            assert now.end_s <= splitter.heard_s + 1e-9
        assert splitter._sound._room.nbytes < 12e6
    chunks += splitter.flush()
    assert splitter.safe_s == splitter.heard_s
    end_s = start_s
    for chunk in chunks:
        place = round((chunk.start_s - start_s) * 16_000)
        assert np.array_equal(chunk.samples, sound[place : place + len(chunk.samples)])
        assert chunk.start_s >= end_s - 1e-9
        assert len(chunk.samples) <= options.longest_s * 16_000
        end_s = chunk.end_s
    return chunks


def test_silence_gives_nothing() -> None:
    assert split(windows((20, 0.1))) == []


def test_a_span_comes_with_its_pads() -> None:
    [chunk] = split(windows((3.2, 0.1), (2.56, 0.9), (3.2, 0.1)))
    assert chunk.start_s == pytest.approx(3.0, abs=1e-6)
    assert chunk.end_s == pytest.approx(5.96, abs=1e-6)
    assert chunk.speech_s == pytest.approx(2.56, abs=1e-6)
    assert not chunk.cut


def test_times_count_from_where_the_sound_stands() -> None:
    [chunk] = split(windows((3.2, 0.1), (2.56, 0.9), (3.2, 0.1)), start_s=1000.25)
    assert chunk.start_s == pytest.approx(1003.25, abs=1e-6)


def test_short_noises_are_left_out_and_short_gaps_are_no_end() -> None:
    assert split(windows((1, 0.1), (0.16, 0.9), (3, 0.1))) == []
    [chunk] = split(windows((1, 0.1), (1, 0.9), (0.064, 0.1), (1, 0.9), (3, 0.1)))
    assert chunk.speech_s == pytest.approx(2.064, abs=0.1)


def test_the_middle_between_the_thresholds_keeps_what_there_was() -> None:
    assert split(windows((5, 0.45))) == []
    [chunk] = split(windows((1, 0.1), (1, 0.9), (2, 0.45), (3, 0.1)))
    assert chunk.speech_s == pytest.approx(3, abs=0.1)


def test_near_spans_are_joined_and_far_ones_are_not() -> None:
    near = windows((1, 0.1), (2, 0.9), (1.2, 0.1), (2, 0.9), (3, 0.1))
    [chunk] = split(near)
    assert chunk.speech_s == pytest.approx(4, abs=0.1)
    assert chunk.end_s - chunk.start_s == pytest.approx(5.6, abs=0.1)
    assert len(split(windows((1, 0.1), (2, 0.9), (1.7, 0.1), (2, 0.9), (3, 0.1)))) == 2
    assert len(split(near, SplitOptions(gap_s=0.5))) == 2


def test_pads_share_a_short_pause() -> None:
    first, second = split(windows((15, 0.9), (0.192, 0.1), (20, 0.9), (3, 0.1)))
    assert not first.cut
    assert first.end_s == pytest.approx(second.start_s)
    assert first.end_s == pytest.approx(15 + 0.192 / 2, abs=0.05)


def test_what_does_not_fit_begins_a_new_chunk() -> None:
    chunks = split(windows(*((4, 0.9), (1, 0.1)) * 12))
    assert sum(chunk.speech_s for chunk in chunks) == pytest.approx(48, abs=1)
    assert not any(chunk.cut for chunk in chunks)
    assert max(chunk.end_s - chunk.start_s for chunk in chunks) > 20


def test_speech_without_pause_is_cut_where_it_is_least_likely() -> None:
    likely = windows((70, 0.9))
    likely[round(25.6 / W)] = 0.55
    first, second, third = split(likely)
    assert first.cut and second.cut and not third.cut
    assert first.end_s == pytest.approx(25.6 + W / 2, abs=1e-6)
    assert second.start_s == first.end_s
    assert first.start_s == 0 and third.end_s == pytest.approx(len(likely) * W)
    assert sum(len(chunk.samples) for chunk in (first, second, third)) == len(likely) * 512


def test_the_end_of_the_sound_ends_the_chunk() -> None:
    [chunk] = split(windows((1, 0.1), (2, 0.9)))
    assert chunk.end_s == pytest.approx(len(windows((1, 0.1), (2, 0.9))) * W)


@pytest.mark.parametrize("step", [100, 512, 4096, 10**7])
def test_how_it_is_pushed_does_not_matter(step: int) -> None:
    likely = (np.random.default_rng(5).random(6000) ** 2).repeat(4)[:9000]
    expected = split(likely, step=16_000)
    found = split(likely, step=step)
    assert [(c.start_s, c.end_s, c.cut) for c in found] == [(c.start_s, c.end_s, c.cut) for c in expected]


def test_it_goes_on_after_a_flush() -> None:
    likely = windows((1, 0.1), (2, 0.9), (0.5, 0.9), (3, 0.1))
    splitter = Splitter(GivenVad(likely))
    first = splitter.push(np.zeros(round(3 / W) * 512, np.float32)) + splitter.flush()
    assert len(first) == 1 and not splitter.speaking
    second = splitter.push(np.zeros(round(3.5 / W) * 512, np.float32)) + splitter.flush()
    assert len(second) == 1
    assert second[0].start_s >= first[0].end_s


def test_speaking_and_current() -> None:
    splitter = Splitter(GivenVad(windows((1, 0.1), (2, 0.9), (4, 0.1))))
    splitter.push(np.zeros(16_000, np.float32))
    assert not splitter.speaking and splitter.current() is None
    splitter.push(np.zeros(24_000, np.float32))
    assert splitter.speaking
    now = splitter.current()
    assert now is not None and now.start_s == pytest.approx(0.8, abs=0.05) and now.end_s == 2.5
    splitter.push(np.zeros(16_000, np.float32))
    assert not splitter.speaking and splitter.current() is not None  # more could join it
    assert len(splitter.push(np.zeros(32_000, np.float32))) == 1
    assert splitter.current() is None


@pytest.mark.parametrize("wrong", [{"longest_s": 0.5}, {"pad_s": -1}, {"threshold": 0.2}, {"pad_s": 20}])
def test_options_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        SplitOptions(**wrong)
