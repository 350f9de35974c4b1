"""One script, whichever the model wrote, and Chinese signs."""

from __future__ import annotations

import pytest

from engine.results import Segment, Word
from engine.tasks.chinese import in_script, split_script


def segment(text: str, *words: str) -> Segment:
    said = tuple(Word(word, float(at), at + 1.0, 0.5) for at, word in enumerate(words))
    return Segment(1.0, 9.0, text, "zh", 0.9, said)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ("", "Hans")),
        ("zh", ("zh", "Hans")),
        (" ZH ", ("zh", "Hans")),
        ("zh-Hans", ("zh", "Hans")),
        ("zh-CN", ("zh", "Hans")),
        ("zh-Hant", ("zh", "Hant")),
        ("zh_TW", ("zh", "Hant")),
        ("zh-hk", ("zh", "Hant")),
        ("zh-Hant-HK", ("zh", "Hant")),
        ("yue-Hant", ("yue", "Hant")),
        ("en-US", ("en", "Hans")),
    ],
)
def test_language_and_script(given: str, expected: tuple[str, str]) -> None:
    assert split_script(given) == expected


def test_traditional_becomes_simplified() -> None:
    assert in_script(segment("我愛北京，學習漢語。"), "zh", "Hans").text == "我爱北京，学习汉语。"
    assert in_script(segment("我愛北京"), "yue", "Hans").text == "我爱北京"


def test_simplified_becomes_traditional_where_asked() -> None:
    assert in_script(segment("我爱北京，学习汉语。"), "zh", "Hant").text == "我愛北京，學習漢語。"


def test_what_is_right_stays() -> None:
    text = "你好，我是中国人。Hello, world! 3:15, 1,000"
    assert in_script(segment(text), "zh", "Hans").text == text


def test_latin_signs_after_chinese() -> None:
    found = in_script(segment("你好,你是谁?好!他说:对;走. OK, yes"), "zh", "Hans")
    assert found.text == "你好，你是谁？好！他说：对；走. OK, yes"


def test_other_languages_stay_as_they_are() -> None:
    japanese = segment("学習漢語,", "学習漢語,")
    assert in_script(japanese, "ja", "Hans") is japanese
    assert in_script(japanese, "en", "Hans") is japanese


def test_words_are_the_text() -> None:
    """A word alone is a character, whose traditional form hangs on what is beside it: 发 is 發 or 髮."""
    found = in_script(segment("头发,发现", "头", "发,", "发", "现"), "zh", "Hant")
    assert found.text == "頭髮，發現"
    assert [word.text for word in found.words] == ["頭", "髮，", "發", "現"]
    assert [word.start_s for word in found.words] == [0, 1, 2, 3] and found.words[1].confidence == 0.5


def test_words_with_spaces_keep_them() -> None:
    found = in_script(segment("我愛 Python", "我", "愛", " Python"), "zh", "Hans")
    assert (found.text, [word.text for word in found.words]) == ("我爱 Python", ["我", "爱", " Python"])


def test_an_empty_text() -> None:
    assert in_script(segment(""), "zh", "Hant").text == ""
