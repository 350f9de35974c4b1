"""Colours for code, found off the UI thread.

In: code and the name of its language. Out: for each line, spans of (start, length, colour name of the theme).
"""

from __future__ import annotations

from collections.abc import Iterator

LIMIT_CHARS = 60_000
Spans = list[list[tuple[int, int, str]]]


def spans_of(code: str, language: str) -> Spans:
    """The spans of some code; empty for a language that is not known."""
    from pygments.lexers import get_lexer_by_name
    from pygments.token import Token
    from pygments.util import ClassNotFound

    if len(code) > LIMIT_CHARS or not language:
        return []
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return []
    kinds = (
        (Token.Comment, "comment"),
        (Token.Keyword, "keyword"),
        (Token.Operator.Word, "keyword"),
        (Token.Literal.String, "string"),
        (Token.Literal.Number, "number"),
        (Token.Name.Function, "name"),
        (Token.Name.Class, "name"),
        (Token.Name.Builtin, "name"),
        (Token.Name.Tag, "name"),
        (Token.Name.Decorator, "name"),
    )
    lines: Spans = [[]]
    column = 0
    for kind, text in lexer.get_tokens(code):
        colour = next((name for wanted, name in kinds if kind in wanted), "")
        for index, piece in enumerate(text.split("\n")):
            if index:
                lines.append([])
                column = 0
            length = len(piece.encode("utf-16-le")) // 2  # Qt counts in UTF-16
            if colour and length:
                lines[-1].append((column, length, colour))
            column += length
    return lines


def highlight_work(code: str, language: str) -> Iterator[object]:
    """The same as a generator for a Job."""
    yield spans_of(code, language)
