"""What checkpoints have in common that change another one's tensors: everything else is as it was.

In: any :class:`Checkpoint`. Out: its words about the model; ``read`` and ``quantised`` are for those that derive from it.
"""

from __future__ import annotations

from export.checkpoints.interface import Checkpoint, ModelInfo, SpecialTokens, TokenizerFiles
from export.config import LanguageConfig


class WrappedCheckpoint:
    """``checkpoint`` in all but its tensors."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    @property
    def config(self) -> LanguageConfig:
        """Sizes and switches of the model."""
        return self._checkpoint.config

    @property
    def info(self) -> ModelInfo:
        """Name, licence and languages of the model beneath."""
        return self._checkpoint.info

    @property
    def special_tokens(self) -> SpecialTokens:
        """Beginning, end and padding."""
        return self._checkpoint.special_tokens

    @property
    def chat_template(self) -> str:
        """The chat template of the model beneath."""
        return self._checkpoint.chat_template

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that :meth:`read` takes."""
        return self._checkpoint.names

    def tokenizer_files(self) -> TokenizerFiles:
        """The tokenizer of the model beneath."""
        return self._checkpoint.tokenizer_files()
