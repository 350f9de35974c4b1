"""The connector between a picture and the language model, and the adapters that go with it.

In: features of the picture's patches (:mod:`export.nn.efficientnet`). Out: prefix embeddings that stand before the
text's, and which patches each of them was made from. The language model reads::

    [prefix, Q embeddings] [names of what the classifier sees] [separator] [caption] [end]

A few learned queries look at the patches through cross-attention (as in Perceiver, arXiv:2103.03206, and BLIP-2's
Q-Former, arXiv:2301.12597). The language model's own matrices are frozen; low-rank updates of them (LoRA,
arXiv:2106.09685) are trained along and added to them once, by :func:`merge`, when a pack is made.

Legend for shapes::

    B batch      Q queries              W width of the connector      C hidden size of the language model
    N patches    H heads                D head size, W / H            F channels of a patch's features
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Drop = Callable[[Tensor], Tensor]


def keep(x: Tensor) -> Tensor:
    """No dropout."""
    return x


# The language model's matrices that get an update, by the name of their module in `export.nn.language`.
ADAPTED = ("attention.qkv", "attention.output", "mlp.gate_up", "mlp.down")


@dataclass(frozen=True)
class CaptionerConfig:
    """Sizes, and the settings that training and use must share.

    ``prefix_rms`` is the root mean square of the language model's embeddings, which the prefix is scaled to;
    ``class_temperature`` divides the classifier's logits; at most ``names_max`` names with at least the probability
    ``names_least`` are written before the caption, then at most ``keywords_max`` of ``keywords`` that people use for at least
    the share ``keywords_least`` of such pictures (:mod:`export.nn.keywords`), all joined by ``names_joint``; ``separator``
    stands after them.
    """

    language: str = "smollm2-135m"
    vision: str = "efficientnet-lite2"
    image_px: int = 260
    feature_channels: int = 1280
    grid: int = 9
    queries: int = 16
    layers: int = 2
    width: int = 384
    heads: int = 6
    hidden_size: int = 576
    prefix_rms: float = 0.136
    lora_rank: int = 16
    lora_scale: float = 2.0
    class_temperature: float = 1.0
    names_max: int = 4
    names_least: float = 0.06
    names_joint: str = " "
    keywords: tuple[str, ...] = ()
    keywords_max: int = 10
    keywords_least: float = 0.1
    keyword_width: int = 384
    separator: str = "\n"

    @property
    def patches(self) -> int:
        """How many patches a picture has."""
        return self.grid * self.grid

    def to_json(self) -> dict[str, Any]:
        """All fields, as JSON knows them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CaptionerConfig:
        """The same again; keys that are no fields are left aside (a model card stands in the same file)."""
        known: dict[str, Any] = {
            field.name: values[field.name] for field in fields(cls) if field.name in values
        }
        known["keywords"] = tuple(known.get("keywords", ()))
        return cls(**known)


class Attend(nn.Module):
    """Multi-head attention of one sequence over another, that can say where it looked."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """``x`` [B,Q,W] looks at ``memory`` [B,N,W] -> ([B,Q,W], weights [B,H,Q,N])."""
        q = self.q(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B,H,Q,D]
        k, v = (
            self.kv(memory).unflatten(-1, (2 * self.heads, -1)).transpose(1, 2).chunk(2, dim=1)
        )  # [B,H,N,D]
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [B,H,Q,N]
        weights = scores.float().softmax(dim=-1)
        out = weights.to(v.dtype) @ v  # [B,H,Q,D]
        return self.output(out.transpose(1, 2).flatten(2)), weights


class ConnectorLayer(nn.Module):
    """Look at the patches, let the queries tell each other what they saw, then a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.cross_norm = nn.LayerNorm(width)
        self.cross = Attend(width, heads)
        self.own_norm = nn.LayerNorm(width)
        self.own = Attend(width, heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor, memory: Tensor, drop: Drop) -> tuple[Tensor, Tensor]:
        """Queries [B,Q,W] and patches [B,N,W] -> (queries, cross-attention weights [B,H,Q,N])."""
        seen, weights = self.cross(self.cross_norm(x), memory)
        x = x + drop(seen)
        normed = self.own_norm(x)
        x = x + drop(self.own(normed, normed)[0])
        inner = functional.gelu(self.up(self.mlp_norm(x)))
        return x + drop(self.down(inner)), weights


class Connector(nn.Module):
    """Features of the patches -> the embeddings that stand before the text."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.feature_norm = nn.LayerNorm(config.feature_channels)
        self.input = nn.Linear(config.feature_channels, width)
        self.rows = nn.Parameter(torch.randn(config.grid, width) * 0.02)
        self.columns = nn.Parameter(torch.randn(config.grid, width) * 0.02)
        self.memory_norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(config.queries, width) * 0.5)
        self.layers = nn.ModuleList(ConnectorLayer(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, config.hidden_size)
        nn.init.normal_(self.output.weight, std=width**-0.5)
        nn.init.zeros_(self.output.bias)

    def forward(self, features: Tensor, drop: Drop = keep) -> tuple[Tensor, Tensor]:
        """Features [B,N,F] -> (prefix [B,Q,C], the last layer's cross-attention weights [B,H,Q,N]).

        ``drop`` is put on every sub-layer's result: training's dropout.
        """
        position = (self.rows[:, None] + self.columns[None]).flatten(0, 1)  # [N,W]
        memory = self.memory_norm(self.input(self.feature_norm(features)) + position)  # [B,N,W]
        memory = drop(memory)
        x = self.queries.expand(features.shape[0], -1, -1)  # [B,Q,W]
        weights = features.new_zeros(0)
        for layer in self.layers:
            x, weights = layer(x, memory, drop)
        return self.output(self.norm(x)) * self.config.prefix_rms, weights


def new_lora(config: CaptionerConfig, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Fresh low-rank updates that change nothing yet; ``shapes`` are [outputs, inputs] by the matrix's name.

    For the matrix ``blocks.0.mlp.down.weight`` there are ``blocks.0.mlp.down.first`` [rank, inputs] and
    ``blocks.0.mlp.down.second`` [outputs, rank].
    """
    state: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        owner, _, field = name.rpartition(".")
        if field != "weight" or not owner.endswith(ADAPTED):
            continue
        outputs, inputs = shape
        state[f"{owner}.first"] = torch.randn(config.lora_rank, inputs) * inputs**-0.5
        state[f"{owner}.second"] = torch.zeros(outputs, config.lora_rank)
    return state


def merge(
    language_state: Mapping[str, Tensor], lora_state: Mapping[str, Tensor], scale: float
) -> dict[str, Tensor]:
    """The language model's weights with the updates added: W + scale * second @ first. Inputs stay as they are."""
    merged = dict(language_state)
    for name, second in lora_state.items():
        if not name.endswith(".second"):
            continue
        owner = name.removesuffix(".second")
        weight = language_state[f"{owner}.weight"]
        update = second.float() @ lora_state[f"{owner}.first"].float()
        merged[f"{owner}.weight"] = (weight.float() + scale * update).to(weight.dtype)
    return merged
