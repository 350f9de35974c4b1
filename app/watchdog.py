"""Measures how long the UI thread was busy at a stretch.

In: a running event loop. Out: the longest block in milliseconds and how often a limit was passed. A timer
should fire every few milliseconds; by how much it is late is how long the loop did something else. On a machine
with other work the thread may have waited for a processor meanwhile: the time that it had one is kept beside.
"""

from __future__ import annotations

from time import perf_counter, thread_time

from PySide6.QtCore import QObject, Qt, QTimer, Slot

INTERVAL_MS = 2


class Watchdog(QObject):
    """A timer that notices when it is late."""

    def __init__(self, limit_ms: float = 50.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.limit_ms = limit_ms
        self.late_ms: list[float] = []
        self.busy_ms: list[float] = []
        self._last_s = self._last_busy_s = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fired)

    def start(self) -> None:
        """Begin to measure, from nothing."""
        self.late_ms.clear()
        self.busy_ms.clear()
        self._last_s, self._last_busy_s = perf_counter(), thread_time()
        self._timer.start(INTERVAL_MS)

    def stop(self) -> None:
        """Stop measuring."""
        self._timer.stop()

    @Slot()
    def _fired(self) -> None:
        now, busy = perf_counter(), thread_time()
        self.busy_ms.append((busy - self._last_busy_s) * 1000)
        self._last_busy_s = busy
        self.late_ms.append(max((now - self._last_s) * 1000 - INTERVAL_MS, 0.0))
        self._last_s = now

    @property
    def longest_ms(self) -> float:
        """The longest block."""
        return max(self.late_ms, default=0.0)

    @property
    def over_limit(self) -> int:
        """How many blocks were longer than the limit."""
        return sum(late > self.limit_ms for late in self.late_ms)
