"""Where the app keeps its own files, all under the one data folder that the engine names.

In: nothing. Out: paths of the settings, the conversations, recordings, the logs and the lock.
"""

from __future__ import annotations

from pathlib import Path

from engine.folders import data_folder, resources_folder


def settings_file() -> Path:
    """The user's settings (JSON)."""
    return data_folder() / "settings.json"


def history_file() -> Path:
    """The conversations (SQLite)."""
    return data_folder() / "conversations.sqlite3"


def recordings_folder() -> Path:
    """What was recorded here (WAV)."""
    return data_folder() / "recordings"


def logs_folder() -> Path:
    """The log files; they never hold what was written or answered."""
    return data_folder() / "logs"


def lock_file() -> Path:
    """Held while the app is open, so that one data folder has one writer."""
    return data_folder() / "app.lock"


def icon_file(name: str) -> Path:
    """One of our own drawings."""
    return resources_folder() / "icons" / name


def translations_folder() -> Path:
    """The compiled translations."""
    return resources_folder() / "i18n"
