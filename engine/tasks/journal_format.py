"""The file of a transcript that is kept: its name, its lines, and what they say.

In: a recording, a model, options; a file that may end anywhere. Out: the path of the journal, :class:`JournalContent`,
:class:`JournalInfo` for a list. Lines are JSON: a header, then the language, segments and progress in order, then an end. A
last line that was cut off does not count, and what follows the last progress is said again by a run that goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.results import LanguageFound, Segment, Transcribed, Word
from engine.tasks.transcript_formats import join_texts
from engine.tasks.transcripts import transcripts_folder

FORMAT = 1
SUFFIX = ".jsonl"
MAX_BYTES = 500_000_000
# Of a journal in a list, only its beginning and its end are read.
HEAD_BYTES, TAIL_BYTES = 16_000, 32_000
FIRST_WORDS_CHARS = 200
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class JournalHeader:
    """What a journal is about: a recording as it was, a model, the options."""

    source: str
    size_bytes: int
    mtime_ns: int
    model: str
    options: dict[str, object]
    created_s: float  # since 1970
    duration_s: float | None

    @property
    def file_name(self) -> str:
        """The name of the journal: another one for each recording, model and set of options."""
        key = json.dumps(
            [self.source, self.size_bytes, self.mtime_ns, self.model, self.options], sort_keys=True
        )
        return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}{SUFFIX}"

    def line(self) -> bytes:
        """The first line of the journal."""
        return line("header", {"format": FORMAT, **asdict(self)})


@dataclass(frozen=True)
class JournalContent:
    """All that a journal says. ``ended`` is None where the run was stopped.

    A run that goes on keeps the first ``kept_segments``, which end at ``kept_bytes``: those that begin before ``done_s``.
    """

    header: JournalHeader
    language: LanguageFound | None = None
    segments: tuple[Segment, ...] = ()
    done_s: float = 0.0
    wall_s: float = 0.0
    ended: Transcribed | None = None
    kept_segments: int = 0
    kept_bytes: int = 0


@dataclass(frozen=True)
class JournalInfo:
    """A transcript that is kept, without its text. ``path`` is the journal, ``source`` the recording (perhaps gone)."""

    path: Path
    source: Path
    model: str
    created_s: float  # since 1970
    updated_s: float
    duration_s: float | None
    done_s: float
    finished: bool
    language: str
    first_words: str


def make_header(
    source: Path, model_key: str, options: object, duration_s: float | None = None
) -> JournalHeader:
    """What a new journal of a recording begins with; ``options`` is a dataclass. Raises OSError for no such file."""
    found = source.stat()
    return JournalHeader(
        str(source.resolve()),
        found.st_size,
        found.st_mtime_ns,
        model_key,
        asdict(options),  # type: ignore[call-overload]
        round(time.time(), 3),
        duration_s,
    )


def journal_path(folder: Path, source: Path, model_key: str, options: object) -> Path:
    """Where the journal of a recording is; raises OSError where the recording cannot be found."""
    return folder / make_header(source, model_key, options).file_name


def read_journal(path: Path) -> JournalContent | None:
    """Read a journal, also one that is being written; None where there is none, or none that can be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        return _parse(path.read_bytes())
    except _DAMAGE:
        return None


def list_journals(folder: Path | None = None) -> tuple[JournalInfo, ...]:
    """The transcripts that are kept, newest first; those that cannot be read are left out."""
    found: list[JournalInfo] = []
    with suppress(OSError):
        for path in (folder or transcripts_folder()).glob(f"*{SUFFIX}"):
            with suppress(*_DAMAGE):
                found.append(_read_info(path))
    return tuple(sorted(found, key=lambda info: info.updated_s, reverse=True))


def line(kind: str, values: dict[str, object]) -> bytes:
    """One line of a journal. It is ASCII, since names of files may hold bytes that are no UTF-8."""
    return json.dumps({"type": kind, **values}, separators=(",", ":")).encode() + b"\n"


def _records(data: bytes) -> Iterator[tuple[dict[str, object], int]]:
    """The lines that are whole, and where each ends; stops at the first that is not."""
    end = 0
    while (newline := data.find(b"\n", end)) >= 0:
        try:
            record = json.loads(data[end:newline])
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        end = newline + 1
        yield record, end


def _parse(data: bytes) -> JournalContent:
    records = _records(data)
    first, kept_bytes = next(records, ({}, 0))
    header = _header(first)
    language: LanguageFound | None = None
    ended: Transcribed | None = None
    segments: list[Segment] = []
    done_s = wall_s = 0.0
    kept_segments = 0
    with suppress(*_DAMAGE):  # what stands before a line that makes no sense still counts
        for record, end in records:
            match record.pop("type", ""):
                case "language":
                    language = language or LanguageFound(**record)  # type: ignore[arg-type]
                case "segment":
                    segments.append(_segment(record))
                case "progress":
                    done_s, wall_s = float(record["done_s"]), float(record["wall_s"])  # type: ignore[arg-type]
                    kept_segments, kept_bytes = len(segments), end
                case "end":
                    ended = Transcribed(**record)  # type: ignore[arg-type]
                    done_s, kept_segments, kept_bytes = ended.audio_s, len(segments), end
    return JournalContent(header, language, tuple(segments), done_s, wall_s, ended, kept_segments, kept_bytes)


def _header(record: dict[str, object]) -> JournalHeader:
    if record.pop("type", "") != "header" or record.pop("format", 0) != FORMAT:
        raise ValueError("no journal of this version")
    return JournalHeader(**record)  # type: ignore[arg-type]


def _segment(record: dict[str, object]) -> Segment:
    words = record.pop("words", ())
    return Segment(**record, words=tuple(Word(**word) for word in words))  # type: ignore[arg-type, attr-defined]


def _read_info(path: Path) -> JournalInfo:
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        data = file.read(HEAD_BYTES)
        rest = b""
        if found.st_size > len(data):
            file.seek(max(len(data), found.st_size - TAIL_BYTES))
            rest = file.read(TAIL_BYTES)
    is_cut = found.st_size > HEAD_BYTES + TAIL_BYTES
    tail = rest[rest.find(b"\n") + 1 :] if is_cut else data + rest
    head = [record for record, _ in _records(data)]
    header = _header(head.pop(0))
    done_s, finished = 0.0, False
    for record, _ in _records(tail):
        if record["type"] == "progress":
            done_s = float(record["done_s"])  # type: ignore[arg-type]
        elif record["type"] == "end":
            done_s, finished = float(record["audio_s"]), True  # type: ignore[arg-type]
    language = next((str(record["language"]) for record in head if record["type"] == "language"), "")
    texts = (str(record["text"]) for record in head if record["type"] == "segment")
    return JournalInfo(
        path,
        Path(header.source),
        header.model,
        header.created_s,
        found.st_mtime,
        header.duration_s,
        done_s,
        finished,
        language,
        join_texts(texts)[:FIRST_WORDS_CHARS],
    )
