"""What an image model is asked for and what it answers: plain values between it and the task.

In: nothing. Out: :class:`CaptionOptions` and :class:`Caption`, which every family of image model takes and gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.results import FinishReason, Look


@dataclass(frozen=True)
class CaptionOptions:
    """``beams`` hypotheses are kept (1 is greedy); ``looks`` also asks where each word looked, in a second pass."""

    beams: int = 5
    max_new_tokens: int = 40
    looks: bool = False

    def __post_init__(self) -> None:
        if self.beams < 1 or self.max_new_tokens < 1:
            raise ValueError("beams and max_new_tokens begin at 1")


@dataclass(frozen=True)
class Caption:
    """One English sentence about a picture.

    ``confidence`` is the mean probability of its tokens (geometric), 0 to 1; ``probabilities`` are the calibrated ones of
    the classifier, float32 [classes], empty where the model has none; ``looks`` is empty unless asked for.
    """

    text: str
    confidence: float
    reason: FinishReason
    looks: tuple[Look, ...]
    probabilities: NDArray[np.float32]
