"""What long calls yield: frozen dataclasses of builtins, the only values that leave the engine.

Every long call is a generator of these. Text arrives as :class:`TextChunk`, how far it is as
:class:`Progress`, what the user should know as :class:`Notice`, and the last item of a run that was not
broken by an error is one closing item (:class:`Finished` for text).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True)
class TextChunk:
    """A piece of generated text: whole characters only, in order; joined they are the answer."""

    text: str


@dataclass(frozen=True)
class Progress:
    """How far a call is. ``total`` is None where it cannot be known; ``stage`` is a stable key."""

    stage: Literal[
        "load",
        "prefill",
        "fetch",
        "unpack",
        "export",
        "quantize",
        "check",
        "copy",
        "verify",
        "transcribe",
        "describe",
        "features",
        "keywords",
        "train",
        "self-critical",
        "measure",
    ]
    done: int
    total: int | None
    unit: Literal["tokens", "bytes", "files", "steps", "ms", "pictures"]


@dataclass(frozen=True)
class Notice:
    """Something that the user should know and need not act on, such as a fall-back to the CPU.

    ``code`` is a stable key (``cpu_fallback``, ``turns_dropped``); ``template`` and ``values`` work as
    in :class:`engine.errors.EngineError`.
    """

    code: str
    template: str
    values: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The notice, filled in."""
        return self.template.format(**self.values)


@dataclass(frozen=True)
class Finished:
    """The end of a generation. Durations in seconds, counts in tokens; ``text`` is the whole answer."""

    reason: FinishReason
    text: str
    model: str
    provider: str
    prompt_tokens: int
    cached_tokens: int
    new_tokens: int
    context_tokens: int
    context_limit_tokens: int
    first_token_s: float
    prefill_s: float
    decode_s: float

    @property
    def decode_tokens_per_s(self) -> float:
        """Tokens a second after the first one; 0 where there was only one."""
        return (self.new_tokens - 1) / self.decode_s if self.new_tokens > 1 and self.decode_s > 0 else 0.0


@dataclass(frozen=True)
class Word:
    """A word, or in languages without spaces a few characters, and when it is said.

    ``text`` begins with a space where the text has one, so that joined words are the text. ``confidence`` is the
    model's probability for it, 0 to 1.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Segment:
    """A sentence or so of speech. ``words`` is empty unless they were asked for; ``confidence`` is 0 to 1."""

    start_s: float
    end_s: float
    text: str
    language: str
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class LanguageFound:
    """The language that a recording is in, before its first segment. ``probability`` is 1 where it was given."""

    language: str
    probability: float


@dataclass(frozen=True)
class LiveText:
    """What was heard so far of a phrase that is still being said; the next one, or a Segment, replaces it."""

    start_s: float
    text: str


@dataclass(frozen=True)
class Transcribed:
    """The end of a transcription. ``audio_s`` is how far it got, ``speech_s`` how much of that was speech."""

    reason: FinishReason
    language: str
    model: str
    provider: str
    audio_s: float
    speech_s: float
    wall_s: float
    segments: int

    @property
    def realtime_factor(self) -> float:
        """Seconds of work for each second of audio; 0 where there was none."""
        return self.wall_s / self.audio_s if self.audio_s > 0 else 0.0


@dataclass(frozen=True)
class Transcript:
    """A whole transcription. ``duration_s`` is how much of the recording was read; ``str()`` gives the text."""

    text: str
    language: str
    segments: tuple[Segment, ...]
    duration_s: float
    model: str = ""

    def __str__(self) -> str:
        return self.text

    def save(self, path: str | Path) -> Path:
        """Write it as the ending of ``path`` says (.txt, .srt, .vtt or .json); returns where it is.

        That is another place where ``path`` cannot be written to. Raises EngineError where there is none either.
        """
        from engine.tasks.transcripts import TranscriptWriter

        with TranscriptWriter(Path(path)) as writer:
            for segment in self.segments:
                writer.add(segment)
            ended = Transcribed(
                "stop", self.language, self.model, "", self.duration_s, 0.0, 0.0, len(self.segments)
            )
            return writer.finish(ended)


Style = Literal["short", "alt", "detailed"]


@dataclass(frozen=True)
class Subject:
    """Something that is likely in a picture. ``name`` is English, ``name_zh`` Chinese; ``confidence`` is 0 to 1."""

    name: str
    name_zh: str
    confidence: float


@dataclass(frozen=True)
class TextLine:
    """A line of text in a picture. ``box`` is left, top, right, bottom as shares of the picture, 0 to 1."""

    text: str
    confidence: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Colour:
    """A colour that much of a picture has. ``share`` is 0 to 1; ``hex`` is "#rrggbb"."""

    name: str
    name_zh: str
    hex: str
    share: float


@dataclass(frozen=True)
class Look:
    """Where the model looked for one word of a caption.

    ``start`` and ``end`` are offsets of the word in the English caption; ``attention`` is float32 [rows, columns] over the
    picture, summing to 1; ``confidence`` is the model's probability for the word.
    """

    word: str
    start: int
    end: int
    confidence: float
    attention: NDArray[np.float32]


@dataclass(frozen=True)
class Findings:
    """What was found in a picture beside its caption. Sizes in pixels as shown; texts are "" where there are none.

    ``place`` is where it was taken, in words or as coordinates; ``damage`` why a part of the file is missing.
    """

    width_px: int
    height_px: int
    format: str
    subjects: tuple[Subject, ...] = ()
    text: tuple[TextLine, ...] = ()
    colours: tuple[Colour, ...] = ()
    taken: str = ""
    place: str = ""
    camera: str = ""
    damage: str = ""


@dataclass(frozen=True)
class Described:
    """The end of a description, or of an answer to a question about a picture.

    ``text`` is what was asked for, in the style and language asked for; ``caption`` is the image model's own English
    sentence and ``confidence`` (0 to 1) how sure of it the model is; ``unsure`` that it should be read with doubt.
    ``model`` made the caption. ``composed_by`` is the chat model that wrote ``text`` from the findings, "" where none did;
    ``language`` is that of ``text``, which may be "en" where Chinese was asked for and no model knows it.
    """

    reason: FinishReason
    text: str
    caption: str
    confidence: float
    unsure: bool
    language: str
    style: Style
    findings: Findings
    looks: tuple[Look, ...]
    model: str
    composed_by: str
    provider: str
    wall_s: float

    def __str__(self) -> str:
        return self.text
