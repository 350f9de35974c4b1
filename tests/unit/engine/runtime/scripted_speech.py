"""A small Whisper vocabulary, and a speech model that says what a test tells it to.

In: answers, one for each time that the model hears something. Out: logits as :class:`engine.runtime.speech_model.SpeechModel`
gives them. The pack is a real folder, with a real tokenizer, but no weights.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from engine.cancel import Cancel
from engine.packs import Pack, read_pack
from engine.results import Notice
from engine.runtime.session import DeviceFailure, Interrupted
from engine.runtime.speech_tokens import SpeechTokens
from tests.unit.engine.pack_maker import make_foreign_speech

LANGUAGES = ("en", "zh", "de", "yue")
WORDS = (" hello", " world", " the", " cat", " sat", " Mr", " (", ' "', " -")
CONTEXT_TOKENS = 64
SURE = 20.0  # a logit that leaves no doubt beside zeros


def speech_tokenizer(languages: Sequence[str] = LANGUAGES) -> Tokenizer:
    """A token a byte and some words; then control tokens and times in the order of the real vocabularies."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: at for at, letter in enumerate(letters)}
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        letters = list(word.replace(" ", "Ġ"))
        made = letters[0]
        for letter in letters[1:]:
            if made + letter not in vocabulary:
                merges.append((made, letter))
                vocabulary[made + letter] = len(vocabulary)
            made += letter
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    control = [
        *("endoftext", "startoftranscript", *languages, "translate", "transcribe"),
        *("startoflm", "startofprev", "nospeech", "notimestamps"),
    ]
    tokenizer.add_special_tokens([f"<|{name}|>" for name in control])
    tokenizer.add_tokens([AddedToken(f"<|{step * 0.02:.2f}|>", special=False) for step in range(1501)])
    return tokenizer


def speech_pack(
    folder: Path,
    *,
    multilingual: bool = True,
    tokenizer: Tokenizer | None = None,
    suppressed: Sequence[str] = ("#",),
    **model: object,
) -> Pack:
    """A pack whose vocabulary is real; ``model`` goes into that section of genai_config.json."""
    tokenizer = tokenizer or speech_tokenizer()
    sizes: dict[str, object] = {"vocab_size": tokenizer.get_vocab_size(), "context_length": CONTEXT_TOKENS}
    make_foreign_speech(folder, **(sizes | model))
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), "utf-8")
    generation = {
        "is_multilingual": multilingual,
        "suppress_tokens": [tokenizer.token_to_id(token) for token in suppressed],
        "begin_suppress_tokens": [tokenizer.token_to_id("Ġ"), tokenizer.token_to_id("<|endoftext|>")],
    }
    (folder / "generation_config.json").write_text(json.dumps(generation), "utf-8")
    return read_pack(folder)


def say(tokens: SpeechTokens, *parts: str | float) -> list[int]:
    """Tokens of an answer: texts, and times in seconds."""
    ids: list[int] = []
    for part in parts:
        if isinstance(part, str):
            ids += tokens.tokenizer.encode(part)
        else:
            ids.append(tokens.first_timestamp + round(part / 0.02))
    return ids


Next = Callable[[Sequence[int]], dict[int, float]]


@dataclass
class Answer:
    """What the model says to one sound: ``ids``, then the end; or what ``next`` gives for the tokens said so far.

    ``languages`` are logits by code; ``no_speech`` is the logit of that token. ``sure`` is the logit of each token of
    ``ids``; all that is not named is 0.
    """

    ids: Sequence[int] = ()
    languages: dict[str, float] = field(default_factory=lambda: {"en": SURE})
    no_speech: float = 0.0
    sure: float = SURE
    next: Next | None = None


class ScriptedModel:
    """Stands in for SpeechModel. What it was shown is in ``heard`` (frames) and ``prompts`` (all before the answer)."""

    def __init__(self, pack: Pack, *answers: Answer) -> None:
        self.pack = pack
        self.tokens = SpeechTokens.read(pack)
        self.provider = "CPU"
        self.notices: tuple[Notice, ...] = ()
        self.mel_bins = 80
        self.closing = False
        self.can_branch = False
        self.answers = list(answers)
        self.heard: list[int] = []
        self.prompts: list[list[int]] = []
        self.said: list[list[int]] = []  # what was read back, for each try
        self.fail_at: set[int] = set()  # the steps (of hear, read and attention together) that fail
        self.weights: Callable[[int], NDArray[np.float32]] = diagonal_attention
        self.on_step: Callable[[int], object] = lambda step: None
        self.fallen_back = 0
        self.branches = 0
        self._answer: Answer | None = None
        self._context: list[int] = []
        self._rows: list[list[int]] = []
        self._steps = 0
        self._running = False

    @property
    def languages(self) -> tuple[str, ...]:
        return self.tokens.codes

    @contextlib.contextmanager
    def one_run(self) -> Iterator[None]:
        assert not self._running
        self._running = True
        try:
            yield
        finally:
            self._running = False

    def hear(self, mel: NDArray[np.float32], cancel: Cancel) -> None:
        self._answer = None
        self._step(cancel)
        assert mel.shape[0] == self.mel_bins and mel.shape[1] % 2 == 0
        self.heard.append(mel.shape[1])
        assert self.answers, "the model was asked once too often"
        self._answer = self.answers.pop(0)
        self._context = []

    def rewind(self, length_tokens: int = 0) -> None:
        self._context = self._context[:length_tokens]

    def read(self, ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        self._step(cancel)
        self._context += ids
        answer_at = self._answer_at(self._context)
        if len(self._context) == answer_at:
            self.prompts.append(list(self._context))
        if len(self._context) == answer_at + 1:
            self.said.append([])
        if len(self._context) > answer_at:
            self.said[-1] = self._context[answer_at:]
        return self._logits(self._context)

    def branch(self, rows: int) -> None:
        assert self.can_branch
        self.branches += 1
        self._rows = [list(self._context) for _ in range(rows)]

    def read_rows(self, ids: Sequence[int], parents: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        self._step(cancel)
        assert len(ids) == len(parents) == len(self._rows)
        self._rows = [[*self._rows[parent], token] for token, parent in zip(ids, parents, strict=True)]
        return np.stack([self._logits(row) for row in self._rows])

    def attention(self, ids: Sequence[int], cancel: Cancel) -> NDArray[np.float32]:
        self._step(cancel)
        self._context += ids
        assert len(self._context) <= self.pack.config.context_length
        return self.weights(len(ids))

    def fall_back(self, failure: DeviceFailure) -> Notice:
        self.fallen_back += 1
        if self._answer is not None:
            self.answers.insert(0, self._answer)  # it is about to hear the same again
        return Notice("cpu_fallback", "{reason}", {"reason": str(failure)})

    def close(self) -> None:
        self.closing = True

    def _step(self, cancel: Cancel) -> None:
        self._steps += 1
        self.on_step(self._steps)
        if cancel.is_set:
            raise Interrupted
        if self._steps in self.fail_at:
            raise DeviceFailure("the device is gone")

    def _answer_at(self, context: Sequence[int]) -> int:
        return context.index(self.tokens.start) + 1 + (2 if self.tokens.languages else 0)

    def _logits(self, context: list[int]) -> NDArray[np.float32]:
        if len(context) > self.pack.config.context_length:
            raise ValueError("the answer is longer than the model's context")
        tokens, answer = self.tokens, self._answer
        assert answer is not None
        logits = np.zeros(tokens.vocab_size, np.float32)
        if context[-1] == tokens.start:
            logits[tokens.no_speech] = answer.no_speech
            for code, likely in answer.languages.items():
                logits[[token_id for known, token_id in tokens.languages if known == code]] = likely
        said = context[self._answer_at(context) :]
        if len(context) >= self._answer_at(context):
            ids = [*answer.ids, tokens.end]
            by_heart = {ids[min(len(said), len(ids) - 1)]: answer.sure}
            for token_id, likely in (answer.next(said) if answer.next else by_heart).items():
                logits[token_id] = likely
        return logits


def diagonal_attention(count: int, positions: int = 400, each: int = 10) -> NDArray[np.float32]:
    """[2, count, positions]: each token looks ``each`` positions further than the one before."""
    weights = np.full((2, count, positions), 1e-4, np.float32)
    for row in range(count):
        weights[:, row, row * each : (row + 1) * each] = 1
    return weights / weights.sum(axis=-1, keepdims=True)
