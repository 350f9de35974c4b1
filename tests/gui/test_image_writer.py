"""Which chat model words what pictures show: the best one for it, opened beside the chat's where that is another one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.engine_door import EngineDoor, _ImageModel
from app.gui import Desktop
from app.image_items import ImageChoices
from engine.errors import EngineError
from engine.store import Store
from tests.fake_images import DETAILED, FakeImages
from tests.fakes import FakeDoor, FakeModel, FakeStore, fake_pack, qwen_pack
from tests.gui.conftest import READY_MS, OpenDesktop
from tests.gui.images import described, door, pane, photo, until
from tests.gui.speech import drop
from tests.unit.engine.tasks.fake_image_model import FakeImageModel, FakeReader

IN_DETAIL = ImageChoices("detailed", "en")


def with_small_chat(qtbot: QtBot, open_desktop: OpenDesktop, fake: FakeDoor) -> Desktop:
    desktop = open_desktop(fake, wait=False)
    desktop.host.load("smollm2-135m")
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready", timeout=READY_MS)
    fake.opened = opened(fake, "smollm2-135m")  # the larger one may have been opened first, as the app begins
    return desktop


def opened(fake: FakeDoor, name: str) -> list[FakeModel]:
    return [model for model in fake.opened if model.pack.name == name]


def test_the_best_model_writes_is_named_and_is_freed_again(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    big = qwen_pack()
    fake = door(FakeImages(writer=big), big)
    desktop = with_small_chat(qtbot, open_desktop, fake)
    desktop.host.images._writer_idle.setInterval(60_000)
    desktop.images.choose(IN_DETAIL)
    item = described(qtbot, desktop, photo(folder))
    assert "worded by Qwen2.5 Coder 1.5B" in pane(desktop).result.origin.text()
    (writer,) = opened(fake, big.name)
    assert fake.images.chats == [writer] and not writer.closed
    # The next one finds it open.
    described(qtbot, desktop, photo(folder, "two.jpg"))
    desktop.images.select(item)
    answer = desktop.images.ask(item, "What is it?")
    qtbot.waitUntil(lambda: answer.state == "done", timeout=READY_MS)
    assert opened(fake, big.name) == [writer] and fake.images.chats == [writer] * 3
    note = pane(desktop).result.answers.views[-1].note.text()
    assert note == "Qwen2.5 Coder 1.5B answered from the findings only; it did not see the picture."
    assert desktop.host.model.pack is not None and desktop.host.model.pack.name == "smollm2-135m"
    # Nothing asks for it any more.
    desktop.host.images._writer_idle.start(1)
    qtbot.waitUntil(lambda: writer.closed, timeout=READY_MS)
    qtbot.waitUntil(lambda: not desktop.host.jobs.busy, timeout=READY_MS)
    assert desktop.host.images.state.status == "ready" and not opened(fake, "smollm2-135m")[0].closed
    desktop.images.want(item, again=True)
    until(qtbot, item)
    assert len(opened(fake, big.name)) == 2


def test_the_loaded_model_is_used_where_it_is_the_best(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    big = qwen_pack()
    fake = door(FakeImages(writer=big), big)
    desktop = with_small_chat(qtbot, open_desktop, fake)
    desktop.images.choose(IN_DETAIL)
    item = described(qtbot, desktop, photo(folder))
    (writer,) = opened(fake, big.name)
    # Another model for the chat: the two that were open are freed before it is opened.
    desktop.host.load(big.name)
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready", timeout=READY_MS)
    assert writer.closed and all(model.closed for model in opened(fake, "smollm2-135m"))
    (_, loaded) = opened(fake, big.name)
    desktop.images.want(item, again=True)
    until(qtbot, item)
    assert fake.images.chats[-1] is loaded and len(opened(fake, big.name)) == 2


def test_a_table_opens_it_once(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    big = qwen_pack()
    fake = door(FakeImages(writer=big), big)
    desktop = with_small_chat(qtbot, open_desktop, fake)
    desktop.images.choose(IN_DETAIL)
    drop(desktop, *(photo(folder, f"{number}.png") for number in range(3)))
    qtbot.waitUntil(lambda: [item.state for item in desktop.batch.items] == ["done"] * 3, timeout=READY_MS)
    assert len(opened(fake, big.name)) == 1 and len(fake.images.chats) == 3
    desktop.host.unload()
    qtbot.waitUntil(lambda: not desktop.host.jobs.busy, timeout=READY_MS)
    assert all(model.closed for model in fake.opened)


def test_what_cannot_be_opened_is_said_and_the_chat_model_writes(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    big = qwen_pack()
    fake = door(FakeImages(writer=big), big)
    desktop = with_small_chat(qtbot, open_desktop, fake)
    fake.open_error = EngineError("{model} needs more memory than is free.", "Close others.", model="Qwen")
    open_image = fake.open_image
    fake.open_image = lambda pack, *_: FakeModel(pack)  # type: ignore[method-assign]
    desktop.images.choose(IN_DETAIL)
    item = described(qtbot, desktop, photo(folder))
    assert item.results[IN_DETAIL].text == DETAILED
    assert fake.images.chats[0].pack.name == "smollm2-135m"
    assert pane(desktop).banners.all()[0].text.text() == "Qwen needs more memory than is free."
    fake.open_image = open_image  # type: ignore[method-assign]


def test_without_any_model_a_question_says_why(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    big = qwen_pack()
    fake = door(FakeImages(writer=big), big)
    desktop = with_small_chat(qtbot, open_desktop, fake)
    item = described(qtbot, desktop, photo(folder))
    desktop.host.unload()
    qtbot.waitUntil(lambda: not desktop.host.jobs.busy, timeout=READY_MS)
    fake.open_image = lambda pack, *_: FakeModel(pack)  # type: ignore[method-assign]
    fake.open_error = EngineError("No memory.", "Close others.")
    answer = desktop.images.ask(item, "What is it?")
    qtbot.waitUntil(lambda: answer.state == "failed", timeout=READY_MS)
    assert answer.error is fake.open_error
    assert desktop.host.model.status == "none"


def test_a_model_that_reads_a_large_picture_says_how_far_it_is(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door(FakeImages(sees=True))
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, photo(folder))
    fake.images.gate, fake.images.answer = (
        threading.Event(),
        "5",
    )  # one piece: nothing is said before the gate
    answer = desktop.images.ask(item, "How many dogs?")
    qtbot.waitUntil(lambda: answer.total_steps == 17, timeout=READY_MS)
    qtbot.waitUntil(
        lambda: pane(desktop).result.answers.views[0].text.text() == "Thinks… 3 / 17", timeout=READY_MS
    )
    fake.images.gate.set()
    qtbot.waitUntil(lambda: answer.state == "done", timeout=READY_MS)
    assert pane(desktop).result.answers.views[0].text.text() == "5"


class OnePackStore(FakeStore):
    best: Any = Store.best


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (ImageChoices(), None),
        (ImageChoices("detailed"), "qwen2.5-coder-1.5b"),
        (ImageChoices("short", "zh"), "qwen2.5-coder-1.5b"),
        (ImageChoices(question="What is it?"), "qwen2.5-coder-1.5b"),
    ],
)
def test_the_door_asks_the_engine_which_is_best(
    choices: ImageChoices, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = EngineDoor()
    monkeypatch.setattr(real, "store", lambda: OnePackStore([fake_pack(), qwen_pack(memory_bytes=1)]))
    model: Any = _ImageModel(FakeImageModel(), FakeReader())  # type: ignore[arg-type]
    pack = real.chat_pack(model, choices)
    assert (pack.name if pack is not None else None) == expected
