"""Draws the course of a run: a small SVG file, written by hand.

In: the log, one JSON object a line. Out: the loss of every step, smoothed, the loss on the dev split, and CIDEr-D.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_WIDTH, _HEIGHT, _MARGIN = 760, 240, 46  # pixels of one chart
_SMOOTH = 25  # steps

Points = Sequence[tuple[float, float]]


def draw(log: Path, target: Path) -> None:
    """Read ``log`` and write ``target``; a chart without points is left out."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    entropy = [line for line in lines if line["phase"] == "cross-entropy"]
    critical = [line for line in lines if line["phase"] == "self-critical"]
    charts = [
        (
            "Cross-entropy (line: training, smoothed; dots: dev split)",
            smooth([(line["step"], line["loss"]) for line in entropy if "loss" in line]),
            [(line["step"], line["dev_loss"]) for line in entropy if "dev_loss" in line],
        ),
        (
            "CIDEr-D (line: drawn captions, smoothed; dots: dev split, greedy)",
            smooth([(line["step"], line["reward"]) for line in critical if "reward" in line]),
            [(line["step"], line["cider"]) for line in critical if "cider" in line],
        ),
    ]
    charts = [chart for chart in charts if chart[1] or chart[2]]
    height = _HEIGHT * max(1, len(charts))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, (title, line, dots) in enumerate(charts):
        parts.append(f'<g transform="translate(0 {place * _HEIGHT})">{_chart(title, line, dots)}</g>')
    target.write_text("\n".join([*parts, "</svg>", ""]), "utf-8")


def smooth(points: Points) -> list[tuple[float, float]]:
    """The mean of each point and those shortly before it."""
    values = [value for _, value in points]
    return [
        (step, sum(values[max(0, i - _SMOOTH + 1) : i + 1]) / min(i + 1, _SMOOTH))
        for i, (step, _) in enumerate(points)
    ]


def _chart(title: str, line: Points, dots: Points) -> str:
    everything = [*line, *dots]
    last = max(*(step for step, _ in everything), 1)
    low, high = min(value for _, value in everything), max(value for _, value in everything)
    span = (high - low) or 1.0

    def place(step: float, value: float) -> tuple[float, float]:
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * step / last
        y = _HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * (value - low) / span
        return round(x, 1), round(y, 1)

    path = " ".join(f"{x},{y}" for x, y in (place(*point) for point in line))
    marks = "".join(
        f'<circle cx="{x}" cy="{y}" r="3.5" fill="#b4551d"><title>{value:.3f}</title></circle>'
        for (x, y), value in ((place(*point), point[1]) for point in dots)
    )
    left, right, top, bottom = _MARGIN, _WIDTH - _MARGIN, _MARGIN, _HEIGHT - _MARGIN
    return (
        f'<text x="{left}" y="24" fill="#222222">{title}</text>'
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#888888"/>'
        f'<text x="{left - 6}" y="{top + 4}" text-anchor="end" fill="#444444">{high:.2f}</text>'
        f'<text x="{left - 6}" y="{bottom + 4}" text-anchor="end" fill="#444444">{low:.2f}</text>'
        f'<text x="{right}" y="{bottom + 18}" text-anchor="end" fill="#444444">step {last:.0f}</text>'
        f'<polyline points="{path}" fill="none" stroke="#2a5db0" stroke-width="1.6"/>{marks}'
    )
