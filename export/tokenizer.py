"""Makes ``tokenizer.json`` and ``tokenizer_config.json`` out of the metadata of a GGUF file.

In: the ``tokenizer.*`` keys. Out: the two files' text, and the ids that have a meaning. The result gives the ids
that llama.cpp gives for the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from export.checkpoints.interface import SpecialTokens, TokenizerFiles

# Texts that end a turn wherever they are control tokens: the list of llama.cpp's vocabulary loader
# (`special_eog_ids` in llama-vocab.cpp).
_END_TEXTS = (
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
    "<EOT>", "_<EOT>", "<｜end▁of▁sentence｜>", "<end_of_utterance>", "</s>",
)  # fmt: skip
_CONTROL, _USER_DEFINED = 3, 4


def special_tokens(metadata: Mapping[str, Any]) -> SpecialTokens:
    """The ids that begin a text, end an answer, and pad."""
    tokens, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    main = [metadata.get(f"tokenizer.ggml.{kind}_token_id") for kind in ("eos", "eot")]
    ends = [end for end in main if end is not None]
    ends += [i for i, kind in enumerate(types) if kind == _CONTROL and tokens[i] in _END_TEXTS]
    return SpecialTokens(
        bos_id=metadata.get("tokenizer.ggml.bos_token_id"),
        eos_ids=tuple(dict.fromkeys(ends)),
        pad_id=metadata.get("tokenizer.ggml.padding_token_id"),
    )


def tokenizer_files(metadata: Mapping[str, Any], context_tokens: int) -> TokenizerFiles:
    raise NotImplementedError
