"""``python -m export evaluate captioner``: which pack, which photos, and in which form.

In: arguments. Out: progress, and the report as text. Runs the pack as the app does, through ONNX Runtime; no torch.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.packs import Pack, read_pack, require_kind
from engine.results import Progress
from engine.runtime.captions import Caption, CaptionOptions
from engine.store import Store
from export.train.evaluate import Evaluation, Naming, evaluate, evaluate_naming, photos_of
from export.train.evaluate_report import Report, as_json, as_markdown

MAX_NEW_TOKENS = 40


def add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's arguments."""
    parent = commands.add_parser("evaluate", help="judge what a pack says against what people say")
    parser = parent.add_subparsers(required=True).add_parser("captioner", help="captions of photos")
    parser.add_argument("--pack", help="an installed image model or a folder; the best one if not given")
    parser.add_argument("--data", type=Path, required=True, help="photos with captions.jsonl, as Flickr8k")
    parser.add_argument("--split", default="dev", help="dev")
    parser.add_argument(
        "--also", type=Path, action="append", default=[], help="more photos, for measuring only"
    )
    parser.add_argument(
        "--labelled", type=Path, help="photos with labels.jsonl: how often the subject is named"
    )
    parser.add_argument("--limit", type=_positive, help="of each set, the first photos only")
    parser.add_argument("--beams", type=_positive, default=5, help="1 is greedy")
    parser.add_argument("--threads", type=_positive, default=2)
    parser.add_argument("--examples", type=_count, default=20, help="how many photos to show")
    parser.add_argument(
        "--list", type=_count, default=0, help="so many photos of the last set, with all that people said"
    )
    parser.add_argument("--quantised-against", metavar="PACK", help="the same in fp32, to compare with")
    parser.add_argument("--json", action="store_true", help="one JSON object with every caption")
    parser.set_defaults(run=_run, progress="text")


def _run(arguments: argparse.Namespace, cancel: Cancel) -> Iterator[Progress | str]:
    folders = (arguments.data, *arguments.also)
    pack = _pack(arguments.pack)
    sets: list[Evaluation] = []
    naming: tuple[Naming, ...] = ()
    for item in _measure(pack, folders, arguments.labelled, arguments, cancel):
        if isinstance(item, Progress):
            yield item
        elif isinstance(item, Evaluation):
            sets.append(item)
        else:
            naming = item
    against: list[Evaluation] = []
    if arguments.quantised_against:
        for item in _measure(_pack(arguments.quantised_against), folders, None, arguments, cancel):
            if isinstance(item, Evaluation):
                against.append(item)
            elif isinstance(item, Progress):
                yield item
    how = "greedy" if arguments.beams == 1 else f"{arguments.beams} beams"
    other = Path(arguments.quantised_against).name if arguments.quantised_against else ""
    report = Report(pack.name, how, tuple(sets), other, tuple(against), naming)
    if arguments.json:
        yield json.dumps(as_json(report), ensure_ascii=False)
    else:
        yield as_markdown(report, arguments.examples, arguments.list)


def _measure(
    pack: Pack,
    folders: tuple[Path, ...],
    labelled: Path | None,
    arguments: argparse.Namespace,
    cancel: Cancel,
) -> Iterator[Progress | Evaluation | tuple[Naming, ...]]:
    from engine.runtime.image_model import open_image_model  # ONNX Runtime: after the arguments are known

    options = CaptionOptions(beams=arguments.beams, max_new_tokens=MAX_NEW_TOKENS)
    chosen = [
        (folder, photos_of(folder, arguments.split if folder == arguments.data else "dev", arguments.limit))
        for folder in folders
    ]
    with closing(open_image_model(pack, "cpu", arguments.threads)) as model:

        def caption(pixels: NDArray[np.uint8]) -> Caption:
            return model.caption(pixels, options, cancel)

        for folder, photos in chosen:
            yield from evaluate(caption, folder, photos)
        if labelled is not None:
            yield from evaluate_naming(caption, labelled, arguments.limit)


def _pack(name: str | None) -> Pack:
    folder = Path(name or "")
    pack = read_pack(folder) if name and folder.is_dir() else Store.default().choose(name, kind="image")
    require_kind(pack, "image")
    return pack


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)
