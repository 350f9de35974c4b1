"""Makes ``tokenizer.json`` and ``tokenizer_config.json`` out of the metadata of a GGUF file.

In: the ``tokenizer.*`` keys. Out: the two files' text, and the ids that have a meaning. The tokenizer gives the
ids that llama.cpp gives for the same file (``tests/parity/test_tokenizer_ids.py``), which means that text is
never normalised first: where a family's own tokenizer composes accents (NFC), llama.cpp does not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer

from engine.errors import EngineError
from export.checkpoints.interface import SpecialTokens, TokenizerFiles

Json = dict[str, Any]

# Kinds of token, ``tokenizer.ggml.token_type``.
_CONTROL, _USER_DEFINED = 3, 4

# Texts that end an answer wherever they are control tokens: llama.cpp's list (``special_eog_ids`` in
# llama-vocab.cpp), since many files name only one of several.
_END_TEXTS = (
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>",
    "<EOT>", "_<EOT>", "<｜end▁of▁sentence｜>", "<end_of_utterance>", "</s>",
)  # fmt: skip

# How text is cut into words before byte pairs are merged, by ``tokenizer.ggml.pre``. Each entry is written
# the way the family's own tokenizer.json writes it, since other programs recognise these forms.
_GPT2_WORDS: Json = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_BYTES_ONLY: Json = {**_GPT2_WORDS, "use_regex": False}
_LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _words(pattern: str) -> list[Json]:
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return [split, _BYTES_ONLY]


_SPLITS: dict[str, list[Json]] = {
    "gpt-2": [_GPT2_WORDS],
    "smollm": [{"type": "Digits", "individual_digits": True}, _GPT2_WORDS],
    "llama-bpe": _words(_LLAMA3_WORDS),
    "qwen2": _words(_LLAMA3_WORDS.replace(r"\p{N}{1,3}", r"\p{N}")),
}
# Families whose vocabulary wins over merging when it holds a whole word.
_WHOLE_WORDS_FIRST = ("llama-bpe",)


def special_tokens(metadata: Mapping[str, Any]) -> SpecialTokens:
    """The ids that begin a text, end an answer, and pad."""
    tokens, kinds = _vocabulary(metadata)
    main = [_id(metadata, kind, len(tokens)) for kind in ("eos", "eot")]
    ends = [end for end in main if end is not None]
    ends += [i for i, kind in enumerate(kinds) if kind == _CONTROL and tokens[i] in _END_TEXTS]
    return SpecialTokens(
        bos_id=_id(metadata, "bos", len(tokens)),
        eos_ids=tuple(dict.fromkeys(ends)),
        pad_id=_id(metadata, "padding", len(tokens)),
    )


def tokenizer_files(metadata: Mapping[str, Any], context_tokens: int) -> TokenizerFiles:
    """Both files of a pack's tokenizer; :class:`EngineError` when this kind cannot be made."""
    tokens, kinds = _vocabulary(metadata)
    added = {i: token for i, token in enumerate(tokens) if kinds[i] in (_CONTROL, _USER_DEFINED)}
    special = {i: kinds[i] == _CONTROL for i in added}
    begin = metadata.get("tokenizer.ggml.add_bos_token") is True

    tokenizer_json = _tokenizer_json(metadata, tokens, added, special, begin)
    try:
        Tokenizer.from_str(tokenizer_json)
    except Exception as error:
        raise _unusable(str(error)[:120]) from error
    return TokenizerFiles(
        tokenizer_json=tokenizer_json,
        tokenizer_config_json=_tokenizer_config_json(metadata, tokens, added, special, context_tokens),
    )


def _tokenizer_json(
    metadata: Mapping[str, Any],
    tokens: list[str],
    added: dict[int, str],
    special: dict[int, bool],
    begin: bool,
) -> str:
    kind = metadata.get("tokenizer.ggml.pre", "")
    if kind not in _SPLITS:
        raise EngineError(
            "The model's tokenizer cuts words in a way that Pollux does not know ({kind}).",
            "Choose another model.",
            kind=str(kind)[:80],
        )
    merges = metadata.get("tokenizer.ggml.merges")
    if not isinstance(merges, list) or not all(isinstance(merge, str) for merge in merges):
        raise _unusable("the merges are missing")
    result: Json = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": i, **_added(token, special[i])} for i, token in added.items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": _SPLITS[kind]},
        "post_processor": _begin_of_text(metadata, tokens) if begin else _BYTES_ONLY,
        "decoder": {**_GPT2_WORDS},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": kind in _WHOLE_WORDS_FIRST,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": merges,
        },
    }
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))


def _tokenizer_config_json(
    metadata: Mapping[str, Any],
    tokens: list[str],
    added: dict[int, str],
    special: dict[int, bool],
    context_tokens: int,
) -> str:
    def text(kind: str) -> str | None:
        number = _id(metadata, kind, len(tokens))
        return None if number is None else tokens[number]

    result: Json = {
        "add_bos_token": metadata.get("tokenizer.ggml.add_bos_token") is True,
        "add_eos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {str(i): _added(token, special[i]) for i, token in added.items()},
        "bos_token": text("bos"),
        "chat_template": metadata.get("tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "eos_token": text("eos"),
        "model_max_length": context_tokens,
        "pad_token": text("padding"),
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": None,
    }
    return json.dumps(result, ensure_ascii=False, indent=1)


def _added(token: str, special: bool) -> Json:
    return {
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }


def _begin_of_text(metadata: Mapping[str, Any], tokens: list[str]) -> Json:
    """A post-processor that puts the beginning-of-text token in front."""
    number = _id(metadata, "bos", len(tokens))
    if number is None:
        raise _unusable("the beginning-of-text token is missing")
    token = tokens[number]
    first = {"SpecialToken": {"id": token, "type_id": 0}}
    return {
        "type": "TemplateProcessing",
        "single": [first, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [first, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}},
    }


def _vocabulary(metadata: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    """The tokens' texts and kinds, checked."""
    kind = metadata.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise EngineError(
            "The model's tokenizer is of a kind that Pollux cannot use yet ({kind}).",
            "Choose a model with a byte-level BPE tokenizer.",
            kind=str(kind)[:80],
        )
    tokens = metadata.get("tokenizer.ggml.tokens")
    kinds = metadata.get("tokenizer.ggml.token_type")
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) for token in tokens):
        raise _unusable("the list of tokens is missing")
    if not isinstance(kinds, list) or len(kinds) != len(tokens):
        raise _unusable("the kinds of the tokens are missing")
    if len(set(tokens)) != len(tokens):
        raise _unusable("a token stands twice")
    return tokens, kinds


def _id(metadata: Mapping[str, Any], kind: str, vocab_size: int) -> int | None:
    number = metadata.get(f"tokenizer.ggml.{kind}_token_id")
    if number is not None and not (isinstance(number, int) and 0 <= number < vocab_size):
        raise _unusable(f"the id of the {kind} token is {number!r}")
    return number


def _unusable(reason: str) -> EngineError:
    return EngineError(
        "The model's tokenizer cannot be used: {reason}.",
        "The file is damaged; download it again or choose another model.",
        reason=reason,
    )
