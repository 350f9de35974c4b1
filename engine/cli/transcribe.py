"""``pollux transcribe``: recordings become text, subtitles or JSON.

In: files and folders. Out: transcripts, on standard output as they come or in files; or one JSON object for each thing that
happens. What was transcribed is kept, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.cli.chat import add_model_arguments
from engine.cli.console import Console, time_text
from engine.cli.interrupts import cancelled_by_ctrl_c
from engine.cli.recordings import (
    STANDARD_OUTPUT,
    beside_video,
    choose_format,
    find_recordings,
    transcript_paths,
)
from engine.errors import EngineError
from engine.results import LanguageFound, Notice, Progress, Segment, Transcribed
from engine.store import Store
from engine.tasks.spoken_languages import language_code
from engine.tasks.transcript_formats import (
    FORMATS,
    Piece,
    Summary,
    TranscriptFormat,
    renderer,
    segment_record,
)
from engine.tasks.transcripts import TranscriptWriter, transcripts_folder

if TYPE_CHECKING:
    from engine.runtime.speech_model import SpeechModel
    from engine.tasks.transcribe import TranscribeOptions

SUBTITLES = ("srt", "vtt")


def add_transcribe_arguments(parser: argparse.ArgumentParser) -> None:
    """What is transcribed, and how it is written."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="audio or video files, or folders of them")
    parser.add_argument(
        "--language", metavar="L", default="", help="what is spoken: zh, Chinese, ... (default: found out)"
    )
    parser.add_argument("--translate", action="store_true", help="write English, whatever is spoken")
    parser.add_argument(
        "--words", action="store_true", help="find the time of each word, for JSON and for better subtitles"
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="how to write it (default: as -o FILE ends, else txt)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="a file, a folder, or - for standard output "
        "(default: standard output; subtitles of a video go beside it)",
    )
    parser.add_argument("--prompt", metavar="T", default="", help="names and words that may occur in it")
    parser.add_argument(
        "--restart", action="store_true", help="from the beginning, not where the last run was stopped"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object for each segment")
    add_model_arguments(parser)


def run_transcribe(arguments: argparse.Namespace, console: Console, store: Store) -> int:
    """The command."""
    from engine.tasks.transcribe import TranscribeOptions  # imports numpy: not for "models list"

    options = TranscribeOptions(
        language=language_code(arguments.language),
        translate=arguments.translate,
        words=arguments.words,
        initial_prompt=arguments.prompt,
    )
    recordings = find_recordings(arguments.files)
    format = choose_format(arguments.format, arguments.output, recordings.several)
    paths = transcript_paths(recordings, arguments.output, format)
    if options.words and format == "txt" and not console.as_json:
        console.note("pollux: Plain text shows no times of words; --format json does.")
    for mistake in recordings.mistakes:
        _report(mistake.path, mistake.error, console)
    if not recordings.files:
        return 1
    failed = bool(recordings.mistakes)
    with closing(_open(arguments, console, store)) as model, cancelled_by_ctrl_c() as cancel:
        runner = _Runner(model, options, format, console, cancel)
        for number, (file, path) in enumerate(zip(recordings.files, paths, strict=True), 1):
            console.restart()
            if recordings.several and not console.as_json:
                console.note(f"{number} of {len(recordings.files)}: {file}")
            try:
                target = path
                if path is None and arguments.output != STANDARD_OUTPUT and format in SUBTITLES:
                    target = _beside(file, format, recordings.several, console)
                job = _Job(file, target, recordings.several, not arguments.restart)
                if not runner.run(job):
                    return 130
            except EngineError as error:
                _report(file, error, console)
                failed = True
    return 1 if failed else 0


@dataclass(frozen=True)
class _Job:
    """One recording. ``path`` None is standard output, which ``is_shared`` with others."""

    file: Path
    path: Path | None
    is_shared: bool
    resume: bool


class _Runner:
    """Transcribes one recording after the other."""

    def __init__(
        self,
        model: SpeechModel,
        options: TranscribeOptions,
        format: TranscriptFormat,
        console: Console,
        cancel: Cancel,
    ) -> None:
        self._model, self._options = model, options
        self._format: TranscriptFormat = format
        self._console, self._cancel = console, cancel

    def run(self, job: _Job) -> bool:
        """Transcribe one; False if it was stopped. Raises EngineError."""
        from engine.tasks.transcribe_file import transcribe_file

        console = self._console
        ended: Transcribed | None = None
        with ExitStack() as stack:
            items = transcribe_file(
                self._model, job.file, self._options, self._cancel, transcripts_folder(), job.resume
            )
            stack.enter_context(closing(items))  # type: ignore[type-var]
            out: _Output | None = None
            for item in items:
                if isinstance(item, Progress):
                    console.progress(item)
                elif isinstance(item, Notice):
                    console.notice(item)
                    if item.code == "transcript_kept":
                        console.note("pollux: To transcribe it again, add --restart.")
                else:
                    # Not before the recording is known to be one: a mistake must not leave a file behind.
                    out = out or stack.enter_context(closing(self._output(job)))
                    if isinstance(item, LanguageFound):
                        out.language(item)
                    elif isinstance(item, Segment):
                        out.segment(item)
                    else:
                        ended = item
            if ended is None or out is None:
                raise RuntimeError("the transcription ended without a closing item")
            out.end(ended)
        return ended.reason != "cancelled"

    def _output(self, job: _Job) -> _Output:
        writer = _FileOutput(job, self._format, self._console) if job.path else None
        if self._console.as_json:
            return _Records(job, writer, self._console)
        return writer or _Screen(job, self._format, self._console)


class _Output:
    """Where one transcript goes; this one goes nowhere."""

    def __init__(self, job: _Job, console: Console) -> None:
        self.job = job
        self.console = console

    def language(self, found: LanguageFound) -> None:
        """The language, before the first segment."""

    def segment(self, segment: Segment) -> None:
        """One segment."""

    def end(self, ended: Transcribed) -> None:
        """The end, or the place where it was stopped."""

    def close(self) -> None:
        """Nothing more comes."""

    def stopped(self, ended: Transcribed, partial: Path | None = None) -> None:
        """Say what there is, and how to go on."""
        where = f" What was said until then is in {partial}." if partial else ""
        self.console.note(
            f"Stopped at {time_text(round(ended.audio_s * 1000))}.{where} "
            f"The same command{'' if self.job.resume else ' without --restart'} goes on from there."
        )


class _Screen(_Output):
    """Standard output, as it comes."""

    def __init__(self, job: _Job, format: TranscriptFormat, console: Console) -> None:
        super().__init__(job, console)
        self._renderer = renderer(format)
        self._end = ""
        if job.is_shared and format != "json":
            console.text(f"==> {job.file} <==")
        self._append(self._renderer.begin())

    def segment(self, segment: Segment) -> None:
        self._append(self._renderer.add(segment))

    def end(self, ended: Transcribed) -> None:
        is_stopped = ended.reason == "cancelled"
        summary = Summary(ended.language, ended.model, ended.audio_s, not is_stopped)
        self._append(Piece(self._renderer.finish(summary)))
        if is_stopped:
            self.stopped(ended)

    def close(self) -> None:
        self._append(Piece(self._end))  # after an error: what is open is closed

    def _append(self, piece: Piece) -> None:
        self._end = piece.end
        if piece.settled:
            self.console.text(piece.settled, end="")


class _FileOutput(_Output):
    """A file, whose path is the result."""

    def __init__(self, job: _Job, format: TranscriptFormat, console: Console) -> None:
        super().__init__(job, console)
        if job.path is None:
            raise ValueError("no path")
        self._writer = TranscriptWriter(job.path, format)
        self._notices_shown = 0
        self._ended = False
        self.path: Path | None = None
        self._noticing(lambda: None)

    def segment(self, segment: Segment) -> None:
        self._noticing(lambda: self._writer.add(segment))

    def end(self, ended: Transcribed) -> None:
        self._ended = True
        if ended.reason == "cancelled":
            self._noticing(self._writer.close)
            self.stopped(ended, self._writer.partial)
            return
        self._noticing(lambda: self._writer.finish(ended))
        self.path = self._writer.path
        if not self.console.as_json:
            self.console.text(str(self.path))

    def close(self) -> None:
        self._writer.close()
        if not self._ended:
            self.console.note(f"What was said until then is in {self._writer.partial}.")

    def _noticing(self, action: Callable[[], object]) -> None:
        """Do it, and say where the transcript is kept instead if its place cannot be written to."""
        action()
        for notice in self._writer.notices[self._notices_shown :]:
            self.console.notice(notice)
        self._notices_shown = len(self._writer.notices)


class _Records(_Output):
    """One JSON object for each thing; the keys are stable."""

    def __init__(self, job: _Job, writer: _FileOutput | None, console: Console) -> None:
        super().__init__(job, console)
        self._writer = writer

    def language(self, found: LanguageFound) -> None:
        self._record("language", asdict(found))

    def segment(self, segment: Segment) -> None:
        self._record("segment", segment_record(segment))
        if self._writer:
            self._writer.segment(segment)

    def end(self, ended: Transcribed) -> None:
        output = None
        if self._writer:
            self._writer.end(ended)
            output = self._writer.path
        elif ended.reason == "cancelled":
            self.stopped(ended)
        values: dict[str, object] = asdict(ended)
        values["realtime_factor"] = ended.realtime_factor
        values["output"] = str(output) if output else None
        self._record("finished", values)

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    def _record(self, kind: str, values: dict[str, object]) -> None:
        rounded = {
            key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()
        }
        self.console.record({"type": kind, "file": str(self.job.file), **rounded})


def _open(arguments: argparse.Namespace, console: Console, store: Store) -> SpeechModel:
    """Load the speech model that the arguments name, and say what is to be said about it."""
    from engine.runtime.speech_model import SpeechModel

    pack = store.choose(arguments.model, kind="speech")
    if console.err_is_terminal:
        console.progress(Progress("load", 0, None, "steps"))
    model = SpeechModel.open(pack, device=arguments.device, threads=arguments.threads)
    console.clear()
    for notice in model.notices:
        console.notice(notice)
    return model


def _beside(file: Path, format: TranscriptFormat, is_shared: bool, console: Console) -> Path | None:
    """Where subtitles go if nobody says it: beside a video, else to standard output unless others go there too."""
    from engine.media.audio import AudioFile

    with AudioFile.open(file) as audio:
        if audio.info.has_video:
            return beside_video(file, format)
    if is_shared and not console.as_json:
        raise EngineError(
            "{file} is no video that subtitles could go beside, and several cannot share standard output.",
            "Give a folder with -o.",
            file=file.name,
        )
    return None


def _report(file: Path, error: EngineError, console: Console) -> None:
    """One line about a recording that could not be transcribed; the others go on."""
    if console.as_json:
        console.record({"type": "error", "file": str(file), "error": error.message, "hint": error.hint})
    where = "" if file.name in error.message else f"{file}: "
    console.note(f"pollux: {where}{error}")
