"""How a transcript is written: plain text, SubRip, WebVTT, JSON.

In: segments, one after the other. Out: text to append, in two parts (:class:`Piece`): what stays as it is, and an end that
the next piece replaces. With its end, what was written is a whole file at any moment: a last subtitle whose time may
still change, the brackets that close JSON.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from engine.errors import EngineError
from engine.results import Segment
from engine.tasks.subtitles import Cue, CueMaker, clean

TranscriptFormat = Literal["txt", "srt", "vtt", "json"]
FORMATS: tuple[TranscriptFormat, ...] = get_args(TranscriptFormat)


@dataclass(frozen=True)
class Piece:
    """Text to append: ``settled`` for good, ``end`` until the next piece comes."""

    settled: str
    end: str = ""


@dataclass(frozen=True)
class Summary:
    """What is known of a recording as a whole. ``finished`` is False where its transcript is only a part."""

    language: str = ""
    model: str = ""
    duration_s: float = 0.0
    finished: bool = True


class Renderer(Protocol):
    """Writes one transcript."""

    def begin(self) -> Piece:
        """What stands at the top."""
        ...

    def add(self, segment: Segment) -> Piece:
        """One segment more."""
        ...

    def finish(self, summary: Summary) -> str:
        """What replaces the last end, for good."""
        ...


def renderer(format: TranscriptFormat) -> Renderer:
    """The one for ``format``; raises EngineError for an unknown one."""
    kinds = {"txt": _Text, "srt": _Srt, "vtt": _Vtt, "json": _Json}
    if format not in kinds:
        raise EngineError(
            'Transcripts cannot be written as "{format}".', "Choose txt, srt, vtt or json.", format=format
        )
    return kinds[format]()


def render(segments: Iterable[Segment], format: TranscriptFormat, summary: Summary | None = None) -> str:
    """A whole transcript."""
    made = renderer(format)
    parts = [made.begin().settled]
    parts.extend(made.add(segment).settled for segment in segments)
    return "".join(parts) + made.finish(summary or Summary())


def join_texts(texts: Iterable[str]) -> str:
    """Texts of segments as one text: a space between them, unless their script is written without any."""
    joined = ""
    for text in map(clean, texts):
        if joined and text and not (_unspaced(joined[-1]) or _unspaced(text[0])):
            joined += " "
        joined += text
    return joined


def segment_record(segment: Segment) -> dict[str, object]:
    """A segment as JSON; the keys are stable."""
    return {
        "start_s": round(segment.start_s, 3),
        "end_s": round(segment.end_s, 3),
        "text": clean(segment.text),
        "language": segment.language,
        "confidence": round(segment.confidence, 4),
        "words": [
            {
                "text": clean(word.text),
                "start_s": round(word.start_s, 3),
                "end_s": round(word.end_s, 3),
                "confidence": round(word.confidence, 4),
            }
            for word in segment.words
        ],
    }


def clock(ms: int, mark: str = ".") -> str:
    """A time as subtitles write it: 01:02:03.456."""
    seconds, thousandths = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{thousandths:03}"


def _unspaced(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" and "HANGUL" not in unicodedata.name(char, "")


class _Text:
    """One line for each segment."""

    def begin(self) -> Piece:
        return Piece("")

    def add(self, segment: Segment) -> Piece:
        text = clean(segment.text)
        return Piece(f"{text}\n" if text else "")

    def finish(self, summary: Summary) -> str:
        return ""


class _Subtitles:
    """What the two kinds of subtitles share."""

    top = ""

    def __init__(self) -> None:
        self._maker = CueMaker()
        self._settled = 0
        self._end = ""

    def begin(self) -> Piece:
        return Piece(self.top)

    def add(self, segment: Segment) -> Piece:
        settled, last = self._maker.add(segment)
        text = "".join(self._cue(cue, self._settled + index) for index, cue in enumerate(settled, 1))
        self._settled += len(settled)
        self._end = self._cue(last, self._settled + 1) if last else ""
        return Piece(text, self._end)

    def finish(self, summary: Summary) -> str:
        return self._end

    def _cue(self, cue: Cue, number: int) -> str:
        raise NotImplementedError


class _Srt(_Subtitles):
    def _cue(self, cue: Cue, number: int) -> str:
        # SubRip knows no escapes; an arrow in a text could be taken for a line of times.
        text = "\n".join(cue.lines).replace("-->", "→")
        return f"{number}\n{clock(cue.start_ms, ',')} --> {clock(cue.end_ms, ',')}\n{text}\n\n"


class _Vtt(_Subtitles):
    top = "WEBVTT\n\n"

    def _cue(self, cue: Cue, number: int) -> str:
        text = "\n".join(cue.lines).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return f"{clock(cue.start_ms)} --> {clock(cue.end_ms)}\n{text}\n\n"


class _Json:
    """One object, a line for each segment."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._language = ""

    def begin(self) -> Piece:
        return Piece('{\n"segments": [', self._end(Summary(finished=False)))

    def add(self, segment: Segment) -> Piece:
        line = ("," if self._texts else "") + "\n" + json.dumps(segment_record(segment), ensure_ascii=False)
        self._texts.append(segment.text)
        self._language = self._language or segment.language
        return Piece(line, self._end(Summary(finished=False)))

    def finish(self, summary: Summary) -> str:
        return self._end(summary, join_texts(self._texts))

    def _end(self, summary: Summary, text: str | None = None) -> str:
        # While segments come, their joined text is left out: it would be written again with each of them.
        values: dict[str, object] = {} if text is None else {"text": text}
        values["language"] = summary.language or self._language
        if text is not None:
            values |= {"model": summary.model, "duration_s": round(summary.duration_s, 3)}
        values["finished"] = summary.finished
        rest = "".join(
            f",\n{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()
        )
        return f"\n]{rest}\n}}\n"
