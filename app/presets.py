"""The system prompts to start from.

In: nothing. Out: presets with a key that is stored, a title and an explanation in the user's language, and
the prompt itself. Prompts stay in English: small models follow that best, and still answer in the language
of the question.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True)
class Preset:
    """A way to begin. An empty ``system`` leaves the model's own default."""

    key: str
    title: str
    summary: str
    icon: str
    system: str


def presets() -> tuple[Preset, ...]:
    """All presets, in the user's language."""
    return (
        Preset(
            "assistant",
            QCoreApplication.translate("presets", "Assistant"),
            QCoreApplication.translate("presets", "Ask anything, think something through."),
            "chat",
            "",
        ),
        Preset(
            "writer",
            QCoreApplication.translate("presets", "Writer"),
            QCoreApplication.translate("presets", "Draft, shorten or polish a text."),
            "pen",
            "You are a careful writer and editor. Write clear, natural prose. "
            "Keep the meaning and the language of the text that you are given.",
        ),
        Preset(
            "translator",
            QCoreApplication.translate("presets", "Translator"),
            QCoreApplication.translate("presets", "Chinese to English, anything else to Chinese."),
            "translate",
            "You are a translator. Translate Chinese text into English, and any other text into Simplified Chinese. "
            "Answer with the translation only.",
        ),
        Preset(
            "coder",
            QCoreApplication.translate("presets", "Coder"),
            QCoreApplication.translate("presets", "Write and explain code."),
            "code",
            "You are a programmer. Answer with short, correct code in a fenced block that names its language, "
            "then explain it in one or two sentences.",
        ),
        Preset(
            "service",
            QCoreApplication.translate("presets", "Customer service"),
            QCoreApplication.translate("presets", "Answer a customer, politely and to the point."),
            "people",
            "You work in customer service. Answer politely and briefly, say what happens next, "
            "and never promise what you cannot know.",
        ),
    )


def preset(key: str) -> Preset:
    """One preset; the assistant where the key is unknown."""
    every = presets()
    return next((item for item in every if item.key == key), every[0])
