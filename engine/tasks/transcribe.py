"""Speech to text: a file, or what a microphone hears.

In: a speech model, audio, options. Out: a generator of :class:`LanguageFound`, :class:`Segment` in order of time,
:class:`Progress` and one :class:`Transcribed` (live also :class:`LiveText`).

``Progress("transcribe", done, total, "ms")`` is a promise: every segment that begins before ``done`` milliseconds has
been yielded, so that a run which starts there (``start_s``) loses nothing and says nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import LanguageFound, LiveText, Notice, Progress, Segment, Transcribed

if TYPE_CHECKING:
    from engine.media.audio import AudioFile
    from engine.runtime.speech_model import SpeechModel

LONGEST_PROMPT_CHARS = 2000


@dataclass(frozen=True)
class TranscribeOptions:
    """How to transcribe. ``language`` "" finds it out; else a code such as "en" or "zh".

    ``translate`` writes English whatever is said. ``words`` adds times of words. ``initial_prompt`` is text that could
    stand before: names, spelling, style. ``previous_text`` shows the model its own last words, which keeps style and names
    and may make it repeat itself. A piece is said again at the next of ``temperatures`` where it repeats itself
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


def transcribe(
    model: SpeechModel, audio: AudioFile, options: TranscribeOptions, cancel: Cancel, start_s: float = 0.0
) -> Iterator[Progress | Notice | LanguageFound | Segment | Transcribed]:
    """Transcribe a recording from ``start_s`` on; times count from its beginning.

    Raises EngineError for a language that the model does not know and for audio that cannot be read.
    """
    raise NotImplementedError


def transcribe_live(
    model: SpeechModel, source: LiveSource, options: TranscribeOptions, cancel: Cancel
) -> Iterator[Notice | LanguageFound | LiveText | Segment | Transcribed]:
    """Transcribe as it is said. When ``source`` ends, what was said last still comes; after ``cancel`` it does not."""
    raise NotImplementedError
