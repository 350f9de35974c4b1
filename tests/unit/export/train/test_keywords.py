"""The head that says which words people would use: what it is taught, what it learns, and that nobody grades himself."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from export.train import keywords
from export.train.data import Photo
from export.train.features import Features
from export.train.keywords import Keywords, Told, learn_keywords, named_targets, targets, vocabulary, words_of
from tests import tiny_captioner

WORDS = ("dog", "red", "sits")
CONFIG = dataclasses.replace(tiny_captioner.CONFIG, keywords=WORDS, keywords_max=2, keywords_least=0.2)


def features(labels: np.ndarray, seed: int) -> Features:
    """Patches that give the words away, each in a direction of its own."""
    dice = np.random.default_rng(seed)
    shape = (len(labels), CONFIG.patches, tiny_captioner.VISION.patch_channels)
    patches = dice.normal(0, 0.1, shape)
    directions = np.random.default_rng(0).normal(0, 2, (len(WORDS), shape[-1]))
    patches += (labels @ directions)[:, None]
    return Features(patches.astype(np.float16), np.zeros((len(labels), 1000), np.float16))


def test_words_that_say_nothing_of_the_picture_are_passed_over() -> None:
    assert words_of("A Black-and-white dog is on the grass.") == {"black-and", "white", "dog", "grass"}


def test_the_words_are_those_used_often_and_the_nouns_of_named_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keywords, "LEAST_PHOTOS", 2)
    photos = [
        Photo("1", "train", ("A dog runs.", "A dog.")),
        Photo("2", "train", ("The dog sits.", "It sits.")),
    ]
    assert vocabulary(photos, ["kiwi", "dog"]) == ("dog", "kiwi")
    assert targets(photos, ("dog", "sits", "kiwi")).tolist() == [[1.0, 0.0, 0.0], [0.5, 1.0, 0.0]]
    assert named_targets(["kiwi"], ("dog", "kiwi"))[0].tolist() == pytest.approx([0, keywords.NAMED_SHARE])


def test_it_learns_the_words_and_what_it_says_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keywords, "BATCH", 20)
    monkeypatch.setattr(keywords, "EPOCHS", 60)
    labels = (np.random.default_rng(0).random((90, len(WORDS))) < 0.5).astype(np.float32)
    told = {"train": Told([features(labels, 1), features(labels, 2)], labels)}
    other = (np.random.default_rng(5).random((30, len(WORDS))) < 0.5).astype(np.float32)
    unseen = {"dev": [features(other, 3)]}
    vision = tiny_captioner.vision()

    def learn(folder: Path, seed: int = 7) -> Keywords:
        last = list(learn_keywords(CONFIG, vision, told, unseen, folder, seed))[-1]
        assert isinstance(last, Keywords)
        return last

    made = learn(tmp_path / "测试")
    assert [said.shape for said in made.shares["train"]] == [(90, 3), (90, 3)]
    right = (made.shares["dev"][0] > 0.5) == (other > 0.5)
    assert right.mean() > 0.8
    again = learn(tmp_path / "测试")
    assert np.array_equal(made.shares["dev"][0], again.shares["dev"][0])
    assert all(np.array_equal(made.weights[name], again.weights[name]) for name in made.weights)
    assert not np.array_equal(learn(tmp_path / "测试", seed=8).shares["dev"][0], made.shares["dev"][0])


def test_the_likeliest_words_that_are_not_said_yet_stand_in_the_prompt() -> None:
    said = Keywords(CONFIG, {}, {})
    assert said.likely(np.array([0.5, 0.9, 0.3], np.float16), ("dog",)) == ("red",)
    assert said.likely(np.array([0.1, 0.1, 0.1], np.float16), ()) == ()
