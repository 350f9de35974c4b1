"""Turns the PyTorch Whisper into two ONNX graphs: one that hears, one that writes.

In: a :class:`Whisper` with its weights, and what stands in place of its linear layers. Out: ``encoder.onnx`` and
``decoder.onnx``, each with its weights beside it, with the tensor names of ONNX Runtime GenAI's Whisper models.

Three things differ from those, each for speed on a CPU: the encoder takes any number of frames up to 30 s, so that a
short sentence costs little; it hands out its keys transposed and scaled, [B,H,D,S], since the decoder multiplies
with them at every token (half the time at S = 1500, measured); the decoder says where its alignment heads look
(``cross_weights``), at every token, which costs nothing beside the rest and gives the times of words.

Legend for shapes: as in ``export/nn/whisper.py``; A alignment heads. ONNX axes: ``batch``, ``frames`` (F), ``positions`` (S),
``new_tokens`` (T), ``capacity`` (of the self-attention's buffers).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.onnx.ops import symbolic, symbolic_multi_out

from export.nn.whisper import (
    AttentionCore,
    DecoderBlock,
    EncoderBlock,
    Heads,
    KeysValues,
    Whisper,
    split_heads,
)
from export.onnx_graph import OPSET, save_program
from export.whisper_config import WhisperConfig

ENCODER_FILE = "encoder.onnx"
DECODER_FILE = "decoder.onnx"
Replace = Callable[[nn.Linear], nn.Module]


class FusedSelfAttention(nn.Module):
    """The attention core of an encoder, which sees everything, as one MultiHeadAttention."""

    def __init__(self, heads: int, head_size: int) -> None:
        super().__init__()
        self.heads, self.head_size = heads, head_size

    def forward(self, qkv: Tensor, _past: KeysValues | None) -> tuple[Tensor, KeysValues]:
        """[B,S,3*H*D] -> [B,S,H*D]; the second part is never looked at."""
        q, k, v = qkv.chunk(3, dim=-1)
        out = symbolic(
            "com.microsoft::MultiHeadAttention",
            [q, k, v],
            {"num_heads": self.heads, "scale": self.head_size**-0.5},
            dtype=q.dtype,
            shape=q.shape,
            version=1,
        )
        return out, (k, v)


class FusedCachedAttention(nn.Module):
    """The decoder's attention core as one GroupQueryAttention, which writes into its buffers."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        self.config = config

    def forward(
        self, qkv: Tensor, past: KeysValues, lengths: Tensor, total_tokens: Tensor
    ) -> tuple[Tensor, KeysValues]:
        """[B,T,3*H*D], buffers [B,H,P,D], tokens less one int32 [B] and tokens int32 [] -> ([B,T,H*D], buffers)."""
        config = self.config
        out, keys, values = symbolic_multi_out(
            "com.microsoft::GroupQueryAttention",
            [qkv, cast("Tensor", None), cast("Tensor", None), *past, lengths, total_tokens],
            {"num_heads": config.heads, "kv_num_heads": config.heads, "scale": config.head_size**-0.5},
            dtypes=[qkv.dtype, past[0].dtype, past[1].dtype],
            shapes=[(*qkv.shape[:2], config.hidden_size), past[0].shape, past[1].shape],
            version=1,
        )
        return out, (keys, values)


class EncoderGraph(nn.Module):
    """The encoder, and what each layer of the decoder makes of its states."""

    def __init__(self, model: Whisper) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.cross = nn.ModuleList(cast("DecoderBlock", block).cross.kv for block in model.decoder.blocks)
        self.config = model.config
        for block in model.encoder.blocks:
            core = FusedSelfAttention(model.config.heads, model.config.head_size)
            cast("EncoderBlock", block).attention.core = cast("AttentionCore", core)

    def forward(self, audio_features: Tensor) -> list[list[Tensor]]:
        """[B,M,F] -> for each layer of the decoder keys [B,H,D,S], divided by sqrt(D), and values [B,H,S,D]."""
        config = self.config
        states = self.encoder(audio_features)  # [B,S,C]
        cross = []
        for kv in self.cross:
            k, v = kv(states).chunk(2, dim=-1)
            keys = k.unflatten(-1, (config.heads, config.head_size)).permute(0, 2, 3, 1)  # [B,H,D,S]
            cross.append([keys * config.head_size**-0.5, split_heads(v, config.heads)])
        return cross


class DecoderGraph(nn.Module):
    """The decoder for T more tokens; reads like ``Decoder.states`` with operators in place of the cores."""

    def __init__(self, model: Whisper, head: nn.Module, embedding: nn.Module, watched: Heads) -> None:
        super().__init__()
        self.decoder, self.config, self.watched = model.decoder, model.config, tuple(watched)
        self.head, self.embedding = head, embedding
        self.self_attention = FusedCachedAttention(model.config)

    def forward(
        self,
        input_ids: Tensor,
        past_sequence_length: Tensor,
        past_self: list[list[Tensor]],
        past_cross: list[list[Tensor]],
    ) -> list[Any]:
        """ids int32 [B,T], past int32 [1], buffers, keys and values of one sound -> logits fp32 [B,1,V], buffers, weights.

        The weights are [B,A,T,S]. B texts about the one sound are written side by side.
        """
        batch, new = input_ids.shape
        places = past_sequence_length + torch.arange(new, dtype=torch.int32)  # [T]
        x = self.embedding(input_ids) + nn.functional.embedding(places, self.decoder.positions)
        total_tokens = (past_sequence_length + new).squeeze(0)  # []
        lengths = (total_tokens - 1).expand(batch)  # [B]
        present, weights = [], {}
        for layer, block in enumerate(cast("list[DecoderBlock]", list(self.decoder.blocks))):
            keys, values = past_self[layer]
            qkv = block.attention.qkv(block.attention_norm(x))
            out, kept = self.self_attention(qkv, (keys, values), lengths, total_tokens)
            present.append(list(kept))
            x = x + block.attention.output(out)
            keys, values = past_cross[layer]
            q = split_heads(block.cross.q(block.cross_norm(x)), self.config.heads)  # [B,H,T,D]
            looks = (q @ keys).softmax(dim=-1)  # [B,H,T,S]; the keys carry the scale
            weights |= {(layer, head): looks[:, head] for at, head in self.watched if at == layer}
            x = x + block.cross.output((looks @ values).transpose(1, 2).flatten(2))
            x = x + block.mlp(block.mlp_norm(x))
        logits = self.head(self.decoder.norm(x[:, -1:]))  # [B,1,V]
        return [logits.float(), present, torch.stack([weights[head] for head in self.watched], dim=1)]


def replace_linears(module: nn.Module, replace: Replace) -> None:
    """Swap every linear layer inside ``module`` for what ``replace`` makes of it."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, replace(child))
        else:
            replace_linears(child, replace)


def export_encoder(graph: EncoderGraph, folder: Path) -> None:
    """Trace and write the graph that hears."""
    config = graph.config
    names = [f"present_{part}_cross_{n}" for n in range(config.decoder_layers) for part in ("key", "value")]
    batch = torch.export.Dim("batch", min=1)
    # An even number, since the convolutions halve it: the axis is counted in pairs of frames.
    pairs = torch.export.Dim("pairs", min=2, max=config.audio_context_frames)
    program = torch.onnx.export(
        graph.eval(),
        (torch.zeros(2, config.mels, 64),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["audio_features"],
        output_names=names,
        dynamic_shapes={"audio_features": {0: batch, 2: 2 * pairs}},
        verbose=False,
    )
    save_program(program, folder / ENCODER_FILE)


def export_decoder(graph: DecoderGraph, folder: Path) -> None:
    """Trace and write the graph that writes."""
    config = graph.config
    layers = range(config.decoder_layers)
    heads, size = config.heads, config.head_size
    # Two rows, since a trace with one would know no other number; but one sound, which they share.
    past_self = [[torch.zeros(2, heads, 16, size) for _ in ("key", "value")] for _ in layers]
    past_cross = [[torch.zeros(1, heads, size, 32), torch.zeros(1, heads, 32, size)] for _ in layers]
    batch, new, capacity, positions = (
        torch.export.Dim(name, min=least)
        for name, least in (("batch", 1), ("new_tokens", 1), ("capacity", 2), ("positions", 2))
    )
    axes = {0: batch, 2: capacity}
    program = torch.onnx.export(
        graph.eval(),
        (torch.zeros(2, 3, dtype=torch.int32), torch.zeros(1, dtype=torch.int32), past_self, past_cross),
        dynamo=True,
        opset_version=OPSET,
        input_names=[
            "input_ids",
            "past_sequence_length",
            *_names("past", "self", layers),
            *_names("past", "cross", layers),
        ],
        output_names=["logits", *_names("present", "self", layers), "cross_weights"],
        dynamic_shapes={
            "input_ids": {0: batch, 1: new},
            "past_sequence_length": None,
            "past_self": [[axes, axes] for _ in layers],
            "past_cross": [[{3: positions}, {2: positions}] for _ in layers],
        },
        verbose=False,
    )
    save_program(program, folder / DECODER_FILE)


def _names(time: str, kind: str, layers: range) -> list[str]:
    return [f"{time}_{part}_{kind}_{layer}" for layer in layers for part in ("key", "value")]
