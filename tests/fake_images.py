"""Pictures for the app's tests: a model that sees what it is told.

In: captions, findings, gates and failures set by a test. Out: what the engine would say of a picture. Files are read by the
engine itself, so that a test drops real ones.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.image_items import ImageChoices
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.image import Picture
from engine.packs import Pack
from engine.results import Colour, Described, Findings, Look, Progress, Subject, TextChunk, TextLine

CAPTION = "a brown dog runs across the grass"
CHINESE = "一只棕色的狗跑过草地。"
DETAILED = (
    "A brown dog runs across green grass in daylight. It is most likely a golden retriever. "
    "A sign in the picture reads “Keep off the grass”."
)
ANSWER = "The dog is brown."
GRID = 7


def spot(x: float, y: float, spread: float = 0.16) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Attention that is strongest at a place of the picture, given in shares."""
    rows, columns = np.mgrid[0:GRID, 0:GRID]
    near = np.exp(
        -(((columns + 0.5) / GRID - x) ** 2 + ((rows + 0.5) / GRID - y) ** 2) / (2 * spread * spread)
    )
    return (near / near.sum()).astype(np.float32)


def looks_of(caption: str, confidence: float = 0.8) -> tuple[Look, ...]:
    """A look for each word, from left to right; the third word is doubtful."""
    looks, start = [], 0
    words = caption.split(" ")
    for number, word in enumerate(words):
        share = (number + 0.5) / len(words)
        sure = 0.2 if number == 2 else confidence
        looks.append(Look(word, start, start + len(word), sure, spot(0.15 + 0.7 * share, 0.62)))
        start += len(word) + 1
    return tuple(looks)


FINDINGS = Findings(
    width_px=1600,
    height_px=1200,
    format="JPEG",
    subjects=(
        Subject("golden retriever", "金毛寻回犬", 0.71),
        Subject("tennis ball", "网球", 0.12),
        Subject("park bench", "公园长椅", 0.05),
    ),
    text=(
        TextLine("Keep off the grass", 0.96, (0.62, 0.12, 0.9, 0.2)),
        TextLine("请勿踩踏草坪", 0.91, (0.62, 0.21, 0.88, 0.28)),
    ),
    colours=(
        Colour("green", "绿色", "#4f8a3c", 0.46),
        Colour("light blue", "浅蓝色", "#a9cdea", 0.31),
        Colour("brown", "棕色", "#8a5a33", 0.09),
    ),
    taken="2024-05-03 14:22:10",
    place="Budapest, Hungary",
    camera="Canon EOS 80D",
)


@dataclass
class FakeImages:
    """What the image model does. ``gate`` holds a description, or an answer, in its middle until it is set."""

    caption: str = CAPTION
    chinese: str = CHINESE
    detailed: str = DETAILED
    answer: str = ANSWER
    confidence: float = 0.66
    unsure: bool = False
    knows_chinese: bool = True
    sees: bool = False  # whether the model itself answers questions
    findings: Findings = FINDINGS
    writer: Pack | None = None  # the chat pack that is best for this; None: whichever is loaded
    gate: threading.Event | None = None
    error: Exception | None = None  # of describing
    errors: dict[str, Exception] = field(default_factory=dict)  # by file name, in the table
    question_error: EngineError | None = None
    frames: tuple[tuple[float, str], ...] = (
        (0.0, "a man walks a dog"),
        (4.2, CAPTION),
        (61.0, "two dogs play with a ball"),
    )
    asked: list[ImageChoices] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(
        default_factory=list
    )  # of the pictures that were seen, width and height
    chats: list[Any] = field(default_factory=list)
    overlays: list[str] = field(default_factory=list)

    def describe(
        self, model: Any, picture: Picture, choices: ImageChoices, cancel: Cancel, chat: Any
    ) -> Iterator[object]:
        """A picture, or an answer about it, in pieces."""
        self.asked.append(choices)
        self.chats.append(chat)
        self.sizes.append((picture.pixels.shape[1], picture.pixels.shape[0]))
        yield Progress("describe", 1, 3, "steps")
        if self.error is not None:
            raise self.error
        if choices.question and self.question_error is not None:
            raise self.question_error
        whole = self.described(choices, picture)
        if whole.composed_by and chat is not None:
            whole = replace(whole, composed_by=chat.pack.name)
        if choices.question and self.sees:
            yield Progress("prefill", 500, 900, "tokens")
            yield Progress("describe", 3, 17, "steps")
        spaced = " " in whole.text
        pieces = whole.text.split(" ") if spaced else list(whole.text)
        for number, piece in enumerate(pieces):
            if self.gate is not None and number == len(pieces) // 2:
                while not self.gate.wait(0.005) and not cancel.is_set:
                    pass
            if cancel.is_set:
                yield replace(whole, reason="cancelled", text=" ".join(pieces[:number]), looks=())
                return
            yield TextChunk(f" {piece}" if number and spaced else piece)
        yield whole

    def described(self, choices: ImageChoices, picture: Picture | None = None) -> Described:
        """The end of a description."""
        language = choices.language if self.knows_chinese else "en"
        composed = "qwen2.5-coder-1.5b" if language == "zh" or choices.style == "detailed" else ""
        sentence = f"{self.caption[0].upper()}{self.caption[1:]}."
        text = (
            self.chinese if language == "zh" else self.detailed if choices.style == "detailed" else sentence
        )
        if choices.question:
            text, composed = self.answer, "" if self.sees else "smollm2-135m"
        findings = self.findings
        if picture is not None:
            findings = replace(
                findings,
                width_px=picture.info.width_px,
                height_px=picture.info.height_px,
                format=picture.info.format,
                damage=picture.damage,
            )
        return Described(
            reason="stop",
            text=text,
            caption=self.caption,
            confidence=self.confidence,
            unsure=self.unsure,
            language=language,
            style=choices.style,
            findings=findings,
            looks=() if choices.question else looks_of(self.caption, self.confidence),
            model="pollux-captioner",
            composed_by=composed,
            provider="CPU",
            wall_s=0.41,
        )

    def describe_path(
        self, model: Any, path: Path, choices: ImageChoices, cancel: Cancel, chat: Any
    ) -> Iterator[object]:
        """A file, for the table."""
        from app.engine_door import read_picture

        if path.name in self.errors:
            raise self.errors[path.name]
        yield from self.describe(model, read_picture(path), choices, cancel, chat)

    def video(self, path: Path, choices: ImageChoices, cancel: Cancel) -> Iterator[object]:
        """A film of plain colours."""
        from engine.media.image import picture_from_pixels
        from engine.tasks.describe_video import KeyFrame

        for number, (at_s, caption) in enumerate(self.frames):
            if self.gate is not None and number == 1:
                while not self.gate.wait(0.005) and not cancel.is_set:
                    pass
            if cancel.is_set:
                return
            pixels = np.zeros((270, 480, 3), np.uint8)
            pixels[...] = ((90 + 60 * number) % 256, 140, 190 - 50 * number)
            seen = FakeImages(caption=caption, findings=Findings(480, 270, "h264"))
            yield KeyFrame(at_s, picture_from_pixels(pixels), seen.described(choices))
            yield Progress("describe", number + 1, len(self.frames), "pictures")
