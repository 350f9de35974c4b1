"""Where things live on this machine.

In: the environment variable ``POLLUX_HOME`` (it wins), the platform's conventions, and whether this is a
frozen app. Out: paths. Nothing is created here; whoever writes makes its own folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

HOME_VARIABLE = "POLLUX_HOME"


def data_folder() -> Path:
    """The user's data: installed packs, conversations, settings."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser().absolute()
    return platformdirs.user_data_path("Pollux", appauthor=False)


def packs_folder() -> Path:
    """The packs that the user added."""
    return data_folder() / "packs"


def cache_folder() -> Path:
    """What can be made again: downloads that are under way, checkpoints."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser().absolute() / "cache"
    return platformdirs.user_cache_path("Pollux", appauthor=False)


def is_frozen() -> bool:
    """Whether this is the packaged app, where there is no Python and no checkout."""
    return bool(getattr(sys, "frozen", False)) and hasattr(sys, "_MEIPASS")


def resources_folder() -> Path:
    """What ships with the program: catalogue, icons, samples. Read-only."""
    if is_frozen():
        return Path(getattr(sys, "_MEIPASS", "")) / "resources"
    return Path(__file__).resolve().parent.parent / "resources"


def bundled_packs_folder() -> Path | None:
    """The packs inside the packaged app (read-only); None in a checkout."""
    return resources_folder() / "packs" if is_frozen() else None
