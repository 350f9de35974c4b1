"""A player in a process of its own, as in :mod:`tests.gui.recorder_process`.

In: ``python -m tests.gui.player_process FILE FROM_S UNTIL_S``. Out: a JSON line with how long it was heard to play, in seconds,
and the positions that it told.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Slot

from app.player import Player


class Listener(QObject):
    def __init__(self, app: QCoreApplication) -> None:
        super().__init__()
        self.app = app
        self.positions: list[tuple[float, float]] = []
        self.problem = ""

    @Slot(float)
    def position(self, position_s: float) -> None:
        self.positions.append((time.time(), position_s))

    @Slot(object)
    def failed(self, error: object) -> None:
        self.problem = str(error)
        self.app.quit()


def main() -> None:
    app = QCoreApplication([])
    player = Player()
    listener = Listener(app)
    player.position_changed.connect(listener.position)
    player.failed.connect(listener.failed)
    player.ended.connect(app.quit)
    player.load(Path(sys.argv[1]))
    player.play(float(sys.argv[2]), float(sys.argv[3]))
    QTimer.singleShot(15_000, app.quit)
    app.exec()
    player.close()
    print(json.dumps({"positions": listener.positions, "problem": listener.problem}))


if __name__ == "__main__":
    main()
