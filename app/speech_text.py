"""What the speech pane says of recordings: times, states, whole transcripts as text.

In: items and segments. Out: text in the user's language, or for the clipboard and the chat.
"""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QCoreApplication

from app.i18n import error_hint, error_message
from app.language_names import language_name
from app.speech_items import SpeechItem
from engine.results import Segment

DOT = "\u00a0\u00a0·  "  # a line never begins with the dot
DOUBTFUL = 0.5  # below this confidence a segment is marked
DOUBTFUL_WORD = 0.35  # of a word: single words vary more
# Tokens that a model makes of a character, on the safe side: for small models a Chinese character may be two.
TOKENS_A_LETTER = 0.3
TOKENS_A_CHARACTER = 1.6
ANSWER_SHARE = 0.35  # of the context is left for the question and the answer


def clock_text(seconds: float) -> str:
    """A place in a recording: 1:05, 1:02:03."""
    whole = max(int(seconds), 0)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def left_text(seconds: float) -> str:
    """How long something will still take, as people say it."""
    if seconds < 55:
        return QCoreApplication.translate("speech", "{count} s left").format(
            count=max(5 * round(seconds / 5), 1)
        )
    if seconds < 3300:
        return QCoreApplication.translate("speech", "{count} min left").format(
            count=max(round(seconds / 60), 1)
        )
    return QCoreApplication.translate("speech", "{count} h left").format(count=f"{seconds / 3600:.1f}")


def error_line(item: SpeechItem) -> str:
    """Why an item failed."""
    if item.error is None:
        return QCoreApplication.translate("speech", "Something broke; see the log.")
    return f"{error_message(item.error)} {error_hint(item.error)}".strip()


def state_line(item: SpeechItem, waits_for: str = "") -> str:
    """What goes on with an item, in a line. ``waits_for`` says why a queued one does not begin."""
    if item.state == "failed":
        return error_line(item)
    if item.state == "running":
        return _running(item)
    if item.state == "stopped":
        return _stopped(item)
    if item.state == "done":
        return facts_line(item) or QCoreApplication.translate("speech", "Ready")
    return {
        "waiting": waits_for or QCoreApplication.translate("speech", "Waiting"),
        "recording": QCoreApplication.translate("speech", "Recording"),
        "finishing": QCoreApplication.translate("speech", "Finishing…"),
        "stopping": QCoreApplication.translate("speech", "Stopping…"),
    }[item.state]


def _stopped(item: SpeechItem) -> str:
    if not item.done_ms and not item.segments:
        return QCoreApplication.translate("speech", "Not transcribed yet")
    at_s = max(item.done_ms / 1000, item.segments[-1].end_s if item.segments else 0.0)
    return QCoreApplication.translate("speech", "Stopped at {time}").format(time=clock_text(at_s))


def _running(item: SpeechItem) -> str:
    if not item.total_ms and not item.done_ms:
        return QCoreApplication.translate("speech", "Starting…")
    parts = [f"{round(100 * item.fraction)} %" if item.total_ms else clock_text(item.done_ms / 1000)]
    if item.speed > 0:
        parts.append(
            QCoreApplication.translate("speech", "{speed}× speed").format(
                speed=f"{item.speed:.1f}" if item.speed < 10 else round(item.speed)
            )
        )
    if item.left_s is not None:
        parts.append(left_text(item.left_s))
    return DOT.join(parts)


def facts_line(item: SpeechItem) -> str:
    """Length and language of a recording."""
    parts = []
    if item.duration_s:
        parts.append(clock_text(item.duration_s))
    if item.language:
        parts.append(language_name(item.language))
    if item.state == "done" and not item.segments and item.loaded:
        parts.append(QCoreApplication.translate("speech", "No speech was found"))
    return DOT.join(parts)


def doubt_text(segment: Segment) -> str:
    """Why a segment is marked; empty where it is not."""
    if segment.confidence >= DOUBTFUL:
        return ""
    return QCoreApplication.translate(
        "speech", "The model is not sure of this ({percent} %). Listen to it again."
    ).format(percent=round(100 * segment.confidence))


def plain_text(segments: Iterable[Segment]) -> str:
    """The text alone, a segment a line."""
    return "\n".join(segment.text.strip() for segment in segments if segment.text.strip())


def beginning_that_fits(text: str, context_tokens: int, limit_bytes: int) -> str:
    """As much of a text as a model can read together with a question and its answer; cut at a line where possible."""
    room = context_tokens * (1 - ANSWER_SHARE) if context_tokens else float("inf")
    used_bytes, end = 0, len(text)
    for place, char in enumerate(text):
        room -= TOKENS_A_LETTER if char.isascii() else TOKENS_A_CHARACTER
        used_bytes += len(char.encode("utf-8", "replace"))
        if room < 0 or used_bytes > limit_bytes:
            end = place
            break
    if end == len(text):
        return text
    line = text.rfind("\n", 0, end)
    return text[: line if line > end // 2 else end]
