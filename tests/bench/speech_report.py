"""What the speech bench found, as Markdown for README, as JSON, and every text.

In: runners that have measured. Out: text. Ratios and differences are to the first peer.
"""

from __future__ import annotations

import json
import platform
import random
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.error_rate import Errors
from tests.bench.speech_runner import Runner

SPEEDS = ("60 s", "short", "11 s")
RESAMPLES = 2000


def base_of(runners: list[Runner]) -> Runner:
    """The engine that the others are compared with."""
    return next((runner for runner in runners if runner.engine != "pollux"), runners[0])


def as_row(runner: Runner, runners: list[Runner]) -> dict[str, Any]:
    """Everything that was measured of one engine; what was not is absent."""
    row: dict[str, Any] = {"label": runner.label, "load_s": statistics.median(runner.load_s)}
    if runner.wall_s:
        row["wall_s"] = {name: statistics.median(values) for name, values in runner.wall_s.items()}
        row["peak_bytes"] = runner.peak_bytes
    if runner.heard:
        row["errors"] = _error_rows(runner, base_of(runners))
        row["languages_right"] = sum(
            answer.language == clip.language for clip, answer in runner.heard.items()
        )
    if runner.cut_errors_s:
        row["words_median_s"] = {name: statistics.median(v) for name, v in runner.cut_errors_s.items() if v}
        row["words_count"] = {name: len(values) for name, values in runner.cut_errors_s.items()}
    if runner.long:
        row["long"] = runner.long
    if runner.invented:
        row["invented"] = runner.invented
    return row


def as_markdown(runners: list[Runner], threads: int, rounds: int) -> str:
    """The tables, one for each part that was measured."""
    base = base_of(runners)
    blocks = [f"{platform.machine()}, {threads} threads; ratios and differences to {base.label}."]
    if base.wall_s:
        blocks.append(f"Medians of {rounds} rounds:\n\n" + _speed_table(runners, base))
    if base.heard:
        blocks.append(
            "Errors in per cent of words (ko, zh: of characters), with the difference in points and its 95 % interval "
            "over utterances:\n\n" + _error_table(runners, base)
        )
    if base.cut_errors_s:
        blocks.append(
            "Median distance of words from known cut points, and from the peer's:\n\n" + _word_table(runners)
        )
    if base.long:
        blocks.append(_long_table(runners))
    if base.invented:
        blocks.append("Characters of text made of recordings without speech:\n\n" + _invented_table(runners))
    return "\n\n".join(blocks)


def write_texts(runners: list[Runner], path: Path) -> None:
    """Every clip with its reference, and each engine's text and errors; the clips that ours does worst on first."""
    rows = []
    by_label = {runner.label: dict(_flat(runner)) for runner in runners}
    for clip in runners[0].heard:
        row: dict[str, Any] = {"file": clip.file.name, "language": clip.language, "reference": clip.text}
        for runner in runners:
            found = by_label[runner.label][clip]
            row[runner.label] = {
                "errors": found.total,
                "of": found.reference,
                "text": runner.heard[clip].text,
            }
        rows.append(row)
    first, base = runners[0].label, base_of(runners).label
    rows.sort(key=lambda row: row[base]["errors"] - row[first]["errors"])
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1), "utf-8")


def _flat(runner: Runner) -> Iterable[tuple[Any, Errors]]:
    for pairs in runner.errors_by_language().values():
        yield from pairs


def _speed_table(runners: list[Runner], base: Runner) -> str:
    rows = []
    for runner in runners:
        cells = [runner.label, f"{statistics.median(runner.load_s):.2f} s"]
        for name in SPEEDS:
            mine, theirs = statistics.median(runner.wall_s[name]), statistics.median(base.wall_s[name])
            cells.append(f"{mine:.2f} s ({theirs / mine:.2f}x)")
        rows.append([*cells, f"{runner.peak_bytes / 1e6:.0f} MB"])
    return _table(["", "load", "60 s of speech", "clips of 3-10 s, each", "11 s clip", "peak memory"], rows)


def _error_table(runners: list[Runner], base: Runner) -> str:
    languages = list(runners[0].errors_by_language())
    sizes = [sum(found.reference for _, found in base.errors_by_language()[name]) for name in languages]
    rows = []
    for runner in runners:
        cells = [runner.label]
        for found in _error_rows(runner, base).values():
            cell = f"{found['percent']:.2f}"
            if runner is not base:
                low, high = found["interval"]
                cell += f" ({found['difference']:+.2f}; {low:+.1f} to {high:+.1f})"
            cells.append(cell)
        rows.append(cells)
    return _table(["", *(f"{name} ({size})" for name, size in zip(languages, sizes, strict=True))], rows)


def _error_rows(runner: Runner, base: Runner) -> dict[str, dict[str, Any]]:
    mine, theirs = runner.errors_by_language(), base.errors_by_language()
    rows = {}
    for language, pairs in mine.items():
        own = [found for _, found in pairs]
        other = [found for _, found in theirs[language]]
        total = sum(own, Errors())
        rows[language] = {
            "percent": 100 * total.rate,
            "substitutions": total.substitutions,
            "deletions": total.deletions,
            "insertions": total.insertions,
            "reference": total.reference,
            "difference": 100 * (total.rate - sum(other, Errors()).rate),
            "interval": _interval(own, other),
        }
    return rows


def _interval(own: list[Errors], other: list[Errors]) -> tuple[float, float]:
    """95 % of the difference in points, utterances drawn again with replacement (paired bootstrap)."""
    generator = random.Random(0)
    found = []
    for _ in range(RESAMPLES):
        drawn = generator.choices(range(len(own)), k=len(own))
        reference = sum(own[index].reference for index in drawn)
        found.append(100 * sum(own[index].total - other[index].total for index in drawn) / max(reference, 1))
    found.sort()
    return found[round(0.025 * RESAMPLES)], found[round(0.975 * RESAMPLES) - 1]


def _word_table(runners: list[Runner]) -> str:
    names = list(runners[0].cut_errors_s)
    rows = []
    for runner in runners:
        cells = [runner.label]
        for name in names:
            values = runner.cut_errors_s[name]
            cells.append(
                f"{1e3 * statistics.median(values):.0f} ms ({len(values)})" if values else "no words"
            )
        rows.append(cells)
    return _table(["", *names], rows)


def _long_table(runners: list[Runner]) -> str:
    head = ["", "real-time factor, 10 min", "60 min", "peak memory, 10 min", "60 min",
            "errors in the first 10 of 60 min", "in the last 10"]  # fmt: skip
    rows = []
    for runner in runners:
        long = runner.long
        cells = [f"{long[f'{minutes} min rtf']:.4f}" for minutes in (10, 60)]
        cells += [f"{long[f'{minutes} min peak_bytes'] / 1e6:.0f} MB" for minutes in (10, 60)]
        cells += [f"{100 * long[f'60 min {place} error rate']:.1f} %" for place in ("first", "last")]
        rows.append([runner.label, *cells])
    return _table(head, rows)


def _invented_table(runners: list[Runner]) -> str:
    rows = [[name, *(str(len(runner.invented[name])) for runner in runners)] for name in runners[0].invented]
    return _table(["", *(runner.label for runner in runners)], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
