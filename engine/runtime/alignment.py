"""When each word is said, from where the decoder's alignment heads look.

In: cross-attention weights [A, T, S] (A heads, T tokens, S positions of 20 ms) and the tokens of a text. Out: words with
times. The method is that of OpenAI's ``whisper/timing.py``: the weights of the tokens are set off against each other,
smoothed, and dynamic time warping (Giorgino 2009, symmetric steps) finds the way through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.runtime.tokens import REPLACEMENT, Tokenizer

MEDIAN_WIDTH = 7  # positions; an odd number
POSITION_S = 0.02
# Written without spaces between words: a "word" is a character, or what is shorter than a token.
WITHOUT_SPACES = frozenset(("zh", "ja", "th", "lo", "my", "yue"))
BEFORE_A_WORD = "\"'“‘¿¡([{「『（《〈-"
INSIDE_A_WORD = frozenset(
    "'’-.,:/&@_"
)  # o'clock, well-known, 3.50: with the next letters still the same word
AFTER_A_WORD = "\"'”’.。,，!！?？:：;；)]}、」』）》〉…"


@dataclass(frozen=True)
class TokenSpan:
    """A word: its text, and which of the tokens it is made of (from, up to)."""

    text: str
    first: int
    end: int


def token_times(weights: NDArray[np.float32], positions: int) -> NDArray[np.float64]:
    """When each token begins, in seconds: [T].

    ``weights`` [A, T, S] of which the first ``positions`` are sound; the rows are the tokens in order. Row t says where
    the model looked while it chose the token after t.
    """
    sound = weights[:, :, : max(positions, 1)].astype(np.float32)
    sound = sound / np.maximum(sound.sum(axis=-1, keepdims=True), 1e-9)
    spread = np.maximum(sound.std(axis=1, keepdims=True), 1e-9)
    relative = (sound - sound.mean(axis=1, keepdims=True)) / spread
    costs = -_median(relative).mean(axis=0)  # [T, positions]
    return warp(costs).astype(np.float64) * POSITION_S


def warp(costs: NDArray[np.float32]) -> NDArray[np.int64]:
    """The column at which the cheapest way through ``costs`` [T, S] enters each row: [T].

    Steps go down, right, or both. Worked out one antidiagonal at a time, since each depends on the two before only.
    """
    rows, columns = costs.shape
    padded = np.full((rows, columns + rows - 1), np.inf, np.float32)  # row t moved t to the right
    for row in range(rows):
        padded[row, row : row + columns] = costs[row]
    steps = np.zeros((rows, columns + rows - 1), np.int8)
    before = np.full(rows + 1, np.inf, np.float32)  # the antidiagonal before the last, with one cell in front
    last = np.full(rows + 1, np.inf, np.float32)
    before[0] = 0.0  # the way begins in front of the first cell
    for at in range(columns + rows - 1):
        both, down, right = before[:-1], last[:-1], last[1:]
        step = np.where((both <= down) & (both <= right), 0, np.where(down <= right, 1, 2)).astype(np.int8)
        best = np.minimum(np.minimum(both, down), right)
        now = np.full(rows + 1, np.inf, np.float32)
        now[1:] = padded[:, at] + best
        steps[:, at] = step
        before, last = last, now
    entered = np.zeros(rows, np.int64)
    row, column = rows - 1, columns - 1
    while True:
        step = steps[row, row + column]
        if row == 0:
            break
        if step == 2 and column > 0:
            column -= 1
            continue
        entered[row] = column
        row -= 1
        if step == 0 and column > 0:
            column -= 1
    return entered


def words(tokenizer: Tokenizer, ids: Sequence[int], language: str) -> list[TokenSpan]:
    """The words of a text; joined, their texts are the text. Punctuation belongs to the word beside it."""
    pieces = _whole_characters(tokenizer, ids)
    if language not in WITHOUT_SPACES:
        pieces = _by_spaces(pieces)
    return _with_punctuation(pieces)


def _whole_characters(tokenizer: Tokenizer, ids: Sequence[int]) -> list[TokenSpan]:
    """Runs of tokens that are whole characters: a character may have several tokens."""
    found: list[TokenSpan] = []
    start = 0
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(ids[start:end])
        if REPLACEMENT in text and end < len(ids) and end - start < 4:
            continue
        found.append(TokenSpan(text, start, end))
        start = end
    return found


def _by_spaces(pieces: list[TokenSpan]) -> list[TokenSpan]:
    found: list[TokenSpan] = []
    for piece in pieces:
        is_sign = not any(map(str.isalnum, piece.text)) and piece.text not in INSIDE_A_WORD
        if not found or is_sign or piece.text.startswith(" "):
            found.append(piece)
        else:
            found[-1] = TokenSpan(found[-1].text + piece.text, found[-1].first, piece.end)
    return found


def _with_punctuation(pieces: list[TokenSpan]) -> list[TokenSpan]:
    found: list[TokenSpan] = []
    opening: TokenSpan | None = None
    for each in pieces:
        sign = each.text.strip()
        piece = each if opening is None else TokenSpan(opening.text + each.text, opening.first, each.end)
        opening = None
        is_sign = bool(sign) and not any(map(str.isalnum, piece.text))
        closes = is_sign and all(char in AFTER_A_WORD for char in sign)
        opens = is_sign and all(char in BEFORE_A_WORD for char in sign)
        if opens and (piece.text.startswith(" ") or not closes):
            opening = piece
        elif found and closes:
            found[-1] = TokenSpan(found[-1].text + piece.text, found[-1].first, piece.end)
        else:
            found.append(piece)
    if opening is not None:
        found.append(opening)
    return found


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Running median along the last axis, mirrored at the ends."""
    half = MEDIAN_WIDTH // 2
    if values.shape[-1] <= half:
        return values
    padded = np.pad(values, ((0, 0), (0, 0), (half, half)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_WIDTH, axis=-1)
    return np.partition(windows, half, axis=-1)[..., half]
