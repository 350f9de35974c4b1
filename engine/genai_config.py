"""What ``genai_config.json`` says about a decoder: shapes, names of tensors, ids of special tokens.

In: the file, as ONNX Runtime GenAI's model builder or our exporter wrote it (untrusted). Out: a frozen
:class:`GenaiConfig`. Session options in the file are not followed: they could name a library to load.
Reference: https://onnxruntime.ai/docs/genai/reference/config.html
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.json_files import Reader
from engine.onnx_files import is_plain_name

MAX_CONTEXT_TOKENS = 1 << 24
MAX_TOKEN_ID = (1 << 31) - 1
# Sections of models that are more than one text decoder.
OTHER_KINDS = ("encoder", "vision", "speech", "embedding", "joiner", "encoder_decoder_init")


@dataclass(frozen=True)
class SearchDefaults:
    """How the model's maker would sample from it."""

    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_length_tokens: int = 0  # 0: as long as the context


@dataclass(frozen=True)
class GenaiConfig:
    """One decoder. ``past_key_names`` and its three sisters hold one ``%d`` for the layer's number."""

    model_type: str
    filename: str
    vocab_size: int
    context_length: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_size: int
    hidden_size: int
    eos_token_ids: tuple[int, ...]
    bos_token_id: int | None = None
    pad_token_id: int | None = None
    input_ids: str = "input_ids"
    attention_mask: str = "attention_mask"
    position_ids: str = "position_ids"  # a name, whether the model has this input or not
    past_key_names: str = "past_key_values.%d.key"
    past_value_names: str = "past_key_values.%d.value"
    logits: str = "logits"
    present_key_names: str = "present.%d.key"
    present_value_names: str = "present.%d.value"
    past_present_share_buffer: bool = False
    search: SearchDefaults = SearchDefaults()

    def past_key(self, layer: int) -> str:
        """The input that holds the keys of earlier tokens."""
        return self.past_key_names.replace("%d", str(layer))

    def past_value(self, layer: int) -> str:
        """The input that holds the values of earlier tokens."""
        return self.past_value_names.replace("%d", str(layer))

    def present_key(self, layer: int) -> str:
        """The output that holds the keys of all tokens."""
        return self.present_key_names.replace("%d", str(layer))

    def present_value(self, layer: int) -> str:
        """The output that holds the values of all tokens."""
        return self.present_value_names.replace("%d", str(layer))

    def kv_bytes(self, context_tokens: int, element_bytes: int = 4) -> int:
        """Memory of the KV cache: keys and values, layers x KV heads x tokens x head size."""
        per_token = 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_size
        return per_token * context_tokens * element_bytes


def read_genai_config(path: Path) -> GenaiConfig:
    """Read and check the file; raises EngineError for anything that is not one text decoder."""
    file = Reader.open(path)
    model = file.object("model")
    decoder = model.object("decoder")
    if any(kind in model for kind in OTHER_KINDS) or "pipeline" in decoder:
        raise EngineError(
            "This model is made of several parts, which this version of Pollux cannot run.",
            "Use a model with one text decoder.",
        )
    filename = decoder.text("filename")
    if not is_plain_name(filename) or not filename.lower().endswith(".onnx"):
        raise file.bad('"model.decoder.filename" must be the plain name of an .onnx file')
    heads = decoder.whole("num_attention_heads", 1, 4096)
    head_size = decoder.whole("head_size", 1, 4096)
    kv_heads = decoder.whole("num_key_value_heads", 1, 4096, default=heads)
    if heads % kv_heads:
        raise file.bad("the attention heads cannot be shared out among the key-value heads")
    inputs, outputs, search = decoder.object("inputs"), decoder.object("outputs"), file.object("search")
    return GenaiConfig(
        model_type=model.text("type", ""),
        filename=filename,
        vocab_size=model.whole("vocab_size", 1, 1 << 24),
        context_length=model.whole("context_length", 1, MAX_CONTEXT_TOKENS),
        num_hidden_layers=decoder.whole("num_hidden_layers", 1, 1024),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        head_size=head_size,
        hidden_size=decoder.whole("hidden_size", 1, 1 << 20, default=heads * head_size),
        eos_token_ids=model.wholes("eos_token_id", 0, MAX_TOKEN_ID),
        bos_token_id=model.maybe_whole("bos_token_id", 0, MAX_TOKEN_ID),
        pad_token_id=model.maybe_whole("pad_token_id", 0, MAX_TOKEN_ID),
        input_ids=inputs.text("input_ids", "input_ids"),
        attention_mask=inputs.text("attention_mask", "attention_mask"),
        position_ids=inputs.text("position_ids", "position_ids"),
        past_key_names=_per_layer(inputs, "past_key_names", "past_key_values.%d.key"),
        past_value_names=_per_layer(inputs, "past_value_names", "past_key_values.%d.value"),
        logits=outputs.text("logits", "logits"),
        present_key_names=_per_layer(outputs, "present_key_names", "present.%d.key"),
        present_value_names=_per_layer(outputs, "present_value_names", "present.%d.value"),
        past_present_share_buffer=search.flag("past_present_share_buffer", False),
        search=SearchDefaults(
            do_sample=search.flag("do_sample", False),
            temperature=search.number("temperature", 0.0, 100.0, 1.0),
            top_k=search.whole("top_k", 0, 1 << 24, 50),
            top_p=search.number("top_p", 0.0, 1.0, 1.0),
            min_p=search.number("min_p", 0.0, 1.0, 0.0),
            repetition_penalty=search.number("repetition_penalty", 0.0, 100.0, 1.0),
            max_length_tokens=search.whole("max_length", 0, MAX_CONTEXT_TOKENS, 0),
        ),
    )


def _per_layer(names: Reader, key: str, default: str) -> str:
    template = names.text(key, default)
    if template.count("%d") != 1:
        raise names.bad(f'"{key}" must hold %d once')
    return template
