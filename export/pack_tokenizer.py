"""Puts a checkpoint's tokenizer into a pack.

In: a checkpoint. Out: its tokenizer's files, known to be usable, and where the packs have them.
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from engine.errors import EngineError
from export.checkpoints.interface import Checkpoint, TokenizerFiles


def usable_tokenizer(checkpoint: Checkpoint) -> TokenizerFiles:
    """The tokenizer's files; EngineError where nobody could read them, or they belong to another model."""
    files = checkpoint.tokenizer_files()
    if not checkpoint.special_tokens.eos_ids:
        raise EngineError(
            "The model does not say which token ends an answer.",
            "Set eos_token_id in its config.json, or choose another model.",
        )
    try:
        tokens = Tokenizer.from_str(files.tokenizer_json).get_vocab_size()
    except Exception as error:  # the library raises nothing more exact
        raise EngineError(
            "The model's tokenizer cannot be used: {reason}.",
            "The file is damaged; download it again or choose another model.",
            reason=str(error)[:160],
        ) from error
    if tokens > checkpoint.config.vocab_size:
        raise EngineError(
            "The model's tokenizer has {tokens} tokens, but the model knows only {known}.",
            "The tokenizer belongs to another model; download the model again.",
            tokens=tokens,
            known=checkpoint.config.vocab_size,
        )
    return files


def write_tokenizer(folder: Path, files: TokenizerFiles) -> None:
    """Put both tokenizer files into the pack."""
    (folder / "tokenizer.json").write_text(files.tokenizer_json, "utf-8")
    (folder / "tokenizer_config.json").write_text(files.tokenizer_config_json, "utf-8")
