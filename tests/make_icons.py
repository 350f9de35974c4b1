"""The app's icon in the formats that desktops want, from its one drawing.

In: ``resources/icons/pollux.svg``. Out: ``pollux.png``, ``pollux.ico``, ``pollux.icns`` beside it.
Run: ``python -m tests.make_icons``.
"""

from __future__ import annotations

import io
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def main() -> int:
    """Draw and convert."""
    from PIL import Image
    from PySide6.QtCore import QBuffer, QIODevice, QRectF, Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    from app.paths import icon_file

    _app = QGuiApplication([])
    picture = QImage(1024, 1024, QImage.Format.Format_ARGB32)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(str(icon_file("pollux.svg"))).render(painter, QRectF(0, 0, 1024, 1024))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]
    image = Image.open(io.BytesIO(bytes(buffer.data().data())))
    image.resize((512, 512), Image.Resampling.LANCZOS).save(icon_file("pollux.png"), optimize=True)
    image.save(
        icon_file("pollux.ico"), sizes=[(16, 16), (32, 32), (48, 48), (64, 64), (128, 128), (256, 256)]
    )
    image.save(icon_file("pollux.icns"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
