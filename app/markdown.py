"""Markdown from a model, cut into segments that can be rendered one by one.

In: Markdown, which is data and never trusted. Out: segments (text or fenced code) and HTML that loads
nothing: raw HTML is escaped, an image becomes its description, and only http, https and mailto are links.

Segments are what makes streaming cheap: all but the last are final, so only the last is rendered again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# A text segment is closed at the next block once it is this long: it bounds what one redraw costs.
SEGMENT_CHARS = 1500
# A block that is longer than this without an end (a paragraph of a thousand words) is cut where it hurts least.
BLOCK_CHARS = 2000
CUT_WITHIN_CHARS = 500
SAFE_SCHEMES = ("http://", "https://", "mailto:")


@dataclass(frozen=True)
class Segment:
    """Consecutive blocks of text, or one fenced code block. ``start`` is the offset of its source."""

    kind: Literal["text", "code"]
    source: str  # Markdown, or the code itself
    language: str
    start: int


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.disable("reference")  # definitions would reach across segments
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table)
    return parser


def _is_safe_link(url: str) -> bool:
    return url.strip().lower().startswith(SAFE_SCHEMES)


def _image(_self: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    return f"<i>[{html.escape(token.content or str(token.attrGet('src') or ''))}]</i>"


def _table(_self: Any, _tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
    return '<table border="1" cellpadding="6" cellspacing="0">'


def to_html(source: str) -> str:
    """HTML of a text segment, safe to give to a view that loads nothing."""
    return _parser().render(source).strip()


def segments(source: str, offset: int = 0) -> list[Segment]:
    """Cut Markdown into segments; ``offset`` is added to each ``start``."""
    line_starts = [0]
    for line in source.split("\n"):
        line_starts.append(line_starts[-1] + len(line) + 1)

    def at(line: int) -> int:
        return min(line_starts[min(line, len(line_starts) - 1)], len(source))

    found: list[Segment] = []
    text_start: int | None = None
    text_end = 0

    def close_text() -> None:
        nonlocal text_start
        if text_start is not None:
            found.append(Segment("text", source[text_start:text_end], "", offset + text_start))
            text_start = None

    for start_line, end_line, fence in _pieces(source):
        if fence is not None:
            close_text()
            code = fence.content.removesuffix("\n")
            found.append(Segment("code", code, fence.info.strip().split(" ")[0], offset + at(start_line)))
            continue
        if text_start is not None and text_end - text_start > SEGMENT_CHARS:
            close_text()
        if text_start is None:
            text_start = at(start_line)
        text_end = at(end_line)
        while text_end - text_start > BLOCK_CHARS + CUT_WITHIN_CHARS:
            whole_end, text_end = text_end, _cut(source, text_start + BLOCK_CHARS)
            next_start = text_end
            close_text()
            text_start, text_end = next_start, whole_end
    close_text()
    return found


def _cut(source: str, start: int) -> int:
    """Where to cut a long block: after a line, else after a sentence, else after a word, else anywhere."""
    window = source[start : start + CUT_WITHIN_CHARS]
    for mark in ("\n", "。", ". ", " "):
        found = window.find(mark)
        if found >= 0:
            return start + found + len(mark)
    return start + CUT_WITHIN_CHARS


def _pieces(source: str) -> list[tuple[int, int, Token | None]]:
    """Line ranges of the top-level blocks; long lists are cut at their items, which keep their numbers."""
    parser = _parser()
    # Blocks only: the inline pass is done when a segment is rendered.
    from markdown_it.rules_block import StateBlock

    tokens: list[Token] = []
    state_tokens = StateBlock(source.replace("\x00", "\ufffd"), parser, {}, tokens)
    parser.block.tokenize(state_tokens, state_tokens.line, state_tokens.lineMax)
    pieces: list[tuple[int, int, Token | None]] = []
    list_end = 0
    for token in tokens:
        if token.map is None or token.nesting < 0:
            continue
        first, last = token.map
        if token.level == 0 and token.type == "fence":
            pieces.append((first, last, token))
        elif token.level == 0 and token.type in ("ordered_list_open", "bullet_list_open"):
            list_end = last
        elif (token.level == 1 and token.type == "list_item_open" and first < list_end) or token.level == 0:
            pieces.append((first, last, None))
    return pieces


_FENCE = re.compile(r"(`{3,}|~{3,})([^\n]*)\n")


class StreamSplitter:
    """Cuts a growing text: keeps the final segments, parses only what may still change.

    A code block that is still open is not parsed at all: only its new lines are looked at, for its end.
    """

    def __init__(self) -> None:
        self.text = ""
        self._final: list[Segment] = []
        self._from = 0
        self._code_from = -1  # where the code of an open fence begins; -1: there is none
        self._seen = 0
        self._language = ""
        self._end = re.compile("")

    def feed(self, text: str) -> tuple[list[Segment], int]:
        """Take the whole text so far; give all segments and how many of them are final."""
        if not text.startswith(self.text):  # another text: begin again
            self.__init__()
        self.text = text
        if self._code_from >= 0:
            found = self._end.search(text, self._seen)
            code = text[self._code_from : found.start() if found else len(text)].removesuffix("\n")
            segment = Segment("code", code, self._language, self._from)
            if found is None or found.end() == len(text):  # open, or its last line may still grow
                self._seen = max(text.rfind("\n") + 1, self._code_from)
                return [*self._final, segment], len(self._final)
            self._final.append(segment)
            self._from, self._code_from = found.end() + 1, -1
        tail = segments(text[self._from :], self._from)
        if len(tail) > 1:
            self._final += tail[:-1]
            self._from = tail[-1].start
            tail = tail[-1:]
        if tail and tail[0].kind == "code":
            self._follow_fence(tail[0])
        return [*self._final, *tail], len(self._final)

    def _follow_fence(self, segment: Segment) -> None:
        opened = _FENCE.match(self.text, segment.start)
        if opened is None:  # an indented fence: parse it each time
            return
        marker = opened.group(1)
        end = re.compile(rf"^ {{0,3}}{re.escape(marker[0])}{{{len(marker)},}}[ \t]*$", re.MULTILINE)
        if end.search(self.text, opened.end()) is None:
            self._code_from, self._seen, self._end = opened.end(), opened.end(), end
            self._language = segment.language
