"""What was described of a folder of pictures so far, on disk: a batch that was stopped goes on from there.

In: pictures and their descriptions, appended before anybody sees them. Out: the description of a picture that has not
changed since, by the same model with the same options. There is one file for each model and set of options; its lines are
JSON, each whole by itself, so that a line that was cut off costs one picture and two processes may write at once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.disk import not_written
from engine.results import Colour, Described, Findings, Notice, Subject, TextLine

FORMAT = 1
MAX_BYTES = 200_000_000  # about 100,000 pictures; a longer file is begun anew
MAX_LINE_BYTES = 2_000_000


@dataclass(frozen=True)
class PictureStamp:
    """A picture as it was when it was read."""

    source: str
    size_bytes: int
    mtime_ns: int

    @property
    def key(self) -> bytes:
        """Short, and another one for each picture and state of it."""
        values = json.dumps([self.source, self.size_bytes, self.mtime_ns])
        return hashlib.sha256(values.encode("utf-8", "surrogatepass")).digest()[:16]


class PictureJournal:
    """The descriptions that one model made with one set of options. Only where each begins is kept in memory.

    Nothing here raises: what cannot be read is described again, and what cannot be written is said once.
    """

    def __init__(self, folder: Path, model: str, options: object) -> None:
        """``model`` is what tells one model from another, ``options`` the dataclass of its options."""
        chosen = asdict(options)  # type: ignore[call-overload]
        chosen.pop("earlier", None)  # what was asked of a picture says nothing of how pictures are described
        values = json.dumps([FORMAT, model, chosen], sort_keys=True)
        name = f"pictures-{hashlib.sha256(values.encode()).hexdigest()[:32]}.jsonl"
        self.path = folder / name
        self._places: dict[bytes, int] = {}
        self._refused = False
        self._read()

    def __len__(self) -> int:
        return len(self._places)

    @staticmethod
    def stamp(path: Path) -> PictureStamp | None:
        """The picture as it is now; None where it is gone."""
        try:
            found = path.stat()
        except OSError:
            return None
        return PictureStamp(str(path), found.st_size, found.st_mtime_ns)

    def find(self, path: Path) -> Described | None:
        """The description of a picture that has not changed since; None where there is none."""
        stamp = self.stamp(path)
        place = self._places.get(stamp.key) if stamp is not None else None
        if stamp is None or place is None:
            return None
        try:
            with self.path.open("rb") as file:
                file.seek(place)
                found = _parse(file.readline(MAX_LINE_BYTES))
        except OSError:
            return None
        return found[1] if found is not None and found[0] == stamp else None

    def forget(self, path: Path) -> None:
        """Describe a picture again, whatever is known of it."""
        stamp = self.stamp(path)
        if stamp is not None:
            self._places.pop(stamp.key, None)

    def add(self, stamp: PictureStamp | None, described: Described) -> Iterator[Notice]:
        """Note a description, also one that the user changed, and say so if that cannot be done.

        The picture must still be as ``stamp`` says. The last one that was noted counts.
        """
        if stamp is None or self._refused or self.stamp(Path(stamp.source)) != stamp:
            return
        record = {
            "source": stamp.source,
            "size_bytes": stamp.size_bytes,
            "mtime_ns": stamp.mtime_ns,
            "described": asdict(replace(described, looks=())),
        }
        line = json.dumps(record, ensure_ascii=True).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if file.tell() and not self._ends_whole():
                    line = b"\n" + line
                file.write(line)
                place = file.tell() - len(line) + line.startswith(b"\n")
        except OSError as error:
            self._refused = True
            problem = not_written(self.path, error)
            yield Notice(
                "no_picture_journal",
                "The descriptions are not kept for a later run: {reason}",
                {"reason": problem.message},
            )
            return
        self._places[stamp.key] = place

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def _read(self) -> None:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                self.path.unlink()
                return
            with self.path.open("rb") as file:
                place = 0
                for line in file:
                    found = _parse(line)
                    if found is not None:
                        self._places[found[0].key] = place
                    place += len(line)
        except OSError:
            return  # there is none yet


def _parse(line: bytes) -> tuple[PictureStamp, Described] | None:
    """What a line says; None where it is damaged."""
    try:
        record = json.loads(line)
        stamp = PictureStamp(str(record["source"]), int(record["size_bytes"]), int(record["mtime_ns"]))
        return stamp, _described(record["described"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _described(values: dict[str, Any]) -> Described:
    found: dict[str, Any] = dict(values.pop("findings"))
    found["subjects"] = tuple(Subject(**subject) for subject in found["subjects"])
    found["text"] = tuple(TextLine(**{**line, "box": tuple(line["box"])}) for line in found["text"])
    found["colours"] = tuple(Colour(**colour) for colour in found["colours"])
    described = Described(**{**values, "looks": (), "findings": Findings(**found)})
    texts = [getattr(described, field.name) for field in fields(described) if field.type == "str"]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text is none")
    return described
