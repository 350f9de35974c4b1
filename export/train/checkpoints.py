"""What a run keeps on disk so that it can go on, and what it gives away.

In: trained tensors, the optimizer, where the run is. Out: files in the run's folder: weights as safetensors, the
optimizer's moments as PyTorch's own format (read back with ``weights_only``), the rest as JSON. A checkpoint is written
beside the old one and then takes its place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import EngineError
from export.nn.captioner import CaptionerConfig

WEIGHTS, CONFIG = "captioner.safetensors", "captioner.json"


def save_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, state: Mapping[str, Any]
) -> None:
    """Keep everything that the next step depends on."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_file(
        {name: tensor.detach().contiguous() for name, tensor in tensors.items()}, part / "weights.safetensors"
    )
    torch.save(optimizer.state_dict(), part / "optimizer.pt")
    (part / "state.json").write_text(json.dumps(dict(state)), "utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]] | None:
    """Weights, the optimizer's state and the run's; None where there is no checkpoint."""
    if not (folder / "state.json").is_file():
        return None
    try:
        return (
            load_file(folder / "weights.safetensors"),
            torch.load(folder / "optimizer.pt", map_location="cpu", weights_only=True),
            json.loads((folder / "state.json").read_text("utf-8")),
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineError(
            "The checkpoint {folder} cannot be read: {reason}.",
            "Delete it, or start without --resume.",
            folder=folder,
            reason=error,
        ) from error


def save_weights(
    folder: Path, tensors: Mapping[str, Tensor], config: CaptionerConfig, card: Mapping[str, Any]
) -> None:
    """The trained tensors in fp16 (whole numbers as they are), and a JSON file with the sizes and what was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (tensor.detach().half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in tensors.items()
    }
    part = folder / f"{WEIGHTS}.part"
    save_file(halves, part, metadata={"config": json.dumps(config.to_json())})
    part.replace(folder / WEIGHTS)
    text = json.dumps(config.to_json() | dict(card), indent=1, ensure_ascii=False)
    (folder / CONFIG).write_text(f"{text}\n", "utf-8")


def load_weights(folder: Path) -> tuple[CaptionerConfig, dict[str, Tensor]]:
    """The same back: sizes, and tensors named ``connector.*``, ``lora.*``, ``keywords.*`` and ``tokens``."""
    try:
        config = CaptionerConfig.from_json(json.loads((folder / CONFIG).read_text("utf-8")))
        return config, load_file(folder / WEIGHTS)
    except (OSError, ValueError, TypeError) as error:
        raise EngineError(
            "{folder} does not hold a trained captioner: {reason}.",
            "Train one, or get the repository's own again.",
            folder=folder,
            reason=error,
        ) from error
