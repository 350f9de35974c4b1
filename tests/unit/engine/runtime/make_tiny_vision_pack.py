"""Writes ``data/tiny_vision_pack``: the smallest SmolVLM, with random weights, as the exporter makes packs of it.

Needs torch and transformers, which these tests have not: run it by hand, where the exporter's packages are, and commit the
result:  python -m tests.unit.engine.runtime.make_tiny_vision_pack
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from engine.cancel import Cancel
from export.build_pack import build
from export.packing import Format
from export.recipe import Recipe
from tests import tiny_idefics3

FOLDER = Path(__file__).parent / "data" / "tiny_vision_pack"
SMALLER = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def main() -> None:
    vision = tiny_idefics3.vision_config() | SMALLER
    text = tiny_idefics3.text_config() | SMALLER | {"num_key_value_heads": 1}
    tiny_idefics3.vision_config, tiny_idefics3.text_config = lambda: vision, lambda: text
    with tempfile.TemporaryDirectory() as scratch:
        source = tiny_idefics3.write_folder(Path(scratch) / "tiny-vision", "SmolVLM", tied=True)
        target = Path(scratch) / "pack"
        list(build(Recipe("tiny-vision", Format("int8", "cpu"), checkpoint=source), target, Cancel()))
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(target, FOLDER)


if __name__ == "__main__":
    main()
