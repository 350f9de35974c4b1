"""Whether a caption names what a labelled photo shows.

In: ``label_words.tsv`` beside this file: for every label the everyday words that count as naming it, or what it is a kind
of ("flower" will do for a lotus, "dog" for a dalmatian). Out: :class:`LabelWords`, which looks for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.train.metrics import caption_words

TABLE = Path(__file__).with_name("label_words.tsv")


@dataclass(frozen=True)
class LabelWords:
    """The words for one thing, in the singular; some are two words."""

    words: tuple[str, ...]

    def named_in(self, caption: str) -> bool:
        """Whether a caption has one of the words, in the singular or plural."""
        text = f" {' '.join(caption_words(caption))} "
        return any(f" {form} " in text for word in self.words for form in _forms(word))


def read_label_words() -> dict[tuple[str, str], LabelWords]:
    """By set and label, as in ``labels.jsonl``."""
    rows = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()[1:]]
    return {(source, label): LabelWords(tuple(words.split("|"))) for source, label, words in rows}


def _forms(word: str) -> tuple[str, ...]:
    plurals = (f"{word}s", f"{word}es")
    if word.endswith("y"):
        plurals += (f"{word[:-1]}ies",)
    return (word, *plurals, *({"man": ("men",), "woman": ("women",)}.get(word, ())))
