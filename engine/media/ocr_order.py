"""The order in which lines of text are read, and their texts as one.

In: lines as they were found, each with how it is turned. Out: the same lines in reading order; a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.results import TextLine

SAME_ROW = 0.5  # lines share a row if they overlap by so much of the lower one's height


@dataclass(frozen=True)
class TurnedLine:
    """A line, its corners [4, 2] in pixels, and by how many quarters counter-clockwise it had to be turned to be read."""

    line: TextLine
    corners: NDArray[np.float64]
    turns: int


@dataclass(frozen=True)
class _Placed:
    """A line, and its box on the picture turned so that it reads from left to right."""

    line: TextLine
    left: float
    top: float
    right: float
    bottom: float


def reading_order(lines: Sequence[TurnedLine]) -> tuple[TextLine, ...]:
    """Rows from top to bottom, each from left to right, on the picture turned as its lines are.

    Columns of Chinese come from right to left: to turn them is to make rows of them, the right one first. Where lines are
    turned differently, the way with the most characters comes first.
    """
    ways: dict[int, list[TurnedLine]] = {}
    for turned in lines:
        ways.setdefault(turned.turns % 4, []).append(turned)
    ordered: list[TextLine] = []
    for way in sorted(ways.values(), key=lambda way: -sum(len(turned.line.text) for turned in way)):
        for row in _rows(_placed(way)):
            ordered += [placed.line for placed in sorted(row, key=lambda placed: placed.left)]
    return tuple(ordered)


def join_lines(lines: Iterable[TextLine]) -> str:
    """The lines as one text: a space between them, none between two lines of a script that is written without."""
    joined = ""
    for line in lines:
        text = line.text.strip()
        if joined and text and not (_unspaced(joined[-1]) and _unspaced(text[0])):
            joined += " "
        joined += text
    return joined


def _placed(way: Sequence[TurnedLine]) -> list[_Placed]:
    """Lines that are turned the same way, on the picture turned by that, and by the little that the longest are aslant."""
    longest = sorted(way, key=lambda turned: -float(np.ptp(turned.corners, axis=0).max()))
    longest = longest[: max(1, len(way) // 2)]
    sides = [turned.corners[1] - turned.corners[0] for turned in longest]
    angle = float(np.median([np.arctan2(y, x) for x, y in sides])) + way[0].turns * np.pi / 2
    # Rows of corners times this are turned back by the angle.
    back = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    placed = []
    for turned in way:
        corners = turned.corners @ back
        (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        placed.append(_Placed(turned.line, left, top, right, bottom))
    return placed


def _rows(way: list[_Placed]) -> list[list[_Placed]]:
    rows: list[list[_Placed]] = []
    for placed in sorted(way, key=lambda placed: placed.top + placed.bottom):
        if rows and _same_row(rows[-1][-1], placed):
            rows[-1].append(placed)
        else:
            rows.append([placed])
    return rows


def _same_row(one: _Placed, other: _Placed) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > SAME_ROW * min(one.bottom - one.top, other.bottom - other.top)


def _unspaced(character: str) -> bool:
    """Whether it belongs to Chinese or Japanese writing, its punctuation and wide forms included."""
    code = ord(character)
    return 0x2E80 <= code <= 0xA4CF or 0xF900 <= code <= 0xFAFF or 0xFE30 <= code <= 0xFFEF or code >= 0x20000
