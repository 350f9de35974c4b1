"""Chat: turns in, text out.

turns → template → ids → the model (which keeps its memory of the prefix) → :class:`TextChunk`. What does not fit
the model's context is never cut silently: the oldest turns go, in pairs, and a :class:`Notice` says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Finished, Notice, Progress, TextChunk
from engine.runtime.chat_template import PLAIN_STOPS

if TYPE_CHECKING:
    from engine.runtime.language_model import LanguageModel

Role = Literal["system", "user", "assistant"]
# Of the context, this much is kept for the answer while turns are dropped to make room.
RESERVE_TOKENS = 512
MAX_STOPS = 16
LONG_TOKEN_CHARS = 16  # a text of longer tokens than that on average is not worth a guess


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # also refuses NaN
        raise EngineError(
            "{name} must be between {least} and {most}, not {value}.",
            "",
            name=name,
            least=least,
            most=most,
            value=value,
        )


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: Role
    text: str

    def __post_init__(self) -> None:
        if self.role not in ("system", "user", "assistant"):
            raise ValueError(f"role {self.role!r}")


@dataclass(frozen=True)
class ChatOptions:
    """How to sample the answer; ``temperature`` 0 is greedy. Raises EngineError for values out of range."""

    max_new_tokens: int = 1024
    temperature: float = 0.7
    top_k: int = 40  # 0: off
    top_p: float = 0.95  # 1: off
    min_p: float = 0.05  # 0: off
    repetition_penalty: float = 1.1  # 1: off
    seed: int | None = None  # None: another answer each time
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _within("max_new_tokens", self.max_new_tokens, 1, 1_000_000)
        _within("temperature", self.temperature, 0, 10)
        _within("top_k", self.top_k, 0, 1_000_000)
        _within("top_p", self.top_p, 0, 1)
        _within("min_p", self.min_p, 0, 1)
        _within("repetition_penalty", self.repetition_penalty, 0.1, 10)
        if self.seed is not None:
            _within("seed", self.seed, 0, 2**63 - 1)
        if len(self.stop) > MAX_STOPS + len(PLAIN_STOPS) or not all(
            0 < len(stop) <= 200 for stop in self.stop
        ):
            raise EngineError(
                "There are too many stop texts, or one is empty or too long.",
                "Use at most {most}, each of 1 to 200 characters.",
                most=MAX_STOPS,
            )


GREEDY = ChatOptions(temperature=0, top_k=0, top_p=1, min_p=0, repetition_penalty=1)


class _Prompt(NamedTuple):
    ids: list[int]
    dropped_turns: int


def chat(
    model: LanguageModel, turns: Sequence[Turn], options: ChatOptions, cancel: Cancel
) -> Iterator[Progress | TextChunk | Notice | Finished]:
    """Answer the last turn, which must be the user's. Ends with one :class:`Finished`.

    Without a system turn, or with an empty one, the model is told what suits it best (``Pack.system``).
    Raises EngineError if that turn alone does not fit the model's context.
    """
    if not turns or turns[-1].role != "user":
        raise ValueError("the last turn must be the user's")
    if turns[0].role == "system" and not turns[0].text.strip():
        turns = turns[1:]
    if turns[0].role != "system" and model.pack.system:
        turns = [Turn("system", model.pack.system), *turns]
    limit = model.context_limit_tokens
    prompt = _fit(model, list(turns), limit, min(options.max_new_tokens, RESERVE_TOKENS, limit // 4))
    if prompt.dropped_turns:
        yield Notice(
            "turns_dropped",
            "The conversation is longer than {model} can read ({limit} tokens): "
            "its {count} oldest messages were left out.",
            {"model": model.pack.display_name, "limit": limit, "count": prompt.dropped_turns},
        )
    options = replace(
        options,
        max_new_tokens=min(options.max_new_tokens, limit - len(prompt.ids)),
        stop=(*options.stop, *model.template.stops),
    )
    yield from model.generate(prompt.ids, options, cancel)


def _fit(model: LanguageModel, turns: list[Turn], limit: int, reserve: int) -> _Prompt:
    """The ids of as many turns as leave ``reserve`` of the context; the system turn and the last one stay."""
    system = turns[:1] if turns[0].role == "system" else []
    talk = turns[len(system) :]
    # A question goes with its answer, so that what is left begins with a question again.
    cuts = [0, *(at for at in range(1, len(talk)) if talk[at].role == "user")]

    # Text that cannot fit whatever the tokenizer makes of it is not tokenized at all: it may be huge.
    def ids_from(cut: int) -> list[int]:
        kept = [*system, *talk[cut:]]
        chars = sum(len(turn.text) for turn in kept)
        if chars > limit * LONG_TOKEN_CHARS:
            least = math.ceil(chars / model.tokenizer.longest_token_chars)
            if least > limit:
                return [0] * least
        return model.tokenizer.encode_rendered(model.template.render(kept, model.tokenizer.control_tokens))

    ids = ids_from(0)
    if len(ids) + reserve <= limit:
        return _Prompt(ids, 0)
    # The first cut that leaves room; halving, because each look costs a rendering.
    first, last = 1, len(cuts) - 1
    while first < last:
        middle = (first + last) // 2
        if len(ids_from(cuts[middle])) + reserve <= limit:
            last = middle
        else:
            first = middle + 1
    ids = ids_from(cuts[last])
    if len(ids) < limit:  # little room for an answer is better than none
        return _Prompt(ids, cuts[last])
    raise EngineError(
        "The message is too long for {model}: it needs at least {tokens} tokens, and the limit is {limit}.",
        "Shorten it, or choose a model with a longer context.",
        model=model.pack.display_name,
        tokens=len(ids),
        limit=limit,
    )
