"""Decides how each weight of a speech model is stored, and swaps its linear layers for the operators that multiply so.

In: the two graphs' modules with their weights. Out: the same modules, everything in 8 bits, the convolutions, norms and
positions as they are.

The decoder reads its weights once for every token: MatMulNBits, whose activations get a scale for each block, is
quickest there, and exact enough for anything. The encoder multiplies hundreds of rows at once; DynamicQuantizeMatMul does
that a third quicker, but gives all its activations one scale. What comes out of GELU has too wide a range for that, so
the second matrix of each feed-forward layer stays MatMulNBits. Measured on Whisper base (45 English and 30 Chinese
recordings and ten passages in six languages, 1,892 words or characters; errors, encoder on 25 s of sound): fp32 285;
MatMulNBits 288, 319 ms; this mixture 289, 257 ms; DynamicQuantizeMatMul everywhere 295, 238 ms, with a fifth more
errors in Chinese.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.onnx.ops import symbolic

from export.nn.whisper import EncoderBlock, Whisper
from export.onnx_graph import CPU_ACCURACY_LEVEL, PackedEmbedding, PackedLinear
from export.quantize import Floats, PackedMatrix, pack_8bit
from export.whisper_graph import EncoderGraph, replace_linears

BLOCKS = (128, 64, 32, 16)  # the longest that divides the columns


class DynamicLinear(nn.Module):
    """A linear layer as DynamicQuantizeMatMul: weights int8 with a scale for each output, inputs uint8 as they come."""

    data: Tensor
    scales: Tensor
    zeros: Tensor
    bias: Tensor

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weights = _weights(layer).T  # [K,N]
        largest = np.abs(weights).max(axis=0)
        scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
        self.register_buffer("data", torch.from_numpy(np.rint(weights / scales).astype(np.int8)))
        self.register_buffer("scales", torch.from_numpy(scales))
        self.register_buffer("zeros", torch.zeros(len(scales), dtype=torch.int8))
        self.register_buffer("bias", layer.bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,K] -> [B,T,N]."""
        return symbolic(
            "com.microsoft::DynamicQuantizeMatMul",
            [x, self.data, self.scales, self.zeros, self.bias],
            dtype=x.dtype,
            shape=(*x.shape[:-1], self.data.shape[1]),
            version=1,
        )


def quantise_encoder(graph: EncoderGraph) -> None:
    """Swap the linear layers of the graph that hears."""
    for block in cast("list[EncoderBlock]", list(graph.encoder.blocks)):
        block.mlp.down = cast("nn.Linear", packed_linear(block.mlp.down))
    replace_linears(graph, DynamicLinear)


def quantise_decoder(model: Whisper) -> tuple[PackedLinear, PackedEmbedding]:
    """Swap the linear layers of the decoder; the head and the embedding, which share one table."""
    replace_linears(model.decoder, packed_linear)
    table = model.decoder.embedding.weight
    head = PackedLinear(_packed(table.detach().numpy()), None, torch.float32, CPU_ACCURACY_LEVEL)
    return head, PackedEmbedding(head)


def packed_linear(layer: nn.Linear) -> PackedLinear:
    """A linear layer as MatMulNBits in 8 bits."""
    bias = None if layer.bias is None else layer.bias.detach()
    return PackedLinear(_packed(_weights(layer)), bias, torch.float32, CPU_ACCURACY_LEVEL)


def _packed(weights: Floats) -> PackedMatrix:
    return pack_8bit(weights, next(block for block in BLOCKS if weights.shape[1] % block == 0))


def _weights(layer: nn.Linear) -> Floats:
    return layer.weight.detach().numpy()
