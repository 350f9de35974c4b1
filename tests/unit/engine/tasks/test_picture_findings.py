"""Subjects, colours, dates and places of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from engine.labels import Label
from engine.media.image import ImageInfo, Picture
from engine.tasks.picture_colours import NAMES, SHADES, dominant_colours
from engine.tasks.picture_findings import facts, subjects

LABELS = (
    Label("pug", "dog", "巴哥犬", "狗"),
    Label("beagle", "dog", "比格犬", "狗"),
    Label("borzoi", "dog", "苏俄猎狼犬", "狗"),
    Label("tabby cat", "cat", "虎斑猫", "猫"),
    Label("laptop", "laptop", "笔记本电脑", "笔记本电脑"),
)


def found(*probabilities: float, top: int = 3) -> list[tuple[str, str, float]]:
    result = subjects(np.array(probabilities, np.float32), LABELS, top)
    return [(subject.name, subject.name_zh, round(subject.confidence, 3)) for subject in result]


# Subjects


def test_a_class_that_is_sure_is_named() -> None:
    assert found(0.9, 0.02, 0.02, 0.04, 0.02) == [("pug", "巴哥犬", 0.9)]


def test_breeds_add_up_to_a_dog() -> None:
    assert found(0.2, 0.2, 0.2, 0.3, 0.1) == [
        ("dog", "狗", 0.6),
        ("tabby cat", "虎斑猫", 0.3),
        ("laptop", "笔记本电脑", 0.1),
    ]


def test_a_name_claims_its_own_probability_not_its_nouns() -> None:
    subject = subjects(np.array([0.6, 0.1, 0.1, 0.1, 0.1], np.float32), LABELS)[0]
    assert (subject.name, subject.noun, subject.noun_zh) == ("pug", "dog", "狗")
    assert subject.confidence == pytest.approx(0.6)
    assert subject.noun_confidence == pytest.approx(0.8)


def test_only_what_is_likely_enough() -> None:
    assert found(0.3, 0.3, 0.3, 0.06, 0.04) == [("dog", "狗", 0.9), ("tabby cat", "虎斑猫", 0.06)]
    assert found(0.3, 0.3, 0.3, 0.06, 0.04, top=1) == [("dog", "狗", 0.9)]
    assert found(*[np.nan] * 5) == []


def test_probabilities_of_another_model_are_a_bug() -> None:
    with pytest.raises(ValueError, match="5 labels"):
        found(0.5, 0.5)


# Colours


def plain(name: str) -> np.ndarray:
    return np.full((4, 4, 3), ImageColor.getrgb(name), np.uint8)


KNOWN = {
    **{name: name for name in "black white red pink orange yellow green blue purple turquoise olive".split()},
    **{"grey": "grey", "darkred": "dark red", "darkgreen": "dark green", "lightgreen": "light green"},
    **{"navy": "dark blue", "skyblue": "light blue", "lightgrey": "light grey", "saddlebrown": "brown"},
    **{"#333333": "dark grey", "#3a2010": "dark brown", "tan": "beige", "hotpink": "pink", "gold": "yellow"},
    **{"magenta": "purple", "#d8c3a5": "beige", "#4d7c32": "green", "#87431d": "brown", "beige": "white"},
}


@pytest.mark.parametrize("colour", KNOWN)
def test_plain_colours_have_their_names(colour: str) -> None:
    (only,) = dominant_colours(plain(colour))
    assert only.name == KNOWN[colour]
    assert only.share == 1
    assert only.hex == "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(colour))
    assert only.name_zh.endswith(("色", "绿"))


def test_shares_of_several_colours() -> None:
    image = Image.new("RGB", (100, 100), "green")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 99, 39), fill="skyblue")
    draw.rectangle((0, 70, 20, 99), fill="red")
    draw.rectangle((95, 95, 99, 99), fill="yellow")
    result = dominant_colours(np.array(image))
    assert [colour.name for colour in result] == ["green", "light blue"]
    assert result[1].share == pytest.approx(0.4, abs=0.03)
    assert [colour.name for colour in dominant_colours(np.array(image), top=1)] == ["green"]


def test_shades_count_together() -> None:
    image = np.concatenate([plain("darkgreen")] * 3 + [plain("lightgreen")] * 2 + [plain("red")] * 2)
    first, second = dominant_colours(image)
    assert (first.name, second.name) == ("dark green", "red")
    assert first.share == pytest.approx(5 / 7, abs=0.05)


def test_a_strong_colour_counts_more_than_grey() -> None:
    image = np.concatenate(
        [plain("grey")] * 4 + [plain("white")] * 3 + [plain("black")] * 3 + [plain("red")] * 2
    )
    assert "red" in [colour.name for colour in dominant_colours(image)]


def test_every_colour_has_a_name() -> None:
    assert sorted(name for shades in SHADES for name in shades) == sorted(NAMES)
    steps = np.arange(0, 256, 17)
    for red in steps:
        for green in steps[::5]:
            for blue in steps[::5]:
                assert dominant_colours(np.full((1, 1, 3), (red, green, blue), np.uint8))


# Facts


def picture(**values: object) -> Picture:
    info = ImageInfo(4032, 3024, "JPEG", "RGB", 1, 1000)
    return Picture(np.zeros((1, 1, 3), np.uint8), info, **values)  # type: ignore[arg-type]


def test_facts_in_both_languages() -> None:
    photo = picture(
        taken="2024-05-03 14:22:10",
        camera="Canon EOS 80D",
        place="Paris, France",
        latitude=48.85837,
        longitude=2.294481,
    )
    english, chinese = facts(photo), facts(photo, "zh")
    assert english.date == "3 May 2024, 14:22"
    assert chinese.date == "2024年5月3日 14:22"
    assert english.coordinates == "48.8584° N, 2.2945° E"
    assert chinese.coordinates == "北纬 48.8584°，东经 2.2945°"
    assert english.size == "4032 × 3024 pixels"
    assert chinese.size == "4032 × 3024 像素"
    assert english.place == "Paris, France"
    assert english.camera == "Canon EOS 80D"


def test_south_and_west() -> None:
    assert facts(picture(latitude=-33.8568, longitude=-70.5)).coordinates == "33.8568° S, 70.5000° W"
    assert (
        facts(picture(latitude=-33.8568, longitude=-70.5), "zh").coordinates == "南纬 33.8568°，西经 70.5000°"
    )


def test_what_is_unknown_is_empty() -> None:
    unknown = facts(picture())
    assert (unknown.date, unknown.place, unknown.coordinates, unknown.camera) == ("", "", "", "")
