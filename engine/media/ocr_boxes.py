"""Where text stands: from a map of how likely each pixel is text to the narrowest turned boxes around the lines.

In: the detector's map. Out: :class:`TextBox` for each line, in the map's pixels. The steps are those of differentiable
binarization (Liao et al., 2020, section 3.4): a threshold, what hangs together, a box around each, grown by what the
detector was taught to shrink. Numpy alone: neither OpenCV, 150 MB in a packaged app, nor a library of polygons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TEXT_FROM = 0.3  # of a pixel's probability
LEAST_SCORE = 0.5  # of the mean over a box
GROWTH = 1.6  # area times this over perimeter is how far a box grows on each side
LEAST_SIDE_PX = 3.0  # of a box before it grows
BOXES_MAX = 1000  # the largest are kept
FLAT_RAD = np.deg2rad(1.5)  # boxes turned less are taken as upright: they are cut out exactly, and faster


@dataclass(frozen=True)
class TextBox:
    """A rectangle turned by at most 45°. ``corners`` is [4, 2], x and y: top left, top right, bottom right, bottom left."""

    corners: NDArray[np.float64]
    score: float

    @property
    def width(self) -> float:
        """Along the line, if it is one that runs from left to right."""
        return float(np.hypot(*(self.corners[1] - self.corners[0])))

    @property
    def height(self) -> float:
        """Across it."""
        return float(np.hypot(*(self.corners[3] - self.corners[0])))

    def scaled(self, x: float, y: float) -> TextBox:
        """The same box on a picture of another size."""
        return TextBox(self.corners * (x, y), self.score)


@dataclass(frozen=True)
class _Runs:
    """Neighbouring text pixels of a row: the row, the first column, the one behind the last. Sorted; [N] each."""

    rows: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


def text_boxes(probabilities: NDArray[np.float32]) -> list[TextBox]:
    """The boxes around what is text in ``probabilities`` [height, width], in no order."""
    mask = probabilities > TEXT_FROM
    if not mask.any():
        return []
    # One pixel more to the right and below closes the hairline gaps in a line.
    thick = mask.copy()
    thick[:, 1:] |= mask[:, :-1]
    thick[1:] |= thick[:-1].copy()
    runs = _runs(thick)
    groups = _groups(runs)
    order = np.argsort(groups, kind="stable")
    borders = np.flatnonzero(np.diff(groups[order])) + 1
    members = sorted(np.split(order, borders), key=len, reverse=True)[:BOXES_MAX]
    sums = np.zeros((probabilities.shape[0], probabilities.shape[1] + 1), np.float64)
    np.cumsum(probabilities, axis=1, out=sums[:, 1:])
    found = []
    for member in members:
        box = _box(runs, member, sums)
        if box is not None:
            found.append(box)
    return found


def _runs(mask: NDArray[np.bool_]) -> _Runs:
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return _Runs(rows, begins, ends)


def _groups(runs: _Runs) -> NDArray[np.int64]:
    """For each run the number of the group that it hangs together with, corners count."""
    width = int(runs.ends.max()) + 2
    first, last = runs.rows * width + runs.begins, runs.rows * width + runs.ends
    # Of the row above: from the first run that ends at or behind the begin, to the last that begins at or before the end.
    low = np.searchsorted(last, first - width, side="left")
    high = np.searchsorted(first, last - width, side="right")
    counts = np.maximum(high - low, 0)
    below = np.repeat(np.arange(len(first)), counts)
    above = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low, counts)
    parents = list(range(len(first)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    for one, other in zip(below.tolist(), above.tolist(), strict=True):
        mine, theirs = root(one), root(other)
        if mine != theirs:
            parents[max(mine, theirs)] = min(mine, theirs)
    return np.array([root(at) for at in range(len(parents))], np.int64)


def _box(runs: _Runs, member: NDArray[np.int64], sums: NDArray[np.float64]) -> TextBox | None:
    """The grown box around one group; None where it is too small or too unlikely."""
    rows, begins, ends = runs.rows[member], runs.begins[member], runs.ends[member]
    points = np.concatenate(
        [np.stack((begins, rows), 1), np.stack((ends - 1, rows), 1)]
    ).astype(np.float64)  # fmt: skip
    hull = _hull(points)
    along, (left, top, right, bottom) = _narrowest(hull)
    if min(right - left, bottom - top) < LEAST_SIDE_PX:
        return None
    across = np.array((-along[1], along[0]))
    corners = _corners(along, across, (left, top, right, bottom))
    score = _mean_within(sums, corners)
    if score < LEAST_SCORE:
        return None
    width, height = right - left, bottom - top
    grown = width * height * GROWTH / (2 * (width + height))
    # A pixel is a square, and its place here is that of its corner.
    grow = (left - grown, top - grown, right + grown + 1, bottom + grown + 1)
    return TextBox(_corners(along, across, grow), score)


def _corners(
    along: NDArray[np.float64], across: NDArray[np.float64], sides: tuple[float, float, float, float]
) -> NDArray[np.float64]:
    left, top, right, bottom = sides
    at = np.array(((left, top), (right, top), (right, bottom), (left, bottom)))
    return at @ np.stack((along, across))


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The convex hull of ``points`` [N, 2] (Andrew's monotone chain)."""
    ordered = sorted(set(map(tuple, points.tolist())))
    if len(ordered) < 3:
        return np.array(ordered)

    def half(path: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for x, y in path:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                kept.pop()
            kept.append((x, y))
        return kept[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _narrowest(hull: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float, float, float]]:
    """The direction [2] of the smallest rectangle around ``hull``, within 45° of upright, and its sides in it."""
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    angles = np.concatenate(((0.0,), (angles + np.pi / 4) % (np.pi / 2) - np.pi / 4))
    along = np.stack((np.cos(angles), np.sin(angles)), 1)  # [A, 2]
    across = np.stack((-along[:, 1], along[:, 0]), 1)
    u, v = hull @ along.T, hull @ across.T  # [points, A]
    areas = (np.ptp(u, axis=0) + 1) * (np.ptp(v, axis=0) + 1)
    best = int(areas.argmin())
    if abs(angles[best]) < FLAT_RAD:
        best = 0
    sides = (u[:, best].min(), v[:, best].min(), u[:, best].max(), v[:, best].max())
    return along[best], (float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3]))


def _mean_within(sums: NDArray[np.float64], corners: NDArray[np.float64]) -> float:
    """The mean probability within a turned box, from running sums along the rows [height, width + 1]."""
    height, width = sums.shape[0], sums.shape[1] - 1
    first = max(0, int(np.ceil(corners[:, 1].min() - 1e-6)))
    last = min(height - 1, int(np.floor(corners[:, 1].max() + 1e-6)))
    rows = np.arange(first, last + 1, dtype=np.float64)
    if not len(rows):
        return 0.0
    left, right = np.full(len(rows), np.inf), np.full(len(rows), -np.inf)
    for (x, y), (next_x, next_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside = (rows >= min(y, next_y) - 1e-6) & (rows <= max(y, next_y) + 1e-6)
        if abs(next_y - y) < 1e-6:
            at_begin, at_end = np.full(len(rows), min(x, next_x)), np.full(len(rows), max(x, next_x))
        else:
            at_begin = at_end = x + (rows - y) * (next_x - x) / (next_y - y)
        left = np.where(inside, np.minimum(left, at_begin), left)
        right = np.where(inside, np.maximum(right, at_end), right)
    begins = np.clip(np.ceil(left - 1e-6), 0, width)
    ends = np.clip(np.floor(right + 1e-6) + 1, 0, width)
    known = np.isfinite(begins) & np.isfinite(ends) & (ends > begins)
    if not known.any():
        return 0.0
    at, begin, end = rows[known].astype(int), begins[known].astype(int), ends[known].astype(int)
    return float((sums[at, end] - sums[at, begin]).sum() / (end - begin).sum())
