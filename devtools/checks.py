"""The checks and the tests: which runs in which environment.

In: a checkout and its two environments. Out: each check's own output, and for each whether it passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.console import say
from devtools.environments import CHECKOUT, Environment

WITHOUT_QT = ("-W", "ignore:Unknown config option")  # pytest-qt's settings, where it is not installed
NO_TESTS = 5  # pytest's exit code when nothing matched
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"  # it has no -m
# What needs torch; everything else runs where the app runs.
EXPORT_TESTS = ("tests/parity", "tests/unit/export")
EXPORT_HELPERS = (
    "tests/tiny.py",
    "tests/tiny_captioner.py",
    "tests/tiny_idefics3.py",
    "tests/tiny_training.py",
    "tests/tiny_whisper.py",
    "tests/unit/engine/runtime/make_tiny_pack.py",
    "tests/unit/engine/runtime/make_tiny_vision_pack.py",
)  # run there only
BENCH = "tests/bench"  # its peers live in an environment of their own
APP_CODE = ("app", "engine", "dev.py", "devtools", "tests")
EXPORT_CODE = ("export", *EXPORT_TESTS, *EXPORT_HELPERS)


@dataclass(frozen=True)
class Check:
    """One command and what it is called in the summary."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    none_is_fine: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    name: str
    passed: bool
    wall_s: float


def lint_checks(app: Environment, export: Environment | None) -> list[Check]:
    """ruff, the import contracts and pyright; the exporter's types only where torch is installed."""
    python = str(app.python)
    plain = dict(os.environ)
    checks = [
        Check("ruff check", (python, "-m", "ruff", "check", "--output-format", "concise", "."), plain),
        Check("ruff format", (python, "-m", "ruff", "format", "--check", "."), plain),
        Check("import contracts", (python, "-c", LINT_IMPORTS, "--no-logo"), plain),
        _pyright("pyright: app, engine, tests", app, app, "pyright-app.json"),
    ]
    if export is not None:
        checks.append(_pyright("pyright: export", app, export, "pyright-export.json"))
    return checks


def _pyright(name: str, runner: Environment, packages: Environment, config: str) -> Check:
    write_pyright_configs()
    command = (
        str(runner.python),
        "-m",
        "pyright",
        "--pythonpath",
        str(packages.python),
        "-p",
        f"build/{config}",
    )
    return Check(name, command, {**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"})


def write_pyright_configs(checkout: Path = CHECKOUT) -> None:
    """pyproject.toml's [tool.pyright], once for each environment: torch is only in one, Qt only in the other."""
    import json
    import tomllib

    with (checkout / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["pyright"]
    build = checkout / "build"
    build.mkdir(exist_ok=True)
    exclude = [f"../{folder}" for folder in (*EXPORT_TESTS, *EXPORT_HELPERS, BENCH)]
    parts = {
        "pyright-app.json": {"include": [f"../{path}" for path in APP_CODE], "exclude": exclude},
        "pyright-export.json": {"include": [f"../{path}" for path in EXPORT_CODE], "exclude": []},
    }
    for name, paths in parts.items():
        text = json.dumps({**settings, **paths, "extraPaths": [".."]}, indent=1)
        (build / name).write_text(text, encoding="utf-8")


def split_arguments(
    arguments: Sequence[str], checkout: Path = CHECKOUT
) -> tuple[list[str], list[str], list[str]]:
    """pytest's arguments as (options, paths for the app's environment, paths for the exporter's)."""
    options: list[str] = []
    app: list[str] = []
    export: list[str] = []
    for argument in arguments:
        path = argument.split("::")[0]
        if argument.startswith("-") or not (Path(path).exists() or (checkout / path).exists()):
            options.append(argument)
            continue
        full = (Path(path) if Path(path).exists() else checkout / path).resolve()
        inside = any(full.is_relative_to((checkout / folder).resolve()) for folder in EXPORT_TESTS)
        (export if inside else app).append(str(full) + argument[len(path) :])
    return options, app, export


def test_checks(
    app: Environment, export: Environment, arguments: Sequence[str], variables: Mapping[str, str]
) -> list[Check]:
    """pytest in both environments, or only where the given paths lie."""
    options, app_paths, export_paths = split_arguments(arguments)
    everywhere = not app_paths and not export_paths
    narrowed = bool(options)
    environment = {**os.environ, "PYTHONUTF8": "1", **variables}
    checks = []
    if everywhere or app_paths:
        ignored = [f"--ignore={CHECKOUT / folder}" for folder in (*EXPORT_TESTS, BENCH)]
        command = (str(app.python), "-m", "pytest", *ignored, *options, *app_paths)
        checks.append(Check("tests in .venv (app, engine, packaged)", command, environment, narrowed))
    if everywhere or export_paths:
        paths = export_paths or [
            str(CHECKOUT / folder) for folder in EXPORT_TESTS if (CHECKOUT / folder).is_dir()
        ]
        command = (str(export.python), "-m", "pytest", *WITHOUT_QT, *options, *paths)
        checks.append(Check("tests in .venv-export (export, parity)", command, environment, narrowed))
    return checks


def run_checks(checks: Sequence[Check]) -> list[Outcome]:
    """Run all of them, the failing ones too."""
    outcomes = []
    for check in checks:
        say(f"── {check.name}")
        began = time.monotonic()
        code = subprocess.run(
            check.command, cwd=CHECKOUT, env=dict(check.environment), check=False
        ).returncode
        passed = code == 0 or (check.none_is_fine and code == NO_TESTS)
        outcomes.append(Outcome(check.name, passed, time.monotonic() - began))
    return outcomes


def report(outcomes: Sequence[Outcome]) -> int:
    """The summary, last on the screen; 0 only if everything passed."""
    sys.stdout.flush()
    say("── summary")
    for outcome in outcomes:
        say(f"  {'passed' if outcome.passed else 'FAILED'}  {outcome.name}  ({outcome.wall_s:.0f} s)")
    return 0 if all(outcome.passed for outcome in outcomes) else 1
