"""From what tokens looked at to what words looked at: the heat maps over a picture.

In: for each token of a caption how much it looked at each embedding of the prefix, and for each of those at which patches
it was made from. Out: one :class:`Look` for each word. A few embeddings take most of every word's attention, whatever the
word (they are where a decoder rests: arXiv:2309.17453), and patches differ less between embeddings than they have in common.
So only what is a word's own counts: embeddings that it looks at more than the other words do, and of an embedding
the patches that it was made from more than the others were.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.results import Look

# So much of what all embeddings were made from is taken away; the whole of it would be most of a close-up.
COMMON = 0.5
_TINY = 1e-12
_LEAST = 1e-4  # of what a word has of its own; less is rounding
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def looks_of(
    text: str,
    pieces: Sequence[str],
    logprobs: Sequence[float],
    token_weights: NDArray[np.float32],
    patch_weights: NDArray[np.float32],
) -> tuple[Look, ...]:
    """``pieces[n]`` is the text of the first n tokens.

    ``token_weights`` fp32 [tokens, Q], ``patch_weights`` fp32 [Q, rows, columns].
    ``text`` may begin with white space, which the caption does not have: offsets are those in ``text.strip()``.
    """
    # Later tokens look less at the picture and more at the text: their shares are compared.
    shares = token_weights / np.maximum(token_weights.sum(axis=1, keepdims=True), _TINY)  # [tokens, Q]
    usual = np.maximum(shares.mean(axis=0), _TINY)
    grid = patch_weights.shape[1:]
    patches = patch_weights.reshape(len(patch_weights), -1)  # [Q, N]
    own_patches = np.maximum(patches - COMMON * patches.mean(axis=0), 0)
    own_patches /= np.maximum(own_patches.sum(axis=1, keepdims=True), _TINY)
    cut = len(text) - len(text.lstrip())
    looks = []
    for match in _WORD.finditer(text):
        tokens = [
            n
            for n in range(len(shares))
            if len(pieces[n]) < match.end() and len(pieces[n + 1]) > match.start()
        ]
        if not tokens:
            continue
        own = np.maximum(shares[tokens].mean(axis=0) / usual - 1, 0) @ own_patches  # [N]
        total = float(own.sum())
        attention = own / total if total > _LEAST else np.full_like(own, 1 / own.size)
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
