"""What training reads: photos, features, nouns, made-up sentences; and what it draws."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import EngineError
from engine.results import Progress
from export.train import features
from export.train.data import Photo, Pictures, read_labelled, read_photos, tidy
from export.train.features import Features, Shown, make_features, squeeze
from export.train.nouns import Nouns, fit_temperature, read_nouns
from export.train.plot import draw
from export.train.sequences import Item, lay_out
from export.train.templates import meaning, sentences
from tests import tiny_captioner, tiny_training


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six small photos in a tar file."""
    result = tmp_path / "照片 ü"
    result.mkdir()
    dice = np.random.default_rng(0)
    with tarfile.open(result / "images-0.tar", "w") as archive:
        for number in range(6):
            stream = io.BytesIO()
            pixels = dice.integers(0, 255, (30, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(stream, "PNG")
            entry = tarfile.TarInfo(f"{number}.png")
            entry.size = len(stream.getvalue())
            archive.addfile(entry, io.BytesIO(stream.getvalue()))
    lines = [{"image": f"{i}.png", "split": "train" if i else "dev", "en": ["a dog ."]} for i in range(6)]
    (result / "captions.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return result


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("A dog runs .", "A dog runs."),
        ("two men  sit", "Two men sit."),
        ("a man , smiling , waves .", "A man, smiling, waves."),
        ("A dog 's ball ..", "A dog's ball."),
    ],
)
def test_captions_are_written_one_way(written: str, expected: str) -> None:
    assert tidy(written) == expected


def test_photos_are_read_and_sides_are_noticed(folder: Path) -> None:
    photos = read_photos(folder)
    assert [photo.split for photo in photos] == ["dev", *["train"] * 5]
    assert photos[0].captions == ("A dog.",)
    assert Photo("x", "train", ("A man on the left.",)).tells_sides
    assert not Photo("x", "train", ("A bright leftover.",)).tells_sides


@pytest.mark.parametrize("text", ["", "nothing", "[1]", '{"image": "x"}'])
def test_a_list_that_is_none_is_one_clear_error(folder: Path, text: str) -> None:
    (folder / "captions.jsonl").write_text(text, "utf-8")
    with pytest.raises(EngineError):
        read_photos(folder)


def test_every_tenth_of_a_class_is_held_out(tmp_path: Path) -> None:
    lines = [{"image": f"{i}", "set": "grocery", "label": "lime" if i % 2 else "kiwi"} for i in range(40)]
    (tmp_path / "labels.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    photos = read_labelled(tmp_path)
    assert [i for i, photo in enumerate(photos) if photo.held_out] == [18, 19, 38, 39]


def test_features_go_on_where_they_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "SAVE_EVERY", 2)
    pictures, network = Pictures(folder), tiny_captioner.vision()
    shown = [Shown(pictures, f"{number}.png", may_flip=True) for number in range(6)]
    stopped = make_features(shown, 1, network, folder / "cache" / "a")
    assert next(stopped) == Progress("features", 2, 6, "pictures")
    del stopped
    items = list(make_features(shown, 1, network, folder / "cache" / "a"))
    assert items[0] == Progress("features", 4, 6, "pictures")
    again, whole = items[-1], list(make_features(shown, 1, network, folder / "cache" / "b"))[-1]
    assert isinstance(again, Features)
    assert isinstance(whole, Features)
    assert np.array_equal(again.patches, whole.patches)
    plain = list(make_features(shown, 0, network, folder / "cache" / "c"))[-1]
    assert isinstance(plain, Features)
    assert not np.array_equal(plain.patches, whole.patches)
    with Image.open(io.BytesIO(pictures.read("3.png"))) as picture:
        pixels = squeeze(picture, network.config.image_px)
    import torch

    expected = network.patches(torch.from_numpy(pixels))[0].numpy()
    assert np.abs(plain.patches[3] - expected).max() < 0.02


def test_classes_of_one_noun_are_added_up_and_the_temperature_is_found() -> None:
    nouns = Nouns(("dog", "cat"), np.array([0, 0, 1]))
    logits = np.log(np.array([[0.3, 0.3, 0.4]], np.float32))
    merged = nouns.probabilities(logits, 1.0)
    assert merged[0] == pytest.approx([0.6, 0.4])
    assert nouns.likely(merged[0], 4, 0.5) == ("dog",)
    assert nouns.likely(merged[0], 1, 0.1) == ("dog",)
    dice = np.random.default_rng(0)
    honest = dice.normal(0, 2, (3000, 3)).astype(np.float32)
    drawn = (honest + dice.gumbel(size=honest.shape)).argmax(axis=1)
    truth = [nouns.nouns[nouns.of_class[i]] for i in drawn]
    assert fit_temperature(nouns, honest * 0.7, truth) == pytest.approx(0.7, abs=0.1)
    assert fit_temperature(nouns, honest, ["elk"] * 3000) == 1.0
    assert len(read_nouns().of_class) == 1000


def test_labels_become_sentences() -> None:
    assert meaning("caltech101", "cougar face").noun == "cougar"
    assert meaning("grocery", "granny smith").plural == "apples"
    assert meaning("grocery", "arla standard milk").noun == "carton of milk"
    random = np.random.default_rng(0)
    for label in ("umbrella", "okapi", "faces easy", "airplanes"):
        for sentence in sentences(meaning("caltech101", label), 3, random):
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert "{" not in sentence
            assert "a umbrella" not in sentence


def test_each_caption_sees_the_names_and_itself() -> None:
    batch = lay_out([Item((1, 2), ((3, 4), (5,)))], prefix=2, end=9)
    assert batch.ids[0, :5].tolist() == [1, 2, 3, 4, 5]
    assert batch.positions[0, :7].tolist() == [0, 1, 2, 3, 4, 5, 4]
    sees = batch.mask[0, :7, :7] == 0
    assert sees[5].tolist() == [True] * 6 + [False]
    assert sees[6].tolist() == [True] * 4 + [False, False, True]
    assert batch.targets.tolist() == [3, 4, 9, 5, 9]
    assert batch.places.tolist() == [3, 4, 5, 3, 6]


def test_a_pass_shows_every_photo_once_and_steps_can_be_repeated(tmp_path: Path) -> None:
    chosen = tiny_training.settings(tmp_path, 4)
    examples = tiny_training.inputs(chosen).train
    shown = sorted(int(index) for batch in examples.order(0, 3) for index in batch)
    assert shown == list(range(9))
    again = tiny_training.inputs(chosen).train
    assert [example.item for example in examples.step(5)] == [example.item for example in again.step(5)]
    other = tiny_training.inputs(dataclasses.replace(chosen, seed=8)).train
    assert [example.item for example in examples.step(5)] != [example.item for example in other.step(5)]


def test_the_course_of_a_run_is_drawn(tmp_path: Path) -> None:
    lines = [{"phase": "cross-entropy", "step": i, "loss": 3 - i / 10} for i in range(9)]
    lines += [
        {"phase": "cross-entropy", "step": 8, "dev_loss": 2.5},
        {"phase": "self-critical", "step": 0, "cider": 0.5},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    draw(tmp_path / "log.jsonl", tmp_path / "loss.svg")
    drawn = (tmp_path / "loss.svg").read_text("utf-8")
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 2
