"""An image model that sees what it is told to see, and a chat model that says what it is told to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.cancel import Cancel
from engine.labels import Label
from engine.media.image import Picture, picture_from_pixels
from engine.packs import Pack
from engine.results import Finished, FinishReason, Look, Notice, TextChunk, TextLine
from engine.runtime.captions import Caption, CaptionOptions
from engine.runtime.chat_template import ChatTemplate
from engine.runtime.tokens import Tokenizer
from engine.tasks.chat import ChatOptions
from tests.fakes import fake_pack
from tests.unit.engine.runtime.tiny_tokenizer import CHATML, byte_level

LABELS = (
    Label("golden retriever", "dog", "金毛犬", "狗"),
    Label("tennis ball", "tennis ball", "网球", "网球"),
    Label("espresso", "coffee", "浓缩咖啡", "咖啡"),
)
CAPTION = "a brown dog runs through the grass ."


def image_pack(name: str = "tiny-captioner", **changes: Any) -> Pack:
    """An image pack that exists nowhere."""
    return fake_pack(name, **({"kind": "image", "display_name": "Tiny captioner"} | changes))


@dataclass
class FakeImageModel:
    """Says ``text`` about every picture; with ``probabilities`` for :data:`LABELS`."""

    text: str = CAPTION
    confidence: float = 0.6
    probabilities: Sequence[float] = (0.9, 0.05, 0.05)
    pack: Pack = field(default_factory=image_pack)
    provider: str = "CPU"
    notices: tuple[Notice, ...] = ()
    answers_questions: bool = False
    labels: tuple[Label, ...] = LABELS
    unsure_below: float = 0.3
    answer: str = "A dog, seen from the side."
    cancel_itself: bool = False
    seen: list[tuple[int, ...]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    talks: list[list[Any]] = field(default_factory=list)  # of turns
    closed: int = 0

    def caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        """What was set; all attention on the first of four fields."""
        self.seen.append(pixels.shape)
        attention = np.zeros((2, 2), np.float32)
        attention[0, 0] = 1
        looks: list[Look] = []
        at = 0
        for word in self.text.split() if options.looks else ():
            start = self.text.index(word, at)
            at = start + len(word)
            looks.append(Look(word, start, at, 0.5, attention))
        if self.cancel_itself:
            cancel.set()
        reason: FinishReason = "cancelled" if cancel.is_set else "stop"
        probabilities = np.array(self.probabilities, np.float32)
        return Caption(self.text, self.confidence, reason, tuple(looks), probabilities)

    def chat(self, turns: Sequence[Any], options: ChatOptions, cancel: Cancel) -> Iterator[object]:
        """What was set, word by word."""
        self.asked.append(turns[-1].text)
        self.talks.append(list(turns))
        yield from _said(self.answer, self.pack.name, cancel, lambda: None)

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class FakeChat:
    """Says the ``answers`` one after the other, the last one again and again; remembers what it was asked."""

    context_limit_tokens = 20_000

    def __init__(
        self, *answers: str, parameters: int = 3_000_000_000, languages: tuple[str, ...] = ("en",)
    ) -> None:
        self.answers = list(answers)
        self.pack = fake_pack("big-chat", display_name="Big chat", parameters=parameters, languages=languages)
        self.provider = "CPU"
        self.notices: tuple[Notice, ...] = ()
        self.tokenizer = Tokenizer("tiny", byte_level())
        self.template = ChatTemplate("tiny", CHATML)
        self.prompts: list[str] = []
        self.reason: FinishReason = "stop"
        self.midway: Callable[[], None] = lambda: None
        self.closed = 0

    def generate(self, ids: list[int], options: ChatOptions, cancel: Cancel) -> Iterator[object]:
        """The next answer, word by word."""
        self.prompts.append(self.tokenizer.decode(ids, True))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        yield from _said(answer, self.pack.name, cancel, self.midway, self.reason)

    def close(self) -> None:
        """Count it."""
        self.closed += 1


def _said(
    text: str, name: str, cancel: Cancel, midway: Callable[[], None], reason: FinishReason = "stop"
) -> Iterator[object]:
    given = ""
    for word in text.split(" "):
        if cancel.is_set:
            reason = "cancelled"
            break
        piece = f" {word}" if given else word
        given += piece
        yield TextChunk(piece)
        midway()
    yield Finished(reason, given, name, "CPU", 10, 0, 5, 15, 256, 0.1, 0.1, 0.1)


@dataclass
class FakeReader:
    """Reads what it is told to read."""

    lines: tuple[TextLine, ...] = ()
    error: Exception | None = None
    read_pictures: int = 0

    def read(self, pixels: NDArray[np.uint8], cancel: Cancel | None = None) -> tuple[TextLine, ...]:
        """What was set."""
        self.read_pictures += 1
        if self.error is not None:
            raise self.error
        return self.lines

    def close(self) -> None:
        """Nothing to free."""


def line(text: str, share: float = 0.01, confidence: float = 0.95) -> TextLine:
    """A line that covers so much of the picture."""
    return TextLine(text, confidence, (0.0, 0.0, 1.0, share))


def green_picture(width_px: int = 120, height_px: int = 80) -> Picture:
    """Grass, as far as a colour goes."""
    pixels = np.zeros((height_px, width_px, 3), np.uint8)
    pixels[..., 1] = 150
    return picture_from_pixels(pixels, "JPEG")


def save_picture(path: Path, colour: tuple[int, int, int] = (30, 150, 40)) -> Path:
    """A file with a picture in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (120, 80), colour).save(path)
    return path
