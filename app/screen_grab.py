"""Takes a picture of the screen, with our own window out of the way.

In: the window. Out: ``grabbed`` with the image, or ``failed`` where the system lets no program see its screen.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage, QScreen
from PySide6.QtWidgets import QWidget

from engine.errors import EngineError

AWAY_MS = 350  # until a window is off the screen, with the animation of its going


def whole_screen(screen: QScreen) -> QImage:
    """What a screen shows; a null image where that is not allowed."""
    return screen.grabWindow(0).toImage()


class ScreenGrab(QObject):
    """One picture at a time."""

    grabbed = Signal(object)  # QImage
    failed = Signal(object)  # EngineError

    def __init__(self, window: QWidget, grab: Callable[[QScreen], QImage] = whole_screen) -> None:
        super().__init__(window)
        self._window, self._grab = window, grab
        self._was_maximised = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._take)

    @Slot()
    def start(self) -> None:
        """Step aside, take the picture, come back."""
        if self._timer.isActive():
            return
        if QGuiApplication.platformName().startswith("wayland"):
            self.failed.emit(_not_allowed())
            return
        self._window.hide()
        self._timer.start(AWAY_MS)

    @Slot()
    def _take(self) -> None:
        screen = self._window.screen() or QGuiApplication.primaryScreen()
        image = self._grab(screen) if screen is not None else QImage()
        self._window.show()
        self._window.activateWindow()
        if image.isNull():
            self.failed.emit(_not_allowed())
        else:
            self.grabbed.emit(image)


def _not_allowed() -> EngineError:
    return EngineError(
        "This desktop does not let programs see the screen.",
        "Take a screenshot with its own key and paste it here.",
    )
