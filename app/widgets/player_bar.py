"""Play, pause and seek below a transcript.

In: where a player is to be had once there is something to play, and a recording. Out: calls of the player; ``moved`` with what is heard now.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStyle, QStyleOptionSlider, QWidget

from app.speech_text import clock_text
from app.theme import colours, icon
from app.widgets.basics import disable, label, tool_button

if TYPE_CHECKING:
    from app.player import Player

STEP_MS, PAGE_MS = 5_000, 30_000


class SeekSlider(QSlider):
    """A slider that goes where it is clicked."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setSingleStep(STEP_MS)
        self.setPageStep(PAGE_MS)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump, then drag."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        style = self.style()
        handle = style.subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(event.position().toPoint()):
            room = max(self.width() - handle.width(), 1)
            place = round(event.position().x() - handle.width() / 2)
            self.setValue(style.sliderValueFromPosition(self.minimum(), self.maximum(), place, room))
            self.sliderMoved.emit(self.value())
            event.accept()
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows seek."""
        before = self.value()
        super().keyPressEvent(event)
        if self.value() != before:
            self.sliderMoved.emit(self.value())


class PlayerBar(QWidget):
    """The bar of one recording."""

    moved = Signal(float)  # seconds

    def __init__(self, get_player: Callable[[], Player]) -> None:
        super().__init__()
        self._get_player = get_player
        self._made: Player | None = None
        self._path: Path | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        self.button = tool_button(self.tr("Play"), "play", 20, tint=colours().accent)
        self.button.clicked.connect(self.toggle)
        self.now = label("0:00", "small", wrap=False)
        self.slider = SeekSlider()
        self.slider.setAccessibleName(self.tr("Place in the recording"))
        self.slider.sliderMoved.connect(self._slid)
        self.length = label("", "small", wrap=False)
        row.addWidget(self.button)
        row.addWidget(self.now)
        row.addWidget(self.slider, 1)
        row.addWidget(self.length)
        self.slider.setEnabled(False)
        self.button.setEnabled(False)

    @property
    def _player(self) -> Player:
        if self._made is None:
            self._made = player = self._get_player()
            player.position_changed.connect(self._position_changed)
            player.playing_changed.connect(self._playing_changed)
            player.duration_changed.connect(self._duration_changed)
        return self._made

    @property
    def here(self) -> bool:
        """Whether the player has the recording of this bar."""
        return self._path is not None and self._player.path == self._path

    def show_recording(self, path: Path | None, duration_s: float, reason: str = "") -> None:
        """Belong to another recording; ``reason`` says why it cannot be played."""
        if path != self._path:
            if self._player.playing and self._player.path != path:
                self._player.pause()
            self._path = path
            self._show_position(self._player.position_s if self.here else 0.0)
        self._show_length(self._player.duration_s if self.here and self._player.duration_s else duration_s)
        for control in (self.button, self.slider):
            disable(control, reason)
        self._playing_changed(self._player.playing)

    @Slot()
    def toggle(self) -> None:
        """Play or pause."""
        if not self.button.isEnabled():
            return
        if self._player.playing:
            self._player.pause()
        else:
            self._take()
            self._player.play()

    @Slot(float)
    def hear(self, seconds: float) -> None:
        """Play from a time."""
        if self.button.isEnabled():
            self._take()
            self._player.play(seconds)

    def _take(self) -> None:
        if self._path is not None and not self.here:
            self._player.load(self._path)

    @Slot(int)
    def _slid(self, value_ms: int) -> None:
        self._take()
        self._player.seek(value_ms / 1000)

    @Slot(float)
    def _position_changed(self, seconds: float) -> None:
        if self.here:
            self._show_position(seconds)
            self.moved.emit(seconds)

    def _show_position(self, seconds: float) -> None:
        self.now.setText(clock_text(seconds))
        if not self.slider.isSliderDown():
            self.slider.setValue(round(1000 * seconds))

    @Slot(float)
    def _duration_changed(self, seconds: float) -> None:
        if self.here:
            self._show_length(seconds)

    def _show_length(self, seconds: float) -> None:
        self.length.setText(clock_text(seconds) if seconds else "")
        self.slider.setRange(0, max(round(1000 * seconds), 1))

    @Slot(bool)
    def _playing_changed(self, playing: bool) -> None:
        shown = playing and self.here
        name = self.tr("Pause (Space)") if shown else self.tr("Play (Space)")
        self.button.setIcon(icon("pause" if shown else "play", colours().accent))
        self.button.setAccessibleName(name)
        if self.button.isEnabled():
            self.button.setToolTip(name)
