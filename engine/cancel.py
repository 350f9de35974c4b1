"""The cancel flag: the only thing that travels against the direction of the data.

In: a call to :meth:`Cancel.set` from any thread. Out: :attr:`Cancel.is_set`, read between steps by
every long call, and callbacks that interrupt a step that is under way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancel:
    """A one-way flag; once set it stays set. Safe to use from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._interrupts: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask to stop, and interrupt the steps that registered themselves."""
        with self._lock:
            self._event.set()
            interrupts = list(self._interrupts)
        for interrupt in interrupts:
            interrupt()

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Call ``interrupt`` if the flag is set while the ``with`` body runs (at once if already set)."""
        with self._lock:
            self._interrupts.append(interrupt)
            already_set = self._event.is_set()
        if already_set:
            interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._interrupts.remove(interrupt)
