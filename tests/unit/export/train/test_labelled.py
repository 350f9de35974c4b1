"""The table of nouns, and what counts as naming a thing."""

from __future__ import annotations

import pytest

from export.train.labelled import TABLE, LabelNoun, read_nouns


def test_every_row_names_its_own_phrase() -> None:
    nouns = read_nouns()
    assert len(nouns) == 98 + 81
    assert len(nouns) == len(TABLE.read_text("utf-8").splitlines()) - 1
    assert [noun.phrase for noun in nouns.values() if not noun.named_in(noun.phrase)] == []


@pytest.mark.parametrize(
    ("words", "caption", "named"),
    [
        (("car",), "A red car.", True),
        (("car",), "Two cars on a road.", True),
        (("car",), "A carpet.", False),
        (("stop sign",), "A stop sign by a road.", True),
        (("stop sign",), "A sign that says stop.", False),
        (("watch",), "Three watches.", True),
        (("butterfly", "moth"), "Butterflies in a field.", True),
        (("man",), "Men in hats.", True),
        (("phone",), "", False),
    ],
)
def test_named_in(words: tuple[str, ...], caption: str, named: bool) -> None:
    assert LabelNoun("", words).named_in(caption) == named
