"""Writes down one piece of sound: the likeliest tokens, and other tries where the first is no good.

In: a :class:`SpeechModel` that has heard the piece. Out: a :class:`Hypothesis`. The decisions are those of section 4.5 of
arXiv:2212.04356 (temperature fall-back on the compression ratio and the mean log probability, silence by the
no-speech token), plus two of ours: a try ends as soon as it goes round in circles, and a piece that is hard to
understand gets a beam search before anything is left to chance.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.runtime.beam import beam_search
from engine.runtime.sampling import check_finite
from engine.runtime.session import Interrupted
from engine.runtime.speech_model import SpeechModel
from engine.runtime.speech_tokens import TIMESTAMP_S

LONGEST_LOOP_TOKENS = 24
LOOP_ROUNDS = 4  # as often as this in a row is no longer said, but stammered by the model
SHORTEST_STAMMER_TOKENS = 16


class SearchOptions(Protocol):
    """When a try is not good enough; see :class:`engine.tasks.transcribe.TranscribeOptions`."""

    @property
    def temperatures(self) -> tuple[float, ...]: ...
    @property
    def compression_ratio_limit(self) -> float: ...
    @property
    def logprob_limit(self) -> float: ...
    @property
    def no_speech_limit(self) -> float: ...
    @property
    def beams(self) -> int: ...
    @property
    def beam_logprob_limit(self) -> float: ...


@dataclass(frozen=True)
class Hypothesis:
    """What was perhaps said: ``ids`` with times among them, ``logprobs`` (natural) of each.

    ``no_speech`` is the model's probability that nothing was said; ``cut`` tells that the tokens ran out, ``loops``
    that it went round in circles and was stopped.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    no_speech: float
    temperature: float
    compression_ratio: float
    cut: bool = False
    loops: bool = False

    @property
    def mean_logprob(self) -> float:
        """Mean log probability of the tokens, the end token counted."""
        return sum(self.logprobs) / (len(self.ids) + 1)


@dataclass(frozen=True)
class _Start:
    """Where every try begins: ``logits`` [V] after a prompt of ``tokens`` tokens."""

    logits: NDArray[np.float32]
    tokens: int
    last_timestamp: int
    no_speech: float


class Search:
    """Finds the text of one piece after the other."""

    def __init__(self, model: SpeechModel, options: SearchOptions, seed: int = 0) -> None:
        self._model, self._tokens, self._options = model, model.tokens, options
        self._random = np.random.Generator(np.random.PCG64(seed))

    def language(self, cancel: Cancel) -> NDArray[np.float64]:
        """The probability of each language of the piece that was heard last, as ``SpeechTokens.codes``."""
        self._model.rewind()
        logits = self._model.read([self._tokens.start], cancel)[self._tokens.language_ids]
        return softmax(logits)

    def write(
        self,
        language: str,
        translate: bool,
        before: Sequence[int],
        audio_s: float,
        cancel: Cancel,
        *,
        quick: bool = False,
    ) -> Hypothesis:
        """The best text for the piece that was heard last.

        ``before`` is what stands in front (see ``SpeechTokens.before``), ``audio_s`` the length of the piece without
        padding; ``quick`` takes the first try as it is. Raises Interrupted when cancelled.
        """
        tokens, model, options = self._tokens, self._model, self._options
        model.rewind()
        heard = model.read([*before, tokens.start], cancel)
        no_speech = float(softmax(heard)[tokens.no_speech])
        prompt = tokens.prompt(language, translate)
        start = _Start(
            logits=(model.read(prompt, cancel) if prompt else heard).copy(),
            tokens=len(before) + 1 + len(prompt),
            last_timestamp=tokens.first_timestamp + int(audio_s / TIMESTAMP_S),
            no_speech=no_speech,
        )
        tries: list[Hypothesis] = []
        for temperature in options.temperatures:
            found = self._try(start, temperature, cancel)
            if quick or self.silent(found):
                return found
            tries.append(found)
            if temperature == 0 and self._hard(found):
                tries.append(self._beam(start, cancel))
            best = self._best(tries)
            if self._good(best):
                return best
        return self._best(tries)

    def silent(self, found: Hypothesis) -> bool:
        """Whether nothing was said: the model says so, and doubts what it wrote."""
        options = self._options
        return found.no_speech > options.no_speech_limit and found.mean_logprob < options.logprob_limit

    def _best(self, tries: Sequence[Hypothesis]) -> Hypothesis:
        sound = [found for found in tries if self._sound(found)]
        return max(sound or tries, key=lambda found: found.mean_logprob)

    def _sound(self, found: Hypothesis) -> bool:
        return not found.loops and found.compression_ratio <= self._options.compression_ratio_limit

    def _good(self, found: Hypothesis) -> bool:
        return self._sound(found) and found.mean_logprob >= self._options.logprob_limit

    def _hard(self, found: Hypothesis) -> bool:
        wanted = self._options.beams > 1 and self._model.can_branch
        return wanted and (not self._sound(found) or found.mean_logprob < self._options.beam_logprob_limit)

    def _beam(self, start: _Start, cancel: Cancel) -> Hypothesis:
        self._model.rewind(start.tokens)
        self._model.branch(self._options.beams)
        writing = _Writing(self._model, start.last_timestamp, cancel)
        beam = beam_search(writing, start.logits, rows=self._options.beams, room=self._room(start))
        ids, logprobs = list(beam.ids), list(beam.logprobs)
        loop = loop_tokens(self._tokens.text_ids(ids))
        if loop:
            ids, logprobs = _without_loop(ids, logprobs, loop, self._tokens.first_timestamp)
        cut = not beam.ended or loop > 0
        ratio = compression_ratio(self._text(ids))
        return Hypothesis(tuple(ids), tuple(logprobs), start.no_speech, 0.0, ratio, cut, loop > 0)

    def _room(self, start: _Start) -> int:
        limit = self._model.pack.config.context_length
        return min(limit // 2, limit - start.tokens)

    def _text(self, ids: Sequence[int]) -> str:
        return self._tokens.tokenizer.decode(self._tokens.text_ids(ids))

    def _try(self, start: _Start, temperature: float, cancel: Cancel) -> Hypothesis:
        tokens, model = self._tokens, self._model
        model.rewind(start.tokens)
        room = self._room(start)
        logits = start.logits.copy()
        ids: list[int] = []
        text_ids: list[int] = []
        logprobs: list[float] = []
        ended = loops = False
        while len(ids) < room:
            tokens.mask(logits, ids, start.last_timestamp)
            token_id, logprob = self._choose(logits, temperature)
            logprobs.append(logprob)
            if token_id == tokens.end:
                ended = True
                break
            ids.append(token_id)
            if not tokens.is_timestamp(token_id):
                text_ids.append(token_id)
                if loop := loop_tokens(text_ids):
                    ids, logprobs = _without_loop(ids, logprobs, loop, tokens.first_timestamp)
                    loops = True
                    break
            if model.closing:
                raise Interrupted
            logits = model.read([token_id], cancel)
        ratio = compression_ratio(self._text(ids))
        return Hypothesis(tuple(ids), tuple(logprobs), start.no_speech, temperature, ratio, not ended, loops)

    def _choose(self, logits: NDArray[np.float32], temperature: float) -> tuple[int, float]:
        """The next token, and its log probability (at temperature 1, whatever it was chosen at)."""
        likeliest = int(logits.argmax())
        top = logits[likeliest]
        check_finite(top)
        shifted = np.exp(logits - top)
        total = float(shifted.sum())
        if temperature == 0:
            return likeliest, -float(np.log(total))
        sums = np.cumsum(np.exp((logits - top) / temperature), dtype=np.float64)
        chosen = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        chosen = min(chosen, len(logits) - 1)
        return chosen, float(logits[chosen] - top) - float(np.log(total))


class _Writing:
    """How a text about the sound is written in a beam search: by the rules for times, in the model's rows."""

    def __init__(self, model: SpeechModel, last_timestamp: int, cancel: Cancel) -> None:
        self._model, self._last_timestamp, self._cancel = model, last_timestamp, cancel
        self.end = model.tokens.end

    @property
    def closing(self) -> bool:
        return self._model.closing

    def mask(self, scores: NDArray[np.float32], ids: Sequence[int]) -> None:
        self._model.tokens.mask(scores, ids, self._last_timestamp)

    def advance(self, ids: Sequence[int], parents: Sequence[int]) -> NDArray[np.float32]:
        return self._model.read_rows(ids, parents, self._cancel)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities, in double precision."""
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return shifted / shifted.sum()


def compression_ratio(text: str) -> float:
    """How much smaller zlib makes the text: above 2.4 it repeats itself."""
    data = text.encode("utf-8")
    return len(data) / len(zlib.compress(data)) if data else 0.0


def loop_tokens(ids: Sequence[int]) -> int:
    """The length of what ``ids`` end with again and again; 0 where they do not."""
    for period in range(1, min(LONGEST_LOOP_TOKENS, len(ids) // LOOP_ROUNDS) + 1):
        rounds = max(LOOP_ROUNDS, -(-SHORTEST_STAMMER_TOKENS // period))
        if len(ids) < period * rounds or ids[-1] != ids[-1 - period]:
            continue
        tail = list(ids[-period * rounds :])
        if tail == tail[:period] * rounds:
            return period
    return 0


def _without_loop(
    ids: list[int], logprobs: list[float], loop: int, first_timestamp: int
) -> tuple[list[int], list[float]]:
    """Leave what repeats itself at the end in once: in the worst case that is what was said."""
    texts = [at for at, token_id in enumerate(ids) if token_id < first_timestamp]
    period = [ids[at] for at in texts[-loop:]]
    while len(texts) >= 2 * loop and [ids[at] for at in texts[-2 * loop : -loop]] == period:
        texts = texts[:-loop]
    end = texts[-1] + 1
    return ids[:end], logprobs[:end]
