"""The user's settings: one frozen value, kept as JSON, written atomically.

In: the settings file. Out: :class:`Settings`, and a :class:`SettingsStore` that announces changes.
A file that cannot be read is put aside, never overwritten; values out of range fall back to the default.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.errors import EngineError

THEMES = ("system", "light", "dark")
LANGUAGES = ("system", "en", "zh_CN")
DEVICES = ("auto", "cpu", "cuda", "directml", "coreml")
IMAGE_STYLES = ("short", "alt", "detailed")
IMAGE_LANGUAGES = ("", "en", "zh")
TEXT_SIZES = (85, 100, 115, 130, 150)


@dataclass(frozen=True)
class Settings:
    """What the user chose. ``seed`` -1 means another one each time; ``threads`` 0 means automatic."""

    theme: str = "system"
    text_size: int = 100  # percent
    language: str = "system"
    model: str = ""
    device: str = "auto"
    threads: int = 0
    greedy: bool = False
    temperature: float = 0.2  # what the makers of small models advise; 0.7 makes them ramble
    top_p: float = 0.95
    top_k: int = 40
    min_p: float = 0.05
    repetition_penalty: float = 1.1
    max_new_tokens: int = 1024
    seed: int = -1
    speech_model: str = ""
    speech_language: str = ""  # a code such as "zh"; "" finds it out
    speech_translate: bool = False
    speech_words: bool = False
    image_model: str = ""
    image_style: str = "short"
    image_language: str = ""  # of descriptions: "en" or "zh"; "" is the window's
    microphone: str = ""  # key of an input device; "" is the system's
    window: str = ""  # geometry, base64
    sidebar_width: int = 0


_CHOICES: dict[str, tuple[object, ...]] = {
    "theme": THEMES,
    "language": LANGUAGES,
    "device": DEVICES,
    "text_size": TEXT_SIZES,
    "image_style": IMAGE_STYLES,
    "image_language": IMAGE_LANGUAGES,
}
_RANGES: dict[str, tuple[float, float]] = {
    "threads": (0, 256),
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 1000),
    "min_p": (0.0, 1.0),
    "repetition_penalty": (0.5, 2.0),
    "max_new_tokens": (1, 32768),
    "seed": (-1, 2**31 - 1),
}


def parse_settings(data: object) -> Settings:
    """Settings from decoded JSON; anything unknown, mistyped or out of range is left at its default."""
    if not isinstance(data, dict):
        return Settings()
    chosen: dict[str, object] = {}
    for item in fields(Settings):
        value = data.get(item.name, item.default)
        if isinstance(item.default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(item.default):
            continue
        if item.name in _CHOICES and value not in _CHOICES[item.name]:
            continue
        if item.name in _RANGES and isinstance(value, (int, float)):
            low, high = _RANGES[item.name]
            if not low <= value <= high:
                continue
        chosen[item.name] = value
    return Settings(**chosen)  # type: ignore[arg-type]


def read_settings(path: Path) -> Settings:
    """The stored settings, or the defaults; a file that is no JSON is kept beside as ``.broken``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return Settings()
    try:
        return parse_settings(json.loads(text))
    except ValueError:
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".json.broken"))
        return Settings()


def write_settings(path: Path, settings: Settings) -> None:
    """Write atomically: either the old file stays or the new one is whole."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as stream:
            json.dump(asdict(settings), stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise EngineError(
            "The settings could not be saved in {folder}: {reason}.",
            "They hold until Pollux is closed. Free some space there or allow writing to it.",
            folder=path.parent,
            reason=error.strerror or error,
        ) from error


class SettingsStore(QObject):
    """Holds the settings in use, saves each change, and says what changed."""

    changed = Signal(object, object)  # Settings before, Settings now
    failed = Signal(object)  # EngineError

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self.value = read_settings(path)

    def change(self, **values: object) -> None:
        """Take new values and save them; a failed save is announced and the values still hold."""
        before, now = self.value, replace(self.value, **values)  # type: ignore[arg-type]
        if now == before:
            return
        self.value = now
        try:
            write_settings(self._path, now)
        except EngineError as error:
            self.failed.emit(error)
        self.changed.emit(before, now)
