"""The one place that turns exceptions into something to read: a banner, or a crash dialog with a report.

In: an EngineError (the user can mend it) or anything else (our bug). Out: a banner in the pane, or a dialog
with versions, traceback and a copy button. Also the log files: ``pollux.log`` and, for crashes below Python,
``crash.log``. Neither ever holds what the user wrote or a model answered.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import platform
import sys
import threading
import traceback
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import IO

from PySide6.QtCore import (
    QMessageLogContext,
    QObject,
    Qt,
    QtMsgType,
    Signal,
    Slot,
    qInstallMessageHandler,
    qVersion,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

log = logging.getLogger(__name__)
_crash_stream: IO[str] | None = None  # faulthandler needs it open for as long as the process lives


def start_logs(folder: Path) -> None:
    """Log to ``folder``; where that cannot be written, to stderr only."""
    global _crash_stream  # noqa: PLW0603
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            folder / "pollux.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8"
        )
        _crash_stream = (folder / "crash.log").open("a", encoding="utf-8")
        faulthandler.enable(_crash_stream)
    except OSError:
        handler = logging.StreamHandler()
        with contextlib.suppress(Exception):  # no stderr in a windowed app
            faulthandler.enable()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    qInstallMessageHandler(_log_qt)
    log.info(
        "Pollux %s, Python %s, Qt %s, %s",
        version(),
        platform.python_version(),
        qVersion(),
        platform.platform(),
    )


def _log_qt(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    level = logging.INFO if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) else logging.WARNING
    logging.getLogger("qt").log(level, "%s", message)


def version() -> str:
    """The version of Pollux."""
    try:
        return metadata.version("pollux")
    except metadata.PackageNotFoundError:
        return "0.1.0"


def report(error: BaseException) -> str:
    """Versions and traceback, to be copied into a bug report."""
    versions = [f"Pollux {version()}", f"Python {platform.python_version()}", f"Qt {qVersion()}"]
    for name in ("onnxruntime-gpu", "onnxruntime", "numpy", "tokenizers"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    trace = "".join(traceback.format_exception(error))
    return f"{', '.join(versions)}\n{platform.platform()}, {platform.machine()}\n\n{trace}"


class CrashDialog(QDialog):
    """Says that something broke, and gives the report to copy."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Something went wrong"))
        self.setMinimumSize(640, 420)
        self._text = text
        head = QLabel(
            self.tr(
                "This is a mistake in Pollux, not yours. Your conversations are saved. "
                "You can go on working; copy the report if you want to tell the authors."
            )
        )
        head.setTextFormat(Qt.TextFormat.PlainText)
        head.setWordWrap(True)
        view = QPlainTextEdit(text)
        view.setReadOnly(True)
        view.setObjectName("report")
        view.setAccessibleName(self.tr("Error report"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        copy = QPushButton(self.tr("Copy report"))
        copy.setObjectName("copyReport")
        copy.clicked.connect(self._copy)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(head)
        layout.addWidget(view, 1)
        layout.addWidget(buttons)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._text)


class Crashes(QObject):
    """Collects what nobody caught, from any thread, and shows it on the UI thread, one dialog at a time."""

    _caught = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._caught.connect(self.show_error, Qt.ConnectionType.QueuedConnection)
        self._dialog: CrashDialog | None = None
        self._window: QWidget | None = None

    @property
    def dialog(self) -> CrashDialog | None:
        """The dialog that is open, if any."""
        return self._dialog

    def set_window(self, window: QWidget) -> None:
        """The window that the dialog belongs to."""
        self._window = window

    def install(self) -> None:
        """Catch what no code of ours caught."""
        sys.excepthook = self._hook
        threading.excepthook = lambda caught: self._hook(
            caught.exc_type, caught.exc_value or caught.exc_type(), caught.exc_traceback
        )

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.critical("uncaught", exc_info=(kind, error, trace))
        self._caught.emit(error.with_traceback(trace))

    @Slot(object)
    def show_error(self, error: BaseException) -> None:
        """Show the dialog; while one is open, further errors only go to the log."""
        if self._dialog is not None:
            return
        self._dialog = CrashDialog(report(error), self._window)
        self._dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._dialog.finished.connect(self._closed)
        self._dialog.open()

    @Slot()
    def _closed(self) -> None:
        self._dialog = None
