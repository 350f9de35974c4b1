"""Room on the disk: asked for before something large is written, and explained when it runs out.

In: folders, sizes in bytes, and what the system said. Out: nothing, or an :class:`EngineError` for the user.
"""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from engine.errors import EngineError

MARGIN_BYTES = 64 << 20  # left free on the disk


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise EngineError unless the disk that holds ``folder`` has room for ``needed_bytes`` and a margin."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + MARGIN_BYTES:
        raise EngineError(
            "The disk is too full: {needed:.1f} GB are needed, {free:.1f} GB are free.",
            "Free some space on the disk that holds {folder}.",
            needed=(needed_bytes + MARGIN_BYTES) / 1e9,
            free=free / 1e9,
            folder=str(folder),
        )


def not_written(target: Path, error: OSError) -> EngineError:
    """What to tell the user when ``target`` could not be written."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return EngineError(
            "The disk is full.", "Free some space on the disk that holds {folder}.", folder=str(target.parent)
        )
    return EngineError(
        "{file} cannot be written: {reason}.",
        "Check that you may write to {folder}.",
        file=target.name,
        reason=error.strerror or type(error).__name__,
        folder=str(target.parent),
    )
