"""A whole app on a fake engine, opened and closed around a test."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui import Desktop
from app.theme import apply_theme
from tests.fake_speech import FakeSound
from tests.fakes import FakeDoor


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any Qt warning fails a test, but for one that the offscreen platform gives for every dialog."""
    for item in items:
        if "tests/gui" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints"))


@pytest.fixture(autouse=True)
def cycles_freed_here() -> Iterator[None]:
    """Windows that a test left behind are freed on the UI thread (:mod:`app.garbage`), and while nothing runs."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


OpenDesktop = Callable[..., Desktop]
READY_MS = 30_000  # the machine may be busy with other things


@pytest.fixture
def open_desktop(qtbot: QtBot, pollux_home: Path) -> Iterator[OpenDesktop]:
    """Open the app with a door; ``wait`` until the model is there."""
    opened: list[Desktop] = []

    def make(door: FakeDoor | None = None, wait: bool = True, sound: FakeSound | None = None) -> Desktop:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        desktop = Desktop(app, door or FakeDoor(), sound or FakeSound())
        opened.append(desktop)
        desktop.window.show()
        desktop.begin()
        if wait:
            qtbot.waitUntil(lambda: desktop.host.model.status == "ready", timeout=READY_MS)
        return desktop

    yield make
    for desktop in opened:
        close(desktop)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, "light", 100)


def close(desktop: Desktop) -> None:
    """Close the app as a user does."""
    desktop.window.close()
    desktop.translations.use("en")


@pytest.fixture
def desktop(open_desktop: OpenDesktop) -> Desktop:
    """The app with one small English model that answers at once."""
    return open_desktop()


def answer_shown(desktop: Desktop) -> str:
    """What the last answer shows, as plain text."""
    widget = desktop.window.chat.view.last_answer()
    if widget is None:
        return ""
    texts = []
    for block in widget.blocks:
        texts.append(block.view.toPlainText() if hasattr(block, "view") else block.toPlainText())  # type: ignore[union-attr]
    return "\n".join(texts)


def find(parent: QWidget, kind: type[QWidget], name: str) -> QWidget:
    """The visible widget of a kind with this accessible name or text."""
    for widget in parent.findChildren(kind):
        text = widget.text().strip() if hasattr(widget, "text") else ""  # type: ignore[attr-defined]
        if not widget.isHidden() and name in (widget.accessibleName(), text):
            return widget
    raise AssertionError(f"no {kind.__name__} {name!r}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where recordings of a test lie."""
    made = tmp_path / "录音 ü"
    made.mkdir()
    return made
