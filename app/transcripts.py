"""Transcripts on the disk: the journals of earlier runs, recordings that were made here, exports.

In: items of the speech pane. Out: what there is, and changes of it; EngineError for what the user can mend. The engine
is imported on first use; only what is said to be quick may be called on the UI thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.paths import recordings_folder
from app.speech_items import JournalAt, SpeechChoices, SpeechItem
from engine.disk import not_written
from engine.errors import EngineError
from engine.results import LanguageFound, Notice, Segment, Transcribed

if TYPE_CHECKING:
    from engine.tasks.transcript_journal import Journal


@dataclass(frozen=True)
class Kept:
    """What a journal says."""

    segments: tuple[Segment, ...]
    transcribed: Transcribed | None


class Transcripts:
    """Reads and changes what is kept."""

    def earlier(self) -> tuple[SpeechItem, ...]:
        """Everything that was transcribed or recorded, newest first; reads the beginning of many files."""
        from engine.tasks.transcript_journal import list_journals

        found: list[SpeechItem] = []
        known: set[Path] = set()
        for info in list_journals():
            known.add(info.source)
            item = SpeechItem(
                key=0,
                path=info.source,
                state="done" if info.finished else "stopped",
                earlier=True,
                loaded=False,
                language=info.language,
                journal=info.path,
                done_ms=round(1000 * info.done_s),
                total_ms=round(1000 * (info.duration_s or (info.done_s if info.finished else 0.0))),
            )
            found.append(item)
        with contextlib.suppress(OSError):
            for path in sorted(recordings_folder().glob("*.wav"), reverse=True):
                if path not in known and path.resolve() not in known:
                    found.append(SpeechItem(key=0, path=path, state="stopped", earlier=True))
        return tuple(found)

    def kept_live(
        self, items: Iterator[object], wav: Path | None, model: str, choices: SpeechChoices
    ) -> Iterator[object]:
        """What is heard, each segment on the disk before it comes. Where that fails it comes all the same."""
        if wav is None:
            yield from items
            return
        from engine.tasks.transcript_journal import Journal
        from engine.tasks.transcripts import transcripts_folder

        journal: Journal | None = None
        try:
            try:
                journal = Journal.open(transcripts_folder(), wav, model, choices, fresh=True)
                yield JournalAt(journal.path)
            except (OSError, EngineError) as error:
                yield _not_kept(error)
            for item in items:
                try:
                    _note(journal, item)
                except OSError as error:
                    if journal is not None:
                        journal.close()
                    journal = None
                    yield _not_kept(error)
                yield item
        finally:
            if journal is not None:
                journal.close()

    def read(self, journal: Path) -> Kept:
        """The text of one; reads a whole file."""
        from engine.tasks.transcript_journal import read_journal

        content = read_journal(journal)
        if content is None:
            raise EngineError(
                "The transcript {path} cannot be read.", "It may be deleted.", path=str(journal)
            )
        return Kept(content.segments, content.ended)

    def replace(self, journal: Path, segments: Sequence[Segment]) -> None:
        """Keep what was edited; waits for the disk."""
        from engine.tasks.transcript_journal import Journal

        try:
            opened = Journal.reopen(journal)
            try:
                opened.replace(segments)
            finally:
                opened.close()
        except OSError as error:
            raise not_written(journal, error) from error

    def delete(self, item: SpeechItem) -> None:
        """Forget a transcript, and the recording if it was made here. Quick."""
        for journal in (item.journal, item.replaced):
            if journal is not None:
                self.delete_journal(journal)
        if made_here(item):
            try:
                item.path.unlink(missing_ok=True)
            except OSError as error:
                raise not_written(item.path, error) from error

    def delete_journal(self, journal: Path) -> None:
        """Forget the text alone. Quick."""
        from engine.tasks.transcript_journal import delete_journal

        delete_journal(journal)

    def write(
        self, target: Path, kind: str, segments: Sequence[Segment], transcribed: Transcribed
    ) -> Iterator[Notice | Path]:
        """Export to a file; yields where it is, and what the user should know of that."""
        from engine.tasks.transcripts import TranscriptWriter

        with TranscriptWriter(target, kind) as writer:  # type: ignore[arg-type]
            for segment in segments:
                writer.add(segment)
            path = writer.finish(transcribed)
            yield from writer.notices
        yield path


def _note(journal: Journal | None, item: object) -> None:
    if journal is None:
        return
    if isinstance(item, LanguageFound):
        journal.found(item)
    elif isinstance(item, Segment):
        journal.add(item)
        journal.reached(item.end_s)
    elif isinstance(item, Transcribed) and item.reason != "cancelled":
        journal.finish(item)


def _not_kept(error: Exception) -> Notice:
    return Notice(
        "transcript_not_kept",
        "The text is not kept on the disk: {reason}. The sound is; export the text when you are done.",
        {"reason": (error.strerror if isinstance(error, OSError) else "") or str(error)},
    )


def made_here(item: SpeechItem) -> bool:
    """Whether a recording lies in the app's own folder."""
    return item.path.parent == recordings_folder()
