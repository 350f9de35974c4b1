"""The default packs, one for chat, one for speech and one for pictures: which are installed, and having the exporter build the others.

In: the app's environment (its engine knows where packs live) and the catalogue. Out: the packs' folders.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.console import SetupError, clear_status, say, status
from devtools.environments import CHECKOUT, Environment, export_environment, export_steps, prepare

# Asked of the engine rather than worked out here: it alone knows where packs live and which can be read.
FIND = """
import json, sys
from engine.packs import read_pack
from engine.store import Store
store = Store.default()
packs = [{"name": pack.name, "kind": pack.kind, "folder": str(pack.folder)} for pack in store.list()]
print(json.dumps(packs))
"""
KINDS = ("language", "speech", "image")  # what the app comes with, in the order in which it is needed


@dataclass(frozen=True)
class InstalledPack:
    """A pack that opens."""

    name: str
    kind: str
    folder: Path


def default_name(kind: str = "language", checkout: Path = CHECKOUT) -> str:
    """The catalogue's entry that is marked as the default of its kind."""
    with (checkout / "resources" / "catalogue.toml").open("rb") as file:
        models = tomllib.load(file)["model"]
    alike = [model for model in models if model.get("kind", "language") == kind]
    return next(model["name"] for model in alike if model.get("default"))


def installed(environment: Environment) -> tuple[InstalledPack, ...]:
    """Every pack that opens."""
    result = subprocess.run(
        [environment.python, "-c", FIND],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"The installed models could not be listed: {last}")
    return tuple(
        InstalledPack(pack["name"], pack["kind"], Path(pack["folder"])) for pack in json.loads(result.stdout)
    )


def ensure_defaults(environment: Environment) -> tuple[Path, ...]:
    """The folders of the default packs, one for each kind; what is missing is built."""
    folders: list[Path] = []
    for kind in KINDS:
        name = default_name(kind)
        found = [pack.folder for pack in installed(environment) if pack.name == name]
        if not found:
            prepare(export_environment(), export_steps())
            add(environment, name)
            found = [pack.folder for pack in installed(environment) if pack.name == name]
        folders += found[:1]
    return tuple(folders)


def add(environment: Environment, name: str) -> None:
    """`pollux models add NAME`: the app's own way, which calls `dev.py export` and checks what it gets."""
    say(f"Building the model {name} (once; download and a minute or two of work) ...")
    command = [environment.python, "-P", "-m", "engine", "models", "add", name]
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
        raise SetupError(f"The model {name} could not be built; the lines above say why.")


def build_for_tests(environment: Environment, name: str, home: Path) -> Path:
    """Have the exporter install a pack into ``home``, a data folder of the tests' own; returns the pack's folder.

    What is there is kept, until the exporter's code or the catalogue changes.
    """
    fingerprint = _exporter_fingerprint()
    stamp = home / f"{name}.sha256"
    force = ["--force"] if not stamp.is_file() or stamp.read_text(encoding="utf-8") != fingerprint else []
    say(
        f"Building the model {name} for the tests ..." if force else f"The tests' model {name} is up to date."
    )
    home.mkdir(parents=True, exist_ok=True)
    folder = _build(environment, [name, *force], {**os.environ, "POLLUX_HOME": str(home)})
    stamp.write_text(fingerprint, encoding="utf-8")
    return folder


def _exporter_fingerprint() -> str:
    digest = hashlib.sha256()
    code = (file for file in sorted((CHECKOUT / "export").rglob("*.py")) if "train" not in file.parts)
    resources = CHECKOUT / "resources"
    for file in (*code, resources / "catalogue.toml", resources / "labels" / "imagenet.tsv"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _build(environment: Environment, arguments: Sequence[str], variables: Mapping[str, str]) -> Path:
    """Run the exporter, show its progress; returns the pack's folder."""
    command = [environment.python, "-P", "-m", "export", "build", *arguments, "--progress", "json"]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env={**variables, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    last: dict[str, object] = {}
    stage = ""
    try:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                last = json.loads(line)
            except ValueError:
                say("  " + line.rstrip())
                continue
            if last.get("stage") not in (None, stage):
                stage = str(last["stage"])
                say(f"  {stage}")
            if last.get("total"):
                status(f"  {stage} {last.get('done')} of {last.get('total')} {last.get('unit', '')}")
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
        clear_status()
    if process.returncode or "pack" not in last:
        reason = f"{last.get('error', 'the exporter stopped with no word.')} {last.get('hint', '')}".strip()
        raise SetupError(f"The model {arguments[0]} could not be built: {reason}")
    return Path(str(last["pack"]))


def run_export(environment: Environment, arguments: Sequence[str]) -> int:
    """`python -m export ARGUMENTS`, with its own stdin, stdout and exit code."""
    command = [str(environment.python), "-P", "-m", "export", *arguments]
    if os.name != "nt":
        sys.stdout.flush()
        os.execv(command[0], command)  # the very same process: what stops `dev.py` stops the exporter
    return subprocess.run(command, check=False).returncode
