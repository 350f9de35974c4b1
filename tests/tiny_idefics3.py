"""A tiny random SmolVLM, saved by transformers in the layout of the published ones.

In: which of the two classes. Out: a folder with configuration, weights, tokenizer, processor and chat template; and
pictures made of nothing but numbers. Needs the parity extra.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from tests.tiny import _byte_alphabet

torch.set_num_threads(1)  # models this small only lose time to a second thread

Family = Literal["Idefics3", "SmolVLM"]
TILE_PX, LONGEST_PX, PATCH_PX, FACTOR = 64, 192, 8, 4
TILE_TOKENS = (TILE_PX // PATCH_PX // FACTOR) ** 2
MERGES = ["t h", "th e", "Ġ the", "Ċ Ċ"]
IMAGE, AROUND, WHOLE, END = "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"
ROWS = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", AROUND, WHOLE, *ROWS, IMAGE, END]
PIECES = [chr(code) for code in _byte_alphabet()]
VOCABULARY = [*PIECES, *("".join(merge.split()) for merge in MERGES), *CONTROL]
VOCABULARY += [f"<unused{number}>" for number in range(-len(VOCABULARY) % 16)]
CONTEXT_TOKENS = 512
# As the published models have it.
TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def token(text: str) -> int:
    return VOCABULARY.index(text)


def vision_config() -> dict[str, Any]:
    return {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "image_size": TILE_PX,
        "patch_size": PATCH_PX,
    }


def text_config() -> dict[str, Any]:
    return {
        "model_type": "llama",
        "vocab_size": len(VOCABULARY),
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT_TOKENS,
        "rope_theta": 10_000.0,
        "rms_norm_eps": 1e-5,
        "bos_token_id": token("<|im_start|>"),
        "eos_token_id": token(END),
        "pad_token_id": token("<|im_end|>"),
    }


def random_model(family: Family, tied: bool = False, seed: int = 1) -> Any:
    """The model of transformers: norms around 1, everything else around 0."""
    config = getattr(transformers, f"{family}Config")(
        vision_config=vision_config(),
        text_config=text_config(),
        scale_factor=FACTOR,
        image_token_id=token(IMAGE),
        tie_word_embeddings=tied,
    )
    torch.manual_seed(seed)
    model = getattr(transformers, f"{family}ForConditionalGeneration")(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            flat = parameter.ndim == 1
            middle = 1.0 if flat and "norm" in name and name.endswith("weight") else 0.0
            parameter.normal_(middle, 0.3 if flat else 0.12)
    model.generation_config.eos_token_id = token(END)
    model.generation_config.pad_token_id = token("<|im_end|>")
    return model.eval()


def fast_tokenizer() -> Any:
    """A byte-level tokenizer with a few merges and the family's control tokens."""
    plain = len(VOCABULARY) - len(CONTROL) - sum(text.startswith("<unused") for text in VOCABULARY)
    merges = [(left, right) for left, right in (merge.split(" ") for merge in MERGES)]
    tokenizer = Tokenizer(
        models.BPE({text: number for number, text in enumerate(VOCABULARY[:plain])}, merges)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.add_special_tokens(
        [AddedToken(text, normalized=False, special=True) for text in VOCABULARY[plain:]]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token=END,
        pad_token="<|im_end|>",
        clean_up_tokenization_spaces=False,
    )


def image_processor(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "size": {"longest_edge": LONGEST_PX},
        "max_image_size": {"longest_edge": TILE_PX},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    return Idefics3ImageProcessorPil(**values | changes)


def processor() -> Any:
    """What prepares pictures and prompts in transformers."""
    return transformers.Idefics3Processor(
        image_processor(), fast_tokenizer(), image_seq_len=TILE_TOKENS, chat_template=TEMPLATE
    )


def write_folder(folder: Path, family: Family = "Idefics3", tied: bool = False, older: bool = False) -> Path:
    """A folder as on the model hub; ``older`` with the files of processor and template that older libraries wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    random_model(family, tied).save_pretrained(folder)
    everything = processor()
    if not older:
        everything.save_pretrained(folder)
        return folder
    everything.tokenizer.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", everything.image_processor.to_dict())
    write_json(folder / "processor_config.json", {"image_seq_len": TILE_TOKENS})
    write_json(folder / "chat_template.json", {"chat_template": TEMPLATE})
    return folder


def picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Soft patches of colour with some noise: uint8 [h, w, 3]."""
    dice = np.random.default_rng((seed, width, height))
    across, down = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 6, height))
    waves = [np.sin(across * dice.uniform(0.5, 2) + down * dice.uniform(0.5, 2)) for _ in range(3)]
    values = np.stack(waves, axis=-1) * 90 + 128 + dice.normal(0, 12, (height, width, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def write_json(path: Path, values: object) -> None:
    path.write_text(json.dumps(values, ensure_ascii=False), "utf-8")
