"""Text to token ids and back.

In: a pack's ``tokenizer.json`` (untrusted). Out: ids for prompts, in which only the template's own control tokens
are control tokens; and text from ids as they come, in whole characters.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import tokenizers

from engine.errors import EngineError
from engine.packs import TOKENIZER_FILE, unreadable
from engine.runtime.chat_template import Rendered

# A character has at most four bytes, so after that many tokens what is no character will never be one.
MAX_HELD_TOKENS = 4
REPLACEMENT = "\ufffd"


class Tokenizer:
    """One pack's tokenizer. Not for two threads at once."""

    def __init__(self, name: str, definition: bytes) -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_buffer(definition)
            self._type = _decoder_type(self._tokenizer)
        except (ValueError, RecursionError) as error:
            raise _damaged(name) from error
        except BaseException as error:  # the library raises plain Exception, and its Rust side panics
            if type(error) is not Exception and type(error).__name__ != "PanicException":
                raise
            raise _damaged(name) from error
        # A file may ask for these; a prompt must never be cut silently.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        added = self._tokenizer.get_added_tokens_decoder()
        self._control = {token.content: (id_, token) for id_, token in added.items() if token.special}
        self.control_ids = frozenset(id_ for id_, _ in self._control.values())
        # What the tokenizer reads as control tokens, in text where they are allowed.
        self.control_tokens = tuple(content for content in self._control if content)

    @classmethod
    def open(cls, folder: Path) -> Tokenizer:
        """Read the tokenizer of the pack in ``folder``; raises EngineError naming the pack."""
        try:
            definition = (folder / TOKENIZER_FILE).read_bytes()  # not by path: that breaks on some names
        except OSError as error:
            raise unreadable(TOKENIZER_FILE, error) from error
        return cls(folder.name, definition)

    @property
    def vocabulary_size(self) -> int:
        """How many ids there are, added tokens included."""
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    @cached_property
    def longest_token_chars(self) -> int:
        """No token stands for more characters than this."""
        return max(map(len, self._tokenizer.get_vocab(with_added_tokens=True)), default=1)

    def id_of(self, token: str) -> int | None:
        """The id of one token, as it is written in the vocabulary."""
        return self._tokenizer.token_to_id(token)

    def control(self) -> Iterator[tuple[str, int]]:
        """Every control token and its id."""
        return ((content, id_) for content, (id_, _) in self._control.items())

    def encode(self, text: str, control: bool = False, wrap: bool = False) -> list[int]:
        """The ids of ``text``.

        Control tokens in it are read as such only with ``control``; ``wrap`` adds what the model expects
        around a bare text (most often a token at its beginning).
        """
        self._tokenizer.encode_special_tokens = not control
        return self._tokenizer.encode(_sound(text), add_special_tokens=wrap).ids

    def encode_rendered(self, rendered: Rendered) -> list[int]:
        """The ids of a prompt: its control tokens are read, those that were marked as users' text are not."""
        if not rendered.marker:
            return self.encode(rendered.text, control=True)
        ids: list[int] = []
        for text, control_id in self._split(rendered.text):
            if control_id is not None:
                ids.append(control_id)
            elif rendered.marker in text:
                ids += self.encode(text.replace(rendered.marker, ""))
            else:
                ids += self.encode(text)
        return ids

    def decode(self, ids: Sequence[int], keep_control: bool = False) -> str:
        """The text of ``ids``; ids that are no tokens are left out."""
        known = [id_ for id_ in ids if self._tokenizer.id_to_token(id_) is not None]
        return self._tokenizer.decode(known, skip_special_tokens=not keep_control)

    def stream(self) -> StreamDecoder:
        """A decoder for ids that come one by one."""
        if self._type == "ByteLevel":
            return ByteStreamDecoder(self._tokenizer, self.control_ids)
        return WindowStreamDecoder(self._tokenizer, self.control_ids)

    def _split(self, text: str) -> Iterator[tuple[str, int | None]]:
        """``text`` cut at its control tokens: pieces of text with None, control tokens with their ids."""
        at = 0
        for match in self._control_pattern.finditer(text):
            if match.start() > at:
                yield text[at : match.start()], None
            content = match[0] if match[0] in self._control else match[0].strip()
            yield content, self._control[content][0]
            at = match.end()
        if at < len(text):
            yield text[at:], None

    @cached_property
    def _control_pattern(self) -> re.Pattern[str]:
        """All control tokens, longest first, with the white space that some of them swallow."""
        alternatives = [
            (r"\s*" if token.lstrip else "") + re.escape(content) + (r"\s*" if token.rstrip else "")
            for content, (_, token) in sorted(self._control.items(), key=lambda item: -len(item[0]))
            if content
        ]
        return re.compile("|".join(alternatives) or r"(?!)")


class StreamDecoder:
    """Turns ids into text as they come; the same work for each, however many came before."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, control_ids: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._control_ids = control_ids

    def push(self, token_id: int) -> str:
        """The text that this id completes; "" while a character is not whole, and for control tokens."""
        raise NotImplementedError

    def flush(self) -> str:
        """What is left at the end; a character that never became whole shows as U+FFFD."""
        raise NotImplementedError

    def push_all(self, ids: Iterable[int]) -> str:
        """The text that these ids complete."""
        return "".join(map(self.push, ids))


class ByteStreamDecoder(StreamDecoder):
    """For byte-level vocabularies: each token is a run of bytes, so the bytes only have to be put together."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, control_ids: frozenset[int]) -> None:
        super().__init__(tokenizer, control_ids)
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        token = self._tokenizer.id_to_token(token_id)
        if token is None or token_id in self._control_ids:
            return ""
        return self._utf8.decode(_token_bytes(token))

    def flush(self) -> str:
        text = self._utf8.decode(b"", final=True)
        self._utf8.reset()
        return text


class WindowStreamDecoder(StreamDecoder):
    """For all others (sentencepiece, word pieces): decodes the last few ids with and without the new ones.

    The earlier ids are there for the spaces: such decoders drop the one at the beginning.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, control_ids: frozenset[int]) -> None:
        super().__init__(tokenizer, control_ids)
        self._before: list[int] = []
        self._held: list[int] = []

    def push(self, token_id: int) -> str:
        if self._tokenizer.id_to_token(token_id) is None or token_id in self._control_ids:
            return ""
        self._held.append(token_id)
        text = self._new_text()
        if text.endswith(REPLACEMENT) and len(self._held) < MAX_HELD_TOKENS:
            return ""
        self._before, self._held = self._held, []
        return text

    def flush(self) -> str:
        text = self._new_text()
        self._before, self._held = [], []
        return text

    def _new_text(self) -> str:
        if not self._held:
            return ""
        before = self._tokenizer.decode(self._before) if self._before else ""
        return self._tokenizer.decode(self._before + self._held)[len(before) :]


class StopWatcher:
    """Holds back text that may be the beginning of a stop string, and nothing else.

    Feed it what the stream decoder gives; once :attr:`stopped` is true, the answer is over.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The text that can be shown now; nothing after a stop string, nor the stop string itself."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in map(text.find, self._stops) if at >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        held = max((_overlap(text, stop) for stop in self._stops), default=0)
        shown, self._held = text[: len(text) - held], text[len(text) - held :]
        return shown

    def flush(self) -> str:
        """What was held back and turned out to be no stop string."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` are the beginning of ``stop``."""
    return next(
        (size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0
    )


def _decoder_type(tokenizer: tokenizers.Tokenizer) -> str:
    """The type of the decoder; a sequence of one is that one."""
    if tokenizer.decoder is None:
        return ""
    decoder = json.loads(tokenizer.decoder.__getstate__())  # its part of the file
    while decoder.get("type") == "Sequence" and len(decoder.get("decoders", [])) == 1:
        decoder = decoder["decoders"][0]
    return str(decoder.get("type", ""))


def _byte_of_char() -> dict[str, int]:
    """How byte-level vocabularies write bytes: printable ones as themselves, the others from U+0100 up.

    The table of GPT-2's encoder (https://github.com/openai/gpt-2/blob/master/src/encoder.py).
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTE_OF_CHAR = _byte_of_char()


def _token_bytes(token: str) -> bytes:
    """The bytes of a token of a byte-level vocabulary; added tokens may be plain text instead."""
    try:
        return bytes([_BYTE_OF_CHAR[char] for char in token])
    except KeyError:
        return token.encode("utf-8")


def _sound(text: str) -> str:
    """``text`` without halves of surrogate pairs, which are in no encoding."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _damaged(name: str) -> EngineError:
    return EngineError("The tokenizer of {model} is damaged.", "Add the model again.", model=name)
