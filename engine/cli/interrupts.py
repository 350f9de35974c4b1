"""Ctrl-C: the first one stops what runs, the second one leaves.

In: SIGINT. Out: a :class:`Cancel` that is set, then a KeyboardInterrupt.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.cancel import Cancel


@contextmanager
def cancelled_by_ctrl_c() -> Iterator[Cancel]:
    """A flag that Ctrl-C sets while the ``with`` body runs."""
    cancel = Cancel()
    if threading.current_thread() is not threading.main_thread():  # signals belong to the main thread
        yield cancel
        return

    def interrupt(number: int, frame: object) -> None:
        if cancel.is_set:
            raise KeyboardInterrupt
        # On a thread of its own: the main thread, which runs this handler, may hold the flag's lock.
        threading.Thread(target=cancel.set).start()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)
