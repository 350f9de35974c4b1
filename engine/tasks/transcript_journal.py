"""What was transcribed of a recording so far, on disk: nothing is done twice, nothing is lost.

In: segments and how far a run is, appended before anybody sees them. Out: the same, after a kill at any moment. There is
one file for each recording (its path, size and date), model and set of options; one process at a time writes it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from io import FileIO
from pathlib import Path

from engine.errors import EngineError
from engine.file_lock import LockedError, file_lock
from engine.results import LanguageFound, Segment, Transcribed
from engine.tasks.journal_format import (
    JournalContent,
    JournalInfo,
    journal_path,
    line,
    list_journals,
    make_header,
    read_journal,
)

__all__ = [
    "Journal",
    "JournalContent",
    "JournalInfo",
    "delete_journal",
    "journal_path",
    "list_journals",
    "read_journal",
]

PROGRESS_STEP_S = 5.0  # between progress lines where nothing is said


class Journal:
    """The one writer of a journal; close it. Methods that write raise OSError where the disk refuses."""

    def __init__(self, path: Path, lock: ExitStack, content: JournalContent) -> None:
        """Use :meth:`open` or :meth:`reopen`."""
        self.path = path
        self._lock = lock
        self._file: FileIO | None = None
        self._content = content
        self._segments = list(content.segments)
        self._start_s = time.monotonic()
        self._unsaved_progress = False

    @classmethod
    def open(  # noqa: PLR0917 - what tells one journal from another
        cls,
        folder: Path,
        source: Path,
        model_key: str,
        options: object,
        duration_s: float | None = None,
        fresh: bool = False,
    ) -> Journal:
        """The journal of a recording, to be gone on with; an empty one where there is none, or with ``fresh``.

        ``options`` is a dataclass. Raises EngineError where another process writes it, OSError where it cannot be written.
        """
        header = make_header(source, model_key, options, duration_s)
        path = folder / header.file_name
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(path)
        content = None if fresh else read_journal(path)
        journal = cls(path, lock, content or JournalContent(header))
        try:
            journal._go_on(is_new=content is None)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Journal:
        """A journal from the list, to be edited; its recording need not exist. Raises EngineError, OSError."""
        lock = _locked(path)
        content = read_journal(path)
        if content is None:
            lock.close()
            raise EngineError("The transcript {path} cannot be read.", "It may be deleted.", path=str(path))
        return cls(path, lock, content)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was said."""
        return tuple(self._segments)

    @property
    def language(self) -> LanguageFound | None:
        """The language that was found first."""
        return self._content.language

    @property
    def done_s(self) -> float:
        """Every segment that begins before this is there."""
        return self._content.done_s

    @property
    def wall_s(self) -> float:
        """How long earlier runs worked."""
        return self._content.wall_s

    @property
    def finished(self) -> Transcribed | None:
        """How it ended; None where it can be gone on with."""
        return self._content.ended

    def found(self, language: LanguageFound) -> None:
        """Note the language."""
        self._append(line("language", asdict(language)))
        self._content = replace(self._content, language=self._content.language or language)

    def add(self, segment: Segment) -> None:
        """Note a segment; it is with the system when this returns."""
        self._append(line("segment", asdict(segment)))
        self._segments.append(segment)
        self._unsaved_progress = True

    def reached(self, done_s: float) -> None:
        """Note that nothing more will come that begins before ``done_s``."""
        saved_s = self._content.done_s
        if done_s > saved_s and (self._unsaved_progress or done_s >= saved_s + PROGRESS_STEP_S):
            wall_s = self.wall_s + time.monotonic() - self._start_s
            self._append(line("progress", {"done_s": done_s, "wall_s": round(wall_s, 3)}))
            self._content = replace(self._content, done_s=done_s)
            self._unsaved_progress = False

    def finish(self, transcribed: Transcribed) -> None:
        """Note the end, and make all of it survive a power cut."""
        self._append(line("end", asdict(transcribed)))
        self._content = replace(self._content, ended=transcribed, done_s=transcribed.audio_s)
        if self._file is not None:
            os.fsync(self._file.fileno())

    def replace(self, segments: Iterable[Segment]) -> None:
        """Put edited segments in the place of all there are, in one step."""
        content = self._content
        self._segments = list(segments)
        part = self.path.with_suffix(".part")
        with part.open("wb") as file:
            file.write(content.header.line())
            if content.language is not None:
                file.write(line("language", asdict(content.language)))
            # A run that goes on says anew what begins behind its progress.
            file.writelines(line("segment", asdict(s)) for s in self._segments if s.start_s < content.done_s)
            if content.done_s > 0:
                file.write(line("progress", {"done_s": content.done_s, "wall_s": content.wall_s}))
            file.writelines(line("segment", asdict(s)) for s in self._segments if s.start_s >= content.done_s)
            if content.ended is not None:
                file.write(line("end", asdict(content.ended)))
            file.flush()
            os.fsync(file.fileno())
        is_open = self._file is not None
        if self._file is not None:
            self._file.close()  # Windows replaces no open file
            self._file = None
        part.replace(self.path)
        if is_open:
            self._file = FileIO(self.path, "a")

    def delete(self) -> None:
        """Remove the journal and close it."""
        self.close()
        delete_journal(self.path)

    def close(self) -> None:
        """Give it free for others. May be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._lock.close()

    def _go_on(self, is_new: bool) -> None:
        """Begin the file, or cut off what a run that goes on says again and a line that is not whole."""
        if is_new:
            self._file = FileIO(self.path, "w")
            self._append(self._content.header.line())
            return
        self._file = FileIO(self.path, "r+")
        self._file.truncate(self._content.kept_bytes)
        self._file.seek(self._content.kept_bytes)
        del self._segments[self._content.kept_segments :]
        if self.done_s == 0:
            self._content = replace(
                self._content, language=None
            )  # it is looked for again, from the beginning

    def _append(self, line: bytes) -> None:
        if self._file is None:
            raise ValueError("the journal is closed")
        start = self._file.tell()
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            with suppress(OSError):
                self._file.truncate(start)  # else the next line would follow half of this one
                self._file.seek(start)
            raise


def delete_journal(path: Path) -> None:
    """Forget a transcript. Raises EngineError while it is being written, or if it cannot be deleted."""
    lock = _lock_of(path)
    try:
        if not path.exists():
            return
        with file_lock(lock):
            path.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)
    except LockedError as error:
        raise _busy() from error
    except OSError as error:
        raise EngineError(
            "The transcript cannot be deleted: {reason}.",
            "Check that you may write to {folder}.",
            reason=error.strerror or type(error).__name__,
            folder=str(path.parent),
        ) from error


def _locked(path: Path) -> ExitStack:
    stack = ExitStack()
    try:
        stack.enter_context(file_lock(_lock_of(path)))
    except LockedError as error:
        raise _busy() from error
    return stack


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")


def _busy() -> EngineError:
    return EngineError(
        "This recording is being transcribed by another Pollux.", "Wait until that is done, or stop it."
    )
