"""What the tests of the table of pictures share: an engine that says the name of each picture, and the page alone.

In: what the engine is told. Out: a page on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.host import Host
from app.image_batch_items import BatchItem
from app.image_batch_session import ImageBatchSession
from app.image_items import ImageChoices
from app.image_session import ImageSession
from app.panes.image_batch import ImageBatch
from app.settings import SettingsStore
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import TextChunk
from tests.fakes import FakeDoor, FakeModel, FakeStore, fake_pack
from tests.unit.engine.tasks.pictures import described


def image_pack(**changes: Any) -> Any:
    """An image model."""
    return fake_pack("captioner", **({"kind": "image", "display_name": "Pollux captioner"} | changes))


@dataclass
class BatchDoor(FakeDoor):
    """Describes files. ``gate`` holds it before ``held``; a name with "broken" in it is refused, with "blurred" doubted."""

    the_store: FakeStore = field(default_factory=lambda: FakeStore([image_pack()]))
    held: str = ""
    seen: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    thumbnails: list[str] = field(default_factory=list)
    bug: Exception | None = None

    def open_image(self, pack: Any, device: str, threads: int) -> Any:
        if self.open_error is not None:
            raise self.open_error
        self.opened.append(FakeModel(pack))
        return self.opened[-1]

    def thumbnail_jpeg(self, path: Path, side_px: int) -> bytes:
        self.thumbnails.append(path.name)
        if "broken" in path.name:
            raise EngineError("{file} is no picture.", file=path.name)
        buffer = BytesIO()
        with Image.open(path) as image:
            image.convert("RGB").resize((side_px, side_px)).save(buffer, "JPEG")
        return buffer.getvalue()

    def describe_path(
        self, model: Any, path: Path, choices: ImageChoices, cancel: Cancel, chat: Any
    ) -> Iterator[object]:
        if self.gate is not None and self.held in path.name:
            while not self.gate.wait(0.005) and not cancel.is_set:
                pass
        self.seen.append(path.name)
        self.styles.append(choices.style)
        if self.bug is not None:
            raise self.bug
        if "broken" in path.name:
            raise EngineError("{file} is no picture.", "Get another.", file=path.name)
        made = described(
            f"a picture of {path.stem}", model=model.pack.name, style=choices.style, language=choices.language
        )
        if "blurred" in path.name:
            made = replace(made, unsure=True, confidence=0.2)
        yield TextChunk("a ")
        yield replace(made, reason="cancelled") if cancel.is_set else made


@dataclass
class Opened:
    """A page with what is behind it."""

    door: BatchDoor
    host: Host
    settings: SettingsStore
    pictures: ImageSession
    session: ImageBatchSession
    page: ImageBatch
    said: list[str] = field(default_factory=list)
    crashes: list[Exception] = field(default_factory=list)

    def item(self, name: str) -> BatchItem:
        """The row of a file."""
        return next(item for item in self.session.items if item.path.name == name)

    def rows(self, column: int) -> list[str]:
        """What a column shows, in the order on the screen."""
        order = self.page.table.order
        return [str(order.index(row, column).data() or "") for row in range(order.rowCount())]

    def until_done(self, qtbot: QtBot) -> None:
        """Wait until nothing is left."""
        qtbot.waitUntil(
            lambda: (
                bool(self.session.items)
                and not self.session.busy
                and not self.session.looking
                and all(item.state in ("done", "failed") for item in self.session.items)
            ),
            timeout=20_000,
        )

    def close(self) -> None:
        """End it as the app does."""
        self.session.close()
        self.pictures.close()
        self.host.close()


def opened(qtbot: QtBot, folder: Path, door: BatchDoor | None = None) -> Opened:
    """A page on a fake engine."""
    door = door or BatchDoor()
    settings = SettingsStore(folder / "settings.json")
    settings.change(language="en")
    host = Host(settings, door)
    host.refresh()
    pictures = ImageSession(host, settings)
    session = ImageBatchSession(host, pictures)
    page = ImageBatch(host, session)
    qtbot.addWidget(page)
    made = Opened(door, host, settings, pictures, session, page)
    page.said.connect(made.said.append)
    session.crashed.connect(made.crashes.append)
    page.resize(1000, 640)
    page.show()
    return made


def photos(folder: Path, *names: str) -> list[Path]:
    """Small pictures; what is "broken" is none."""
    paths = [folder / name for name in names]
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if "broken" in path.name:
            path.write_bytes(b"no picture")
        else:
            Image.new("RGB", (40, 30), (40 * number % 255, 120, 200)).save(path)
    return paths


def press(page: ImageBatch, name: str) -> QPushButton:
    """Press the visible button of this name."""
    for made in page.window().findChildren(QPushButton):
        if not made.isHidden() and name in (made.text().strip(), made.accessibleName()):
            made.click()
            return made
    raise AssertionError(f"no button {name!r}")
