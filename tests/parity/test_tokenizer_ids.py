"""The tokenizers that we make from GGUF files give llama.cpp's ids, on 500 varied texts.

The expected ids are written by ``tests/bench/make_tokenizer_ids.py``. The tokenizers come from installed packs or
cached checkpoints; a family of which this machine has neither is skipped.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel

from engine.catalogue import read_catalogue
from engine.folders import cache_folder, packs_folder

pytestmark = pytest.mark.real

IDS = Path(__file__).parent / "data" / "tokenizer_ids.jsonl.gz"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in gzip.decompress(IDS.read_bytes()).decode().splitlines()
]
BYTES = ByteLevel(add_prefix_space=False, use_regex=False)
# The user's folders, looked up before any fixture points Pollux elsewhere.
PACKS, CHECKPOINTS = packs_folder(), cache_folder() / "checkpoints"


def made_by_us(model: str) -> Tokenizer:
    """The tokenizer of a pack that is installed, or made now from a checkpoint in the cache."""
    in_pack = PACKS / model / "tokenizer.json"
    checkpoint = CHECKPOINTS / read_catalogue().get(model).source.file
    if in_pack.is_file():
        tokenizer = Tokenizer.from_file(str(in_pack))
    elif checkpoint.is_file():
        reader = pytest.importorskip("export.checkpoints.gguf", reason="needs the export extra")
        tokenizer = Tokenizer.from_str(reader.GgufCheckpoint(checkpoint).tokenizer_files().tokenizer_json)
    else:
        pytest.skip(f"neither the pack {model} nor its checkpoint is on this machine")
    return tokenizer


@pytest.mark.parametrize(
    ("model", "expected"),
    [("smollm2-135m", "smollm2"), ("qwen2.5-coder-0.5b", "qwen2.5"), ("qwen2.5-coder-1.5b", "qwen2.5")],
)
def test_same_ids_as_llama_cpp(model: str, expected: str) -> None:
    tokenizer = made_by_us(model)
    assert len(ROWS) == 500

    tokenizer.encode_special_tokens = True  # what looks like a control token is plain text
    for row in ROWS:
        assert tokenizer.encode(row["text"], add_special_tokens=False).ids == row["ids"][expected], row[
            "text"
        ]

    tokenizer.encode_special_tokens = False
    for row in ROWS:
        if "control_ids" in row:
            ids = tokenizer.encode(row["text"], add_special_tokens=False).ids
            assert ids == row["control_ids"][expected], row["text"]

    # What was encoded comes back to the byte, but for the few bytes that a vocabulary may lack.
    bytes_known = {piece for piece in ByteLevel.alphabet() if tokenizer.token_to_id(piece) is not None}
    for row in ROWS:
        pieces = set(BYTES.pre_tokenize_str(row["text"])[0][0]) if row["text"] else set()
        if pieces <= bytes_known:
            assert tokenizer.decode(row["ids"][expected], skip_special_tokens=False) == row["text"]
