"""The exporter's command line: ``python -m export build smollm2-135m``, and ``evaluate`` for what a pack says.

In: arguments. Out: progress and the pack's folder, as text or as one JSON object a line (what the app reads), or a report;
exit code 0 only on success, 1 for what the user can mend, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import secrets
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from engine.cancel import Cancel
from engine.catalogue import read_catalogue
from engine.errors import EngineError
from engine.onnx_files import is_plain_name
from engine.packs import read_pack
from engine.results import Progress
from engine.store import Store
from export.packing import Device, Format, Precision
from export.train.evaluate_command import add_evaluate
from export.train.train_command import add_train


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    report = _JsonReport() if arguments.progress == "json" else _TextReport()
    cancel = Cancel()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: at once, and cleaning up
    try:
        result = None
        for item in arguments.run(arguments, cancel):
            if isinstance(item, Progress):
                report.progress(item)
            else:
                result = item
    except EngineError as error:
        report.problem(error)
        return 1
    except KeyboardInterrupt:
        return 130
    if result is None:
        return 130
    report.done(result)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description="Make model packs for Pollux.")
    commands = parser.add_subparsers(required=True)
    build = commands.add_parser("build", help="get a checkpoint and make a pack of it")
    build.add_argument(
        "model",
        help="a name in the catalogue, a GGUF file, a Hugging Face or CTranslate2 folder, or OpenAI's .pt of Whisper",
    )
    build.add_argument("--name", help="how the pack is called; made from the model's name if not given")
    build.add_argument("--precision", choices=get_args(Precision), help="int4; int8 for speech")
    build.add_argument("--device", choices=get_args(Device), default="cpu", help="what the pack will run on")
    build.add_argument("--output", type=Path, help="a new folder for the pack, instead of installing it")
    build.add_argument(
        "--weights", type=Path, help="for the captioner: the folder of what was trained, instead of ours"
    )
    build.add_argument("--force", action="store_true", help="build again even if it is installed")
    build.add_argument("--progress", choices=("text", "json"), default="text")
    build.set_defaults(run=_build)
    add_train(commands)
    add_evaluate(commands)
    return parser


def _build(arguments: argparse.Namespace, cancel: Cancel) -> Iterator[Progress | Path]:
    # torch is imported only now, so that wrong arguments are told at once.
    from export.build_pack import build
    from export.checkpoints.load import is_speech
    from export.recipe import Recipe

    _hush_torch()
    path = Path(arguments.model)
    if arguments.name is not None and not is_plain_name(arguments.name):
        raise EngineError("A model cannot be called {name}.", "Choose a plain word.", name=arguments.name)
    if not path.exists() and (path.suffix in (".gguf", ".pt") or len(path.parts) > 1):
        raise EngineError("There is no file or folder {path}.", "Check the path.", path=path)
    if path.exists():
        form = _format(arguments, "speech" if is_speech(path) else "language")
        name = arguments.name or _safe_name(path.stem if path.is_file() else path.resolve().name)
        recipe = Recipe(f"{name}{'' if arguments.name else form.suffix}", form, checkpoint=path)
    else:
        entry = read_catalogue().get(arguments.model)
        form = _format(arguments, entry.kind)
        name = arguments.name or f"{entry.name}{form.suffix}"
        recipe = Recipe(name, form, entry=entry, weights=arguments.weights)

    if arguments.output is not None:
        yield from _into(arguments.output, lambda folder: build(recipe, folder, cancel))
        return
    store = Store.default()
    installed = next((pack for pack in store.list() if pack.name == recipe.name and not pack.bundled), None)
    if installed is not None and installed.revision == recipe.revision and not arguments.force:
        yield installed.folder
        return
    with store.staging() as staging:
        folder = staging / "pack"
        finished = False
        for item in build(recipe, folder, cancel):
            if isinstance(item, Progress):
                yield item
            else:
                finished = True
        if not finished or cancel.is_set:
            return
        read_pack(folder)  # what we made must be what we read
        if installed is not None:
            store.remove(recipe.name)
        yield store.adopt(folder, recipe.name).folder


def _format(arguments: argparse.Namespace, kind: str) -> Format:
    usual: Precision = "int8" if kind == "speech" else "int4"
    return Format(arguments.precision or usual, arguments.device, usual)


def _into(output: Path, run: Callable[[Path], Iterator[Progress | Path]]) -> Iterator[Progress | Path]:
    """Build beside ``output`` and move the pack there when it is whole: whatever happens, nothing half is left."""
    _check_empty(output)
    output = output.absolute()
    staging = output.with_name(f".{output.name}.{secrets.token_hex(4)}.part")
    try:
        for item in run(staging):
            if isinstance(item, Progress):
                yield item
            else:
                read_pack(item)  # what we made must be what we read
                if output.exists():
                    output.rmdir()
                item.rename(output)
                yield output
    except OSError as error:
        raise EngineError(
            "The model cannot be written to {folder}: {reason}.",
            "Make room or choose another folder.",
            folder=output,
            reason=error.strerror or error,
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _safe_name(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.casefold()).strip("-.") or "model"


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EngineError(
            "{folder} exists and is not empty.", "Name a new folder for --output.", folder=folder
        )


def _hush_torch() -> None:
    """Tracing warns about torchvision and axis names on every run; nobody can act on it."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"torch\..*|contextlib|copyreg|onnxscript\..*")


class _TextReport:
    """Progress on one line of the terminal, the pack's folder or a report on standard output."""

    def __init__(self) -> None:
        self._last = ""
        self._live = sys.stderr.isatty()

    def progress(self, item: Progress) -> None:
        share = f"{100 * item.done // item.total:3d} %" if item.total else f"{item.done} {item.unit}"
        line = f"{item.stage:9s} {share}"
        if not self._live and item.stage == self._last.split(" ")[0]:
            return  # one line a stage is enough for a log
        if line != self._last:
            print(f"\r{line}    " if self._live else line, end="" if self._live else "\n", file=sys.stderr)
            sys.stderr.flush()
        self._last = line

    def problem(self, error: EngineError) -> None:
        print(f"{chr(10) if self._live and self._last else ''}export: {error}", file=sys.stderr)

    def done(self, result: Path | str) -> None:
        if self._live and self._last:
            print(file=sys.stderr)
        print(result)


class _JsonReport:
    """One JSON object a line on standard output."""

    def progress(self, item: Progress) -> None:
        self._say(stage=item.stage, done=item.done, total=item.total, unit=item.unit)

    def problem(self, error: EngineError) -> None:
        self._say(error=error.message, hint=error.hint)

    def done(self, result: Path | str) -> None:
        self._say(pack=str(result))

    def _say(self, **values: object) -> None:
        print(json.dumps(values, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
