"""The chat pane: streaming, stopping, answering again, editing, and what it says when something is wrong."""

from __future__ import annotations

import threading
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.history import Message
from app.widgets.rich_text import CodeBlock
from engine.errors import EngineError
from engine.results import Notice
from tests.fakes import FakeDoor, FakeStore, fake_pack, qwen_pack
from tests.gui.conftest import OpenDesktop, answer_shown, find


def ask(qtbot: QtBot, desktop, text: str) -> None:
    """Type a question, press Enter, wait for the end of the answer."""
    editor = desktop.window.chat.composer.editor
    desktop.window.show_chat()
    qtbot.keyClicks(editor, text) if text.isascii() else editor.setPlainText(text)
    with qtbot.waitSignal(desktop.session.answer_ended):
        qtbot.keyClick(editor, Qt.Key.Key_Return)


def test_answer_streams_and_is_rendered(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(gate=threading.Event())
    desktop = open_desktop(door)
    editor = desktop.window.chat.composer.editor
    desktop.window.show_chat()
    qtbot.keyClicks(editor, "What is the capital of France?")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: answer_shown(desktop).startswith("The capital"))
    assert "Paris" not in answer_shown(desktop)
    assert desktop.session.busy
    assert door.gate is not None
    with qtbot.waitSignal(desktop.session.answer_ended):
        door.gate.set()
    assert answer_shown(desktop) == "The capital of France is Paris."
    answer = desktop.window.chat.view.last_answer()
    assert answer is not None
    assert "100 tokens/s" in answer.figures.text()
    assert "of 8192 tokens" in desktop.window.chat.composer.meter.text()
    assert door.asked == [[("user", "What is the capital of France?")]]
    assert editor.toPlainText() == ""


def test_stop_keeps_what_is_there(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(gate=threading.Event())
    desktop = open_desktop(door)
    desktop.window.show_chat()
    desktop.session.send("Tell me")
    qtbot.waitUntil(lambda: answer_shown(desktop) != "")
    with qtbot.waitSignal(desktop.session.answer_ended):
        qtbot.mouseClick(desktop.window.chat.composer.send_button, Qt.MouseButton.LeftButton)
    last = desktop.history.messages(desktop.session.messages[-1].conversation)[-1]
    assert last.state == "cancelled"
    assert last.text and last.text in door.answer
    assert "stopped" in desktop.window.chat.view.last_answer().figures.text()  # type: ignore[union-attr]


def test_regenerate_replaces_the_answer(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor()
    desktop = open_desktop(door)
    ask(qtbot, desktop, "Hello")
    door.answer = "Another answer."
    with qtbot.waitSignal(desktop.session.answer_ended):
        qtbot.keyClick(desktop.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert answer_shown(desktop) == "Another answer."
    assert [message.role for message in desktop.session.messages] == ["user", "assistant"]
    assert door.asked[1] == [("user", "Hello")]


def test_edit_and_send_again(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor()
    desktop = open_desktop(door)
    ask(qtbot, desktop, "First question")
    ask(qtbot, desktop, "Second question")
    chat = desktop.window.chat
    first = chat.view.widgets[0]
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_E)
    assert chat.composer.text == "First question"
    chat.composer.set_text("Better question")
    with qtbot.waitSignal(desktop.session.answer_ended):
        qtbot.keyClick(chat.composer.editor, Qt.Key.Key_Return)
    stored = desktop.history.messages(desktop.session.messages[0].conversation)
    assert [message.text for message in stored if message.role == "user"] == ["Better question"]
    assert len(chat.view.widgets) == 2
    assert door.asked[-1] == [("user", "Better question")]


def test_editing_can_be_left(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(qtbot, desktop, "First question")
    chat = desktop.window.chat
    chat.edit_last()
    qtbot.keyClick(desktop.window, Qt.Key.Key_Escape)
    assert chat.composer.text == ""
    assert len(desktop.session.messages) == 2


def test_code_block_copies_and_is_coloured(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(FakeDoor(answer="Look:\n\n```python\ndef f():\n    return 1\n```\nDone."))
    ask(qtbot, desktop, "code please")
    answer = desktop.window.chat.view.last_answer()
    assert answer is not None
    block = next(item for item in answer.blocks if isinstance(item, CodeBlock))
    assert block.code == "def f():\n    return 1"
    qtbot.waitUntil(lambda: block._highlighter is not None and bool(block._highlighter.spans))
    qtbot.mouseClick(block.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "def f():\n    return 1"


def test_copy_key_copies_markdown(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor()
    desktop = open_desktop(door)
    ask(qtbot, desktop, "Hello")
    desktop.window.copy_last()
    assert QGuiApplication.clipboard().text() == door.answer


def test_system_prompt_goes_first_and_is_kept(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor()
    desktop = open_desktop(door)
    desktop.window._start("translator")
    ask(qtbot, desktop, "Hello")
    assert door.asked[0][0][0] == "system"
    assert "translator" in door.asked[0][0][1]
    kept = desktop.history.list()[0]
    assert kept.preset == "translator"
    desktop.session.set_prompt("writer", "Be short.")
    assert desktop.history.get(kept.id).system == "Be short."


def test_generation_settings_reach_the_engine(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor()
    desktop = open_desktop(door)
    desktop.settings.change(greedy=True, max_new_tokens=7, seed=5)
    ask(qtbot, desktop, "Hello")
    options = door.options_seen[0]
    assert (options.temperature, options.max_new_tokens, options.seed) == (0.0, 7, 5)  # type: ignore[attr-defined]


def test_engine_error_becomes_a_banner_and_keeps_the_text(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    error = EngineError("The prompt is {count} tokens too long.", "Shorten it.", count=5)
    desktop = open_desktop(FakeDoor(chat_error=error))
    ask(qtbot, desktop, "Hello")
    banner = desktop.window.chat.banners.all()[0]
    assert banner.text.text() == "The prompt is 5 tokens too long."
    assert banner.detail.text() == "Shorten it."
    last = desktop.session.messages[-1]
    assert last.state == "failed"
    assert last.text
    assert desktop.crashes.dialog is None


def test_a_bug_opens_the_crash_dialog(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(FakeDoor(chat_error=RuntimeError("a bug of ours")))
    ask(qtbot, desktop, "Hello")
    dialog = desktop.crashes.dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.findChild(QPushButton, "copyReport"), Qt.MouseButton.LeftButton)
    report = QGuiApplication.clipboard().text()
    assert "a bug of ours" in report and "Traceback" in report and "Qt " in report
    dialog.close()


def test_notice_is_shown(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    notice = Notice("turns_dropped", "The oldest {count} messages were left out.", {"count": 2})
    desktop = open_desktop(FakeDoor(notice=notice))
    ask(qtbot, desktop, "Hello")
    assert desktop.window.chat.banners.all()[0].text.text() == "The oldest 2 messages were left out."


def test_language_banner_comes_before_the_answer_and_switches(
    qtbot: QtBot, open_desktop: OpenDesktop
) -> None:
    door = FakeDoor(the_store=FakeStore([fake_pack(), qwen_pack()]), gate=threading.Event())
    desktop = open_desktop(door, wait=False)
    desktop.host.load("smollm2-135m")
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready")
    desktop.window.show_chat()
    desktop.session.send("你好，请介绍一下巴黎。")
    banner = desktop.window.chat.banners.get("language")
    assert banner is not None
    assert answer_shown(desktop) == ""
    assert "Chinese" in banner.text.text()
    assert door.gate is not None
    door.gate.set()
    switch = find(banner, QPushButton, "Answer with Qwen2.5 Coder 1.5B")
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready" and not desktop.session.busy, timeout=5000)
    assert desktop.host.model.pack is not None
    assert desktop.host.model.pack.name == "qwen2.5-coder-1.5b"
    assert desktop.session.messages[-1].model == "Qwen2.5 Coder 1.5B"
    assert len(desktop.session.messages) == 2


def test_language_banner_gets_a_model(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(qtbot, desktop, "你好，请介绍一下巴黎。")
    banner = desktop.window.chat.banners.get("language")
    assert banner is not None
    get = find(banner, QPushButton, "Get Qwen2.5 Coder 1.5B (1.1 GB)")
    qtbot.mouseClick(get, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: desktop.host.model.status == "ready" and desktop.host.model.pack.name == "qwen2.5-coder-1.5b"  # type: ignore[union-attr]
    )
    ready = desktop.window.chat.banners.get("language")
    assert ready is not None
    with qtbot.waitSignal(desktop.session.answer_ended):
        qtbot.mouseClick(find(ready, QPushButton, "Answer again"), Qt.MouseButton.LeftButton)
    assert desktop.session.messages[-1].model == "Qwen2.5 Coder 1.5B"


def test_no_language_banner_for_english(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(qtbot, desktop, "Bonjour, how are you?")
    assert desktop.window.chat.banners.get("language") is None


def test_answer_goes_on_in_another_conversation(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    door = FakeDoor(gate=threading.Event())
    desktop = open_desktop(door)
    desktop.session.send("First")
    first = desktop.session.messages[0].conversation
    desktop.window.new_chat()
    assert desktop.session.busy
    chat = desktop.window.chat
    chat.composer.set_text("Second")
    assert not chat.composer.send_button.isEnabled()
    assert "another conversation" in chat.composer.send_button.toolTip()
    assert door.gate is not None
    door.gate.set()
    qtbot.waitUntil(lambda: not desktop.session.busy)
    assert desktop.session.messages == []
    assert desktop.history.messages(first)[-1].text == door.answer
    assert chat.composer.send_button.isEnabled()


def test_long_conversation_shows_its_end_first(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    conversation = desktop.history.create("long")
    for number in range(100):
        desktop.history.add(conversation.id, "user" if number % 2 == 0 else "assistant", f"message {number}")
    desktop.window.open_conversation(conversation.id)
    view = desktop.window.chat.view
    assert len(view.widgets) == 30
    assert view.widgets[-1].message.text == "message 99"
    qtbot.mouseClick(
        find(desktop.window.chat, QPushButton, "Show earlier messages"), Qt.MouseButton.LeftButton
    )
    assert len(view.widgets) == 60
    assert view.widgets[0].message.text == "message 40"


def test_draft_is_kept_for_each_conversation(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    ask(qtbot, desktop, "Hello")
    first = desktop.session.messages[0].conversation
    composer = desktop.window.chat.composer
    composer.set_text("half a thought")
    desktop.window.new_chat()
    assert composer.text == ""
    composer.set_text("a new beginning")
    desktop.window.open_conversation(first)
    assert composer.text == "half a thought"
    desktop.window.new_chat()
    assert composer.text == "a new beginning"


def test_a_fence_that_comes_in_pieces_gets_its_language(desktop) -> None:
    message = Message(1, 1, "assistant", "```", "streaming", 0.0, "x", "CPU", 0, 0.0)
    view = desktop.window.chat.view
    widget = view.add(message)
    for text in ("```py", "```python\n", "```python\nprint(1)\n```"):
        view.update_last(replace(message, text=text))
    (block,) = widget.blocks
    assert isinstance(block, CodeBlock)
    assert block.language == "python"
    assert find(block, QLabel, "python")
