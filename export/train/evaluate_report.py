"""What ``python -m export evaluate captioner`` says: Markdown for people, JSON for programs.

In: evaluations. Out: text. Examples are spread over the set, never chosen by how good they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from export.train.evaluate import Evaluation, Figures, Naming
from export.train.metrics_meteor import HOW_TO_GET

QUANTISED_LOSS = 0.02  # of CIDEr-D, that a quantised pack may cost
MISSED_SHOWN = 10


@dataclass(frozen=True)
class Report:
    """All that was measured of a pack. ``against`` is the same sets by the pack it is compared with."""

    pack: str
    how: str
    sets: tuple[Evaluation, ...]
    against_pack: str = ""
    against: tuple[Evaluation, ...] = ()
    naming: tuple[Naming, ...] = ()


def as_json(report: Report) -> dict[str, Any]:
    """Figures with stable keys, and every caption."""
    found: dict[str, Any] = {"pack": report.pack, "search": report.how}
    found["sets"] = [_set_json(item) for item in report.sets]
    found["labelled"] = [
        {"source": item.source, "named": item.named, "photos": item.photos, "share": _share(item)}
        for item in report.naming
    ]
    found["against"] = [
        {"pack": report.against_pack, "set": mine.name, "cider_d_ratio": _ratio(mine, other)}
        for mine, other in zip(report.sets, report.against, strict=bool(report.against))
    ]
    return found


def as_markdown(report: Report, examples: int, listed: int) -> str:
    """Tables: the figures, examples of the first set, and all of the first ``listed`` photos of the last set."""
    rows = []
    for item in report.sets:
        rows.append([f"{report.pack}, {item.name}", *_cells(item.figures), f"{item.median_s:.2f} s"])
        rows.append([f'always "{item.constant}"', *_cells(item.constant_figures), ""])
    for item in report.against:
        rows.append([f"{report.against_pack}, {item.name}", *_cells(item.figures), f"{item.median_s:.2f} s"])
    head = ["", *(f"BLEU-{order}" for order in range(1, 5)), "ROUGE-L", "CIDEr-D", "METEOR", "a photo"]
    sizes = ", ".join(f"{len(item.photos)} of {item.name}" for item in report.sets)
    blocks = [f"Photos: {sizes}; {report.how}.", _table(head, rows)]
    if any(item.figures.meteor is None for item in report.sets):
        blocks.append(HOW_TO_GET)
    for mine, other in zip(report.sets, report.against, strict=bool(report.against)):
        blocks.append(_comparison(report, mine, other))
    if report.naming:
        blocks.append(_naming_table(report.naming))
    if examples:
        photos = report.sets[0].photos
        step = max(1, len(photos) // examples)
        rows = [[photo.image, photo.caption, photo.references[0]] for photo in photos[::step][:examples]]
        blocks.append(_table(["photo", "caption", "a person's"], rows))
    for photo in report.sets[-1].photos[:listed]:
        references = "\n".join(f"    - {text}" for text in photo.references)
        blocks.append(f"- {photo.image}: **{_cell(photo.caption)}** ({photo.cider_d:.2f})\n{references}")
    return "\n\n".join(blocks)


def _comparison(report: Report, mine: Evaluation, other: Evaluation) -> str:
    same = sum(a.caption == b.caption for a, b in zip(mine.photos, other.photos, strict=True))
    ratio = _ratio(mine, other)
    verdict = "within" if ratio >= 1 - QUANTISED_LOSS else "NOT within"
    return (
        f"{mine.name}: CIDEr-D is {ratio:.3f} times that of {report.against_pack}, {verdict} "
        f"{QUANTISED_LOSS:.0%}; {same} of {len(mine.photos)} captions are the same."
    )


def _ratio(mine: Evaluation, other: Evaluation) -> float:
    return round(mine.figures.cider_d / other.figures.cider_d, 4) if other.figures.cider_d else 0.0


def _set_json(item: Evaluation) -> dict[str, Any]:
    captions = [
        {
            "photo": photo.image,
            "caption": photo.caption,
            "confidence": round(photo.confidence, 4),
            "cider_d": round(photo.cider_d, 4),
            "wall_s": round(photo.wall_s, 4),
        }
        for photo in item.photos
    ]
    return {
        "set": item.name,
        "photos": len(item.photos),
        **item.figures.as_json(),
        "median_s": round(item.median_s, 4),
        "constant": {"caption": item.constant, **item.constant_figures.as_json()},
        "captions": captions,
    }


def _naming_table(naming: Sequence[Naming]) -> str:
    rows = [[item.source, f"{item.named} of {item.photos}", f"{_share(item):.1%}"] for item in naming]
    blocks = [_table(["held-out photos with a name", "subject named", ""], rows)]
    for item in naming:
        step = max(1, len(item.missed) // MISSED_SHOWN)
        missed = "\n".join(f"- {label}: {text}" for label, text in item.missed[::step][:MISSED_SHOWN])
        if missed:
            blocks.append(f"Not named, {item.source}:\n\n{missed}")
    return "\n\n".join(blocks)


def _share(item: Naming) -> float:
    return round(item.named / item.photos, 4) if item.photos else 0.0


def _cells(figures: Figures) -> list[str]:
    score = "" if figures.meteor is None else f"{figures.meteor:.3f}"
    return [
        *(f"{value:.3f}" for value in figures.bleu),
        f"{figures.rouge_l:.3f}",
        f"{figures.cider_d:.3f}",
        score,
    ]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(text) for text in row] for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cell(text: str) -> str:
    """On one line, and without what ends a cell."""
    return " ".join(text.split()).replace("|", "\\|")
