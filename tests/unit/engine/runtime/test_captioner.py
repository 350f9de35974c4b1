"""What stands around the captioner's graphs: the beam search, the prompt, the heat maps. The graphs are in tests/parity."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.labels import Label
from engine.runtime.beam import beam_search
from engine.runtime.captioner import repeated
from engine.runtime.captioner_settings import CaptionerSettings
from engine.runtime.captions import CaptionOptions
from engine.runtime.looks import looks_of
from engine.runtime.session import Interrupted

END = 0


class Scripted:
    """A language of four tokens whose probabilities are written down by what stands before."""

    end = END

    def __init__(self, probabilities: dict[tuple[int, ...], list[float]]) -> None:
        self.probabilities = probabilities
        self.texts: list[tuple[int, ...]] = []
        self.closing = False

    def mask(self, scores: NDArray[np.float32], ids: Sequence[int]) -> None:
        scores[3] = -np.inf  # never wanted

    def advance(self, ids: Sequence[int], parents: Sequence[int]) -> NDArray[np.float32]:
        before = self.texts or [()] * len(ids)
        self.texts = [(*before[parent], token) for token, parent in zip(ids, parents, strict=True)]
        return np.stack([self.logits(text) for text in self.texts])

    def logits(self, text: tuple[int, ...]) -> NDArray[np.float32]:
        return np.log(np.array(self.probabilities.get(text, [0.97, 0.01, 0.01, 0.01]), np.float32))


# The likeliest first token leads to an unlikely second one.
GARDEN_PATH = {(): [0.01, 0.5, 0.4, 0.09], (1,): [0.3, 0.34, 0.33, 0.03], (2,): [0.05, 0.05, 0.9, 1e-6]}


def test_beams_find_what_the_likeliest_token_misses() -> None:
    greedy = Scripted(GARDEN_PATH)
    assert beam_search(greedy, greedy.logits(()), rows=1, room=5).ids == (1, 1)
    two = Scripted(GARDEN_PATH)
    best = beam_search(two, two.logits(()), rows=2, room=5)
    assert best.ids == (2, 2) and best.ended
    assert len(best.logprobs) == 3
    expected = [0.4 / 0.91, 0.9, 0.97 / 0.99]  # what is masked is no part of the whole
    assert best.logprobs == pytest.approx(np.log(expected), abs=1e-4)


def test_a_search_ends_where_there_is_no_room_or_where_the_model_closes() -> None:
    never_ending = [1e-30, 0.6, 0.3, 0.1]
    endless = Scripted({(): never_ending, (1,): never_ending, (2,): never_ending})
    found = beam_search(endless, endless.logits(()), rows=2, room=2)
    assert found.ids == (1, 1) and not found.ended
    endless.closing = True
    with pytest.raises(Interrupted):
        beam_search(endless, endless.logits(()), rows=2, room=2)


@pytest.mark.parametrize(
    ("ids", "never"),
    [((), []), ((1, 2), []), ((1, 2, 3, 1, 2), [3]), ((1, 2, 3, 1, 2, 4, 1, 2), [3, 4]), ((1, 1, 1), [1])],
)
def test_no_three_tokens_stand_twice(ids: tuple[int, ...], never: list[int]) -> None:
    assert repeated(ids, 3) == never


SETTINGS = {
    "image_px": 260,
    "grid": 9,
    "names_max": 3,
    "names_least": 0.1,
    "names_joint": ", ",
    "separator": "\n",
    "unsure_below": 0.4,
    "figures": {"cider_d": 0.6},
}
LABELS = (
    Label("beagle", "dog", "比格犬", "狗"),
    Label("lawn", "grass", "草坪", "草"),
    Label("pug", "dog", "巴哥犬", "狗"),
    Label("ball", "ball", "球", "球"),
)


def settings(folder: Path, **changed: object) -> CaptionerSettings:
    path = folder / "captioner.json"
    path.write_text(json.dumps({**SETTINGS, **changed}), "utf-8")
    return CaptionerSettings.read(path)


def test_the_nouns_of_a_picture_stand_before_its_caption(pollux_home: Path) -> None:
    read = settings(pollux_home)
    nothing = np.zeros(0, np.float32)
    assert read.prompt(np.array([0.3, 0.35, 0.3, 0.05], np.float32), LABELS, nothing) == "dog, grass\n"
    assert read.prompt(np.array([0.05, 0.05, 0.02, 0.02], np.float32), LABELS, nothing) == "\n"
    one = settings(pollux_home, names_max=1, names_joint=" and ")
    assert one.prompt(np.array([0.2, 0.35, 0.3, 0.15], np.float32), LABELS, nothing) == "dog\n"


def test_the_words_that_people_use_follow_the_nouns(pollux_home: Path) -> None:
    words = {"keywords": ["red", "dog", "runs", "sits"], "keywords_max": 3, "keywords_least": 0.2}
    read = settings(pollux_home, names_joint=" ", **words)
    probabilities = np.array([0.3, 0.35, 0.3, 0.05], np.float32)
    assert (
        read.prompt(probabilities, LABELS, np.array([0.3, 0.9, 0.4, 0.35], np.float32))
        == "dog grass runs sits\n"
    )
    assert (
        read.prompt(probabilities, LABELS, np.array([0.1, 0.9, 0.4, 0.1], np.float32)) == "dog grass runs\n"
    )


@pytest.mark.parametrize("changed", [{"image_px": 0}, {"names_least": 2}, {"separator": 3}, {"grid": "nine"}])
def test_settings_that_cannot_be_are_told(pollux_home: Path, changed: dict[str, object]) -> None:
    with pytest.raises(EngineError, match=r"captioner\.json"):
        settings(pollux_home, **changed)


def test_each_word_gets_what_its_tokens_looked_at_more_than_others_do() -> None:
    pieces = ["", " A", " A gol", " A golden", " A golden dog", " A golden dog."]
    shares = np.array([[0.9, 0.05, 0.05]] * 5, np.float32)  # the first embedding is where the decoder rests
    shares[1:3] = [0.8, 0.15, 0.05]  # "gol", "den"
    shares[3] = [0.4, 0.05, 0.1]  # later words look less
    patches = np.array([[0.4, 0.2, 0.2, 0.2], [0.4, 0.4, 0.1, 0.1], [0.4, 0.1, 0.1, 0.4]], np.float32)
    logprobs = [-0.1, math.log(0.5), math.log(0.5), math.log(0.8), -0.1]
    looks = looks_of(pieces[-1], pieces, logprobs, shares, patches.reshape(3, 2, 2))
    assert [look.word for look in looks] == ["A", "golden", "dog"]
    assert [(look.start, look.end) for look in looks] == [(0, 1), (2, 8), (9, 12)]
    assert looks[1].attention.argmax() == 1 and looks[2].attention.argmax() == 3
    assert looks[1].confidence == pytest.approx(0.5)
    for look in looks:
        assert look.attention.shape == (2, 2) and look.attention.dtype == np.float32
        assert look.attention.sum() == pytest.approx(1, abs=1e-5)


def test_looks_of_nothing() -> None:
    shares, patches = np.ones((1, 2), np.float32), np.full((2, 2, 2), 0.25, np.float32)
    assert looks_of("...", ["", "..."], [-0.1], shares, patches) == ()
    (alone,) = looks_of("Dog", ["", "Dog"], [-0.1], shares, patches)
    assert np.allclose(alone.attention, 0.25)


def test_options_begin_at_one() -> None:
    with pytest.raises(ValueError, match="begin at 1"):
        CaptionOptions(beams=0)
