"""Pictures of the image pane in every state, for :mod:`tests.screenshots`.

In: an open app on an engine that sees what it is told; a folder of photos, or drawings made here. Out: PNG files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from app.image_items import ImageChoices
from engine.errors import EngineError
from tests.fake_images import FakeImages
from tests.fakes import FakeDoor, fake_pack, image_entry, image_pack, speech_pack

if TYPE_CHECKING:
    from app.gui import Desktop
    from app.image_items import ImageItem

Grab = Callable[[str], None]


def meadow(path: Path, size: tuple[int, int], turn: int = 0) -> Path:
    """A meadow with a dog of sorts and a sign, seen from a little further left each turn."""
    width, height = size
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    for y in range(height // 2):
        share = 2 * y / height
        draw.line((0, y, width, y), (int(90 + 110 * share), int(150 + 70 * share), int(225 + 15 * share)))
    for y in range(height // 2, height):
        share = 2 * y / height - 1
        draw.line((0, y, width, y), (int(96 - 40 * share), int(160 - 60 * share), int(70 - 30 * share)))
    x = (width // 6 + turn * width // 7) % (width - width // 3)
    body = (x, height * 11 // 20, x + width // 4, height * 14 // 20)
    draw.ellipse(body, fill=(140, 92, 52))
    draw.ellipse(
        (body[2] - width // 20, body[1] - height // 14, body[2] + width // 16, body[1] + height // 14),
        fill=(150, 100, 58),
    )
    for leg in range(4):
        left = body[0] + width // 40 + leg * width // 17
        draw.rectangle(
            (left, body[3] - height // 30, left + width // 60, body[3] + height // 10), fill=(120, 78, 44)
        )
    draw.rectangle(
        (width * 62 // 100, height * 12 // 100, width * 90 // 100, height * 28 // 100), fill=(245, 240, 220)
    )
    draw.rectangle(
        (width * 75 // 100, height * 28 // 100, width * 77 // 100, height * 62 // 100), fill=(110, 80, 60)
    )
    image.filter(ImageFilter.GaussianBlur(1.2)).save(path, quality=90)
    return path


class ImagePictures:
    """Brings the pane into one state after the other."""

    def __init__(
        self, desktop: Desktop, door: FakeDoor, settle: Callable[[int], None], photos: Path | None
    ) -> None:
        self._desktop, self._door, self._settle = desktop, door, settle
        self._photos = sorted(photos.iterdir())[:12] if photos is not None else []

    def _until(self, done: Callable[[], bool]) -> None:
        for _ in range(600):
            if done():
                return
            self._settle(20)
        raise TimeoutError("the pane did not come into its state")

    def _clear(self) -> None:
        for item in tuple(self._desktop.images.items):
            self._desktop.images.remove(item)
        self._desktop.batch.clear()
        self._desktop.window.images.banners.clear()
        self._desktop.images.in_table = False
        self._until(lambda: not self._desktop.host.jobs.busy)

    def _pictures(self, folder: Path) -> list[Path]:
        if self._photos:
            return self._photos
        media = folder / "media" / "photos 照片"
        media.mkdir(parents=True, exist_ok=True)
        sizes = [(1600, 1200), (900, 1300), (2000, 900), (640, 640), (1200, 800), (320, 240)]
        return [meadow(media / f"IMG_{2040 + n}.jpg", size, n) for n, size in enumerate(sizes)]

    def all(self, folder: Path, end: str, grab: Grab) -> None:
        """Every state in the language and theme of now."""
        desktop, door = self._desktop, self._door
        door.images = FakeImages()
        paths = self._pictures(folder)
        self._clear()
        desktop.settings.change(image_language="", image_style="short")
        door.the_store.packs, entries = [fake_pack()], door.entries
        door.entries = (*entries, *(() if any(e.kind == "image" for e in entries) else (image_entry(),)))
        desktop.host.refresh()
        desktop.window.show_images()
        grab(f"images-no-model-{end}")
        door.the_store.packs = [fake_pack(), speech_pack(), image_pack()]
        desktop.host.refresh()
        grab(f"images-empty-{end}")
        self._one_by_one(paths, end, grab)
        self._video(folder, end, grab)
        self._bad(folder, end, grab)
        self._clear()
        self._table(paths, folder, end, grab)
        self._clear()

    def _one_by_one(self, paths: list[Path], end: str, grab: Grab) -> None:
        desktop, result = self._desktop, self._desktop.window.images.result
        for path in paths[:6]:
            desktop.window.take_files([path])
            item = desktop.images.items[-1]
            self._until(lambda item=item: item.state == "done")
        self._settle(100)
        grab(f"images-described-{end}")
        view = result.caption if result.caption.has_looks else result.own
        view.point_at_word("dog")
        self._settle(400)
        grab(f"images-overlay-{end}")
        view.point_at_nothing()
        self._door.images.unsure, self._door.images.confidence = True, 0.22
        desktop.images.want(desktop.images.items[2], again=True)
        desktop.images.select(desktop.images.items[2])
        self._until(lambda: desktop.images.items[2].state == "done")
        grab(f"images-unsure-{end}")
        self._door.images.unsure, self._door.images.confidence = False, 0.66
        answer = desktop.images.ask(
            desktop.images.items[2], "狗是什么颜色的？" if end.startswith("zh") else "What colour is the dog?"
        )
        self._until(lambda: answer.state == "done")
        bar = result.page.verticalScrollBar()
        self._settle(100)
        bar.setValue(bar.maximum())
        grab(f"images-answer-{end}")
        if end.startswith("zh"):
            self._door.images.knows_chinese = False
        desktop.images.choose(ImageChoices("detailed", desktop.images.choices.language))
        self._until(lambda: desktop.images.items[2].state == "done")
        bar.setValue(0)
        grab(f"images-detailed-{end}")
        self._door.images.knows_chinese = True
        desktop.images.choose(ImageChoices("short", desktop.images.choices.language))

    def _video(self, folder: Path, end: str, grab: Grab) -> None:
        video = folder / "media" / "walk 散步.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        video.write_bytes(b"film")
        self._desktop.images.add_files([video])
        item = self._desktop.images.items[-1]
        self._until(lambda: item.state == "done")
        self._desktop.images.show_frame(item, 1)
        grab(f"images-video-{end}")

    def _bad(self, folder: Path, end: str, grab: Grab) -> None:
        desktop = self._desktop
        bad = folder / "media" / "broken.jpg"
        bad.write_bytes(b"no picture")
        desktop.images.add_files([bad])
        self._until(lambda: desktop.images.items[-1].state == "failed")
        grab(f"images-bad-{end}")
        desktop.window.images.banners.clear()
        gate = self._door.images.gate = threading.Event()
        item: ImageItem = desktop.images.items[0]
        desktop.images.select(item)
        desktop.images.want(item, again=True)
        self._until(lambda: item.state == "running" and bool(item.writing))
        item.results.clear()
        desktop.images.item_changed.emit(item)
        grab(f"images-running-{end}")
        gate.set()
        self._until(lambda: item.state == "done")
        self._door.images.gate = None

    def _table(self, paths: list[Path], folder: Path, end: str, grab: Grab) -> None:
        desktop = self._desktop
        self._door.images.errors = {
            paths[3].name: EngineError(
                "{file} is damaged.", "Copy it again from where it came.", file=paths[3].name
            )
        }
        desktop.window.take_files(paths)
        self._until(
            lambda: bool(desktop.batch.items) and not desktop.batch.busy and not desktop.host.jobs.busy
        )
        grab(f"images-table-{end}")
        self._door.images.errors = {}
