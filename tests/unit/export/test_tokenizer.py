"""Tokenizer files made from GGUF metadata (llama.cpp's ids on real vocabularies: tests/parity)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Tokenizer

pytest.importorskip("torch", reason="needs the export extra")

from export.tokenizer import special_tokens, tokenizer_files
from tests.tiny import byte_tokenizer

TEXT = "the cat, 12 mats;  <|im_end|> \r\n\t猫 é"


def make(**changes: Any) -> Tokenizer:
    metadata = byte_tokenizer() | {f"tokenizer.ggml.{key}": value for key, value in changes.items()}
    return Tokenizer.from_str(tokenizer_files(metadata, 128).tokenizer_json)


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "qwen2", "llama-bpe"])
def test_text_comes_back(pre: str) -> None:
    tokenizer = make(pre=pre)
    ids = tokenizer.encode(TEXT, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == TEXT
    assert ids[0] == tokenizer.token_to_id("the")


def test_control_tokens_can_be_plain_text() -> None:
    tokenizer = make()
    assert 260 in tokenizer.encode(TEXT).ids
    tokenizer.encode_special_tokens = True
    assert 260 not in tokenizer.encode(TEXT).ids


def test_beginning_of_text_is_added_only_where_asked() -> None:
    assert make().encode("the").ids == [257]
    assert make(add_bos_token=True).encode("the").ids == [259, 257]


def test_every_id_has_a_token() -> None:
    tokenizer = make()
    assert tokenizer.get_vocab_size() == 288
    assert [tokenizer.token_to_id(tokenizer.id_to_token(i) or "") for i in range(288)] == list(range(288))


def test_config_file() -> None:
    config = json.loads(tokenizer_files(byte_tokenizer(), 128).tokenizer_config_json)
    assert config["bos_token"] == "<|im_start|>"
    assert config["eos_token"] == "<|im_end|>"
    assert config["pad_token"] == "<|endoftext|>"
    assert config["model_max_length"] == 128
    assert config["added_tokens_decoder"]["260"]["special"] is True
    assert "add_generation_prompt" in config["chat_template"]
    assert config["add_bos_token"] is False


def test_all_ends_of_an_answer() -> None:
    assert special_tokens(byte_tokenizer()).eos_ids == (260, 258)
    plain = byte_tokenizer()
    plain["tokenizer.ggml.token_type"][258] = 1  # the same text as a plain token ends nothing
    assert special_tokens(plain).eos_ids == (260,)
