"""The two virtual environments of a checkout, made and mended as needed.

In: pyproject.toml (its dependencies are the only list there is). Out: `.venv` for the app, the engine and their tests
(no torch), `.venv-export` for the exporter and the parity tests (torch), each with a stamp that says which steps are
done: a step that was interrupted, or whose dependencies have changed, is done again; the others are not.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.console import SetupError, say
from devtools.locks import held
from devtools.pip import pip_install

CHECKOUT = Path(__file__).resolve().parent.parent
STAMP = "pollux-stamp.json"
ENOUGH_BYTES = 50_000_000  # for an empty environment
TORCH = "torch==2.13.0"  # exactly: a range would let another package choose another (CUDA) build

# What the exporter's environment leaves out of the app's dependencies: no window, no microphone.
NOT_FOR_EXPORT = ("pyside6", "sounddevice", "pyobjc")


@dataclass(frozen=True)
class Step:
    """One pip call; steps come in an order that matters."""

    name: str
    label: str
    arguments: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Changes when what is to be installed changes."""
        return hashlib.sha256("\n".join(self.arguments).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Environment:
    """A folder with a Python of its own."""

    folder: Path

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def stamp(self) -> Path:
        """Where the finished steps are written down."""
        return self.folder / STAMP


def project(checkout: Path = CHECKOUT) -> dict:
    """pyproject.toml's [project] table."""
    with (checkout / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def app_environment(checkout: Path = CHECKOUT) -> Environment:
    """`.venv`."""
    return Environment(checkout / ".venv")


def export_environment(checkout: Path = CHECKOUT) -> Environment:
    """`.venv-export`."""
    return Environment(checkout / ".venv-export")


def app_steps(extras: Sequence[str] = (), checkout: Path = CHECKOUT) -> tuple[Step, ...]:
    """The project itself (editable) with its dependencies, then the wanted extras."""
    table = project(checkout)
    steps = [
        Step(
            "project",
            "Pollux and what it needs (about 0.5 GB to download)",
            ("-e", ".", *table["dependencies"]),
        )
    ]
    labels = {"test": "the test tools", "dev": "the checkers (ruff, pyright, import-linter)"}
    for extra in extras:
        steps.append(Step(extra, labels.get(extra, extra), tuple(table["optional-dependencies"][extra])))
    return tuple(steps)


def export_steps(checkout: Path = CHECKOUT) -> tuple[Step, ...]:
    """Torch alone first, our own onnxruntime last.

    onnxruntime-genai brings the plain onnxruntime, whose files share a folder with onnxruntime-gpu's: the one that the
    project names is put on top by a call of its own, so that its files are complete.
    """
    table = project(checkout)
    groups = table["optional-dependencies"]
    runtime = tuple(line for line in table["dependencies"] if line.startswith("onnxruntime"))
    others = [
        line
        for line in table["dependencies"]
        if line not in runtime and not line.lower().startswith(NOT_FOR_EXPORT)
    ]
    others += [line for line in groups["test"] if line.split(">")[0] == "pytest"]
    return (
        Step("torch", "PyTorch (0.2 to 3 GB to download, by platform)", (TORCH,)),
        Step(
            "tools",
            "the exporter's tools (about 0.1 GB)",
            (TORCH, *groups["export"], *groups["parity"], *others),
        ),
        Step("onnxruntime", "ONNX Runtime (about 0.3 GB)", ("--force-reinstall", "--no-deps", *runtime)),
        Step("project", "Pollux itself", ("--no-deps", "-e", ".")),
    )


def prepare(environment: Environment, steps: Sequence[Step], checkout: Path = CHECKOUT) -> Environment:
    """Make the environment if it is missing, broken, moved or of another Python; run the steps that are not done."""
    with held(checkout / "build" / f"{environment.folder.name}.lock"):
        done = _finished_steps(environment, checkout)
        if done is None:
            _create(environment)
            done = {}
            _write_stamp(environment, checkout, done)
        for position, step in enumerate(steps):
            if done.get(step.name) == step.fingerprint:
                continue
            # a later step may lie on top of this one's files: those are done again, in order
            for later in steps[position:]:
                done.pop(later.name, None)
            _write_stamp(environment, checkout, done)
            say(f"Installing {step.label} into {environment.folder.name} ...")
            began = time.monotonic()
            pip_install(environment.python, step.arguments, checkout)
            done[step.name] = step.fingerprint
            _write_stamp(environment, checkout, done)
            say(f"  done in {time.monotonic() - began:.0f} s")
    return environment


def _finished_steps(environment: Environment, checkout: Path) -> dict[str, str] | None:
    """The steps that are done; None when the environment must be made anew."""
    try:
        stamp = json.loads(environment.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if stamp.get("checkout") != str(checkout) or stamp.get("python") != _version():
        return None
    if not _has_pip(environment):
        return None
    steps = stamp.get("steps")
    return dict(steps) if isinstance(steps, dict) else None


def _has_pip(environment: Environment) -> bool:
    command = [environment.python, "-m", "pip", "--version"]
    try:
        return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _write_stamp(environment: Environment, checkout: Path, done: dict[str, str]) -> None:
    text = json.dumps({"checkout": str(checkout), "python": _version(), "steps": done}, indent=1)
    new = environment.stamp.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(environment.stamp)


def _version() -> str:
    return ".".join(str(part) for part in sys.version_info[:2])


def _create(environment: Environment) -> None:
    """A new, empty environment; an old one goes, anything else that has its name stays."""
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out
        import venv
    except ImportError:
        raise SetupError(
            "This Python cannot make virtual environments. On Debian and Ubuntu run: "
            f"apt-get install python{_version()}-venv"
        ) from None
    folder = environment.folder
    if folder.exists():
        if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file()):
            raise SetupError(
                f"{folder} is in the way: it is no virtual environment. Move it and run this again."
            )
        say(f"Making {folder.name} anew (unfinished, broken, moved, or of another Python) ...")
        shutil.rmtree(folder)
    else:
        say(f"Making {folder.name} ...")
    try:
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(folder)
    except subprocess.CalledProcessError as error:
        full = shutil.disk_usage(folder).free < ENOUGH_BYTES
        reason = "The disk is full: free some space" if full else f"Python said: {error}"
        raise SetupError(f"Making {folder} failed. {reason}; then run the same command again.") from None
