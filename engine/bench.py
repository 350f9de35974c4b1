"""What ``pollux bench`` measures: how fast a pack reads and writes on this machine.

In: a loaded model. Out: :class:`BenchResult`, medians over several runs. Greedy; each run begins with another
token, so that nothing is remembered from the run before.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psutil

from engine.cancel import Cancel
from engine.results import Finished, Progress
from engine.tasks.chat import GREEDY

if TYPE_CHECKING:
    from engine.runtime.language_model import LanguageModel

TEXT = (
    "It was the hour before sunrise, and the harbour was still. Two fishermen sat on the wall and mended "
    "their nets, talking of the weather, of the price of herring, and of the stranger who had come with the "
    "evening boat. He carried one small bag, paid for a week, and asked where the old lighthouse was. "
)


@dataclass(frozen=True)
class BenchResult:
    """Medians over ``runs``; times in seconds, speeds in tokens a second."""

    model: str
    provider: str
    runs: int
    prompt_tokens: int
    new_tokens: int
    prefill_s: float
    prefill_tokens_per_s: float
    decode_s: float
    decode_tokens_per_s: float
    first_token_s: float
    short_prompt_tokens: int
    short_first_token_s: float
    peak_memory_bytes: int


def bench(
    model: LanguageModel, cancel: Cancel, prompt_tokens: int = 503, new_tokens: int = 128, runs: int = 5
) -> Iterator[Progress | BenchResult]:
    """Measure; the last item is the result, unless cancelled."""
    room = model.context_limit_tokens
    new_tokens = min(new_tokens, max(1, room // 4))
    prompt_tokens = min(prompt_tokens, room - new_tokens)
    long, short = prompt(model, prompt_tokens, 0), prompt(model, min(20, prompt_tokens), 0)
    _finish(model, short, 4, cancel)  # the first run of a session is never typical
    results: list[Finished] = []
    quick: list[float] = []
    for run in range(runs):
        yield Progress("check", run, runs, "steps")
        results.append(_finish(model, _turned(long, run), new_tokens, cancel))
        quick.append(_finish(model, _turned(short, run + 1), 1, cancel).first_token_s)
        if cancel.is_set:
            return
    yield Progress("check", runs, runs, "steps")

    prefill_s = statistics.median(result.prefill_s for result in results)
    yield BenchResult(
        model=results[0].model,
        provider=results[0].provider,
        runs=runs,
        prompt_tokens=len(long),
        new_tokens=round(statistics.median(result.new_tokens for result in results)),
        prefill_s=prefill_s,
        prefill_tokens_per_s=len(long) / prefill_s if prefill_s > 0 else 0.0,
        decode_s=statistics.median(result.decode_s for result in results),
        decode_tokens_per_s=statistics.median(result.decode_tokens_per_s for result in results),
        first_token_s=statistics.median(result.first_token_s for result in results),
        short_prompt_tokens=len(short),
        short_first_token_s=statistics.median(quick),
        peak_memory_bytes=peak_memory_bytes(),
    )


def prompt(model: LanguageModel, tokens: int, start: int) -> list[int]:
    """So many ids of running text."""
    ids = model.tokenizer.encode(TEXT)
    return [ids[(start + at) % len(ids)] for at in range(tokens)]


def peak_memory_bytes() -> int:
    """The most memory that this process has had."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _turned(ids: list[int], by: int) -> list[int]:
    """The same ids from another beginning: as much work, and nothing that was read before."""
    by %= len(ids)
    return ids[by:] + ids[:by]


def _finish(model: LanguageModel, ids: list[int], new_tokens: int, cancel: Cancel) -> Finished:
    options = replace(GREEDY, max_new_tokens=new_tokens)
    finished = [item for item in model.generate(ids, options, cancel) if isinstance(item, Finished)]
    return finished[-1]
