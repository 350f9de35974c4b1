"""Turns one chunk of sound after the other into segments with times.

In: chunks (see :mod:`engine.media.vad`). Out: :class:`LanguageFound`, :class:`Segment`, :class:`Notice`. A chunk is heard in
one go; where the model stopped before the end of the speech in it, the rest is heard again by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import SAMPLE_RATE_HZ
from engine.media.mel import log_mel
from engine.results import LanguageFound, Notice, Segment, Word
from engine.runtime.session import DeviceFailure
from engine.runtime.speech_model import FRAMES_PER_S, WINDOW_S
from engine.runtime.speech_search import Hypothesis, Search
from engine.tasks import chinese
from engine.tasks.word_times import word_times

if TYPE_CHECKING:
    from engine.media.vad import Chunk
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.transcribe import TranscribeOptions

# The model was trained on windows of 30 s, the rest of which is silence. So much of it is enough: errors are the same as
# with all of it (284 to 297 of 1,892 whatever is chosen from here up, and 3,000 frames cost four times 800).
MARGIN_S = 1.5
SHORTEST_WINDOW_S = 8.0
WINDOW_STEP_S = 0.5  # ONNX Runtime keeps memory for each length that it has seen: there must not be hundreds
SHORTEST_REST_S = 1.0  # a shorter end that the model left out is breath or noise
SURE_LANGUAGE = 0.8
ENOUGH_SPEECH_S = 10.0
OTHER_LANGUAGE = 0.95
OTHER_LANGUAGE_SPEECH_S = 5.0


@dataclass(frozen=True)
class _Piece:
    """A segment in tokens; times in seconds from the beginning of what was heard."""

    start_s: float
    end_s: float
    ids: tuple[int, ...]
    logprobs: tuple[float, ...]


class Scribe:
    """Writes down a recording. It knows its language, and what was said before."""

    def __init__(
        self, model: SpeechModel, options: TranscribeOptions, cancel: Cancel, language: str = ""
    ) -> None:
        """``language`` is what was found out earlier, of a run that goes on. Raises EngineError for an unknown one."""
        self._model, self._options, self._cancel = model, options, cancel
        self._search = Search(model, options, options.seed)
        wanted, script = chinese.split_script(options.language)
        self._script: chinese.Script = script
        if wanted and wanted not in model.languages:
            raise EngineError(
                'The speech model {model} does not know the language "{language}".',
                "Leave the language out to have it found, or give one of: {known}.",
                model=model.pack.display_name,
                language=options.language,
                known=", ".join(sorted(model.languages)),
            )
        known = model.languages[0] if len(model.languages) == 1 else ""
        self._given = wanted or known
        self.language = self._given or language
        self._settled = bool(self.language)
        self._likely = np.zeros(len(model.languages))
        self._listened_s = 0.0
        self._said: list[int] = []

    def write(self, chunk: Chunk) -> Iterator[LanguageFound | Notice | Segment]:
        """The segments of a chunk. Raises Interrupted when cancelled."""
        start = 0
        while True:
            samples = chunk.samples[start:]
            try:
                yield from self._hear(samples, min(chunk.speech_s, _seconds(samples)))
                found = self._search.write(
                    self.language, self._options.translate, self._before(), _seconds(samples), self._cancel
                )
                silent = self._search.silent(found)
                pieces, heard_s = ([], _seconds(samples)) if silent else self._cut(found, _seconds(samples))
                yield from self._segments(pieces, chunk.start_s + start / SAMPLE_RATE_HZ, samples)
            except DeviceFailure as failure:
                yield self._model.fall_back(failure)
                continue
            start += round(heard_s * SAMPLE_RATE_HZ)
            if not pieces or _seconds(chunk.samples[start:]) < SHORTEST_REST_S:
                return

    def glance(self, chunk: Chunk) -> str:
        """The text of a chunk that is still being said: one quick try, nothing remembered."""
        if not self.language:
            return ""
        self._model.hear(self._mel(chunk.samples), self._cancel)
        found = self._search.write(
            self.language,
            self._options.translate,
            self._before(),
            _seconds(chunk.samples),
            self._cancel,
            quick=True,
        )
        doubtful = found.no_speech > self._options.no_speech_limit or found.loops
        return "" if doubtful else self._text(found.ids).strip()

    def _hear(self, samples: NDArray[np.float32], speech_s: float) -> Iterator[LanguageFound]:
        self._model.hear(self._mel(samples), self._cancel)
        if self._given:
            if not self._listened_s:
                self._listened_s = speech_s
                yield LanguageFound(self.language, 1.0)
            return
        if self._settled and speech_s < OTHER_LANGUAGE_SPEECH_S:
            return
        likely = self._search.language(self._cancel)
        best = int(likely.argmax())
        if self._settled:  # somebody may answer in another language
            if likely[best] < OTHER_LANGUAGE or self._model.languages[best] == self.language:
                return
        else:
            self._listened_s += speech_s
            self._likely += likely * speech_s
            best = int(self._likely.argmax())
            likely = self._likely / self._likely.sum()
            self._settled = bool(likely[best] >= SURE_LANGUAGE) or self._listened_s >= ENOUGH_SPEECH_S
        if self._model.languages[best] != self.language:
            self.language = self._model.languages[best]
            self._said.clear()
            yield LanguageFound(self.language, float(likely[best]))

    def _mel(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-mel frames of the sound and the silence behind it."""
        needed_s = max(_seconds(samples) + MARGIN_S, SHORTEST_WINDOW_S)
        window_s = min(np.ceil(needed_s / WINDOW_STEP_S) * WINDOW_STEP_S, WINDOW_S)
        return log_mel(samples, self._model.mel_bins, round(window_s * FRAMES_PER_S))

    def _before(self) -> list[int]:
        tokens = self._model.tokens
        room = self._model.pack.config.context_length // 2 - 1  # as in the reference
        said = self._said[-room:] if self._options.previous_text else []
        prompt = tokens.before(self._options.initial_prompt, room - len(said))
        return [*(prompt or ([tokens.previous] if said else [])), *said]

    def _cut(self, found: Hypothesis, audio_s: float) -> tuple[list[_Piece], float]:
        """The answer cut at its times, and up to where it tells what was said."""
        tokens = self._model.tokens
        pieces: list[_Piece] = []
        start_s, first = 0.0, 0
        last_s = 0.0
        for at, token_id in enumerate(found.ids):
            if not tokens.is_timestamp(token_id):
                continue
            last_s = tokens.seconds(token_id)
            if at > first:
                pieces.append(_Piece(start_s, last_s, found.ids[first:at], found.logprobs[first:at]))
            start_s, first = last_s, at + 1
        if first == len(found.ids):
            return pieces, last_s if last_s > 0 else audio_s
        if found.cut and pieces:  # too much for one answer: what it was about to say is heard again
            return pieces, start_s
        pieces.append(_Piece(start_s, audio_s, found.ids[first:], found.logprobs[first : len(found.ids)]))
        return pieces, audio_s

    def _segments(
        self, pieces: Sequence[_Piece], offset_s: float, samples: NDArray[np.float32]
    ) -> Iterator[Segment]:
        model, language = self._model, self.language
        written = "en" if self._options.translate else language
        timed: list[tuple[Word, ...]] = [()] * len(pieces)
        if self._options.words and pieces:
            timed = word_times(
                model,
                [piece.ids for piece in pieces],
                [piece.logprobs for piece in pieces],
                language=language,
                translate=self._options.translate,
                samples=samples,
                cancel=self._cancel,
            )
        for piece, said in zip(pieces, timed, strict=True):
            text = self._text(piece.ids).strip()
            if not any(map(str.isalnum, text)):
                continue
            self._said.extend(piece.ids)
            start_s, end_s = piece.start_s, piece.end_s
            if said:
                start_s, end_s = said[0].start_s, max(said[-1].end_s, said[0].start_s)
            moved = tuple(
                Word(word.text, offset_s + word.start_s, offset_s + word.end_s, word.confidence)
                for word in said
            )
            segment = Segment(
                start_s=offset_s + start_s,
                end_s=offset_s + end_s,
                text=text,
                language=language,
                confidence=float(np.exp(np.mean(piece.logprobs))),
                words=moved,
            )
            yield chinese.in_script(segment, written, self._script)

    def _text(self, ids: Sequence[int]) -> str:
        tokens = self._model.tokens
        return tokens.tokenizer.decode(tokens.text_ids(ids))


def _seconds(samples: NDArray[np.float32]) -> float:
    return len(samples) / SAMPLE_RATE_HZ
