"""The command line: ``pollux chat``, ``pollux describe``, ``pollux transcribe``, ``pollux models``, ...

In: arguments and standard input. Out: results on standard output, everything else on standard error, and the
exit code: 0 success, 1 a problem that the user can mend, 2 wrong usage, 130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from engine.cli.chat import add_chat_arguments, run_chat
from engine.cli.checks import add_bench_arguments, add_selftest_arguments, run_bench, run_selftest_command
from engine.cli.console import Console
from engine.cli.describe import add_describe_arguments, run_describe
from engine.cli.models import add_models_arguments, run_models
from engine.cli.transcribe import add_transcribe_arguments, run_transcribe
from engine.errors import EngineError
from engine.store import Store


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and raises nothing that is the user's doing."""
    console = Console()
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leave:  # argparse has said why
        return leave.code if isinstance(leave.code, int) else 2
    console.as_json = arguments.json
    try:
        return arguments.run(arguments, console, Store.default())
    except EngineError as error:
        console.note(f"pollux: {error}")
        return 1
    except KeyboardInterrupt:
        console.note("")
        return 130
    except BrokenPipeError:
        # Whoever read our output has left. What Python would still write at its end goes nowhere.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pollux", description="An assistant that runs on your own machine, with no network."
    )
    parser.add_argument("--version", action="version", version=f"pollux {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, text, add_arguments, run in (
        ("chat", "ask a question, or have a conversation", add_chat_arguments, run_chat),
        ("describe", "say what is in pictures", add_describe_arguments, run_describe),
        ("transcribe", "turn recordings into text or subtitles", add_transcribe_arguments, run_transcribe),
        ("models", "list, add, import, verify and remove models", add_models_arguments, run_models),
        ("bench", "measure how fast a model is on this machine", add_bench_arguments, run_bench),
        ("selftest", "check that this installation works", add_selftest_arguments, run_selftest_command),
    ):
        command = commands.add_parser(name, help=text, description=text)
        add_arguments(command)
        command.set_defaults(run=run)
    return parser


def _version() -> str:
    try:
        return importlib.metadata.version("pollux")
    except importlib.metadata.PackageNotFoundError:  # a checkout that was not installed
        return "(from a checkout)"


if __name__ == "__main__":
    sys.exit(main())
