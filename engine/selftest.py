"""What ``pollux selftest`` checks: the best installed packs answer a question and understand a sentence, with no connection.

In: the packs. Out: :class:`SelfTestResult`. The packaged app is tested with it, on machines without Python.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from engine.cancel import Cancel
from engine.folders import resources_folder
from engine.packs import Pack
from engine.results import Finished, Segment, Transcribed
from engine.tasks.chat import GREEDY, Turn, chat

QUESTION, EXPECTED = "What is the capital of France?", "Paris"
SAMPLE, SPOKEN = "speech_en.flac", "weather"  # of resources/samples, and a word that is said in it
_NETWORK_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind")


@dataclass(frozen=True)
class Heard:
    """What the speech model made of the sample."""

    text: str
    end: Transcribed


@dataclass(frozen=True)
class SelfTestResult:
    """``answer`` and ``heard`` are None where there was no such pack; ``connections`` should be empty."""

    answer: Finished | None
    heard: Heard | None
    connections: tuple[str, ...]

    @property
    def answered(self) -> bool:
        """Whether the answer, if one was asked for, is right."""
        return self.answer is None or EXPECTED in self.answer.text

    @property
    def understood(self) -> bool:
        """Whether the sentence, if one was played, was understood."""
        return self.heard is None or SPOKEN in self.heard.text.casefold()

    @property
    def passed(self) -> bool:
        """Whether all is as it should be."""
        return self.answered and self.understood and not self.connections


class ConnectionWatch:
    """Notes every attempt to use the network from now on, by anything in this process that is Python."""

    def __init__(self) -> None:
        self.attempts: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: object) -> None:
        if event in _NETWORK_EVENTS:
            self.attempts.append(f"{event} {arguments}")


def run_selftest(
    chat_pack: Pack | None, speech_pack: Pack | None, device: str = "auto", threads: int = 0
) -> SelfTestResult:
    """Load one pack after the other and use it; raises EngineError where the engine does."""
    watch = ConnectionWatch()
    answer = None if chat_pack is None else _answer(chat_pack, device, threads)
    heard = None if speech_pack is None else _hear(speech_pack, device, threads)
    return SelfTestResult(answer, heard, tuple(watch.attempts))


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
