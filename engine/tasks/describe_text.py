"""The text in a picture, as far as a description speaks of it.

In: the lines that were read, and what else was found. Out: which of them count, whether they are what the picture is about,
and how to call what they stand on. The lines are quoted, never followed: they are data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.results import Findings, TextLine
from engine.tasks.describe_wording import PERHAPS_FROM, Language

# Text is what a picture is about when its lines cover this much of it, or when there are many lines and they cover some.
MAIN_SHARE = 0.05
MAIN_LINES, MANY_LINES_SHARE = 8, 0.02
SCREEN_LINES = (
    5  # a picture without a camera's marks that has so many lines is a screenshot more often than not
)
ELLIPSIS = "…"


@dataclass(frozen=True)
class _Carrier:
    """Something that text stands on. ``known_as`` are the subjects, and words of a caption, that tell of it."""

    en: str
    zh: str
    known_as: tuple[str, ...]


_CARRIERS = (
    _Carrier("Sign", "标志牌", ("street sign", "stop sign", "road sign", "traffic sign", "sign")),
    _Carrier("Web page", "网页", ("web site", "web page", "website")),
    _Carrier("Menu", "菜单", ("menu",)),
    _Carrier("Book cover", "书的封面", ("book jacket", "book cover")),
    _Carrier("Comic", "漫画", ("comic book", "comic")),
    _Carrier("Scoreboard", "记分牌", ("scoreboard",)),
    _Carrier("Envelope", "信封", ("envelope",)),
    _Carrier("Screen", "屏幕", ("screen", "monitor", "television")),
    _Carrier("Poster", "海报", ("poster", "billboard", "banner")),
    _Carrier("Package", "包装", ("packet", "carton")),
)
_SCREENSHOT = _Carrier("Screenshot", "屏幕截图", ())
TITLE_OF_TEXT_ZH = "文字"
_TEXT = _Carrier("Text", TITLE_OF_TEXT_ZH, ())


def readable(lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """The lines that say something: single signs and Latin letters are patterns as often as text."""
    return tuple(
        line for line in lines if sum(map(str.isalnum, line.text)) >= (2 if line.text.isascii() else 1)
    )


def is_about_text(findings: Findings) -> bool:
    """Whether the text is what the picture is about: a sign, a page, a screenshot."""
    lines = readable(findings.text)
    share = sum(_area(line.box) for line in lines)
    return bool(lines) and (share >= MAIN_SHARE or (len(lines) >= MAIN_LINES and share >= MANY_LINES_SHARE))


def text_title(findings: Findings, caption: str, language: Language) -> str:
    """What the text stands on: "Sign", "Menu", "Screenshot", or only "Text"."""
    carrier = _carrier(findings, caption)
    return carrier.zh if language == "zh" else carrier.en


def quoted(lines: Sequence[TextLine], most_chars: int, language: Language) -> str:
    """The text in quotation marks, cut at a word with an ellipsis where it is longer than ``most_chars`` with them."""
    text = " ".join(" ".join(line.text.split()) for line in lines)
    left, right = ("“", "”") if language == "zh" else ('"', '"')
    if language == "en":
        text = text.replace('"', "'")
    return f"{left}{cut(text, most_chars - 2)}{right}" if text and most_chars > 3 else ""


def cut(text: str, most_chars: int) -> str:
    """The text, or its beginning and an ellipsis; never ends inside a word. "" where not even a word fits."""
    if len(text) <= most_chars:
        return text
    head = text[: max(most_chars - len(ELLIPSIS), 0)]
    # Chinese has no spaces: any of its characters may be the last one.
    if head and _is_word(head[-1]) and _is_word(text[len(head)]):
        head = head[: 1 + max((at for at, char in enumerate(head) if not _is_word(char)), default=-1)]
    head = head.rstrip(" ,;:，、；：-–(（\"“'")
    return f"{head}{ELLIPSIS}" if head else ""


def _is_word(char: str) -> bool:
    return (char.isalnum() or char in "'’-") and not "\u2e80" <= char <= "\u9fff"


def _carrier(findings: Findings, caption: str) -> _Carrier:
    names = {subject.name for subject in findings.subjects if subject.confidence >= PERHAPS_FROM}
    for carrier in _CARRIERS:
        if names & set(carrier.known_as):
            return carrier
    words = f" {caption.casefold().strip('.')} "
    for carrier in _CARRIERS:
        if any(f" {name} " in words for name in carrier.known_as):
            return carrier
    lines = readable(findings.text)
    if len(lines) >= SCREEN_LINES and findings.format == "PNG" and not findings.camera:
        return _SCREENSHOT
    return _TEXT


def _area(box: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = box
    return max(right - left, 0.0) * max(bottom - top, 0.0)
