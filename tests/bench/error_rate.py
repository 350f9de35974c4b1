"""Word and character error rates: what was said against what was written down.

In: a reference, a hypothesis and the language (Whisper's code). Out: counts of substitutions, deletions and insertions;
an alignment of two lists of tokens. Languages written without spaces, and Korean, whose spaces are a matter of taste,
are compared by characters. Chinese is folded to simplified characters, its numbers to Chinese numerals.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.english_text import normalised_english

BY_CHARACTERS = ("zh", "yue", "ja", "ko", "th", "lo", "my")
NUMERALS = "零一二三四五六七八九"
LONGEST_CARDINAL = (
    7  # digits without separators; more than these are read one by one, like a telephone number
)


@dataclass(frozen=True)
class Errors:
    """Counts of tokens. ``reference`` is how many were said."""

    reference: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def total(self) -> int:
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors for each token said; above 1 is possible."""
        return self.total / self.reference if self.reference else float(self.total > 0)

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.reference + other.reference,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )


def errors(reference: str, hypothesis: str, language: str) -> Errors:
    """Both texts normalised, then compared by words or characters."""
    said, written = tokens(reference, language), tokens(hypothesis, language)
    substitutions = deletions = insertions = 0
    for left, right in align(said, written):
        if left is None:
            insertions += 1
        elif right is None:
            deletions += 1
        elif said[left] != written[right]:
            substitutions += 1
    return Errors(len(said), substitutions, deletions, insertions)


def tokens(text: str, language: str) -> list[str]:
    """What is counted: the words, or the characters, of the normalised text."""
    plain = normalised(text, language)
    return list(plain.replace(" ", "")) if language in BY_CHARACTERS else plain.split()


def normalised(text: str, language: str) -> str:
    """Without case, punctuation and ways to write that do not change what was said."""
    if language == "en":
        return normalised_english(text)
    if language == "zh":
        return normalised_chinese(text)
    return _letters(unicodedata.normalize("NFKC", text).lower())


def normalised_chinese(text: str) -> str:
    """Simplified characters, numbers as they are said, no spaces; 幺 and 两 are folded to 一 and 二."""
    text = _simplifier()(unicodedata.normalize("NFKC", text).lower())
    text = re.sub(r"(\d[\d.,]*)%", r"百分之\1", text)
    text = re.sub(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?=(年?))", _spoken, text)
    return _letters(text).replace(" ", "").translate(str.maketrans("幺两〇", "一二零"))


def align(left: Sequence[str], right: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """The pairing with the fewest edits: positions in both lists, None where one has nothing (Levenshtein 1966)."""
    costs = [list(range(len(right) + 1))]
    for row, token in enumerate(left, start=1):
        above, line = costs[-1], [row]
        for column, other in enumerate(right, start=1):
            line.append(min(above[column] + 1, line[column - 1] + 1, above[column - 1] + (token != other)))
        costs.append(line)
    pairs: list[tuple[int | None, int | None]] = []
    row, column = len(left), len(right)
    while row or column:
        here = costs[row][column]
        if row and column and here == costs[row - 1][column - 1] + (left[row - 1] != right[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and here == costs[row - 1][column] + 1:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]


def _letters(text: str) -> str:
    """Letters, marks and digits; everything else separates."""
    return " ".join("".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text).split())


@functools.cache
def _simplifier() -> Callable[[str], str]:
    import opencc

    return opencc.OpenCC("t2s").convert


def _spoken(match: re.Match[str]) -> str:
    """A number in digits as one says it: a year and a long one digit by digit, the rest as a cardinal."""
    whole, _, fraction = match[0].partition(".")
    digits = whole.replace(",", "")
    one_by_one = (
        (match[1] == "年" and len(digits) == 4)
        or (len(digits) > 1 and digits.startswith("0"))
        or (len(digits) > LONGEST_CARDINAL and "," not in whole and not digits.endswith("0000"))
    )
    spoken = _one_by_one(digits) if one_by_one else _cardinal(digits)
    return spoken + ("点" + _one_by_one(fraction) if fraction else "")


def _one_by_one(digits: str) -> str:
    return "".join(NUMERALS[int(digit)] for digit in digits)


def _cardinal(digits: str) -> str:
    """37000000 is 三千七百万: groups of four digits, one 零 for any row of zeros inside."""
    if int(digits) == 0:
        return "零"
    groups = [int(digits[max(end - 4, 0) : end]) for end in range(len(digits), 0, -4)]
    spoken = ""
    for power in range(len(groups) - 1, -1, -1):
        group = groups[power]
        if not group:
            continue
        gap = spoken and (group < 1000 or groups[power + 1] == 0)
        spoken += ("零" if gap else "") + _below_ten_thousand(group) + ("", "万", "亿", "兆")[power]
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def _below_ten_thousand(value: int) -> str:
    spoken = ""
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // unit % 10
        if digit:
            spoken += NUMERALS[digit] + name
        elif spoken and not spoken.endswith("零") and value % unit:
            spoken += "零"
    return spoken
