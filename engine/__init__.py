"""Runs model packs: chat and the other tasks, with no network. Importing this loads nothing heavy.

    from engine import Pollux

    with Pollux.load() as model:                      # the best installed models that fit this machine
        print(model.generate_text("Once upon a time"))
        print(model.transcribe("talk.m4a"))
        print(model.describe_image("photo.jpg", style="alt"))

In: the name of an installed model. Out: a :class:`Pollux`, whose methods are the tasks. Problems that the user can mend
are :class:`engine.errors.EngineError`.
"""

from __future__ import annotations

import os

# ONNX Runtime looks at this when it is imported. Without it, it keeps a database about the device and, a few seconds
# later, calls its maker (seen with strace); the Python call that turns events off comes too late for that.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import (
    Described,
    Finished,
    Notice,
    Progress,
    Segment,
    Style,
    TextChunk,
    Transcribed,
    Transcript,
    Word,
)

if TYPE_CHECKING:
    from engine.media.ocr import TextReader
    from engine.packs import Pack
    from engine.runtime.image_model import ImageModel
    from engine.runtime.language_model import LanguageModel
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.chat import ChatOptions, Turn
    from engine.tasks.describe import DescribeOptions

__all__ = [
    "Cancel",
    "Described",
    "EngineError",
    "Finished",
    "Notice",
    "Pollux",
    "Progress",
    "Segment",
    "TextChunk",
    "Transcript",
    "Word",
]


class Pollux:
    """Models and what can be done with them, each opened when first needed. One call at a time; close it to free memory."""

    def __init__(self, pack: Pack, device: str = "auto", threads: int = 0) -> None:
        """Use :meth:`load`."""
        self.pack = pack
        self._device, self._threads = device, threads
        self._language: LanguageModel | None = None
        self._speech: SpeechModel | None = None
        self._image: ImageModel | None = None
        self._writer: LanguageModel | None = None  # of descriptions, where that is another one than for chat
        self._reader: TextReader | None = None
        self._closed = False

    @classmethod
    def load(cls, name: str | Path | None = None, device: str = "auto", threads: int = 0) -> Pollux:
        """Open the installed model ``name``, or the largest of each kind that fits this machine, when first needed.

        A named model is opened at once, for its own tasks; for the others it is the best one that is installed. A ``Path``
        is the folder of a pack, installed or not. ``device`` is "auto", "cpu", "cuda", "directml" or "coreml"; a device
        that does not work is replaced by the CPU, and :attr:`notices` says so. ``threads`` 0 means one for each physical
        core.

        Raises EngineError: no such model, none installed, damaged files, not enough memory.
        """
        pollux = cls(_find(name), device, threads)
        if name is not None:
            pollux._open()
        return pollux

    @property
    def language_model(self) -> LanguageModel:
        """The model for text; opens it. Raises EngineError: none installed, damaged files, not enough memory."""
        self._check_open()
        if self._language is None:
            from engine.runtime.language_model import LanguageModel

            pack = self._pack_for("language")
            self._language = LanguageModel.open(pack, self._device, self._threads)
        return self._language

    @property
    def speech_model(self) -> SpeechModel:
        """The model for speech; opens it. Raises EngineError as :attr:`language_model`."""
        self._check_open()
        if self._speech is None:
            from engine.runtime.speech_model import SpeechModel

            pack = self._pack_for("speech")
            self._speech = SpeechModel.open(pack, self._device, self._threads)
        return self._speech

    @property
    def image_model(self) -> ImageModel:
        """The model for pictures; opens it. Raises EngineError as :attr:`language_model`."""
        self._check_open()
        if self._image is None:
            from engine.runtime.image_model import open_image_model

            self._image = open_image_model(self._pack_for("image"), self._device, self._threads)
        return self._image

    @property
    def provider(self) -> str:
        """What the model (:attr:`pack`) runs on: "CPU", "CUDA", "DirectML" or "CoreML". Opens it."""
        return self._open().provider

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know about how the models were opened that are open by now."""
        opened = (self._language, self._speech, self._image, self._writer)
        models = [model for model in opened if model is not None]
        return tuple(notice for model in models for notice in model.notices)

    def generate_text(self, prompt: str, **options: object) -> str:
        """Continue ``prompt`` as plain text, with no chat template, and return only what is new.

        ``options`` are the fields of :class:`engine.tasks.chat.ChatOptions` (``max_new_tokens``,
        ``temperature``, ``seed``, ``stop`` and so on). Raises EngineError if the prompt is empty or longer
        than the model's context, TypeError for an unknown option.
        """
        from engine.tasks.chat import ChatOptions

        chosen = ChatOptions(**options)  # type: ignore[arg-type]  # checked by the class
        model = self.language_model
        ids = model.tokenizer.encode(prompt, wrap=True)
        text = ""
        for item in model.generate(ids, chosen, Cancel()):
            if isinstance(item, Finished):
                text = item.text
        return text

    def chat(
        self, turns: Sequence[Turn], options: ChatOptions | None = None, cancel: Cancel | None = None
    ) -> Iterator[Progress | TextChunk | Notice | Finished]:
        """Answer the last of ``turns`` (:class:`engine.tasks.chat.Turn`), piece by piece.

        The joined text of all TextChunk items is that of the one Finished item at the end. Setting
        ``cancel`` from any thread ends it within a tenth of a second, with the text so far. Raises
        EngineError if the last turn is longer than the model's context.
        """
        from engine.tasks.chat import ChatOptions, chat

        return chat(self.language_model, turns, options or ChatOptions(), cancel or Cancel())

    def transcribe(
        self,
        path: str | Path,
        language: str = "",
        translate: bool = False,
        words: bool = False,
        **options: object,
    ) -> Transcript:
        """What is said in an audio or video file; ``str()`` of it is the text.

        ``language`` is a code ("zh") or an English name; "" finds it out. ``translate`` writes English whatever is said,
        ``words`` adds the times of words. ``options`` are further fields of
        :class:`engine.tasks.transcribe.TranscribeOptions`. Nothing of it is kept on the disk. Raises EngineError for a file
        that cannot be read, a language that is not known, and no speech model; TypeError for an unknown option.
        """
        from engine.tasks.spoken_languages import language_code
        from engine.tasks.transcribe import TranscribeOptions
        from engine.tasks.transcribe_file import transcribe_file
        from engine.tasks.transcript_formats import join_texts

        chosen = TranscribeOptions(language_code(language), translate, words, **options)  # type: ignore[arg-type]
        segments: list[Segment] = []
        ended: Transcribed | None = None
        for item in transcribe_file(self.speech_model, Path(path), chosen, Cancel(), None):
            if isinstance(item, Segment):
                segments.append(item)
            elif isinstance(item, Transcribed):
                ended = item
        if ended is None:
            raise RuntimeError("the transcription ended without a closing item")
        text = join_texts(segment.text for segment in segments)
        return Transcript(text, ended.language, tuple(segments), ended.audio_s, ended.model)

    def describe_image(
        self,
        path: str | Path,
        style: Style = "short",
        language: str = "",
        question: str = "",
        **options: object,
    ) -> Described:
        """What is in a picture; ``str()`` of it is the text.

        ``style`` is "short", "alt" (at most 125 characters, for a screen reader) or "detailed", ``language`` "en" or "zh".
        With a ``question`` the text answers it. ``options`` are further fields of
        :class:`engine.tasks.describe.DescribeOptions`. Chinese, details and answers get help from a chat model where one is
        installed that can give it. Raises EngineError for a file that is no picture, a question that no model here can
        answer, and no image model; TypeError for an unknown option.
        """
        from engine.tasks.describe import DescribeOptions, describe_file

        chosen = DescribeOptions(style, language, question, **options)  # type: ignore[arg-type]
        model, chat = self.image_model, self._writer_for(chosen)
        reader = self._text_reader() if chosen.read_text else None
        for item in describe_file(model, Path(path), chosen, Cancel(), chat, reader):
            if isinstance(item, Described):
                return item
        raise RuntimeError("the description ended without a closing item")

    def close(self) -> None:
        """Free the memory of the models. May be called twice."""
        self._closed = True
        for opened in (self._language, self._speech, self._image, self._writer, self._reader):
            if opened is not None:
                opened.close()

    def _open(self) -> LanguageModel | SpeechModel | ImageModel:
        if self.pack.kind == "image":
            return self.image_model
        return self.speech_model if self.pack.kind == "speech" else self.language_model

    def _writer_for(self, options: DescribeOptions) -> LanguageModel | None:
        """The chat model that helps to describe a picture; None where none is needed, or installed."""
        from engine.runtime.language_model import LanguageModel
        from engine.store import Store
        from engine.tasks.describe_models import chat_pack

        pack = chat_pack(Store.default(), options, self.image_model)
        if pack is None:
            return None
        for opened in (self._language, self._writer):
            if opened is not None and opened.pack.folder == pack.folder:
                return opened
        if self._writer is not None:
            self._writer.close()
        self._writer = LanguageModel.open(pack, self._device, self._threads)
        return self._writer

    def _text_reader(self) -> TextReader:
        if self._reader is None:
            from engine.media.ocr import TextReader

            self._reader = TextReader.open(self._threads)
        return self._reader

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("The model {model} is closed.", "Load it again.", model=self.pack.display_name)

    def _pack_for(self, kind: str) -> Pack:
        """The pack that was asked for where it is of this kind, else the best installed one."""
        if self.pack.kind == kind:
            return self.pack
        from engine.store import Store

        return Store.default().choose(None, kind)

    def __enter__(self) -> Pollux:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _find(name: str | Path | None) -> Pack:
    from engine.packs import read_pack
    from engine.store import Store

    if isinstance(name, Path):
        return read_pack(name)
    store = Store.default()
    if name is None:
        for kind in ("language", "image", "speech"):
            if (pack := store.best(kind=kind)) is not None:
                return pack
    return store.choose(name)
