"""Runs model packs: chat and the other tasks, with no network. Importing this loads nothing heavy.

    from engine import Pollux

    with Pollux.load() as model:                      # the best installed model that fits this machine
        print(model.generate_text("Once upon a time"))

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
from engine.results import Finished, Notice, Progress, TextChunk

if TYPE_CHECKING:
    from engine.packs import Pack
    from engine.runtime.language_model import LanguageModel
    from engine.tasks.chat import ChatOptions, Turn

__all__ = ["Cancel", "EngineError", "Finished", "Notice", "Pollux", "Progress", "TextChunk"]


class Pollux:
    """One open model and what can be done with it. One call at a time; close it to free its memory."""

    def __init__(self, language_model: LanguageModel) -> None:
        """Use :meth:`load`."""
        self.language_model = language_model

    @classmethod
    def load(cls, name: str | Path | None = None, device: str = "auto", threads: int = 0) -> Pollux:
        """Open the installed model ``name``, or the largest that fits this machine.

        A ``Path`` opens the pack in that folder, installed or not. ``device`` is "auto", "cpu", "cuda",
        "directml" or "coreml"; a device that does not work is replaced by the CPU, and :attr:`notices` says
        so. ``threads`` 0 means one for each physical core.

        Raises EngineError: no such model, none installed, damaged files, not enough memory.
        """
        from engine.runtime.language_model import LanguageModel

        return cls(LanguageModel.open(_find(name), device, threads))

    @property
    def pack(self) -> Pack:
        """What is known about the model."""
        return self.language_model.pack

    @property
    def provider(self) -> str:
        """What the model runs on: "CPU", "CUDA", "DirectML" or "CoreML"."""
        return self.language_model.provider

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know about how the model was opened."""
        return self.language_model.notices

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

    def close(self) -> None:
        """Free the model's memory. May be called twice."""
        self.language_model.close()

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
    return Store.default().choose(name)
