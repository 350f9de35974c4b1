"""`dev.py bench`, `bench speech` and `bench images`: make the peers' models and environment, then run what README shows.

In: ``--variants`` for our other precisions too, and what ``tests/bench/chat_peers.py`` (or ``speech_peers.py``,
``images_bench.py``) takes; ``--no-peer`` measures our pictures alone.
Out: its exit code and its table. Everything stands under ``build/bench`` and is made once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from devtools import models
from devtools.console import SetupError, say
from devtools.environments import (
    CHECKOUT,
    Environment,
    Step,
    app_environment,
    app_steps,
    export_environment,
    export_steps,
    prepare,
)

HOME = CHECKOUT / "build" / "bench"
LLAMA_CPP = Step("llama.cpp", "llama-cpp-python (compiled here: some minutes)", ("llama-cpp-python==0.3.36",))
FASTER_WHISPER = Step("faster-whisper", "faster-whisper (about 0.2 GB)", ("faster-whisper==1.2.1",))
VARIANTS = ("int8", "fp32")
SPEECH_VARIANTS = ("fp32",)
IMAGE_VARIANTS = ("fp32",)
RANDOM_VLM = "smolvlm-256m-random"  # the layout of SmolVLM-256M: for its speed beside transformers
# Labels and what speech_worker.py calls them; the first is what the others are compared with.
SPEECH_PEERS = (
    ("faster-whisper int8, greedy", "faster-whisper"),
    ("faster-whisper int8, beam 5", "faster-whisper-beam5"),
    ("faster-whisper int8, greedy, batches of 8", "faster-whisper-batched"),
)


def run(arguments: list[str]) -> int:
    """Prepare and measure."""
    if arguments and arguments[0] == "speech":
        return _speech(arguments[1:])
    if arguments and arguments[0] == "images":
        return _images(arguments[1:])
    return _chat(arguments)


def _chat(arguments: list[str]) -> int:
    environment = prepare(app_environment(), app_steps())
    exporter = prepare(export_environment(), export_steps())
    peers = prepare(Environment(CHECKOUT / ".venv-bench"), (LLAMA_CPP,))
    variants = VARIANTS if "--variants" in arguments else ()
    name = models.default_name()
    packs = {"Pollux int4": models.build_for_tests(exporter, name, HOME)}
    packs |= {f"Pollux {precision}": _variant(exporter, name, precision) for precision in variants}
    checkpoint = next((HOME / "cache" / "checkpoints").glob("*.gguf"))
    genai = HOME / "genai" / name
    if not (genai / "genai_config.json").is_file():
        say("Building the same checkpoint with ONNX Runtime GenAI's own builder ...")
        _exporter(exporter, "-m", "tests.bench.genai_model", str(checkpoint), str(genai))
    manifest = json.loads((packs["Pollux int4"] / "pack.json").read_text(encoding="utf-8"))
    reference = manifest["parity"]["perplexity"]["en"]["checkpoint_fp32"]
    command = [environment.python, "-m", "tests.bench.chat_peers", "--reference-perplexity", str(reference)]
    for label, folder in packs.items():
        command += ["--pack", label, folder]
    command += ["--peer", "llama.cpp", "llama.cpp", peers.python, checkpoint]
    command += ["--peer", "ONNX Runtime GenAI int4", "genai", exporter.python, genai]
    rest = [argument for argument in arguments if argument != "--variants"]
    return subprocess.run([*command, *rest], cwd=CHECKOUT, check=False).returncode


def _speech(arguments: list[str]) -> int:
    environment = prepare(app_environment(), app_steps())
    exporter = prepare(export_environment(), export_steps())
    peers = prepare(Environment(CHECKOUT / ".venv-bench"), (FASTER_WHISPER,))
    variants = SPEECH_VARIANTS if "--variants" in arguments else ()
    name = models.default_name("speech")
    packs = {"Pollux": models.build_for_tests(exporter, name, HOME)}
    packs |= {f"Pollux {precision}": _variant(exporter, name, precision) for precision in variants}
    command = [environment.python, "-m", "tests.bench.speech_peers"]
    for label, folder in packs.items():
        command += ["--pack", label, folder]
    for label, engine in SPEECH_PEERS:
        command += ["--peer", label, engine, peers.python, HOME / "cache" / "checkpoints" / name]
    rest = [argument for argument in arguments if argument != "--variants"]
    return subprocess.run([*command, *rest], cwd=CHECKOUT, check=False).returncode


def _images(arguments: list[str]) -> int:
    environment = prepare(app_environment(), app_steps())
    exporter = prepare(export_environment(), export_steps())
    variants = IMAGE_VARIANTS if "--variants" in arguments else ()
    name = models.default_name("image")
    packs = {"Pollux": models.build_for_tests(exporter, name, HOME)}
    packs |= {f"Pollux {precision}": _variant(exporter, name, precision) for precision in variants}
    command = [environment.python, "-m", "tests.bench.images_bench"]
    for label, folder in packs.items():
        command += ["--pack", label, folder]
    if "--no-peer" not in arguments:
        checkpoint = HOME / RANDOM_VLM
        if not (checkpoint / "processor_config.json").is_file():  # written last
            say("Making a checkpoint of SmolVLM's layout with random weights ...")
            _exporter(exporter, "-m", "tests.bench.images_checkpoint", str(checkpoint))
        for precision in ("int4", "fp32"):
            command += ["--vlm", f"Pollux {precision}", _random_vlm(exporter, checkpoint, precision)]
        command += ["--peer", "transformers fp32", exporter.python, checkpoint]
    rest = [argument for argument in arguments if argument not in ("--variants", "--no-peer")]
    return subprocess.run([*command, *rest], cwd=CHECKOUT, check=False).returncode


def _random_vlm(exporter: Environment, checkpoint: Path, precision: str) -> Path:
    """The random checkpoint as a pack, built once."""
    folder = HOME / "packs" / f"{RANDOM_VLM}-{precision}"
    if not folder.is_dir():
        say(f"Building {folder.name} ...")
        _exporter(
            exporter,
            "-m",
            "export",
            "build",
            str(checkpoint),
            "--precision",
            precision,
            "--name",
            folder.name,
        )
    return folder


def _variant(exporter: Environment, name: str, precision: str) -> Path:
    """The pack in another precision, built once."""
    folder = HOME / "packs" / f"{name}-{precision}"
    if not folder.is_dir():
        say(f"Building {name} in {precision} ...")
        _exporter(exporter, "-m", "export", "build", name, "--precision", precision)
    return folder


def _exporter(environment: Environment, *arguments: str) -> None:
    variables = {**os.environ, "POLLUX_HOME": str(HOME)}
    command: list[str | Path] = [environment.python, *arguments]
    if subprocess.run(command, cwd=CHECKOUT, env=variables, stdout=sys.stderr, check=False).returncode:
        raise SetupError("A model for the comparison could not be built; the lines above say why.")
