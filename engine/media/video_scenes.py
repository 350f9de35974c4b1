"""Which moments of a video stand for it: one of each scene, the long ones more often, none twice.

In: small copies of frames and their times, in order. Out: the chosen ones. Two frames are compared by their colours (which a
camera that moves does not change much) and by what is where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SMALL_PX = 32  # a frame is squeezed to a square of this side to be compared
_LEVELS = 4  # of each of the three colours, for the histogram
_DIFFERENT = 80.0  # mean difference of pixels that counts as nothing in common
# Of distances, 0 to 1.
CUT = 0.36  # a camera that turns quickly reaches 0.3 within half a second
SAME = 0.08
# Below this spread of its grey levels a frame is blank: a fade, a black beginning.
_BLANK = 6.0
GAP_S = 1.0  # chosen moments are at least so far apart
MORE_EVERY_S = 4.0  # a scene is shown again for each so many seconds, as far as there is room


@dataclass(frozen=True)
class Sight:
    """A frame, small: ``small`` is uint8 [SMALL_PX, SMALL_PX, 3]."""

    at_s: float
    small: NDArray[np.uint8]

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing to see."""
        return float(self.small.astype(np.float32).mean(axis=2).std()) < _BLANK


def distance(one: Sight, other: Sight) -> float:
    """How different two frames are, 0 to 1."""
    colours = float(np.abs(_histogram(one.small) - _histogram(other.small)).sum()) / 2
    moved = float(np.abs(one.small.astype(np.int16) - other.small).mean()) / _DIFFERENT
    return (colours + min(1.0, moved)) / 2


def choose(sights: Sequence[Sight], at_most: int, end_s: float = 0.0) -> tuple[Sight, ...]:
    """At most so many of ``sights``, in order, of a video that ends at ``end_s``; at least one, where there are any."""
    seen = [sight for sight in sights if not sight.is_blank] or list(sights[:1])
    if not seen:
        return ()
    scenes: list[list[Sight]] = [[seen[0]]]
    for before, sight in pairwise(seen):
        if distance(before, sight) > CUT:
            scenes.append([])
        scenes[-1].append(sight)
    borders_s = [*(scene[0].at_s for scene in scenes), max(end_s, seen[-1].at_s)]
    lengths_s = [end - begin for begin, end in pairwise(borders_s)]
    longest = sorted(range(len(scenes)), key=lambda at: -lengths_s[at])[:at_most]
    shares = dict.fromkeys(sorted(longest), 1)
    while sum(shares.values()) < at_most:
        most = max(shares, key=lambda at: lengths_s[at] / (shares[at] + 1))
        if lengths_s[most] / (shares[most] + 1) < MORE_EVERY_S:
            break
        shares[most] += 1
    chosen: list[Sight] = []
    for at, count in shares.items():
        for sight in _spread(scenes[at], lengths_s[at], count):
            if all(_apart(sight, other) for other in chosen):
                chosen.append(sight)
    return tuple(chosen)


def _spread(scene: list[Sight], length_s: float, count: int) -> list[Sight]:
    """So many of a scene, evenly in time, away from its borders."""
    wanted = [scene[0].at_s + length_s * (part + 0.5) / count for part in range(count)]
    times_s = np.array([sight.at_s for sight in scene])
    numbers = sorted({int(np.abs(times_s - at_s).argmin()) for at_s in wanted})
    return [scene[number] for number in numbers]


def _apart(one: Sight, other: Sight) -> bool:
    if abs(one.at_s - other.at_s) < GAP_S and distance(one, other) < CUT:
        return False
    return distance(one, other) > SAME


def _histogram(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    levels = (small.reshape(-1, 3) // (256 // _LEVELS)).astype(np.int64)
    numbers = (levels[:, 0] * _LEVELS + levels[:, 1]) * _LEVELS + levels[:, 2]
    return np.bincount(numbers, minlength=_LEVELS**3) / len(numbers)
