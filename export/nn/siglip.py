"""SigLIP's vision Transformer as Idefics3 uses it, written to be read from top to bottom.

In: pixels of square pictures (or of smaller ones, padded at the right and at the bottom). Out: one state for each patch.

The model is the vision tower of "Sigmoid Loss for Language Image Pre-Training" (Zhai et al. 2023, arXiv:2303.15343), a
Vision Transformer (Dosovitskiy et al. 2020, arXiv:2010.11929) without its class token. For pictures smaller than it was
trained on, positions are shares of the picture's sides, put into buckets ("Patch n' Pack", Dehghani et al. 2023,
arXiv:2307.06304); it equals ``Idefics3VisionTransformer`` of transformers.

Legend for shapes::

    N pictures       Y, X height and width in patches    H heads
    P patch side     S = Y * X patches                   D head size
    C = H * D hidden size

Parts that the ONNX exporter swaps for single operators are separate modules held in plain attributes: every
:class:`torch.nn.Linear` and :class:`AttentionCore`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.idefics3_config import SiglipConfig


class AttentionCore(nn.Module):
    """Attention between its projections: every patch sees every other. It has no weights."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, qkv: Tensor, seen: Tensor | None) -> Tensor:
        """``qkv`` [N,S,3*H*D], ``seen`` bool [N,S] (false for padding; None: all are real) -> [N,S,H*D]."""
        parts = (
            part.unflatten(-1, (self.config.heads, self.config.head_size)) for part in qkv.chunk(3, dim=-1)
        )
        q, k, v = (part.transpose(1, 2) for part in parts)  # [N,H,S,D]
        scores = q @ k.transpose(-1, -2) * self.config.head_size**-0.5  # [N,H,S,S]
        if seen is not None:
            scores = scores.masked_fill(~seen[:, None, None], float("-inf"))
        out = scores.float().softmax(dim=-1).to(v.dtype) @ v  # [N,H,S,D]
        return out.transpose(1, 2).flatten(2)  # [N,S,H*D]


class Attention(nn.Module):
    """One projection to queries, keys and values together, the core, and the projection out."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.core = AttentionCore(config)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """[N,S,C] -> [N,S,C]."""
        return self.output(self.core(self.qkv(x), seen))


class FeedForward(nn.Module):
    """W_down(GELU(W_up x)), with the GELU that is approximated by tanh."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = nn.GELU(approximate="tanh")
        self.down = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """[N,S,C] -> [N,S,C]."""
        return self.down(self.activation(self.up(x)))


class Block(nn.Module):
    """One layer, with a norm before each sub-layer."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.attention = Attention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """[N,S,C] -> [N,S,C]."""
        x = x + self.attention(self.attention_norm(x), seen)
        return x + self.mlp(self.mlp_norm(x))


def bucketed_positions(seen: Tensor, sides: int) -> Tensor:
    """Which of the ``sides`` x ``sides`` learned positions each patch has: ``seen`` bool [N,Y,X] -> int64 [N,S].

    A patch that lies at some share of its picture's height and width has the position that lies there in a whole
    picture. In fp32, step for step as the reference does it: a share on the edge of a bucket falls by its rounding.
    """
    edges = torch.arange(1 / sides, 1.0, 1 / sides, device=seen.device)

    def buckets(patches: Tensor, most: int) -> Tensor:
        shares = torch.arange(most, dtype=torch.float32, device=seen.device) * (1.0 / patches)[:, None]
        return torch.bucketize(shares.clamp(max=1.0 - 1e-6), edges, right=True)  # [N,most]

    rows = buckets(seen[:, :, 0].sum(dim=1), seen.shape[1])  # [N,Y]
    columns = buckets(seen[:, 0, :].sum(dim=1), seen.shape[2])  # [N,X]
    places = rows[:, :, None] * sides + columns[:, None, :]  # [N,Y,X]
    return torch.where(seen, places, 0).flatten(1)  # [N,S]


class VisionTower(nn.Module):
    """The whole tower, from pixels to states."""

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__()
        self.config = config
        self.patches = nn.Conv2d(3, config.hidden_size, kernel_size=config.patch_px, stride=config.patch_px)
        self.positions = nn.Parameter(torch.empty(config.sides**2, config.hidden_size))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.norm_eps)

    def forward(self, pixels: Tensor, seen: Tensor | None = None) -> Tensor:
        """``pixels`` [N,3,Y*P,X*P] (a rest is cut off), ``seen`` bool [N,Y,X] where some is padding -> [N,S,C]."""
        x = self.patches(pixels)  # [N,C,Y,X]
        whole = torch.ones(1, *x.shape[2:], dtype=torch.bool, device=x.device)
        places = self.places(whole if seen is None else seen)
        return self.states(x.flatten(2).transpose(1, 2) + places, None if seen is None else seen.flatten(1))

    def places(self, seen: Tensor) -> Tensor:
        """What each patch's place adds to it: ``seen`` bool [N,Y,X] -> [N,S,C]."""
        return self.positions[bucketed_positions(seen, self.config.sides)]

    def states(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """Patches in their places [N,S,C], ``seen`` bool [N,S] -> states [N,S,C]."""
        for block in self.blocks:
            x = block(x, seen)
        return self.norm(x)
