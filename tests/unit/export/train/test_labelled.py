"""The table of words, and what counts as naming a thing."""

from __future__ import annotations

import pytest

from export.train.labelled import TABLE, LabelWords, read_label_words


def test_the_table_is_whole() -> None:
    table = read_label_words()
    assert len(table) == 98 + 81 == len(TABLE.read_text("utf-8").splitlines()) - 1
    assert table["caltech101", "leopards"].named_in("Two leopards in a tree.")
    assert table["grocery", "kaiser"].named_in("A box of pears.")
    assert all(word == word.strip().lower() for row in table.values() for word in row.words)


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
    assert LabelWords(words).named_in(caption) == named
