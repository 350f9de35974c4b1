"""Evaluation with a stand-in for the model: what is counted, what is said, and what is refused."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Progress
from engine.runtime import image_model
from engine.runtime.captions import Caption, CaptionOptions
from export.__main__ import main
from export.train import evaluate_command
from export.train.evaluate import CONSTANTS, Evaluation, evaluate, evaluate_naming, photos_of

SEEN = {"red": "A red cat.", "green": "A green dog runs.", "blue": "A person."}
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def caption(pixels: NDArray[np.uint8]) -> Caption:
    """Says what colour it sees."""
    name = ("red", "green", "blue")[int(pixels.reshape(-1, 3).mean(axis=0).argmax())]
    return Caption(SEEN[name], 0.5, "stop", (), np.empty(0, np.float32))


def write_set(folder: Path, listing: str, rows: list[dict[str, object]]) -> Path:
    """Pictures of one colour, named for it, in a tar file beside their list."""
    folder.mkdir(parents=True)
    with tarfile.open(folder / "images.tar", "w") as archive:
        for row in rows:
            name = str(row["image"])
            stream = io.BytesIO()
            Image.new("RGB", (20, 10), COLOURS[name.split("_", maxsplit=1)[0]]).save(stream, "png")
            member = tarfile.TarInfo(name)
            member.size = len(stream.getvalue())
            stream.seek(0)
            archive.addfile(member, stream)
    (folder / listing).write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rows: list[dict[str, object]] = [
        {"image": "red_1.png", "split": "dev", "en": ["a red cat .", "The red cat sleeps ."]},
        {"image": "green_1.png", "split": "train", "en": ["A green frog ."]},
        {"image": "green_2.png", "split": "dev", "en": ["A dog runs ."]},
        {"image": "blue_1.png", "split": "dev", "en": ["The sea .", "Blue water .", "Waves ."]},
    ]
    return write_set(tmp_path / "照片 ü", "captions.jsonl", rows)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    rows: list[dict[str, object]] = []
    for number in range(20):
        rows.append({"image": f"green_{number}.png", "set": "caltech101", "label": "dalmatian"})
        rows.append({"image": f"blue_{number}.png", "set": "grocery", "label": "kaiser"})
    return write_set(tmp_path / "labelled", "labels.jsonl", rows)


def test_every_photo_of_the_split_is_judged(photos: Path) -> None:
    *before, found = evaluate(caption, photos, photos_of(photos, "dev", None))
    assert isinstance(found, Evaluation)
    assert list(before) == [Progress("describe", 3, 3, "pictures")]
    assert found.name == "照片 ü"
    assert [photo.caption for photo in found.photos] == ["A red cat.", "A green dog runs.", "A person."]
    assert found.photos[0].cider_d > found.photos[1].cider_d > found.photos[2].cider_d == 0
    assert found.figures.cider_d == pytest.approx(sum(photo.cider_d for photo in found.photos) / 3)
    assert found.figures.bleu[0] == pytest.approx(
        6 / 9
    )  # "a red cat", "a dog runs"; lengths 3, 4, 2 and 3, 3, 2
    assert found.figures.cider_d > found.constant_figures.cider_d
    assert found.constant in CONSTANTS


def test_naming_is_counted_on_held_out_photos(labelled: Path) -> None:
    *_, found = evaluate_naming(caption, labelled, None)
    assert not isinstance(found, Progress)
    assert [(item.source, item.named, item.photos) for item in found] == [
        ("caltech101", 2, 2),
        ("grocery", 0, 2),
    ]
    assert found[1].missed == (("kaiser", "A person."),) * 2


def test_a_missing_or_broken_picture_is_told(photos: Path) -> None:
    path = photos / "captions.jsonl"
    path.write_text(path.read_text("utf-8").replace("red_1", "gone"), "utf-8")
    with pytest.raises(EngineError, match="gone"):
        list(evaluate(caption, photos, photos_of(photos, "dev", None)))


class FakeModel:
    """Takes what the command asks of an image model."""

    def caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        assert options.beams == 2
        return caption(pixels)

    def close(self) -> None:
        pass


@pytest.fixture
def pack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Named:
        name = "photos-1"

    monkeypatch.setattr(evaluate_command, "_pack", lambda name: Named())
    monkeypatch.setattr(image_model, "open_image_model", lambda *_: FakeModel())
    yield


@pytest.mark.usefixtures("pack")
def test_the_command_prints_tables(photos: Path, labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "captioner", "--data", str(photos), "--beams", "2", "--list", "1"]
    arguments += ["--labelled", str(labelled), "--quantised-against", "other"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "| photos-1, 照片 ü |" in text
    assert "CIDEr-D is 1.000 times that of other, within 2%; 3 of 3 captions are the same." in text
    assert "| green_2.png | A green dog runs. | A dog runs. |" in text
    assert "- red_1.png: **A red cat.**" in text
    assert "    - The red cat sleeps." in text
    assert "| caltech101 | 2 of 2 | 100.0% |" in text
    assert "- kaiser: A person." in text


@pytest.mark.usefixtures("pack")
def test_the_command_prints_json(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "captioner", "--data", str(photos), "--also", str(photos), "--beams", "2"]
    assert main([*arguments, "--limit", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["search"] == "2 beams"
    assert [item["photos"] for item in found["sets"]] == [2, 2]
    assert found["sets"][0]["captions"][1]["caption"] == "A green dog runs."
    assert {"bleu_1", "bleu_4", "rouge_l", "cider_d", "meteor", "median_s"} <= found["sets"][0].keys()


@pytest.mark.usefixtures("pack")
@pytest.mark.parametrize("extra", [["--split", "test"], ["--data", "nowhere"]])
def test_what_the_user_can_mend_is_one_line(
    photos: Path, extra: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "captioner", "--data", str(photos), "--beams", "2", *extra]) == 1
    assert capsys.readouterr().err.count("\n") == 1
