"""Beam search: several texts about one thing, written side by side, of which the likeliest is kept.

In: the logits after a prompt, and how to go on: a function that reads one more token for each row. Out: tokens and their
log probabilities. It finds likelier texts than always taking the likeliest token, for about twice the work of each token
(the rows share the weights and what the text is about).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.runtime.sampling import check_finite
from engine.runtime.session import Interrupted


class Writing(Protocol):
    """What is written: by which rules, and by whom."""

    @property
    def end(self) -> int:
        """The token that ends a text."""
        ...

    @property
    def closing(self) -> bool:
        """Whether the search should stop at once."""
        ...

    def mask(self, scores: NDArray[np.float32], ids: Sequence[int]) -> None:
        """Set to minus infinity, in ``scores`` [V], what may not follow ``ids``."""
        ...

    def advance(self, ids: Sequence[int], parents: Sequence[int]) -> NDArray[np.float32]:
        """Row n takes over the text of row ``parents[n]`` and reads ``ids[n]``; the logits [B, V] after that."""
        ...


@dataclass(frozen=True)
class Beam:
    """A text: its tokens without the end token, and the log probability of each, the end token's too if it ended."""

    ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    ended: bool = False

    @property
    def total(self) -> float:
        """Log probability of all tokens together."""
        return sum(self.logprobs)

    @property
    def mean(self) -> float:
        """Mean log probability, so that long texts are not worse for being long."""
        return self.total / max(len(self.logprobs), 1)


def beam_search(writing: Writing, begin: NDArray[np.float32], *, rows: int, room: int) -> Beam:
    """The likeliest text of at most ``room`` tokens; ``begin`` [V] are the logits after the prompt.

    Ends when ``rows`` texts have ended; of those, the one with the best mean wins. Raises Interrupted.
    """
    beams = [Beam()]
    logits = begin[None]
    ended: list[Beam] = []
    for _ in range(room):
        if writing.closing:
            raise Interrupted
        found: list[tuple[float, int, int, float]] = []  # total, row, token, its log probability
        for row, beam in enumerate(beams):
            scores = logits[row].copy()
            writing.mask(scores, beam.ids)
            for token_id, logprob in _best(scores, rows + 1):
                found.append((beam.total + logprob, row, token_id, logprob))
        found.sort(key=lambda item: -item[0])
        parents: list[int] = []
        kept: list[Beam] = []
        for _, row, token_id, logprob in found:
            beam = beams[row]
            if token_id == writing.end:
                ended.append(Beam(beam.ids, (*beam.logprobs, logprob), ended=True))
            else:
                kept.append(Beam((*beam.ids, token_id), (*beam.logprobs, logprob)))
                parents.append(row)
            if len(kept) == rows:
                break
        beams = kept
        if len(ended) >= rows or not beams:
            break
        while len(parents) < rows:  # a graph of so many rows runs with as many
            parents.append(parents[0])
        newest = [beam.ids[-1] for beam in beams]
        newest += [newest[0]] * (rows - len(newest))
        logits = writing.advance(newest, parents)
    return max(ended or beams, key=lambda beam: beam.mean)


def _best(logits: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
    """The likeliest tokens and their log probabilities."""
    top = logits.max()
    check_finite(top)
    total = np.log(np.exp(logits - top).sum())
    # Almost all are far below: look for the few that are near before sorting anything.
    near = np.flatnonzero(logits > top - 8)
    if len(near) < count:
        near = np.flatnonzero(logits > -np.inf)
    ids = near[np.argsort(-logits[near], kind="stable")[:count]]
    return [(int(token_id), float(logits[token_id] - top - total)) for token_id in ids]
