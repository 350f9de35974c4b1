"""Transcribe a file and keep what was said: a run that was stopped goes on, one that ended is not done again.

In: a speech model, a file, options, the folder of the journals. Out: what :func:`engine.tasks.transcribe.transcribe` yields, after
what the journal has. Everything is in the journal before it is yielded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import CUT_OFF, AudioFile
from engine.results import LanguageFound, Notice, Progress, Segment, Transcribed
from engine.tasks.transcribe import TranscribeOptions, transcribe
from engine.tasks.transcript_formats import clock
from engine.tasks.transcript_journal import Journal, JournalContent, journal_path, read_journal

if TYPE_CHECKING:
    from engine.runtime.speech_model import SpeechModel

Item = Progress | Notice | LanguageFound | Segment | Transcribed


def transcribe_file(  # noqa: PLR0917 - as every task, and where to keep it
    model: SpeechModel,
    path: Path,
    options: TranscribeOptions,
    cancel: Cancel,
    journal_folder: Path | None,
    resume: bool = True,
) -> Iterator[Item]:
    """Transcribe ``path``, from where the last run with this model and these options stopped unless ``resume`` is False.

    Without a ``journal_folder``, or where it cannot be written to, nothing is kept. Raises EngineError for a file that cannot
    be read, for what :func:`transcribe` refuses, and for a file that another process transcribes now.
    """
    content = _kept(model, path, options, journal_folder) if resume else None
    if content is not None and content.ended is not None:
        yield from _replay(path, content, content.ended)
        return
    with ExitStack() as stack:
        audio = stack.enter_context(AudioFile.open(path))
        keeper = stack.enter_context(closing(_Keeper(journal_folder, path)))
        yield from keeper.open(model_key(model), options, audio.info.duration_s, fresh=not resume)
        yield from _run(model, audio, options, cancel, keeper)


def model_key(model: SpeechModel) -> str:
    """What tells one model from another, and from its next version."""
    return f"{model.pack.name}@{model.pack.revision}:{model.pack.quantisation}"


def _kept(
    model: SpeechModel, path: Path, options: TranscribeOptions, folder: Path | None
) -> JournalContent | None:
    try:
        return None if folder is None else read_journal(journal_path(folder, path, model_key(model), options))
    except OSError:
        return None  # opening the file will say what is wrong with it


def _replay(path: Path, content: JournalContent, ended: Transcribed) -> Iterator[Item]:
    yield Notice(
        "transcript_kept",
        "{file} was transcribed before, with the same model and options. This is what was kept of it.",
        {"file": path.name},
    )
    if content.language is not None:
        yield content.language
    yield from content.segments
    yield ended


def _run(
    model: SpeechModel, audio: AudioFile, options: TranscribeOptions, cancel: Cancel, keeper: _Keeper
) -> Iterator[Item]:
    """Go on where the journal ends; the closing item speaks of all runs together."""
    begin_s, before_s, old = keeper.done_s, keeper.wall_s, keeper.segments
    start = time.monotonic()
    if begin_s > 0:
        yield Notice(
            "resumed",
            "{file} was transcribed until {time} before; going on from there.",
            {"file": audio.path.name, "time": clock(round(begin_s * 1000))[:8]},
        )
        if keeper.language is not None:
            yield keeper.language
        yield from old
        total_s = audio.info.duration_s
        yield Progress("transcribe", round(begin_s * 1000), round(total_s * 1000) if total_s else None, "ms")
    # What is left may be too short, or too noisy, to find the language out again.
    language = keeper.language.language if begin_s > 0 and keeper.language is not None else ""
    count = len(old)
    with closing(transcribe(model, audio, options, cancel, begin_s, language)) as items:  # type: ignore[type-var]
        for item in items:
            if isinstance(item, LanguageFound):
                if language:
                    continue
                yield from keeper.keep(item)
            elif isinstance(item, Transcribed):
                if audio.damage:
                    yield _damaged(audio, item)
                speech_s = item.speech_s + sum(segment.end_s - segment.start_s for segment in old)
                wall_s = before_s + time.monotonic() - start
                ended = replace(item, segments=count, speech_s=speech_s, wall_s=wall_s)
                yield from keeper.keep(ended)
                yield ended
                continue
            else:
                yield from keeper.keep(item)
                count += isinstance(item, Segment)
            yield item


def _damaged(audio: AudioFile, item: Transcribed) -> Notice:
    if audio.damage == CUT_OFF:
        return Notice(
            "end_missing",
            "The end of {file} is missing; it could be read until {time}.",
            {"file": audio.path.name, "time": clock(round(item.audio_s * 1000))[:8]},
        )
    return Notice(
        "parts_damaged",
        "Parts of {file} are damaged; what is said there is missing.",
        {"file": audio.path.name},
    )


class _Keeper:
    """The journal, or nothing where none can be written: then a notice says so, once, and the run goes on."""

    def __init__(self, folder: Path | None, source: Path) -> None:
        self._folder, self._source = folder, source
        self._journal: Journal | None = None
        self.segments: tuple[Segment, ...] = ()
        self.language: LanguageFound | None = None
        self.done_s = self.wall_s = 0.0

    def open(
        self, model_key: str, options: TranscribeOptions, duration_s: float | None, fresh: bool
    ) -> Iterator[Notice]:
        """Open the journal and read it."""
        if self._folder is None:
            return
        try:
            self._journal = Journal.open(self._folder, self._source, model_key, options, duration_s, fresh)
        except OSError as error:
            yield self._off(error)
            return
        journal = self._journal
        self.segments, self.language = journal.segments, journal.language
        self.done_s, self.wall_s = journal.done_s, journal.wall_s

    def keep(self, item: Item) -> Iterator[Notice]:
        """Write one item; a notice where that is no longer possible."""
        if self._journal is None:
            return
        try:
            match item:
                case LanguageFound():
                    self._journal.found(item)
                case Segment():
                    self._journal.add(item)
                case Progress(stage="transcribe", unit="ms"):
                    self._journal.reached(item.done / 1000)
                case Transcribed() if item.reason != "cancelled":
                    self._journal.finish(item)
        except OSError as error:
            self._journal.close()
            self._journal = None
            yield self._off(error)

    def close(self) -> None:
        """Give the journal free; one in which nothing stands is removed."""
        if self._journal is None:
            return
        if not self._journal.segments and not self._journal.finished and self._journal.done_s == 0:
            with suppress(EngineError):
                self._journal.delete()
        else:
            self._journal.close()
        self._journal = None

    def _off(self, error: OSError) -> Notice:
        return Notice(
            "journal_off",
            "What is transcribed cannot be kept in {folder}: {reason}. If this is interrupted, it begins anew.",
            {"folder": str(self._folder), "reason": error.strerror or type(error).__name__},
        )
