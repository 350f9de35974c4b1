"""Files that are no pictures, are damaged, or were made to do harm: one clear line each, and bounded memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from engine.errors import EngineError
from engine.media import image_open
from engine.media.image import damage_notice, open_picture, thumbnail_jpeg
from tests.unit.engine.media.test_image import quarters, save

# The engine silences what Pillow warns of; pytest puts filters of its own in place.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "照片 ü"
    inside.mkdir()
    return inside


def problem_of(path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        open_picture(path)
    assert caught.value.hint
    text = str(caught.value)
    assert "\n" not in text
    return text


def noise(width_px: int = 400, height_px: int = 300) -> Image.Image:
    """Something that does not compress, and is nowhere black."""
    return Image.fromarray(
        np.random.default_rng(1).integers(60, 255, (height_px, width_px, 3), dtype=np.uint8)
    )


# Not there, or not a picture


def test_missing_empty_and_folders(folder: Path) -> None:
    assert "does not exist" in problem_of(folder / "none.jpg")
    assert "does not exist" in problem_of(folder / "none" / "none.jpg")
    (folder / "empty.jpg").touch()
    assert "is empty" in problem_of(folder / "empty.jpg")
    assert "is a folder" in problem_of(folder)
    assert "cannot be read" in problem_of(folder / "a\0b.jpg")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")
    assert "is not a file" in problem_of(folder / "pipe.jpg")


def test_no_permission(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(quarters(), folder / "a.png", "PNG")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "no permission" in problem_of(folder / "a.png")


SOMETHING_ELSE = {
    "PDF document": b"%PDF-1.7\n1 0 obj",
    "SVG drawing": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "metafile": b"\xd7\xcd\xc6\x9a\0\0" + b"\0" * 60,
    "JPEG XL": b"\xff\x0a" + b"\x01" * 40,
    "sound or video": b"\0\0\0\x20ftypisom\0\0\2\0" + b"\0" * 60,
    "archive or an office document": b"PK\x03\x04" + b"\0" * 60,
    "is text": "Liebes Tagebuch, 你好".encode(),
    "not a picture, or it is damaged": bytes(range(128, 256)) * 4,
}


@pytest.mark.parametrize("word", SOMETHING_ELSE)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.eps", "photo"])
def test_what_is_not_a_picture_is_named(folder: Path, word: str, name: str) -> None:
    (folder / name).write_bytes(SOMETHING_ELSE[word])
    assert word in problem_of(folder / name)


def test_text_that_is_cut_within_a_character_is_text(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"a" + "你".encode() * 2000)
    assert "is text" in problem_of(folder / "a.jpg")


def test_no_other_program_is_started(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", started)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    (folder / "a.png").write_bytes(eps)
    assert "PostScript" in problem_of(folder / "a.png")
    assert not {"EPS", "WMF", "GRIB", "BUFR", "HDF5", "MPEG"} & set(image_open.FORMATS)


# Damaged


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "PPM", "TGA"])
@pytest.mark.parametrize("part", [0.3, 0.7])
def test_the_part_that_is_there_is_shown(folder: Path, kind: str, part: float) -> None:
    save(noise(), folder / "whole", kind, quality=95)
    whole = open_picture(folder / "whole").pixels.astype(int)
    if kind in ("BMP", "TGA"):  # these begin with the lowest row
        whole = whole[round(300 * (1 - part)) + 2 :]
    data = (folder / "whole").read_bytes()
    (folder / "cut").write_bytes(data[: int(len(data) * part)])
    picture = open_picture(folder / "cut")
    assert "damaged" in picture.damage
    notice = damage_notice("cut", picture)
    assert notice is not None and "cut is damaged" in notice.text
    rows = picture.pixels.shape[0]
    assert 300 * (part - 0.15) < rows < 300 * (part + 0.15)
    assert picture.info.height_px == 300
    there = picture.pixels[-len(whole) :].astype(int)
    assert np.abs(there[: rows - 20] - whole[: rows - 20]).max() < 2


def test_a_progressive_jpeg_that_is_cut_off_is_shown_less_sharp(folder: Path) -> None:
    save(quarters(800, 600), folder / "whole.jpg", "JPEG", progressive=True, quality=95)
    mixed = Image.blend(quarters(800, 600), noise(800, 600), 0.3)
    save(mixed, folder / "whole.jpg", "JPEG", progressive=True, quality=95)
    data = (folder / "whole.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(data[: len(data) // 2])
    picture = open_picture(folder / "cut.jpg")
    assert picture.pixels.shape == (600, 800, 3)
    assert picture.damage
    assert np.abs(picture.pixels.astype(int) - np.array(mixed)).mean() < 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "JPEG2000", "ICO"])
def test_where_nothing_is_there_that_is_said(folder: Path, kind: str) -> None:
    save(noise(), folder / "whole", kind)
    data = (folder / "whole").read_bytes()
    for length in (1, 9, 30, 60):
        (folder / "cut").write_bytes(data[:length])
        problem_of(folder / "cut")


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "JPEG2000", "BMP", "PCX", "ICO", "SGI"]
)
def test_changed_bytes_never_break_it(folder: Path, kind: str) -> None:
    """Either a picture or one clear line, whatever the bytes."""
    save(noise(60, 40), folder / "whole", kind)
    data = (folder / "whole").read_bytes()
    chance = np.random.default_rng(7)
    for _ in range(25):
        changed = bytearray(data)
        for place in chance.integers(0, min(len(data), 400), 4):
            changed[place] = chance.integers(0, 256)
        (folder / "changed").write_bytes(changed)
        try:
            assert open_picture(folder / "changed", 64).pixels.shape[2] == 3
        except EngineError as error:
            assert error.hint


# Made to do harm


def png_claiming(width_px: int, height_px: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side_px", [60_000, 16_000])
def test_bombs_are_refused(folder: Path, side_px: int) -> None:
    (folder / "bomb.png").write_bytes(png_claiming(side_px, side_px))
    assert "250 megapixels" in problem_of(folder / "bomb.png")
    with pytest.raises(EngineError, match="250 megapixels"):
        thumbnail_jpeg(folder / "bomb.png", 96)


def test_bombs_inside_of_icons_are_refused(folder: Path) -> None:
    png = png_claiming(60_000, 60_000)
    entry = struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(png), 22)
    (folder / "bomb.ico").write_bytes(struct.pack("<HHH", 0, 1, 1) + entry + png)
    assert "250 megapixels" in problem_of(folder / "bomb.ico")


def test_jpegs_may_be_larger_than_other_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_open, "MAX_PX", 10_000)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5_000)
    save(quarters(400, 300), folder / "a.jpg", "JPEG")
    assert open_picture(folder / "a.jpg").pixels.shape == (300, 400, 3)
    save(quarters(400, 300), folder / "p.jpg", "JPEG", progressive=True)
    problem_of(folder / "p.jpg")
    monkeypatch.setattr(image_open, "MAX_JPEG_PX", 20_000)
    problem_of(folder / "a.jpg")


@pytest.mark.skipif(sys.platform != "linux", reason="reads its memory from Linux")
def test_memory_stays_bounded(folder: Path) -> None:
    """100 megapixels of JPEG take less than their pixels would."""
    Image.new("RGB", (10_000, 10_000), "green").save(folder / "large.jpg")
    code = (
        "import sys, resource; from pathlib import Path; from engine.media.image import open_picture;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; open_picture(Path(sys.argv[1]));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "large.jpg")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 150_000  # KiB


def test_out_of_memory_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise MemoryError

    save(quarters(), folder / "a.bmp", "BMP")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fails)
    assert "not enough memory" in problem_of(folder / "a.bmp")


# While it is read


def test_a_file_that_is_deleted_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system keeps an open file, the picture is whole; where it does not, there is one clear line."""
    save(quarters(), folder / "a.png", "PNG")
    identified = image_open._identified

    def deleting(*arguments: object) -> object:
        image = identified(*arguments)  # type: ignore[arg-type]
        if sys.platform != "win32":
            (folder / "a.png").unlink()
        return image

    monkeypatch.setattr(image_open, "_identified", deleting)
    assert open_picture(folder / "a.png").pixels.shape == (64, 96, 3)


def test_a_disk_that_fails_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise OSError(5, "Input/output error")

    save(quarters(), folder / "a.bmp", "BMP")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fails)
    assert "Input/output error" in problem_of(folder / "a.bmp")
