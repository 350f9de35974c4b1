"""What the image pane says of pictures: states, how sure a model is, what was found, whole texts for the chat.

In: items, descriptions, findings. Out: text in the user's language, or in that of the description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QCoreApplication

from app.i18n import error_hint, error_message
from app.image_items import ImageChoices, ImageItem
from app.speech_text import DOT, clock_text
from engine.errors import EngineError
from engine.results import Colour, Described, Findings, Subject

SURE, FAIRLY_SURE = 0.55, 0.4  # of a caption: the geometric mean of its tokens' probabilities
TEXT_PREVIEW_LINES = 40


def state_text(item: ImageItem, waits_for: str = "") -> str:
    """What goes on with an item, in a line."""
    if item.state == "failed":
        return error_text(item.error)
    if item.state == "waiting":
        return waits_for or QCoreApplication.translate("images", "Waits")
    if item.state in ("done", "described") and item.unsure:
        return QCoreApplication.translate("images", "Described, unsure")
    return {
        "new": QCoreApplication.translate("images", "Not described yet"),
        "running": QCoreApplication.translate("images", "Is being described"),
        "stopping": QCoreApplication.translate("images", "Stops"),
        "stopped": QCoreApplication.translate("images", "Stopped"),
        "done": QCoreApplication.translate("images", "Described"),
        "described": QCoreApplication.translate("images", "Described"),
    }[item.state]


def error_text(error: EngineError | None) -> str:
    """Why something failed."""
    if error is None:
        return QCoreApplication.translate("images", "Something broke; see the log.")
    return f"{error_message(error)} {error_hint(error)}".strip()


def confidence_text(described: Described) -> str:
    """How sure the model is of its sentence, in words and as a number."""
    if described.unsure:
        words = QCoreApplication.translate("images", "Unsure")
    elif described.confidence >= SURE:
        words = QCoreApplication.translate("images", "Sure")
    elif described.confidence >= FAIRLY_SURE:
        words = QCoreApplication.translate("images", "Fairly sure")
    else:
        words = QCoreApplication.translate("images", "Somewhat sure")
    return QCoreApplication.translate("images", "{words} · {percent} %").format(
        words=words, percent=round(100 * described.confidence)
    )


def origin_text(described: Described, shown_name: Callable[[str], str]) -> str:
    """Which models made it, on what, and how long that took. ``shown_name`` knows what a pack is called."""
    model = shown_name(described.model)
    parts = [f"{model} · {described.provider}" if described.provider else model]
    if described.composed_by:
        parts.append(
            QCoreApplication.translate("images", "worded by {model}").format(
                model=shown_name(described.composed_by)
            )
        )
    parts.append(
        QCoreApplication.translate("images", "{seconds} s").format(seconds=f"{described.wall_s:.1f}")
    )
    return DOT.join(part for part in parts if part)


def subject_name(subject: Subject, language: str) -> str:
    """A subject in the language of the description."""
    return subject.name_zh if language == "zh" and subject.name_zh else subject.name


def colour_name(colour: Colour, language: str) -> str:
    """A colour in the language of the description."""
    return colour.name_zh if language == "zh" and colour.name_zh else colour.name


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Name and value of what the file says of itself."""
    size = QCoreApplication.translate("images", "{width} × {height} pixels").format(
        width=findings.width_px, height=findings.height_px
    )
    rows = [
        (
            QCoreApplication.translate("images", "Size"),
            DOT.join(part for part in (size, findings.format) if part),
        ),
        (QCoreApplication.translate("images", "Taken"), findings.taken),
        (QCoreApplication.translate("images", "Place"), findings.place),
        (QCoreApplication.translate("images", "Camera"), findings.camera),
    ]
    return [(name, value) for name, value in rows if value]


def read_text(findings: Findings) -> str:
    """The text in the picture, line by line."""
    return "\n".join(line.text for line in findings.text)


def alt_of(item: ImageItem, described: Described) -> str:
    """The text for a screen reader: the one that was made, else one made of this description."""
    from engine.tasks.describe_alt import alt_text
    from engine.tasks.describe_wording import sentence

    language = described.language if described.language == "zh" else "en"
    made = item.results.get(ImageChoices("alt", language))
    if made is not None or described.style == "alt":
        return (made or described).text
    told = (
        described.text if described.style == "short" and not described.unsure else sentence(described.caption)
    )
    if language == "zh" and described.style != "short":
        return described.text
    return alt_text(told, described.caption, described.unsure, described.findings, language)


def for_chat(item: ImageItem, described: Described) -> str:
    """The description and what was found, as a text to talk about; in English, which all chat models know."""
    findings = described.findings
    lines = [described.text]
    if described.caption and described.caption.strip(". ").lower() not in described.text.lower():
        lines.append(f"Caption: {described.caption}")
    if described.unsure:
        lines.append("The model that described the picture is unsure of this.")
    if findings.subjects:
        lines.append(f"Likely subjects: {_shares((s.name, s.confidence) for s in findings.subjects)}")
    if findings.colours:
        lines.append(f"Colours: {_shares((c.name, c.share) for c in findings.colours)}")
    if findings.text:
        lines.append(f"Text in the picture:\n{read_text(findings)}")
    for name, value in (("Taken", findings.taken), ("Place", findings.place), ("Camera", findings.camera)):
        if value:
            lines.append(f"{name}: {value}")
    lines.append(f"Size: {findings.width_px} x {findings.height_px} pixels, {findings.format}")
    for answer in item.answers:
        if answer.state == "done" and answer.text:
            lines.append(f"Q: {answer.question}\nA: {answer.text}")
    return "\n".join(lines)


def frames_for_chat(item: ImageItem) -> str:
    """What a video shows, with times."""
    return "\n".join(f"{clock_text(frame.at_s)}  {frame.described.text}" for frame in item.frames)


def _shares(pairs: Iterable[tuple[str, float]]) -> str:
    return ", ".join(f"{name} ({round(100 * share)} %)" for name, share in pairs)
