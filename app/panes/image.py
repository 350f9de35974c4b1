"""The image pane: the pictures in a row, the chosen one with what is said of it; many of them in a table.

In: the signals of the sessions. Out: what the user does, to them; wishes that the window fulfils.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPixmap,
)
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.host import Host
from app.i18n import notice_text
from app.image_batch_session import ImageBatchSession
from app.image_items import VIDEO_SUFFIXES, ImageItem, is_picture, is_video
from app.image_session import ImageSession
from app.panes.image_bar import ImageBar
from app.panes.image_batch import ImageBatch
from app.panes.image_empty import ImageEmpty
from app.panes.image_result import ImageResult
from app.screen_grab import ScreenGrab
from app.settings import SettingsStore
from app.theme import scaled
from app.widgets.banner import Banner, BannerStack
from app.widgets.picture_strip import PictureStrip
from engine.errors import EngineError
from engine.results import Notice
from engine.tasks.describe_many import PICTURE_SUFFIXES

NARROW_PX = 700  # below, the panel stands under the picture, if there is the height for both
HIGH_PX = 680
LOW_PX = 560  # below, the row is smaller


class ImagePane(QWidget):
    """Pictures and their descriptions."""

    show_models = Signal()
    send_wanted = Signal(object, object)  # ImageItem, Described
    sound_wanted = Signal(object)  # ImageItem
    said = Signal(str)

    def __init__(
        self, host: Host, session: ImageSession, batch: ImageBatchSession, settings: SettingsStore
    ) -> None:
        super().__init__()
        self._host, self._session, self._batch_session = host, session, batch
        self._screen: ScreenGrab | None = None
        self.setAccessibleName(self.tr("Images"))
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 14, 24, 14)
        column.setSpacing(10)
        self.banners = BannerStack()
        column.addWidget(self.banners)
        self.bar = ImageBar(host, session, settings)
        column.addWidget(self.bar)
        self.strip = PictureStrip(session)
        column.addWidget(self.strip)
        self.empty = ImageEmpty(host)
        self.empty.models_wanted.connect(self.show_models)
        self.result = ImageResult(host, session)
        self.batch = ImageBatch(host, batch)
        self._pages = QStackedWidget()
        for page in (self.empty, self.result, self.batch):
            self._pages.addWidget(page)
        column.addWidget(self._pages, 1)
        self._connect()
        self._update()

    def _connect(self) -> None:
        session, batch = self._session, self._batch_session
        for source in (self.bar, self.empty):
            source.files_wanted.connect(self.choose_files)
            source.folder_wanted.connect(self.choose_folder)
            source.paste_wanted.connect(self.paste)
            source.screen_wanted.connect(self.take_screen)
        self.bar.table_wanted.connect(self._show_table)
        self.strip.chosen.connect(session.select)
        self.strip.remove_wanted.connect(session.remove)
        self.strip.menu_wanted.connect(self._strip_menu)
        self.result.send_wanted.connect(self.send_wanted)
        self.result.sound_wanted.connect(self.sound_wanted)
        self.result.said.connect(self.said)
        self.batch.open_wanted.connect(self._open_from_table)
        self.batch.said.connect(self.said)
        self.batch.show_models.connect(self.show_models)
        session.list_changed.connect(self._update)
        session.selected_changed.connect(self._update)
        session.finished.connect(self._finished)
        session.saved.connect(self._saved)
        session.notice.connect(self.show_notice)
        session.failed.connect(self.show_error)
        batch.changed.connect(self._update)
        # Here, not on its page: a folder without pictures brings the page of nothing.
        batch.notice.connect(self.show_notice)
        batch.failed.connect(self.show_error)

    # What is shown

    @Slot()
    def _update(self) -> None:
        one, many = bool(self._session.items), bool(self._batch_session.items) or self._batch_session.looking
        table = many and (self._session.in_table or not one)
        page = self.batch if table else self.result if one else self.empty
        self._pages.setCurrentWidget(page)
        self.bar.setVisible(one or many)
        self.bar.show_table(table, many)
        self.strip.setVisible(one and not table)

    @Slot(bool)
    def _show_table(self, table: bool) -> None:
        """The other way of looking at the pictures; those of the table come into the row when it is left."""
        self._session.in_table = table
        if not table:
            self._fill_row(None)
        self._update()
        self.take_focus()

    @Slot(object)
    def _open_from_table(self, path: Path) -> None:
        self._session.in_table = False
        self._fill_row(path)
        self._update()

    def _fill_row(self, chosen: Path | None) -> None:
        items = self._batch_session.items
        described = {item.path: item.described for item in items if item.described is not None}
        self._session.add_described([item.path for item in items], described, chosen)

    def resizeEvent(self, event) -> None:
        """Where there is no room beside the picture, the panel goes below it."""
        super().resizeEvent(event)
        self.result.set_narrow(self.width() < scaled(NARROW_PX) and self.height() >= scaled(HIGH_PX))
        self.strip.set_low(self.height() < scaled(LOW_PX))

    def take_focus(self) -> None:
        """The keyboard begins with the description, else in the row, else with opening."""
        if self._pages.currentWidget() is self.batch:
            self.batch.take_focus()
            return
        for control in (self.result.caption, self.strip, self.bar.open):
            if control.isVisible() and control.isEnabled():
                control.setFocus()
                return

    # Where pictures come from

    def take_files(self, paths: list[Path]) -> None:
        """Files and folders: one picture is shown, many go into the table, videos into the row."""
        videos = [path for path in paths if is_video(path)]
        pictures = [path for path in paths if not is_video(path)]
        if len(pictures) > 1 or any(path.is_dir() for path in pictures):
            self._batch_session.add(pictures)
            self._session.in_table = True
            if videos:
                self._session.add_files(videos)
        else:
            self._session.in_table = False
            self._session.add_files([*pictures, *videos])
        self._update()

    @Slot()
    def choose_files(self) -> None:
        """Ask for files."""
        endings = " ".join(f"*{suffix}" for suffix in sorted(PICTURE_SUFFIXES | VIDEO_SUFFIXES))
        kinds = ";;".join(
            (self.tr("Pictures and videos ({endings})").format(endings=endings), self.tr("All files (*)"))
        )
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose pictures"), "", kinds)
        if chosen:
            self.take_files([Path(name) for name in chosen])

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder."""
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder of pictures"))
        if chosen:
            self.take_files([Path(chosen)])

    @Slot()
    def paste(self) -> None:
        """Take what the clipboard holds: files, or a picture."""
        data = QGuiApplication.clipboard().mimeData()
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        paths = [path for path in paths if is_picture(path) or is_video(path) or path.is_dir()]
        if paths:
            self.take_files(paths)
            return
        image = QGuiApplication.clipboard().image() if data.hasImage() else QImage()
        if image.isNull():
            self.show_error(
                EngineError(
                    "There is no picture in the clipboard.",
                    "Copy a picture or picture files, then paste again.",
                )
            )
            return
        self.banners.clear()
        self._take(image, self.tr("Pasted picture"))

    def take_image(self, image: object) -> None:
        """A picture that was dropped and is no file."""
        made = image.toImage() if isinstance(image, QPixmap) else image
        if isinstance(made, QImage) and not made.isNull():
            self._take(made, self.tr("Dropped picture"))

    def _take(self, image: QImage, title: str) -> None:
        self._session.in_table = False
        self._session.add_image(image, title)
        self._update()

    @Slot()
    def take_screen(self) -> None:
        """Take what the screen shows."""
        if self._screen is None:
            self._screen = ScreenGrab(self.window())
            self._screen.grabbed.connect(self._screen_taken)
            self._screen.failed.connect(self.show_error)
        self._screen.start()

    @Slot(object)
    def _screen_taken(self, image: QImage) -> None:
        self._take(image, self.tr("Screen"))

    # Keys and menus

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+V pastes a picture; left and right go to the next one from wherever they are not used."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self.strip.isVisible():
            self._session.step(-1 if event.key() == Qt.Key.Key_Left else 1)
        else:
            super().keyPressEvent(event)

    @Slot(QPoint)
    def _strip_menu(self, where: QPoint) -> None:
        if self.strip.rows.item_at(self.strip.indexAt(where)) is not None:
            self.result.show_menu(self.strip.viewport().mapToGlobal(where))

    @Slot()
    def escape(self) -> None:
        """Take the overlay off, else stop what is being done with the picture on the screen."""
        if self.result.forget_word():
            return
        if self._session.selected is not None and not self._session.in_table:
            self._session.stop(self._session.selected)

    # Messages

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error that the user can mend."""
        self.banners.show_error(error)

    @Slot(object)
    def show_notice(self, notice: Notice) -> None:
        """Something to know."""
        self.banners.show_banner(notice.code, Banner("info", notice_text(notice)))

    @Slot(object)
    def _finished(self, item: ImageItem) -> None:
        if item.state == "failed":
            if item.error is not None and item is not self._session.selected:
                self.banners.show_error(item.error)  # what is selected says it in its own place
            return
        described = self.result.described if item is self._session.selected else None
        text = (
            self.tr("{name}: {text}").format(name=item.title, text=described.text[:2000])
            if described is not None
            else self.tr("{name} is described.").format(name=item.title)
        )
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @Slot(object)
    def _saved(self, path: Path) -> None:
        self.said.emit(self.tr("Saved {file}").format(file=path.name))
