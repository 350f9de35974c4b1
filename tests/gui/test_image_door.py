"""The image pane on the engine itself, with a tiny vision-language model of random weights: what it says is nonsense."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from pytestqt.qtbot import QtBot

from app.engine_door import EngineDoor
from app.gui import Desktop
from engine.catalogue import Catalogue
from engine.packs import read_pack
from engine.store import Store
from tests.fakes import FakeStore
from tests.gui.conftest import OpenDesktop
from tests.gui.images import pane, photo
from tests.gui.speech import drop

TINY = Path(__file__).parents[1] / "unit" / "engine" / "runtime" / "data" / "tiny_vision_pack"
WAIT_MS = 60_000


class TinyDoor(EngineDoor):
    """The real engine on one tiny pack."""

    def store(self) -> Store:
        return cast(Store, FakeStore([read_pack(TINY)]))

    def catalogue(self) -> Catalogue:
        return Catalogue(())

    def check_builder(self) -> None:
        pass


def open_tiny(open_desktop: OpenDesktop) -> Desktop:
    return open_desktop(TinyDoor(), wait=False)  # type: ignore[arg-type]


def test_a_photo_and_a_question_go_through_the_engine(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    desktop = open_tiny(open_desktop)
    drop(desktop, photo(folder, size=(96, 72)))
    (item,) = desktop.images.items
    qtbot.waitUntil(lambda: item.state in ("done", "failed"), timeout=WAIT_MS)
    assert item.state == "done", item.error
    described = item.results[desktop.images.choices]
    assert (described.findings.width_px, described.findings.format) == (96, "JPEG")
    assert described.findings.colours
    assert pane(desktop).result.caption.text == described.text
    assert desktop.host.images.state.status == "ready"
    answer = desktop.images.ask(item, "What is in the picture?")
    qtbot.waitUntil(lambda: answer.state in ("done", "failed"), timeout=WAIT_MS)
    assert answer.state == "done", answer.error
    assert not answer.from_findings  # it saw the picture
    desktop.host.unload()
    qtbot.waitUntil(lambda: not desktop.host.jobs.busy)
    assert desktop.host.images.state.status == "none"


def test_a_folder_goes_through_the_engine(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_tiny(open_desktop)
    for name in ("a.png", "b.png"):
        photo(folder, name, (64, 48))
    (folder / "bad.png").write_bytes(b"no picture")
    drop(desktop, folder)
    qtbot.waitUntil(
        lambda: [item.state for item in desktop.batch.items] == ["done", "done", "failed"], timeout=WAIT_MS
    )
    error = desktop.batch.items[2].error
    assert error is not None and "bad.png" in error.message
