"""One writer at a time, across processes.

In: the path of a lock file. Out: a context in which no other process (or thread) holds that lock. The
operating system gives the lock back when its holder dies, so nothing is ever left locked. The file itself
stays: removing it would let two holders in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class LockedError(Exception):
    """Somebody else holds the lock; the caller says what that means."""


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``; raises LockedError at once if somebody else does, OSError if it cannot be made."""
    with path.open("ab") as file:
        if not _try_lock(file):
            raise LockedError(str(path))
        try:
            yield
        finally:
            _unlock(file)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
