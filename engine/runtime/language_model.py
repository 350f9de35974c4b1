"""A language model, ready to run: tokenizer, template, session and the loop that makes text.

In: a pack and ids of a prompt. Out: a generator of :class:`Progress`, :class:`TextChunk`, :class:`Notice` and one
:class:`Finished`. What was read stays in the KV cache, so that a prompt which begins the same way costs only its new
part.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Protocol

import numpy as np

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack, require_kind
from engine.results import Finished, FinishReason, Notice, Progress, TextChunk
from engine.runtime.chat_template import ChatTemplate
from engine.runtime.decoder import Decoder, Embed
from engine.runtime.devices import Device
from engine.runtime.open_model import OpenModel
from engine.runtime.sampling import Sampler, SamplingOptions, check_finite
from engine.runtime.session import (
    DeviceFailure,
    Interrupted,
    Session,
    fits_memory,
    open_session,
    out_of_memory,
)
from engine.runtime.tokens import StopWatcher, Tokenizer

Item = Progress | TextChunk | Notice | Finished


class GenerateOptions(SamplingOptions, Protocol):
    """How to sample, and when to end: after so many tokens, or where one of the ``stop`` texts would stand."""

    @property
    def max_new_tokens(self) -> int: ...
    @property
    def stop(self) -> tuple[str, ...]: ...


class LanguageModel(OpenModel):
    """An open language pack."""

    def __init__(self, pack: Pack, tokenizer: Tokenizer, template: ChatTemplate, threads: int = 0) -> None:
        """Use :meth:`open`."""
        super().__init__(pack, threads)
        self.tokenizer = tokenizer
        self.template = template
        self._eos_ids = frozenset(pack.config.eos_token_ids)
        self._session: Session | None = None
        self._decoder: Decoder | None = None

    @classmethod
    def open(cls, pack: Pack, device: str = "auto", threads: int = 0) -> LanguageModel:
        """Open ``pack`` on a device ("auto", "cpu", "cuda", "directml", "coreml"); ``threads`` 0: one a physical core.

        :attr:`provider` then says what it runs on, :attr:`notices` what the user should know about that.
        Raises EngineError where files are missing or damaged, memory does not suffice, or the pack is for speech.
        """
        require_kind(pack, "language")
        if not fits_memory(pack.size_bytes):
            raise out_of_memory(pack.display_name)
        model = cls(pack, Tokenizer.open(pack.folder), ChatTemplate.open(pack.folder), threads)
        model._open_on(device)
        return model

    @property
    def context_limit_tokens(self) -> int:
        """Prompt and answer together have at most so many tokens."""
        return self.pack.context_tokens

    def count_tokens(self, text: str) -> int:
        """How many tokens ``text`` has."""
        return len(self.tokenizer.encode(text))

    def generate(
        self, prompt_ids: Sequence[int], options: GenerateOptions, cancel: Cancel
    ) -> Iterator[Progress | TextChunk | Notice | Finished]:
        """Continue ``prompt_ids`` until the model ends, a stop text, ``max_new_tokens``, or the context is full.

        ``Finished.new_tokens`` counts the model's end token too. After ``cancel`` the text so far is in
        ``Finished``, with the reason "cancelled". Raises EngineError where the prompt is empty or longer than
        the context, the model is closed, or another run is not over.
        """
        with self.one_run():
            yield from self._generate(list(prompt_ids), options, cancel, perf_counter())

    def score(self, ids: Sequence[int]) -> float:
        """Mean negative log likelihood (nats) of ``ids[1:]``, each given those before; one token a run.

        Its exponential is the perplexity. Raises ValueError for fewer than two ids.
        """
        if len(ids) < 2:
            raise ValueError("a score needs at least two ids")
        self._check_length(len(ids))
        cancel, total = Cancel(), 0.0
        with self.one_run():
            decoder = self._opened()
            decoder.cache.truncate(0)
            for id_, following in itertools.pairwise(ids):
                logits = decoder.step(id_, cancel).astype(np.float64)
                largest = logits.max()
                check_finite(largest)
                total += largest + np.log(np.exp(logits - largest).sum()) - logits[following]
        return total / (len(ids) - 1)

    def _generate(
        self, ids: list[int], options: GenerateOptions, cancel: Cancel, started: float
    ) -> Iterator[Item]:
        """``ids`` grows by what is generated."""
        prompt_tokens = len(ids)
        self._check_length(prompt_tokens)
        room = min(options.max_new_tokens, self.context_limit_tokens - prompt_tokens)
        sampler = self._sampler(options, ids)
        stream, stops = self.tokenizer.stream(), StopWatcher(options.stop)
        pieces: list[str] = []
        reason: FinishReason = "length"
        cached = self._opened().cache.match(ids)
        prefilled = first = ended = 0.0
        try:
            yield from self._read(ids, cancel)
            prefilled = perf_counter()
            while True:
                id_ = sampler.choose(self._opened().logits)
                ids.append(id_)
                ended = perf_counter()
                first = first or ended
                if id_ in self._eos_ids:
                    reason = "stop"
                    break
                if text := stops.push(stream.push(id_)):
                    pieces.append(text)
                    yield TextChunk(text)
                if stops.stopped:
                    reason = "stop"
                    break
                if len(ids) - prompt_tokens >= room:
                    break
                if self._closing:
                    raise Interrupted
                try:
                    self._opened().step(id_, cancel)
                except DeviceFailure as failure:
                    yield self.fall_back(failure)
                    yield from self._read(ids, cancel)
        except Interrupted:
            reason = "cancelled"
        if text := stops.push(stream.flush()) + stops.flush():
            pieces.append(text)
            yield TextChunk(text)
        now = perf_counter()
        yield Finished(
            reason=reason,
            text="".join(pieces),
            model=self.pack.name,
            provider=self.provider,
            prompt_tokens=prompt_tokens,
            cached_tokens=cached,
            new_tokens=len(ids) - prompt_tokens,
            context_tokens=len(ids),
            context_limit_tokens=self.context_limit_tokens,
            first_token_s=(first or now) - started,
            prefill_s=(prefilled or now) - started,
            decode_s=ended - first,
        )

    def _read(self, ids: list[int], cancel: Cancel) -> Iterator[Progress | Notice]:
        """Read the part of ``ids`` that is not held; on a device that fails, again on the CPU."""
        try:
            yield from self._opened().prefill(ids, cancel)
        except DeviceFailure as failure:
            yield self.fall_back(failure)
            yield from self._opened().prefill(ids, cancel)

    def _sampler(self, options: GenerateOptions, ids: Sequence[int]) -> Sampler:
        """What chooses the tokens that follow ``ids``."""
        return Sampler(options, ids)

    def _try_out(self, session: Session, embed: Embed | None = None) -> None:
        decoder = Decoder(session, self.pack.config, self.context_limit_tokens, embed)
        decoder.try_out()
        self._decoder = decoder

    def _open_on(self, device: str) -> None:
        self._session, notices = open_session(self.pack.model_path, device, self._threads, self._try_out)
        self.notices = (*self.notices, *notices)
        self.provider = self._session.device.label

    def _check_length(self, tokens: int) -> None:
        if tokens == 0:
            raise EngineError("There is nothing to continue: the prompt is empty.", "Write something first.")
        if tokens >= self.context_limit_tokens:
            raise EngineError(
                "The text is too long for {model}: it has {tokens} tokens, and the limit is {limit}.",
                "Shorten it, or choose a model with a longer context.",
                model=self.pack.display_name,
                tokens=tokens,
                limit=self.context_limit_tokens,
            )

    def _device(self) -> Device | None:
        return self._session.device if self._session is not None else None

    def _opened(self) -> Decoder:
        if self._decoder is None:
            raise self.closed()
        return self._decoder

    def _let_go(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
        if self._session is not None:
            self._session.close()
        self._decoder = self._session = None
