"""Sentences, alternative text, and what may be kept of what models write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.results import Colour, Findings, Subject, TextLine
from engine.tasks.describe_alt import ALT_MOST_CHARS, alt_text
from engine.tasks.describe_compose import composed, facts
from engine.tasks.describe_composer import can_compose, is_faithful
from engine.tasks.describe_languages import hints, usable_chinese
from engine.tasks.describe_text import cut, is_about_text, quoted
from engine.tasks.describe_wording import Language, hedged, listed, sentence
from tests.fakes import fake_pack
from tests.unit.engine.tasks.fake_image_model import line

NOTHING = Findings(40, 30, "JPEG")
CAPTION = "a brown dog runs through the grass"


def with_text(*lines: TextLine, **changes: object) -> Findings:
    return replace(NOTHING, text=lines, **changes)  # type: ignore[arg-type]


def alt(caption: str, findings: Findings = NOTHING, unsure: bool = False) -> str:
    return alt_text(sentence(caption), caption, unsure, findings, "en")


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a dog runs .", "A dog runs."),
        ("  a  dog ,\n and a cat", "A dog, and a cat."),
        ("an image of a dog", "A dog."),
        ("This is a close-up photo of two cats.", "Two cats."),
        ("there is a photograph showing a bus", "A bus."),
        ("A picture frame hangs on a wall.", "A picture frame hangs on a wall."),
        ("Look!", "Look!"),
        ("", ""),
        (" . ", ""),
        ("一只狗。", "一只狗。"),
    ],
)
def test_sentences(caption: str, expected: str) -> None:
    assert sentence(caption) == expected


def test_doubt() -> None:
    assert hedged("A dog.", True, "en") == "Perhaps: a dog."
    assert hedged("TV on a table.", True, "en") == "Perhaps: TV on a table."
    assert hedged("一只狗。", True, "zh") == "可能是：一只狗。"
    assert hedged("A dog.", False, "en") == "A dog." and hedged("", True, "en") == ""


def test_lists() -> None:
    assert listed(["a"], "en") == "a" and listed(["a", "b"], "en") == "a and b"
    assert listed(["a", "b", "c"], "en") == "a, b and c" and listed([], "en") == ""
    assert listed(["甲", "乙"], "zh") == "甲、乙"


def test_cutting_never_ends_inside_a_word() -> None:
    text = "The well-known caf\u00e9's owner, Zo\u00eb, waves"
    for most in range(len(text) + 2):
        made = cut(text, most)
        assert len(made) <= most
        if made and made != text:
            assert made.endswith("…") and made[:-1] in text
            rest = text[len(made) - 1 :]
            assert not rest[0].isalnum()
    assert cut("一只棕色的狗", 4) == "一只棕…"
    assert cut("abcdefgh", 4) == ""


# Alternative text


def test_alternative_text_of_a_sign() -> None:
    assert alt("a red sign", with_text(line("STOP", 0.3))) == 'Sign that reads "STOP". A red sign.'
    assert alt("a red sign", with_text(line("STOP", 0.3)), unsure=True) == 'Sign that reads "STOP".'
    menu = replace(NOTHING, subjects=(Subject("menu", "菜单", 0.9),), text=(line("Tea 茶", 0.3),))
    assert alt("", menu) == 'Menu that reads "Tea 茶".'
    assert alt_text("一张菜单。", "a menu", True, menu, "zh") == "写着“Tea 茶”的菜单。"
    assert alt_text("", "", True, with_text(line("出租", 0.3)), "zh") == "文字：“出租”。"


def test_alternative_text_of_a_screenshot() -> None:
    rows = tuple(line(f"Row number {n} of the settings", 0.02) for n in range(9))
    shot = with_text(*rows, format="PNG")
    made = alt("a man in a blue shirt", shot)
    assert made.startswith('Screenshot that reads "Row number 0') and made.endswith('…".')
    assert len(made) <= ALT_MOST_CHARS and "man" not in made
    assert alt("a man", with_text(*rows)).startswith('Text that reads "Row')


def test_text_that_is_not_what_the_picture_is_about() -> None:
    assert alt(CAPTION, with_text(line("TAXI"))) == 'A brown dog runs through the grass. Text: "TAXI".'
    assert alt(CAPTION, with_text(line("TAXI", confidence=0.7))) == "A brown dog runs through the grass."
    assert alt(CAPTION, with_text(line("x" * 60))) == "A brown dog runs through the grass."
    assert not is_about_text(with_text(line("."), line("x", 0.9)))


def test_names_in_alternative_text() -> None:
    def of(name: str, confidence: float, unsure: bool = False) -> str:
        return alt(CAPTION, replace(NOTHING, subjects=(Subject(name, "名", confidence),)), unsure)

    assert of("golden retriever", 0.9) == "A brown dog runs through the grass (golden retriever)."
    assert of("golden retriever", 0.6) == "A brown dog runs through the grass (likely golden retriever)."
    assert of("golden retriever", 0.4) == of("dog", 0.9) == "A brown dog runs through the grass."
    assert of("espresso", 0.6, True) == "Likely espresso; perhaps a brown dog runs through the grass."


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("unsure", [True, False])
@pytest.mark.parametrize("words", [1, 12, 24, 40, 400])
@pytest.mark.parametrize("share", [0.001, 0.5])
def test_alternative_text_is_never_too_long(
    language: Language, unsure: bool, words: int, share: float
) -> None:
    caption = " ".join(["gallivanting"] * words)
    told = sentence(caption) if language == "en" else "狗" * words * 3 + "。"
    found = replace(
        NOTHING,
        subjects=(Subject("x" * 50, "名" * 50, 0.9),),
        text=tuple(line("SOMETHING 字 to say", share / words) for _ in range(words)),
    )
    made = alt_text(told, caption, unsure, found, language)
    assert 0 < len(made) <= ALT_MOST_CHARS and "\n" not in made
    for cut_word in made.replace("…", " ").replace(".", " ").split():
        assert not cut_word.startswith("galliv") or cut_word == "gallivanting"


# Facts and sentences


def test_text_in_a_picture_is_quoted_and_bounded() -> None:
    assert quoted([line('say "hi"'), line("now\nthen")], 99, "en") == "\"say 'hi' now then\""
    assert quoted([line("你好")], 99, "zh") == "“你好”" and quoted([], 99, "en") == ""
    long = facts("A page.", False, with_text(*(line("word " * 50) for _ in range(100))), "en")
    assert sum(map(len, long)) < 1000


def test_facts_keep_the_doubt() -> None:
    found = replace(
        NOTHING,
        subjects=(Subject("dog", "狗", 0.9), Subject("ball", "球", 0.6), Subject("cat", "猫", 0.1)),
        colours=(Colour("green", "绿色", "#00ff00", 0.5), Colour("red", "红色", "#ff0000", 0.01)),
    )
    assert facts("A dog.", True, found, "en") == (
        "Perhaps: A dog.",
        "Contents: dog and likely ball",
        "Main colours: green",
    )
    assert facts("一只狗。", True, found, "zh")[:2] == ("画面（不确定）：一只狗。", "内容：狗、很可能是球")
    assert "It shows dog; likely ball." in composed("A dog.", True, found, "en")
    assert "图中有狗，很可能有球。" in composed("一只狗。", True, found, "zh")
    doubtful = replace(NOTHING, subjects=(Subject("cat", "猫", 0.3), Subject("hat", "帽子", 0.25)))
    assert "图中也许有猫、帽子。" in composed("", False, doubtful, "zh")


# What models write


def test_only_large_models_compose() -> None:
    assert can_compose(fake_pack(parameters=1_543_714_304), "en")
    assert not can_compose(fake_pack(parameters=494_000_000), "en")
    assert not can_compose(fake_pack(parameters=3_000_000_000, languages=("en",)), "zh")
    assert can_compose(fake_pack(parameters=0, size_bytes=2_000_000_000), "en")


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("A dog runs. It was taken on 3 May 2024.", "en", True),
        ("It was taken at 7 in the morning.", "en", False),
        ("一只狗在跑。", "zh", True),
        ("A dog runs.", "zh", False),
        ("一只狗在跑。", "en", False),
        ("可能在草地上奔跑，" * 4, "zh", False),
        ("", "en", False),
    ],
)
def test_faithful(text: str, language: Language, kept: bool) -> None:
    assert is_faithful(text, ["Scene: A dog runs.", "Taken on: 3 May 2024, 14:22"], language) is kept


@pytest.mark.parametrize(
    ("english", "answer", "expected"),
    [
        ("A dog runs.", "一只狗在跑。", "一只狗在跑。"),
        ("A dog runs.", "译文：“一只狗在跑”\nA dog runs.", "一只狗在跑。"),
        ("Children play in a fountain.", "两个孩子在 fountain里玩耍。", "两个孩子在喷泉里玩耍。"),
        ("A man does tricks on skateboards.", "男子在 skateboards 上做 tricks。", "男子在滑板上做特技。"),
        ("A man visits Microsoft.", "一个人参观 Microsoft。", "一个人参观 Microsoft。"),
        ("A dog frolics.", "一只狗 frolics。", ""),
        ("A dog runs.", "A dog runs.", ""),
        ("A dog runs.", "", ""),
        ("A dog runs.", "狗" * 40, ""),
        ("A dog runs.", "好", ""),
        ("Two dogs run.", "兩隻狗在跑,很開心。", "两只狗在跑，很开心。"),
    ],
)
def test_translations(english: str, answer: str, expected: str) -> None:
    assert usable_chinese(english, answer) == expected


def test_hints_for_a_translation() -> None:
    found = hints("A skateboarder rides down a dirt path, wearing goggles.")
    assert found == {"dirt path": "土路", "skateboarder": "滑板手", "goggles": "护目镜"}
    assert hints("A cat.") == {}
