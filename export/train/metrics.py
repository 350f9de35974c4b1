"""How near captions are to what people wrote: BLEU, ROUGE-L and CIDEr-D, as the COCO caption evaluation counts them.

In: captions, and for each the sentences that people wrote of the same photo. Out: figures, 0 to 1 (CIDEr-D may exceed 1).
Only Python's own library is used: training calls :class:`CiderD` for every caption that it samples.

Sources: Papineni et al. 2002 (BLEU), Lin 2004 (ROUGE-L), Vedantam et al. 2015 (CIDEr-D); details that papers leave open (the
reference length, sigma, what idf counts) follow the COCO caption evaluation, so that figures compare with published ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ORDERS = 4  # n-grams of 1 to 4 words
CIDER_SIGMA = 6.0  # words; how much a difference of length costs
ROUGE_BETA = 1.2  # recall counts more than precision
NEARLY_0, BESIDE_0 = (
    1e-15,
    1e-9,
)  # as there: BLEU of a few captions without one common run of 4 words is small, not 0

Words = list[str]
NGram = tuple[str, ...]

_CURLY = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": " ", "\u2014": " "}
)
_CLITIC = r"'(?:s|m|d|re|ve|ll)(?!\w)"
_TOKEN = re.compile(
    rf"""{_CLITIC}
    | n't(?!\w)
    | (?:[^\W\d_]\.){{2,}}                              # u.s.
    | \d+(?:[.,:]\d+)+                                  # 1,000 or 3:30
    | \w+?(?=n't(?!\w))                                 # do|n't
    | can(?=not(?!\w))
    | \w+(?:(?:[-/&]|(?!{_CLITIC})')\w+)*               # t-shirt, o'clock
    | [&$%#@+=*]""",
    re.VERBOSE,
)


def caption_words(caption: str) -> Words:
    """Lower-case words without punctuation, contractions split ("isn't" -> "is", "n't"), as the Penn treebank has them."""
    return _TOKEN.findall(caption.lower().translate(_CURLY))


def bleu(
    candidates: Sequence[str], references: Sequence[Sequence[str]], n: int = ORDERS
) -> tuple[float, ...]:
    """BLEU-1 to BLEU-n of a corpus, against the reference that is closest in length (the shorter of two)."""
    matched, proposed = [0] * n, [0] * n
    candidate_words = reference_words = 0
    for candidate, sentences in zip(candidates, references, strict=True):
        words = caption_words(candidate)
        wanted = [caption_words(sentence) for sentence in sentences]
        candidate_words += len(words)
        reference_words += min((abs(len(other) - len(words)), len(other)) for other in wanted)[1]
        most: Counter[NGram] = Counter()
        for other in wanted:
            most |= ngrams(other, n)
        for ngram, count in ngrams(words, n).items():
            proposed[len(ngram) - 1] += count
            matched[len(ngram) - 1] += min(count, most[ngram])
    if not candidate_words:
        return (0.0,) * n
    brevity = math.exp(min(0.0, 1 - (reference_words + BESIDE_0) / (candidate_words + NEARLY_0)))
    scores, product = [], 1.0
    for order in range(n):
        product *= (matched[order] + NEARLY_0) / (proposed[order] + BESIDE_0)
        scores.append(brevity * product ** (1 / (order + 1)))
    return tuple(scores)


def rouge_l(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """The mean F of the longest common subsequence; best precision and best recall over the references, each by itself."""
    total = 0.0
    for candidate, sentences in zip(candidates, references, strict=True):
        words = caption_words(candidate)
        precision = recall = 0.0
        for sentence in sentences:
            other = caption_words(sentence)
            if words and other:
                common = _common_words(words, other)
                precision, recall = max(precision, common / len(words)), max(recall, common / len(other))
        if precision and recall:
            weight = ROUGE_BETA**2
            total += (1 + weight) * precision * recall / (recall + weight * precision)
    return total / len(candidates) if candidates else 0.0


@dataclass(frozen=True)
class DocumentFrequencies:
    """In how many photos' references each n-gram stands, out of how many photos: what makes a rare word weigh more."""

    photos: int
    counts: dict[NGram, int]

    def weight(self, ngram: NGram) -> float:
        """The natural logarithm of photos / (photos that have it); an unknown n-gram counts as one photo's."""
        return math.log(self.photos) - math.log(max(1, self.counts.get(ngram, 0)))


def document_frequencies(references: Sequence[Sequence[str]]) -> DocumentFrequencies:
    """Count n-grams of a data set; training counts its own once and reuses it."""
    counts: Counter[NGram] = Counter()
    for sentences in references:
        counts.update({ngram for sentence in sentences for ngram in ngrams(caption_words(sentence))})
    return DocumentFrequencies(len(references), dict(counts))


@dataclass(frozen=True)
class _Vector:
    """A sentence's n-grams weighed; ``norms`` of each order; ``length`` in pairs of words, as the original counts it."""

    weights: dict[NGram, float]
    norms: list[float]
    length: int


class CiderD:
    """CIDEr-D against fixed references, whose vectors are made once: about 20 us a reference and candidate."""

    def __init__(
        self, references: Sequence[Sequence[str]], frequencies: DocumentFrequencies | None = None
    ) -> None:
        """``references`` [photos][sentences]; ``frequencies`` are counted from them where they are not given."""
        self._frequencies = frequencies or document_frequencies(references)
        self._references = [
            [self._vector(caption_words(sentence)) for sentence in sentences] for sentences in references
        ]

    def score(self, index: int, candidate: str) -> float:
        """CIDEr-D of one caption of photo ``index``; 1 is about as near as people are to each other, at most 10."""
        found, references = self._vector(caption_words(candidate)), self._references[index]
        total = sum(_similarity(found, wanted) for wanted in references)
        return 10 * total / (ORDERS * len(references)) if references else 0.0

    def _vector(self, words: Words) -> _Vector:
        weights = {ngram: count * self._frequencies.weight(ngram) for ngram, count in ngrams(words).items()}
        squares = [0.0] * ORDERS
        for ngram, weight in weights.items():
            squares[len(ngram) - 1] += weight * weight
        return _Vector(weights, [math.sqrt(square) for square in squares], max(0, len(words) - 1))


def cider_d(
    candidates: Sequence[str],
    references: Sequence[Sequence[str]],
    frequencies: DocumentFrequencies | None = None,
) -> tuple[float, list[float]]:
    """The mean CIDEr-D and that of each caption; idf is counted from ``references`` where it is not given."""
    scorer = CiderD(references, frequencies)
    scores = [scorer.score(index, candidate) for index, candidate in enumerate(candidates)]
    return (sum(scores) / len(scores) if scores else 0.0), scores


def ngrams(words: Words, n: int = ORDERS) -> Counter[NGram]:
    """How often each run of 1 to n words stands in a sentence."""
    runs: Iterable[NGram] = (
        tuple(words[start : start + order])
        for order in range(1, n + 1)
        for start in range(len(words) - order + 1)
    )
    return Counter(runs)


def _similarity(found: _Vector, wanted: _Vector) -> float:
    """The clipped cosine of two sentences, summed over the orders, less where their lengths differ."""
    dots = [0.0] * ORDERS
    for ngram, weight in found.weights.items():
        other = wanted.weights.get(ngram)
        if other is not None:
            dots[len(ngram) - 1] += min(weight, other) * other
    cosine = 0.0
    for dot, left, right in zip(dots, found.norms, wanted.norms, strict=True):
        if left and right:
            cosine += dot / (left * right)
    return cosine * math.exp(-((found.length - wanted.length) ** 2) / (2 * CIDER_SIGMA**2))


def _common_words(left: Words, right: Words) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for column, other in enumerate(right, start=1):
            above = row[column]
            row[column] = diagonal + 1 if word == other else max(above, row[column - 1])
            diagonal = above
    return row[-1]
