"""One app for one data folder: a lock, and a way for a second app to raise the first one's window.

In: the data folder. Out: :class:`SingleInstance`, which either holds the folder or has asked its holder to
come forward. The local socket is a file of this user, not a port.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from engine.errors import EngineError

_WAIT_MS = 1500
_RAISE, _RAISED = b"raise\n", b"raised\n"


class SingleInstance(QObject):
    """Holds the lock while the app is open."""

    raise_wanted = Signal()

    def __init__(self, lock_file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        try:
            lock_file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                "The folder {folder} cannot be written to: {reason}.",
                "Allow writing to it, or set POLLUX_HOME to another folder.",
                folder=lock_file.parent,
                reason=error.strerror or error,
            ) from error
        self._name = "pollux-" + hashlib.sha256(str(lock_file.resolve()).encode()).hexdigest()[:16]
        self._lock = QLockFile(str(lock_file))
        self._lock.setStaleLockTime(0)
        self._server: QLocalServer | None = None
        self._folder = lock_file.parent

    def acquire(self) -> bool:
        """Take the folder; False if another app has it."""
        if not self._lock.tryLock(0):
            if self._lock.error() == QLockFile.LockError.PermissionError:
                raise EngineError(
                    "The folder {folder} cannot be written to: {reason}.",
                    "Allow writing to it, or set POLLUX_HOME to another folder.",
                    folder=self._folder,
                    reason="permission denied",
                )
            return False
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(self._name)  # left behind by a crash: the lock says that nobody listens
        self._server.newConnection.connect(self._connected)
        self._server.listen(self._name)
        return True

    def raise_other(self) -> bool:
        """Ask the app that holds the folder to show its window; whether it answered."""
        socket = QLocalSocket()
        socket.connectToServer(self._name)
        if not socket.waitForConnected(_WAIT_MS):
            return False
        socket.write(_RAISE)
        socket.flush()
        answered = socket.waitForReadyRead(_WAIT_MS) and bytes(socket.readAll().data()) == _RAISED
        socket.disconnectFromServer()
        return answered

    @Slot()
    def _connected(self) -> None:
        if self._server is None:
            return
        socket = self._server.nextPendingConnection()
        if socket is None:
            return
        socket.setParent(self)
        socket.disconnected.connect(socket.deleteLater)
        socket.readyRead.connect(self._asked)

    @Slot()
    def _asked(self) -> None:
        socket = self.sender()
        if isinstance(socket, QLocalSocket) and bytes(socket.readLine(64).data()) == _RAISE:
            socket.write(_RAISED)
            socket.flush()
            self.raise_wanted.emit()

    def release(self) -> None:
        """Let go."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._lock.unlock()
