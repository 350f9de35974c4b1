"""What long calls yield: frozen dataclasses of builtins, the only values that leave the engine.

Every long call is a generator of these. Text arrives as :class:`TextChunk`, how far it is as
:class:`Progress`, what the user should know as :class:`Notice`, and the last item of a run that was not
broken by an error is one closing item (:class:`Finished` for text).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True)
class TextChunk:
    """A piece of generated text: whole characters only, in order; joined they are the answer."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a call is. ``total`` is None where it cannot be known; ``stage`` is a stable key."""

    stage: Literal["load", "prefill", "fetch", "unpack", "export", "quantize", "check", "copy", "verify"]
    done: int
    total: int | None
    unit: Literal["tokens", "bytes", "files", "steps"]


@dataclass(frozen=True)
class Notice:
    """Something that the user should know and need not act on, such as a fall-back to the CPU.

    ``code`` is a stable key (``cpu_fallback``, ``turns_dropped``); ``template`` and ``values`` work as
    in :class:`engine.errors.EngineError`.
    """

    code: str
    template: str
    values: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The notice, filled in."""
        return self.template.format(**self.values)


@dataclass(frozen=True)
class Finished:
    """The end of a generation. Durations in seconds, counts in tokens; ``text`` is the whole answer."""

    reason: FinishReason
    text: str
    model: str
    provider: str
    prompt_tokens: int
    cached_tokens: int
    new_tokens: int
    context_tokens: int
    context_limit_tokens: int
    first_token_s: float
    prefill_s: float
    decode_s: float

    @property
    def decode_tokens_per_s(self) -> float:
        """Tokens a second after the first one; 0 where there was only one."""
        return (self.new_tokens - 1) / self.decode_s if self.new_tokens > 1 and self.decode_s > 0 else 0.0
