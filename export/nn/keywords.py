"""Says which words people would use for a picture, before any sentence is written.

In: features of the picture's patches (:mod:`export.nn.efficientnet`). Out: for each word of a list, the logit of the share
of captions that hold it. The likeliest stand in the prompt, so that the language model has words to begin with and the
connector can leave to them what they say ("What Value Do Explicit High Level Concepts Have in Vision to Language
Problems?", arXiv:1506.01144). A word counts where any patch shows it: a soft maximum over the patches (multiple-instance
learning, arXiv:1411.4952), plus what the picture as a whole says.

Legend for shapes: as in :mod:`export.nn.captioner`; K words.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.nn.captioner import CaptionerConfig

SHARPNESS = 2.0  # of the soft maximum
_RARE = -5.0  # the logit of a word about which nothing is known


class KeywordHead(nn.Module):
    """Two layers on each patch, a soft maximum over the patches, and one layer on their mean."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        channels, words = config.feature_channels, len(config.keywords)
        self.norm = nn.LayerNorm(channels)
        self.input = nn.Linear(channels, config.keyword_width)
        self.position = nn.Parameter(torch.zeros(config.patches, config.keyword_width))
        self.patch = nn.Linear(config.keyword_width, words)
        self.whole = nn.Linear(channels, words)
        nn.init.constant_(self.patch.bias, _RARE)
        nn.init.zeros_(self.whole.weight)
        nn.init.zeros_(self.whole.bias)

    def forward(self, features: Tensor, dropout: float = 0.0) -> Tensor:
        """Features [B,N,F] -> logits [B,K]."""
        inner = functional.gelu(self.input(self.norm(features)) + self.position)  # [B,N,W]
        inner = functional.dropout(inner, dropout, self.training)
        logits = self.patch(inner).float()  # [B,N,K]
        highest = (logits * SHARPNESS).logsumexp(dim=1) - math.log(logits.shape[1])
        mean = functional.dropout(features.mean(dim=1), dropout, self.training)
        return highest / SHARPNESS + self.whole(mean).float()
