"""What the tests of the speech pane share: files, drops, and what the pane shows.

In: an open app. Out: helpers.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from app.gui import Desktop
from app.panes.speech import SpeechPane
from app.speech_items import SpeechItem
from app.widgets.segment_model import TEXT
from tests.fake_speech import FakeSpeech
from tests.fakes import FakeDoor, FakeStore, fake_pack, speech_pack


def door(speech: FakeSpeech | None = None) -> FakeDoor:
    return FakeDoor(the_store=FakeStore([fake_pack(), speech_pack()]), speech=speech or FakeSpeech())


def media(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(b"sound")
    return paths


def drop(desktop: Desktop, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    desktop.window.dropEvent(
        QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def until(qtbot: QtBot, item: SpeechItem, state: str) -> None:
    qtbot.waitUntil(lambda: item.state == state)


def pane(desktop: Desktop) -> SpeechPane:
    return desktop.window.speech


def texts(desktop: Desktop) -> list[str]:
    model = pane(desktop).result.model
    return [str(model.index(row, TEXT).data()) for row in range(model.rowCount())]


def transcribed(qtbot: QtBot, desktop: Desktop, path: Path) -> SpeechItem:
    drop(desktop, path)
    item = next(item for item in desktop.speech.items if item.path == path)
    until(qtbot, item, "done")
    return item
