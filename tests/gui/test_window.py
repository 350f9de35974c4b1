"""The window as a whole: model button, models pane, two apps, quitting, names for screen readers, languages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import __main__ as way_in
from app.gui import Desktop
from app.i18n import Translations, error_message, messages_module
from app.languages import language_of, lists_language
from app.paths import lock_file, translations_folder
from app.shortcuts import shortcut_list
from app.single import SingleInstance
from app.widgets.basics import Page
from engine.errors import EngineError
from tests.fakes import FakeDoor, FakeStore, fake_pack, qwen_pack
from tests.gui.conftest import OpenDesktop, find

ROOT = Path(__file__).resolve().parents[2]


def test_model_button_tells_the_state(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(the_store=FakeStore([fake_pack(), qwen_pack()]), open_gate=threading.Event())
    desktop = open_desktop(door, wait=False)
    text = desktop.window.model_button.text
    qtbot.waitUntil(lambda: text().strip() == "Loading · Qwen2.5 Coder 1.5B")
    assert door.open_gate is not None
    door.open_gate.set()
    qtbot.waitUntil(lambda: text().strip() == "Qwen2.5 Coder 1.5B · CPU")
    door.open_error = EngineError("There is not enough memory to run {model}.", model="SmolLM2")
    desktop.host.load("smollm2-135m")
    qtbot.waitUntil(lambda: text().strip() == "Failed · SmolLM2 135M")
    assert desktop.window.model_button.toolTip() == "There is not enough memory to run SmolLM2."
    assert desktop.window.banners.all()[0].text.text() == "There is not enough memory to run SmolLM2."
    assert door.opened[0].closed


def test_without_a_model_the_app_says_what_to_do(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(FakeDoor(the_store=FakeStore([])), wait=False)
    assert desktop.window.model_button.text().strip() == "No model installed"
    desktop.window.show_chat()
    composer = desktop.window.chat.composer
    composer.set_text("Hello")
    assert not composer.send_button.isEnabled()
    assert "Models" in composer.send_button.toolTip()


def test_model_menu_switches(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(FakeDoor(the_store=FakeStore([fake_pack(), qwen_pack()])))
    menu = desktop.window.model_button.menu()
    menu.aboutToShow.emit()
    action = next(item for item in menu.actions() if item.text().startswith("SmolLM2"))
    action.trigger()
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready" and desktop.host.model.pack == fake_pack())
    assert desktop.settings.value.model == "smollm2-135m"


def test_get_cancel_resume(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(add_gate=threading.Event())
    desktop = open_desktop(door)
    desktop.window.show_models()
    card = desktop.window.models._entries[0]
    qtbot.mouseClick(card._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Downloading  ·  559 MB of 1.1 GB" in card._bar.line.text())
    assert card._get.text() == "Cancel"
    qtbot.mouseClick(card._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.host.tasks["qwen2.5-coder-1.5b"].state == "cancelled")
    card = desktop.window.models._entries[0]
    assert card._get.text() == "Resume"
    assert door.add_gate is not None
    door.add_gate.set()
    qtbot.mouseClick(card._get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.host.pack("qwen2.5-coder-1.5b") is not None)
    assert desktop.window.models._entries == []


def test_remove_asks(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    desktop.window.show_models()
    card = desktop.window.models._packs[0]
    for answer in ("Cancel", "Remove"):
        qtbot.mouseClick(card._remove, Qt.MouseButton.LeftButton)
        box = next(item for item in desktop.window.findChildren(QMessageBox) if item.isVisible())
        made = next(item for item in box.buttons() if item.text().replace("&", "") == answer)
        qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
        if answer == "Cancel":
            assert desktop.host.pack("smollm2-135m") is not None
    qtbot.waitUntil(lambda: desktop.host.pack("smollm2-135m") is None)
    assert desktop.host.model.status == "none"


def test_bundled_model_cannot_be_removed(open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(FakeDoor(the_store=FakeStore([fake_pack(bundled=True, files=())])))
    card = desktop.window.models._packs[0]
    assert not card._remove.isEnabled() and "part of Pollux" in card._remove.toolTip()
    assert not card._verify.isEnabled() and "hashes" in card._verify.toolTip()


def test_verify_and_failed_import(qtbot: QtBot, open_desktop: OpenDesktop, tmp_path: Path) -> None:
    desktop = open_desktop()
    desktop.window.show_models()
    card = desktop.window.models._packs[0]
    qtbot.mouseClick(card._verify, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card._bar.line.text() == "Everything is as it should be.")
    desktop.host.import_path(tmp_path / "broken")
    qtbot.waitUntil(lambda: bool(desktop.window.models.banners.all()))
    assert desktop.window.models.banners.all()[0].text.text().startswith("broken is not a model")


def test_home_offers_the_best_model_that_fits(open_desktop: OpenDesktop) -> None:
    assert open_desktop().window.home.findChild(QWidget, "suggestion") is not None
    assert open_desktop(FakeDoor(memory_bytes=10**9)).window.home.findChild(QWidget, "suggestion") is None


def test_where_nothing_can_be_built_get_says_why(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    """As in the packaged app, which has no exporter."""
    door = FakeDoor(
        builder_error=EngineError("Models cannot be built here.", "Import one."), add_gate=threading.Event()
    )
    desktop = open_desktop(door)
    qtbot.waitUntil(lambda: desktop.host.cannot_build is not None)
    window = desktop.window
    name = "Get Qwen2.5 Coder 1.5B"
    for pane in (window.home, window.models):
        qtbot.waitUntil(lambda at=pane: not find(at, QPushButton, name).isEnabled())
        get = find(pane, QPushButton, name)
        assert get.toolTip() == "Models cannot be built here. Import one."
        assert any("Import folder" in line.text() for line in pane.findChildren(QLabel))
    desktop.host.add("qwen2.5-coder-1.5b")
    assert not desktop.host.tasks
    desktop.session.send("你好，请用中文介绍一下你自己。")
    banner = window.chat.banners.get("language")
    assert banner is not None
    assert "Import folder" in banner.detail.text()
    get = banner.findChild(QPushButton, "gapGet")
    assert isinstance(get, QPushButton)
    assert not get.isEnabled()
    assert "Import one." in get.toolTip()
    qtbot.waitUntil(lambda: not desktop.session.busy)


def test_where_the_exporter_is_get_can_be_pressed(qtbot: QtBot, desktop: Desktop) -> None:
    qtbot.waitUntil(lambda: not desktop.host.jobs.busy)
    assert desktop.host.cannot_build is None
    assert find(desktop.window.home, QPushButton, "Get Qwen2.5 Coder 1.5B").isEnabled()


def test_quit_while_generating(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(gate=threading.Event())
    desktop = open_desktop(door)
    desktop.session.send("Tell me")
    path = desktop.history.path
    qtbot.waitUntil(lambda: len(desktop.session.messages[-1].text) > 3)
    desktop.window.close()
    assert not desktop.host.jobs._inference.activeThreadCount()
    assert door.opened[0].closed
    from app.history import History

    history = History(path)
    answer = history.messages(history.list()[0].id)[-1]
    assert answer.state == "cancelled"
    assert answer.text and door.answer.startswith(answer.text)
    history.close()


def test_conversation_is_renamed_found_deleted(
    qtbot: QtBot, open_desktop: OpenDesktop, tmp_path: Path
) -> None:
    desktop = open_desktop()
    with qtbot.waitSignal(desktop.session.answer_ended):
        desktop.session.send("法国的首都在哪里？")
    sidebar = desktop.window.sidebar
    conversation = desktop.history.list()[0].id
    sidebar.rename(conversation, "地理")
    assert sidebar.list.item(0).text() == "地理"
    desktop.window.focus_search()
    sidebar.search.setText("首都")
    qtbot.waitUntil(lambda: "首都" in (sidebar.list.item(0).text() if sidebar.list.count() else ""))
    sidebar.export(conversation, tmp_path / "out.json")
    assert "法国" in (tmp_path / "out.json").read_text(encoding="utf-8")
    sidebar.search.clear()
    sidebar.refresh()
    sidebar.list.setCurrentRow(0)
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Delete)
    box = next(item for item in desktop.window.findChildren(QMessageBox) if item.isVisible())
    qtbot.mouseClick(
        next(item for item in box.buttons() if item.text() == "Delete"), Qt.MouseButton.LeftButton
    )
    assert desktop.history.list() == ()
    assert desktop.session.conversation is None


def test_the_list_follows_the_history_whatever_changes(desktop: Desktop) -> None:
    """It is changed in place: what it shows must be what it would show if it were made again."""
    sidebar, history = desktop.window.sidebar, desktop.history
    rows = sidebar.list

    def check() -> None:
        sidebar.refresh()
        titles = [rows.item(row).text() for row in range(rows.count())]
        assert titles == [item.title for item in history.list()]

    keys = [history.create(f"chat {number}").id for number in range(5)]
    check()
    history.add(keys[0], "user", "from the bottom to the top")
    check()
    history.add(keys[0], "user", "and again")
    check()
    history.create("new")
    check()
    history.rename(keys[0], "another name")
    check()
    history.delete(keys[2])
    history.add(keys[1], "user", "x")
    check()
    sidebar.show_conversation(keys[1])
    assert rows.currentRow() == 0
    for key in [item.id for item in history.list()]:
        history.delete(key)
    check()
    history.create("one")
    check()


def test_nothing_is_cut_off_in_a_narrow_window_with_large_text(qtbot: QtBot, desktop: Desktop) -> None:
    window = desktop.window
    window.resize(1180, 800)
    desktop.settings.change(text_size=150)
    qtbot.waitUntil(lambda: not window._rebuild_pending)
    for section in ("preferences", "models", "home"):
        window.show_section(section)
        qtbot.wait(20)
    window.resize(900, 600)
    for section in ("preferences", "home"):
        window.show_section(section)
        qtbot.wait(20)
        pane = window._stack.currentWidget()
        assert isinstance(pane, Page)
        page = pane.widget()
        assert page is not None
        for part in page.findChildren(QWidget):
            if part.isVisible():
                right = part.mapTo(page, part.rect().bottomRight()).x()
                assert right <= pane.viewport().width(), part
        for part in page.findChildren(QLabel):
            if part.isVisible() and part.wordWrap():
                assert part.height() >= part.heightForWidth(part.width()), part.text()
    window.resize(1180, 800)


def test_two_apps_on_one_folder(qtbot: QtBot, desktop: Desktop, pollux_home: Path) -> None:
    first = SingleInstance(lock_file())
    assert first.acquire()
    code = (
        "import sys\n"
        "from PySide6.QtCore import QCoreApplication\n"
        "from app.paths import lock_file\n"
        "from app.single import SingleInstance\n"
        "app = QCoreApplication([])\n"
        "second = SingleInstance(lock_file())\n"
        "assert not second.acquire()\n"
        "sys.exit(0 if second.raise_other() else 3)\n"
    )
    with qtbot.waitSignal(first.raise_wanted, timeout=20_000):
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    qtbot.waitUntil(lambda: child.poll() is not None, timeout=20_000)
    assert child.returncode == 0
    first.release()
    again = SingleInstance(lock_file())
    assert again.acquire()
    again.release()


def test_without_a_display_the_command_line_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert way_in.main([]) == 1
    assert "pollux chat" in capsys.readouterr().err


def test_window_selftest() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "selftest", "--gui"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("window: ok")


def test_importing_the_way_in_imports_no_qt() -> None:
    code = "import app.__main__, sys; sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_control_has_an_accessible_name(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(answer="Look:\n\n```python\n1\n```\n")
    desktop = open_desktop(door)
    desktop.session.send("你好，世界")
    qtbot.waitUntil(lambda: not desktop.session.busy)
    desktop.window.chat._choose_prompt()
    desktop.window.show_shortcuts()
    kinds = (
        QAbstractButton,
        QLineEdit,
        QPlainTextEdit,
        QTextEdit,
        QComboBox,
        QAbstractSpinBox,
        QListView,
        QProgressBar,
    )
    unnamed = []
    for widget in desktop.window.findChildren(QWidget):
        if not isinstance(widget, kinds) or widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget.parent(), (QComboBox, QAbstractSpinBox)) or (
            isinstance(widget, QListView)
            and type(widget.parent()).__name__ == "QWidget"
            and widget.window() is not desktop.window
        ):
            continue  # parts of a control that has a name
        text = widget.text().strip() if isinstance(widget, QAbstractButton) else ""
        if not (widget.accessibleName() or text):
            unnamed.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    assert unnamed == []


def test_every_focus_stop_can_be_reached_by_tab(qtbot: QtBot, desktop: Desktop) -> None:
    desktop.window.show_preferences()
    seen = set()
    widget: QWidget | None = desktop.window.preferences.theme
    for _ in range(300):
        assert widget is not None
        seen.add(widget)
        widget = widget.nextInFocusChain()
    for control in desktop.window.preferences.findChildren(QComboBox):
        assert control in seen
    assert desktop.window.model_button in seen
    assert desktop.window.sidebar.list in seen


def test_shortcuts_name_methods_of_the_window(desktop: Desktop) -> None:
    for item in shortcut_list():
        assert not item.method or callable(getattr(desktop.window, item.method))
    keys = [item.keys for item in shortcut_list()]
    assert len(keys) == len(set(keys))


def test_engine_messages_are_collected() -> None:
    current = (ROOT / "app" / "engine_messages.py").read_text(encoding="utf-8")
    assert current == messages_module(), "run: python -m app.i18n, then pyside6-lupdate and pyside6-lrelease"


def test_chinese_is_complete() -> None:
    source = (ROOT / "resources" / "i18n" / "pollux_zh_CN.ts").read_text(encoding="utf-8")
    tree = ElementTree.fromstring(source)
    known = set()
    for message in tree.iter("message"):
        text, translation = message.findtext("source") or "", message.find("translation")
        assert translation is not None and translation.get("type") != "unfinished", text
        assert translation.text, text
        known.add(text)
        fields = {part.split("}")[0] for part in text.split("{")[1:]}
        assert fields == {part.split("}")[0] for part in translation.text.split("{")[1:]}, text
    from app import engine_messages

    missing = set(engine_messages.MESSAGES + engine_messages.SUMMARIES) - known
    assert not missing


def test_translation_is_compiled_and_used(qtbot: QtBot, desktop: Desktop) -> None:
    assert (translations_folder() / "pollux_zh_CN.qm").is_file()
    translations = Translations()
    translations.use("zh_CN")
    error = EngineError("There is not enough memory to run {model}.", model="Qwen")
    assert error_message(error) == "内存不足，无法运行 Qwen。"
    translations.use("en")
    assert error_message(error) == "There is not enough memory to run Qwen."


def test_language_changes_at_once_and_keeps_the_answer(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(gate=threading.Event())
    desktop = open_desktop(door)
    desktop.window.show_chat()
    desktop.session.send("Hello")
    qtbot.waitUntil(lambda: len(desktop.session.messages[-1].text) > 3)
    old = desktop.window.chat
    desktop.settings.change(language="zh_CN")
    qtbot.waitUntil(lambda: desktop.window.chat is not old)
    assert door.gate is not None
    with qtbot.waitSignal(desktop.session.answer_ended):
        door.gate.set()
    assert find(desktop.window.sidebar, QPushButton, "新对话")
    answer = desktop.window.chat.view.last_answer()
    assert answer is not None
    assert answer.message.text == door.answer
    assert "词元/秒" in answer.figures.text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("What is the capital of France?", None),
        ("法国的首都是哪里？", "zh"),
        ("What does 你好 mean in English, please?", None),
        ("用 Python 写一个函数", "zh"),
        ("フランスの首都はどこですか", "ja"),
        ("프랑스의 수도는?", "ko"),
        ("Столица Франции?", "ru"),
        ("ما هي عاصمة فرنسا؟", "ar"),
        ("123 !?", None),
        ("", None),
    ],
)
def test_language_by_script(text: str, code: str | None) -> None:
    assert language_of(text) == code


def test_listed_languages() -> None:
    assert lists_language(("en", "zh-Hans"), "zh")
    assert lists_language(("uk",), "ru")
    assert lists_language((), "zh")
    assert not lists_language(("en",), "zh")


def test_start_does_not_import_what_it_does_not_need() -> None:
    code = (
        "import sys, app.gui\n"
        "heavy = {'onnxruntime', 'torch', 'numpy', 'pygments', 'markdown_it', 'tokenizers', 'jinja2'} & set(sys.modules)\n"
        "print(heavy); sys.exit(bool(heavy))\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, env=environment).returncode == 0
    )
