"""Turns the captioner into two ONNX graphs: one that sees, one that writes.

In: a picture network and a connector, and a :class:`LanguageModel` whose adapters are merged. Out: ``vision.onnx`` and
``model.onnx``, each with its weights beside it.

The graph that writes is that of any language pack with two differences: embeddings may stand before the text's (the
concatenation of features is inside, so that one table of embeddings serves it), and it says where each token looked.
Convolutions are stored in 16 bits, with their batch normalisation folded in, and widened once when the graph is opened:
quicker than 8-bit ones on a CPU without its own kernels for them, and half the file.

Legend for shapes: as in ``export/nn/{language,efficientnet,captioner}.py``. ONNX axes: ``batch``, ``prefix_tokens`` (Q, or
none where the prefix was read already), ``text_tokens`` (T), ``past_tokens`` (P), ``total_tokens`` (S).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.nn.captioner import Connector
from export.nn.efficientnet import ConvNorm, EfficientNet, InvertedResidual, normalise, same_padding
from export.nn.keywords import KeywordHead
from export.nn.language import Cache, LanguageModel
from export.onnx_graph import MODEL_FILE, OPSET, DecoderGraph, LayerPast, save_program
from export.speech_packing import packed_linear
from export.whisper_graph import replace_linears

VISION_FILE = "vision.onnx"


class FoldedConv(nn.Module):
    """Convolution with its normalisation folded in, the kernel in 16 bits."""

    weight: Tensor
    bias: Tensor

    def __init__(self, layer: ConvNorm) -> None:
        super().__init__()
        norm = layer.norm
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)  # [outputs]
        self.register_buffer("weight", (layer.conv.weight * scale[:, None, None, None]).detach().half())
        self.register_buffer("bias", (norm.bias - norm.running_mean * scale).detach())
        self.kernel, self.stride, self.act = layer.kernel, layer.stride, layer.act
        self.groups = layer.conv.groups

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,h,w] -> [B,outputs,h/stride,w/stride]."""
        x = same_padding(x, self.kernel, self.stride)
        x = functional.conv2d(x, self.weight.float(), self.bias, self.stride, groups=self.groups)
        return functional.hardtanh(x, 0.0, 6.0) if self.act else x


class VisionGraph(nn.Module):
    """Pixels in; out come the prefix, class probabilities, shares of words, and which patches each embedding is made from."""

    def __init__(
        self, vision: EfficientNet, connector: Connector, keywords: KeywordHead, packed: bool
    ) -> None:
        super().__init__()
        self.vision, self.connector, self.keywords = vision, connector, keywords
        if packed:
            _fold(vision)
            vision.classifier = cast("nn.Linear", packed_linear(vision.classifier))
            for part in (connector, keywords):
                replace_linears(part, packed_linear)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """uint8 [B,S,S,3] -> prefix [B,Q,C], probabilities [B,1000], shares [B,K], weights [B,Q,N] whose rows sum to 1."""
        pixels = normalise(pixel_values.permute(0, 3, 1, 2).float())
        vision = self.vision
        features = vision.head(vision.patch_map(pixels)).flatten(2).transpose(1, 2)  # [B,N,1280]
        prefix, weights = self.connector(features)
        logits = vision.classify(features) / self.connector.config.class_temperature
        return prefix, logits.softmax(dim=-1), self.keywords(features).sigmoid(), weights.mean(dim=1)


class CaptionGraph(DecoderGraph):
    """The decoder, with embeddings in front of the text's, and where each token looked."""

    rows: Tensor
    places: Tensor

    def __init__(self, model: LanguageModel, tokens: Sequence[int], vocab_size: int) -> None:
        """``model`` knows the tokens ``tokens`` only, in this order; seen from outside there are all ``vocab_size``."""
        super().__init__(model, torch.float32)
        rows = torch.zeros(vocab_size, dtype=torch.int32)
        rows[list(tokens)] = torch.arange(len(tokens), dtype=torch.int32)
        places = torch.full((vocab_size,), len(tokens), dtype=torch.int32)
        places[list(tokens)] = rows[list(tokens)]
        self.whole = len(tokens) == vocab_size
        self.register_buffer("rows", rows)  # [V] of each token, in the table
        self.register_buffer(
            "places", places
        )  # [V] the same, and one behind the table for tokens that are not in it

    def forward(  # type: ignore[override]
        self, prefix_embeds: Tensor, input_ids: Tensor, attention_mask: Tensor, past: list[list[Tensor]]
    ) -> list[Any]:
        """fp32 [B,Q,C], int64 [B,T], int64 [B,S], buffers -> logits [B,1,V], weights [B,Q+T,S], buffers.

        Tokens that are not in the table cannot be written: their logits are minus infinity. The weights are the mean over all heads and layers of what each new token looked at; a row sums to 1.
        """
        lengths = (attention_mask.sum(dim=1) - 1).to(torch.int32)  # [B]
        total_tokens = torch.full((), attention_mask.shape[1], dtype=torch.int32)
        looks: list[Tensor] = []
        cache = tuple(
            LayerPast(keys, values, lengths, total_tokens, looks, attention_mask.shape[1])
            for keys, values in past
        )
        rows = input_ids if self.whole else self.rows[input_ids]
        embeds = torch.cat((prefix_embeds, self.model.embedding(rows)), dim=1)  # [B,Q+T,C]
        logits, present = self.model.decode(embeds, cast("Cache", cache), last_only=True)
        if not self.whole:
            never = torch.full((logits.shape[0], 1, 1), float("-inf"))
            logits = torch.cat((logits, never), dim=-1).index_select(-1, self.places)
        mean = sum(layer.mean(dim=1) for layer in looks) / len(looks)  # [B,Q+T,S]
        return [logits, mean, [list(pair) for pair in present]]


def export_vision(graph: VisionGraph, folder: Path) -> None:
    """Trace ``graph`` and write ``vision.onnx`` and its weights into ``folder``."""
    side = graph.connector.config.image_px
    program = torch.onnx.export(
        graph.eval(),
        (torch.zeros(2, side, side, 3, dtype=torch.uint8),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["pixel_values"],
        output_names=["image_features", "class_probabilities", "keyword_shares", "patch_weights"],
        dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch", min=1)}},
        verbose=False,
    )
    save_program(program, folder / VISION_FILE)


def export_caption_decoder(graph: CaptionGraph, folder: Path) -> None:
    """Trace ``graph`` and write ``model.onnx`` and its weights into ``folder``."""
    config = graph.model.config
    layers = range(config.layers)
    buffers = [[torch.zeros(2, config.kv_heads, 16, config.head_size) for _ in range(2)] for _ in layers]
    batch, past, total = (torch.export.Dim(name, min=1) for name in ("batch", "past_tokens", "total_tokens"))
    prefix, text = (torch.export.Dim(name, min=0) for name in ("prefix_tokens", "text_tokens"))
    kv_axes = {0: batch, 2: past}
    program = torch.onnx.export(
        graph.eval(),
        (
            torch.zeros(2, 4, config.hidden_size),
            torch.zeros(2, 3, dtype=torch.int64),
            torch.ones(2, 9, dtype=torch.int64),
            buffers,
        ),
        dynamo=True,
        opset_version=OPSET,
        input_names=["prefix_embeds", "input_ids", "attention_mask"]
        + [f"past_key_values.{layer}.{part}" for layer in layers for part in ("key", "value")],
        output_names=["logits", "token_weights"]
        + [f"present.{layer}.{part}" for layer in layers for part in ("key", "value")],
        dynamic_shapes={
            "prefix_embeds": {0: batch, 1: prefix},
            "input_ids": {0: batch, 1: text},
            "attention_mask": {0: batch, 1: total},
            "past": [[kv_axes, kv_axes] for _ in layers],
        },
        verbose=False,
    )
    save_program(program, folder / MODEL_FILE)


def _fold(vision: EfficientNet) -> None:
    """Put the folded convolutions in the place of the network's own."""
    vision.stem = cast("ConvNorm", FoldedConv(vision.stem))
    vision.head = cast("ConvNorm", FoldedConv(vision.head))
    for block in cast("list[InvertedResidual]", list(vision.blocks)):
        if block.expand is not None:
            block.expand = cast("ConvNorm", FoldedConv(block.expand))
        block.depthwise = cast("ConvNorm", FoldedConv(block.depthwise))
        block.project = cast("ConvNorm", FoldedConv(block.project))
