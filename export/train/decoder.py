"""The language model as training needs it: frozen matrices, trained low-rank updates, any mask.

In: embeddings, their positions, and which of them may see which. Out: the hidden states before the head. The arithmetic
is that of :mod:`export.nn.language`, in bfloat16; a test holds the two together. Shapes follow that module's legend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.nn.captioner import ADAPTED
from export.nn.language import Block, LanguageModel, RMSNorm


@dataclass
class KeysValuesRoom:
    """Room for the keys and values [B,G,S,D] of every layer, of which the first ``filled`` are there."""

    keys: list[Tensor]
    values: list[Tensor]
    filled: int = 0

    def repeated(self, times: int, extra: int) -> KeysValuesRoom:
        """Every row ``times`` times, one after the other, with room for ``extra`` more tokens."""
        return self.chosen(None, times, extra)

    def chosen(self, rows: Tensor | None, times: int = 1, extra: int = 0) -> KeysValuesRoom:
        """The rows named (all if None), each repeated, with room for ``extra`` more tokens."""

        def take(room: Tensor) -> Tensor:
            picked = room if rows is None else room[rows]
            if times > 1:
                picked = picked.repeat_interleave(times, dim=0)
            return functional.pad(picked, (0, 0, 0, extra)) if extra else picked

        return KeysValuesRoom([take(k) for k in self.keys], [take(v) for v in self.values], self.filled)


class Decoder:
    """A frozen :class:`LanguageModel` with updates on top; the updates are the caller's tensors."""

    def __init__(self, model: LanguageModel, scale: float) -> None:
        self.model = model
        self.config = model.config
        self.scale = scale
        self.blocks = cast("list[Block]", list(model.blocks))
        self.dtype = model.embedding.weight.dtype
        self._updates: dict[str, Tensor] = {}
        pairs = torch.arange(0, self.config.head_size, 2, dtype=torch.float32)
        frequencies = 1.0 / (self.config.rope_theta ** (pairs / self.config.head_size))
        angles = torch.arange(512).float()[:, None] * frequencies  # [positions, D/2]
        self._cos, self._sin = angles.cos().to(self.dtype), angles.sin().to(self.dtype)

    def adapt(self, lora: Mapping[str, Tensor]) -> None:
        """Use these updates from now on; gradients reach them."""
        self._updates = {
            name: (tensor * self.scale if name.endswith(".second") else tensor).to(self.dtype)
            for name, tensor in lora.items()
        }

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids [...] -> embeddings [...,C]."""
        return functional.embedding(ids, self.model.embedding.weight)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor, room: KeysValuesRoom | None = None
    ) -> Tensor:
        """Embeddings [B,T,C] at ``positions`` [B,T] -> hidden states [B,T,C].

        ``mask`` [B,T,S] is what is added to the scores: 0 where a token may look, -inf where not. With ``room``, the
        keys and values before these are read from it, and those of these are written into it.
        """
        cos, sin = self._cos[positions][:, :, None], self._sin[positions][:, :, None]  # [B,T,1,D/2]
        mask = mask[:, None].to(self.dtype)
        residual = x
        for layer, block in enumerate(self.blocks):
            residual = self._layer(residual, layer, block, (cos, sin, mask), room)
        if room is not None:
            room.filled += x.shape[1]
        return norm(residual, self.model.norm)

    def _layer(
        self,
        residual: Tensor,
        layer: int,
        block: Block,
        shared: tuple[Tensor, Tensor, Tensor],
        room: KeysValuesRoom | None,
    ) -> Tensor:
        cos, sin, mask = shared
        config = self.config
        name = f"blocks.{layer}"
        qkv = self._linear(norm(residual, block.attention_norm), block.attention.qkv, f"{name}.attention.qkv")
        turned, v = qkv.unflatten(-1, (-1, config.head_size)).split(
            (config.heads + config.kv_heads, config.kv_heads), dim=2
        )
        first, second = turned.chunk(2, dim=-1)
        turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
        q, k = turned.transpose(1, 2).split((config.heads, config.kv_heads), dim=1)  # [B,H,T,D], [B,G,T,D]
        v = v.transpose(1, 2)  # [B,G,T,D]
        if room is not None:
            end = room.filled + k.shape[2]
            room.keys[layer][:, :, room.filled : end] = k
            room.values[layer][:, :, room.filled : end] = v
            k, v = room.keys[layer][:, :, :end], room.values[layer][:, :, :end]
        out = attend(q, k, v, mask)
        out = out.transpose(1, 2).flatten(2)  # [B,T,H*D]
        residual = residual + self._linear(out, block.attention.output, f"{name}.attention.output")
        inner = self._linear(norm(residual, block.mlp_norm), block.mlp.gate_up, f"{name}.mlp.gate_up")
        gate, up = inner.chunk(2, dim=-1)
        return residual + self._linear(functional.silu(gate) * up, block.mlp.down, f"{name}.mlp.down")

    def _linear(self, x: Tensor, linear: nn.Linear, name: str) -> Tensor:
        out = functional.linear(x, linear.weight)
        first = self._updates.get(f"{name}.first")
        if first is None:
            return out
        update = functional.linear(x, first).flatten(0, -2)  # [B*T,rank]
        second = self._updates[f"{name}.second"]
        return torch.addmm(out.flatten(0, -2), update, second.T).view_as(out)

    def room(self, batch: int, tokens: int) -> KeysValuesRoom:
        """Empty room for a batch."""
        shape = (batch, self.config.kv_heads, tokens, self.config.head_size)
        return KeysValuesRoom(
            [torch.zeros(shape, dtype=self.dtype) for _ in self.blocks],
            [torch.zeros(shape, dtype=self.dtype) for _ in self.blocks],
        )


def norm(x: Tensor, module: RMSNorm) -> Tensor:
    """Root mean square normalisation, [..., C]."""
    return functional.rms_norm(x, (x.shape[-1],), module.weight, module.eps)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Grouped-query attention: q [B,H,T,D], k and v [B,G,S,D], ``mask`` [B,1,T,S] -> [B,H,T,D].

    Written out, because the fused operator wants keys and values repeated, which takes longer than it saves.
    """
    batch, heads, tokens, size = q.shape
    groups = k.shape[1]
    q = q.reshape(batch, groups, heads // groups * tokens, size)
    scores = (q @ k.transpose(-1, -2)).view(batch, groups, heads // groups, tokens, -1) * size**-0.5
    weights = (scores + mask[:, :, None]).softmax(-1).view(batch, groups, heads // groups * tokens, -1)
    return (weights @ v).view(batch, heads, tokens, size)


def adapted_shapes(model: LanguageModel) -> dict[str, tuple[int, ...]]:
    """The matrices that get an update, [outputs, inputs] by name."""
    return {
        name: tuple(weight.shape)
        for name, weight in model.named_parameters()
        if name.removesuffix(".weight").endswith(ADAPTED)
    }
