"""A picture that fits its place, can be looked at closely, and shows where a model looked.

In: a QImage, an attention map [rows, columns], a box around a line of text. Out: what is painted; nothing is computed of models.
The wheel, or + and -, make it larger, 0 fits it again; enlarged, it is dragged with the mouse or moved with the arrows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QPointF, QRectF, QSize, Qt, QVariantAnimation, Slot
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from app.theme import colours, scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRONGEST = 0.62  # how much of the picture the overlay hides where the model looked most
DIMMED = 0.34  # how dark the picture gets where it did not look
FADE_MS = 160
MOST_ZOOM = 8.0
HEAT_PX = 256  # the map is smoothed to this size once, then only stretched
RADIUS_PX = 10


def heat_image(attention: NDArray[np.float32], tint: QColor) -> QImage:
    """The map as a smooth coloured layer: more of the tint where the model looked, a veil where it did not."""
    import numpy as np

    heat = attention.astype(np.float32)
    # A model that looked everywhere alike looked nowhere: such a map stays pale.
    clear = min(max(float(heat.max() / max(float(heat.mean()), 1e-9)) - 1.0, 0.2), 1.0)
    heat = heat - heat.min()
    peak = float(heat.max())
    heat = heat / peak if peak > 0 else heat
    rows, columns = heat.shape
    grey = QImage(
        np.ascontiguousarray(heat * 255).astype(np.uint8).tobytes(),
        columns,
        rows,
        columns,
        QImage.Format.Format_Grayscale8,
    )
    smooth = grey.scaled(
        HEAT_PX, HEAT_PX, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    ).convertToFormat(QImage.Format.Format_Grayscale8)
    level = (
        np.frombuffer(smooth.constBits(), np.uint8).reshape(HEAT_PX, smooth.bytesPerLine())[:, :HEAT_PX]
        / 255.0
    )
    shown = level**0.8
    alpha = STRONGEST * shown + DIMMED * (1 - shown) ** 2
    share = np.where(alpha > 0, STRONGEST * shown / np.maximum(alpha, 1e-6), 0)[
        ..., None
    ]  # of tint, the rest is black
    colour = np.array([tint.blue(), tint.green(), tint.red()]) * np.minimum(share, 1)
    pixels = np.empty((HEAT_PX, HEAT_PX, 4), np.uint8)
    pixels[..., :3] = colour
    pixels[..., 3] = alpha * clear * 255
    return QImage(pixels.tobytes(), HEAT_PX, HEAT_PX, 4 * HEAT_PX, QImage.Format.Format_ARGB32).copy()


class PictureView(QWidget):
    """The picture and what lies on it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(scaled(110), scaled(90))
        self._image: QImage | None = None
        self._note = ""
        self._heat: QImage | None = None
        self._strength = 0.0
        self._box: tuple[float, float, float, float] | None = None
        self._zoom = 1.0
        self._middle = QPointF(0.5, 0.5)  # of the picture, in shares, that is in the middle of the widget
        self._dragged: QPointF | None = None
        self._fade = QVariantAnimation(self)
        self._fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fade.valueChanged.connect(self._faded)
        self._fade.finished.connect(self._fade_ended)

    # What is shown

    @property
    def image(self) -> QImage | None:
        """What is shown."""
        return self._image

    @property
    def heat(self) -> QImage | None:
        """The layer that lies on the picture, if any."""
        return self._heat

    @property
    def zoom(self) -> float:
        """1 where the picture fits."""
        return self._zoom

    def show_image(self, image: QImage | None, note: str = "") -> None:
        """Show another picture, or a line in its place."""
        self._image, self._note = image, note
        self._heat, self._strength, self._box = None, 0.0, None
        self._fade.stop()
        self._fit()

    def show_attention(self, attention: NDArray[np.float32] | None) -> None:
        """Lay a map on the picture, or take it off; softly where the system moves things."""
        if attention is not None:
            self._heat = heat_image(
                attention, QColor(colours().accent) if colours().dark else QColor("#4C6EF5")
            )
        elif self._heat is None:
            return
        end = 1.0 if attention is not None else 0.0
        duration = min(
            self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self), FADE_MS
        )
        self._fade.stop()
        if duration <= 0 or not self.isVisible():
            self._strength = end
            self._fade_ended()
            return
        self._fade.setDuration(duration)
        self._fade.setStartValue(self._strength)
        self._fade.setEndValue(end)
        self._fade.start()
        self.update()

    def show_box(self, box: tuple[float, float, float, float] | None) -> None:
        """Draw a frame around a part of the picture: left, top, right, bottom as shares."""
        if box != self._box:
            self._box = box
            self.update()

    @Slot(object)
    def _faded(self, value: object) -> None:
        self._strength = float(value)  # type: ignore[arg-type]
        self.update()

    @Slot()
    def _fade_ended(self) -> None:
        if self._strength == 0.0:
            self._heat = None
        self.update()

    def sizeHint(self) -> QSize:
        """Room for a picture."""
        return QSize(scaled(520), scaled(420))

    # Painting

    def _place(self) -> QRectF:
        """Where the picture is painted."""
        assert self._image is not None
        room = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        ratio = self.devicePixelRatioF()
        width, height = self._image.width() / ratio, self._image.height() / ratio
        # Small pictures are made larger, up to a point.
        scale = min(room.width() / width, room.height() / height, 4.0) * self._zoom
        made = QRectF(0, 0, max(width * scale, 1), max(height * scale, 1))
        x = room.center().x() - made.width() * self._middle.x()
        y = room.center().y() - made.height() * self._middle.y()
        made.moveTo(x, y)
        return made

    def paintEvent(self, _event) -> None:
        """The picture, the layer, the box, the focus."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        c = colours()
        if self._image is None:
            painter.setPen(QColor(c.muted))
            painter.drawText(
                self.rect().adjusted(16, 16, -16, -16),
                int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap),
                self._note,
            )
        else:
            self._paint_picture(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(c.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS_PX, RADIUS_PX)
        painter.end()

    def _paint_picture(self, painter: QPainter) -> None:
        assert self._image is not None
        place = self._place()
        clip = QPainterPath()
        clip.addRoundedRect(place.intersected(QRectF(self.rect())), RADIUS_PX, RADIUS_PX)
        painter.save()
        painter.setClipPath(clip)
        painter.drawImage(place, self._shrunk(place))
        if self._heat is not None and self._strength > 0:
            painter.setOpacity(self._strength)
            painter.drawImage(place, self._heat)
            painter.setOpacity(1.0)
        if self._box is not None:
            left, top, right, bottom = self._box
            box = QRectF(
                place.left() + left * place.width(),
                place.top() + top * place.height(),
                (right - left) * place.width(),
                (bottom - top) * place.height(),
            ).adjusted(-4, -4, 4, 4)
            for colour, width in (("#FFFFFF", 5), (colours().accent, 2.5)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRoundedRect(box, 5, 5)
        painter.restore()

    def _shrunk(self, place: QRectF) -> QImage:
        """Painting a large picture small leaves out lines: halve it first. Kept while the size is the same."""
        assert self._image is not None
        ratio = self.devicePixelRatioF()
        size = QSize(round(place.width() * ratio), round(place.height() * ratio))
        if size.width() * 1.5 > self._image.width():
            return self._image
        kept = getattr(self, "_kept", None)
        key = (self._image.cacheKey(), size.width(), size.height())
        if kept is None or kept[0] != key:
            small = self._image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            self._kept = kept = (key, small)
        return kept[1]

    # Looking closely

    def _fit(self) -> None:
        self._zoom, self._middle = 1.0, QPointF(0.5, 0.5)
        self.update()

    def _zoom_to(self, zoom: float, at: QPointF | None = None) -> None:
        """Enlarge; what is under ``at`` stays there."""
        if self._image is None:
            return
        at = at or QRectF(self.rect()).center()
        before = self._place()
        share = QPointF((at.x() - before.left()) / before.width(), (at.y() - before.top()) / before.height())
        self._zoom = min(max(zoom, 1.0), MOST_ZOOM)
        after = self._place()
        middle = QRectF(self.rect()).center()
        self._move_to(
            QPointF(
                share.x() - (at.x() - middle.x()) / after.width(),
                share.y() - (at.y() - middle.y()) / after.height(),
            )
        )

    def _move_to(self, middle: QPointF) -> None:
        """Keep the picture in its place: nothing empty comes in from the side."""
        assert self._image is not None
        place = self._place()

        def held(value: float, size: float, room: float) -> float:
            if size <= room:
                return 0.5
            half = room / size / 2
            return min(max(value, half), 1 - half)

        self._middle = QPointF(
            held(middle.x(), place.width(), self.width()), held(middle.y(), place.height(), self.height())
        )
        self.setCursor(Qt.CursorShape.OpenHandCursor if self._zoom > 1 else Qt.CursorShape.ArrowCursor)
        self.update()

    def resizeEvent(self, event) -> None:
        """Another size, another place."""
        super().resizeEvent(event)
        if self._image is not None:
            self._move_to(self._middle)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Larger and smaller."""
        steps = event.angleDelta().y() / 120
        if self._image is not None and steps:
            self._zoom_to(self._zoom * 1.25**steps, event.position())
            event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to drag."""
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._zoom > 1:
            self._dragged = event.position()
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag."""
        if self._dragged is not None:
            self._pan(self._dragged - event.position())
            self._dragged = event.position()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """End dragging."""
        self._dragged = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Large, or fitting again."""
        self._zoom_to(1.0 if self._zoom > 1 else 3.0, event.position())

    def _pan(self, by: QPointF) -> None:
        if self._image is not None:
            place = self._place()
            self._move_to(self._middle + QPointF(by.x() / place.width(), by.y() / place.height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """+ and - zoom, 0 fits, arrows move what is enlarged; else they go on to the pane."""
        key, step = event.key(), 60.0
        moves = {
            Qt.Key.Key_Left: QPointF(-step, 0),
            Qt.Key.Key_Right: QPointF(step, 0),
            Qt.Key.Key_Up: QPointF(0, -step),
            Qt.Key.Key_Down: QPointF(0, step),
        }
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_to(self._zoom * 1.25)
        elif key == Qt.Key.Key_Minus:
            self._zoom_to(self._zoom / 1.25)
        elif key == Qt.Key.Key_0:
            self._fit()
        elif key in moves and self._zoom > 1:
            self._pan(moves[Qt.Key(key)])
        else:
            super().keyPressEvent(event)
