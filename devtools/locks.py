"""One `dev.py` at a time changes an environment: two at once (the app building a model, a test run) wait for each other.

In: the path of a lock file. Out: a context in which it is held; the system frees it when the process ends, however it ends.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from devtools.console import say

POLL_S = 0.5


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Wait for the lock, hold it, free it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        told = False
        while not _try_lock(file):
            if not told:
                say("Waiting for another dev.py that is setting up here ...")
                told = True
            time.sleep(POLL_S)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
