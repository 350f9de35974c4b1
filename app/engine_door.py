"""The engine as the host sees it: every call that the app makes of it is here, and tests pass another door.

In: packs, files, turns, pictures, choices of the user. Out: models and generators of the engine. It is imported on first use,
on the lane that needs it, so that the window opens at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.image_items import SVG_SUFFIXES, ImageChoices
from app.speech_items import JournalAt, SpeechChoices
from engine.cancel import Cancel
from engine.results import Notice, Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.image_engine import OpenImageModel
    from engine.catalogue import Catalogue, CatalogueEntry
    from engine.media.image import Picture
    from engine.media.ocr import TextReader
    from engine.packs import Pack
    from engine.runtime.image_model import ImageModel
    from engine.runtime.language_model import LanguageModel
    from engine.runtime.speech_model import SpeechModel
    from engine.store import Store
    from engine.tasks.chat import ChatOptions, Turn
    from engine.tasks.describe_many import DescribeOne
    from engine.tasks.transcribe import LiveSource, TranscribeOptions


class EngineDoor:
    """The engine as the host sees it; tests pass another one."""

    def store(self) -> Store:
        """The installed packs."""
        from engine.store import Store

        return Store.default()

    def catalogue(self) -> Catalogue:
        """What can be got."""
        from engine.catalogue import read_catalogue

        return read_catalogue()

    def usable_memory_bytes(self) -> int:
        """Memory that a model may take here."""
        from engine.machine import usable_memory_bytes

        return usable_memory_bytes()

    def devices(self) -> tuple[str, ...]:
        """Devices that can be chosen; imports the runtime, so not for the UI thread."""
        from engine.runtime.devices import PREFERENCE, missing

        return ("cpu", *(device.key for device in PREFERENCE if missing(device) is None))

    def open_model(self, pack: Pack, device: str, threads: int) -> LanguageModel:
        """Load a model; slow."""
        from engine.runtime.language_model import LanguageModel

        return LanguageModel.open(pack, device=device, threads=threads)

    def chat(
        self, model: LanguageModel, turns: Sequence[Turn], options: ChatOptions, cancel: Cancel
    ) -> Iterator[object]:
        """Answer a conversation."""
        from engine.tasks.chat import chat

        return chat(model, turns, options, cancel)

    def open_speech(self, pack: Pack, device: str, threads: int) -> SpeechModel:
        """Load a speech model; slow."""
        from engine.runtime.speech_model import SpeechModel

        return SpeechModel.open(pack, device=device, threads=threads)

    def transcribe_file(
        self, model: SpeechModel, path: Path, choices: SpeechChoices, cancel: Cancel, resume: bool
    ) -> Iterator[object]:
        """Transcribe a file; what was transcribed is on the disk before it comes. First says where."""
        from engine.tasks.transcribe_file import model_key, transcribe_file
        from engine.tasks.transcript_journal import journal_path
        from engine.tasks.transcripts import transcripts_folder

        folder, options = transcripts_folder(), self._speech_options(choices)
        with contextlib.suppress(OSError):  # the file is gone: the run says so
            yield JournalAt(journal_path(folder, path, model_key(model), options))
        yield from transcribe_file(model, path, options, cancel, folder, resume)

    def listen(
        self, model: SpeechModel, source: LiveSource, choices: SpeechChoices, cancel: Cancel
    ) -> Iterator[object]:
        """Transcribe as it is said."""
        from engine.tasks.transcribe import transcribe_live

        return transcribe_live(model, source, self._speech_options(choices), cancel)

    @staticmethod
    def _speech_options(choices: SpeechChoices) -> TranscribeOptions:
        from engine.tasks.spoken_languages import language_code
        from engine.tasks.transcribe import TranscribeOptions

        return TranscribeOptions(
            language=language_code(choices.language), translate=choices.translate, words=choices.words
        )

    def open_image(self, pack: Pack, device: str, threads: int) -> OpenImageModel:
        """Load an image model; slow."""
        from engine.media.ocr import TextReader
        from engine.runtime.image_model import open_image_model

        return _ImageModel(open_image_model(pack, device=device, threads=threads), TextReader.open(threads))

    def open_picture(self, path: Path) -> Picture:
        """Read a picture file, or draw it."""
        return read_picture(path)

    def picture_from_pixels(self, pixels: NDArray[np.uint8], form: str) -> Picture:
        """A picture of pixels that the app has."""
        from engine.media.image import picture_from_pixels

        return picture_from_pixels(pixels, form)

    def thumbnail_jpeg(self, path: Path, side_px: int) -> bytes:
        """A small JPEG of a picture file."""
        from engine.media.image import thumbnail_jpeg

        return thumbnail_jpeg(path, side_px)

    def overlay_png(self, pixels: NDArray[np.uint8], attention: NDArray[np.float32], word: str) -> bytes:
        """The picture with where the model looked on it."""
        from engine.tasks.overlay import overlay_png

        return overlay_png(pixels, attention, word)

    def chat_pack(self, model: OpenImageModel, choices: ImageChoices) -> Pack | None:
        """The installed chat pack that is best for wording this; None where none could help."""
        from engine.tasks.describe import DescribeOptions
        from engine.tasks.describe_models import chat_pack

        assert isinstance(model, _ImageModel)
        options = DescribeOptions(choices.style, choices.language, choices.question)
        return chat_pack(self.store(), options, model.model)

    def describe(
        self,
        model: OpenImageModel,
        picture: Picture,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe a picture, or answer a question about it."""
        from engine.tasks.describe import DescribeOptions, describe

        assert isinstance(model, _ImageModel)
        options = DescribeOptions(
            choices.style,
            choices.language,
            choices.question,
            looks=not choices.question,
            earlier=choices.earlier,
        )
        return describe(model.model, picture, options, cancel, chat, model.reader)

    def describe_path(
        self,
        model: OpenImageModel,
        path: Path,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe a file for a table of many."""
        from engine.tasks.describe import DescribeOptions, describe

        assert isinstance(model, _ImageModel)
        options = DescribeOptions(choices.style, choices.language)
        return describe(model.model, read_picture(path), options, cancel, chat, model.reader)

    def describe_video(
        self,
        model: OpenImageModel,
        path: Path,
        choices: ImageChoices,
        cancel: Cancel,
        chat: LanguageModel | None,
    ) -> Iterator[object]:
        """Describe the key frames of a video."""
        from engine.tasks.describe import DescribeOptions
        from engine.tasks.describe_video import describe_video

        assert isinstance(model, _ImageModel)
        options = DescribeOptions(choices.style, choices.language, looks=True)
        return describe_video(model.model, path, options, cancel, chat, model.reader)

    def describe_many(
        self, describe_one: DescribeOne, paths: Sequence[Path], cancel: Cancel
    ) -> Iterator[object]:
        """Describe pictures one after the other."""
        from engine.tasks.describe_many import describe_many

        return describe_many(describe_one, paths, cancel)

    def add_model(self, entry: CatalogueEntry, store: Store, cancel: Cancel) -> Iterator[Progress | Pack]:
        """Get and build a model."""
        from engine.builder import add_model

        return add_model(entry, store, cancel)

    def check_builder(self) -> None:
        """EngineError where models cannot be built, as in the packaged app; looks at the disk."""
        from engine.builder import exporter_command

        exporter_command()


@dataclass(frozen=True)
class _ImageModel:
    """An image model, and what reads the text in pictures."""

    model: ImageModel
    reader: TextReader

    @property
    def pack(self) -> Pack:
        return self.model.pack

    @property
    def provider(self) -> str:
        return self.model.provider

    @property
    def notices(self) -> tuple[Notice, ...]:
        return self.model.notices

    def close(self) -> None:
        self.reader.close()
        self.model.close()


def read_picture(path: Path) -> Picture:
    """A picture file as the engine takes it; Qt draws what is no photo."""
    from engine.media.image import open_picture, picture_from_pixels

    if path.suffix.lower() not in SVG_SUFFIXES:
        return open_picture(path)
    from app.svg import draw_svg

    return picture_from_pixels(draw_svg(path), "SVG")
