"""Runs pip in an environment, quietly, and turns its failures into one line that helps.

In: the environment's python and pip's arguments. Out: nothing, or a `SetupError` with pip's last lines and what to try.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from devtools.console import SetupError, clear_status, say, status

LAST_LINES = 8
INTERESTING = ("Collecting ", "Downloading ", "Building ", "Installing ", "Preparing ", "Using cached ")

# The first match wins: what pip's output contains, and what to try then.
ADVICE = (
    (("No space left on device", "Errno 28", "not enough space", "WinError 112"), "The disk is full: free some space."),
    (("Permission denied", "Errno 13", "Read-only file system", "WinError 5]"), "That folder cannot be written to."),
    (
        ("Temporary failure in name resolution", "NewConnectionError", "ConnectTimeout", "ReadTimeout", "Connection refused",
         "getaddrinfo failed", "Network is unreachable", "ProxyError", "ConnectionResetError", "Name or service not known"),
        "The package index could not be reached: check the network or the proxy settings.",
    ),
    (("CERTIFICATE_VERIFY_FAILED", "SSLError"), "The package index's certificate was refused: set PIP_CERT if you are behind a proxy."),
    (("Killed", "MemoryError"), "There was too little memory."),
    (
        ("(from versions: none)", "No matching distribution found for setuptools"),
        "The package index could not be reached, or has nothing for Python {python} on {system} {machine}: check the network.",
    ),
    (
        ("No matching distribution", "Could not find a version", "ResolutionImpossible"),
        "A package has no build for Python {python} on {system} {machine}: try another Python from 3.11 to 3.13.",
    ),
)  # fmt: skip


def advice_for(output: str) -> str:
    """What to try, from what pip printed."""
    for needles, text in ADVICE:
        if any(needle in output for needle in needles):
            return text.format(
                python=platform.python_version(), system=platform.system(), machine=platform.machine()
            )
    return "See pip's last lines above."


def pip_install(python: Path, arguments: Sequence[str], cwd: Path) -> None:
    """Run ``python -m pip install ARGUMENTS``; what is finished stays, so a second try goes on from there."""
    command = [str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off", *arguments]
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONPATH", None)
    last: deque[str] = deque(maxlen=LAST_LINES)
    everything: list[str] = []
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.rstrip()
            if not line or line.startswith(("WARNING: Location", "Looking in", "Requirement already")):
                continue
            last.append(line)
            everything.append(line)
            if line.strip().startswith(INTERESTING):
                status("  " + line.strip())
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
        clear_status()
    if process.returncode:
        for line in last:
            say("  pip: " + line)
        raise SetupError(
            f"Installing the packages failed. {advice_for(chr(10).join(everything))} "
            "Then run the same command again; it goes on where it stopped."
        )
    if "Successfully installed" not in "".join(last) and sys.stderr.isatty():
        status("")
