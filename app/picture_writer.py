"""The chat model that words what pictures show: the best installed one for it, whichever the chat uses.

In: the door to the engine, the chat's model if one is loaded, an open image model and what is wanted of it. Out: an open chat
model, or None where none could help. The chat's own is used where it is the best; else another one is opened beside it and kept
until it is freed, so that a row of pictures opens it once. All of it is called on the lane of the chat's model.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Protocol

from app.image_items import ImageChoices
from engine.errors import EngineError
from engine.results import Notice, Progress

if TYPE_CHECKING:
    from app.image_engine import OpenImageModel
    from engine.packs import Pack
    from engine.runtime.language_model import LanguageModel


class WriterDoor(Protocol):
    """What the engine does for it."""

    def chat_pack(self, model: OpenImageModel, choices: ImageChoices) -> Pack | None:
        """The installed chat pack that is best for this; None where none could help."""
        ...

    def open_model(self, pack: Pack, device: str, threads: int) -> LanguageModel:
        """Load a chat model; slow."""
        ...


class PictureWriter:
    """Owns the chat model that was opened for pictures, if one is."""

    def __init__(self, door: WriterDoor, chat: Callable[[], LanguageModel | None]) -> None:
        """``chat`` gives the chat's model, if one is loaded."""
        self._door, self._chat = door, chat
        self._opened: LanguageModel | None = None
        self._opened_as: tuple[str, str, int] | None = None
        self._refused: tuple[str, str, int] | None = (
            None  # what could not be opened is not tried for every picture
        )

    @property
    def is_spent(self) -> bool:
        """Whether :meth:`free` would change anything: a model of its own takes memory, or one could not be opened."""
        return self._opened is not None or self._refused is not None

    def take(
        self, model: OpenImageModel, choices: ImageChoices, device: str, threads: int
    ) -> Generator[Progress | Notice, None, LanguageModel | None]:
        """The model for this, opened if it must be. Where it cannot be, the chat's own does what it can.

        Raises EngineError where a question is asked and no model at all is left to answer it.
        """
        pack, chat = self._door.chat_pack(model, choices), self._chat()
        if pack is None:
            return chat  # it cannot help; describe() says what is missing
        if chat is not None and chat.pack.name == pack.name:
            self.free()
            return chat
        wanted = (pack.name, device, threads)
        if self._opened is not None and self._opened_as == wanted:
            return self._opened
        if wanted == self._refused:
            return chat
        self.free()
        yield Progress("load", 0, None, "steps")
        try:
            self._opened = self._door.open_model(pack, device, threads)
        except EngineError as error:
            if choices.question and chat is None:
                raise
            self._refused = wanted
            yield Notice("writer_not_opened", error.message_template, dict(error.values))
            return chat
        self._opened_as = wanted
        yield from self._opened.notices
        return self._opened

    def free(self) -> None:
        """Give its memory back; the chat's own model stays."""
        if self._opened is not None:
            self._opened.close()
        self._opened = self._opened_as = self._refused = None
