"""How fast pictures are described, in how much memory; and a vision-language model beside transformers on the same weights.

In: packs, pictures (made here; ``--data`` for real ones). Out: Markdown tables (what README shows), or JSON. Ours is measured
from the file to the sentence and to the last finding, with and without the text in the picture being read, through the
task that the app uses. The peer cannot run our captioner; it runs a model of SmolVLM's exact layout with random weights,
and so does ours: how good its words are says nothing, how fast they come does. Engines take turns picture by picture, so that
a machine that slows down slows all of them.

Run from the checkout: ``python3 dev.py bench images`` makes the models, and calls this.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench import images_report
from tests.bench.images_pictures import pictures, repeated
from tests.bench.images_runner import Runner

WARM_UPS = 3
WRITE_PICTURES = 3
WRITE_TOKENS = (1, 33)
MODES = {"no OCR": False, "OCR": True}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    arguments = _arguments(argv)
    describers = [_ours(label, path, arguments) for label, path in arguments.pack]
    writers = [_ours(label, path, arguments) for label, path in arguments.vlm]
    for label, python, model in arguments.peer:
        writers.append(Runner(label, "transformers", Path(python), Path(model), arguments.threads))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        most = max(arguments.pictures, arguments.batch) if arguments.data else arguments.pictures
        found = pictures(arguments.data, folder, most)
        files = found[: arguments.pictures]
        _say(f"{len(files)} pictures")
        for runners, measure in ((describers, _describe), (writers, _write)):
            try:
                for runner in runners:
                    runner.start()
                measure(runners, files, arguments.rounds)
            finally:
                for runner in runners:
                    runner.stop()
        if arguments.batch:
            many = repeated(found, folder / "many", arguments.batch)
            for runner in describers:
                _batch(runner, many)
    if arguments.texts:
        lines = [
            f"{path.name}\t{text}"
            for runner in describers
            for path, text in zip(files, runner.texts, strict=True)
        ]
        arguments.texts.write_text("\n".join(lines), "utf-8")
    if arguments.json:
        for row in images_report.as_rows(describers, writers, WRITE_TOKENS):
            print(json.dumps(row, ensure_ascii=False))
    else:
        source = f"of {arguments.data.name}" if arguments.data else "of up to 4,000 pixels"
        what = f"{len(files)} pictures {source}, {arguments.threads} threads"
        print(images_report.as_markdown(describers, writers, what, WRITE_TOKENS))
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pack", nargs=2, action="append", default=[], metavar=("LABEL", "FOLDER"))
    parser.add_argument(
        "--vlm", nargs=2, action="append", default=[], metavar=("LABEL", "FOLDER"), help="beside the peer"
    )
    parser.add_argument(
        "--peer",
        nargs=3,
        action="append",
        default=[],
        metavar=("LABEL", "PYTHON", "MODEL"),
        help="transformers",
    )
    parser.add_argument("--data", type=Path, help="a folder of pictures, or of tar files with pictures")
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--batch", type=int, default=1000, help="pictures in the batch; 0: no batch")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--texts", type=Path, help="write what was said of each picture there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    if not (arguments.pack or arguments.vlm or arguments.peer):
        parser.error("give a --pack, or a --vlm and a --peer")
    if arguments.data is not None and not arguments.data.is_dir():
        parser.error(f"{arguments.data} is no folder")
    return arguments


def _ours(label: str, path: str, arguments: argparse.Namespace) -> Runner:
    return Runner(label, "pollux", Path(sys.executable), Path(path), arguments.threads)


def _describe(runners: list[Runner], files: list[Path], rounds: int) -> None:
    for runner in runners:
        for file in files[:WARM_UPS]:  # the first run of a session is never typical
            runner.ask("describe", file=str(file), read_text=True)
    for number in range(rounds):
        for file in files:
            for runner in runners:
                said = ""
                for mode, read_text in MODES.items():
                    found = runner.ask("describe", file=str(file), read_text=read_text)
                    said = found["text"]
                    runner.sentence_s.setdefault(mode, []).append(found["sentence_s"])
                    runner.wall_s.setdefault(mode, []).append(found["wall_s"])
                if number == 0:
                    runner.texts.append(said)
        if runners:
            _say(f"round {number + 1} of {rounds}")
    for runner in runners:
        runner.peak_bytes = int(runner.ask("memory")["peak_bytes"])


def _write(runners: list[Runner], files: list[Path], rounds: int) -> None:
    """Each picture is shown once: ours remembers the last ones that it saw, and would not look again."""
    unseen = iter(files)
    if runners and len(files) < rounds * WRITE_PICTURES * len(WRITE_TOKENS) + 1:
        raise SystemExit("The comparison with the peer needs more --pictures, or fewer --rounds.")
    warm_up = next(unseen, None)
    for runner in runners:
        runner.ask("write", file=str(warm_up), tokens=2)
    for _ in range(rounds * WRITE_PICTURES if runners else 0):
        for tokens in WRITE_TOKENS:
            file = next(unseen)
            for runner in runners:
                found = runner.ask("write", file=str(file), tokens=tokens)
                if found["whole"]:
                    runner.write_s.setdefault(tokens, []).append(found["wall_s"])
                else:
                    _say(f"{runner.label} ended early: {file.name} is left out")
    for runner in runners:
        runner.peak_bytes = int(runner.ask("memory")["peak_bytes"])


def _batch(runner: Runner, files: list[Path]) -> None:
    """In a process of its own, whose memory nothing else has touched."""
    try:
        runner.start()
        runner.batch = runner.ask("batch", files=[str(path) for path in files], read_text=True)
        _say(f"{len(files)} pictures in one batch")
    finally:
        runner.stop()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
