"""How well words are placed: at known cut points, and beside another engine's words.

In: words with times; a recording made of trimmed clips. Out: absolute differences in seconds. Words are matched by their
letters: a word that was misheard says nothing about time.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.error_rate import BY_CHARACTERS, align, normalised
from tests.bench.speech_runner import TimedWord
from tests.bench.speech_sets import Joined


def cut_errors(joined: Joined, words: Sequence[TimedWord]) -> tuple[list[float], list[float]]:
    """How far first words begin from where their clip begins, and last words end from where it ends."""
    language = joined.clips[0].language
    said: list[str] = []
    first, last = {}, {}
    for number, clip in enumerate(joined.clips):
        first[len(said)] = number
        said += _plain(clip.text, language)
        last[len(said) - 1] = number
    written, owners = _by_token(words, language)
    starts, ends = [], []
    for left, right in align(said, written):
        if left is None or right is None or said[left] != written[right]:
            continue
        if left in first:
            starts.append(abs(owners[right].start_s - joined.spans_s[first[left]][0]))
        if left in last:
            ends.append(abs(owners[right].end_s - joined.spans_s[last[left]][1]))
    return starts, ends


def differences(words: Sequence[TimedWord], others: Sequence[TimedWord], language: str) -> list[float]:
    """Between starts, and between ends, of the words that both have."""
    mine, my_owners = _by_token(words, language)
    theirs, their_owners = _by_token(others, language)
    apart = []
    for left, right in align(mine, theirs):
        if left is not None and right is not None and mine[left] == theirs[right]:
            one, other = my_owners[left], their_owners[right]
            apart += [abs(one.start_s - other.start_s), abs(one.end_s - other.end_s)]
    return apart


def _by_token(words: Sequence[TimedWord], language: str) -> tuple[list[str], list[TimedWord]]:
    tokens: list[str] = []
    owners: list[TimedWord] = []
    for word in words:
        parts = _plain(word.text, language)
        tokens += parts
        owners += [word] * len(parts)
    return tokens, owners


def _plain(text: str, language: str) -> list[str]:
    """Without numbers written out or contractions: each token belongs to one word."""
    if language in BY_CHARACTERS:
        return list(normalised(text, language).replace(" ", ""))
    return normalised(text.replace("'", "").replace("’", ""), "").split()
