"""The speech pane: recordings at the left, the transcript at the right, files and microphone above.

In: the signals of session and recorder. Out: what the user does, to them; wishes that the window fulfils.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.host import Host
from app.i18n import error_hint, error_message, notice_text
from app.panes.speech_bar import SpeechBar
from app.panes.speech_empty import SpeechEmpty
from app.panes.speech_result import SpeechResult
from app.settings import SettingsStore
from app.speech_items import MEDIA_SUFFIXES, SpeechItem
from app.speech_recorder import SpeechRecorder
from app.speech_session import SpeechSession
from app.theme import scaled
from app.widgets.banner import Banner, BannerStack
from app.widgets.queue_list import QueueList
from engine.errors import EngineError
from engine.results import Notice

NARROW_PX = 620  # below, list and transcript take turns
ONE_LINE_PX = 740  # below, the choices would need more than a line


class SpeechPane(QWidget):
    """Recordings and their text."""

    show_models = Signal()
    send_wanted = Signal(object)  # SpeechItem
    summary_wanted = Signal(object)  # SpeechItem
    frames_wanted = Signal(object)  # SpeechItem, a video
    said = Signal(str)

    def __init__(
        self, host: Host, session: SpeechSession, recorder: SpeechRecorder, settings: SettingsStore
    ) -> None:
        super().__init__()
        self._host, self._session, self._recorder = host, session, recorder
        self._narrow = self._browsing = False
        self.setAccessibleName(self.tr("Speech"))
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 14, 24, 14)
        column.setSpacing(10)
        self.banners = BannerStack()
        column.addWidget(self.banners)
        self.bar = SpeechBar(host, recorder, settings)
        self.bar.files_wanted.connect(self.choose_files)
        column.addWidget(self.bar)
        self.empty = SpeechEmpty(host)
        self.empty.files_wanted.connect(self.choose_files)
        self.empty.models_wanted.connect(self.show_models)
        self.queue = QueueList(session)
        self.result = SpeechResult(session)
        self.queue.chosen.connect(session.select)
        self.queue.remove_wanted.connect(self.result.head.ask_remove)
        self.queue.menu_wanted.connect(self._menu)
        self.result.head.send_wanted.connect(self.send_wanted)
        self.result.head.summary_wanted.connect(self.summary_wanted)
        self.result.head.frames_wanted.connect(self.frames_wanted)
        self.result.head.said.connect(self.said)
        self._right = QStackedWidget()
        self._right.addWidget(self.empty)
        self._right.addWidget(self.result)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(scaled(16))
        self._splitter.setObjectName("paneSplitter")
        self.queue.setMinimumWidth(scaled(130))
        self._splitter.addWidget(self.queue)
        self._splitter.addWidget(self._right)
        self._splitter.setStretchFactor(0, 0)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([scaled(220), 2000])
        column.addWidget(self._splitter, 1)
        self._connect()
        self._update()

    def _connect(self) -> None:
        session, recorder = self._session, self._recorder
        session.list_changed.connect(self._update)
        session.selected_changed.connect(self._chosen)
        self.queue.clicked.connect(self._chosen)
        self.queue.activated.connect(self._chosen)
        self.result.head.back_wanted.connect(self._browse)
        session.failed.connect(self.show_error)
        session.notice.connect(self._show_notice)
        session.finished.connect(self._finished)
        session.exported.connect(self._exported)
        recorder.problem.connect(self._recording_problem)
        recorder.file_problem.connect(self.show_error)
        recorder.failed.connect(self.show_error)
        recorder.silence.connect(self._silence)
        recorder.state_changed.connect(self._recorder_changed)

    @Slot()
    def _update(self) -> None:
        chosen = self._session.selected is not None
        listed = bool(self._session.items)
        self._right.setCurrentWidget(self.result if chosen else self.empty)
        self.queue.setVisible(listed and not (self._narrow and chosen and not self._browsing))
        self._right.setVisible(not (self._narrow and listed and (self._browsing or not chosen)))
        self.result.head.back.setVisible(self._narrow)

    @Slot()
    def _chosen(self) -> None:
        self._browsing = False
        self._update()

    @Slot()
    def _browse(self) -> None:
        self._browsing = True
        self._update()
        self.queue.setFocus()

    def resizeEvent(self, event) -> None:
        """Where there is no room for both, the list and the transcript take turns."""
        super().resizeEvent(event)
        narrow = self.width() < scaled(NARROW_PX)
        if narrow != self._narrow:
            self._narrow = narrow
            self._update()
        self.bar.set_narrow(self.width() < scaled(ONE_LINE_PX))

    def showEvent(self, event: QShowEvent) -> None:
        """Microphones come and go: look again."""
        super().showEvent(event)
        self._recorder.find_devices()

    # What the user does

    def take_focus(self) -> None:
        """The keyboard begins in the transcript, else with the files."""
        for control in (self.result.table, self.queue, self.bar.add):
            if control.isVisible() and control.isEnabled():
                control.setFocus()
                return

    @Slot()
    def choose_files(self) -> None:
        """Ask for files."""
        endings = " ".join(f"*{suffix}" for suffix in sorted(MEDIA_SUFFIXES))
        kinds = ";;".join(
            (self.tr("Sound and video ({endings})").format(endings=endings), self.tr("All files (*)"))
        )
        chosen, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose recordings"), "", kinds)
        if chosen:
            self._session.add_files([Path(name) for name in chosen])

    @Slot(QPoint)
    def _menu(self, where: QPoint) -> None:
        if self.queue.rows.item_at(self.queue.indexAt(where)) is not None:
            self.result.head.show_menu(self.queue.viewport().mapToGlobal(where))

    @Slot()
    def toggle_recording(self) -> None:
        """Start or stop, where that can be done."""
        if self._recorder.active or self.bar.record.isEnabled():
            self._recorder.toggle()

    @Slot()
    def open_find(self) -> None:
        """Find in the transcript."""
        if self._session.selected is not None:
            self.result.open_find()

    @Slot()
    def escape(self) -> None:
        """Close the search."""
        self.result.close_find()

    # Messages

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error that the user can mend."""
        self.banners.show_error(error)

    @Slot(object)
    def _show_notice(self, notice: Notice) -> None:
        self.banners.show_banner(notice.code, Banner("info", notice_text(notice)))

    @Slot(object)
    def _recording_problem(self, error: EngineError) -> None:
        self.banners.drop("silence")
        banner = Banner("error", error_message(error), error_hint(error))
        again = banner.add_button(self.tr("Record again"))
        again.clicked.connect(self._record_again)
        self.banners.show_banner("microphone", banner)
        self._recorder.find_devices()

    @Slot()
    def _record_again(self) -> None:
        self.banners.drop("microphone")
        self.toggle_recording()

    @Slot(object)
    def _silence(self, error: EngineError | None) -> None:
        if error is None:
            self.banners.drop("silence")
        else:
            self.banners.show_banner("silence", Banner("warn", error_message(error), error_hint(error)))

    @Slot()
    def _recorder_changed(self) -> None:
        if self._recorder.state == "recording":
            self.banners.drop("microphone")

    @Slot(object)
    def _finished(self, item: SpeechItem) -> None:
        text = (
            self.tr("{name} is transcribed.").format(name=item.title)
            if item.state == "done"
            else self.tr("{name} could not be transcribed.").format(name=item.title)
        )
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    @Slot(object)
    def _exported(self, path: Path) -> None:
        self.said.emit(self.tr("Exported to {file}").format(file=path.name))
