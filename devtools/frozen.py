"""The frozen app: builds it from build.spec, and runs it the way a user's machine would.

In: the app's environment and the default packs. Out: `dist/pollux` (a folder; `Pollux.app` on macOS). A build is kept while
nothing that goes into it has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devtools import licences
from devtools.console import SetupError, say
from devtools.environments import CHECKOUT, Environment, project

SOURCES = (
    "app",
    "engine",
    "resources",
    "build.spec",
    "pyproject.toml",
    "devtools/frozen_entry.py",
    "devtools/licences.py",
    "LICENSE",
)
FINGERPRINT = "fingerprint.json"
LAST_LINES = 12


def flavour() -> str:
    """`cpu`, or `cuda` with the GPU provider's libraries inside (environment variable POLLUX_FLAVOUR)."""
    return os.environ.get("POLLUX_FLAVOUR", "cpu")


def build(environment: Environment, packs: Sequence[Path], dist: Path) -> Path:
    """Build into ``dist`` unless the one there is of the same sources and packs; returns the app's folder."""
    fingerprint = _fingerprint(environment, packs)
    stamp = dist / FINGERPRINT
    folder = dist / ("Pollux.app" if sys.platform == "darwin" else "pollux")
    if folder.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint:
        say(f"The frozen app is up to date: {folder}")
        return folder
    work = CHECKOUT / "build" / "frozen"
    stamp.unlink(missing_ok=True)
    staged = _stage(environment, packs, work / "staged")
    say("Building the frozen app (some minutes) ...")
    began = time.monotonic()
    command = [
        str(environment.python), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
        "--distpath", str(dist), "--workpath", str(work / "work"), str(CHECKOUT / "build.spec"),
    ]  # fmt: skip
    variables = {**os.environ, "POLLUX_STAGED": str(staged), "POLLUX_FLAVOUR": flavour()}
    log = work / "pyinstaller.log"
    with log.open("w", encoding="utf-8") as file:
        code = subprocess.run(
            command, cwd=CHECKOUT, env=variables, stdout=file, stderr=file, check=False
        ).returncode
    if code or not folder.is_dir():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]:
            say("  PyInstaller: " + line)
        raise SetupError(f"The frozen app could not be built; all of PyInstaller's words are in {log}.")
    if sys.platform.startswith("linux"):
        notices = folder / "_internal" / "resources" / "licences" / "SYSTEM_LIBRARIES.txt"
        notices.write_text(licences.system_libraries_text(folder), encoding="utf-8")
    stamp.write_text(fingerprint, encoding="utf-8")
    say(f"  {size_bytes(folder) / 1e6:.0f} MB in {time.monotonic() - began:.0f} s: {folder}")
    return folder


def _stage(environment: Environment, packs: Sequence[Path], staged: Path) -> Path:
    """What build.spec adds to resources/: the packs and the licences' texts."""
    shutil.rmtree(staged, ignore_errors=True)
    for pack in packs:
        shutil.copytree(pack, staged / "packs" / pack.name)
    (staged / "licences").mkdir()
    command = [
        environment.python,
        "-m",
        "devtools.licences",
        CHECKOUT,
        staged / "licences" / "THIRD_PARTY.txt",
    ]
    subprocess.run(command, cwd=CHECKOUT, check=True)
    return staged


def command_line_program(folder: Path) -> Path:
    """The executable for the command line."""
    if sys.platform == "darwin":
        return folder / "Contents" / "MacOS" / "pollux"
    return folder / ("pollux.exe" if os.name == "nt" else "pollux")


def window_program(folder: Path) -> Path:
    """The executable that opens the window: on Linux the same one."""
    program = command_line_program(folder)
    if sys.platform.startswith("linux"):
        return program
    return program.with_name("pollux-app" + program.suffix)


def bare_environment(home: Path) -> dict[str, str]:
    """What a frozen app may count on: a home for its data, and no Python anywhere."""
    variables = {name: os.environ[name] for name in ("SystemRoot", "TEMP", "TMP") if name in os.environ}
    variables |= {"HOME": str(home), "USERPROFILE": str(home)}
    if sys.platform.startswith("linux"):
        variables["LC_ALL"] = "C.UTF-8"
    return {**variables, "PATH": "", "POLLUX_HOME": str(home)}


def selftest(folder: Path) -> int:
    """`pollux selftest` in a bare environment with an empty data folder."""
    home = CHECKOUT / "build" / "frozen" / "selftest home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    say("Running its selftest ...")
    program = command_line_program(folder)
    return subprocess.run([program, "selftest"], env=bare_environment(home), cwd=home, check=False).returncode


def size_bytes(folder: Path) -> int:
    """Of all files; a link counts nothing."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _fingerprint(environment: Environment, packs: Sequence[Path]) -> str:
    """Everything that decides what the build holds."""
    digest = hashlib.sha256()
    for name in SOURCES:
        path = CHECKOUT / name
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts and file.is_file():
                digest.update(file.relative_to(CHECKOUT).as_posix().encode() + b"\0" + file.read_bytes())
    frozen = subprocess.run(
        [environment.python, "-m", "pip", "freeze", "--exclude-editable"], capture_output=True, check=True
    ).stdout
    digest.update(frozen + flavour().encode())
    for pack in packs:
        manifest = pack / "pack.json"
        described = manifest if manifest.is_file() else pack / "genai_config.json"
        digest.update(pack.name.encode() + b"\0" + described.read_bytes())
    return json.dumps({"version": project()["version"], "sha256": digest.hexdigest()})
