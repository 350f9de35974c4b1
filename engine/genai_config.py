"""What ``genai_config.json`` says about a model: shapes, names of tensors, ids of special tokens.

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
WHISPER = "whisper"  # an encoder of sound and a decoder of text
CAPTIONER = "captioner"  # our own: sees a picture, writes one sentence
IDEFICS3 = "idefics3"  # sees pictures and converses (SmolVLM)
# The sections that a model may have, and those that the models of several parts which are understood do have.
OTHER_PARTS = ("encoder", "vision", "speech", "embedding", "joiner", "encoder_decoder_init")
PARTS: dict[str, tuple[str, ...]] = {
    WHISPER: ("encoder",),
    CAPTIONER: ("vision",),  # its decoder embeds by itself
    IDEFICS3: ("vision", "embedding"),
}


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
class EncoderConfig:
    """What turns sound into the keys and values that the decoder's cross-attention reads.

    ``cross_present_key_names`` and its sister hold one ``%d`` for the number of a layer of the *decoder*.
    """

    filename: str
    num_hidden_layers: int
    num_attention_heads: int
    head_size: int
    hidden_size: int
    audio_features: str = "audio_features"
    cross_present_key_names: str = "present_key_cross_%d"
    cross_present_value_names: str = "present_value_cross_%d"

    def cross_present_key(self, layer: int) -> str:
        """The output that holds the keys for the decoder's layer."""
        return self.cross_present_key_names.replace("%d", str(layer))

    def cross_present_value(self, layer: int) -> str:
        """The output that holds the values for the decoder's layer."""
        return self.cross_present_value_names.replace("%d", str(layer))


@dataclass(frozen=True)
class VisionConfig:
    """What turns pixels into features, which stand among the embeddings of the decoder's tokens.

    ``config_filename`` is the file that says how pixels are prepared.
    """

    filename: str
    config_filename: str = "processor_config.json"
    pixel_values: str = "pixel_values"
    image_features: str = "image_features"


@dataclass(frozen=True)
class EmbeddingConfig:
    """What turns the ids of tokens into embeddings."""

    filename: str
    input_ids: str = "input_ids"
    inputs_embeds: str = "inputs_embeds"


@dataclass(frozen=True)
class GenaiConfig:
    """One decoder, and what it listens to or looks at. ``past_key_names`` and its sisters hold one ``%d`` for the layer's number."""

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
    encoder: EncoderConfig | None = None  # None: text goes in, not sound
    cross_past_key_names: str = "past_key_cross_%d"  # only where there is an encoder
    cross_past_value_names: str = "past_value_cross_%d"
    vision: VisionConfig | None = None  # None: no pictures go in
    embedding: EmbeddingConfig | None = None  # None: the decoder takes ids, not embeddings
    inputs_embeds: str = "inputs_embeds"  # only where there is an embedding
    image_token_id: int | None = None  # stands where features of a picture go

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

    def cross_past_key(self, layer: int) -> str:
        """The input that holds the keys of the sound."""
        return self.cross_past_key_names.replace("%d", str(layer))

    def cross_past_value(self, layer: int) -> str:
        """The input that holds the values of the sound."""
        return self.cross_past_value_names.replace("%d", str(layer))

    def kv_bytes(self, context_tokens: int, element_bytes: int = 4) -> int:
        """Memory of the KV cache: keys and values, layers x KV heads x tokens x head size."""
        per_token = 2 * self.num_hidden_layers * self.num_key_value_heads * self.head_size
        return per_token * context_tokens * element_bytes


def read_genai_config(path: Path) -> GenaiConfig:
    """Read and check the file; raises EngineError for anything but one text decoder, alone or with parts of :data:`PARTS`."""
    file = Reader.open(path)
    model = file.object("model")
    decoder = model.object("decoder")
    kind = model.text("type", "")
    parts = PARTS.get(kind, ())
    if any(part in model for part in OTHER_PARTS if part not in parts) or "pipeline" in decoder:
        raise EngineError(
            "This model is made of several parts, which this version of Pollux cannot run.",
            "Use a model with one text decoder.",
        )
    filename = _filename(decoder)
    encoder = _encoder(model.object("encoder")) if "encoder" in parts else None
    if encoder is not None and encoder.filename == filename:
        raise file.bad("the encoder and the decoder must be two files")
    vision = _vision(model.object("vision")) if "vision" in parts else None
    embedding = _embedding(model.object("embedding")) if "embedding" in parts else None
    seen = [filename, *(part.filename for part in (vision, embedding) if part is not None)]
    if len(set(seen)) < len(seen):
        raise file.bad("what sees, what embeds and the decoder must be files of their own")
    heads = decoder.whole("num_attention_heads", 1, 4096)
    head_size = decoder.whole("head_size", 1, 4096)
    kv_heads = decoder.whole("num_key_value_heads", 1, 4096, default=heads)
    if heads % kv_heads:
        raise file.bad("the attention heads cannot be shared out among the key-value heads")
    inputs, outputs, search = decoder.object("inputs"), decoder.object("outputs"), file.object("search")
    return GenaiConfig(
        model_type=kind,
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
        encoder=encoder,
        cross_past_key_names=_per_layer(inputs, "cross_past_key_names", "past_key_cross_%d"),
        cross_past_value_names=_per_layer(inputs, "cross_past_value_names", "past_value_cross_%d"),
        vision=vision,
        embedding=embedding,
        inputs_embeds=inputs.text("inputs_embeds", "inputs_embeds"),
        image_token_id=model.maybe_whole("image_token_id", 0, MAX_TOKEN_ID),
    )


def _encoder(encoder: Reader) -> EncoderConfig:
    heads = encoder.whole("num_attention_heads", 1, 4096)
    head_size = encoder.whole("head_size", 1, 4096)
    inputs, outputs = encoder.object("inputs"), encoder.object("outputs")
    return EncoderConfig(
        filename=_filename(encoder),
        num_hidden_layers=encoder.whole("num_hidden_layers", 1, 1024),
        num_attention_heads=heads,
        head_size=head_size,
        hidden_size=encoder.whole("hidden_size", 1, 1 << 20, default=heads * head_size),
        audio_features=inputs.text("audio_features", "audio_features"),
        cross_present_key_names=_per_layer(outputs, "cross_present_key_names", "present_key_cross_%d"),
        cross_present_value_names=_per_layer(outputs, "cross_present_value_names", "present_value_cross_%d"),
    )


def _vision(vision: Reader) -> VisionConfig:
    config_filename = vision.text("config_filename", "processor_config.json")
    if not is_plain_name(config_filename):
        raise vision.wrong("config_filename", "the plain name of a file")
    inputs, outputs = vision.object("inputs"), vision.object("outputs")
    return VisionConfig(
        filename=_filename(vision),
        config_filename=config_filename,
        pixel_values=inputs.text("pixel_values", "pixel_values"),
        image_features=outputs.text("image_features", "image_features"),
    )


def _embedding(embedding: Reader) -> EmbeddingConfig:
    inputs, outputs = embedding.object("inputs"), embedding.object("outputs")
    return EmbeddingConfig(
        filename=_filename(embedding),
        input_ids=inputs.text("input_ids", "input_ids"),
        inputs_embeds=outputs.text("inputs_embeds", "inputs_embeds"),
    )


def _filename(part: Reader) -> str:
    filename = part.text("filename")
    if not is_plain_name(filename) or not filename.lower().endswith(".onnx"):
        raise part.wrong("filename", "the plain name of an .onnx file")
    return filename


def _per_layer(names: Reader, key: str, default: str) -> str:
    template = names.text(key, default)
    if template.count("%d") != 1:
        raise names.bad(f'"{key}" must hold %d once')
    return template
