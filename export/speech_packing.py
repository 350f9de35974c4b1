"""Decides how each weight of a speech model is stored: 8 bits everywhere, by two operators.

In: a module with linear layers. Out: the same module with them swapped.
"""

from __future__ import annotations

import os
import numpy as np
import torch
from torch import Tensor, nn
from torch.onnx.ops import symbolic

from export.onnx_graph import CPU_ACCURACY_LEVEL, PackedEmbedding, PackedLinear
from export.quantize import pack_8bit
from export.whisper_graph import EncoderGraph, replace_linears


class DynamicLinear(nn.Module):
    """A linear layer as DynamicQuantizeMatMul."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weights = layer.weight.detach().numpy().T  # [K,N]
        scales = np.abs(weights).max(axis=0) / 127
        self.register_buffer("data", torch.from_numpy(np.rint(weights / scales).astype(np.int8)))
        self.register_buffer("scales", torch.from_numpy(scales.astype(np.float32)))
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


def packed(layer: nn.Linear, block: int = 32) -> PackedLinear:
    bias = None if layer.bias is None else layer.bias.detach()
    return PackedLinear(pack_8bit(layer.weight.detach().numpy(), block), bias, torch.float32, CPU_ACCURACY_LEVEL)


def quantise(module: nn.Module) -> None:
    if isinstance(module, EncoderGraph):
        kind = os.environ.get("ENC", "dyn")
        replace_linears(module, DynamicLinear if kind == "dyn" else (lambda l: packed(l, int(kind))))
    else:
        block = int(os.environ.get("DEC", "32"))
        replace_linears(module, lambda l: packed(l, block))


def packed_head(table: Tensor) -> tuple[nn.Module, nn.Module]:
    block = int(os.environ.get("DEC", "32"))
    head = PackedLinear(pack_8bit(table.detach().numpy(), block), None, torch.float32, CPU_ACCURACY_LEVEL)
    return head, PackedEmbedding(head)
