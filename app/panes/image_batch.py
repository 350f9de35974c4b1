"""The table page of the image pane: a folder of photos, how far it is, what came of each, and where that goes.

In: the session of the table. Out: what the user does, to it; wishes that the pane fulfils.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QDesktopServices
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.host import Host
from app.i18n import notice_text
from app.image_batch_items import BatchItem
from app.image_batch_session import BatchCounts, ImageBatchSession
from app.panes.image_batch_export import BatchExport
from app.speech_text import DOT, left_text
from app.theme import colours, icon, pixmap, scaled
from app.widgets.banner import Banner, BannerStack
from app.widgets.basics import ElidedLabel, Page, button, disable, label, tool_button
from app.widgets.flow import FlowBox
from app.widgets.picture_model import PictureModel
from app.widgets.picture_table import PictureTable
from engine.errors import EngineError
from engine.results import Notice

NARROW_PX = 720


class ImageBatch(QWidget):
    """Many pictures."""

    open_wanted = Signal(object)  # Path: look at this one alone
    show_models = Signal()
    said = Signal(str)

    def __init__(self, host: Host, session: ImageBatchSession) -> None:
        super().__init__()
        self._host, self._session = host, session
        self._offered = False  # to describe again what was described otherwise
        self.setAccessibleName(self.tr("Table of pictures"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        self.banners = BannerStack()
        column.addWidget(self.banners)
        self.line = label("", "strong", wrap=False)
        self.detail = ElidedLabel("small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How many pictures are described"))
        self._head = QWidget()
        head = QVBoxLayout(self._head)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(6)
        words = QHBoxLayout()
        words.setSpacing(12)
        words.addWidget(self.line)
        words.addWidget(self.detail, 1)
        tools = FlowBox()
        tools.add(*self._make_tools())
        self._top = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._top.setSpacing(8)
        self._top.addLayout(words, 1)
        self._top.addWidget(tools)
        head.addLayout(self._top)
        head.addWidget(self.bar)
        column.addWidget(self._head)
        self.rows = PictureModel(session)
        self.table = PictureTable(self.rows, session.thumbnails)
        self.nothing = label(self.tr("No picture has a problem."), "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedWidget()
        self.empty = self._make_empty()
        for page in (self.empty, self.table, self.nothing):
            self._stack.addWidget(page)
        column.addWidget(self._stack, 1)
        self.export.setMenu(self._export.menu(self.export))
        self._connect()
        self.update_state()

    def _make_tools(self) -> list[QWidget]:
        self.stop = button(self.tr("Stop"), "", "stop")
        self.stop.clicked.connect(self._stop)
        self.go_on = button(self.tr("Go on"), "primary", "regenerate", colours().on_accent)
        self.go_on.clicked.connect(self._session.go_on)
        self.problems = button(self.tr("Only problems"), "nav", "warning")
        self.problems.setCheckable(True)
        self.problems.toggled.connect(self._filter)
        self.export = button(self.tr("Export"), "", "export")
        self._export = BatchExport(self._session, self)
        self.clear = tool_button(self.tr("Empty the table; the files stay"), "trash", tint=colours().muted)
        self.clear.clicked.connect(self._session.clear)
        return [self.stop, self.go_on, self.problems, self.export, self.clear]

    def _make_empty(self) -> QWidget:
        page = Page(self.tr("Table of pictures"), 560)
        page.column.setSpacing(8)
        picture = QLabel()
        picture.setPixmap(pixmap("table", colours().accent, 44))
        texts = (
            (self.tr("A folder of photos in one go"), "title"),
            (
                self.tr(
                    "Drop a folder, or as many pictures as you like. Each gets its description here, to be checked and edited."
                ),
                "muted",
            ),
            (
                self.tr(
                    "The descriptions go to a table (CSV, JSON), to text files beside the photos, or into the photos "
                    "themselves; the originals are kept."
                ),
                "small",
            ),
        )
        for made in (picture, *(label(text, role) for text, role in texts)):
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            page.column.addWidget(made)
        return page

    def _connect(self) -> None:
        session = self._session
        session.changed.connect(self.update_state)
        session.exports.changed.connect(self.update_state)
        session.finished.connect(self._finished)
        self._host.packs_changed.connect(self.update_state)
        self._export.said.connect(self.said)
        self._export.failed.connect(self.show_error)
        self._export.notice.connect(self._show_notice)
        self._export.problems_found.connect(self._problems_found)
        self.table.open_wanted.connect(self._open)
        self.table.remove_wanted.connect(self._remove)
        self.table.menu_wanted.connect(self._menu)

    # What is shown

    @Slot()
    def update_state(self) -> None:
        """Follow the session."""
        session, counts = self._session, self._session.counts
        done = counts.done + counts.failed
        self._head.setVisible(bool(counts.total) or session.looking)
        self._show_words(counts)
        running = session.busy or session.exports.busy
        self.bar.setVisible(running)
        self._show_bar(done)
        self.stop.setVisible(running)
        self.stop.setEnabled(not session.stopping)
        self.go_on.setVisible(bool(counts.stopped) and not running)
        self.problems.setVisible(bool(counts.problems) or self.problems.isChecked())
        text = self.tr("Only problems ({count})").format(count=counts.problems)
        self.problems.setText(f" {text}")
        self.problems.setAccessibleName(text)
        reason = ""
        if session.exports.busy:
            reason = self.tr("Something is being written.")
        elif not done:
            reason = self.tr("There is no description yet.")
        self.export.setToolTip(self.tr("Write the descriptions to files"))
        disable(self.export, reason)
        self.clear.setEnabled(not session.exports.busy)
        self._show_page(bool(counts.problems))
        self._show_outdated()

    def _show_page(self, problems: bool) -> None:
        page: QWidget = self.table
        if not self._session.items:
            page = self.empty
        elif self.problems.isChecked() and not problems:
            page = self.nothing
        if self._stack.currentWidget() is not page:
            self._stack.setCurrentWidget(page)

    def _show_words(self, counts: BatchCounts) -> None:
        session, parts = self._session, list[str]()
        done = counts.done + counts.failed
        line = self.tr("{done} of {total} done").format(done=done, total=counts.total)
        if session.exports.busy:
            now = session.exports.progress
            line = self.tr("Writing…")
            if now is not None and now.total:
                line = self.tr("Writing: {done} of {total}").format(done=now.done, total=now.total)
        elif not counts.total:
            line = self.tr("Looking for pictures…")
        elif session.busy:
            left_s = session.left_s
            if session.stopping:
                parts.append(self.tr("Stopping…"))
            elif left_s is not None:
                parts.append(left_text(left_s))
        elif counts.done == counts.total:
            line = self.tr("All {total} described").format(total=counts.total)
        elif session.waits_for and counts.waiting:
            parts.append(session.waits_for)
        if counts.unsure:
            parts.append(self.tr("{count} unsure").format(count=counts.unsure))
        if counts.failed:
            parts.append(self.tr("{count} failed").format(count=counts.failed))
        if session.looking and counts.total:
            parts.append(self.tr("Looking for pictures…"))
        self.line.setText(line)
        self.detail.set_whole(DOT.join(parts))

    def _show_bar(self, done: int) -> None:
        now = self._session.exports.progress
        most, value = len(self._session.items), done
        if self._session.exports.busy:
            most, value = (now.total or 0, now.done) if now is not None else (0, 0)
        self.bar.setRange(0, most)
        self.bar.setValue(value)

    def _show_outdated(self) -> None:
        """Where another style or language is chosen now, offer to do it again."""
        if self._session.busy or not self._session.outdated:
            self.banners.drop("outdated")
            self._offered = False
        elif not self._offered:  # once: it may be closed
            self._offered = True
            text = self.tr("Some pictures were described in another style or language than is chosen now.")
            banner = Banner("info", text)
            banner.add_button(self.tr("Describe them again")).clicked.connect(self._again_outdated)
            self.banners.show_banner("outdated", banner)

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error that the user can mend."""
        self.banners.show_error(error)

    @Slot(object)
    def _show_notice(self, notice: Notice) -> None:
        self.banners.show_banner(notice.code, Banner("info", notice_text(notice)))

    @Slot(int)
    def _problems_found(self, count: int) -> None:
        """An export could not write some."""
        text = self.tr("{count} descriptions could not be written.").format(count=count)
        banner = Banner("warn", text, self.tr("Nothing was changed there; the state of each says why."))
        banner.add_button(self.tr("Show them")).clicked.connect(self._show_problems)
        self.banners.show_banner("export", banner)

    @Slot()
    def _finished(self) -> None:
        counts = self._session.counts
        text = self.tr("{done} pictures are described.").format(done=counts.done)
        if counts.failed:
            text += " " + self.tr("{count} could not be.").format(count=counts.failed)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def resizeEvent(self, event) -> None:
        """In a narrow window the buttons go below the words."""
        super().resizeEvent(event)
        narrow = self.width() < scaled(NARROW_PX)
        self._top.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        )

    # What the user does

    def take_focus(self) -> None:
        """The keyboard begins in the table."""
        self.table.setFocus()

    @Slot()
    def _stop(self) -> None:
        if self._session.exports.busy:
            self._session.exports.stop()
        else:
            self._session.stop()

    @Slot(bool)
    def _filter(self, only: bool) -> None:
        self.table.order.show_only_problems(only)
        self.update_state()

    @Slot()
    def _show_problems(self) -> None:
        self.banners.drop("export")
        self.problems.setChecked(True)

    @Slot()
    def _again_outdated(self) -> None:
        self._again(self._session.outdated)

    def _again(self, items: Sequence[BatchItem]) -> None:
        self._session.again(items)

    @Slot()
    def _again_chosen(self) -> None:
        self._again(self.table.chosen())

    @Slot()
    def _remove(self) -> None:
        """Take the selected rows away, and go to the next one."""
        row = self.table.currentIndex().row()
        self._session.remove(self.table.chosen())
        left = self.table.order.rowCount()
        if left:
            self.table.selectRow(min(max(row, 0), left - 1))

    @Slot(object)
    def _open(self, item: BatchItem) -> None:
        self.open_wanted.emit(item.path)

    @Slot()
    def _open_current(self) -> None:
        item = self.table.current()
        if item is not None:
            self._open(item)

    @Slot()
    def _open_folder(self) -> None:
        item = self.table.current()
        if item is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(item.path).parent)))

    @Slot(QPoint)
    def _menu(self, where: QPoint) -> None:
        if self.table.chosen():  # the key for menus says no place in a row
            self.row_menu().popup(self.table.viewport().mapToGlobal(where))

    def row_menu(self) -> QMenu:
        """What can be done with the selected rows."""
        item = self.table.current()
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Pictures"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        edit = menu.addAction(icon("edit"), self.tr("Edit the description"), self.table.edit_current)
        edit.setEnabled(item is not None and item.state == "done")
        menu.addAction(icon("copy"), self.tr("Copy"), self.table.copy)
        menu.addAction(icon("images"), self.tr("Look at it alone"), self._open_current)
        menu.addAction(icon("regenerate"), self.tr("Describe again"), self._again_chosen)
        menu.addAction(icon("folder"), self.tr("Show the folder"), self._open_folder)
        menu.addSeparator()
        menu.addAction(icon("trash"), self.tr("Take from the table"), self._remove)
        return menu
