"""The engine runs where neither torch nor Qt nor the exporter is installed, and lists models without ONNX Runtime."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BLOCK = """
import importlib, pkgutil, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is not to be imported here", name=name)
sys.meta_path.insert(0, Block())
"""


def run(code: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_module_without_torch_and_qt() -> None:
    blocked = ("torch", "PySide6", "onnx", "transformers", "gguf", "safetensors", "app", "export")
    run(
        f"BLOCKED = {blocked!r}\n{BLOCK}\nimport engine\n"
        "names = [module.name for module in pkgutil.walk_packages(engine.__path__, 'engine.')]\n"
        "assert len(names) > 20\n"
        "for name in names: importlib.import_module(name)\n"
        "assert not set(BLOCKED) & set(sys.modules)\n"
    )


def test_packs_need_only_the_standard_library() -> None:
    run(
        f"BLOCKED = ('numpy', 'onnxruntime', 'tokenizers', 'jinja2', 'psutil', 'platformdirs')\n{BLOCK}\n"
        "import engine.packs, engine.fetch\n"
    )


def test_commands_about_models_start_without_the_runtime() -> None:
    run(
        f"BLOCKED = ('numpy', 'onnxruntime', 'PySide6', 'torch')\n{BLOCK}\n"
        "from engine.__main__ import main\nassert main(['models', 'available']) == 0\n"
    )
