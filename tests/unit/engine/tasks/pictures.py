"""Descriptions and pictures for the tests of the batch, made on the spot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.errors import EngineError
from engine.results import Colour, Described, Findings, Subject, TextChunk, TextLine


def described(text: str = "a dog on grass", **changes: object) -> Described:
    """A description as the engine gives it."""
    values: dict[str, object] = {
        "reason": "stop",
        "text": text,
        "caption": text,
        "confidence": 0.8125,
        "unsure": False,
        "language": "en",
        "style": "short",
        "findings": Findings(
            40,
            30,
            "JPEG",
            (Subject("dog", "狗", 0.9), Subject("tennis ball", "网球", 0.05)),
            (TextLine("STOP 停", 0.97, (0.1, 0.2, 0.3, 0.4)), TextLine("Main St", 0.8, (0.1, 0.5, 0.3, 0.6))),
            (Colour("green", "绿色", "#00aa11", 0.5),),
        ),
        "looks": (),
        "model": "tiny-captioner",
        "composed_by": "",
        "provider": "CPU",
        "wall_s": 0.25,
    }
    return Described(**{**values, **changes})  # type: ignore[arg-type]


class FakeDescriber:
    """Says the name of each file; a name with "broken" in it is refused. ``seen`` counts."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, path: Path) -> Iterator[object]:
        self.seen.append(path.name)
        if "broken" in path.name:
            raise EngineError("{file} is no picture.", "Look at it.", file=path.name)
        path.read_bytes()
        yield TextChunk("a ")
        yield described(f"a picture of {path.stem}")
