"""Words and their times: the warping against two plain loops, the cutting by hand, times by drawn attention."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from engine.runtime.alignment import POSITION_S, token_times, warp, words
from engine.runtime.speech_tokens import SpeechTokens
from tests.unit.engine.runtime.scripted_speech import say, speech_pack


@pytest.fixture
def tokens(tmp_path: Path) -> SpeechTokens:
    return SpeechTokens.read(speech_pack(tmp_path / "语音 ü"))


def plain_warp(costs: np.ndarray) -> tuple[list[int], float]:
    """The column at which the way enters each row, and what it costs: from the end back, as in the textbook."""
    rows, columns = costs.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0
    came = np.zeros((rows + 1, columns + 1), int)
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            both, down, right = total[row - 1, column - 1], total[row - 1, column], total[row, column - 1]
            came[row, column] = int(np.argmin([both, down, right]))
            total[row, column] = costs[row - 1, column - 1] + min(both, down, right)
    entered = [0] * rows
    row, column = rows, columns
    while row:
        entered[row - 1] = column - 1
        step = came[row, column]
        row -= step != 2
        column -= step != 1
    return entered, float(total[rows, columns])


def cost_of(costs: np.ndarray, entered: np.ndarray) -> float:
    """What the cheapest way costs that enters the rows there: each row is left straight or aslant."""
    total = 0.0
    ends = [*(int(column) for column in entered[1:]), costs.shape[1] - 1]
    for row, (first, last) in enumerate(zip(entered, ends, strict=True)):
        straight = costs[row, first : last + 1].sum()
        if row < len(entered) - 1 and last > first:
            straight = min(straight, costs[row, first:last].sum())
        total += straight
    return total


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (3, 50), (50, 3), (12, 40), (30, 120)])
def test_warp_equals_two_loops(shape: tuple[int, int]) -> None:
    for seed in range(5):
        costs = np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)
        entered = warp(costs)
        expected, total = plain_warp(costs)
        assert entered[0] == 0 and (np.diff(entered) >= 0).all()
        assert entered.tolist() == expected
        assert cost_of(costs, entered) == pytest.approx(total, abs=1e-3)


def test_warp_with_equal_costs() -> None:
    """Where all ways cost the same per cell, the shortest is the cheapest."""
    assert warp(np.ones((4, 4), np.float32)).tolist() == [0, 1, 2, 3]
    assert warp(np.zeros((3, 5), np.float32))[0] == 0


def test_warp_is_quick() -> None:
    costs = np.random.default_rng(0).normal(0, 1, (224, 1500)).astype(np.float32)
    started_s = time.process_time()
    warp(costs)
    assert time.process_time() - started_s < 1  # two loops would take minutes


def attention(starts: list[int], positions: int, heads: int = 3, noise: float = 0.02) -> np.ndarray:
    """[heads, T, positions]: token t is looked for from ``starts[t]`` to where the next begins."""
    dice = np.random.default_rng(1)
    weights = np.abs(dice.normal(0, noise, (heads, len(starts), positions)))
    for row, (first, end) in enumerate(zip(starts, [*starts[1:], positions], strict=True)):
        weights[:, row, first:end] += 1
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)


def test_times_of_tokens() -> None:
    starts = [0, 12, 30, 75, 110, 160]
    found = token_times(attention(starts, 200), 200)
    assert found == pytest.approx(np.array(starts) * POSITION_S, abs=0.05)


def test_the_padding_is_not_sound() -> None:
    """Where a model looks behind the end of the sound, that does not move the words."""
    starts = [0, 20, 50, 90]
    weights = np.concatenate((attention(starts, 120), np.full((3, 4, 80), 0.05, np.float32)), axis=-1)
    found = token_times(weights, 120)
    assert found == pytest.approx(np.array(starts) * POSITION_S, abs=0.05)
    assert found.max() < 120 * POSITION_S


@pytest.mark.parametrize(("tokens_", "positions"), [(1, 50), (4, 1), (4, 2), (2, 0), (40, 10)])
def test_hardly_any_sound(tokens_: int, positions: int) -> None:
    weights = np.full((2, tokens_, 60), 1 / 60, np.float32)
    found = token_times(weights, positions)
    assert len(found) == tokens_ and np.isfinite(found).all()
    assert found.min() >= 0 and found.max() <= max(positions, 1) * POSITION_S


def test_weights_that_are_all_zero() -> None:
    assert np.isfinite(token_times(np.zeros((2, 3, 20), np.float32), 20)).all()


def cut(tokens: SpeechTokens, text: str, language: str = "en") -> list[str]:
    ids = say(tokens, text)
    found = words(tokens.tokenizer, ids, language)
    assert "".join(word.text for word in found) == text
    assert [word.first for word in found] == [0, *(word.end for word in found)][:-1]
    assert not found or found[-1].end == len(ids)
    return [word.text for word in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" hello world", [" hello", " world"]),
        (" hello, world.", [" hello,", " world."]),
        ("hello", ["hello"]),
        (" Mr. cat's hat", [" Mr.", " cat's", " hat"]),
        (' "hello world!" the cat', [' "hello', ' world!"', " the", " cat"]),
        (" (the cat) sat...", [" (the", " cat)", " sat..."]),
        (" it's 3.50 naïve café", [" it's", " 3.50", " naïve", " café"]),
        (" the 你好 cat", [" the", " 你好", " cat"]),
        ("...", ["..."]),
        (" -", [" -"]),
        (" at 3 o'clock, well-known U.S. hats", [" at", " 3", " o'clock,", " well-known", " U.S.", " hats"]),
        (" cat—hat", [" cat", "—hat"]),
        ("", []),
    ],
)
def test_words_between_spaces(tokens: SpeechTokens, text: str, expected: list[str]) -> None:
    assert cut(tokens, text) == expected


@pytest.mark.parametrize("language", ["zh", "ja", "yue"])
def test_characters_without_spaces(tokens: SpeechTokens, language: str) -> None:
    """A character has three tokens here: they stay together."""
    assert cut(tokens, "你好，我是中国人。", language) == ["你", "好，", *"我是中国", "人。"]
    assert cut(tokens, "他说：“好”。", language) == ["他", "说：", "“好”。"]


def test_broken_characters(tokens: SpeechTokens) -> None:
    """An answer may end, or go on, in the midst of a character."""
    whole = say(tokens, "好")
    found = words(tokens.tokenizer, [*whole[:2], *say(tokens, " hello")], "zh")
    assert found[-1].end == 3 and "\ufffd" in found[0].text
    assert words(tokens.tokenizer, whole[:1], "zh")[0].text == "\ufffd"
    many = words(tokens.tokenizer, [whole[1]] * 40, "zh")  # none of it will ever be a character
    assert [span.first for span in many] == [0, *(span.end for span in many)][:-1] and many[-1].end == 40
