"""Controls side by side that go on in the next line where there is no room.

In: widgets. Out: their places.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtWidgets import QSizePolicy, QWidget


class FlowBox(QWidget):
    """Lines of widgets; each stands in the middle of its line."""

    # Of the class too: Qt may ask once more when Python has already emptied this object.
    _gap_px = 8
    _controls: Sequence[QWidget] = ()

    def __init__(self, gap_px: int = 8) -> None:
        super().__init__()
        self._gap_px = gap_px
        self._controls = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, *controls: QWidget) -> None:
        """More controls at the end."""
        self._controls = [*self._controls, *controls]
        for control in controls:
            control.setParent(self)
        self.updateGeometry()

    def heightForWidth(self, width: int) -> int:
        """The height of all lines."""
        return self._place(width, only_measure=True)

    def sizeHint(self) -> QSize:
        """All in one line."""
        shown = [_wanted(control) for control in self._shown()]
        width = sum(size.width() for size in shown) + self._gap_px * max(len(shown) - 1, 0)
        return QSize(width, max((size.height() for size in shown), default=0))

    def minimumSizeHint(self) -> QSize:
        """As wide as the widest of them, as high as they need it now."""
        widest = max((control.minimumSizeHint().width() for control in self._shown()), default=0)
        return QSize(widest, self._place(max(self.width(), widest), only_measure=True))

    def resizeEvent(self, event) -> None:
        """Other places."""
        super().resizeEvent(event)
        if self._place(self.width(), only_measure=False) != self.height():
            self.updateGeometry()  # what is told as the smallest height was for the width of before

    def event(self, event: QEvent) -> bool:
        """A control came, went, or has another size."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._place(self.width(), only_measure=False)
        return done

    def _shown(self) -> list[QWidget]:
        return [control for control in self._controls if not control.isHidden()]

    def _place(self, width: int, only_measure: bool) -> int:
        lines: list[list[tuple[QWidget, QSize]]] = [[]]
        x = 0
        for control in self._shown():
            size = _wanted(control)
            size.setWidth(max(min(size.width(), width), control.minimumSizeHint().width()))
            if lines[-1] and x + size.width() > width:
                lines.append([])
                x = 0
            lines[-1].append((control, size))
            x += size.width() + self._gap_px
        y = 0
        for line in lines:
            height = max((size.height() for _, size in line), default=0)
            x = 0
            for control, size in line:
                if not only_measure:
                    control.setGeometry(
                        QRect(x, y + (height - size.height()) // 2, size.width(), size.height())
                    )
                x += size.width() + self._gap_px
            y += height + (self._gap_px if line is not lines[-1] else 0)
        return y


def _wanted(control: QWidget) -> QSize:
    return control.sizeHint().boundedTo(control.maximumSize()).expandedTo(control.minimumSize())
