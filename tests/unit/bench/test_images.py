"""The image bench's pictures and tables."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from PIL import Image

from tests.bench import images_pictures
from tests.bench.images_pictures import pictures, repeated
from tests.bench.images_report import as_markdown, as_rows
from tests.bench.images_runner import Runner


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images_pictures, "LONGEST_PX", 400)
    monkeypatch.setattr(images_pictures, "GRAIN_PX", 50)


@pytest.mark.usefixtures("small")
def test_pictures_are_made_and_repeated(tmp_path: Path) -> None:
    made = pictures(None, tmp_path, 3)
    assert [max(Image.open(path).size) <= 400 for path in made] == [True] * 3
    assert Image.open(made[1]).size == (300, 400)
    many = repeated(made, tmp_path / "many", 7)
    assert len({path.name for path in many}) == 7
    assert many[6].read_bytes() == made[0].read_bytes()


def test_pictures_come_from_a_folder_or_its_tar_files(tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "scratch"
    data.mkdir()
    scratch.mkdir()
    with pytest.raises(SystemExit, match="neither"):
        pictures(data, scratch, 3)
    for number in range(3):
        Image.new("RGB", (4, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    with tarfile.open(data / "some.tar", "w") as archive:
        for number in range(3):
            archive.add(tmp_path / f"{number}.png", f"inside/{number}.png")
    assert [path.parent for path in pictures(data, scratch, 2)] == [scratch] * 2
    (tmp_path / "0.png").rename(data / "0.png")
    assert pictures(data, scratch, 2) == [data / "0.png"]


def test_tables_have_medians_and_ratios(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"x" * 2_000_000)
    ours = Runner("ours", "pollux", tmp_path, tmp_path, 2)
    ours.sentence_s, ours.wall_s = {"OCR": [0.1, 0.2, 0.3]}, {"OCR": [0.4, 0.5, 0.6]}
    ours.batch = {"memory_bytes": [300_000_000] * 100 + [310_000_000] * 100, "failed": 1, "wall_s": 100.0}
    fast, peer = (Runner(name, name, tmp_path, tmp_path, 2) for name in ("fast", "transformers"))
    fast.write_s, peer.write_s = {1: [1.0], 33: [2.6]}, {1: [3.0], 33: [9.4]}

    text = as_markdown([ours], [fast, peer], "3 pictures", (1, 33))
    assert "| ours | 2 MB | 0.00 s | OCR | 0.20 s | 0.29 s | 0.50 s | 0.59 s |" in text
    assert "| ours | 200 | 1 | 0.50 s | 300 MB | 310 MB | 310 MB |" in text
    assert "| fast | 2 MB | 1.00 s (3.00x) | 2.60 s (3.62x) | 50 ms (4.00x) |" in text
    rows = as_rows([ours], [fast, peer], (1, 33))
    assert rows[0]["OCR"]["sentence_median_s"] == 0.2
    assert rows[0]["batch"]["first_bytes"] == 300_000_000
    assert rows[1]["33_tokens_s"] == 2.6
