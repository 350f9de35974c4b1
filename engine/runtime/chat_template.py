"""Turns of a conversation become the one text that the model was trained to continue.

In: a pack's ``chat_template.jinja`` or ``tokenizer_config.json`` (untrusted) and turns. Out: :class:`Rendered`, a
text in which what users wrote cannot pass for the template's control tokens.

How that is kept: wherever a turn holds the text of a control token (or could complete one together with the
template), a marker is put into it, a private-use character that occurs nowhere else. The tokenizer reads control
tokens in the text, marker and all, and only then takes the markers out (``Tokenizer.encode_rendered``). Turns without
such text reach the template untouched, and the result is encoded as one piece.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.errors import EngineError
from engine.json_files import Reader
from engine.runtime.template_guard import GuardedEnvironment, GuardError

CONFIG_FILE = "tokenizer_config.json"
TEMPLATE_FILE = "chat_template.jinja"
SPECIAL_KEYS = ("bos_token", "eos_token", "pad_token", "unk_token")
# For a model without a template: roles in words, which also models that were never taught to chat can continue.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' %}{{ message.content }}\n\n"
    "{% elif message.role == 'user' %}User: {{ message.content }}\n"
    "{% else %}Assistant: {{ message.content }}\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
PLAIN_STOPS = ("\nUser:",)


class Message(Protocol):
    """A turn, as far as templates are concerned."""

    @property
    def role(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Rendered:
    """A prompt as text. Where ``marker`` is not empty, it stands inside what must not be read as control tokens."""

    text: str
    marker: str = ""


class ChatTemplate:
    """One pack's template, compiled once."""

    def __init__(self, name: str, source: str, special_tokens: dict[str, str] | None = None) -> None:
        self._name = name
        self._special = dict(special_tokens or {})
        self._environment = GuardedEnvironment()
        try:
            self._template = self._environment.compile_guarded(source)
        except GuardError as problem:
            raise self._error(problem) from problem
        # Strings after which an answer to this template is over, beside the model's own end token.
        self.stops = PLAIN_STOPS if source == PLAIN_TEMPLATE else ()

    @classmethod
    def open(cls, folder: Path) -> ChatTemplate:
        """Read the template of the pack in ``folder``; raises EngineError naming the pack."""
        source = ""
        special: dict[str, str] = {}
        if (folder / CONFIG_FILE).is_file():
            config = Reader.open(folder / CONFIG_FILE)
            source = _source(config)
            special = {key: _token(config, key) for key in SPECIAL_KEYS}
        path = folder / TEMPLATE_FILE
        if path.is_file():
            try:
                with path.open("rb") as file:
                    source = file.read(1_000_000).decode("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise EngineError(
                    "The chat template of {model} cannot be read.", "Add the model again.", model=folder.name
                ) from error
        return cls(folder.name, source or PLAIN_TEMPLATE, special)

    def render(
        self,
        turns: Sequence[Message],
        control_tokens: Sequence[str] = (),
        answer: bool = True,
        pictures: Sequence[int] | None = None,
    ) -> Rendered:
        """The prompt for these turns; with ``answer`` it ends where the assistant's text begins.

        ``control_tokens`` are the texts that the tokenizer reads as control tokens. A template that knows
        no system turn gets its text at the head of the first user turn. ``pictures`` is for a template that shows
        pictures: how many stand before the text of each turn. Raises EngineError.
        """
        marker = _unused_character([turn.text for turn in turns]) if control_tokens else ""
        contents = [_protect(turn.text, control_tokens, marker) for turn in turns]
        messages = [
            {"role": turn.role, "content": content} for turn, content in zip(turns, contents, strict=True)
        ]
        try:
            text = self._render(messages, answer, pictures)
        except GuardError as problem:
            merged = _without_system(messages)
            if not problem.own or merged is None:
                raise self._error(problem) from problem
            try:
                text = self._render(merged, answer, pictures and pictures[1:])
            except GuardError as again:
                raise self._error(again) from again
        return Rendered(text, marker if marker and marker in text else "")

    def _render(
        self, messages: list[dict[str, str]], answer: bool, pictures: Sequence[int] | None = None
    ) -> str:
        shown: list[Any] = messages
        if pictures is not None:
            shown = [
                {"role": message["role"], "content": _parts(message["content"], count)}
                for message, count in zip(messages, pictures, strict=True)
            ]
        values: dict[str, object] = {"messages": shown, "add_generation_prompt": answer, "tools": None}
        size = sum(len(message["content"]) for message in messages)
        return self._environment.render_guarded(self._template, values | self._special, size)

    def _error(self, problem: GuardError) -> EngineError:
        return EngineError(
            "The chat template of {model} cannot be used: {reason}.",
            "Use another model, or get this one again.",
            model=self._name,
            reason=str(problem),
        )


def _parts(text: str, pictures: int) -> list[dict[str, str]]:
    """The content of a turn in parts, as templates that show pictures want it."""
    return [*({"type": "image"} for _ in range(pictures)), {"type": "text", "text": text}]


def _source(config: Reader) -> str:
    """``chat_template``: one text, or a list of named ones of which "default" counts."""
    try:
        named = config.objects("chat_template")
    except EngineError:  # not a list
        return config.block("chat_template")
    templates = {entry.text("name", ""): entry.block("template") for entry in named}
    return templates.get("default") or next(iter(templates.values()), "")


def _token(config: Reader, key: str) -> str:
    """A special token: its text, or an object with the text in it, or nothing."""
    if key not in config:
        return ""
    try:
        return config.object(key).block("content")
    except EngineError:
        return config.block(key)


def _protect(text: str, control_tokens: Sequence[str], marker: str) -> str:
    """``text`` with a marker inside everything that could be read as a control token."""
    if not marker:
        return text
    tokens = [token for token in control_tokens if len(token) > 1]
    # Again and again, because breaking one token may leave another, inside or overlapping.
    while present := sorted((token for token in tokens if token in text), key=len, reverse=True):
        found = re.compile("|".join(map(re.escape, present)))
        text = found.sub(lambda match: f"{match[0][0]}{marker}{match[0][1:]}", text)
    if any(text.endswith(token[:size]) for token in tokens for size in range(1, len(token))):
        text += marker
    if any(text.startswith(token[size:]) for token in tokens for size in range(1, len(token))):
        text = marker + text
    return text


def _unused_character(texts: Sequence[str]) -> str:
    """A private-use character that is in none of the texts."""
    used = set().union(*texts)
    everything = itertools.chain(range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
    return next(chr(code) for code in everything if chr(code) not in used)


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]] | None:
    """The messages with the system text at the head of the first user turn; None if there is none to move."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return None
    merged = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{"role": "user", "content": merged}, *messages[2:]]
