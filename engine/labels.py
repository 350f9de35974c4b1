"""The names of the classes that a picture's classifier knows.

In: a tab-separated file from a pack, one class a line in the classifier's order. Out: for each its names in English and Chinese, and
the everyday noun that many classes share (every breed is a dog).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

COLUMNS = ("index", "name", "noun", "zh", "noun_zh")


@dataclass(frozen=True)
class Label:
    """One class: "golden retriever", "dog", "金毛犬", "狗"."""

    name: str
    noun: str
    name_zh: str
    noun_zh: str


def load_labels(path: Path) -> tuple[Label, ...]:
    """The classes in ``path``, in order. Raises EngineError where the file is missing or not such a table."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path) from error
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise _broken(path)
    labels = []
    for index, line in enumerate(lines[1:]):
        cells = line.split("\t")
        if len(cells) != len(COLUMNS) or cells[0] != str(index) or not all(cells):
            raise _broken(path)
        labels.append(Label(*cells[1:]))
    return tuple(labels)


def _broken(path: Path) -> EngineError:
    return EngineError(
        "The names of the model's classes cannot be read ({file}).",
        "Remove the model and add it again.",
        file=path.name,
    )
