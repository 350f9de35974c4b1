"""How sure one may be of what is said, and how a caption becomes a sentence.

In: a caption as the image model wrote it, confidences from 0 to 1. Out: sentences with the words that their confidence
deserves, in English or Chinese.
"""

from __future__ import annotations

import re
from typing import Literal

from engine.results import Subject

Language = Literal["en", "zh"]

# Subjects carry calibrated probabilities: from here on they are named without a doubt, as likely, as possible.
SURE_FROM = 0.85
LIKELY_FROM = 0.5
PERHAPS_FROM = 0.2

HEDGE = {"en": "Perhaps: ", "zh": "可能是："}
ENDS = ".!?…。！？"
# Who listens knows that it is a picture; a description that says so again wastes the first words.
_PREAMBLE = re.compile(
    r"^(?:(?:this|it) is |there is |here is )?(?:an?|the) (?:close[- ]?up )?"
    r"(?:image|picture|photo|photograph|painting|shot|view)s? (?:of|showing|that shows) ",
    re.IGNORECASE,
)
_SPACED_SIGN = re.compile(r"\s+(?=[.,!?;:])")


def sentence(caption: str) -> str:
    """The caption as a sentence: a capital letter, one full stop, no "a picture of"; "" stays ""."""
    text = _SPACED_SIGN.sub("", " ".join(caption.split()))
    text = _PREAMBLE.sub("", text).strip().rstrip(".,;: ")
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ENDS else ".")


def hedged(text: str, unsure: bool, language: Language) -> str:
    """A sentence, told with doubt where it is unsure: "Perhaps: a man rides a bike."."""
    if not unsure or not text:
        return text
    return HEDGE[language] + (uncapitalised(text) if language == "en" else text)


def uncapitalised(text: str) -> str:
    """The sentence as it goes on after other words; "I" and "TV" keep their capitals."""
    first = text.split(" ", 1)[0]
    return text if first == "I" or first[1:] != first[1:].lower() else text[:1].lower() + text[1:]


def doubted(subject: Subject, language: Language) -> str:
    """A subject's name with the word that its confidence deserves: "dog", "likely dog", "perhaps dog"."""
    if language == "zh":
        word = (
            ""
            if subject.confidence >= SURE_FROM
            else "很可能是"
            if subject.confidence >= LIKELY_FROM
            else "也许是"
        )
        return word + subject.name_zh
    word = (
        ""
        if subject.confidence >= SURE_FROM
        else "likely "
        if subject.confidence >= LIKELY_FROM
        else "perhaps "
    )
    return word + subject.name


def listed(names: list[str] | tuple[str, ...], language: Language) -> str:
    """Several names as one phrase: "a, b and c"."""
    if language == "zh":
        return "、".join(names)
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
