"""Questions about a picture are a conversation: what was asked and answered before goes along."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.image_items import Answer, ImageChoices, ImageItem
from engine.errors import EngineError
from engine.tasks.describe_journal import PictureJournal
from engine.tasks.describe_options import Asked
from tests.fake_images import ANSWER, FakeImages
from tests.gui.conftest import OpenDesktop
from tests.gui.images import described, door, pane, photo, until


def ended(qtbot: QtBot, answer: Answer, state: str = "done") -> None:
    qtbot.waitUntil(lambda: answer.state == state)


def last(item: ImageItem) -> Answer:
    return item.answers[-1]


def test_the_second_question_carries_the_first(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    field = pane(desktop).result.question.field
    # Asked while the first is not answered yet.
    fake.images.gate = threading.Event()
    for question in ("What colour is it?", "And how old?"):
        field.setText(question)
        qtbot.keyClick(field, Qt.Key.Key_Return)
    fake.images.gate.set()
    ended(qtbot, last(item))
    asked = fake.images.asked
    first = Asked("What colour is it?", ANSWER)
    assert [(each.question, each.earlier) for each in asked[-2:]] == [
        ("What colour is it?", ()),
        ("And how old?", (first,)),
    ]
    # A new description knows nothing of it, and ends nothing.
    desktop.images.want(item, again=True)
    until(qtbot, item)
    assert (asked[-1].question, asked[-1].earlier) == ("", ()) and list(item.results) == [asked[-1]]
    ended(qtbot, desktop.images.ask(item, "Why?"))
    assert asked[-1].earlier == (first, Asked("And how old?", ANSWER))
    # Another picture is another conversation.
    other = described(qtbot, desktop, photo(folder, "two.png", (64, 64)))
    ended(qtbot, desktop.images.ask(other, "Why?"))
    assert asked[-1].earlier == ()


def test_what_was_not_answered_does_not_go_along(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    fake.images.gate = threading.Event()
    stopped = desktop.images.ask(item, "One?")
    qtbot.waitUntil(lambda: bool(stopped.text))
    desktop.images.stop(item)
    ended(qtbot, stopped, "stopped")
    assert stopped.text  # a part of it was there
    fake.images.gate = None
    fake.images.question_error = EngineError("No model here can answer.", "Get one.")
    ended(qtbot, desktop.images.ask(item, "Two?"), "failed")
    fake.images.question_error = None
    ended(qtbot, desktop.images.ask(item, "Three?"))
    assert fake.images.asked[-1].earlier == ()
    ended(qtbot, desktop.images.ask(item, "Four?"))
    assert fake.images.asked[-1].earlier == (Asked("Three?", ANSWER),)


def test_what_was_asked_is_no_matter_of_the_journal(folder: Path) -> None:
    plain, later = ImageChoices(), ImageChoices(earlier=(Asked("Three?", ANSWER),))
    assert PictureJournal(folder, "m", plain).path == PictureJournal(folder, "m", later).path


def test_an_answer_put_into_chinese_was_still_given_by_who_sees() -> None:
    told = FakeImages().described(ImageChoices(language="zh", question="Three?"))
    assert Answer("Three?", described=told).from_findings
    assert not Answer("Three?", described=replace(told, caption="")).from_findings
