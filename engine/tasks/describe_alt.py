"""Alternative text: what a screen reader says instead of the picture, in one breath.

In: the caption and what was found. Out: at most 125 characters, whole words, no "picture of"; the text in the picture
where the picture is about it.
"""

from __future__ import annotations

from engine.results import Findings, Subject
from engine.tasks.describe_text import TITLE_OF_TEXT_ZH, cut, is_about_text, quoted, readable, text_title
from engine.tasks.describe_wording import (
    ENDS,
    LIKELY_FROM,
    Language,
    doubted,
    hedged,
    sentence,
    uncapitalised,
)

ALT_MOST_CHARS = 125  # where common screen readers break a text off or into pieces
SIDE_TEXT_MOST_CHARS = 48  # text that is not what the picture is about: a shop's name, a number
_CLEAR_FROM = 0.8  # such text is told only where it was read well
_SIDE_TEXT = {"en": " Text: {text}.", "zh": "图中文字：{text}。"}


def alt_text(told: str, caption: str, unsure: bool, findings: Findings, language: Language) -> str:
    """The text for a screen reader. ``told`` is the caption as a sentence of ``language``, ``caption`` the English one."""
    caption = sentence(caption)
    subject = _worth_naming(findings, caption)
    if is_about_text(findings):
        return _about_text(told, caption, unsure, findings, language)
    text = _named(told, subject, unsure, language)
    lines = [line for line in readable(findings.text) if line.confidence >= _CLEAR_FROM]
    room = min(ALT_MOST_CHARS - len(text) - len(_SIDE_TEXT[language].format(text="")), SIDE_TEXT_MOST_CHARS)
    quote = quoted(lines, 1000, language)  # all of it or none: half a shop's name helps nobody
    if quote and len(quote) <= room:
        text += _SIDE_TEXT[language].format(text=quote)
    return cut(text.strip(), ALT_MOST_CHARS)


def _about_text(told: str, caption: str, unsure: bool, findings: Findings, language: Language) -> str:
    title = text_title(findings, caption, language)
    frame = "{title} that reads {text}."
    if language == "zh":  # a text has nothing written on it
        frame = "{title}：{text}。" if title == TITLE_OF_TEXT_ZH else "写着{text}的{title}。"
    room = ALT_MOST_CHARS - len(frame.format(text="", title=title))
    text = frame.format(text=quoted(readable(findings.text), room, language), title=title)
    # Captions are made of photos: of a page they say nothing, of a shop sign what is around it.
    if told and not unsure and len(text) + 1 + len(told) <= ALT_MOST_CHARS:
        text += told if language == "zh" else f" {told}"
    return text


def _named(told: str, subject: Subject | None, unsure: bool, language: Language) -> str:
    """The caption, and the name of what is in the picture where the caption does not say it."""
    if subject is None:
        return hedged(told, unsure, language)
    name = doubted(subject, language)
    if not told:
        return f"{name}。" if language == "zh" else sentence(name)
    if unsure:  # the classifier knows more things than the captions ever named
        if language == "zh":
            return f"{name}；也许{told}"
        return f"{sentence(name).rstrip('.')}; perhaps {uncapitalised(told)}"
    if len(told) + len(name) + 3 > ALT_MOST_CHARS:
        return told
    end = told[-1] if told[-1] in ENDS else ""
    body = told.removesuffix(end) if end else told
    return f"{body}（{name}）{end}" if language == "zh" else f"{body} ({name}){end}"


def _worth_naming(findings: Findings, caption: str) -> Subject | None:
    """The likeliest subject, if it is likely and the caption has not named it."""
    said = f" {caption.casefold()} "
    for subject in findings.subjects[:1]:
        if subject.confidence >= LIKELY_FROM and subject.name.casefold() not in said:
            return subject
    return None
