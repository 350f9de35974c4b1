"""What the image bench says: Markdown tables, or JSON.

In: runners that have measured. Out: text. Ratios above 1 are faster than the peer.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.bench.images_runner import Runner

EDGE = 100  # pictures at the beginning and at the end of a batch whose memory is compared


def as_markdown(
    describers: Sequence[Runner], writers: Sequence[Runner], pictures: str, tokens: Sequence[int]
) -> str:
    """All tables that there are figures for."""
    blocks = []
    if any(runner.wall_s for runner in describers):
        blocks.append(f"From file to description, {pictures}:\n\n{_describe_table(describers)}")
    if any(runner.batch for runner in describers):
        blocks.append(f"A folder at once:\n\n{_batch_table(describers)}")
    if writers:
        blocks.append(
            "The same random weights in the layout of SmolVLM-256M, a picture in one tile, greedy (the peer last; times are "
            f"medians, in brackets how many times as fast as the peer):\n\n{_write_table(writers, tokens)}"
        )
    return "\n\n".join(blocks)


def as_rows(
    describers: Sequence[Runner], writers: Sequence[Runner], tokens: Sequence[int]
) -> list[dict[str, Any]]:
    """One object an engine; seconds, bytes."""
    rows = []
    for runner in describers:
        row: dict[str, Any] = {
            "label": runner.label,
            "size_bytes": runner.size_bytes,
            "load_s": runner.load_s,
        }
        for mode in runner.wall_s:
            row[mode] = {
                "sentence_median_s": statistics.median(runner.sentence_s[mode]),
                "sentence_p95_s": _p95(runner.sentence_s[mode]),
                "median_s": statistics.median(runner.wall_s[mode]),
                "p95_s": _p95(runner.wall_s[mode]),
            }
        row["peak_bytes"] = runner.peak_bytes
        if runner.batch:
            first, last, most = _edges(runner)
            row["batch"] = {
                "pictures": len(runner.batch["memory_bytes"]),
                "failed": runner.batch["failed"],
                "wall_s": runner.batch["wall_s"],
                "first_bytes": first,
                "last_bytes": last,
                "peak_bytes": most,
            }
        rows.append(row)
    for runner in writers:
        times = {f"{count}_tokens_s": statistics.median(runner.write_s[count]) for count in tokens}
        rows.append(
            {"label": runner.label, **times, "peak_bytes": runner.peak_bytes, "size_bytes": runner.size_bytes}
        )
    return rows


def _describe_table(runners: Sequence[Runner]) -> str:
    head = ["", "size", "load", "", "sentence, median", "95 %", "all findings, median", "95 %", "peak memory"]
    rows = []
    for runner in runners:
        for mode in runner.wall_s:
            sentence, wall = runner.sentence_s[mode], runner.wall_s[mode]
            cells = [runner.label, _mb(runner.size_bytes), f"{runner.load_s:.2f} s", mode]
            for times in (sentence, wall):
                cells += [f"{statistics.median(times):.2f} s", f"{_p95(times):.2f} s"]
            rows.append([*cells, _mb(runner.peak_bytes)])
    return table(head, rows)


def _batch_table(runners: Sequence[Runner]) -> str:
    head = ["", "pictures", "failed", "a picture", f"most memory, first {EDGE}", f"last {EDGE}", "of all"]
    rows = []
    for runner in runners:
        if not runner.batch:
            continue
        first, last, most = _edges(runner)
        count = len(runner.batch["memory_bytes"])
        each = f"{runner.batch['wall_s'] / count:.2f} s"
        rows.append(
            [runner.label, str(count), str(runner.batch["failed"]), each, _mb(first), _mb(last), _mb(most)]
        )
    return table(head, rows)


def _write_table(runners: Sequence[Runner], tokens: Sequence[int]) -> str:
    base = runners[-1]
    few, many = tokens
    rows = []
    for runner in runners:
        cells = [runner.label, _mb(runner.size_bytes)]
        for count in tokens:
            cells.append(_beside(runner.write_s[count], base.write_s[count]))
        each = [_each(item, few, many) for item in (runner, base)]
        cells.append(f"{1e3 * each[0]:.0f} ms ({each[1] / each[0]:.2f}x)")
        rows.append([*cells, _mb(runner.peak_bytes)])
    return table(["", "size", f"{few} token", f"{many} tokens", "each further token", "peak memory"], rows)


def table(head: list[str], rows: list[list[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _each(runner: Runner, few: int, many: int) -> float:
    """Seconds for one more token."""
    least, most = (statistics.median(runner.write_s[count]) for count in (few, many))
    return max(most - least, 1e-6) / (many - few)


def _beside(mine: list[float], theirs: list[float]) -> str:
    return f"{statistics.median(mine):.2f} s ({statistics.median(theirs) / statistics.median(mine):.2f}x)"


def _edges(runner: Runner) -> tuple[int, int, int]:
    most = runner.batch["memory_bytes"]
    return max(most[:EDGE]), max(most[-EDGE:]), max(most)


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


def _mb(count: int) -> str:
    return f"{count / 1e6:.0f} MB"
