"""What is said in a conversation about pictures, and what the model made of each picture.

In: pixels, and the features that the part which sees gives for them. Out: :class:`PictureTurn`; and
:class:`PictureMemory`, which hands out ids for the rows of features: numbers below zero, so that a prompt with pictures is
a list of ids like any other, and what was read of it before is known by them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MOST_FEATURE_BYTES = 128 << 20  # of pictures that no turn shows any more
ROWS = 1 << 20  # no picture has so many features

PictureKey = tuple[str, bool]  # a hash of the pixels, and whether the picture was split into tiles


@dataclass(frozen=True)
class PictureTurn:
    """One message of a conversation, with the pictures that stand before its text: uint8 [h, w, 3] RGB, upright."""

    role: Literal["system", "user", "assistant"]
    text: str
    pictures: tuple[NDArray[np.uint8], ...] = ()

    def __post_init__(self) -> None:
        if self.role not in ("system", "user", "assistant"):
            raise ValueError(f"role {self.role!r}")
        for pixels in self.pictures:
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
                raise ValueError(f"pixels {pixels.dtype} {pixels.shape}")


def picture_key(pixels: NDArray[np.uint8], split: bool) -> PictureKey:
    """The same for the same pixels, wherever they lie in memory."""
    digest = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16)
    digest.update(str(pixels.shape).encode())
    return digest.hexdigest(), split


class PictureMemory:
    """The features of pictures, by ids of their own."""

    def __init__(self) -> None:
        self._features: OrderedDict[PictureKey, tuple[int, NDArray[np.floating]]] = OrderedDict()
        self._rows: dict[int, NDArray[np.floating]] = {}
        self._next = 0

    def __contains__(self, key: PictureKey) -> bool:
        return key in self._features

    def add(self, key: PictureKey, features: NDArray[np.floating], shown: Collection[PictureKey]) -> None:
        """Keep ``features`` [rows, C]; lets go of the oldest that are not ``shown``, if it is too much."""
        self._features[key] = self._next, features
        self._rows[self._next] = features
        self._next += 1
        kept = sum(rows.nbytes for rows in self._rows.values())
        for old in [old for old in self._features if old not in shown]:
            if kept <= MOST_FEATURE_BYTES:
                break
            number, rows = self._features.pop(old)
            del self._rows[number]
            kept -= rows.nbytes

    def ids(self, key: PictureKey) -> range:
        """The ids of the picture's features; it counts as used now."""
        self._features.move_to_end(key)
        number, rows = self._features[key]
        first = -1 - number * ROWS
        return range(first, first - len(rows), -1)

    def fill_in(self, ids: Sequence[int], embeddings: NDArray[np.floating]) -> None:
        """Put features where ``ids`` are below zero: ``embeddings`` [T, C] for T ids."""
        for at, id_ in enumerate(ids):
            if id_ < 0:
                number, row = divmod(-1 - id_, ROWS)
                embeddings[at] = self._rows[number][row]

    def clear(self) -> None:
        """Forget all pictures."""
        self._features.clear()
        self._rows.clear()
