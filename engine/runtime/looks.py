"""From what tokens looked at to what words looked at: the heat maps over a picture.

In: for each token of a caption how much it looked at each patch. Out: one :class:`Look` for each word. What all words
look at alike says nothing about any of them, so that the part they share is taken away.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.results import Look

SHARED = 0.8  # so much of what all words look at on average is taken away
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def looks_of(
    text: str,
    pieces: Sequence[str],
    logprobs: Sequence[float],
    patches: NDArray[np.float32],
    grid: tuple[int, int],
) -> tuple[Look, ...]:
    """``pieces[n]`` is the text of the first n tokens; ``patches`` fp32 [tokens, N], N = rows * columns of ``grid``.

    ``text`` may begin with white space, which the caption does not have: offsets are those in ``text.strip()``.
    """
    patches = patches / np.maximum(patches.sum(axis=1, keepdims=True), 1e-12)
    shared = patches.mean(axis=0)
    cut = len(text) - len(text.lstrip())
    looks = []
    for match in _WORD.finditer(text):
        tokens = [
            n
            for n in range(len(patches))
            if len(pieces[n]) < match.end() and len(pieces[n + 1]) > match.start()
        ]
        if not tokens:
            continue
        own = np.maximum(patches[tokens].mean(axis=0) - SHARED * shared, 0)
        total = float(own.sum())
        attention = own / total if total > 0 else np.full_like(own, 1 / own.size)
        confidence = math.exp(sum(logprobs[n] for n in tokens) / len(tokens))
        looks.append(
            Look(
                match[0],
                match.start() - cut,
                match.end() - cut,
                min(confidence, 1.0),
                attention.reshape(grid).astype(np.float32),
            )
        )
    return tuple(looks)
