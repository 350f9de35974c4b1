"""The image pane: a dropped photo and its description, where the model looked, questions, and what can be done with them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.image_items import ImageChoices
from app.panes.image_findings import ShareBar
from engine.errors import EngineError
from tests.fake_images import ANSWER, CAPTION, CHINESE, DETAILED, FakeImages
from tests.fakes import FakeDoor, FakeStore, fake_pack, image_entry, image_pack, qwen_pack
from tests.gui.conftest import OpenDesktop, find
from tests.gui.images import described, door, pane, photo, shown_text, until
from tests.gui.speech import drop

SENTENCE = f"{CAPTION[0].upper()}{CAPTION[1:]}."


def test_dropped_photo_is_described(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    result = pane(desktop).result
    assert desktop.window._section == "images"
    assert shown_text(desktop) == SENTENCE
    assert result.title.accessibleName() == item.title
    assert result.view.image is not None and result.view.image.width() == 320
    assert result.view.accessibleName() == f"Picture: {item.title}"
    assert result.view.accessibleDescription() == SENTENCE
    assert result.sureness.text() == "Sure · 66 %"
    assert fake.images.sizes == [(320, 240)]
    assert pane(desktop).bar.model.text() == "Pollux captioner · CPU"
    findings = result.findings
    assert [view.accessibleName() for view in findings.findChildren(ShareBar)] == ["", "", ""]
    assert findings.text.toPlainText().splitlines() == ["Keep off the grass", "请勿踩踏草坪"]
    names = [child.accessibleName() for child in findings.findChildren(QWidget)]
    assert "golden retriever, 71 %" in names
    assert "Size: 320 × 240 pixels\u00a0\u00a0·  JPEG" in names
    assert "Place: Budapest, Hungary" in names
    assert "green, 46 %, #4f8a3c" in names


def test_words_show_where_the_model_looked(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    described(qtbot, desktop, photo(folder))
    result = pane(desktop).result
    caption, view = result.caption, result.view
    assert view.heat is None
    # With the mouse: over the word, then away from it.
    cursor = caption.textCursor()
    cursor.setPosition(SENTENCE.index("dog") + 1)
    where = caption.cursorRect(cursor).center()
    QTest.mouseMove(caption.viewport(), where + QPoint(1, 0))
    qtbot.waitUntil(lambda: caption.current is not None)
    assert caption.current is not None and caption.current.word == "dog"
    assert view.heat is not None
    QTest.mouseMove(caption.viewport(), QPoint(caption.viewport().width() - 2, where.y()))
    qtbot.waitUntil(lambda: caption.current is None)
    qtbot.waitUntil(lambda: view.heat is None)
    # With the keyboard: from word to word.
    desktop.window.activateWindow()
    caption.setFocus(Qt.FocusReason.TabFocusReason)
    seen = []
    for _ in range(3):
        assert caption.current is not None
        seen.append(caption.current.word)
        qtbot.keyClick(caption, Qt.Key.Key_Right)
    assert seen == CAPTION.split()[:3]
    qtbot.keyClick(caption, Qt.Key.Key_Left)
    assert caption.current is not None and caption.current.word == "dog"
    doubtful = [mark for mark in caption.extraSelections() if mark.cursor.selectedText() == "dog"]  # type: ignore[attr-defined]
    assert doubtful
    desktop.window.escape()
    assert caption.current is None
    qtbot.keyClick(caption, Qt.Key.Key_Right)
    assert caption.current is not None
    result.view.setFocus()
    assert caption.current is None


def test_overlay_is_saved_for_the_word(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = door()
    desktop = open_desktop(fake)
    described(qtbot, desktop, photo(folder))
    result = pane(desktop).result
    result.caption.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(result.caption, Qt.Key.Key_Right)
    target = folder / "where 哪里.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    with qtbot.waitSignal(desktop.images.saved):
        result.save_overlay()
    assert target.read_bytes().startswith(b"\x89PNG")
    assert fake.images.overlays == ["brown"]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target / "no" / "x.png"), ""))
    with qtbot.waitSignal(desktop.images.failed):
        result.save_overlay()
    assert "cannot be written" in pane(desktop).banners.all()[0].text.text()


def test_style_and_language_are_kept_per_picture(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    bar, result = pane(desktop).bar, pane(desktop).result
    bar.style_choice.setCurrentIndex(bar.style_choice.findData("detailed"))
    bar.style_choice.activated.emit(bar.style_choice.currentIndex())
    qtbot.waitUntil(lambda: shown_text(desktop) == DETAILED)
    until(qtbot, item)
    assert (
        result.own.isVisible() and result.own.text == CAPTION
    )  # its words can be asked, those of the text cannot
    assert result.own.has_looks and not result.caption.has_looks
    assert "worded by" in result.origin.text()
    bar.language.setCurrentIndex(bar.language.findData("zh"))
    bar.language.activated.emit(bar.language.currentIndex())
    qtbot.waitUntil(lambda: shown_text(desktop) == CHINESE)
    until(qtbot, item)
    bar.style_choice.setCurrentIndex(bar.style_choice.findData("short"))
    bar.style_choice.activated.emit(bar.style_choice.currentIndex())
    bar.language.setCurrentIndex(bar.language.findData("en"))
    bar.language.activated.emit(bar.language.currentIndex())
    until(qtbot, item)
    asked = len(fake.images.asked)
    assert shown_text(desktop) == SENTENCE
    second = described(qtbot, desktop, photo(folder, "second.png"))
    desktop.images.select(item)
    assert shown_text(desktop) == SENTENCE and second.state == "done"
    assert len(fake.images.asked) == asked + 1  # only the second picture
    desktop.window.close()
    assert open_desktop(door()).images.choices == ImageChoices("short", "en")


def test_english_for_chinese_is_marked_and_mended(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door(FakeImages(knows_chinese=False), qwen_pack())
    desktop = open_desktop(fake, wait=False)
    desktop.host.load("smollm2-135m")
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready")
    desktop.images.choose(ImageChoices("short", "zh"))
    described(qtbot, desktop, photo(folder))
    line = pane(desktop).result.gap
    assert line.isVisible() and "does not know Chinese" in line.text.text()
    fake.images.knows_chinese = True
    qtbot.mouseClick(find(line, QPushButton, "Use Qwen2.5 Coder 1.5B"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shown_text(desktop) == CHINESE)
    assert not line.isVisible()


def test_unsure_is_said(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door(FakeImages(unsure=True, confidence=0.21)))
    item = described(qtbot, desktop, photo(folder))
    sureness = pane(desktop).result.sureness
    assert sureness.text() == "Unsure · 21 %. Read this description with doubt."
    assert sureness.property("role") == "warn"
    index = pane(desktop).strip.rows.index(pane(desktop).strip.rows.row_of(item))
    assert "unsure" in str(index.data(Qt.ItemDataRole.AccessibleTextRole))


def test_question_is_answered_and_marked(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    question = pane(desktop).result.question
    qtbot.keyClicks(question.field, "What colour is the dog?")
    fake.images.gate = threading.Event()
    qtbot.keyClick(question.field, Qt.Key.Key_Return)
    views = pane(desktop).result.answers.views
    assert question.field.text() == "" and len(views) == 1
    qtbot.waitUntil(lambda: views[0].text.text() == "The dog")  # it is read while it is written
    fake.images.gate.set()
    qtbot.waitUntil(lambda: item.answers[0].state == "done")
    assert views[0].text.text() == ANSWER
    assert "did not see the picture" in views[0].note.text()
    assert ANSWER in views[0].accessibleName()
    fake.images.sees = True
    question.field.setText("And now?")
    qtbot.mouseClick(question.send, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(item.answers) == 2 and item.answers[1].state == "done")
    assert "did not see" not in views[-1].note.text()
    fake.images.question_error = EngineError("No model here can answer.", "Get one.")
    desktop.images.ask(item, "Why?")
    qtbot.waitUntil(lambda: item.answers[2].state == "failed")
    assert pane(desktop).result.answers.views[2].text.text() == "No model here can answer. Get one."
    assert shown_text(desktop) == SENTENCE


def test_stop_and_describe_again(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door(FakeImages(gate=threading.Event()))
    desktop = open_desktop(fake)
    drop(desktop, photo(folder))
    (item,) = desktop.images.items
    until(qtbot, item, "running")
    qtbot.waitUntil(lambda: shown_text(desktop) == "A brown dog")
    result = pane(desktop).result
    qtbot.mouseClick(find(result, QPushButton, "Stop"), Qt.MouseButton.LeftButton)
    until(qtbot, item, "stopped")
    assert not item.results
    assert not result.send.isEnabled() and result.send.toolTip() == "There is no description yet."
    assert fake.images.gate is not None
    fake.images.gate.set()
    qtbot.mouseClick(find(result, QPushButton, "Describe"), Qt.MouseButton.LeftButton)
    until(qtbot, item)
    assert shown_text(desktop) == SENTENCE
    assert result.send.isEnabled()


def test_another_picture_waits_and_a_removed_one_is_dropped(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door(FakeImages(gate=threading.Event()))
    desktop = open_desktop(fake)
    drop(desktop, photo(folder, "one.jpg"))
    (one,) = desktop.images.items
    until(qtbot, one, "running")
    drop(desktop, photo(folder, "two.png", (64, 64)))
    two = desktop.images.items[1]
    until(qtbot, two, "waiting")
    assert desktop.images.selected is two
    strip = pane(desktop).strip
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert desktop.images.selected is one
    qtbot.keyClick(strip, Qt.Key.Key_Delete)
    assert desktop.images.items == [two] and desktop.images.selected is two
    assert fake.images.gate is not None
    fake.images.gate.set()
    until(qtbot, two)
    assert not one.results
    qtbot.keyClick(strip, Qt.Key.Key_Delete)
    assert desktop.images.items == [] and pane(desktop).empty.isVisible()


def test_send_to_chat_quotes_what_is_known(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    described(qtbot, desktop, photo(folder))
    qtbot.mouseClick(find(pane(desktop).result, QPushButton, "Send to chat"), Qt.MouseButton.LeftButton)
    draft = desktop.window.chat.composer.text
    assert desktop.window._section == "chat"
    for part in (
        "photo 照片.jpg:",
        SENTENCE,
        "golden retriever (71 %)",
        "Keep off the grass",
        "Budapest",
        "320 x 240",
    ):
        assert part in draft
    assert desktop.session.messages == []


def test_copy(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    described(qtbot, desktop, photo(folder))
    pane(desktop).result.copy_text()
    assert QGuiApplication.clipboard().text() == SENTENCE
    pane(desktop).result.copy_alt()
    assert SENTENCE[:20] in QGuiApplication.clipboard().text()
    assert len(QGuiApplication.clipboard().text()) <= 125


def test_pasted_pictures(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    desktop = open_desktop(fake)
    desktop.window.show_images()
    image = QImage(500, 300, QImage.Format.Format_ARGB32)
    image.fill(QColor(200, 30, 30, 128))
    QGuiApplication.clipboard().setImage(image)
    qtbot.keyClick(pane(desktop), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    (item,) = desktop.images.items
    until(qtbot, item)
    assert (item.path, item.title, fake.images.sizes) == (None, "Pasted picture", [(500, 300)])
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(photo(folder)))])
    QGuiApplication.clipboard().setMimeData(data)
    pane(desktop).paste()
    until(qtbot, desktop.images.items[1])
    assert desktop.images.items[1].path == folder / "photo 照片.jpg"
    QGuiApplication.clipboard().setText("no picture")
    pane(desktop).paste()
    assert len(desktop.images.items) == 2
    assert "no picture in the clipboard" in pane(desktop).banners.all()[0].text.text()


def test_a_picture_that_a_browser_drags(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop(door())
    image = QImage(90, 60, QImage.Format.Format_RGB32)
    image.fill(QColor("blue"))
    data = QMimeData()
    data.setImageData(image)
    data.setUrls([QUrl("https://example.org/blue.png")])  # never fetched
    event = QDropEvent(
        QPointF(10, 10),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    desktop.window.dropEvent(event)
    until(qtbot, desktop.images.items[0])
    assert desktop.images.items[0].title == "Dropped picture"


def test_no_model_is_offered_and_the_picture_waits(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = FakeDoor(the_store=FakeStore([fake_pack()]), entries=(image_entry(),))
    desktop = open_desktop(fake)
    desktop.window.show_images()
    assert find(pane(desktop).empty, QPushButton, "Get Pollux captioner").isEnabled()
    drop(desktop, photo(folder))
    (item,) = desktop.images.items
    qtbot.waitUntil(lambda: pane(desktop).result.view.image is not None)  # it can be looked at meanwhile
    assert pane(desktop).result.note.text() == "Waits for an image model"
    assert not pane(desktop).result.question.field.isEnabled()
    fake.the_store.packs.append(image_pack())
    desktop.host.refresh()
    until(qtbot, item)
    assert shown_text(desktop) == SENTENCE


def test_pictures_survive_another_theme(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    described(qtbot, desktop, photo(folder))
    before = desktop.window.images
    desktop.settings.change(theme="dark")
    qtbot.waitUntil(lambda: desktop.window.images is not before)
    assert shown_text(desktop) == SENTENCE
    assert pane(desktop).strip.rows.rowCount() == 1
    assert pane(desktop).result.view.image is not None


def test_picture_is_zoomed_with_the_keyboard(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    described(qtbot, desktop, photo(folder))
    view = pane(desktop).result.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.zoom > 1
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.zoom == 1
