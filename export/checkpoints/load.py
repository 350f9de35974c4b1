"""Turns a checkpoint on disk into a PyTorch module.

In: a path, or an opened checkpoint. Out: the reader that fits the path; a :class:`LanguageModel` with the weights
in it, read one tensor at a time so that the peak is the model plus its largest matrix.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from export.checkpoints.gguf import GgufCheckpoint
from export.checkpoints.interface import Checkpoint, parts_of
from export.checkpoints.safetensors import FolderCheckpoint
from export.nn.language import LanguageModel


def open_checkpoint(path: Path) -> Checkpoint:
    """The reader for a GGUF file or a Hugging Face folder; :class:`EngineError` if it is neither."""
    return FolderCheckpoint(path) if path.is_dir() else GgufCheckpoint(path)


def read_parameter(checkpoint: Checkpoint, name: str, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """One parameter of the module by its own name, put together from the parts that the file holds."""
    parts = [torch.from_numpy(checkpoint.read(part)).to(dtype) for part in parts_of(name)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def load_language(
    checkpoint: Checkpoint, dtype: torch.dtype = torch.float32, layers: int | None = None
) -> LanguageModel:
    """The model, ready to run, without gradients; with ``layers`` only its first ones."""
    config = checkpoint.config if layers is None else replace(checkpoint.config, layers=layers)
    with torch.device("meta"):
        model = LanguageModel(config)
    for name, _ in list(model.named_parameters()):
        owner, _, field = name.rpartition(".")
        parameter = torch.nn.Parameter(read_parameter(checkpoint, name, dtype), requires_grad=False)
        setattr(model.get_submodule(owner), field, parameter)
    if checkpoint.config.tied_head:
        model.head.weight = model.embedding.weight
    return model.eval()
