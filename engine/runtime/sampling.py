"""Logits in, one token id out.

In: logits ``[V]`` (float32, V vocabulary), the ids so far and how to sample. Out: an id. The steps, in this order, as
in transformers' ``generate``:

- repetition penalty: of every id so far, a positive logit is divided by it and a negative one multiplied
  (Keskar et al. 2019, CTRL, section 4.1, with the sign case of its reference code);
- temperature: logits / temperature; 0 means the largest logit, with no chance in it (greedy);
- top-k: the k largest, and those equal to the k-th (Fan et al. 2018, Hierarchical Neural Story Generation);
- top-p: of those, renormalised, the fewest largest whose probabilities reach p (Holtzman et al. 2019, nucleus);
- min-p: of those, the ones at least min_p times as probable as the most probable (Nguyen et al. 2024).

Only the candidates that can survive are ever sorted: V may be 150,000 and there is a token every few milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError

FIRST_CANDIDATES = 256


class SamplingOptions(Protocol):
    """How to sample. Off is 0 for top_k and min_p, 1 for top_p and repetition_penalty; greedy is temperature 0."""

    @property
    def temperature(self) -> float: ...
    @property
    def top_k(self) -> int: ...
    @property
    def top_p(self) -> float: ...
    @property
    def min_p(self) -> float: ...
    @property
    def repetition_penalty(self) -> float: ...
    @property
    def seed(self) -> int | None: ...


class Candidates(NamedTuple):
    """What may come next: ids and their probabilities (sum 1), the most probable first; by id if nothing was cut."""

    ids: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class Sampler:
    """Chooses the tokens of one answer; the same seed and logits give the same ids."""

    def __init__(self, options: SamplingOptions, context: Iterable[int] = ()) -> None:
        self._options = options
        self._random = np.random.Generator(np.random.PCG64(options.seed))
        self._penalised = options.repetition_penalty != 1
        self._seen: dict[int, None] = dict.fromkeys(context) if self._penalised else {}
        self._seen_ids = np.fromiter(self._seen, np.int64, len(self._seen))

    def choose(self, logits: NDArray[np.float32]) -> int:
        """The next id. Raises EngineError where the model gave no usable numbers."""
        if self._penalised:
            logits = self._penalise(logits)
        if self._options.temperature == 0:
            id_ = int(logits.argmax())  # of NaN, argmax gives the first
            check_finite(logits[id_])
        else:
            ids, probabilities = candidates(logits, self._options)
            at = np.searchsorted(probabilities.cumsum(), self._random.random(), side="right")
            id_ = int(ids[min(int(at), len(ids) - 1)])
        if self._penalised and id_ not in self._seen:
            self._seen[id_] = None
            self._seen_ids = np.append(self._seen_ids, id_)
        return id_

    def _penalise(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        known = self._seen_ids[self._seen_ids < len(logits)]
        penalty = np.float32(self._options.repetition_penalty)
        values = logits[known]
        logits = logits.copy()  # the buffer is the session's
        logits[known] = np.where(values > 0, values / penalty, values * penalty)
        return logits


def candidates(logits: NDArray[np.float32], options: SamplingOptions) -> Candidates:
    """The ids that may be chosen after temperature, top-k, top-p and min-p, and how probable each is."""
    largest = float(logits.max())  # NaN if there is any
    check_finite(largest)
    size, total = len(logits), None
    if 0 < options.top_k < size:
        ids = np.flatnonzero(logits >= np.partition(logits, size - options.top_k)[size - options.top_k])
    elif options.top_p < 1:
        ids, total = _enough_for_nucleus(logits, largest, options)
    elif options.min_p > 0:  # with room for rounding, the exact cut comes below
        ids = np.flatnonzero(logits >= largest + options.temperature * (math.log(options.min_p) - 1e-3))
    else:
        weights = _weights(logits, largest, options.temperature)
        return Candidates(np.arange(size), weights / weights.sum())
    ids = ids[np.argsort(-logits[ids], kind="stable")]
    weights = _weights(logits[ids], largest, options.temperature)
    if options.top_p < 1:
        needed = options.top_p * (weights.sum() if total is None else total)
        weights = weights[: int(np.searchsorted(weights.cumsum(), needed, side="left")) + 1]
    if options.min_p > 0:
        weights = weights[weights >= options.min_p]  # the largest is 1
    return Candidates(ids[: len(weights)], weights / weights.sum())


def _weights(logits: NDArray[np.float32], largest: float, temperature: float) -> NDArray[np.float64]:
    """Probabilities up to a factor; less the largest first, so that nothing overflows and that one has weight 1."""
    return np.exp((logits.astype(np.float64) - largest) / temperature)


def _enough_for_nucleus(
    logits: NDArray[np.float32], largest: float, options: SamplingOptions
) -> tuple[NDArray[np.int64], float | None]:
    """Ids of some of the largest logits, surely enough to reach top_p, and the sum of the weights of all.

    The sum is None where the ids are all there are.
    """
    with np.errstate(over="ignore"):  # in float32, for speed: only for the sum
        weights = np.exp((logits - np.float32(largest)) / np.float32(options.temperature))
    total = float(weights.sum(dtype=np.float64))
    size, count = len(logits), FIRST_CANDIDATES
    while count < size:
        some = logits >= np.partition(logits, size - count)[size - count]
        if weights[some].sum(dtype=np.float64) > options.top_p * total * (1 + 1e-6):
            return np.flatnonzero(some), total
        count *= 8
    return np.arange(size), None


def check_finite(largest: float | np.floating) -> None:
    """Raises EngineError unless the largest logit is a number."""
    if not np.isfinite(largest):
        raise EngineError(
            "The model gave no usable answer (its numbers are not finite).",
            "Verify the model's files, choose the CPU as device, or use another model.",
        )
