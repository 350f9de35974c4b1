"""What the tests of the image pane share: picture files, drops, and what the pane shows.

In: an open app. Out: helpers.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw
from pytestqt.qtbot import QtBot

from app.gui import Desktop
from app.image_items import ImageItem
from app.panes.image import ImagePane
from tests.fake_images import FakeImages
from tests.fakes import FakeDoor, FakeStore, fake_pack, image_pack, speech_pack
from tests.gui.speech import drop


def door(images: FakeImages | None = None, *more: object) -> FakeDoor:
    packs = [fake_pack(), speech_pack(), image_pack(), *more]
    return FakeDoor(the_store=FakeStore(packs), images=images or FakeImages())  # type: ignore[arg-type]


def photo(folder: Path, name: str = "photo 照片.jpg", size: tuple[int, int] = (320, 240)) -> Path:
    """A picture file as its ending says: a meadow with something brown on it."""
    made = Image.new("RGB", size, (120, 180, 240))
    draw = ImageDraw.Draw(made)
    draw.rectangle((0, size[1] // 2, size[0], size[1]), fill=(70, 140, 60))
    draw.ellipse((size[0] // 3, size[1] // 2, size[0] // 2, size[1] * 3 // 4), fill=(130, 90, 50))
    path = folder / name
    made.save(path)
    return path


def pane(desktop: Desktop) -> ImagePane:
    return desktop.window.images


def until(qtbot: QtBot, item: ImageItem, state: str = "done") -> None:
    qtbot.waitUntil(lambda: item.state == state)


def described(qtbot: QtBot, desktop: Desktop, path: Path) -> ImageItem:
    drop(desktop, path)
    item = next(item for item in desktop.images.items if item.path == path)
    until(qtbot, item)
    return item


def shown_text(desktop: Desktop) -> str:
    return pane(desktop).result.caption.text
