"""Makes small packs and the bytes of small ONNX files, sound and hostile, without the onnx package."""

from __future__ import annotations

import json
from pathlib import Path

from engine.packs import PackManifest, write_pack_json

GRAPH, NODE, INITIALIZER, ATTRIBUTE, TENSOR = 7, 1, 5, 5, 5


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def external(location: str, offset: int | None = 0, length: int | None = None) -> bytes:
    """A TensorProto whose data are in another file."""
    pairs = {"location": location, "offset": offset, "length": length}
    entries = b"".join(
        field(13, field(1, key.encode()) + field(2, str(value).encode()))
        for key, value in pairs.items()
        if value is not None
    )
    return field(8, b"weight") + entries + varint(14 << 3) + varint(1)


def model(*initializers: bytes, nodes: tuple[bytes, ...] = ()) -> bytes:
    graph = b"".join(field(NODE, node) for node in nodes)
    graph += b"".join(field(INITIALIZER, tensor) for tensor in initializers)
    return varint(1 << 3) + varint(10) + field(GRAPH, graph)


def config(**changes: object) -> dict[str, object]:
    """A genai_config.json as the model builder writes it; ``changes`` go into "model"."""
    values: dict[str, object] = {
        "bos_token_id": 1,
        "context_length": 256,
        "decoder": {
            "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
            "filename": "model.onnx",
            "head_size": 4,
            "hidden_size": 8,
            "inputs": {
                "input_ids": "input_ids",
                "attention_mask": "attention_mask",
                "past_key_names": "past_key_values.%d.key",
                "past_value_names": "past_key_values.%d.value",
            },
            "outputs": {
                "logits": "logits",
                "present_key_names": "present.%d.key",
                "present_value_names": "present.%d.value",
            },
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "num_key_value_heads": 1,
        },
        "eos_token_id": [2, 3],
        "pad_token_id": 0,
        "type": "llama",
        "vocab_size": 32,
    }
    values.update(changes)
    return {
        "model": values,
        "search": {
            "do_sample": False,
            "max_length": 256,
            "past_present_share_buffer": True,
            "repetition_penalty": 1.0,
            "temperature": 1.0,
            "top_k": 50,
            "top_p": 1.0,
        },
    }


def speech_config(**changes: object) -> dict[str, object]:
    """A genai_config.json of a tiny Whisper; ``changes`` go into "model"."""
    decoder: dict[str, object] = {
        "filename": "decoder.onnx",
        "head_size": 4,
        "hidden_size": 8,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "num_hidden_layers": 3,
        "inputs": {
            "input_ids": "input_ids",
            "past_key_names": "past_key_self_%d",
            "past_value_names": "past_value_self_%d",
            "cross_past_key_names": "past_key_cross_%d",
            "cross_past_value_names": "past_value_cross_%d",
        },
        "outputs": {
            "logits": "logits",
            "present_key_names": "present_key_self_%d",
            "present_value_names": "present_value_self_%d",
        },
    }
    encoder: dict[str, object] = {
        "filename": "encoder.onnx",
        "head_size": 4,
        "hidden_size": 8,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "inputs": {"audio_features": "audio_features"},
        "outputs": {
            "cross_present_key_names": "present_key_cross_%d",
            "cross_present_value_names": "present_value_cross_%d",
        },
    }
    values = {"type": "whisper", "context_length": 448, "decoder": decoder, "encoder": encoder}
    return config(**(values | changes))


def make_foreign_speech(folder: Path, **changes: object) -> Path:
    """A Whisper folder as others publish it: two graphs, and the encoder's weights in a file of their own."""
    folder.mkdir(parents=True)
    (folder / "genai_config.json").write_text(json.dumps(speech_config(**changes)), "utf-8")
    (folder / "encoder.weights").write_bytes(bytes(range(256)) * 4)
    (folder / "encoder.onnx").write_bytes(model(external("encoder.weights", 0, 1024)))
    (folder / "decoder.onnx").write_bytes(model())
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    (folder / "generation_config.json").write_text('{"is_multilingual": true}', "utf-8")
    return folder


def make_speech_pack(folder: Path, name: str = "tiny-speech", kind: str = "speech") -> Path:
    """A speech pack as our exporter writes it."""
    make_foreign_speech(folder)
    write_pack_json(folder, _manifest(name, "Tiny speech 测试", kind))
    return folder


def make_image_pack(folder: Path, name: str = "tiny-captioner", card: str = "") -> Path:
    """An image pack as our exporter writes it: a graph that sees, one that writes, and what the classes are called."""
    make_foreign(folder)
    values = config(type="captioner")
    values["model"]["vision"] = {"filename": "vision.onnx", "config_filename": "captioner.json"}  # type: ignore[index]
    (folder / "genai_config.json").write_text(json.dumps(values), "utf-8")
    (folder / "vision.onnx").write_bytes(model())
    (folder / "captioner.json").write_text("{}", "utf-8")
    (folder / "labels.tsv").write_text("index\tname\tnoun\tzh\tnoun_zh\n0\tpug\tdog\t巴哥犬\t狗\n", "utf-8")
    if card:
        (folder / "README.md").write_text(card, "utf-8")
    write_pack_json(folder, _manifest(name, "Tiny captioner 测试", "image"))
    return folder


def make_foreign(folder: Path, **changes: object) -> Path:
    """A folder as others publish it: no pack.json."""
    folder.mkdir(parents=True)
    (folder / "genai_config.json").write_text(json.dumps(config(**changes)), "utf-8")
    (folder / "model.onnx.data").write_bytes(bytes(range(256)) * 4)
    (folder / "model.onnx").write_bytes(model(external("model.onnx.data", 0, 1024)))
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    return folder


def make_pack(folder: Path, name: str = "tiny", **changes: object) -> Path:
    """A pack as our exporter writes it."""
    make_foreign(folder, **changes)
    write_pack_json(folder, _manifest(name, "Tiny 测试", "language"))
    return folder


def _manifest(name: str, display_name: str, kind: str) -> PackManifest:
    return PackManifest(
        name=name,
        kind=kind,
        display_name=display_name,
        licence="Apache-2.0",
        source="somewhere",
        revision="1",
        languages=("en", "zh-Hans"),
        parameters=1000,
        quantisation="int4",
        memory_bytes=1_000_000,
        context_tokens=256,
        parity={"max_abs_logit_difference": 1e-4},
    )
