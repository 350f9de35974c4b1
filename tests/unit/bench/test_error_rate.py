"""What counts as an error of a transcript, and what is only another way to write it."""

from __future__ import annotations

import pytest

from tests.bench.error_rate import Errors, align, errors, normalised, tokens


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Don't, I'm sure it's Bob’s!", "do not i am sure it is bob is"),
        ("FOUR FIVE ZERO THREE", "4503"),
        ("4, 5, 0, 3.", "4503"),
        ("six thousand, four hundred thirty-nine persons", "6,439 persons"),
        ("two hundred and six", "206"),
        ("in eighteen seventeen", "in 1817"),
        ("the twenty-first of May", "the 21st of may"),
        ("He went first.", "he went 1st"),
        ("seven and eight", "7 and 8"),
        ("Um, the colour of the theatre, uh, was grey.", "the color of the theater was gray"),
        ("He realised he had travelled.", "he realized he had traveled"),
        ("The Hon. H. G. Bennet", "the honorable h g bennet"),
        ("house-breaking [music]", "house breaking"),
        ("It costs $5, or 20%.", "it costs five dollars or twenty percent"),
        ("3.5 miles", "3.5 miles"),
        ("café", "cafe"),
    ],
)
def test_one_spelling_for_english(text: str, same: str) -> None:
    assert normalised(text, "en") == normalised(same, "en")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("挪用4000萬炒股，獲刑17年。", "挪用四千万炒股获刑十七年"),
        ("九三七四零四九二", "93740492"),
        ("四七二九七零幺幺", "47297011"),
        ("在34名決賽中", "在三十四名决赛中"),
        ("將370萬公款", "将三百七十万公款"),
        ("溫度設為2度", "温度设为两度"),
        ("３D打印", "三d打印"),
        ("2016年", "二零一六年"),
        ("1,050,300", "一百零五万零三百"),
        ("10008", "一万零八"),
        ("50%，3.25", "百分之五十三点二五"),
        ("100000000", "一亿"),
    ],
)
def test_one_spelling_for_chinese(text: str, same: str) -> None:
    assert normalised(text, "zh") == normalised(same, "zh")


def test_other_languages_lose_case_and_punctuation() -> None:
    assert tokens("L’École, déjà: ÜBER-all!", "fr") == ["l", "école", "déjà", "über", "all"]
    assert tokens("데이터, 모델", "ko") == list("데이터모델")


def test_errors_are_counted_by_kind() -> None:
    found = errors("the cat sat on the mat", "a cat sat the mat now", "en")

    assert found == Errors(reference=6, substitutions=1, deletions=1, insertions=1)
    assert found.rate == pytest.approx(0.5)
    assert (found + found).reference == 12


def test_no_text_at_all_and_text_out_of_nothing() -> None:
    assert errors("one two", "", "en").deletions == 1  # one number, "12"
    assert errors("", "thank you", "en").rate == 1
    assert errors("", "", "en").rate == 0


def test_chinese_is_compared_by_characters() -> None:
    assert errors("北湖公園", "北湖公原", "zh") == Errors(reference=4, substitutions=1)


def test_alignment_names_both_positions() -> None:
    assert align(["a", "b", "c"], ["a", "c"]) == [(0, 0), (1, None), (2, 1)]
    assert align([], ["a"]) == [(None, 0)]
