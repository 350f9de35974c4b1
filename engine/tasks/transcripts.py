"""Writes a transcript to a file while it comes, so that nothing that was said is lost.

In: segments. Out: ``NAME.partial.EXT`` beside the target, a whole and readable file after each segment, which becomes
the target in one step at the end. Where the target's folder cannot be written to, or its disk is full, the transcript is kept
in the user's data folder and a :class:`engine.results.Notice` says where.
"""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path
from types import TracebackType

from engine.errors import EngineError
from engine.folders import data_folder
from engine.results import Notice, Segment, Transcribed
from engine.tasks.transcript_formats import FORMATS, Piece, Summary, TranscriptFormat, renderer

LONGEST_STEM_BYTES = 200  # with what is added, a name still fits the 255 bytes that most disks allow


def transcripts_folder() -> Path:
    """Where transcripts are kept that have no other place."""
    return data_folder() / "transcripts"


def format_of(path: Path) -> TranscriptFormat:
    """The format that a file's name asks for; plain text where it asks for none that is known."""
    endings: dict[str, TranscriptFormat] = {f".{format}": format for format in FORMATS}
    return endings.get(path.suffix.casefold(), "txt")


class TranscriptWriter:
    """Writes one transcript. ``path`` is where it will be, ``partial`` where it is until then.

    ``notices`` grows when the place has to change. Nothing that exists is touched before :meth:`finish`. Raises EngineError
    for an unknown format, and where neither the folder nor the data folder can be written to.
    """

    def __init__(self, path: Path, format: TranscriptFormat | None = None) -> None:
        self.path = path
        self.notices: tuple[Notice, ...] = ()
        self._renderer = renderer(format or format_of(path))
        self._file: FileIO | None = None
        self._elsewhere = False
        self._settled = bytearray()
        self._end = b""
        try:
            self._open()
        except OSError as error:
            self._move(error)
        self._append(self._renderer.begin())

    @property
    def partial(self) -> Path:
        """The file that is written to now."""
        return self.path.with_name(f"{_short(self.path.stem)}.partial{self.path.suffix}")

    def add(self, segment: Segment) -> None:
        """Write one segment; it is in the file when this returns."""
        self._append(self._renderer.add(segment))

    def finish(self, transcribed: Transcribed | None = None) -> Path:
        """End the transcript and move it to its place; returns that."""
        summary = Summary()
        if transcribed is not None:
            summary = Summary(
                transcribed.language,
                transcribed.model,
                transcribed.audio_s,
                transcribed.reason != "cancelled",
            )
        self._append(Piece(self._renderer.finish(summary)))
        try:
            self._place()
        except OSError as error:
            old = self.partial
            self._move(error)
            try:
                self._place()
            except OSError as again:
                raise self._lost(again) from again
            if old != self.partial:
                _remove(old)
        return self.path

    def close(self) -> None:
        """Stop writing. What was not finished stays in :attr:`partial`. May be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> TranscriptWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, piece: Piece) -> None:
        start = len(self._settled)
        old_end = self._end
        self._settled += piece.settled.encode()
        self._end = piece.end.encode()
        try:
            self._write(start)
        except OSError as error:
            self._undo(start, old_end)  # the old place keeps a readable part
            if self._elsewhere:
                raise self._lost(error) from error
            self._settled += piece.settled.encode()
            self._end = piece.end.encode()
            self._move(error)

    def _write(self, start: int) -> None:
        """Bring the file up to date from byte ``start`` on, in one call where the system takes it in one."""
        if self._file is None:
            raise ValueError("the transcript is closed")
        rest = memoryview(bytes(self._settled[start:]) + self._end)
        self._file.seek(start)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._file.truncate()

    def _undo(self, start: int, end: bytes) -> None:
        """After a write that failed: what was there before it, as far as the disk allows."""
        del self._settled[start:]
        self._end = end
        if self._file is not None:
            try:
                self._file.truncate(start)
                self._write(start)
            except OSError:
                return  # the disk is gone, or takes nothing at all

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = FileIO(self.partial, "w")  # unbuffered: what was written is with the system

    def _move(self, error: OSError) -> None:
        """Go on in the data folder; raises EngineError where that does not work either, or where we are there already."""
        if self._elsewhere:
            raise self._lost(error) from error
        wanted, self._elsewhere = self.path, True
        self.close()
        self.path = _free_path(transcripts_folder() / f"{_short(wanted.stem)}{wanted.suffix}")
        try:
            self._open()
            self._write(0)
        except OSError as second:
            self.close()
            self.path = wanted
            raise self._lost(error) from second
        self.notices += (
            Notice(
                "transcript_elsewhere",
                "{file} cannot be written to {folder} ({reason}). The transcript is kept in {path}.",
                {
                    "file": wanted.name,
                    "folder": str(wanted.parent),
                    "reason": error.strerror or type(error).__name__,
                    "path": str(self.path),
                },
            ),
        )

    def _place(self) -> None:
        if self._file is None:
            raise ValueError("the transcript is closed")
        os.fsync(self._file.fileno())
        self.close()
        self.partial.replace(self.path)

    def _lost(self, error: OSError) -> EngineError:
        return EngineError(
            "The transcript cannot be written to {path}: {reason}.",
            "Free some space, or choose another place.",
            path=str(self.path),
            reason=error.strerror or type(error).__name__,
        )


def _free_path(path: Path) -> Path:
    """``path``, or a name beside it that is not taken."""
    number = 2
    free = path
    while free.exists():
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    return free


def _short(stem: str) -> str:
    return stem.encode()[:LONGEST_STEM_BYTES].decode(errors="ignore")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # it lies in a folder that cannot be written to
