"""A decoder-only Transformer, written to be read from top to bottom.

In: token ids and the keys and values of the tokens before them. Out: logits, and the keys and values of all
tokens so far. Nothing is remembered inside.

The model is the decoder of "Attention Is All You Need" (Vaswani et al. 2017, arXiv:1706.03762; "the paper"
below) with what later models changed: RMSNorm before each sub-layer (arXiv:1910.07467), rotary positions
(arXiv:2104.09864), grouped-query attention (arXiv:2305.13245) and a gated feed-forward layer (SwiGLU,
arXiv:2002.05202).

Legend for shapes::

    B batch          H query heads            C hidden size (the paper's d_model)
    T new tokens     G key-value heads        I inner size of the feed-forward layer
    P past tokens    D head size (d_k, d_v)   V vocabulary
    S = P + T        R = H / G query heads that share one key-value head

Parts that the ONNX exporter swaps for single fused operators are separate modules held in plain
attributes: every :class:`torch.nn.Linear`, every :class:`RMSNorm`, and :class:`AttentionCore`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from export.config import LanguageConfig

KeysValues = tuple[Tensor, Tensor]  # keys [B,G,S,D] (rotated), values [B,G,S,D]
Cache = tuple[KeysValues, ...]  # one pair for each layer


class RMSNorm(nn.Module):
    """Scale each vector to a root mean square of 1, then by a learned weight (arXiv:1910.07467, eq. 4)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """[..., size] -> the same shape; computed in fp32 whatever the type of ``x``."""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)

    def add_norm(self, x: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """Add a sub-layer's output to the residual stream and normalise: (normed, the sum)."""
        total = x + residual
        return self(total), total


def rotary_tables(config: LanguageConfig, positions: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary angles for ``positions`` [T], both fp32 [T, D/2].

    Pair i of a head turns by position * theta^(-2i/D) (arXiv:2104.09864, eq. 15).
    """
    pairs = torch.arange(0, config.head_size, 2, dtype=torch.float32, device=positions.device)
    frequencies = 1.0 / (config.rope_theta ** (pairs / config.head_size))  # [D/2]
    if config.rope_divisors:
        frequencies = frequencies / torch.tensor(config.rope_divisors, device=positions.device)
    angles = positions.float()[:, None] * frequencies  # [T, D/2]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (x_i, x_{i+D/2}) of every head: the half-split form. [B,T,H,D] -> [B,T,H,D]."""
    first, second = x.chunk(2, dim=-1)  # [B,T,H,D/2] each
    cos, sin = cos[:, None].to(x.dtype), sin[:, None].to(x.dtype)  # [T,1,D/2]
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)


class AttentionCore(nn.Module):
    """Everything between the projections: heads, rotary positions, the cache, and attention itself.

    It has no matrix of its own (only the optional norms of queries and keys), so that the ONNX exporter
    can put one GroupQueryAttention operator in its place.
    """

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.q_norm = RMSNorm(config.head_size, config.rms_eps) if config.qk_norm else None
        self.k_norm = RMSNorm(config.head_size, config.rms_eps) if config.qk_norm else None

    def forward(self, qkv: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """``qkv`` [B,T,(H+2G)*D] and the past [B,G,P,D] twice -> ([B,T,H*D], present [B,G,S,D] twice)."""
        heads, groups, size = self.config.heads, self.config.kv_heads, self.config.head_size
        batch, new = qkv.shape[:2]
        q, k, v = qkv.unflatten(-1, (heads + 2 * groups, size)).split((heads, groups, groups), dim=2)
        # q [B,T,H,D], k and v [B,T,G,D]
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        past_tokens = 0 if past is None else past[0].shape[2]
        positions = torch.arange(past_tokens, past_tokens + new, device=qkv.device)
        cos, sin = rotary_tables(self.config, positions)
        q = rotate(q, cos, sin).transpose(1, 2)  # [B,H,T,D]
        k = rotate(k, cos, sin).transpose(1, 2)  # [B,G,T,D]
        v = v.transpose(1, 2)  # [B,G,T,D]
        if past is not None:
            k = torch.cat((past[0], k), dim=2)  # [B,G,S,D]
            v = torch.cat((past[1], v), dim=2)  # [B,G,S,D]

        # Grouped queries: R neighbouring query heads read the same keys and values.
        q = q.unflatten(1, (groups, heads // groups))  # [B,G,R,T,D]
        out = attend(q, k[:, :, None], v[:, :, None], positions)  # [B,G,R,T,D]
        # The paper, section 3.2.2: MultiHead(Q,K,V) = Concat(head_1, ..., head_h) W^O. This is the
        # concatenation; W^O is the `output` projection of `Attention`.
        out = out.flatten(1, 2).transpose(1, 2)  # [B,T,H,D]
        return out.reshape(batch, new, heads * size), (k, v)  # [B,T,H*D]


def attend(q: Tensor, k: Tensor, v: Tensor, positions: Tensor) -> Tensor:
    """Scaled dot-product attention, the paper's section 3.2.1, equation 1:

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V

    Tokens see themselves and what stands before them (the mask of section 3.2.3). q [..., T,D], k and v
    [..., S,D], ``positions`` [T] of the queries -> [..., T,D].
    """
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [..., T,S]
    unseen = torch.arange(k.shape[-2], device=q.device) > positions[:, None]  # [T,S]
    weights = scores.float().masked_fill(unseen, float("-inf")).softmax(dim=-1)
    return weights.to(v.dtype) @ v


class Attention(nn.Module):
    """Multi-head attention: one projection to queries, keys and values together, the core, then W^O."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        width = config.query_size + 2 * config.kv_size  # (H+2G)*D
        self.qkv = nn.Linear(config.hidden_size, width, bias=config.qkv_bias)
        self.core = AttentionCore(config)
        self.output = nn.Linear(config.query_size, config.hidden_size, bias=False)  # W^O

    def forward(self, x: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """[B,T,C] -> ([B,T,C], present)."""
        out, present = self.core(self.qkv(x), past)
        return self.output(out), present


class FeedForward(nn.Module):
    """Gated feed-forward layer: W_down(act(W_gate x) * W_up x) (arXiv:2002.05202, eq. 6)."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.gate_up = nn.Linear(config.hidden_size, 2 * config.intermediate_size, bias=False)
        self.down = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.activation: nn.Module = nn.SiLU() if config.activation == "silu" else nn.GELU(approximate="tanh")

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,C] -> [B,T,C]."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)  # [B,T,I] each
        return self.down(self.activation(gate) * up)


class Block(nn.Module):
    """One layer's parts. How they are joined stands in :meth:`LanguageModel.forward`."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden_size, config.rms_eps)
        self.attention = Attention(config)
        self.mlp_norm = RMSNorm(config.hidden_size, config.rms_eps)
        self.mlp = FeedForward(config)


class LanguageModel(nn.Module):
    """The whole decoder, from token ids to logits."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_eps)
        self.head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        if config.tied_head:
            self.head.weight = self.embedding.weight

    def forward(
        self, input_ids: Tensor, past: Cache | None = None, last_only: bool = False
    ) -> tuple[Tensor, Cache]:
        """Read T more tokens.

        ``input_ids`` int64 [B,T]; ``past`` for each layer keys and values [B,G,P,D], or None at the start.
        Returns logits [B,T,V] ([B,1,V] with ``last_only``) and the cache with the new tokens, [B,G,P+T,D].
        """
        return self.decode(self.embedding(input_ids), past, last_only)

    def decode(
        self, embeddings: Tensor, past: Cache | None = None, last_only: bool = False
    ) -> tuple[Tensor, Cache]:
        """The same for embeddings [B,T,C], among which may be some that no token has: what a picture shows."""
        present: list[KeysValues] = []
        residual = embeddings
        blocks = cast("list[Block]", list(self.blocks))
        norms = [block.attention_norm for block in blocks] + [self.norm]
        x = norms[0](residual)
        for layer, block in enumerate(blocks):
            x, keys_values = block.attention(x, None if past is None else past[layer])
            present.append(keys_values)
            if last_only and layer == len(blocks) - 1:
                # From here on no token looks at another, so only the last one is worked on.
                x, residual = x[:, -1:], residual[:, -1:]  # [B,1,C]
            x, residual = block.mlp_norm.add_norm(x, residual)
            x, residual = norms[layer + 1].add_norm(block.mlp(x), residual)
        return self.head(x), tuple(present)
