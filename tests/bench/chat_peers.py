"""Pollux beside llama.cpp and ONNX Runtime GenAI: speed, perplexity and size, in one run.

In: packs, and the peers' models and Python environments where they are there. Out: a Markdown table with ratios
(what README shows), or JSON. All engines are loaded at once and take turns round by round, so that a machine
that slows down slows all of them; each figure is the median of the rounds.

Run from the checkout: ``python3 dev.py bench`` makes the peers' environment and models, and calls this.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
PROMPT_TOKENS = 503


@dataclass
class Runner:
    """One engine's process and what it measured."""

    label: str
    engine: str
    python: Path
    model: Path
    process: subprocess.Popen[str] | None = None
    prefill_s: list[float] = field(default_factory=list)
    decode_s: list[float] = field(default_factory=list)
    first_token_s: list[float] = field(default_factory=list)
    perplexity: float = 0.0
    peak_bytes: int = 0

    def start(self, ids_file: Path, threads: int) -> None:
        worker = Path(__file__).with_name("chat_worker.py")
        command = [str(self.python), str(worker), self.engine, str(self.model), str(ids_file), str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def ask(self, command: str) -> dict[str, Any]:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        raise SystemExit(f"{self.label} ended: {' '.join(map(str, self.process.args))}")  # type: ignore[arg-type]

    @property
    def size_bytes(self) -> int:
        files = [self.model] if self.model.is_file() else list(self.model.iterdir())
        return sum(path.stat().st_size for path in files)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    arguments = _arguments(argv)
    runners = [Runner(label, "pollux", Path(sys.executable), path) for label, path in arguments.pack]
    for label, engine, python, model in arguments.peer:
        runners.append(Runner(label, engine, Path(python), Path(model)))
    tokenizer = Tokenizer.from_file(str(runners[0].model / "tokenizer.json"))
    text = (ROOT / "resources/samples/perplexity_en.txt").read_text("utf-8")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    with tempfile.TemporaryDirectory() as folder:
        ids_file = Path(folder) / "ids.json"
        content = {"prompt": ids[:PROMPT_TOKENS], "text": ids, "new_tokens": arguments.new_tokens}
        ids_file.write_text(json.dumps(content), "utf-8")
        try:
            for runner in runners:
                runner.start(ids_file, arguments.threads)
            _measure(runners, arguments.rounds)
        finally:
            for runner in runners:
                runner.stop()
    _print(runners, arguments)
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pack", nargs=2, action="append", required=True, metavar=("LABEL", "FOLDER"))
    parser.add_argument(
        "--peer", nargs=4, action="append", default=[], metavar=("LABEL", "ENGINE", "PYTHON", "MODEL")
    )
    parser.add_argument("--reference-perplexity", type=float, default=0.0, help="of the checkpoint in fp32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    arguments.pack = [(label, Path(folder)) for label, folder in arguments.pack]
    return arguments


def _measure(runners: list[Runner], rounds: int) -> None:
    for number in range(rounds):
        for runner in runners:
            found = runner.ask("speed")
            runner.prefill_s.append(found["prefill_s"])
            runner.decode_s.append(found["decode_s"])
            runner.first_token_s.append(runner.ask("first_token")["first_token_s"])
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    for runner in runners:
        runner.peak_bytes = int(runner.ask("memory")["peak_bytes"])
        runner.perplexity = runner.ask("perplexity")["perplexity"]


def _print(runners: list[Runner], arguments: argparse.Namespace) -> None:
    rows = []
    for runner in runners:
        rows.append(
            {
                "label": runner.label,
                "prefill_tokens_per_s": PROMPT_TOKENS / statistics.median(runner.prefill_s),
                "decode_tokens_per_s": (arguments.new_tokens - 1) / statistics.median(runner.decode_s),
                "first_token_20_s": statistics.median(runner.first_token_s),
                "perplexity": runner.perplexity,
                "size_bytes": runner.size_bytes,
                "peak_bytes": runner.peak_bytes,
            }
        )
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
        return
    base = next(
        (row for row, runner in zip(rows, runners, strict=True) if runner.engine == "llama.cpp"), rows[-1]
    )
    reference = arguments.reference_perplexity or rows[0]["perplexity"]
    print(
        f"{platform.machine()}, {arguments.threads} threads, prompt of {PROMPT_TOKENS} tokens, "
        f"{arguments.new_tokens} new ones, greedy; medians of {arguments.rounds} rounds; "
        f"ratios to {base['label']}, of perplexity to the checkpoint in fp32 ({reference:.2f}).\n"
    )
    print(
        "| | prefill tok/s | decode tok/s | first token, 20-token prompt | perplexity | size | peak memory |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        prefill, decode = row["prefill_tokens_per_s"], row["decode_tokens_per_s"]
        print(
            f"| {row['label']} | {prefill:.0f} ({prefill / base['prefill_tokens_per_s']:.2f}x) "
            f"| {decode:.1f} ({decode / base['decode_tokens_per_s']:.2f}x) | {row['first_token_20_s'] * 1e3:.0f} ms "
            f"| {row['perplexity']:.2f} ({row['perplexity'] / reference:.3f}x) | {row['size_bytes'] / 1e6:.0f} MB "
            f"| {row['peak_bytes'] / 1e6:.0f} MB |"
        )


if __name__ == "__main__":
    sys.exit(main())
