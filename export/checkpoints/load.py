"""Turns a checkpoint on disk into a PyTorch module.

In: a path, or an opened checkpoint. Out: the reader that fits the path; a :class:`LanguageModel`, :class:`Whisper` or
:class:`Idefics3` with the weights in it, read one tensor at a time so that the peak is the model plus its largest matrix.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from engine.errors import EngineError
from export.checkpoints.ctranslate2 import CTranslate2Checkpoint
from export.checkpoints.folder import read_json
from export.checkpoints.gguf import GgufCheckpoint
from export.checkpoints.idefics3 import Idefics3Checkpoint, vision_shapes
from export.checkpoints.interface import Checkpoint, parts_of
from export.checkpoints.safetensors import FolderCheckpoint
from export.checkpoints.whisper import WhisperCheckpoint
from export.checkpoints.whisper_folder import WhisperFolderCheckpoint
from export.checkpoints.whisper_pt import WhisperPtCheckpoint
from export.idefics3_config import FAMILIES
from export.nn.idefics3 import Idefics3, PictureEncoder
from export.nn.language import LanguageModel
from export.nn.whisper import Whisper


def open_checkpoint(path: Path) -> Checkpoint | WhisperCheckpoint | Idefics3Checkpoint:
    """The reader for what lies at ``path``; :class:`EngineError` if nothing here can read it.

    A GGUF file, a Hugging Face folder, a folder in CTranslate2's format (or its ``model.bin``), or OpenAI's ``.pt``.
    """
    if path.name == "model.bin":
        return CTranslate2Checkpoint(path.parent)
    if path.is_dir():
        if (path / "model.bin").is_file():
            return CTranslate2Checkpoint(path)
        model_type = read_json(path / "config.json").get("model_type")
        if model_type == "whisper":
            return WhisperFolderCheckpoint(path)
        return Idefics3Checkpoint(path) if model_type in FAMILIES else FolderCheckpoint(path)
    return WhisperPtCheckpoint(path) if path.suffix.lower() == ".pt" else GgufCheckpoint(path)


def is_speech(path: Path) -> bool:
    """Whether what lies at ``path`` is a speech model; :class:`EngineError` if nothing here can read it."""
    return isinstance(open_checkpoint(path), WhisperCheckpoint)


def open_language(path: Path) -> Checkpoint:
    """The same, for those who can use a language model only."""
    checkpoint = open_checkpoint(path)
    if isinstance(checkpoint, WhisperCheckpoint):
        raise EngineError(
            "{file} holds a speech model.", "Choose the file or folder of a language model.", file=path.name
        )
    if isinstance(checkpoint, Idefics3Checkpoint):
        return checkpoint.text
    return checkpoint


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


def load_whisper(checkpoint: WhisperCheckpoint, dtype: torch.dtype = torch.float32) -> Whisper:
    """The speech model, ready to run, without gradients."""
    with torch.device("meta"):
        model = Whisper(checkpoint.config)
    for name in checkpoint.names:
        owner, _, field = name.rpartition(".")
        tensor = torch.from_numpy(checkpoint.read(name)).to(dtype)
        setattr(model.get_submodule(owner), field, torch.nn.Parameter(tensor, requires_grad=False))
    return model.eval()


def load_pictures(checkpoint: Idefics3Checkpoint) -> PictureEncoder:
    """The part that sees, in fp32, ready to run, without gradients."""
    with torch.device("meta"):
        model = PictureEncoder(checkpoint.config)
    for name in vision_shapes(checkpoint.config):
        owner, _, field = name.rpartition(".")
        tensor = torch.from_numpy(checkpoint.read(name))
        setattr(model.get_submodule(owner), field, torch.nn.Parameter(tensor, requires_grad=False))
    return model.eval()


def load_idefics3(checkpoint: Idefics3Checkpoint) -> Idefics3:
    """The whole model in fp32, ready to run, without gradients."""
    return Idefics3(load_pictures(checkpoint), load_language(checkpoint.text)).eval()
