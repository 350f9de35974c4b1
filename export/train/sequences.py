"""Lays photos and their captions out as the sequences that the decoder reads.

In: token ids of a photo's names and captions. Out: padded arrays for a batch. All captions of a photo share one
sequence, since the costly part before them is the same: each caption sees the prefix, the names, and itself, and its
positions go on where the names end, as if it were alone::

    [prefix Q][names, separator][caption 1][caption 2] ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_SHARED, _PADDING = 0, -1  # numbers of segments; captions are 1, 2 ...


@dataclass(frozen=True)
class Item:
    """One photo of a batch: tokens of what stands before (the separator last) and of each caption (no end)."""

    prompt: tuple[int, ...]
    captions: tuple[tuple[int, ...], ...]

    @property
    def text_tokens(self) -> int:
        """Tokens of text in its sequence."""
        return len(self.prompt) + sum(len(caption) for caption in self.captions)

    @property
    def targets(self) -> int:
        """Tokens that are predicted: every caption's, and its end."""
        return sum(len(caption) + 1 for caption in self.captions)


@dataclass(frozen=True)
class Batch:
    """Arrays for B photos of up to T tokens, prefix included.

    ``ids`` [B, T-Q] are the tokens after the prefix, ``positions`` [B,T], ``mask`` [B,T,T] (0 or -inf). Prediction
    i of all K is read at the flat place ``places[i]`` of B*T and should be ``targets[i]``; it belongs to caption
    ``captions[i]``, counted through the batch.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    places: Tensor
    targets: Tensor
    captions: Tensor


def lay_out(items: Sequence[Item], prefix: int, end: int, multiple: int = 8) -> Batch:
    """The arrays for these photos; T is rounded up to a multiple, so that fewer shapes come up."""
    tokens = prefix + max(item.text_tokens for item in items)
    tokens = -(-tokens // multiple) * multiple
    ids = np.zeros((len(items), tokens), np.int64)
    positions = np.zeros((len(items), tokens), np.int64)
    segments = np.full((len(items), tokens), _PADDING, np.int64)
    places: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    number = 0
    for row, item in enumerate(items):
        begin = prefix + len(item.prompt)
        ids[row, prefix:begin] = item.prompt
        positions[row, :begin] = np.arange(begin)
        segments[row, :begin] = _SHARED
        place = begin
        for segment, caption in enumerate(item.captions, start=1):
            after = place + len(caption)
            ids[row, place:after] = caption
            positions[row, place:after] = np.arange(begin, begin + len(caption))
            segments[row, place:after] = segment
            places += [row * tokens + begin - 1, *range(row * tokens + place, row * tokens + after)]
            targets += [*caption, end]
            owners += [number] * (len(caption) + 1)
            place, number = after, number + 1
    return Batch(
        torch.from_numpy(ids[:, prefix:]),
        torch.from_numpy(positions),
        _mask(torch.from_numpy(segments)),
        torch.tensor(places),
        torch.tensor(targets),
        torch.tensor(owners),
    )


def _mask(segments: Tensor) -> Tensor:
    """Segments [B,T] -> what is added to the scores [B,T,T]: earlier tokens of the own segment or the shared one."""
    tokens = segments.shape[1]
    own, other = segments[:, :, None], segments[:, None, :]
    order = torch.arange(tokens)
    sees = ((other == own) | (other == _SHARED)) & (order[None, :] <= order[:, None])
    return torch.zeros(sees.shape).masked_fill(~sees, float("-inf"))
