"""Tables of descriptions: what a spreadsheet and a program read out of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Findings
from engine.tasks.describe_exports import (
    COLUMNS,
    PictureRow,
    csv_header,
    csv_line,
    json_line,
    write_csv,
    write_json,
)
from engine.tasks.describe_exports_files import FileRefused, FilesFinished, FileWritten
from engine.tasks.describe_exports_sidecar import existing_sidecars, sidecar_paths, write_sidecars
from engine.tasks.describe_many import PictureDescribed, PictureFailed
from tests.unit.engine.tasks.pictures import described


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photos" / "测试 ü"
    made.mkdir(parents=True)
    return made


def rows(folder: Path) -> list[PictureRow]:
    failed = PictureFailed(folder / "c.jpg", "{file} is broken.", "Get another.", {"file": "c.jpg"})
    return [
        PictureRow.of(PictureDescribed(folder / "a.jpg", described())),
        PictureRow(folder / "b.jpg", '=1+1, "quoted"\n一只狗', described("x", unsure=True)),
        PictureRow.of(failed),
    ]


def test_a_spreadsheet_reads_the_table(folder: Path) -> None:
    target = write_csv(folder / "out.csv", rows(folder))
    assert target.read_bytes().startswith(b"\xef\xbb\xbffile,description,") and b"\r\n" in target.read_bytes()
    with target.open(encoding="utf-8-sig", newline="") as file:
        first, second, third = csv.DictReader(file)
    assert tuple(first) == COLUMNS
    assert first == {
        "file": str(folder / "a.jpg"),
        "description": "a dog on grass",
        "caption": "a dog on grass",
        "confidence": "0.812",
        "unsure": "no",
        "subjects": "dog; tennis ball",
        "text": "STOP 停\nMain St",
        "language": "en",
        "model": "tiny-captioner",
        "error": "",
    }
    assert second["description"] == '\'=1+1, "quoted"\n一只狗' and second["unsure"] == "yes"
    assert (
        third["error"] == "c.jpg is broken. Get another."
        and third["description"] == third["confidence"] == ""
    )


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(text: str) -> None:
    (cells,) = csv.reader([csv_line(PictureRow(Path("a"), text, described(text, model=text), text))])
    assert cells[1] == cells[2] == cells[8] == cells[9] == f"'{text}"
    assert len(csv_header().split(",")) == len(cells)


def test_json_says_all_that_is_known(folder: Path) -> None:
    data = json.loads(write_json(folder / "out.json", rows(folder)).read_text("utf-8"))
    assert [item["file"] for item in data] == [str(folder / name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    first = data[0]
    assert first["caption"] == first["description"] == "a dog on grass" and first["confidence"] == 0.8125
    assert first["subjects"][0] == {"name": "dog", "name_zh": "狗", "confidence": 0.9}
    assert first["text"] == "STOP 停\nMain St"
    assert first["lines"][0] == {"text": "STOP 停", "confidence": 0.97, "box": [0.1, 0.2, 0.3, 0.4]}
    assert first["model"] == "tiny-captioner" and first["width_px"] == 40
    assert data[1]["description"].endswith("一只狗") and data[2] == {
        "file": data[2]["file"],
        "error": data[2]["error"],
    }
    lines = write_json(folder / "out.jsonl", rows(folder)).read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == data
    assert json.loads(write_json(folder / "none.json", ()).read_text("utf-8")) == []


def test_names_that_are_no_text_are_written_too(folder: Path) -> None:
    row = PictureRow(Path("bad\udcff.jpg"), "text", described(findings=Findings(1, 1, "PNG")))
    write_csv(folder / "a.csv", [row])
    assert json.loads(write_json(folder / "a.json", [row]).read_bytes())[0]["file"] == "bad\udcff.jpg"
    assert json.loads(json_line(row))["subjects"] == []


def test_a_file_that_is_there_is_replaced_in_one_step_or_not_at_all(folder: Path) -> None:
    target = folder / "out.csv"
    target.write_text("before")

    def breaks():
        yield from rows(folder)
        raise EngineError("broke")

    with pytest.raises(EngineError):
        write_csv(target, breaks())
    assert target.read_text() == "before" and [path.name for path in folder.iterdir()] == ["out.csv"]
    write_csv(target, rows(folder))
    assert "before" not in target.read_text("utf-8") and len(list(folder.iterdir())) == 1
    with pytest.raises(EngineError, match="cannot be written"):
        write_csv(folder / "nowhere" / "out.csv", rows(folder))


# Text files beside the photos


def sidecar_run(rows: list[PictureRow], policy: str = "refuse", cancel: Cancel | None = None) -> list[object]:
    return list(write_sidecars(rows, policy, cancel or Cancel()))  # type: ignore[arg-type]


def test_each_described_photo_gets_its_text(folder: Path) -> None:
    items = sidecar_run(rows(folder))
    assert items[-1] == FilesFinished("stop", 2, 0, 0)
    assert (folder / "a.txt").read_bytes() == b"a dog on grass\n"
    assert (folder / "b.txt").read_text("utf-8").endswith("一只狗\n") and not (folder / "c.txt").exists()


def test_photos_that_share_a_stem_do_not_share_a_text() -> None:
    paths = [Path("x/a.jpg"), Path("x/A.png"), Path("y/a.jpg"), Path("x/b.txt")]
    assert sidecar_paths(paths) == (
        Path("x/a.jpg.txt"),
        Path("x/A.png.txt"),
        Path("y/a.txt"),
        Path("x/b.txt.txt"),
    )


def test_nothing_that_is_there_is_replaced_unless_that_was_said(folder: Path) -> None:
    (folder / "a.txt").write_text("my notes")
    (folder / "b.txt").write_text(rows(folder)[1].text + "\n", "utf-8", newline="")
    assert existing_sidecars(rows(folder)) == (folder / "a.txt",)
    refused = [item for item in sidecar_run(rows(folder)) if isinstance(item, FileRefused)]
    assert [item.path for item in refused] == [folder / "a.jpg"] and "there already" in refused[
        0
    ].error.message
    assert sidecar_run(rows(folder), "keep")[-1] == FilesFinished("stop", 1, 1, 0)
    assert (folder / "a.txt").read_text() == "my notes"
    assert sidecar_run(rows(folder), "replace")[-1] == FilesFinished("stop", 2, 0, 0)
    assert (folder / "a.txt").read_text() == "a dog on grass\n"


def test_one_text_that_cannot_be_written_does_not_end_it(folder: Path) -> None:
    lost = PictureRow(folder / "gone" / "d.jpg", "text", described())
    items = sidecar_run([lost, *rows(folder)])
    assert items[-1] == FilesFinished("stop", 2, 0, 1)
    assert len([item for item in items if isinstance(item, FileWritten)]) == 2


def test_stopping_says_how_far_it_came(folder: Path) -> None:
    cancel = Cancel()
    cancel.set()
    assert sidecar_run(rows(folder), cancel=cancel)[-1] == FilesFinished("cancelled", 0, 0, 0)
