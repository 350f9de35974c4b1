"""What ``pollux selftest`` checks: the best installed packs answer a question, understand a sentence and describe a picture, with
no connection.

In: the packs. Out: :class:`SelfTestResult`. The packaged app is tested with it, on machines without Python.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.folders import resources_folder
from engine.packs import Pack
from engine.results import Described, Finished, Segment, Transcribed
from engine.tasks.chat import GREEDY, Turn, chat

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

QUESTION, EXPECTED = "What is the capital of France?", "Paris"
SAMPLE, SPOKEN = "speech_en.flac", "weather"  # of resources/samples, and a word that is said in it
LEAST_WORDS = 3  # of a description: the picture is a drawing, of which no model can be expected to say much
_NETWORK_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind")


@dataclass(frozen=True)
class Heard:
    """What the speech model made of the sample."""

    text: str
    end: Transcribed


@dataclass(frozen=True)
class SelfTestResult:
    """``answer``, ``heard`` and ``seen`` are None where there was no such pack; ``connections`` should be empty."""

    answer: Finished | None
    heard: Heard | None
    connections: tuple[str, ...]
    seen: Described | None = None

    @property
    def answered(self) -> bool:
        """Whether the answer, if one was asked for, is right."""
        return self.answer is None or EXPECTED in self.answer.text

    @property
    def understood(self) -> bool:
        """Whether the sentence, if one was played, was understood."""
        return self.heard is None or SPOKEN in self.heard.text.casefold()

    @property
    def described(self) -> bool:
        """Whether the picture, if one was shown, got a sentence."""
        return self.seen is None or len(self.seen.text.split()) >= LEAST_WORDS

    @property
    def passed(self) -> bool:
        """Whether all is as it should be."""
        return self.answered and self.understood and self.described and not self.connections


class ConnectionWatch:
    """Notes every attempt to use the network from now on, by anything in this process that is Python."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: object) -> None:
        if event in _NETWORK_EVENTS:
            self.attempts.append(f"{event} {arguments}")


def run_selftest(
    chat_pack: Pack | None,
    speech_pack: Pack | None,
    image_pack: Pack | None = None,
    device: str = "auto",
    threads: int = 0,
) -> SelfTestResult:
    """Load one pack after the other and use it; raises EngineError where the engine does."""
    watch = ConnectionWatch()
    answer = None if chat_pack is None else _answer(chat_pack, device, threads)
    heard = None if speech_pack is None else _hear(speech_pack, device, threads)
    seen = None if image_pack is None else _see(image_pack, device, threads)
    return SelfTestResult(answer, heard, tuple(watch.attempts), seen)


def _answer(pack: Pack, device: str, threads: int) -> Finished:
    from engine.runtime.language_model import LanguageModel

    model = LanguageModel.open(pack, device=device, threads=threads)
    try:
        options = replace(GREEDY, max_new_tokens=32)
        items = list(chat(model, [Turn("user", QUESTION)], options, Cancel()))
    finally:
        model.close()
    return next(item for item in reversed(items) if isinstance(item, Finished))


def _hear(pack: Pack, device: str, threads: int) -> Heard:
    from engine.media.audio import AudioFile
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.transcribe import TranscribeOptions, transcribe

    model = SpeechModel.open(pack, device=device, threads=threads)
    try:
        with AudioFile.open(resources_folder() / "samples" / SAMPLE) as audio:
            items = list(transcribe(model, audio, TranscribeOptions(language="en"), Cancel()))
    finally:
        model.close()
    end = next(item for item in reversed(items) if isinstance(item, Transcribed))
    text = "".join(item.text for item in items if isinstance(item, Segment))
    return Heard(text.strip(), end)


def _see(pack: Pack, device: str, threads: int) -> Described:
    from engine.media.image import picture_from_pixels
    from engine.media.ocr import TextReader
    from engine.runtime.image_model import open_image_model
    from engine.tasks.describe import DescribeOptions, describe

    model = open_image_model(pack, device, threads)
    try:
        reader = TextReader.open(threads)
        try:
            options = DescribeOptions()
            items = list(describe(model, picture_from_pixels(_drawing()), options, Cancel(), reader=reader))
        finally:
            reader.close()
    finally:
        model.close()
    return next(item for item in reversed(items) if isinstance(item, Described))


def _drawing() -> NDArray[np.uint8]:
    """Grass under a sky, and something brown on it."""
    import numpy as np

    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[:120] = (120, 180, 240)
    pixels[120:] = (60, 150, 50)
    pixels[130:190, 120:200] = (140, 90, 50)
    return pixels
