"""``python -m export train captioner``: which photos, where to, and how long.

In: arguments. Out: progress, and the folder of the trained weights. torch is imported only when all arguments are right.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.folders import cache_folder
from engine.results import Progress
from export.train.settings import Settings


def add_train(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's arguments."""
    usual = Settings(Path(), None, Path(), Path())
    parent = commands.add_parser("train", help="make the weights of a model that Pollux trains itself")
    parser = parent.add_subparsers(required=True).add_parser(
        "captioner", help="from photos and their captions"
    )
    parser.add_argument("--data", type=Path, required=True, help="photos with captions.jsonl, as Flickr8k")
    parser.add_argument(
        "--labelled", type=Path, help="photos with labels.jsonl; the folder beside the data if not given"
    )
    parser.add_argument("--out", type=Path, default=Path("captioner-run"), help="a folder for the run")
    parser.add_argument(
        "--cache", type=Path, help="where the photos' features are kept; a cache folder if not given"
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--epochs", type=float, default=usual.epochs, help="passes over the photos")
    parser.add_argument("--steps", type=int, help="so many steps instead")
    parser.add_argument("--critical-steps", type=int, default=usual.critical_steps, help="self-critical ones")
    parser.add_argument("--photos", type=int, default=usual.photos, help="in a step")
    parser.add_argument("--variants", type=int, default=usual.variants, help="of each photo; 1 is no crops")
    parser.add_argument("--dropout", type=float, default=usual.dropout)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of this process")
    parser.set_defaults(run=_run, progress="text")


def _run(arguments: argparse.Namespace, cancel: Cancel) -> Iterator[Progress | Path]:
    del cancel  # Ctrl+C ends a run between two steps; the checkpoint is whole at any time
    for name in ("epochs", "photos", "variants", "threads"):
        if getattr(arguments, name) <= 0:
            raise EngineError("--{name} must be more than 0.", "", name=name)
    if not (arguments.data / "captions.jsonl").is_file():
        raise EngineError(
            "There is no captions.jsonl in {folder}.", "Name the folder of Flickr8k.", folder=arguments.data
        )
    labelled = arguments.labelled
    beside = arguments.data.absolute().parent / "labelled"
    if labelled is None and (beside / "labels.jsonl").is_file():
        labelled = beside
    settings = Settings(
        data=arguments.data,
        labelled=labelled,
        out=arguments.out,
        cache=arguments.cache or cache_folder() / "features",
        seed=arguments.seed,
        epochs=arguments.epochs,
        steps=arguments.steps,
        photos=arguments.photos,
        variants=arguments.variants,
        dropout=arguments.dropout,
        critical_steps=arguments.critical_steps,
    )
    import torch

    from export.train.captioner import train

    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(max(1, arguments.threads // processes))
    yield from train(settings, resume=arguments.resume)
