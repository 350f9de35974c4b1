"""Opens image packs, whatever their family.

In: an image pack. Out: an :class:`ImageModel`: all of them describe a picture in a sentence, and some converse about it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.genai_config import CAPTIONER
from engine.labels import Label
from engine.packs import Pack, require_kind
from engine.results import Notice
from engine.runtime.captions import Caption, CaptionOptions


class ImageModel(Protocol):
    """An open image pack. One call at a time."""

    @property
    def pack(self) -> Pack:
        """What it was opened from."""
        ...

    @property
    def provider(self) -> str:
        """What it runs on: "CPU", "CUDA", ..."""
        ...

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know about how it was opened."""
        ...

    @property
    def answers_questions(self) -> bool:
        """Whether it also has ``chat`` (see :class:`engine.runtime.vision_chat_model.VisionChatModel`)."""
        ...

    @property
    def labels(self) -> tuple[Label, ...]:
        """The classes that a caption's probabilities are for; () where it has none."""
        ...

    @property
    def unsure_below(self) -> float:
        """A caption with less confidence should be read with doubt."""
        ...

    def caption(self, pixels: NDArray[np.uint8], options: CaptionOptions, cancel: Cancel) -> Caption:
        """One English sentence about ``pixels``, uint8 [height, width, 3] RGB, upright."""
        ...

    def close(self) -> None:
        """Free the memory. May be called twice."""
        ...


def open_image_model(pack: Pack, device: str = "auto", threads: int = 0) -> ImageModel:
    """Open ``pack`` on a device ("auto", "cpu", "cuda", ...); ``threads`` 0: one a physical core.

    Raises EngineError where it is no image pack, files are missing or damaged, or memory does not suffice.
    """
    require_kind(pack, "image")
    if pack.config.model_type == CAPTIONER:
        from engine.runtime.captioner import Captioner

        return Captioner.open(pack, device, threads)
    from engine.runtime.vision_chat_model import VisionChatModel

    return VisionChatModel.open(pack, device, threads)
