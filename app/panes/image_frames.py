"""The key frames of a video: when each is seen, and what it shows.

In: the session and one of its videos. Out: calls of the session; ``sound_wanted``.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.image_items import Frame, ImageItem
from app.image_session import ImageSession
from app.pixels import fitted
from app.speech_text import clock_text
from app.theme import scaled
from app.widgets.basics import button, label

THUMBNAIL_PX = 96


class ImageFrames(QWidget):
    """Timed lines; the chosen one is shown large."""

    sound_wanted = Signal()

    def __init__(self, session: ImageSession) -> None:
        super().__init__()
        self._session = session
        self._item: ImageItem | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.sound = button(self.tr("Transcript of its sound"), "", "speech")
        self.sound.setToolTip(self.tr("Turn what is said in this video into text, under Speech"))
        self.sound.clicked.connect(self.sound_wanted)
        column.addWidget(self.sound, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(4)
        head = label(self.tr("Key frames"), "section")
        head.setIndent(0)
        column.addWidget(head)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Key frames"))
        self.list.setWordWrap(True)
        self.list.setIconSize(QSize(scaled(THUMBNAIL_PX), scaled(THUMBNAIL_PX * 9 // 16)))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.currentRowChanged.connect(self._chosen)
        column.addWidget(self.list, 1)
        session.frame_added.connect(self._frame_added)
        session.shown_changed.connect(self._shown_changed)

    def show_item(self, item: ImageItem | None) -> None:
        """Another video, or none."""
        video = item if item is not None and item.is_video else None
        self.setVisible(video is not None)
        if video is self._item and (video is None or len(video.frames) == self.list.count()):
            return
        self._item = video
        self.list.clear()
        for frame in video.frames if video is not None else ():
            self._add(frame)
        if video is not None and video.frames:
            self.list.setCurrentRow(video.frame)

    def _add(self, frame: Frame) -> None:
        small = QPixmap.fromImage(fitted(frame.image, 2 * scaled(THUMBNAIL_PX)))
        made = QListWidgetItem(QIcon(small), f"{clock_text(frame.at_s)}\n{frame.described.text}")
        made.setData(Qt.ItemDataRole.AccessibleTextRole, f"{clock_text(frame.at_s)}, {frame.described.text}")
        self.list.addItem(made)

    @Slot(object)
    def _frame_added(self, item: ImageItem) -> None:
        if item is self._item:
            if len(item.frames) != self.list.count() + 1:
                self._item = None
                self.show_item(item)
                return
            self._add(item.frames[-1])
            if self.list.count() == 1:
                self.list.setCurrentRow(0)

    @Slot(object)
    def _shown_changed(self, item: ImageItem) -> None:
        if item is self._item and item.frame < self.list.count():
            self.list.setCurrentRow(item.frame)

    @Slot(int)
    def _chosen(self, row: int) -> None:
        if self._item is not None and row >= 0:
            self._session.show_frame(self._item, row)
