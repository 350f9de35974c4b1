"""Gets a model that the catalogue names and builds its pack, by running the exporter as a program of its own.

In: a catalogue entry and the store. Out: :class:`Progress` and at last the installed pack. The engine never
imports the exporter: that needs torch, which the app's environment has not. The exporter reports on its
standard output, one JSON object a line: ``{"stage", "done", "total", "unit"}``, at the end ``{"pack": folder}``, or
``{"error": message, "hint": hint}``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, get_args, get_type_hints

from engine import folders
from engine.cancel import Cancel
from engine.catalogue import CatalogueEntry
from engine.errors import EngineError
from engine.packs import Pack, read_pack, verify_files
from engine.results import Progress
from engine.store import Store

POLL_S = 0.1
GRACE_S = 5.0
EXIT_S = 60.0  # to end after the last word
STAGES = get_args(get_type_hints(Progress)["stage"])
UNITS = get_args(get_type_hints(Progress)["unit"])


def add_model(
    entry: CatalogueEntry, store: Store, cancel: Cancel, command: Sequence[str] | None = None
) -> Iterator[Progress | Pack]:
    """Get, build and install ``entry``; the last item is the installed pack, unless cancelled.

    ``command`` is the exporter to run, found by itself if not given. A cancelled download goes on where it
    stopped when it is asked for again.
    """
    if any(pack.name == entry.name and not pack.bundled for pack in store.list()):
        raise EngineError(
            "A model called {name} is already installed.",
            "Remove it first: pollux models remove {name}",
            name=entry.name,
        )
    command = exporter_command() if command is None else command
    with store.staging() as staging:
        output = staging / "build"
        arguments = ["build", entry.name, "--progress", "json", "--output", str(output)]
        folder: Path | None = None
        for item in _run([*command, *arguments], cancel):
            if isinstance(item, Progress):
                yield item
            else:
                folder = item
        if cancel.is_set:
            return
        if folder is None or not folder.resolve().is_relative_to(staging.resolve()):
            raise EngineError(
                "The model {name} was not built.", "Try again; the log says more.", name=entry.name
            )
        pack = read_pack(folder)
        yield from verify_files(pack, cancel)
        if not cancel.is_set:
            yield store.adopt(folder, entry.name)


def exporter_command() -> list[str]:
    """How the exporter is run here; raises EngineError where it cannot be."""
    checkout = folders.resources_folder().parent
    if not folders.is_frozen() and (checkout / "dev.py").is_file():
        return [_base_python(), str(checkout / "dev.py"), "export"]
    if not folders.is_frozen() and all(map(importlib.util.find_spec, ("torch", "onnx", "export"))):
        return [sys.executable, "-m", "export"]
    raise EngineError(
        "This installation of Pollux cannot build models: it comes without the exporter.",
        "Build the model with a checkout of Pollux (python3 dev.py export build NAME) and import its folder.",
    )


def _base_python() -> str:
    """The interpreter that the environment was made from: ``dev.py`` makes its own environments."""
    return getattr(sys, "_base_executable", "") or sys.executable


def _run(command: Sequence[str], cancel: Cancel) -> Iterator[Progress | Path]:
    """Run the exporter; kills it with all its children when cancelled or abandoned."""
    process = _start(command)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    last_words: deque[str] = deque(maxlen=20)
    readers = (
        threading.Thread(
            target=_pump, args=(process.stdout, lines.put, lambda: lines.put(None)), daemon=True
        ),
        threading.Thread(target=_pump, args=(process.stderr, last_words.append, lambda: None), daemon=True),
    )
    for reader in readers:
        reader.start()
    code: int | None = None
    try:
        for line in _lines(lines, cancel):
            item = _understood(line, last_words)
            if item is not None:
                yield item
        if not cancel.is_set:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=EXIT_S)
            if code != 0:
                raise _failed(last_words)
    finally:
        if code is None:
            _kill(process)
        for reader in readers:
            reader.join(GRACE_S)


def _start(command: Sequence[str]) -> subprocess.Popen[str]:
    # A group of its own, so that all of it can be ended; and no window of its own on Windows.
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
            creationflags=flags,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise EngineError(
            "The exporter cannot be started: {reason}.",
            "Install Pollux again.",
            reason=error.strerror or type(error).__name__,
        ) from error


def _lines(lines: queue.SimpleQueue[str | None], cancel: Cancel) -> Iterator[str]:
    """Lines as they come, until there are no more or the flag is set."""
    while not cancel.is_set:
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if line is None:
            return
        yield line


def _understood(line: str, last_words: deque[str]) -> Progress | Path | None:
    """One line of the exporter's; what is no report of its own (a library that prints) is kept for the error."""
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict):
        last_words.append(line)
        return None
    if "error" in report:
        raise EngineError(
            "{problem}", "{advice}", problem=str(report["error"]), advice=str(report.get("hint") or "")
        )
    if isinstance(report.get("pack"), str):
        return Path(report["pack"])
    done, total = report.get("done"), report.get("total")
    if report.get("stage") in STAGES and report.get("unit") in UNITS and isinstance(done, int):
        return Progress(report["stage"], done, total if isinstance(total, int) else None, report["unit"])
    return None


def _failed(last_words: deque[str]) -> EngineError:
    said = [words.strip() for words in last_words if words.strip()]
    return EngineError(
        "The model could not be built: {reason}",
        "",
        reason=said[-1][:300] if said else "the exporter ended without a word.",
    )


def _pump(stream: IO[str], put: Callable[[str], object], end: Callable[[], object]) -> None:
    """Move lines from a pipe to where they are wanted."""
    with suppress(ValueError, OSError):  # closed under it
        for line in stream:
            put(line)
    end()


def _kill(process: subprocess.Popen[str]) -> None:
    """End the exporter and everything that it started."""
    if sys.platform == "win32":
        if process.poll() is None:
            taskkill = shutil.which("taskkill") or "taskkill"
            subprocess.run([taskkill, "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        # The second signal also when the first was obeyed: by the exporter, perhaps not by its children.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=GRACE_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE_S)
