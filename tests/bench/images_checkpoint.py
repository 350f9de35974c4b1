"""A checkpoint in the exact layout of SmolVLM-256M with random weights, for its speed: nothing is downloaded.

In: a folder's name. Out: the folder, as transformers saves it, in bfloat16 (0.5 GB). The sizes are those of the published
configuration; the tokenizer knows bytes, the family's control tokens and fillers. Run by ``dev.py bench images`` in the
exporter's environment: ``python -m tests.bench.images_checkpoint FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

from tests.tiny_idefics3 import CONTROL, END, IMAGE, PIECES, TEMPLATE

VOCABULARY_TOKENS = 49280
TILE_PX, LONGEST_PX, PATCH_PX, FACTOR = 512, 2048, 16, 4
TILE_TOKENS = (TILE_PX // PATCH_PX // FACTOR) ** 2
FILLERS = [f"filler{number}" for number in range(VOCABULARY_TOKENS - len(PIECES) - len(CONTROL))]
VOCABULARY = [*PIECES, *FILLERS, *CONTROL]
VISION = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": TILE_PX,
    "patch_size": PATCH_PX,
}
TEXT = {
    "model_type": "llama",
    "vocab_size": VOCABULARY_TOKENS,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "max_position_embeddings": 8192,
    "rope_theta": 100_000.0,
    "rms_norm_eps": 1e-5,
}


def write(folder: Path) -> None:
    """Model, tokenizer, processor and chat template."""
    begin, end, pad, image = (VOCABULARY.index(text) for text in ("<|im_start|>", END, "<|im_end|>", IMAGE))
    config = transformers.SmolVLMConfig(
        vision_config=VISION,
        text_config=TEXT | {"bos_token_id": begin, "eos_token_id": end, "pad_token_id": pad},
        scale_factor=FACTOR,
        image_token_id=image,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = transformers.SmolVLMForConditionalGeneration(config)
    model.generation_config.eos_token_id = end
    model.generation_config.pad_token_id = pad
    model.to(torch.bfloat16).save_pretrained(folder)  # pyright: ignore[reportCallIssue, reportArgumentType]
    plain = len(VOCABULARY) - len(CONTROL)
    vocabulary = {text: number for number, text in enumerate(VOCABULARY[:plain])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in CONTROL])
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token=END,
        pad_token="<|im_end|>",
        clean_up_tokenization_spaces=False,
    )
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": LONGEST_PX},
        max_image_size={"longest_edge": TILE_PX},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
    )
    transformers.Idefics3Processor(
        pictures, fast, image_seq_len=TILE_TOKENS, chat_template=TEMPLATE
    ).save_pretrained(folder)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
