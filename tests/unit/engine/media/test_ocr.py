"""Text in pictures that are drawn here: both languages, turned, aslant, small, and nothing where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from engine import folders
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.ocr import DETECTOR_NAME, RECOGNIZER_NAME, TextReader, join_lines
from engine.results import TextLine

ENGLISH = ("The library opens at 9:30", "from Monday to Friday.")
CHINESE_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
POEM = ("床前明月光", "疑是地上霜", "举头望明月", "低头思故乡")


@pytest.fixture(scope="module")
def reader() -> Iterator[TextReader]:
    with TextReader.open() as opened:
        yield opened


def page(lines: tuple[str, ...], size_px: int, ink: int = 0, paper: int = 255, font: str = "") -> Image.Image:
    """Lines below one another; Pillow's own font where none is named."""
    face = ImageFont.truetype(font, size_px) if font else ImageFont.load_default(size_px)
    width = round(max(face.getlength(line) for line in lines)) + 2 * size_px
    image = Image.new("RGB", (width, len(lines) * size_px * 3 // 2 + 2 * size_px), (paper,) * 3)
    drawing = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        drawing.text((size_px, size_px + row * size_px * 3 // 2), line, font=face, fill=(ink,) * 3)
    return image


def chinese_font() -> str:
    found = next((font for font in CHINESE_FONTS if Path(font).exists()), None)
    if found is None:
        pytest.skip("no Chinese font here")
    return found


def texts(reader: TextReader, image: Image.Image) -> tuple[str, ...]:
    return tuple(line.text for line in reader.read(np.asarray(image)))


def test_english_is_read_in_order(reader: TextReader) -> None:
    lines = reader.read(np.asarray(page(ENGLISH, 24)))
    assert tuple(line.text for line in lines) == ENGLISH
    assert join_lines(lines) == " ".join(ENGLISH)
    for line, middle in zip(lines, (0.35, 0.65), strict=True):
        left, top, right, bottom = line.box
        assert 0 <= left < 0.15 and 0.7 < right <= 1
        assert 0 <= top < middle < bottom <= 1
        assert 0.9 < line.confidence <= 1


@pytest.mark.parametrize(("ink", "paper", "size_px"), [(0, 255, 12), (240, 20, 30), (165, 200, 24)])
def test_small_white_on_black_and_pale(reader: TextReader, ink: int, paper: int, size_px: int) -> None:
    assert texts(reader, page(ENGLISH, size_px, ink, paper)) == ENGLISH


@pytest.mark.parametrize("angle", [90, 180, 270, 8, -12])
def test_turned_and_aslant(reader: TextReader, angle: int) -> None:
    image = page(ENGLISH, 28).rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=(255, 255, 255))
    assert texts(reader, image) == ENGLISH


def test_chinese_in_rows(reader: TextReader) -> None:
    lines = ("今天下午三点开会，", "请带上你的笔记本。")
    found = reader.read(np.asarray(page(lines, 28, font=chinese_font())))
    assert join_lines(found).replace(",", "，") == "".join(lines)


def test_chinese_in_columns_begins_at_the_right(reader: TextReader) -> None:
    face = ImageFont.truetype(chinese_font(), 40)
    image = Image.new("RGB", (340, 320), "white")
    drawing = ImageDraw.Draw(image)
    for column, line in enumerate(POEM):
        for row, character in enumerate(line):
            drawing.text((260 - column * 64, 40 + row * 46), character, font=face, fill="black")
    assert join_lines(reader.read(np.asarray(image))) == "".join(POEM)


def test_a_small_line_in_a_large_window_is_found(reader: TextReader) -> None:
    image = Image.new("RGB", (1920, 1080), "white")
    ImageDraw.Draw(image).text(
        (900, 700), "Save changes before closing?", font=ImageFont.load_default(15), fill="black"
    )
    assert texts(reader, image) == ("Save changes before closing?",)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 3000), (3000, 1), (20_000, 12), (12, 20_000)])
def test_any_size_is_taken(reader: TextReader, size: tuple[int, int]) -> None:
    assert reader.read(np.full((*size, 3), 200, np.uint8)) == ()


def test_nothing_where_nothing_is_written(reader: TextReader) -> None:
    rng = np.random.default_rng(3)
    assert reader.read(rng.integers(0, 256, (300, 400, 3)).astype(np.uint8)) == ()
    y, x = np.mgrid[0:300, 0:400]
    waves = (127 + 100 * np.sin(x / 17) * np.cos(y / 23)).astype(np.uint8)
    assert reader.read(np.stack((waves, waves[::-1], 255 - waves), axis=2)) == ()


def test_the_same_picture_gives_the_same(reader: TextReader) -> None:
    pixels = np.asarray(page(ENGLISH, 20))
    assert reader.read(pixels) == reader.read(pixels)
    pixels.flags.writeable = False
    assert reader.read(pixels[::-1, ::-1]) != ()  # no contiguous memory, upside down


def test_cancelled_it_gives_what_it_has(reader: TextReader) -> None:
    cancel = Cancel()
    cancel.set()
    assert reader.read(np.asarray(page(ENGLISH, 24)), cancel) == ()


def test_a_missing_or_damaged_model_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "resources_folder", lambda: tmp_path / "测试 ü")
    with pytest.raises(EngineError, match="missing or damaged"):
        TextReader.open()
    (tmp_path / "测试 ü" / "ocr").mkdir(parents=True)
    for name in (DETECTOR_NAME, RECOGNIZER_NAME):
        (tmp_path / "测试 ü" / "ocr" / name).write_bytes(b"no model")
    with pytest.raises(EngineError, match="missing or damaged"):
        TextReader.open()


def test_joining() -> None:
    def line(text: str) -> TextLine:
        return TextLine(text, 1.0, (0, 0, 1, 1))

    assert join_lines(map(line, ("Exit", "only"))) == "Exit only"
    assert join_lines(map(line, ("小心", "地滑。", "请慢走"))) == "小心地滑。请慢走"
    assert join_lines(map(line, ("出口", "Exit", "出口"))) == "出口 Exit 出口"
    assert join_lines(()) == ""
