"""Copies of the tiny pack (made by ``make_tiny_pack``) with other graphs and other settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from engine.packs import Pack, read_pack

SOURCE = Path(__file__).parent / "data" / "tiny_pack"
PROMPT = list(
    b"hello there, how are you? "
)  # the tokenizer has one token a byte, so any ids below 256 will do


def tiny_pack(folder: Path, graph: str = "model.onnx", shared: bool = True, **model: object) -> Pack:
    """A pack in ``folder/测试 ü`` that runs ``graph``; ``model`` goes into that section of genai_config.json."""
    target = folder / "测试 ü" / f"{graph} {shared}"
    if not target.exists():
        shutil.copytree(SOURCE, target)
    path = target / "genai_config.json"
    config = json.loads(path.read_text("utf-8"))
    config["model"].update(model)
    config["model"]["decoder"]["filename"] = graph
    config["search"]["past_present_share_buffer"] = shared
    path.write_text(json.dumps(config), "utf-8")
    return read_pack(target)
