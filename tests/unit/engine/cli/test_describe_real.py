"""``pollux describe`` with the real model on the photos in ``tests/data/photos``, and on what is no photo.

In: POLLUX_TEST_IMAGE_PACK, the folder of the default image model. Everything lies in folders with letters that break
careless path handling.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from engine import Pollux
from engine.__main__ import main

PACK = os.environ.get("POLLUX_TEST_IMAGE_PACK", "")
PHOTOS = Path(__file__).resolve().parents[3] / "data" / "photos"
ALT_CHARACTERS = 125
Output = pytest.CaptureFixture[str]
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PACK, reason="POLLUX_TEST_IMAGE_PACK does not name an image model"),
]


@pytest.fixture(autouse=True)
def installed(pollux_home: Path) -> None:
    (pollux_home / "packs").mkdir()
    (pollux_home / "packs" / Path(PACK).name).symlink_to(Path(PACK).resolve(), target_is_directory=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the photos."""
    made = tmp_path / "照片 测试 ü"
    made.mkdir()
    for photo in PHOTOS.glob("*.jpg"):
        shutil.copyfile(photo, made / photo.name)
    return made


def described(capsys: Output, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    """Standard output and standard error of a run that ends with ``code``."""
    found = main(["describe", "--device", "cpu", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert found == code, err
    return out, err


def test_a_photo_gets_a_sentence(folder: Path, capsys: Output) -> None:
    out, _ = described(capsys, folder / "cat.jpg")
    assert out.count("\n") == 1 and out.rstrip().endswith(".")
    assert "cat" in out.casefold().replace(".", " ").split()


def test_json_has_what_was_promised(folder: Path, capsys: Output) -> None:
    out, _ = described(capsys, folder / "cat.jpg", "--json")
    found = json.loads(out)
    assert {"caption", "confidence", "subjects", "text", "model"} <= set(found)
    assert found["model"] == Path(PACK).name and 0 < found["confidence"] <= 1
    assert "cat" in " ".join(subject["name"] for subject in found["subjects"])
    assert (found["width_px"], found["height_px"]) == (400, 266)


def test_a_folder_gives_a_table_and_a_broken_file_is_a_row_of_it(folder: Path, capsys: Output) -> None:
    (folder / "broken.jpg").write_bytes((PHOTOS / "cat.jpg").read_bytes()[:300])
    (folder / "empty.png").write_bytes(b"")
    out, err = described(capsys, folder, "--style", "alt", code=1)
    rows = list(csv.DictReader(io.StringIO(out.removeprefix("\ufeff"))))
    assert [Path(row["file"]).name for row in rows] == [
        "broken.jpg",
        "cat.jpg",
        "coffee.jpg",
        "empty.png",
        "rocket.jpg",
    ]
    for row in rows:
        if row["error"]:
            assert Path(row["file"]).name in ("broken.jpg", "empty.png") and not row["description"]
        else:
            assert 0 < len(row["description"]) <= ALT_CHARACTERS
    assert sum(bool(row["error"]) for row in rows) == 2
    assert "broken.jpg" in err and "empty.png" in err and "Traceback" not in err


def test_the_text_in_a_picture_is_read(folder: Path, capsys: Output) -> None:
    sign = Image.new("RGB", (480, 200), (250, 250, 250))
    font = ImageFont.load_default(64)
    ImageDraw.Draw(sign).text((40, 60), "SLOW DOWN", (20, 20, 20), font=font)
    sign.save(folder / "sign.png")
    out, _ = described(capsys, folder / "sign.png", "--json")
    assert json.loads(out)["text"].casefold().split() == ["slow", "down"]


def test_python_describes_the_same(folder: Path, capsys: Output) -> None:
    out, _ = described(capsys, folder / "coffee.jpg")
    with Pollux.load(device="cpu") as model:
        found = model.describe_image(folder / "coffee.jpg")
    assert str(found) == out.strip() and found.findings.subjects and not found.findings.damage


def test_overlays_of_every_word_are_written(folder: Path, capsys: Output) -> None:
    described(capsys, folder / "cat.jpg", "--overlay", folder / "where 在哪.png")
    with Image.open(folder / "where 在哪.png") as sheet:
        assert sheet.width > 200 and sheet.height > 200 and len(set(sheet.convert("L").tobytes())) > 50
