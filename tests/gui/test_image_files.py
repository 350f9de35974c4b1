"""What comes into the image pane: SVG, damaged files, folders, videos, the screen."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QColor, QImage, QScreen
from pytestqt.qtbot import QtBot

from app.image_items import ImageItem
from app.screen_grab import ScreenGrab
from app.svg import MAX_SIDE_PX, draw_svg
from engine.errors import EngineError
from tests.gui.conftest import OpenDesktop
from tests.gui.images import described, door, pane, photo, until
from tests.gui.speech import drop

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 20">{inside}</svg>'


def svg(folder: Path, inside: str, name: str = "drawing 图.svg") -> Path:
    path = folder / name
    path.write_text(SVG.format(inside=inside), encoding="utf-8")
    return path


def test_svg_is_drawn_on_white(folder: Path) -> None:
    pixels = draw_svg(svg(folder, '<rect x="0" y="0" width="20" height="20" fill="red"/>'))
    assert pixels.shape == (MAX_SIDE_PX // 2, MAX_SIDE_PX, 3)
    assert tuple(pixels[100, 100]) == (255, 0, 0)
    assert tuple(pixels[100, -100]) == (255, 255, 255)
    packed = folder / "packed.svgz"
    packed.write_bytes(gzip.compress(svg(folder, '<circle cx="20" cy="10" r="10"/>').read_bytes()))
    assert tuple(draw_svg(packed)[256, 512]) == (0, 0, 0)


def test_svg_loads_nothing(folder: Path) -> None:
    red = folder / "red.png"
    Image.new("RGB", (8, 8), (255, 0, 0)).save(red)
    inside = "".join(
        f'<image {key}="{value}" x="0" y="0" width="40" height="20"/>'
        for key in ("href", "xlink:href")
        for value in (red.as_uri(), str(red), red.name)
    )
    assert np.all(draw_svg(svg(folder, inside)) == 255)
    used = '<defs><rect id="r" width="40" height="20" fill="blue"/></defs><use xlink:href="#r"/>'
    assert tuple(draw_svg(svg(folder, used))[5, 5]) == (0, 0, 255)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<svg",
        "<html/>",
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">&a;</svg>',
        SVG.format(
            inside="".join(
                f'<g id="g{n}">' + f'<use xlink:href="#g{n + 1}"/>' * 10 + "</g>" for n in range(9)
            )
            + '<rect id="g9" width="1" height="1"/>'
        ),
        SVG.format(inside='<g id="a"><use xlink:href="#a"/></g>'),
    ],
)
def test_bad_svg_is_one_line(folder: Path, text: str) -> None:
    path = folder / "bad.svg"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EngineError, match=r"^bad\.svg cannot be drawn"):
        draw_svg(path)


def test_svg_is_described(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    desktop = open_desktop(fake)
    item = described(qtbot, desktop, svg(folder, '<rect width="9" height="9"/>'))
    assert fake.images.sizes == [(MAX_SIDE_PX, MAX_SIDE_PX // 2)]
    assert item.thumbnail is not None


@pytest.mark.parametrize(("name", "data"), [("empty.jpg", b""), ("text.png", b"hello"), ("cut.svg", b"<svg")])
def test_bad_file_is_a_banner_and_no_crash(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path, name: str, data: bytes
) -> None:
    desktop = open_desktop(door())
    path = folder / name
    path.write_bytes(data)
    drop(desktop, path)
    (item,) = desktop.images.items
    until(qtbot, item, "failed")
    assert item.error is not None and name in item.error.message
    assert pane(desktop).result.problems.all()[0].text.text() == item.error.message
    assert desktop.crashes.dialog is None
    assert not pane(desktop).result.question.field.isEnabled()
    photo(folder, "good.jpg").replace(path.with_suffix(".jpg"))
    good = described(qtbot, desktop, path.with_suffix(".jpg"))  # the next one goes on as if nothing was
    assert good.results
    assert pane(desktop).result.problems.all() == ()


def test_a_file_that_is_gone(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    desktop.images.add_files([folder / "gone.jpg"])
    until(qtbot, desktop.images.items[0], "failed")
    assert "gone.jpg" in pane(desktop).result.problems.all()[0].text.text()


def test_a_bug_is_no_banner(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    fake = door()
    fake.images.error = ZeroDivisionError()
    desktop = open_desktop(fake)
    drop(desktop, photo(folder))
    until(qtbot, desktop.images.items[0], "failed")
    assert desktop.crashes.dialog is not None
    desktop.crashes.dialog.reject()


def test_many_pictures_go_into_the_table_and_back(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    fake = door()
    desktop = open_desktop(fake)
    below = folder / "more 更多"
    below.mkdir()
    paths = [photo(folder, "a.jpg"), photo(folder, "b.png"), photo(below, "c.webp")]
    drop(desktop, folder)
    assert desktop.window._section == "images"
    qtbot.waitUntil(lambda: [item.state for item in desktop.batch.items] == ["done"] * 3)
    assert pane(desktop).batch.isVisible() and not pane(desktop).strip.isVisible()
    pane(desktop).bar.single.click()
    assert pane(desktop).result.isVisible() and pane(desktop).strip.isVisible()
    assert [item.path for item in desktop.images.items] == paths
    assert pane(desktop).result.caption.text  # at once, from the table
    first = desktop.images.items[0]
    until(qtbot, first)
    assert next(iter(first.results.values())).looks  # and with where it looked a moment later
    assert desktop.images.items[2].state == "described"
    pane(desktop).bar.table.click()
    assert pane(desktop).batch.isVisible()
    pane(desktop).batch.open_wanted.emit(paths[2])
    assert desktop.images.selected is desktop.images.items[2]
    assert pane(desktop).result.isVisible()


def test_a_folder_without_pictures_gets_a_line(open_desktop: OpenDesktop, folder: Path) -> None:
    desktop = open_desktop(door())
    drop(desktop, folder)
    assert desktop.window._section == "home"
    assert "without a model or pictures" in desktop.window.banners.all()[0].text.text()


def test_video_goes_to_speech_and_its_frames_here(
    qtbot: QtBot, open_desktop: OpenDesktop, folder: Path
) -> None:
    desktop = open_desktop(door())
    video = folder / "film 片.mp4"
    video.write_bytes(b"film")
    drop(desktop, video)
    assert desktop.window._section == "speech"
    qtbot.waitUntil(lambda: desktop.speech.items[0].state == "done")
    menu = desktop.window.speech.result.head._menu()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "Describe its key frames").trigger()
    assert desktop.window._section == "images"
    item: ImageItem = desktop.images.items[0]
    until(qtbot, item)
    frames = pane(desktop).result.frames
    assert [frames.list.item(row).text().splitlines()[0] for row in range(3)] == ["0:00", "0:04", "1:01"]
    frames.list.setCurrentRow(2)
    assert pane(desktop).result.caption.text == "Two dogs play with a ball."
    assert pane(desktop).result.view.image is not None
    frames.sound.click()
    assert desktop.window._section == "speech"
    desktop.window.show_images()
    other = folder / "other.mkv"
    other.write_bytes(b"film")
    drop(desktop, other)  # dropped where its pictures are looked at
    assert desktop.window._section == "images" and len(desktop.images.items) == 2


def test_the_screen(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    fake = door()
    desktop = open_desktop(fake)
    desktop.window.show_images()
    hidden: list[bool] = []

    def grab(_screen: QScreen) -> QImage:
        hidden.append(desktop.window.isHidden())
        image = QImage(640, 400, QImage.Format.Format_RGB32)
        image.fill(QColor("green"))
        return image if len(hidden) == 1 else QImage()

    images = pane(desktop)
    images.take_screen()
    assert images._screen is not None
    images._screen._grab = grab
    qtbot.waitUntil(lambda: len(desktop.images.items) == 1)
    until(qtbot, desktop.images.items[0])
    assert hidden == [True] and desktop.window.isVisible()
    assert fake.images.sizes == [(640, 400)]
    with qtbot.waitSignal(images._screen.failed):
        images.take_screen()
    assert "does not let programs see the screen" in images.banners.all()[0].text.text()
    assert isinstance(images._screen, ScreenGrab)
