"""A conversation as a file that others can read.

In: a conversation and its messages. Out: Markdown or JSON text, written atomically.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from app.history import Conversation, Message
from engine.errors import EngineError


def to_markdown(conversation: Conversation, messages: tuple[Message, ...], you: str, pollux: str) -> str:
    """The conversation as Markdown; ``you`` and ``pollux`` head the turns."""
    lines = [f"# {conversation.title}", ""]
    if conversation.system:
        lines += [*(f"> {line}" for line in conversation.system.splitlines()), ""]
    for message in messages:
        name = you if message.role == "user" else (message.model or pollux)
        lines += [f"## {name}", "", message.text, ""]
    return "\n".join(lines)


def to_json(conversation: Conversation, messages: tuple[Message, ...]) -> str:
    """The conversation as one JSON object; times are ISO 8601 in UTC."""
    data = {
        "title": conversation.title,
        "created": _iso(conversation.created_s),
        "updated": _iso(conversation.updated_s),
        "system": conversation.system,
        "messages": [
            {
                **{
                    key: value
                    for key, value in asdict(message).items()
                    if key not in ("id", "conversation", "created_s")
                },
                "created": _iso(message.created_s),
            }
            for message in messages
        ],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def write_export(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise EngineError(
            "{file} could not be written: {reason}.",
            "Choose another folder, or free some space.",
            file=path,
            reason=error.strerror or error,
        ) from error


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
