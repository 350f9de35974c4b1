"""Puts the window together and runs it.

In: the data folder and, for tests and pictures, an engine of their own. Out: the exit code of the app.
"""

from __future__ import annotations

import gc
import importlib
import signal
import socket
import sys

from PySide6.QtCore import QObject, QSocketNotifier, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication

from app.chat_session import ChatSession
from app.errors import Crashes, start_logs, version
from app.garbage import CycleCollector
from app.history import History
from app.host import EngineDoor, Host
from app.i18n import Translations
from app.image_batch_session import ImageBatchSession
from app.image_session import ImageSession
from app.jobs import Job
from app.main_window import MainWindow
from app.paths import history_file, lock_file, logs_folder, settings_file
from app.settings import SettingsStore
from app.single import SingleInstance
from app.sound import SoundDoor
from app.speech_recorder import SpeechRecorder
from app.speech_session import SpeechSession
from app.theme import apply_theme
from engine.errors import EngineError


class Desktop(QObject):
    """Everything that the window stands on, made in order and freed in reverse."""

    def __init__(
        self, app: QApplication, door: EngineDoor | None = None, sound: SoundDoor | None = None
    ) -> None:
        super().__init__()
        self._app = app
        self._collector = CycleCollector(self)
        self.settings = SettingsStore(settings_file(), self)
        self.translations = Translations()
        self.translations.use(self.settings.value.language)
        apply_theme(app, self.settings.value.theme, self.settings.value.text_size)
        self.crashes = Crashes(self)
        self.history = History(history_file())
        self.host = Host(self.settings, door, self)
        self.session = ChatSession(self.host, self.history, self)
        sound = sound or SoundDoor()
        self.speech = SpeechSession(self.host, self.settings, sound, self)
        self.recorder = SpeechRecorder(self.host, self.speech, self.settings, sound, self)
        self.images = ImageSession(self.host, self.settings, self)
        self.batch = ImageBatchSession(self.host, self.images, self)
        self.batch.described_one.connect(self.images.take_described)
        for part in (self.host, self.session, self.speech, self.recorder, self.images, self.batch):
            part.crashed.connect(self.crashes.show_error)
        self.window = MainWindow(
            self.host,
            self.session,
            speech=self.speech,
            recorder=self.recorder,
            images=self.images,
            batch=self.batch,
            settings=self.settings,
            history=self.history,
            translations=self.translations,
        )
        self.crashes.set_window(self.window)

    @Slot()
    def begin(self) -> None:
        """After the window is on the screen: find the models and load the one used last."""
        self.host.refresh()
        if self.history.set_aside is not None:
            self.window.show_error(
                EngineError(
                    "The conversations could not be read and a new file was begun.",
                    "The damaged file was kept: {file}",
                    file=self.history.set_aside,
                )
            )
        best = self.host.best_pack()
        if best is not None:
            self.host.load(best.name)
        self.speech.begin()
        self._warm_job = Job(_warm_up, "warm up")
        self._warm_job.signals.item.connect(self._warm)
        self.host.jobs.start_files(self._warm_job)

    @Slot(object, object)
    def _warm(self, _job: Job, _item: object) -> None:
        self.window.chat.view.warm_up()

    @Slot()
    def come_forward(self) -> None:
        """Another app was started on this folder: show this one."""
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()


def _warm_up(_cancel: object):
    """Import what the first answer and the player need, so that the UI thread does not wait for the disk then."""
    from app.highlight import spans_of
    from app.markdown import to_html

    to_html("**ready**")
    spans_of("pass", "python")
    importlib.import_module("app.player")
    yield None


def make_application(argv: list[str]) -> QApplication:
    """The Qt application with its names set."""
    app = QApplication(argv)
    app.setApplicationName("Pollux")
    app.setApplicationDisplayName("Pollux")
    app.setApplicationVersion(version())
    app.setDesktopFileName("pollux")
    return app


def run_window() -> int:
    """Open the window and stay until it is closed."""
    app = make_application(sys.argv[:1])
    start_logs(logs_folder())
    try:
        single = SingleInstance(lock_file())
        if not single.acquire():
            if single.raise_other():
                print("Pollux is already open; its window was brought to the front.", file=sys.stderr)
                return 0
            print("Pollux is already open on this data folder; close it first.", file=sys.stderr)
            return 1
        desktop = Desktop(app)
    except EngineError as error:
        print(error, file=sys.stderr)
        _say(str(error))
        return 1
    desktop.crashes.install()
    single.raise_wanted.connect(desktop.come_forward)
    _quit_on_signals(desktop)
    desktop.window.show()
    QTimer.singleShot(0, desktop.begin)
    gc.collect()
    gc.freeze()  # what is there now stays to the end: no need to look through it again
    code = app.exec()
    single.release()
    return code


def _quit_on_signals(desktop: Desktop) -> None:
    """Ctrl+C in the terminal and the end of the session close the window as the user would."""
    if sys.platform == "win32":
        return  # there is no descriptor to wake up on; Windows closes the window itself
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    _Woken(reading, writing, desktop)


class _Woken(QObject):
    """Closes the window when a signal has written to the socket."""

    def __init__(self, reading: socket.socket, writing: socket.socket, desktop: Desktop) -> None:
        super().__init__(desktop)
        self._desktop, self._sockets = desktop, (reading, writing)
        self._notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)

    @Slot()
    def _woken(self) -> None:
        self._notifier.setEnabled(False)
        self._desktop.window.close()


def _say(text: str) -> None:
    """One line in a box, for those who start the app from a desktop and see no terminal."""
    from PySide6.QtWidgets import QMessageBox

    if QApplication.platformName() == "offscreen":
        return
    box = QMessageBox()
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.exec()
