"""What the command line writes: results to standard output, everything else to standard error.

In: results of the engine. Out: text or one JSON object a line, always UTF-8; a progress bar on a terminal,
a line now and then elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from engine.results import Notice, Progress

BAR_CHARS = 24
REDRAW_S = 0.1
LINE_S = 10.0  # between lines where there is no terminal
LONG_STAGES = ("load", "fetch", "export", "quantize")  # shown at once
LASTING_STAGES = ("transcribe", "describe")  # text comes in between
STAGE_NAMES = {
    "load": "Loading",
    "prefill": "Reading",
    "fetch": "Downloading",
    "unpack": "Unpacking",
    "export": "Exporting",
    "quantize": "Quantising",
    "check": "Checking",
    "copy": "Copying",
    "verify": "Verifying",
    "transcribe": "Transcribing",
    "describe": "Describing",
}


class Console:
    """Both streams, and how far the current call is."""

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = _utf8(sys.stdout)
        self._err = _utf8(sys.stderr)
        self._stage = ""
        self._stage_start_s = self._shown_s = 0.0
        self._start_done = self._last_done = 0
        self._bar_chars = 0

    @property
    def err_is_terminal(self) -> bool:
        """Whether somebody watches standard error."""
        return self._err.isatty()

    def text(self, text: str, end: str = "\n") -> None:
        """A piece of the result, shown at once."""
        self.clear()
        self._out.write(text + end)
        self._out.flush()

    def record(self, values: Mapping[str, object]) -> None:
        """A result as one line of JSON."""
        self.text(json.dumps(values, ensure_ascii=False))

    def note(self, text: str) -> None:
        """A line for the user that is no result."""
        self.clear()
        self._err.write(text + "\n")
        self._err.flush()

    def notice(self, notice: Notice) -> None:
        """Something that the engine wants known."""
        self.note(f"pollux: {notice.text}")

    def progress(self, progress: Progress) -> None:
        """Show how far a call is."""
        now = time.monotonic()
        is_back = progress.stage in LASTING_STAGES and progress.done < self._last_done  # the next recording
        self._last_done = progress.done
        if progress.stage != self._stage or is_back:
            self.restart()
            self._stage, self._stage_start_s, self._shown_s = progress.stage, now, 0.0
            self._start_done = progress.done
            if progress.stage not in LONG_STAGES:
                self._shown_s = now  # most are over before a line about them would help anybody
        is_end = progress.total is not None and progress.done >= progress.total
        pause_s = REDRAW_S if self.err_is_terminal else LINE_S
        if now - self._shown_s < pause_s and not (is_end and self._bar_chars):
            return
        self._shown_s = now
        line = self._line(progress, now - self._stage_start_s)
        if self.err_is_terminal:
            self._err.write("\r" + line.ljust(self._bar_chars))
            self._bar_chars = len(line)
        else:
            self._err.write(line + "\n")
        self._err.flush()

    def clear(self) -> None:
        """Take the bar away. It comes back with the next progress of a call that shows its results as they come."""
        if self._bar_chars:
            self._err.write("\r" + " " * self._bar_chars + "\r")
            self._err.flush()
            self._bar_chars = 0
        if self._stage not in LASTING_STAGES:
            self._stage = ""

    def restart(self) -> None:
        """Another call begins: its speed is measured anew."""
        self.clear()
        self._stage = ""

    def _line(self, progress: Progress, seconds: float) -> str:
        name = STAGE_NAMES.get(progress.stage, progress.stage)
        if progress.unit == "ms":
            return f"{name} {self._times(progress, seconds)}"
        amount = size_text(progress.done) if progress.unit == "bytes" else str(progress.done)
        if not progress.total:
            return f"{name} {amount}" if progress.done else f"{name} ..."
        share = min(progress.done / progress.total, 1.0)
        total = size_text(progress.total) if progress.unit == "bytes" else f"{progress.total} {progress.unit}"
        line = f"{share:4.0%}  {amount} of {total}"
        speed = (progress.done - self._start_done) / seconds if seconds > 1 else 0.0
        if progress.unit == "pictures" and speed > 0:
            left_s = (progress.total - progress.done) / speed
            line += f"  {speed:.2g} a second  {time_text(round(left_s * 1000))} left"
        if progress.unit == "bytes" and speed > 0:
            line += f"  {size_text(int(speed))}/s  {(progress.total - progress.done) / speed:.0f} s left"
        return f"{name} {self._bar(share)}{line}"

    def _times(self, progress: Progress, seconds: float) -> str:
        """How far into a recording, how fast compared with listening to it, and how long it will take."""
        line = time_text(progress.done)
        # Before a second has passed, a speed would be a guess.
        speed = (progress.done - self._start_done) / 1000 / seconds if seconds > 1 else 0.0
        if progress.total:
            share = min(progress.done / progress.total, 1.0)
            line = f"{self._bar(share)}{share:4.0%}  {line} of {time_text(progress.total)}"
        if speed > 0:
            line += f"  {speed:.3g}x real time"
            if progress.total:
                left_ms = max(progress.total - progress.done, 0) / speed
                line += f"  {time_text(round(left_ms))} left"
        return line

    def _bar(self, share: float) -> str:
        if not self.err_is_terminal:
            return ""
        full = int(share * BAR_CHARS)
        return f"[{'#' * full}{'.' * (BAR_CHARS - full)}] "


def size_text(size_bytes: int) -> str:
    """A size for people: 98 MB, 1.1 GB."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1_000_000 else f"{size_bytes / 1e3:.0f} kB"


def time_text(time_ms: int) -> str:
    """A time for people: 00:12:30."""
    seconds = time_ms // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _utf8(stream: TextIO | None) -> TextIO:
    """The stream, writing UTF-8 whatever the locale says; nothing at all where there is none (a windowed app)."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - lives as long as the process
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="replace")
    return stream
