"""Cross-entropy over the words that captions use, and a sample of all others.

In: hidden states, the embedding (which is the head), targets. Out: the loss of every target. Nine tenths of the
vocabulary never occur in a caption; a random sample of those stands for all of them, each counted as often as many it
stands for (arXiv:1412.2007), so that the whole vocabulary can be used afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


class SampledSoftmax:
    """The words in use, and a fresh sample of ``sampled`` others for every step."""

    def __init__(self, used: Iterable[int], vocab_size: int, sampled: int, smoothing: float = 0.0) -> None:
        self.used = sorted(set(used))
        self._used = np.array(self.used)
        self._vocab_size = vocab_size
        self._others = np.setdiff1d(np.arange(vocab_size), self._used)
        self._sampled = min(sampled, len(self._others))
        self._smoothing = smoothing
        place = torch.full((vocab_size,), -1)
        place[torch.from_numpy(self._used)] = torch.arange(len(self._used))
        self._place = place

    def plain(self, more: Iterable[int]) -> SampledSoftmax:
        """The same without smoothing, with ``more`` words in use."""
        return SampledSoftmax({*self.used, *more}, self._vocab_size, self._sampled)

    def only_used(self) -> SampledSoftmax:
        """The same without smoothing and without any other word."""
        return SampledSoftmax(self.used, self._vocab_size, 0)

    def loss(self, hidden: Tensor, embedding: Tensor, targets: Tensor, seed: tuple[int, ...]) -> Tensor:
        """Hidden states [K,C] and targets [K] -> the loss of each target [K], fp32."""
        random = np.random.default_rng(seed)
        others = self._others
        if self._sampled < len(others):
            others = others[np.unique(random.integers(0, len(others), self._sampled))]
        rows = torch.from_numpy(np.concatenate((self._used, others)))
        logits = functional.linear(hidden, embedding[rows]).float()  # [K, used + sampled]
        if len(others):
            correction = torch.zeros(len(rows))
            correction[len(self._used) :] = math.log(len(self._others) / len(others))
            logits = logits + correction
        whole = logits.logsumexp(dim=-1)
        places = self._place[targets]
        right = logits.gather(1, places[:, None])[:, 0]
        if not self._smoothing:
            return whole - right
        mean = logits[:, : len(self._used)].mean(dim=-1)
        return whole - (1 - self._smoothing) * right - self._smoothing * mean
