"""Descriptions of pictures as tables and files: CSV, JSON, JSON lines.

In: what became of each picture, and the text as the user left it. Out: lines, or a file that appears whole or not at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.results import Described
from engine.tasks.describe_exports_files import Replacement
from engine.tasks.describe_many import PictureDescribed, PictureFailed

BOM = "\ufeff"  # without it, Excel takes a CSV file for one of the system's old code page
COLUMNS = (
    "file",
    "description",
    "caption",
    "confidence",
    "unsure",
    "subjects",
    "text",
    "language",
    "model",
    "error",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class PictureRow:
    """A picture in an export. ``text`` is its description as the user left it; ``error`` why there is none."""

    path: Path
    text: str = ""
    described: Described | None = None
    error: str = ""

    @classmethod
    def of(cls, item: PictureDescribed | PictureFailed) -> PictureRow:
        """The row of a picture as the engine describes it, with errors in English."""
        if isinstance(item, PictureFailed):
            return cls(item.path, error=str(item.error))
        return cls(item.path, item.described.text, item.described)


# CSV


def csv_header() -> str:
    """The first line of a table, without the mark that says that it is UTF-8 (see BOM)."""
    return _csv_line(COLUMNS)


def csv_line(row: PictureRow) -> str:
    """A picture's line. No cell is taken for a formula by a program that opens the table."""
    found = row.described
    known = found is not None
    return _csv_line(
        (
            _no_formula(str(row.path)),
            _no_formula(row.text),
            _no_formula(found.caption) if known else "",
            f"{found.confidence:.3f}" if known else "",
            ("yes" if found.unsure else "no") if known else "",
            _no_formula("; ".join(subject.name for subject in found.findings.subjects)) if known else "",
            _no_formula("\n".join(line.text for line in found.findings.text)) if known else "",
            _no_formula(found.language) if known else "",
            _no_formula(found.model) if known else "",
            _no_formula(row.error),
        )
    )


def write_csv(path: Path, rows: Iterable[PictureRow]) -> Path:
    """Write a table that Excel, LibreOffice and Numbers open as it is. Raises EngineError."""
    return _write(path, _csv_pieces(rows))


def _csv_pieces(rows: Iterable[PictureRow]) -> Iterator[str]:
    yield BOM + csv_header()
    for row in rows:
        yield csv_line(row)


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()


def _no_formula(text: str) -> str:
    """The text with an apostrophe before it, where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


# JSON


def json_values(row: PictureRow) -> dict[str, object]:
    """A picture as JSON values: the keys of the table, with lists instead of joined texts, and what else was found."""
    found = row.described
    if found is None:
        return {"file": str(row.path), "error": row.error}
    findings = found.findings
    return {
        "file": str(row.path),
        "description": row.text,
        "caption": found.caption,
        "confidence": round(found.confidence, 4),
        "unsure": found.unsure,
        "style": found.style,
        "subjects": [
            {"name": item.name, "name_zh": item.name_zh, "confidence": round(item.confidence, 4)}
            for item in findings.subjects
        ],
        "text": "\n".join(line.text for line in findings.text),
        "lines": [
            {
                "text": line.text,
                "confidence": round(line.confidence, 4),
                "box": [round(side, 4) for side in line.box],
            }
            for line in findings.text
        ],
        "colours": [
            {"name": item.name, "hex": item.hex, "share": round(item.share, 4)} for item in findings.colours
        ],
        "width_px": findings.width_px,
        "height_px": findings.height_px,
        "format": findings.format,
        "taken": findings.taken,
        "place": findings.place,
        "camera": findings.camera,
        "damage": findings.damage,
        "language": found.language,
        "model": found.model,
        "composed_by": found.composed_by,
        "provider": found.provider,
        "wall_s": round(found.wall_s, 3),
    }


def json_line(row: PictureRow) -> str:
    """A picture as one line of JSON."""
    return json.dumps(json_values(row), ensure_ascii=False) + "\n"


def write_json(path: Path, rows: Iterable[PictureRow]) -> Path:
    """Write one JSON array, or where ``path`` ends in .jsonl one object a line. Raises EngineError."""
    if path.suffix.casefold() == ".jsonl":
        return _write(path, map(json_line, rows))
    return _write(path, _json_pieces(rows))


def _json_pieces(rows: Iterable[PictureRow]) -> Iterator[str]:
    before = "[\n"
    for row in rows:
        yield before + json_line(row).rstrip("\n")
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


# Files


def _write(path: Path, pieces: Iterable[str]) -> Path:
    """Write a file in one step: whole, or as it was before."""
    with Replacement(path) as file:
        for piece in pieces:
            # A name that is no text (half a character) is written as an escape, which JSON understands too.
            file.write(piece.encode("utf-8", "backslashreplace"))
        file.commit()
    return path
