"""The vocabulary of a Whisper model: control tokens, languages, timestamps, and which token may come next.

In: a speech pack's tokenizer and its ``generation_config.json`` (untrusted). Out: the ids of a prompt, and a mask on
the logits ``[V]`` of each step. The rules are those of OpenAI's reference (``whisper/decoding.py``: SuppressBlank,
SuppressTokens, ApplyTimestampRules); section 2.3 of arXiv:2212.04356 describes the format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.json_files import Reader
from engine.packs import GENERATION_FILE, Pack
from engine.runtime.tokens import Tokenizer

TIMESTAMP_S = 0.02  # one step of the timestamps: two frames of 10 ms
MAX_INITIAL_TIMESTAMP_S = 1.0
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")


@dataclass(frozen=True)
class SpeechTokens:
    """Ids with a meaning. ``languages`` are (code, id), empty where the model knows English only."""

    tokenizer: Tokenizer
    start: int  # <|startoftranscript|>
    end: int  # <|endoftext|>
    transcribe: int
    translate: int
    previous: int  # <|startofprev|>
    no_speech: int
    no_timestamps: int
    first_timestamp: int
    languages: tuple[tuple[str, int], ...]
    suppressed: tuple[int, ...]
    suppressed_first: tuple[int, ...]
    vocab_size: int

    @classmethod
    def read(cls, pack: Pack) -> SpeechTokens:
        """Read them from a pack; raises EngineError where it is no Whisper vocabulary."""
        tokenizer = Tokenizer.open(pack.folder)
        generation = Reader.open(pack.folder / GENERATION_FILE)
        vocab_size = pack.config.vocab_size

        def id_of(*names: str) -> int:
            for name in names:
                found = tokenizer.id_of(f"<|{name}|>")
                if found is not None and found < vocab_size:
                    return found
            raise EngineError(
                "The tokenizer of {model} lacks the token {token}.",
                "Add the model again.",
                model=pack.display_name,
                token=f"<|{names[0]}|>",
            )

        no_timestamps = id_of("notimestamps")
        languages = []
        if generation.flag("is_multilingual", True):
            languages = [
                (match[1], token_id)
                for content, token_id in tokenizer.control()
                if (match := _LANGUAGE.fullmatch(content)) and token_id < vocab_size
            ]
        return cls(
            tokenizer=tokenizer,
            start=id_of("startoftranscript"),
            end=id_of("endoftext"),
            transcribe=id_of("transcribe"),
            translate=id_of("translate"),
            previous=id_of("startofprev"),
            no_speech=id_of("nospeech", "nocaptions"),
            no_timestamps=no_timestamps,
            first_timestamp=no_timestamps + 1,
            languages=tuple(sorted(languages, key=lambda item: item[1])),
            suppressed=generation.wholes("suppress_tokens", 0, vocab_size - 1),
            suppressed_first=generation.wholes("begin_suppress_tokens", 0, vocab_size - 1),
            vocab_size=vocab_size,
        )

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The codes of all languages that the model knows."""
        return tuple(code for code, _ in self.languages) or ("en",)

    @cached_property
    def language_ids(self) -> NDArray[np.int64]:
        """The ids of all languages, in the order of :attr:`codes`."""
        return np.array([token_id for _, token_id in self.languages], np.int64)

    def prompt(self, language: str, translate: bool) -> list[int]:
        """What follows ``start``: language and task; nothing for a model that knows English only."""
        if not self.languages:
            return []
        return [dict(self.languages)[language], self.translate if translate else self.transcribe]

    def before(self, text: str, limit_tokens: int) -> list[int]:
        """What stands in front of ``start`` so that the model goes on as after ``text``; its end if it is long."""
        ids = self.tokenizer.encode(f" {text.strip()}") if text.strip() and limit_tokens > 0 else []
        return [self.previous, *ids[-limit_tokens:]] if ids else []

    def seconds(self, token_id: int) -> float:
        """The time that a timestamp stands for, from the beginning of the piece."""
        return (token_id - self.first_timestamp) * TIMESTAMP_S

    def is_timestamp(self, token_id: int) -> bool:
        """Whether a token is a time, not text."""
        return token_id >= self.first_timestamp

    def text_ids(self, ids: Sequence[int]) -> list[int]:
        """The text among the tokens of an answer."""
        return [token_id for token_id in ids if token_id < self.end]

    @cached_property
    def _never(self) -> NDArray[np.float32]:
        """[V]: -inf for what no step may choose, else 0; adding is quicker than choosing by a mask."""
        bias = np.zeros(self.vocab_size, np.float32)
        bias[list(self.suppressed)] = -np.inf
        bias[
            self.end + 1 : self.first_timestamp
        ] = -np.inf  # languages, tasks, and whatever else steers the model
        return bias

    @cached_property
    def _never_first(self) -> NDArray[np.float32]:
        """[V]: -inf for what the first step may not choose: anything but a time in the first second."""
        bias = self._never.copy()
        bias[list(self.suppressed_first)] = -np.inf
        bias[: self.first_timestamp] = -np.inf
        bias[self.first_timestamp + round(MAX_INITIAL_TIMESTAMP_S / TIMESTAMP_S) + 1 :] = -np.inf
        return bias

    def mask(self, logits: NDArray[np.float32], ids: Sequence[int], last_timestamp: int) -> None:
        """Set to -inf, in place, what may not follow ``ids`` (the answer so far) in ``logits`` [V].

        Times come in pairs (the end of one segment, the beginning of the next), never go back, and none is
        later than ``last_timestamp``, the end of the audio; where times together are likelier than the
        likeliest text, a time has to come.
        """
        first = self.first_timestamp
        logits[last_timestamp + 1 :] = -np.inf
        if not ids:
            logits += self._never_first
            return
        logits += self._never
        is_time = self.is_timestamp(ids[-1])
        was_time = len(ids) < 2 or self.is_timestamp(ids[-2])
        if is_time and was_time:  # a segment has begun
            logits[first:] = -np.inf
            return
        if is_time:  # a segment has ended
            logits[: self.end] = -np.inf
        newest = next((token_id for token_id in reversed(ids) if token_id >= first), first)
        # The same time again begins the next segment; otherwise a segment has some length.
        logits[first : newest if is_time else newest + 1] = -np.inf
        times = logits[first:]
        top = times.max()
        if top > -np.inf and top + np.log(np.exp(times - top).sum()) > logits[: self.end + 1].max():
            logits[:first] = -np.inf
