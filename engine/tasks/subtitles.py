"""Subtitles that players like, from what was said and when.

In: :class:`engine.results.Segment`, in order. Out: :class:`Cue`: one or two lines of at most 42 columns (a Chinese
character takes two), on the screen for 0.7 to 7 seconds, never two at once. A long segment becomes several cues, at
the ends of its sentences and clauses where there are any, by the times of its words where they are known and else in
proportion to the characters.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from engine.results import Segment

LINE_COLUMNS = 42
LONGEST_MS = 7000
SHORTEST_MS = 700  # where the next cue leaves room

SENTENCE_ENDS = frozenset(".!?…。！？؟।")
CLAUSE_ENDS = frozenset(",;:，；：、—–،؛")
# What may stand after the sign that ends a sentence, and never begins a line; then what never ends one.
CLOSING = frozenset("\"'”’»›)]}）】》〉」』〗〕％%")
NEVER_FIRST = (
    CLOSING | SENTENCE_ENDS | CLAUSE_ENDS | frozenset("·‧々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ～")
)
NEVER_LAST = frozenset("“‘«‹([{（【《〈「『〖〔$￥¥€£#@\u200d")
# Where a word must be broken inside, at least a syllable of Thai or Lao and a joined emoji stay whole.
_STUCK = frozenset("\u200dะาำๅๆເແໂໃໄະາຳเแโใไ")
LONG_WORD_COLUMNS = LINE_COLUMNS - 4

# What the break between two cues costs: cues should be few, alike in length, and end where a thought ends.
_CUE_COST = 10.0
_BREAK_COSTS = {"end": 0.0, "sentence": 0.0, "clause": 2.0, "space": 6.0, "inside": 30.0}
_FULLNESS_COST = 8.0
_HURRY_COST = 5.0
_OVERTIME_COST, _MOST_OVERTIME_COST = 25.0, 15.0


@dataclass(frozen=True)
class Cue:
    """What is on the screen from ``start_ms`` to ``end_ms``: one line or two."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


class CueMaker:
    """Makes cues as segments come. The last cue is open until the next segment says how long it may stay."""

    def __init__(self) -> None:
        self._last: Cue | None = None

    def add(self, segment: Segment) -> tuple[tuple[Cue, ...], Cue | None]:
        """The cues whose times are settled by ``segment``, and the one that is last by now (None before the first)."""
        settled: list[Cue] = []
        for cue in split(segment):
            last = self._last
            if last is None:
                self._last = cue
                continue
            start_ms = max(cue.start_ms, last.start_ms + 1)
            settled.append(_stay(last, start_ms))
            self._last = replace(cue, start_ms=start_ms, end_ms=max(cue.end_ms, start_ms + 1))
        return tuple(settled), None if self._last is None else _stay(self._last, None)


def cues(segments: Iterable[Segment]) -> tuple[Cue, ...]:
    """All cues of a recording."""
    maker = CueMaker()
    made: list[Cue] = []
    last: Cue | None = None
    for segment in segments:
        settled, last = maker.add(segment)
        made.extend(settled)
    return (*made, last) if last else tuple(made)


def columns(text: str) -> int:
    """How wide a text is: wide characters take two columns, marks on others none."""
    return sum(map(_columns_of, text))


def clean(text: str) -> str:
    """One line of text, without control characters and halves of characters that no encoding takes."""
    return " ".join(
        "".join(
            char for char in text if unicodedata.category(char) not in ("Cc", "Cs") or char.isspace()
        ).split()
    )


def split(segment: Segment) -> tuple[Cue, ...]:
    """The cues of one segment; none where it has no text. Times are not yet fitted to its neighbours."""
    text = clean(segment.text)
    if not text:
        return ()
    starts_ms, ends_ms = _char_times_ms(text, segment)
    return tuple(
        Cue(
            round(starts_ms[start]),
            max(round(ends_ms[end - 1]), round(starts_ms[start]) + 1),
            _lines(text[start:end]),
        )
        for start, end in _Splitter(text, starts_ms, ends_ms).spans()
    )


def _stay(cue: Cue, next_start_ms: int | None) -> Cue:
    """The cue with the time that it stays: long enough to be read, and gone when the next one comes."""
    end_ms = max(min(cue.end_ms, cue.start_ms + LONGEST_MS), cue.start_ms + SHORTEST_MS)
    return replace(cue, end_ms=end_ms if next_start_ms is None else min(end_ms, next_start_ms))


def _char_times_ms(text: str, segment: Segment) -> tuple[list[float], list[float]]:
    """When each character begins and ends to be said. Words count only while they still are the text (it may be edited)."""
    start_ms = max(segment.start_s, 0.0) * 1000
    end_ms = max(segment.end_s * 1000, start_ms)
    spans: list[tuple[str, float, float]] = []
    if segment.words and clean("".join(word.text for word in segment.words)) == text:
        floor_ms = start_ms
        for word in segment.words:
            begin_ms = max(word.start_s * 1000, floor_ms)
            floor_ms = max(word.end_s * 1000, begin_ms)
            spans.append((clean(word.text), begin_ms, floor_ms))
    else:
        spans.append((text, start_ms, end_ms))
    starts_ms: list[float] = []
    ends_ms: list[float] = []
    for piece, begin_ms, finish_ms in spans:
        if starts_ms and text[len(starts_ms) : len(starts_ms) + 1] == " ":
            starts_ms.append(ends_ms[-1])
            ends_ms.append(begin_ms)
        widths = list(accumulate((_columns_of(char) or 1 for char in piece), initial=0))
        step_ms = (finish_ms - begin_ms) / max(widths[-1], 1)
        starts_ms.extend(begin_ms + step_ms * width for width in widths[:-1])
        ends_ms.extend(begin_ms + step_ms * width for width in widths[1:])
    return starts_ms, ends_ms


def _breaks(text: str) -> list[tuple[int, str]]:
    """Where ``text`` may be broken, and after what: index of the first character behind it."""
    found: list[tuple[int, str]] = []
    run = 0  # columns since the last place: a word wider than a line is broken anywhere
    for index in range(1, len(text)):
        before, after = text[index - 1], text[index]
        run += _columns_of(before)
        if after == " ":
            continue
        if before == " " or _breaks_between(before, after):
            kind = _kind(text[:index].rstrip())
        elif run >= LONG_WORD_COLUMNS and _columns_of(after) and before not in _STUCK and after not in _STUCK:
            kind = "inside"
        else:
            continue
        found.append((index, kind))
        run = 0
    return found


def _breaks_between(before: str, after: str) -> bool:
    """Whether a line may end between two characters that no space divides."""
    if after in NEVER_FIRST or before in NEVER_LAST or not _columns_of(after):
        return False
    return _is_ideographic(before) or _is_ideographic(after)


def _is_ideographic(char: str) -> bool:
    """Whether it belongs to a script that is written without spaces and broken anywhere (Korean is not)."""
    return unicodedata.east_asian_width(char) in "WF" and "HANGUL" not in unicodedata.name(char, "")


def _kind(before: str) -> str:
    bare = before[-8:].rstrip("".join(CLOSING)) or before
    if bare[-1] in SENTENCE_ENDS:
        return "sentence"
    return "clause" if bare[-1] in CLAUSE_ENDS else "space"


def _columns_of(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class _Splitter:
    """Finds the cheapest way to break one text into cues, by dynamic programming over its places for breaks."""

    def __init__(self, text: str, starts_ms: list[float], ends_ms: list[float]) -> None:
        self._text = text
        self._starts_ms, self._ends_ms = starts_ms, ends_ms
        self._widths = list(accumulate(map(_columns_of, text), initial=0))
        self._places = [(0, "space"), *_breaks(text), (len(text), "end")]
        self._indices = [index for index, _ in self._places]

    def spans(self) -> list[tuple[int, int]]:
        """Where the cues begin and end, without the spaces between them."""
        costs = [0.0] + [math.inf] * (len(self._places) - 1)
        best = [0] * len(self._places)
        for last in range(1, len(self._places)):
            for first in range(last - 1, -1, -1):
                if not self._fits(first, last):
                    if first < last - 1:
                        break  # more text fits even less
                    continue
                cost = costs[first] + self._cost(first, last)
                if cost < costs[last]:
                    costs[last], best[last] = cost, first
        spans: list[tuple[int, int]] = []
        last = len(self._places) - 1
        while last > 0:
            spans.append((self._indices[best[last]], self._end(last)))
            last = best[last]
        return spans[::-1]

    def _end(self, place: int) -> int:
        """The end of a stretch that ends at a place, without the space there (and the silence)."""
        end = self._indices[place]
        return end - 1 if self._text[end - 1] == " " else end

    def _width(self, first: int, last: int) -> int:
        """Columns from one place to another."""
        return self._widths[self._end(last)] - self._widths[self._indices[first]]

    def _fits(self, first: int, last: int) -> bool:
        """Whether two lines hold it: as much as goes into the first, and the rest."""
        if self._width(first, last) <= LINE_COLUMNS:
            return True
        # A space behind the line may hang over its end.
        reach = bisect_right(self._widths, self._widths[self._indices[first]] + LINE_COLUMNS + 1) - 1
        middle = bisect_right(self._indices, reach, first, last) - 1
        while middle > first and self._width(first, middle) > LINE_COLUMNS:
            middle -= 1
        return middle > first and self._width(middle, last) <= LINE_COLUMNS

    def _cost(self, first: int, last: int) -> float:
        duration_ms = self._ends_ms[self._end(last) - 1] - self._starts_ms[self._indices[first]]
        cost = _CUE_COST + _BREAK_COSTS[self._places[last][1]]
        cost += _FULLNESS_COST * (self._width(first, last) / (2 * LINE_COLUMNS)) ** 2
        if duration_ms < SHORTEST_MS:
            cost += _HURRY_COST
        if duration_ms > LONGEST_MS:
            # A few slow words are not worth a second cue: they go after seven seconds.
            share = self._width(first, last) / LINE_COLUMNS
            cost += min(_OVERTIME_COST * (duration_ms / LONGEST_MS - 1), _MOST_OVERTIME_COST * share)
        return cost


def _lines(text: str) -> tuple[str, ...]:
    """One line, or two that are much alike, broken at a clause where that is not far from the middle."""
    if columns(text) <= LINE_COLUMNS:
        return (text,)
    best, best_cost = ("", text), math.inf
    for index, kind in _breaks(text):
        lines = text[:index].strip(), text[index:].strip()
        widths = columns(lines[0]), columns(lines[1])
        cost = abs(widths[0] - widths[1]) + _BREAK_COSTS[kind] * 2 + 1000 * (max(widths) > LINE_COLUMNS)
        if cost < best_cost:
            best, best_cost = lines, cost
    return tuple(line for line in best if line)
