"""How loud the microphone is: a bar on a scale of decibels.

In: a level in dB of full scale. Out: a painted bar; its value for screen readers.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme import colours, scaled

LOWEST_DB = -60.0
LOUD_DB = -3.0  # above this it is cut off in the microphone
BARS = 24


class LevelMeter(QWidget):
    """Bars that light up from left to right."""

    def __init__(self) -> None:
        super().__init__()
        self._fraction = 0.0
        self._loud = False
        self.setAccessibleName(self.tr("Level of the microphone"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(60)

    def sizeHint(self) -> QSize:
        """A line of text high."""
        return QSize(scaled(160), scaled(16))

    @property
    def fraction(self) -> float:
        """What is shown, 0 to 1."""
        return self._fraction

    def set_level(self, level_db: float) -> None:
        """Show a level; falls more slowly than it rises, so that the eye can follow."""
        wanted = min(max((level_db - LOWEST_DB) / -LOWEST_DB, 0.0), 1.0)
        fraction = wanted if wanted > self._fraction else max(wanted, self._fraction - 0.08)
        self._loud = level_db > LOUD_DB
        if round(fraction * BARS) != round(self._fraction * BARS):
            self.update()
        self._fraction = fraction

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The bars."""
        c, painter = colours(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step, lit = self.width() / BARS, round(self._fraction * BARS)
        height = min(self.height(), scaled(14))
        top = (self.height() - height) / 2
        for bar in range(BARS):
            colour = c.soft if bar >= lit else c.on_error if self._loud else c.good
            painter.setBrush(QColor(colour))
            painter.setPen(QColor(colour))
            painter.drawRoundedRect(QRectF(bar * step + 1, top, max(step - 3, 1), height), 1.5, 1.5)
        painter.end()
