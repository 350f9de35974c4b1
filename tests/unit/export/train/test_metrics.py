"""The metrics against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from export.train.metrics import (
    CiderD,
    DocumentFrequencies,
    bleu,
    caption_words,
    cider_d,
    document_frequencies,
    rouge_l,
)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog runs , and jumps .", "a dog runs and jumps"),
        ("The dog's ball isn't red!", "the dog 's ball is n't red"),
        ("the dog 's ball is n't red", "the dog 's ball is n't red"),
        ("They\u2019re \u201cready\u201d \u2014 I can't; we cannot...", "they 're ready i ca n't we can not"),
        (
            "A (small) 'red' t-shirt at 3:30 for 1,000 o'clock",
            "a small red t-shirt at 3:30 for 1,000 o'clock",
        ),
        ("black/white U.S. flag & 2 dogs' toys.", "black/white u.s. flag & 2 dogs toys"),
        ("one sentence.Another", "one sentence another"),
        ("", ""),
        (" .,!?-- ", ""),
    ],
)
def test_caption_words(caption: str, words: str) -> None:
    assert caption_words(caption) == words.split()


def test_bleu_clips_and_takes_the_closest_length() -> None:
    # "the" stands 7 times and counts twice; pairs never match. Lengths 6 and 8 are both 1 away from 7: the shorter counts.
    scores = bleu(["the the the the the the the"], [["the cat sat on the mat", "a b c d e f g the"]], 2)
    assert scores[0] == pytest.approx(2 / 7)
    assert scores[1] == pytest.approx(0, abs=1e-7)


def test_bleu_of_a_short_caption_is_less() -> None:
    scores = bleu(["a dog runs"], [["a dog runs on grass"]])
    assert scores[:3] == pytest.approx((math.exp(1 - 5 / 3),) * 3)


def test_bleu_is_counted_over_the_corpus() -> None:
    # 3 of 3 and 1 of 3 words: 4 of 6, not the mean of two ratios; pairs 2 of 2 and 0 of 2.
    one, two = bleu(["a dog runs", "the cat sits"], [["a dog runs"], ["the man stood"]], 2)
    assert one == pytest.approx(4 / 6)
    assert two == pytest.approx(math.sqrt(4 / 6 * 2 / 4))


def test_bleu_of_nothing() -> None:
    assert bleu([""], [["a dog"]]) == (0, 0, 0, 0)
    assert bleu([], []) == (0, 0, 0, 0)


def test_rouge_takes_best_precision_and_best_recall() -> None:
    # "a dog runs fast": 3 of 4 against the first (recall 3/5), 2 of 4 against the second (recall 2/2).
    score = rouge_l(["a dog runs fast"], [["a dog that runs away", "dog runs"]])
    precision, recall, weight = 3 / 4, 1.0, 1.2**2
    assert score == pytest.approx((1 + weight) * precision * recall / (recall + weight * precision))
    assert rouge_l(["a dog", "cat"], [["a dog"], ["bird"]]) == pytest.approx(0.5)
    assert rouge_l([], []) == 0


def test_document_frequencies_count_photos_not_sentences() -> None:
    frequencies = document_frequencies([["a dog", "a dog"], ["a cat"]])
    assert frequencies.photos == 2
    assert frequencies.counts[("a",)] == 2
    assert frequencies.counts[("a", "dog")] == 1
    assert frequencies.weight(("a",)) == 0
    assert frequencies.weight(("dog",)) == frequencies.weight(("never", "seen")) == pytest.approx(math.log(2))


def test_cider_of_the_same_sentence_is_a_quarter_for_each_order() -> None:
    mean, scores = cider_d(["dog runs", "cat"], [["dog runs"], ["cat"]])
    assert scores == pytest.approx([5.0, 2.5])  # orders 1 and 2 of 4; order 1 of 4
    assert mean == pytest.approx(3.75)


def test_cider_clips_what_is_repeated_and_punishes_length() -> None:
    frequencies = DocumentFrequencies(10, {})  # every n-gram weighs ln 10
    score = CiderD([["red dog"]], frequencies).score(0, "dog dog dog")
    # Words: min(3, 1) * 1 / (3 * sqrt 2); pairs: none in common. Lengths in pairs: 2 and 1.
    assert score == pytest.approx(10 / 4 / (3 * math.sqrt(2)) * math.exp(-1 / 72))


def test_cider_is_the_mean_over_references() -> None:
    scorer = CiderD([["dog", "cat"], ["bird"]])
    assert scorer.score(0, "Dog.") == pytest.approx(10 / 4 / 2)
    assert scorer.score(0, "") == 0
    assert scorer.score(1, "fish") == 0


def test_words_that_every_photo_has_count_nothing() -> None:
    assert cider_d(["a", "a"], [["a"], ["a"]]) == (0, [0, 0])
    assert cider_d([], []) == (0, [])
