"""A transcript as a message of the chat.

In: a recording's item and the chat's model. Out: the text, or its beginning where the model could not read all of it, and a
notice that says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.drops import MAX_TEXT_BYTES
from app.speech_items import SpeechItem
from app.speech_text import beginning_that_fits, plain_text
from engine.results import Notice

if TYPE_CHECKING:
    from engine.packs import Pack


@dataclass(frozen=True)
class Quotation:
    """The text to quote; ``notice`` is set where it is only the beginning."""

    text: str
    notice: Notice | None = None


def quotation(item: SpeechItem, pack: Pack | None) -> Quotation:
    """As much of a transcript as the model can read at once."""
    whole = plain_text(item.segments)
    text = beginning_that_fits(whole, pack.context_tokens if pack is not None else 0, MAX_TEXT_BYTES)
    if text == whole:
        return Quotation(whole)
    return Quotation(
        text,
        Notice(
            "transcript_cut",
            "{name} is longer than the model can read at once: only its beginning is quoted ({percent} %).",
            {"name": item.title, "percent": round(100 * len(text) / len(whole))},
        ),
    )


def summary_request(name: str, text: str) -> str:
    """The message that asks for a summary, in the user's language."""
    fence = "```"
    while fence in text:
        fence += "`"
    ask = QCoreApplication.translate(
        "speech", "Summarise this transcript in a few sentences, in the language in which it is written."
    )
    return f"{ask}\n\n{name}:\n{fence}\n{text.rstrip()}\n{fence}"
