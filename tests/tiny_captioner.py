"""A tiny random captioner, made inside the tests that need one.

In: a folder. Out: everything that a captioner pack is built from: a picture network's ``.pth`` as it is published, trained
weights (connector and adapters), and the GGUF file of a language model. Needs the export extra.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from export.nn.captioner import CaptionerConfig, Connector, new_lora
from export.nn.efficientnet import EfficientNet, EfficientNetConfig, published_name
from export.nn.keywords import KeywordHead
from tests import tiny

VISION = EfficientNetConfig("tiny", 0.25, 0.3, 64, stem_channels=8, feature_channels=64)
CONFIG = CaptionerConfig(
    language="tiny",
    vision=VISION.name,
    image_px=VISION.image_px,
    feature_channels=VISION.feature_channels,
    grid=VISION.grid,
    queries=4,
    width=32,
    heads=2,
    hidden_size=tiny.LLAMA.hidden_size,
    lora_rank=4,
    class_temperature=0.8,
    names_least=0.0,
    keywords=("dog", "red", "sits"),
    keywords_max=2,
    keywords_least=0.0,
    keyword_width=32,
)

# That captions may be written with: every ASCII letter and the control tokens, half of the other bytes.
TOKENS = tuple(token for token in range(262) if not 94 <= token < 188 or token % 2 == 0)


def vision(seed: int = 0) -> EfficientNet:
    """A picture network with random weights and statistics."""
    torch.manual_seed(seed)
    model = EfficientNet(VISION)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_mean"):
                tensor.normal_(0, 0.1)
            elif name.endswith("running_var"):
                tensor.uniform_(0.2, 0.6)
    return model.requires_grad_(False)


def connector(seed: int = 1) -> Connector:
    """A connector with random weights."""
    torch.manual_seed(seed)
    return Connector(CONFIG).eval().requires_grad_(False)


def keywords(seed: int = 3) -> KeywordHead:
    """A head for keywords with random weights."""
    torch.manual_seed(seed)
    head = KeywordHead(CONFIG)
    nn.init.normal_(head.whole.weight, std=0.1)
    return head.eval().requires_grad_(False)


def lora(seed: int = 2) -> dict[str, torch.Tensor]:
    """Updates that do change something."""
    torch.manual_seed(seed)
    shapes = {
        name: tuple(tensor.shape) for name, tensor in tiny.language_model(tiny.LLAMA).state_dict().items()
    }
    state = new_lora(CONFIG, shapes)
    return {
        name: torch.randn_like(tensor) * 0.05 if name.endswith("second") else tensor
        for name, tensor in state.items()
    }


def write_vision(path: Path) -> Path:
    """The network as a ``.pth``, under the names of the published files."""
    state = {
        published_name(name): tensor.clone()
        for name, tensor in vision().state_dict().items()
        if not name.endswith("batches_tracked")
    }
    torch.save(state, path)
    return path


def write_trained(folder: Path) -> Path:
    """What training leaves behind."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"connector.{name}": tensor.half() for name, tensor in connector().state_dict().items()}
    tensors |= {f"keywords.{name}": tensor.half() for name, tensor in keywords().state_dict().items()}
    tensors |= {f"lora.{name}": tensor.half() for name, tensor in lora().items()}
    tensors["tokens"] = torch.tensor(TOKENS, dtype=torch.int32)
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "captioner.safetensors"
    )
    card = {**CONFIG.to_json(), "unsure_below": 0.3, "figures": {"cider_d": 0.5}}
    (folder / "captioner.json").write_text(json.dumps(card), "utf-8")
    (folder / "README.md").write_text("# A tiny captioner\n", "utf-8")
    return folder


def write_language(path: Path) -> Path:
    """The language model beneath."""
    return tiny.write_gguf(path, tiny.LLAMA, tiny.random_tensors(tiny.LLAMA))
