"""``pollux bench`` and ``pollux selftest``.

In: arguments. Out: figures and findings, for people or as JSON.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from dataclasses import asdict, dataclass

from engine.bench import BenchResult, bench
from engine.cli.chat import add_model_arguments, finished_record, open_model
from engine.cli.console import Console, size_text
from engine.cli.interrupts import cancelled_by_ctrl_c
from engine.packs import Pack
from engine.results import Described, Finished
from engine.selftest import EXPECTED, QUESTION, SPOKEN, Heard, SelfTestResult, run_selftest
from engine.store import Store


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """What is measured."""
    add_model_arguments(parser)
    parser.add_argument("--prompt-tokens", type=_count, default=503, metavar="N", help="(default: 503)")
    parser.add_argument("--new-tokens", type=_count, default=128, metavar="N", help="(default: 128)")
    parser.add_argument("--runs", type=_count, default=5, metavar="N", help="(default: 5)")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run_bench(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command."""
    with closing(open_model(arguments, console, store)) as model, cancelled_by_ctrl_c() as cancel:
        for item in bench(model, cancel, arguments.prompt_tokens, arguments.new_tokens, arguments.runs):
            if not isinstance(item, BenchResult):
                console.progress(item)
            elif console.as_json:
                console.record(asdict(item))
                return 0
            else:
                _show(item, console)
                return 0
    console.note("Stopped.")
    return 130


def add_selftest_arguments(parser: argparse.ArgumentParser) -> None:
    """What is tested."""
    add_model_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run_selftest_command(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command; 1 if the answer, what was heard or what was seen is wrong, or anything wanted a connection."""
    packs = _packs(store, arguments.model)
    result = run_selftest(packs.chat, packs.speech, packs.image, arguments.device, arguments.threads)
    if console.as_json:
        console.record(_selftest_record(result))
        return 0 if result.passed else 1
    if result.answer is not None:
        _show_answer(result.answer, console)
    if result.heard is not None:
        _show_heard(result.heard, console)
    if result.seen is not None:
        _show_seen(result.seen, console)
    for attempt in result.connections:
        console.text(f"Something wanted the network: {attempt}")
    if not result.answered:
        console.text(f"The answer should name {EXPECTED}.")
    if not result.understood:
        console.text(f'"{SPOKEN}" is said in the sample, and should have been heard.')
    if not result.described:
        console.text("A picture should have been described.")
    console.text("The self-test passed." if result.passed else "The self-test FAILED.")
    return 0 if result.passed else 1


@dataclass(frozen=True)
class _Packs:
    """What is tested; None where there is no such pack."""

    chat: Pack | None = None
    speech: Pack | None = None
    image: Pack | None = None


def _packs(store: Store, name: str | None) -> _Packs:
    """The named pack alone, or the best of each kind that is there."""
    if name is None:
        packs = _Packs(store.best(), store.best(kind="speech"), store.best(kind="image"))
        return packs if packs != _Packs() else _Packs(store.choose(None))  # which says that there is none
    pack = store.get(name)
    if pack.kind == "image":
        return _Packs(image=pack)
    return _Packs(speech=pack) if pack.kind == "speech" else _Packs(pack)


def _selftest_record(result: SelfTestResult) -> dict[str, object]:
    record: dict[str, object] = {"passed": result.passed, "connections": list(result.connections)}
    if result.answer is not None:
        record |= finished_record(result.answer)
    if result.heard is not None:
        end = result.heard.end
        record["speech"] = {
            "text": result.heard.text,
            "model": end.model,
            "provider": end.provider,
            "audio_s": round(end.audio_s, 3),
            "wall_s": round(end.wall_s, 3),
        }
    if result.seen is not None:
        seen = result.seen
        record["image"] = {
            "text": seen.text,
            "model": seen.model,
            "provider": seen.provider,
            "wall_s": round(seen.wall_s, 3),
        }
    return record


def _show_answer(answer: Finished, console: Console) -> None:
    console.text(f"{QUESTION} {answer.text.strip()}")
    console.text(
        f"{answer.model} on {answer.provider}: {answer.new_tokens} tokens, "
        f"{answer.decode_tokens_per_s:.0f} a second, first after {answer.first_token_s * 1000:.0f} ms"
    )


def _show_heard(heard: Heard, console: Console) -> None:
    end = heard.end
    console.text(f"Heard: {heard.text}")
    console.text(f"{end.model} on {end.provider}: {end.audio_s:.1f} s of sound in {end.wall_s:.1f} s")


def _show_seen(seen: Described, console: Console) -> None:
    console.text(f"Saw: {seen.text}")
    console.text(f"{seen.model} on {seen.provider}: a picture in {seen.wall_s:.2f} s")


def _show(result: BenchResult, console: Console) -> None:
    console.text(f"{result.model} on {result.provider}, medians of {result.runs} runs")
    console.text(
        f"  reading  {result.prefill_tokens_per_s:8.1f} tokens/s  ({result.prompt_tokens} in {result.prefill_s:.2f} s)"
    )
    console.text(
        f"  writing  {result.decode_tokens_per_s:8.1f} tokens/s  ({result.new_tokens} in {result.decode_s:.2f} s)"
    )
    console.text(
        f"  first token after {result.short_first_token_s * 1000:.0f} ms "
        f"({result.short_prompt_tokens} tokens), {result.first_token_s * 1000:.0f} ms ({result.prompt_tokens})"
    )
    console.text(f"  peak memory {size_text(result.peak_memory_bytes)}")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
