"""The subcommands of `dev.py`.

In: its arguments. Out: its exit code: 0 on success, 1 for a problem that can be mended, 2 for wrong usage.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

from devtools import bench, checks, frozen, models, system_libraries
from devtools.console import SetupError, clear_status, say
from devtools.environments import (
    CHECKOUT,
    Environment,
    app_environment,
    app_steps,
    export_environment,
    export_steps,
    prepare,
)

USAGE = """\
usage: python3 dev.py COMMAND

  app [ARGUMENTS]     set up .venv, build the default models where none is installed, open Pollux
  test [ARGUMENTS]    set up everything, run the checks and all tests; ARGUMENTS (paths, -k ...) go to pytest
  lint                ruff, pyright and the import contracts only
  package             build the frozen app into dist/ and run its selftest
  export ARGUMENTS    python -m export ARGUMENTS, in .venv-export (for example: export build smollm2-135m)
  bench [ARGUMENTS]   Pollux beside llama.cpp and ONNX Runtime GenAI, in one run; --variants for all precisions
  bench speech [ARGUMENTS]   Pollux beside faster-whisper; --data FOLDER (clips with transcripts.tsv), --words, --hour
  bench images [ARGUMENTS]   pictures: time and memory, and the layout of SmolVLM beside transformers; --data FOLDER, --no-peer
"""
INTERRUPTED = 130
# Which environment variable tells the tests where the default pack of each kind is.
TEST_PACKS = {
    "language": "POLLUX_TEST_PACK",
    "speech": "POLLUX_TEST_SPEECH_PACK",
    "image": "POLLUX_TEST_IMAGE_PACK",
}


def run(arguments: list[str]) -> int:
    """Find the subcommand, run it, and turn every foreseeable failure into one line."""
    commands = {
        "app": app,
        "test": test,
        "lint": lint,
        "package": package,
        "export": export,
        "bench": bench.run,
    }
    if arguments and arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if not arguments or arguments[0] not in commands:
        sys.stderr.write((f"dev.py: there is no command {arguments[0]!r}\n" if arguments else "") + USAGE)
        return 2
    name, rest = arguments[0], arguments[1:]
    if name in ("lint", "package") and rest:
        sys.stderr.write(f"dev.py {name} takes no arguments\n" + USAGE)
        return 2
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # nothing that is started from here reports home
    try:
        return commands[name](rest)
    except SetupError as problem:
        say(f"dev.py: {problem}")
    except KeyboardInterrupt:
        clear_status()
        say("Stopped. Run the same command again to go on from here.")
        return INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS, errno.EDQUOT):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = (
            "the disk is full: {}. Free some space"
            if full
            else "{} cannot be written to. Change its permissions"
        )
        say(f"dev.py: {what.format(error.filename or CHECKOUT)}, then run the same command again.")
    return 1


def app(arguments: list[str]) -> int:
    """Set up, have a model of each kind, open the window."""
    missing = system_libraries.ensure()
    environment = prepare(app_environment(), app_steps())
    shown = [] if arguments else _ensure_models(environment)
    if not arguments and not _has_display():
        say("There is no display here. Use the command line: " + _cli_line(environment))
        return 1 if shown else 0
    if not arguments and missing.stops_window and not os.environ.get("WAYLAND_DISPLAY"):
        raise SetupError(f"A window cannot be opened before this: {system_libraries.command_line(missing)}")
    return subprocess.run([environment.python, "-P", "-m", "app", *arguments], check=False).returncode


def _ensure_models(environment: Environment) -> list[str]:
    """Build the default model of each kind of which there is none. A failure is said, and leaves the app usable."""
    there = {pack.kind for pack in models.installed(environment)}
    without = {
        "language": "Pollux opens without a model; its home page can try again.",
        "speech": "Pollux opens without transcription; its list of models can try again.",
        "image": "Pollux opens without describing pictures; its list of models can try again.",
    }
    problems: list[str] = []
    for kind in models.KINDS:
        if kind in there:
            continue
        try:
            prepare(export_environment(), export_steps())
            models.add(environment, models.default_name(kind))
        except SetupError as problem:
            say(f"dev.py: {problem} {without[kind]}")
            problems.append(str(problem))
    return problems


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _cli_line(environment: Environment) -> str:
    script = environment.python.parent / "pollux"
    shown = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return f'{shown} chat --prompt "What is the capital of France?"'


def test(arguments: list[str]) -> int:
    """Everything that CI runs; with arguments only pytest, only where they point."""
    system_libraries.ensure(for_tests=True)
    environment = prepare(app_environment(), app_steps(("test", "dev")))
    export_side = prepare(export_environment(), export_steps())
    outcomes = [] if arguments else checks.run_checks(checks.lint_checks(environment, export_side))
    home = CHECKOUT / "build" / "test-home"
    variables = {
        "POLLUX_HOME": str(home)
    }  # what a test looks up before its own folder is set is not the user's
    for kind, variable in TEST_PACKS.items():
        try:
            variables[variable] = str(models.build_for_tests(export_side, models.default_name(kind), home))
        except SetupError as problem:
            say(f"dev.py: {problem} The tests that need it will say so.")
            outcomes.append(checks.Outcome(f"the default {kind} model", False, 0.0))
    outcomes += checks.run_checks(checks.test_checks(environment, export_side, arguments, variables))
    return checks.report(outcomes)


def lint(_arguments: list[str]) -> int:
    """The checkers alone."""
    environment = prepare(app_environment(), app_steps(("test", "dev")))
    export_side = export_environment()
    if not export_side.stamp.exists():
        say("export/ is not type-checked: .venv-export does not exist (`dev.py test` makes it).")
    there = export_side if export_side.stamp.exists() else None
    return checks.report(checks.run_checks(checks.lint_checks(environment, there)))


def package(_arguments: list[str]) -> int:
    """The frozen app, then its selftest."""
    system_libraries.ensure(for_tests=True)
    environment = prepare(app_environment(), app_steps(("test",)))
    folder = frozen.build(environment, models.ensure_defaults(environment), CHECKOUT / "dist")
    return frozen.selftest(folder)


def export(arguments: list[str]) -> int:
    """Pass through to the exporter; setting up speaks on stderr only."""
    return models.run_export(prepare(export_environment(), export_steps()), arguments)
