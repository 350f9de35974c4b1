"""Turns what sees in an Idefics3 into an ONNX graph.

In: a :class:`PictureEncoder` with its weights, its linear layers swapped or not. Out: ``vision.onnx`` with its weights
beside it: pixel_values [N,3,S,S] -> image_features [N,K,C], in fp32. The decoder and the embedding are exported by
``export/onnx_graph.py``.

Legend for shapes: as in ``export/nn/siglip.py`` and ``export/nn/idefics3.py``; S is the side of a tile here, in pixels. The
ONNX axis is called ``tiles`` (N). Tiles are always whole, so that the places of patches are constants.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from export.nn.idefics3 import PictureEncoder
from export.nn.siglip import AttentionCore, Block
from export.onnx_graph import OPSET, save_program
from export.whisper_graph import FusedSelfAttention

VISION_FILE = "vision.onnx"


class FusedVisionAttention(nn.Module):
    """The attention core as one MultiHeadAttention."""

    def __init__(self, heads: int, head_size: int) -> None:
        super().__init__()
        self.attention = FusedSelfAttention(heads, head_size)

    def forward(self, qkv: Tensor, _seen: None) -> Tensor:
        """[N,S,3*H*D] -> [N,S,H*D]."""
        return self.attention(qkv, None)[0]


class VisionGraph(nn.Module):
    """The module that is traced."""

    places: Tensor  # [1,S,C]

    def __init__(self, pictures: PictureEncoder, tile_px: int) -> None:
        super().__init__()
        self.pictures, self.tile_px = pictures, tile_px
        config = pictures.config.vision
        sides = tile_px // config.patch_px
        with torch.no_grad():
            places = pictures.vision.places(torch.ones(1, sides, sides, dtype=torch.bool))
        self.register_buffer("places", places)
        for block in pictures.vision.blocks:
            core = FusedVisionAttention(config.heads, config.head_size)
            cast("Block", block).attention.core = cast("AttentionCore", core)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """[N,3,S,S] -> [N,K,C]."""
        patches = self.pictures.vision.patches(pixel_values).flatten(2).transpose(1, 2)
        return self.pictures.project(self.pictures.vision.states(patches + self.places))


def export_vision(graph: VisionGraph, folder: Path) -> None:
    """Trace and write the graph that sees."""
    program = torch.onnx.export(
        graph.eval(),
        (torch.zeros(2, 3, graph.tile_px, graph.tile_px),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["pixel_values"],
        output_names=["image_features"],
        dynamic_shapes={"pixel_values": {0: torch.export.Dim("tiles", min=1)}},
        verbose=False,
    )
    save_program(program, folder / VISION_FILE)
