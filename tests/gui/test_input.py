"""Writing: Enter and its exceptions, files that are dropped, links and resources in answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QInputMethodEvent, QTextDocument
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from app.gui import Desktop
from app.widgets.composer import AFTER_COMPOSITION_MS, Composer
from app.widgets.rich_text import RichText, ask_to_open
from tests.gui.conftest import OpenDesktop


@pytest.fixture
def composer(qtbot: QtBot) -> Composer:
    made = Composer()
    qtbot.addWidget(made)
    made.show()
    return made


def test_enter_sends_and_shift_enter_breaks(qtbot: QtBot, composer: Composer) -> None:
    qtbot.keyClicks(composer.editor, "one")
    qtbot.keyClick(composer.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(composer.editor, "two")
    with qtbot.waitSignal(composer.sent) as sent:
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent.args == ["one\ntwo"]


def test_enter_of_a_composition_never_sends(qtbot: QtBot, composer: Composer) -> None:
    editor = composer.editor
    sent: list[str] = []
    composer.sent.connect(sent.append)
    qtbot.keyClicks(editor, "x")
    QCoreApplication.sendEvent(editor, QInputMethodEvent("nihao", []))
    qtbot.keyClick(editor, Qt.Key.Key_Return)  # while composing
    commit = QInputMethodEvent("", [])
    commit.setCommitString("你好")
    QCoreApplication.sendEvent(editor, commit)
    qtbot.keyClick(editor, Qt.Key.Key_Return)  # the Enter that ended it, let through
    assert sent == []
    assert editor.toPlainText() == "x你好"
    qtbot.waitUntil(
        lambda: (
            editor._since_composition.elapsed() > AFTER_COMPOSITION_MS
            or not editor._since_composition.isValid()
        )
    )
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert sent == ["x你好"]


def test_empty_message_cannot_be_sent(qtbot: QtBot, composer: Composer) -> None:
    assert not composer.send_button.isEnabled()
    assert composer.send_button.toolTip() == "Write something first."
    with qtbot.assertNotEmitted(composer.sent):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)


def test_answers_load_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    picture = tmp_path / "secret.png"
    picture.write_bytes(b"\x89PNG")
    view = RichText("answer")
    qtbot.addWidget(view)
    view.setHtml(
        f'<img src="file://{picture}"><img src="http://example.org/x.png"><link rel="stylesheet" href="a.css">'
    )
    view.show()
    qtbot.waitExposed(view)
    kind = QTextDocument.ResourceType.ImageResource.value
    for name in (
        QUrl.fromLocalFile(str(picture)),
        QUrl("http://example.org/x.png"),
        QUrl("data:image/png;base64,AA"),
    ):
        loaded = view.document().resource(kind, name)
        assert loaded is None or bytes(loaded) == b""


def test_link_is_shown_and_asked_about(
    qtbot: QtBot, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    for answer, expected in (
        (QMessageBox.StandardButton.Cancel, []),
        (QMessageBox.StandardButton.Open, ["https://a.example/x"]),
    ):
        ask_to_open(desktop.window, QUrl("https://a.example/x"))
        box = next(item for item in desktop.window.findChildren(QMessageBox) if item.isVisible())
        assert box.informativeText() == "https://a.example/x"
        assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
        qtbot.mouseClick(box.button(answer), Qt.MouseButton.LeftButton)
        assert opened == expected


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "smb://host/x", "vscode://x"])
def test_other_schemes_never_open(
    qtbot: QtBot, desktop: Desktop, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    ask_to_open(desktop.window, QUrl(url))
    box = next(item for item in desktop.window.findChildren(QMessageBox) if item.isVisible())
    assert box.button(QMessageBox.StandardButton.Open) is None
    box.close()
    assert opened == []


def test_dropped_text_lands_in_the_draft(desktop: Desktop, tmp_path: Path) -> None:
    note = tmp_path / "注意.txt"
    note.write_text("第一行\nsecond ``` line", encoding="utf-8")
    desktop.window.take_files([note])
    text = desktop.window.chat.composer.text
    assert text.startswith("注意.txt:\n````\n第一行")
    gbk = tmp_path / "gbk.txt"
    gbk.write_bytes("中文".encode("gb18030"))
    desktop.window.take_files([gbk])
    assert "中文" in desktop.window.chat.composer.text


def test_dropped_model_is_offered_for_import(qtbot: QtBot, desktop: Desktop, tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "genai_config.json").write_text("{}")
    desktop.window.take_files([folder])
    box = next(item for item in desktop.window.findChildren(QMessageBox) if item.isVisible())
    assert "my-model" in box.text()
    yes = next(item for item in box.buttons() if item.text() == "Import")
    qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.host.pack("my-model") is not None)


@pytest.mark.parametrize("name", ["picture.bin", "large.txt", "folder"])
def test_other_files_get_one_line(open_desktop: OpenDesktop, tmp_path: Path, name: str) -> None:
    desktop = open_desktop()
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"\x00\x01" if name == "picture.bin" else b"x" * 100_000)
    desktop.window.take_files([path])
    assert name in desktop.window.banners.all()[0].text.text()
    assert desktop.window.chat.composer.text == ""
