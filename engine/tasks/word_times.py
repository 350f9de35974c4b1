"""The times of the words of what was just heard.

In: a speech model that has heard the piece, and the tokens of its segments. Out: words with times from the beginning of
the piece, for each segment. The text is read once more, all at once, to see where the model looks
(:mod:`engine.runtime.alignment`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.media.audio import SAMPLE_RATE_HZ
from engine.results import Word
from engine.runtime.alignment import POSITION_S, token_times, words

if TYPE_CHECKING:
    from engine.runtime.speech_model import SpeechModel

LONGEST_USUAL_S = 0.7
LOUDNESS_SAMPLES = 160  # 10 ms
QUIET = 0.05  # of the loudest in a word: what is below that in front of it is not the word
SENTENCE_ENDS = ".。!！?？"


def word_times(
    model: SpeechModel,
    ids: Sequence[Sequence[int]],
    logprobs: Sequence[Sequence[float]],
    *,
    language: str,
    translate: bool,
    samples: NDArray[np.float32],
    cancel: Cancel,
) -> list[tuple[Word, ...]]:
    """Words for each of the segments ``ids``; a word's confidence is the mean probability of its tokens."""
    tokens = model.tokens
    text = [token_id for part in ids for token_id in part]
    before = [tokens.start, *tokens.prompt(language, translate), tokens.no_timestamps]
    room = model.pack.config.context_length - len(before) - 1
    text = text[:room]
    model.rewind()
    looks = model.attention([*before, *text, tokens.end], cancel)  # [A, T, S]
    positions = int(np.ceil(len(samples) / SAMPLE_RATE_HZ / POSITION_S))
    # The row of a token says where the model looked for the next one: from the last control token to the last of the text.
    starts = token_times(looks[:, len(before) - 1 : -1], positions)
    written = "en" if translate else language
    found: list[tuple[Word, ...]] = []
    at = 0
    for part, probable in zip(ids, logprobs, strict=True):
        spans = words(tokens.tokenizer, part, written)
        made = []
        for span in spans:
            first, end = at + span.first, at + span.end
            if end >= len(starts):  # beyond what the model can read at once
                break
            confidence = float(np.exp(probable[span.first : span.end]).mean())
            made.append(Word(span.text, float(starts[first]), float(starts[end]), min(confidence, 1.0)))
        if made and not at:
            made[0] = replace(made[0], start_s=begins_s(samples, made[0].end_s))
        found.append(_plausible(made))
        at += len(part)
    return found


def begins_s(samples: NDArray[np.float32], end_s: float) -> float:
    """When the first word begins, which ends at ``end_s``: where it gets loud.

    The way through the weights begins with the sound, and so would the word, but there is some silence in front.
    """
    frames = round(end_s * SAMPLE_RATE_HZ) // LOUDNESS_SAMPLES
    loudness = (
        np.abs(samples[: frames * LOUDNESS_SAMPLES]).reshape(-1, LOUDNESS_SAMPLES).max(axis=1, initial=0)
    )
    loud = np.flatnonzero(loudness > QUIET * loudness.max(initial=0))
    return float(loud[0]) * LOUDNESS_SAMPLES / SAMPLE_RATE_HZ if len(loud) else 0.0


def _plausible(said: list[Word]) -> tuple[Word, ...]:
    """The words around a pause take the pause into themselves: shorten those that are far too long for a word.

    At the end of a sentence the pause comes after the word, elsewhere before it.
    """
    lengths = [word.end_s - word.start_s for word in said if word.end_s > word.start_s]
    usual_s = min(LONGEST_USUAL_S, float(np.median(lengths))) if lengths else 0.0
    longest_s = 2 * usual_s
    made: list[Word] = []
    for at, word in enumerate(said):
        start_s, end_s = word.start_s, word.end_s
        if usual_s and end_s - start_s > longest_s:
            ends_sentence = word.text.rstrip()[-1:] in SENTENCE_ENDS or at == len(said) - 1
            begins = at == 0 or said[at - 1].text.rstrip()[-1:] in SENTENCE_ENDS
            if ends_sentence and not begins:
                end_s = start_s + longest_s
            elif begins:
                start_s = end_s - longest_s
        made.append(Word(word.text, start_s, end_s, word.confidence))
    return tuple(made)
