"""Writes ``data/tiny_pack``: a decoder of two layers with random weights, as three graphs that compute the same.

    model.onnx   GroupQueryAttention, past and present in one buffer, logits of the last position
    plain.onnx   standard operators, past and present apart, position_ids, logits of all positions
    half.onnx    as plain.onnx, with caches and logits in fp16

Needs the onnx package, which the tests have not: run it by hand, where the exporter's packages are, and commit the
result:  python -m tests.unit.engine.runtime.make_tiny_pack
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

FOLDER = Path(__file__).parent / "data" / "tiny_pack"
LAYERS, H, G, D, E, INNER, CONTEXT = 2, 2, 1, 16, 16, 32, 1280
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
V = 256 + len(SPECIAL)
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


class Graph:
    """Collects nodes and initializers."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}

    def constant(self, value: object, kind: type = np.int64) -> str:
        array = np.asarray(value, kind)
        name = (
            f"c_{array.dtype}_{'_'.join(map(str, array.shape))}_{'_'.join(map(str, array.ravel().tolist()))}"
        )
        self.weights[name] = array
        return name

    def __call__(
        self, op: str, *inputs: str, out: str | list[str] = "", domain: str = "", **attributes: Any
    ) -> str:
        outputs = out if isinstance(out, list) else [out or f"{op}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(op, list(inputs), outputs, domain=domain, **attributes))
        return outputs[0]


def random_weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)

    def matrix(rows: int, columns: int, scale: float) -> np.ndarray:
        return (random.normal(size=(rows, columns)) * scale).astype(np.float32)

    weights = {"embed": matrix(V, E, 1.0), "head": matrix(E, V, 1.0)}
    for n in range(LAYERS):
        weights |= {
            f"q{n}": matrix(E, H * D, 0.6),
            f"k{n}": matrix(E, G * D, 0.6),
            f"v{n}": matrix(E, G * D, 0.6),
            f"o{n}": matrix(H * D, E, 0.6),
            f"up{n}": matrix(E, INNER, 0.4),
            f"down{n}": matrix(INNER, E, 0.4),
        }
    return weights


def norm(g: Graph, x: str) -> str:
    return g("LayerNormalization", x, g.constant(np.ones(E), np.float32), axis=-1)


def angles(g: Graph, positions: str) -> str:
    """positions [.., N] -> [.., N, D/2]"""
    frequencies = g.constant(10000.0 ** (-np.arange(D // 2) / (D // 2)), np.float32)
    as_float = g("Cast", positions, to=TensorProto.FLOAT)
    return g("Mul", g("Unsqueeze", as_float, g.constant([-1])), frequencies)


def attention_gqa(g: Graph, n: int, q: str, k: str, v: str) -> str:
    if n == 0:
        g(
            "Cast",
            g("ReduceSum", "attention_mask", g.constant([1]), keepdims=0),
            out="sum",
            to=TensorProto.INT32,
        )
        g("Sub", "sum", g.constant([1], np.int32), out="seqlens")
        total = g("Gather", g("Shape", "attention_mask"), g.constant(1))
        g("Cast", total, out="total", to=TensorProto.INT32)
        table = angles(g, g("Range", g.constant(0), g.constant(CONTEXT), g.constant(1)))
        g("Cos", table, out="cos")
        g("Sin", table, out="sin")
    return g(
        "GroupQueryAttention",
        *(
            q,
            k,
            v,
            f"past_key_values.{n}.key",
            f"past_key_values.{n}.value",
            "seqlens",
            "total",
            "cos",
            "sin",
        ),
        out=[f"attended{n}", f"present.{n}.key", f"present.{n}.value"],
        domain="com.microsoft",
        num_heads=H,
        kv_num_heads=G,
        do_rotary=1,
    )


def attention_plain(g: Graph, n: int, q: str, k: str, v: str, *, cache: int) -> str:
    if n == 0:
        table = g("Unsqueeze", angles(g, "position_ids"), g.constant([1]))  # [1, 1, T, D/2]
        g("Cos", table, out="cos")
        g("Sin", table, out="sin")
        total = g("Gather", g("Shape", "attention_mask"), g.constant(1))
        keys = g("Range", g.constant(0), total, g.constant(1))
        queries = g("Unsqueeze", "position_ids", g.constant([1, 3]))  # [1, 1, T, 1]
        g("LessOrEqual", keys, queries, out="causal")  # [1, 1, T, P+T]

    def heads(x: str, count: int) -> str:
        return g("Transpose", g("Reshape", x, g.constant([1, -1, count, D])), perm=[0, 2, 1, 3])

    def rotated(x: str) -> str:
        halves = [f"{x}_first", f"{x}_second"]
        g("Split", x, out=halves, axis=-1, num_outputs=2)
        first = g("Sub", g("Mul", halves[0], "cos"), g("Mul", halves[1], "sin"))
        second = g("Add", g("Mul", halves[1], "cos"), g("Mul", halves[0], "sin"))
        return g("Concat", first, second, axis=-1)

    def with_past(x: str, kind: str) -> str:
        past = g("Cast", f"past_key_values.{n}.{kind}", to=TensorProto.FLOAT)
        whole = g("Concat", past, x, axis=2)
        g("Cast", whole, out=f"present.{n}.{kind}", to=cache)
        return whole

    keys, values = with_past(rotated(heads(k, G)), "key"), with_past(heads(v, G), "value")
    scores = g("MatMul", rotated(heads(q, H)), g("Transpose", keys, perm=[0, 1, 3, 2]))
    scores = g("Mul", scores, g.constant(D**-0.5, np.float32))
    scores = g("Where", "causal", scores, g.constant(-1e9, np.float32))
    mixed = g("MatMul", g("Softmax", scores, axis=-1), values)
    return g("Reshape", g("Transpose", mixed, perm=[0, 2, 1, 3]), g.constant([1, -1, H * D]))


def build(gqa: bool, cache: int = TensorProto.FLOAT) -> onnx.ModelProto:
    g = Graph()
    g.weights |= random_weights()
    x = g("Gather", "embed", "input_ids")
    for n in range(LAYERS):
        y = norm(g, x)
        q, k, v = (g("MatMul", y, f"{kind}{n}") for kind in "qkv")
        mixed = attention_gqa(g, n, q, k, v) if gqa else attention_plain(g, n, q, k, v, cache=cache)
        x = g("Add", x, g("MatMul", mixed, f"o{n}"))
        inner = g("Relu", g("MatMul", norm(g, x), f"up{n}"))
        x = g("Add", x, g("MatMul", inner, f"down{n}"))
    x = norm(g, x)
    if gqa:
        x = g("Slice", x, g.constant([-1]), g.constant([1 << 30]), g.constant([1]))
    g("Cast", g("MatMul", x, "head"), out="logits", to=cache)

    def info(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [
        info("input_ids", TensorProto.INT64, "B", "T"),
        info("attention_mask", TensorProto.INT64, "B", "S"),
    ]
    if not gqa:
        inputs.append(info("position_ids", TensorProto.INT64, "B", "T"))
    outputs = [info("logits", cache, "B", 1 if gqa else "T", V)]
    for n in range(LAYERS):
        for kind in ("key", "value"):
            inputs.append(info(f"past_key_values.{n}.{kind}", cache, "B", G, "P", D))
            outputs.append(info(f"present.{n}.{kind}", cache, "B", G, "S", D))
    weights = [numpy_helper.from_array(array, name) for name, array in g.weights.items()]
    graph = helper.make_graph(g.nodes, "tiny", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def tokenizer() -> Tokenizer:
    """One token a byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({char: id_ for id_, char in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return made


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    onnx.save(build(gqa=True), FOLDER / "model.onnx")
    onnx.save(build(gqa=False), FOLDER / "plain.onnx")
    onnx.save(build(gqa=False, cache=TensorProto.FLOAT16), FOLDER / "half.onnx")
    tokenizer().save(str(FOLDER / "tokenizer.json"), pretty=False)
    names = {"past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value"}
    config = {
        "model": {
            "type": "llama",
            "bos_token_id": 256,
            "eos_token_id": [258],
            "pad_token_id": 256,
            "vocab_size": V,
            "context_length": CONTEXT,
            "decoder": {
                "filename": "model.onnx",
                "head_size": D,
                "hidden_size": E,
                "num_attention_heads": H,
                "num_key_value_heads": G,
                "num_hidden_layers": LAYERS,
                "inputs": {"input_ids": "input_ids", "attention_mask": "attention_mask", **names},
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present.%d.key",
                    "present_value_names": "present.%d.value",
                },
            },
        },
        "search": {"past_present_share_buffer": True, "max_length": CONTEXT},
    }
    (FOLDER / "genai_config.json").write_text(json.dumps(config, indent=1), "utf-8")
    special = {"bos_token": SPECIAL[0], "eos_token": SPECIAL[2], "chat_template": TEMPLATE}
    (FOLDER / "tokenizer_config.json").write_text(json.dumps(special, indent=1), "utf-8")


if __name__ == "__main__":
    main()
