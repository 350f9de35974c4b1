"""Turns the PyTorch Transformer into an ONNX graph of ONNX Runtime's fused operators.

In: a :class:`LanguageModel` (weights or empty), and what stands in place of its linear layers. Out: ``model.onnx``
with its weights beside it, in the layout of ONNX Runtime GenAI.

The exported module reads like ``export/nn/language.py``; only its parts are swapped: attention for
GroupQueryAttention (rotary positions and the cache inside), norms for (Skip)SimplifiedLayerNormalization, linear
layers for MatMulNBits. torch does not run these: they stand as symbols in the traced graph.

Legend for shapes: as in ``export/nn/language.py``; the ONNX axes are called ``batch``, ``new_tokens`` (T),
``past_tokens`` (P, the length of the cache's buffers) and ``total_tokens`` (S).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import onnx
import torch
from torch import Tensor, nn
from torch.onnx.ops import symbolic, symbolic_multi_out

from export.config import LanguageConfig
from export.external_weights import share_weights
from export.nn.language import AttentionCore, Block, Cache, LanguageModel, RMSNorm, rotary_tables
from export.quantize import PackedMatrix

MODEL_FILE = "model.onnx"
EMBEDDING_FILE = "embeddings.onnx"
WEIGHTS_FILE = "model.onnx.data"
# RMSNormalization is a standard operator from here on.
OPSET = 23
# Products of 8-bit activations and weights; the level that ONNX Runtime's CPU kernels are quick at.
CPU_ACCURACY_LEVEL = 4
# GroupQueryAttention's word for the attention weights among its outputs.
AFTER_SOFTMAX = 2


def append_means(x: Tensor, block: int, between: Sequence[Tensor] = ()) -> Tensor:
    """Append the mean of every block of the last axis, behind what is ``between``: [B,T,K] -> [B,T,K + ... + K/block].

    As Reshape and ReduceMean: measured as quick as a small matrix at K = 576 and quicker at 1536, where that
    matrix no longer stays in the cache; AveragePool lies between.
    """
    means = x.unflatten(-1, (x.shape[-1] // block, block)).mean(dim=-1)  # [B,T,K/block]
    return torch.cat((x, *between, means), dim=-1)


class PackedLinear(nn.Module):
    """A linear layer as MatMulNBits."""

    data: Tensor
    scales: Tensor
    zeros: Tensor | None
    bias: Tensor | None
    first: Tensor | None

    def __init__(
        self,
        matrix: PackedMatrix,
        bias: Tensor | None,
        dtype: torch.dtype,
        accuracy_level: int,
        first: Tensor | None = None,
    ) -> None:
        """``first`` [U,K] is the first matrix of a low-rank update, whose second one is among the columns of ``matrix``."""
        super().__init__()
        self.matrix, self.accuracy_level = matrix, accuracy_level
        self.register_buffer("data", torch.from_numpy(matrix.data))
        self.register_buffer("scales", torch.from_numpy(matrix.scales).to(dtype))
        self.register_buffer("zeros", None if matrix.zeros is None else torch.from_numpy(matrix.zeros))
        self.register_buffer("bias", None if bias is None else bias.to(dtype))
        self.register_buffer("first", None if first is None else first.half())

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,K] -> [B,T,N]."""
        more = [] if self.first is None else [x @ self.first.to(x.dtype).T]  # [B,T,U]
        if self.matrix.means_block:
            x = append_means(x, self.matrix.means_block, more)
        inputs: list[Any] = [x, self.data, self.scales]
        if self.zeros is not None or self.bias is not None:
            inputs += [self.zeros]
        if self.bias is not None:
            inputs += [None, self.bias]
        attributes: dict[str, Any] = {
            "K": self.matrix.columns,
            "N": self.matrix.rows,
            "bits": self.matrix.bits,
            "block_size": self.matrix.block,
        }
        if self.accuracy_level:
            attributes["accuracy_level"] = self.accuracy_level
        return symbolic(
            "com.microsoft::MatMulNBits",
            inputs,
            attributes,
            dtype=x.dtype,
            shape=(*x.shape[:-1], self.matrix.rows),
            version=1,
        )


class PackedEmbedding(nn.Module):
    """Rows of a quantised table; the table may be the head's, so that both share one copy."""

    def __init__(self, table: PackedLinear) -> None:
        super().__init__()
        self.table = table

    def forward(self, input_ids: Tensor) -> Tensor:
        """[B,T] -> [B,T,C]."""
        matrix = self.table.matrix
        rows = self.table.data.reshape(matrix.rows, matrix.columns)  # [V,C]
        return symbolic(
            "com.microsoft::GatherBlockQuantized",
            [rows, input_ids, self.table.scales],
            {"bits": matrix.bits, "block_size": matrix.block, "gather_axis": 0, "quantize_axis": 1},
            dtype=self.table.scales.dtype,
            shape=(*input_ids.shape, matrix.columns),
            version=1,
        )


class FusedNorm(nn.Module):
    """RMSNorm, alone or with the residual sum before it, as one operator."""

    def __init__(self, norm: RMSNorm, dtype: torch.dtype) -> None:
        super().__init__()
        self.eps = norm.eps
        self.weight = nn.Parameter(norm.weight.detach().to(dtype), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B,T,C] -> the same shape."""
        return symbolic(
            "RMSNormalization",
            [x, self.weight],
            {"axis": -1, "epsilon": self.eps},
            dtype=x.dtype,
            shape=x.shape,
            version=OPSET,
        )

    def add_norm(self, x: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """(x, residual) [B,T,C] -> (normed, x + residual)."""
        normed, _, _, total = symbolic_multi_out(
            "com.microsoft::SkipSimplifiedLayerNormalization",
            [x, residual, self.weight],
            {"epsilon": self.eps},
            dtypes=[x.dtype, torch.float32, torch.float32, x.dtype],
            shapes=[x.shape, (*x.shape[:-1], 1), (*x.shape[:-1], 1), x.shape],
            version=1,
        )
        return normed, total


class FusedSiLU(nn.Module):
    """x * sigmoid(x) as one operator (QuickGelu with a slope of one)."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] -> the same shape."""
        return symbolic(
            "com.microsoft::QuickGelu", [x], {"alpha": 1.0}, dtype=x.dtype, shape=x.shape, version=1
        )


class RotaryTables(nn.Module):
    """Cosines and sines for every position of the context, shared by all layers."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: LanguageConfig, dtype: torch.dtype) -> None:
        super().__init__()
        cos, sin = rotary_tables(config, torch.arange(config.context_tokens))
        self.register_buffer("cos", cos.to(dtype))  # [context, D/2]
        self.register_buffer("sin", sin.to(dtype))  # [context, D/2]


class LayerPast(NamedTuple):
    """What one layer's attention takes besides its input: the buffers, and how far they are filled.

    Each layer adds to ``looks`` (where there is such a list) what its tokens looked at: fp32 [B,H,T,S], rows sum to 1.
    """

    keys: Tensor  # [B,G,P,D]
    values: Tensor  # [B,G,P,D]
    lengths: Tensor  # int32 [B]: tokens so far with the new ones, less one
    total_tokens: Tensor  # int32 []: the longest of them
    looks: list[Tensor] | None = None
    mask_tokens: int | torch.SymInt = 0  # the same as total_tokens, for the shape of what is looked at


class FusedAttention(nn.Module):
    """The attention core as GroupQueryAttention over packed queries, keys and values."""

    def __init__(self, config: LanguageConfig, core: AttentionCore, tables: RotaryTables) -> None:
        super().__init__()
        self.config, self.tables = config, tables
        self.q_norm, self.k_norm = core.q_norm, core.k_norm

    def forward(self, qkv: Tensor, past: LayerPast) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """[B,T,(H+2G)*D] and the past -> ([B,T,H*D], the same buffers with the new tokens)."""
        config, tables = self.config, self.tables
        q, k, v = cast("Tensor", qkv), None, None
        if self.q_norm is not None and self.k_norm is not None:
            q, k, v = qkv.split((config.query_size, config.kv_size, config.kv_size), dim=-1)
            q = self.q_norm(q.unflatten(-1, (config.heads, config.head_size))).flatten(2)  # [B,T,H*D]
            k = self.k_norm(k.unflatten(-1, (config.kv_heads, config.head_size))).flatten(2)  # [B,T,G*D]
        keys, values = past.keys, past.values
        attributes: dict[str, Any] = {
            "num_heads": config.heads,
            "kv_num_heads": config.kv_heads,
            "do_rotary": 1,
            "rotary_interleaved": 0,
            "scale": config.head_size**-0.5,
        }
        dtypes = [qkv.dtype, keys.dtype, values.dtype]
        shapes: list[Any] = [(*qkv.shape[:2], config.query_size), keys.shape, values.shape]
        if past.looks is not None:
            attributes["qk_output"] = AFTER_SOFTMAX
            dtypes.append(qkv.dtype)
            shapes.append((qkv.shape[0], config.heads, qkv.shape[1], past.mask_tokens))
        out, present_keys, present_values, *weights = symbolic_multi_out(
            "com.microsoft::GroupQueryAttention",
            [q, k, v, keys, values, past.lengths, past.total_tokens, tables.cos, tables.sin],
            attributes,
            dtypes=dtypes,
            shapes=shapes,
            version=1,
        )
        if past.looks is not None:
            past.looks.extend(weights)
        return out, (present_keys, present_values)


class DecoderGraph(nn.Module):
    """The module that is traced: GenAI's inputs and outputs around the Transformer, whose parts it swaps.

    With ``from_embeddings`` it reads embeddings, which another graph looked up or made of a picture.
    """

    def __init__(self, model: LanguageModel, dtype: torch.dtype, from_embeddings: bool = False) -> None:
        super().__init__()
        self.model, self.from_embeddings = model, from_embeddings
        tables = RotaryTables(model.config, dtype)
        for block in cast("list[Block]", list(model.blocks)):
            block.attention_norm = cast("RMSNorm", FusedNorm(block.attention_norm, dtype))
            block.mlp_norm = cast("RMSNorm", FusedNorm(block.mlp_norm, dtype))
            core = FusedAttention(model.config, block.attention.core, tables)
            block.attention.core = cast("AttentionCore", core)
            if model.config.activation == "silu":
                block.mlp.activation = FusedSiLU()
        model.norm = cast("RMSNorm", FusedNorm(model.norm, dtype))

    def forward(self, tokens: Tensor, attention_mask: Tensor, past: list[list[Tensor]]) -> list[Any]:
        """``tokens``, ``attention_mask`` int64 [B,S], buffers -> logits fp32 [B,1,V], buffers.

        ``tokens`` are ids, int64 [B,T], or embeddings [B,T,C] with ``from_embeddings``.
        The mask holds ones up to the last new token of each row; only its sums and its length are used.
        """
        lengths = (attention_mask.sum(dim=1) - 1).to(torch.int32)  # [B]
        total_tokens = torch.full((), attention_mask.shape[1], dtype=torch.int32)
        cache = tuple(LayerPast(keys, values, lengths, total_tokens) for keys, values in past)
        read = self.model.decode if self.from_embeddings else self.model
        logits, present = read(tokens, cast("Cache", cache), last_only=True)
        return [logits.float(), [list(pair) for pair in present]]


def export_graph(graph: DecoderGraph, dtype: torch.dtype, folder: Path) -> None:
    """Trace ``graph`` and write ``model.onnx`` and its weights into ``folder``."""
    config = graph.model.config
    layers = range(config.layers)
    buffers = [
        [torch.zeros(1, config.kv_heads, 8, config.head_size, dtype=dtype) for _ in ("key", "value")]
        for _ in layers
    ]
    batch, new, past, total = (
        torch.export.Dim(name, min=1) for name in ("batch", "new_tokens", "past_tokens", "total_tokens")
    )
    kv_axes = {0: batch, 2: past}
    tokens = torch.zeros(1, 3, dtype=torch.int64)
    if graph.from_embeddings:
        tokens = torch.zeros(1, 3, config.hidden_size, dtype=dtype)
    program = torch.onnx.export(
        graph.eval(),
        (tokens, torch.ones(1, 7, dtype=torch.int64), buffers),
        dynamo=True,
        opset_version=OPSET,
        input_names=["inputs_embeds" if graph.from_embeddings else "input_ids", "attention_mask"]
        + [f"past_key_values.{layer}.{part}" for layer in layers for part in ("key", "value")],
        output_names=["logits"]
        + [f"present.{layer}.{part}" for layer in layers for part in ("key", "value")],
        dynamic_shapes={
            "tokens": {0: batch, 1: new},
            "attention_mask": {0: batch, 1: total},
            "past": [[kv_axes, kv_axes] for _ in layers],
        },
        verbose=False,
    )
    save_program(program, folder / MODEL_FILE)


class EmbeddingGraph(nn.Module):
    """The module that is traced for ``embeddings.onnx``."""

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self.embedding = embedding

    def forward(self, input_ids: Tensor) -> Tensor:
        """int64 [B,T] -> [B,T,C]."""
        return self.embedding(input_ids)


def export_embedding(embedding: nn.Module, folder: Path) -> None:
    """Write ``embeddings.onnx``. Where ``model.onnx`` stands there with the same table, both read one copy of it."""
    batch, new = (torch.export.Dim(name, min=1) for name in ("batch", "new_tokens"))
    program = torch.onnx.export(
        EmbeddingGraph(embedding).eval(),
        (torch.zeros(1, 3, dtype=torch.int64),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["input_ids"],
        output_names=["inputs_embeds"],
        dynamic_shapes={"input_ids": {0: batch, 1: new}},
        verbose=False,
    )
    save_program(program, folder / EMBEDDING_FILE)
    if (folder / MODEL_FILE).is_file():
        share_weights(folder / EMBEDDING_FILE, folder / MODEL_FILE)


def save_program(program: torch.onnx.ONNXProgram | None, path: Path) -> None:
    """Write a traced graph, its weights beside it, and nothing of this machine in it."""
    assert program is not None
    _strip_notes(program.model)
    program.save(path, external_data=True)
    _share_tables(path)


def _share_tables(path: Path) -> None:
    """Give every lookup table a flat initializer of its own over the very same bytes of the weights file.

    The embedding reads the head's table in another shape. As a Reshape that would be copied at every token,
    or once into memory of its own; two initializers that name one place in the file cost neither.
    """
    model = onnx.load(path, load_external_data=False)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    makers = {node.output[0]: node for node in graph.node}
    for lookup in [node for node in graph.node if node.op_type == "GatherBlockQuantized"]:
        reshape = makers.get(lookup.input[0])
        if reshape is None or reshape.op_type != "Reshape" or reshape.input[0] not in stored:
            continue
        packed, shape = (stored[name] for name in reshape.input)
        flat = onnx.TensorProto()
        flat.CopyFrom(packed)
        flat.name = lookup.input[0]
        rows = packed.dims[0]
        flat.dims[:] = [rows, math.prod(packed.dims) // rows]
        graph.node.remove(reshape)
        graph.initializer.append(flat)
        for tensor in (packed, shape):
            if not any(tensor.name in node.input for node in graph.node):
                graph.initializer.remove(tensor)
    onnx.save(model, path)


def _strip_notes(model: Any) -> None:
    """Remove what torch notes on every node: stack traces with this machine's paths, most of the file's bytes."""
    model.metadata_props.clear()
    for graph in model.graphs():
        graph.metadata_props.clear()
        graph.doc_string = None
        values = [*graph.inputs, *graph.initializers.values()]
        for node in graph:
            node.metadata_props.clear()
            node.doc_string = None
            values += node.outputs
        for value in values:
            value.metadata_props.clear()
