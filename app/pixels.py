"""Between Qt's images and the engine's pixels.

In: a QImage, or uint8 [height, width, 3] RGB. Out: the other one, with memory of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QPainter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SIDE_PX = 2048  # as the engine reads files


def pixels_of(image: QImage) -> NDArray[np.uint8]:
    """RGB pixels; what is transparent becomes white."""
    import numpy as np

    made = image
    if image.hasAlphaChannel():
        made = QImage(image.size(), QImage.Format.Format_RGB32)
        made.fill(Qt.GlobalColor.white)
        painter = QPainter(made)
        painter.drawImage(made.rect(), image, image.rect())
        painter.end()
    made = made.convertToFormat(QImage.Format.Format_RGB888)
    height, width, stride = made.height(), made.width(), made.bytesPerLine()
    rows = np.frombuffer(made.constBits(), dtype=np.uint8, count=height * stride).reshape(height, stride)
    return rows[:, : 3 * width].reshape(height, width, 3).copy()


def image_of(pixels: NDArray[np.uint8]) -> QImage:
    """An image of RGB pixels."""
    import numpy as np

    height, width = pixels.shape[:2]
    whole = np.ascontiguousarray(pixels)
    return QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def fitted(image: QImage, side_px: int) -> QImage:
    """An image no larger than a square of this size."""
    if max(image.width(), image.height()) <= side_px:
        return image
    return image.scaled(
        QSize(side_px, side_px),
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
