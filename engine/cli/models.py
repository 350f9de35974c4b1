"""``pollux models``: what is installed, what can be got, and the coming and going of packs.

In: arguments. Out: tables for people, or one JSON object a line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import machine
from engine.builder import add_model
from engine.catalogue import CatalogueEntry, read_catalogue
from engine.cli.console import Console, size_text
from engine.cli.interrupts import cancelled_by_ctrl_c
from engine.errors import EngineError
from engine.packs import Pack
from engine.results import Progress
from engine.store import Store


def add_models_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of this group."""
    commands = parser.add_subparsers(dest="models_command", metavar="COMMAND", required=True)
    helps = {
        "list": "what is installed",
        "available": "what can be got",
        "add": "get and build a model",
        "import": "install a model from a folder or a .zip file",
        "verify": "check the files of one model, or of all",
        "remove": "delete a model",
    }
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in helps.items()}
    for name in ("add", "remove"):
        made[name].add_argument("name", metavar="NAME")
    made["import"].add_argument("path", metavar="PATH", type=Path)
    made["verify"].add_argument("name", metavar="NAME", nargs="?")
    made["remove"].add_argument("--yes", action="store_true", help="do not ask")
    for each in made.values():
        each.add_argument("--json", action="store_true", help="one JSON object a line")


def run_models(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command."""
    run = {
        "list": _list,
        "available": _available,
        "add": _add,
        "import": _import,
        "verify": _verify,
        "remove": _remove,
    }[arguments.models_command]
    return run(arguments, console, store)


def pack_record(pack: Pack) -> dict[str, object]:
    """A pack as JSON; the keys are stable."""
    return {
        "name": pack.name,
        "display_name": pack.display_name,
        "kind": pack.kind,
        "licence": pack.licence,
        "source": pack.source,
        "revision": pack.revision,
        "languages": list(pack.languages),
        "parameters": pack.parameters,
        "quantisation": pack.quantisation,
        "size_bytes": pack.size_bytes,
        "memory_bytes": pack.memory_bytes,
        "context_tokens": pack.context_tokens,
        "bundled": pack.bundled,
        "foreign": pack.foreign,
        "folder": str(pack.folder),
    }


def _list(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    packs, problems = store.list(), store.problems()
    if console.as_json:
        for pack in packs:
            console.record(pack_record(pack))
        for problem in problems:
            console.record(
                {"name": problem.folder.name, "error": problem.error.message, "hint": problem.error.hint}
            )
        return 0
    rows = [
        (
            pack.name,
            pack.kind,
            size_text(pack.size_bytes),
            size_text(pack.memory_bytes),
            f"{pack.context_tokens} tokens",
            _few(pack.languages) or "?",
            "bundled" if pack.bundled else "foreign" if pack.foreign else "",
        )
        for pack in packs
    ]
    _table(console, ("NAME", "KIND", "SIZE", "MEMORY", "CONTEXT", "LANGUAGES", ""), rows)
    for problem in problems:
        console.note(f"pollux: {problem.folder.name}: {problem.error}")
    if not packs:
        console.note("No model is installed. Add one, for example with: pollux models add smollm2-135m")
    return 0


def _available(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    budget = machine.usable_memory_bytes()
    installed = {pack.name for pack in store.list()}
    entries = read_catalogue().entries
    if console.as_json:
        for entry in entries:
            console.record(_entry_record(entry, budget, entry.name in installed))
        return 0
    rows = [
        (
            entry.name,
            entry.kind,
            size_text(entry.download_bytes),
            size_text(entry.memory_bytes),
            _few(entry.languages),
            "installed" if entry.name in installed else "" if entry.memory_bytes <= budget else "too large",
            entry.summary,
        )
        for entry in entries
    ]
    _table(console, ("NAME", "KIND", "DOWNLOAD", "MEMORY", "LANGUAGES", "", ""), rows)
    return 0


def _entry_record(entry: CatalogueEntry, budget: int, installed: bool) -> dict[str, object]:
    return {
        "name": entry.name,
        "display_name": entry.display_name,
        "kind": entry.kind,
        "summary": entry.summary,
        "languages": list(entry.languages),
        "licence": entry.licence,
        "parameters": entry.parameters,
        "download_bytes": entry.download_bytes,
        "size_bytes": entry.pack_bytes,
        "memory_bytes": entry.memory_bytes,
        "fits": entry.memory_bytes <= budget,
        "installed": installed,
        "default": entry.default,
    }


def _add(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    entry = read_catalogue().get(arguments.name)
    with cancelled_by_ctrl_c() as cancel:
        return _finish(add_model(entry, store, cancel), console, "{name} is installed.")


def _import(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    with cancelled_by_ctrl_c() as cancel:
        return _finish(store.import_path(arguments.path, cancel), console, "{name} is installed.")


def _verify(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    names = [arguments.name] if arguments.name else [pack.name for pack in store.list()]
    problems = [] if arguments.name else [(item.folder.name, item.error) for item in store.problems()]
    with cancelled_by_ctrl_c() as cancel:
        for name in names:
            try:
                code = _finish(store.verify(name, cancel), console, "{name} is sound.")
            except EngineError as error:
                if arguments.name:
                    raise
                problems.append((name, error))
                continue
            if code:
                return code
    for name, error in problems:
        if console.as_json:
            console.record({"name": name, "error": error.message, "hint": error.hint})
        console.note(f"pollux: {name}: {error}")
    return 1 if problems else 0


def _remove(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    if not arguments.yes:
        if not (sys.stdin and sys.stdin.isatty()):
            raise EngineError(
                "The model {name} was not removed: nobody can be asked.",
                "Add --yes to remove it without a question.",
                name=arguments.name,
            )
        console.note(f"Remove {arguments.name}? [y/N]")
        if input().strip().casefold() not in ("y", "yes"):
            console.note("Kept.")
            return 0
    store.remove(arguments.name)
    if console.as_json:
        console.record({"name": arguments.name, "removed": True})
    else:
        console.text(f"{arguments.name} is removed.")
    return 0


def _finish(items: Iterator[Progress | Pack], console: Console, message: str) -> int:
    """Show how far a call is and what it gave; 130 if it was cancelled."""
    for item in items:
        if isinstance(item, Progress):
            console.progress(item)
        elif console.as_json:
            console.record(pack_record(item))
            return 0
        else:
            console.text(message.format(name=item.name))
            return 0
    console.note("Stopped.")
    return 130


def _few(languages: Sequence[str]) -> str:
    return ", ".join(languages[:4]) + (", ..." if len(languages) > 4 else "")


def _table(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        return
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        console.text("  ".join(cells).rstrip())
