"""Whisper, a Transformer from sound to text, written to be read from top to bottom.

In: a log-mel spectrogram, and the token ids of the text so far. Out: logits for the next token, and the keys and
values of all tokens so far. Nothing is remembered inside.

The model is that of "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al. 2022,
arXiv:2212.04356, section 2.2): the encoder and decoder of "Attention Is All You Need" (Vaswani et al. 2017,
arXiv:1706.03762; "the paper" below) with a norm before each sub-layer instead of after it, GELU, two convolutions
that halve the number of frames in front, and the token embedding as the head. Every size from tiny to large is
this one module with other numbers; it equals ``whisper/model.py`` of OpenAI, whose keys alone have no bias.

Legend for shapes::

    B batch               M mel bins            H heads
    T new tokens          F mel frames          D head size (d_k, d_v)
    P past tokens         S = F / 2 (upwards)   C = H * D hidden size (d_model)
    N = P + T             A watched heads       V vocabulary

Parts that the ONNX exporter swaps for single operators are separate modules held in plain attributes: every
:class:`torch.nn.Linear`, :class:`torch.nn.LayerNorm`, :class:`AttentionCore` and :class:`CrossAttentionCore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from export.whisper_config import WhisperConfig

KeysValues = tuple[Tensor, Tensor]  # keys and values, both [B,H,N,D]; [B,H,S,D] for those of the sound
Cache = tuple[KeysValues, ...]  # one pair for each layer of the decoder
Heads = Sequence[tuple[int, int]]  # (layer, head) pairs of the decoder


def attend(q: Tensor, k: Tensor, v: Tensor, unseen: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention, the paper's section 3.2.1, equation 1:

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V

    q [B,H,T,D], k and v [B,H,S,D], ``unseen`` [T,S] true where a query must not look -> [B,H,T,D].
    """
    return attention_weights(q, k, unseen).to(v.dtype) @ v


def attention_weights(q: Tensor, k: Tensor, unseen: Tensor | None = None) -> Tensor:
    """softmax(Q K^T / sqrt(d_k)): q [B,H,T,D], k [B,H,S,D] -> fp32 [B,H,T,S]."""
    scores = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).float()  # [B,H,T,S]
    if unseen is not None:
        scores = scores.masked_fill(unseen, float("-inf"))
    return scores.softmax(dim=-1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """[B,T,H*D] -> [B,H,T,D]."""
    return x.unflatten(-1, (heads, x.shape[-1] // heads)).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Concat(head_1, ..., head_h) of the paper's section 3.2.2: [B,H,T,D] -> [B,T,H*D]."""
    return x.transpose(1, 2).flatten(2)


class AttentionCore(nn.Module):
    """Self-attention between its projections: heads, the cache, and attention itself. It has no weights.

    A causal one (the decoder's) lets tokens see themselves and what stands before them, the mask of the paper's
    section 3.2.3; the encoder's sees everything and is given no past.
    """

    def __init__(self, config: WhisperConfig, causal: bool) -> None:
        super().__init__()
        self.config = config
        self.causal = causal

    def forward(self, qkv: Tensor, past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """``qkv`` [B,T,3*H*D] and the past [B,H,P,D] twice -> ([B,T,H*D], present [B,H,N,D] twice)."""
        q, k, v = (split_heads(part, self.config.heads) for part in qkv.chunk(3, dim=-1))  # [B,H,T,D]
        past_tokens = 0
        if past is not None:
            past_tokens = past[0].shape[2]
            k = torch.cat((past[0], k), dim=2)  # [B,H,N,D]
            v = torch.cat((past[1], v), dim=2)  # [B,H,N,D]
        unseen = None
        if self.causal:
            positions = torch.arange(past_tokens, k.shape[2], device=k.device)  # [T]
            unseen = torch.arange(k.shape[2], device=k.device) > positions[:, None]  # [T,N]
        return join_heads(attend(q, k, v, unseen)), (k, v)


class CrossAttentionCore(nn.Module):
    """Attention of the text on the sound between its projections. It has no weights."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, q: Tensor, sound: KeysValues) -> Tensor:
        """Queries [B,T,H*D], keys and values of the sound [B,H,S,D] -> [B,T,H*D]."""
        return join_heads(attend(split_heads(q, self.config.heads), *sound))


class Attention(nn.Module):
    """Self-attention: one projection to queries, keys and values together, the core, then W^O."""

    def __init__(self, config: WhisperConfig, causal: bool) -> None:
        super().__init__()
        # Whisper's keys have no bias: that part of the vector is zero.
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.core = AttentionCore(config, causal)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)  # W^O

    def forward(self, x: Tensor, past: KeysValues | None = None) -> tuple[Tensor, KeysValues]:
        """[B,T,C] -> ([B,T,C], present)."""
        out, present = self.core(self.qkv(x), past)
        return self.output(out), present


class CrossAttention(nn.Module):
    """Attention of the text on the sound. Keys and values depend on the sound alone: they are made once."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.q = nn.Linear(config.hidden_size, config.hidden_size)
        self.kv = nn.Linear(config.hidden_size, 2 * config.hidden_size)  # the keys' part of the bias is zero
        self.core = CrossAttentionCore(config)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)  # W^O

    def keys_values(self, states: Tensor) -> KeysValues:
        """The encoder's states [B,S,C] -> keys and values [B,H,S,D]."""
        k, v = self.kv(states).chunk(2, dim=-1)  # [B,S,H*D] each
        return split_heads(k, self.heads), split_heads(v, self.heads)

    def forward(self, x: Tensor, sound: KeysValues) -> Tensor:
        """[B,T,C] -> [B,T,C]."""
        return self.output(self.core(self.q(x), sound))

    def weights(self, x: Tensor, sound: KeysValues, heads: Sequence[int]) -> Tensor:
        """Where some heads look: [B,T,C] -> fp32 [B,len(heads),T,S]. It needs nothing of the core."""
        q = split_heads(self.q(x), self.heads)  # [B,H,T,D]
        return attention_weights(q[:, list(heads)], sound[0][:, list(heads)])


class FeedForward(nn.Module):
    """W_down(GELU(W_up x)), the paper's section 3.3 with the exact GELU (by erf) in ReLU's place."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.up = nn.Linear(config.hidden_size, config.intermediate_size)
        self.activation = nn.GELU()
        self.down = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,C] -> [B,T,C]."""
        return self.down(self.activation(self.up(x)))


class EncoderBlock(nn.Module):
    """One layer of the encoder."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden_size)
        self.attention = Attention(config, causal=False)
        self.mlp_norm = nn.LayerNorm(config.hidden_size)
        self.mlp = FeedForward(config)

    def forward(self, x: Tensor) -> Tensor:
        """[B,S,C] -> [B,S,C]."""
        x = x + self.attention(self.attention_norm(x))[0]
        return x + self.mlp(self.mlp_norm(x))


class Encoder(nn.Module):
    """From a log-mel spectrogram to one state for each 20 ms."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        self.conv1 = nn.Conv1d(config.mels, config.hidden_size, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(config.hidden_size, config.hidden_size, kernel_size=3, stride=2, padding=1)
        self.activation = nn.GELU()
        # Sinusoids, section 3.5 of the paper; every checkpoint holds them, so they are read, not computed.
        self.positions = nn.Parameter(torch.empty(config.audio_context_frames, config.hidden_size))
        self.blocks = nn.ModuleList(EncoderBlock(config) for _ in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.hidden_size)

    def forward(self, mel: Tensor) -> Tensor:
        """``mel`` [B,M,F], F at most twice the context -> states [B,S,C].

        The training data were always padded to 30 s (F = 3000); a shorter F is quicker.
        """
        x = self.activation(self.conv1(mel))  # [B,C,F]
        x = self.activation(self.conv2(x)).transpose(1, 2)  # [B,S,C]
        x = x + self.positions[: x.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class DecoderBlock(nn.Module):
    """One layer's parts. How they are joined stands in :meth:`Decoder.states`."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.hidden_size)
        self.attention = Attention(config, causal=True)
        self.cross_norm = nn.LayerNorm(config.hidden_size)
        self.cross = CrossAttention(config)
        self.mlp_norm = nn.LayerNorm(config.hidden_size)
        self.mlp = FeedForward(config)


class Decoder(nn.Module):
    """From the text so far and the sound's keys and values to logits for the next token."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size)
        self.positions = nn.Parameter(torch.empty(config.text_context_tokens, config.hidden_size))
        self.blocks = nn.ModuleList(DecoderBlock(config) for _ in range(config.decoder_layers))
        self.norm = nn.LayerNorm(config.hidden_size)

    def cross_keys_values(self, states: Tensor) -> Cache:
        """The encoder's states [B,S,C] -> for each layer keys and values [B,H,S,D]."""
        return tuple(block.cross.keys_values(states) for block in self._blocks)

    def forward(
        self, input_ids: Tensor, past: Cache | None, cross: Cache, last_only: bool = False
    ) -> tuple[Tensor, Cache]:
        """Read T more tokens.

        ``input_ids`` int64 [B,T]; ``past`` for each layer keys and values [B,H,P,D], or None at the start; ``cross``
        from :meth:`cross_keys_values`. Returns logits [B,T,V] ([B,1,V] with ``last_only``) and the cache with the
        new tokens, [B,H,N,D].
        """
        past_tokens = 0 if past is None else past[0][0].shape[2]
        x, present, _ = self.states(self.embed(input_ids, past_tokens), past, cross, last_only)
        return self.logits(x), present

    def aligned(
        self, input_ids: Tensor, past: Cache | None, cross: Cache, heads: Heads
    ) -> tuple[Tensor, Cache, Tensor]:
        """The same, and where A heads of the cross-attention look, in their order: fp32 [B,A,T,S]."""
        past_tokens = 0 if past is None else past[0][0].shape[2]
        x, present, watched = self.states(self.embed(input_ids, past_tokens), past, cross, heads=heads)
        return self.logits(x), present, torch.stack([watched[head] for head in heads], dim=1)

    def embed(self, input_ids: Tensor, past_tokens: int) -> Tensor:
        """Tokens and their places: [B,T] -> [B,T,C]."""
        end = past_tokens + input_ids.shape[1]
        return self.embedding(input_ids) + self.positions[past_tokens:end]

    def states(
        self, x: Tensor, past: Cache | None, cross: Cache, last_only: bool = False, heads: Heads = ()
    ) -> tuple[Tensor, Cache, dict[tuple[int, int], Tensor]]:
        """All layers: [B,T,C] -> ([B,T,C] normed, present, [B,T,S] for each head that is to be watched)."""
        present: list[KeysValues] = []
        watched: dict[tuple[int, int], Tensor] = {}
        for layer, block in enumerate(self._blocks):
            out, keys_values = block.attention(block.attention_norm(x), None if past is None else past[layer])
            present.append(keys_values)
            x = x + out
            if last_only and layer == self.config.decoder_layers - 1:
                # From here on no token looks at another, so only the last one is worked on.
                x = x[:, -1:]  # [B,1,C]
            normed = block.cross_norm(x)
            if here := [head for at, head in heads if at == layer]:
                weights = block.cross.weights(normed, cross[layer], here)  # [B,len(here),T,S]
                watched |= {(layer, head): weights[:, index] for index, head in enumerate(here)}
            x = x + block.cross(normed, cross[layer])
            x = x + block.mlp(block.mlp_norm(x))
        return self.norm(x), tuple(present), watched

    def logits(self, x: Tensor) -> Tensor:
        """The token embedding is the head too: [B,T,C] -> [B,T,V]."""
        return nn.functional.linear(x, self.embedding.weight)

    @property
    def _blocks(self) -> list[DecoderBlock]:
        return cast("list[DecoderBlock]", list(self.blocks))


class Whisper(nn.Module):
    """Both halves; whoever runs them calls them one by one."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
