"""What people would call the things that the labelled photos show.

In: ``label_nouns.tsv`` beside this file: for every label an everyday phrase, and the words that count as naming it. Out:
:class:`LabelNoun`, for captions to train on and for counting how often a caption names the main subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.train.metrics import caption_words

TABLE = Path(__file__).with_name("label_nouns.tsv")


@dataclass(frozen=True)
class LabelNoun:
    """A thing in everyday words: ``phrase`` with its article; ``words`` name it, or what it is a kind of, well enough."""

    phrase: str
    words: tuple[str, ...]

    def named_in(self, caption: str) -> bool:
        """Whether a caption has one of the words, in the singular or plural."""
        text = f" {' '.join(caption_words(caption))} "
        return any(f" {form} " in text for word in self.words for form in _forms(word))


def read_nouns() -> dict[tuple[str, str], LabelNoun]:
    """By set and label, as in ``labels.jsonl``."""
    nouns = {}
    for line in TABLE.read_text("utf-8").splitlines()[1:]:
        source, label, phrase, words = line.split("\t")
        nouns[source, label] = LabelNoun(phrase, tuple(words.split("|")))
    return nouns


def _forms(word: str) -> tuple[str, ...]:
    plurals = (f"{word}s", f"{word}es")
    if word.endswith("y"):
        plurals += (f"{word[:-1]}ies",)
    return (word, *plurals, *({"man": ("men",), "woman": ("women",)}.get(word, ())))
