"""Frees cycles of Python objects on the UI thread only.

In: a running event loop. Out: nothing; memory comes back. By itself Python looks for cycles on whichever thread happens
to make an object, and frees there what it finds: also a widget or a timer, which Qt allows on the UI thread alone. A job
that made many small objects beside a window that had just been closed so ended the app with a segmentation fault.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL_MS = 500


class CycleCollector(QObject):
    """Does what Python's collector does, by the same thresholds, from a timer of the UI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(INTERVAL_MS)

    @Slot()
    def _collect(self) -> None:
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > gc.get_threshold()[generation]:
                gc.collect(generation)
                return
