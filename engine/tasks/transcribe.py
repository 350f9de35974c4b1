"""Speech to text: a file, or what a microphone hears.

In: a speech model, audio, options. Out: a generator of :class:`LanguageFound`, :class:`Segment` in order of time,
:class:`Progress` and one :class:`Transcribed` (live also :class:`LiveText`).

``Progress("transcribe", done, total, "ms")`` is a promise: every segment that begins before ``done`` milliseconds has
been yielded, so that a run which starts there (``start_s``) loses nothing and says nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import (
    FinishReason,
    LanguageFound,
    LiveText,
    Notice,
    Progress,
    Segment,
    Transcribed,
)

if TYPE_CHECKING:
    from engine.media.audio import AudioFile
    from engine.media.vad import Chunk
    from engine.runtime.speech_model import SpeechModel

LONGEST_PROMPT_CHARS = 2000
LONGEST_CHUNK_S = 25.0  # as exact as 30 s, and quicker: attention grows with the square
GAP_S = 1.5
SETTLE_WINDOWS = 62  # what the detector of speech hears, two seconds, before its judgement counts
# Live: a phrase ends with a pause of this length, or when it gets too long to wait for.
PHRASE_GAP_S = 0.5
LONGEST_PHRASE_S = 15.0
LIVE_READ_S = 0.1
GLANCE_S = 0.7

Item = LanguageFound | Notice | Segment


@dataclass(frozen=True)
class TranscribeOptions:
    """How to transcribe. ``language`` "" finds it out; else a code such as "en" or "zh".

    ``translate`` writes English whatever is said. ``words`` adds times of words. ``initial_prompt`` is text that could
    stand before: names, spelling, style. ``previous_text`` shows the model its own last words, which keeps style and names
    and may make it repeat itself. A piece whose mean log probability is below ``beam_logprob_limit`` is searched with
    ``beams`` texts side by side (1: never). A piece is said again at the next of ``temperatures`` where it repeats itself
    (``compression_ratio_limit``) or the model doubts it (``logprob_limit``, mean natural logarithm); it is left out where
    the model both doubts it and takes it for silence (``no_speech_limit``).

    Raises EngineError for a value out of range.
    """

    language: str = ""
    translate: bool = False
    words: bool = False
    initial_prompt: str = ""
    previous_text: bool = False
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    compression_ratio_limit: float = 2.4
    logprob_limit: float = -1.0
    no_speech_limit: float = 0.6
    beams: int = 5
    beam_logprob_limit: float = -0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.initial_prompt) > LONGEST_PROMPT_CHARS:
            raise EngineError(
                "The prompt for the transcription is too long: it has {count} characters, at most {limit} are read.",
                "Shorten it.",
                count=len(self.initial_prompt),
                limit=LONGEST_PROMPT_CHARS,
            )


class LiveSource(Protocol):
    """A microphone, or anything that gives sound as it happens."""

    def read(self, timeout_s: float) -> NDArray[np.float32] | None:
        """The sound since the last call, 16 kHz mono; empty if none came in time; None at the end, for good."""
        ...


def transcribe(  # noqa: PLR0917 - as every task, and what an earlier run knows
    model: SpeechModel,
    audio: AudioFile,
    options: TranscribeOptions,
    cancel: Cancel,
    start_s: float = 0.0,
    language: str = "",
) -> Iterator[Progress | Notice | LanguageFound | Segment | Transcribed]:
    """Transcribe a recording from ``start_s`` on; times count from its beginning.

    ``language`` is what an earlier run found, which this one goes on. Raises EngineError for a language that the
    model does not know and for audio that cannot be read.
    """
    from engine.media.audio import SAMPLE_RATE_HZ
    from engine.media.vad import WINDOW_SAMPLES, SplitOptions, Splitter, Vad
    from engine.runtime.session import Interrupted
    from engine.tasks.scribe import Scribe

    count = _Count(model, perf_counter())
    with model.one_run():
        scribe = Scribe(model, options, cancel, language)
        window_s = WINDOW_SAMPLES / SAMPLE_RATE_HZ
        grid_s, settle_s = start_s // window_s * window_s, SETTLE_WINDOWS * window_s
        splitter = Splitter(Vad.open(), SplitOptions(longest_s=LONGEST_CHUNK_S, gap_s=GAP_S), grid_s)
        total = None if audio.info.duration_s is None else round(audio.info.duration_s * 1000)
        done_s = start_s
        blocks = audio.blocks(grid_s)
        if grid_s >= settle_s:
            # The detector goes on as if it had heard everything, so that a resumed run cuts where an unbroken one does.
            blocks = audio.blocks(grid_s - settle_s, settle_s)
            splitter.settle(next(blocks, np.zeros(0, np.float32)), start_s)
        try:
            for block in blocks:
                if cancel.is_set or model.closing:
                    raise Interrupted
                for chunk in splitter.push(block):
                    yield from count.passing(chunk, scribe.write(chunk))
                done_s = splitter.safe_s
                yield Progress("transcribe", _ms(done_s, total), total, "ms")
            for chunk in splitter.flush():
                yield from count.passing(chunk, scribe.write(chunk))
            done = round(splitter.heard_s * 1000)
            yield Progress("transcribe", done, max(done, total or 0), "ms")
        except Interrupted:
            yield count.end("cancelled", scribe.language, done_s)
            return
        yield count.end("stop", scribe.language, splitter.heard_s)


def transcribe_live(
    model: SpeechModel, source: LiveSource, options: TranscribeOptions, cancel: Cancel
) -> Iterator[Notice | LanguageFound | LiveText | Segment | Transcribed]:
    """Transcribe as it is said. When ``source`` ends, what was said last still comes; after ``cancel`` it does not."""
    from engine.media.vad import SplitOptions, Splitter, Vad
    from engine.runtime.session import DeviceFailure, Interrupted
    from engine.tasks.scribe import Scribe

    count = _Count(model, perf_counter())
    with model.one_run():
        scribe = Scribe(model, options, cancel)
        splitter = Splitter(Vad.open(), SplitOptions(longest_s=LONGEST_PHRASE_S, gap_s=PHRASE_GAP_S))
        glanced_s = perf_counter()
        try:
            while (block := source.read(LIVE_READ_S)) is not None:
                if cancel.is_set or model.closing:
                    raise Interrupted
                chunks = splitter.push(block)
                for chunk in chunks:
                    yield from count.passing(chunk, scribe.write(chunk))
                now_s = perf_counter()
                if chunks or not splitter.speaking or now_s - glanced_s < GLANCE_S:
                    continue
                # The live text may take half of the time at most: sound must not pile up behind it.
                if (phrase := splitter.current()) is not None:
                    try:
                        text = scribe.glance(phrase)
                    except DeviceFailure as failure:
                        text = ""
                        yield model.fall_back(failure)
                    if text:
                        yield LiveText(phrase.start_s, text)
                glanced_s = perf_counter() + (perf_counter() - now_s)
            for chunk in splitter.flush():
                yield from count.passing(chunk, scribe.write(chunk))
        except Interrupted:
            yield count.end("cancelled", scribe.language, splitter.heard_s)
            return
        yield count.end("stop", scribe.language, splitter.heard_s)


class _Count:
    """What a run has done so far."""

    def __init__(self, model: SpeechModel, started_s: float) -> None:
        self._model, self._started_s = model, started_s
        self._segments = 0
        self._speech_s = 0.0

    def passing(self, chunk: Chunk, items: Iterator[Item]) -> Iterator[Item]:
        """The same items, counted."""
        self._speech_s += chunk.speech_s
        for item in items:
            self._segments += isinstance(item, Segment)
            yield item

    def end(self, reason: FinishReason, language: str, audio_s: float) -> Transcribed:
        """The closing item."""
        return Transcribed(
            reason=reason,
            language=language,
            model=self._model.pack.name,
            provider=self._model.provider,
            audio_s=audio_s,
            speech_s=self._speech_s,
            wall_s=perf_counter() - self._started_s,
            segments=self._segments,
        )


def _ms(seconds: float, total: int | None) -> int:
    done = max(int(seconds * 1000), 0)
    return done if total is None else min(done, total)
