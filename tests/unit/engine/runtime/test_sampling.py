"""Sampling against its definitions, written out the slow way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from engine.errors import EngineError
from engine.runtime.sampling import Sampler, candidates


@dataclass(frozen=True)
class Options:
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = 1


def by_definition(logits: np.ndarray, options: Options) -> dict[int, float]:
    """The same by sorting everything."""
    scaled = logits.astype(np.float64) / options.temperature
    order = sorted(range(len(scaled)), key=lambda id_: (-scaled[id_], id_))
    if options.top_k:
        least = scaled[order[min(options.top_k, len(order)) - 1]]
        order = [id_ for id_ in order if scaled[id_] >= least]

    def probabilities() -> np.ndarray:
        weights = np.exp(scaled[order] - scaled[order[0]])
        return weights / weights.sum()

    if options.top_p < 1:
        reached, kept = 0.0, 0
        for probability in probabilities():
            reached, kept = reached + probability, kept + 1
            if reached >= options.top_p:
                break
        order = order[:kept]
    if options.min_p:
        share = probabilities()
        order = [id_ for id_, p in zip(order, share, strict=True) if p >= options.min_p * share[0]]
    return dict(zip(order, probabilities(), strict=True))


@pytest.mark.parametrize("seed", range(60))
def test_candidates_are_those_of_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = int(random.choice([1, 2, 5, 300, 5000]))
    logits = (random.normal(size=size) * random.choice([0.01, 1, 8])).astype(np.float32)
    if seed % 5 == 0:
        logits = logits.round(1)  # ties
    options = Options(
        temperature=float(random.uniform(0.2, 2)),
        top_k=int(random.choice([0, 1, 40, 10_000])),
        top_p=float(random.choice([1.0, random.uniform(0.01, 0.99), 0.999])),
        min_p=float(random.choice([0.0, random.uniform(0.001, 0.5)])),
    )
    expected = by_definition(logits, options)
    found = candidates(logits, options)
    assert sorted(found.ids.tolist()) == sorted(expected)
    np.testing.assert_allclose(found.probabilities, [expected[id_] for id_ in found.ids.tolist()], rtol=1e-9)
    if len(expected) < size:
        assert found.ids.tolist() == list(expected)  # the most probable first


def test_candidates_of_a_flat_distribution_beyond_the_first_guess() -> None:
    found = candidates(np.zeros(10_000, np.float32), Options(top_p=0.7))
    assert len(found.ids) == 7000
    assert found.ids[0] == 0


def test_choice_follows_the_probabilities() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    sampler = Sampler(Options(seed=3))
    counts = Counter(sampler.choose(logits) for _ in range(20_000))
    for id_, probability in enumerate([0.5, 0.3, 0.15, 0.05]):
        assert counts[id_] / 20_000 == pytest.approx(probability, abs=0.015)


def test_same_seed_same_ids() -> None:
    logits = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    options = Options(top_k=40, seed=7)
    first, second = Sampler(options), Sampler(options)
    chosen = [first.choose(logits) for _ in range(50)]
    assert chosen == [second.choose(logits) for _ in range(50)]
    assert len(set(chosen)) > 5
    other = Sampler(Options(top_k=40, seed=8))
    assert chosen != [other.choose(logits) for _ in range(50)]


def test_without_a_seed_answers_differ() -> None:
    logits = np.zeros(100_000, np.float32)
    assert Sampler(Options(seed=None)).choose(logits) != Sampler(Options(seed=None)).choose(logits)


def test_greedy_takes_the_first_largest_and_leaves_the_logits_alone() -> None:
    logits = np.array([1, 5, 5, -1], np.float32)
    assert Sampler(Options(temperature=0, repetition_penalty=1.2), [0]).choose(logits) == 1
    assert logits.tolist() == [1, 5, 5, -1]


def test_repetition_penalty_divides_positive_and_multiplies_negative_logits() -> None:
    options = Options(temperature=0, repetition_penalty=2.0)
    sampler = Sampler(options, [0, 9_999])  # an id beyond the logits is nobody's
    assert sampler.choose(np.array([3, 1.6], np.float32)) == 1  # 3/2 < 1.6
    assert sampler.choose(np.array([-1, -1.5], np.float32)) == 0  # now both: -2 > -3
    assert Sampler(options, [1]).choose(np.array([-1.5, -1], np.float32)) == 0  # -1.5 > -2


@pytest.mark.parametrize("temperature", [0, 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none(temperature: float, bad: float) -> None:
    logits = np.zeros(500, np.float32)
    logits[77] = bad
    with pytest.raises(EngineError, match="not finite"):
        Sampler(Options(temperature=temperature)).choose(logits)
    with pytest.raises(EngineError, match="not finite"):
        Sampler(Options(temperature=temperature)).choose(np.full(5, -np.inf, np.float32))


def test_a_tiny_temperature_does_not_overflow() -> None:
    logits = np.array([0, 80, 79], np.float32)
    assert Sampler(Options(temperature=1e-6)).choose(logits) == 1
