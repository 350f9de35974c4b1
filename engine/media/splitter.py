"""Cuts sound into chunks of speech for the recogniser, as it comes.

In: 16 kHz mono samples and a detector that says how likely each window of 32 ms holds speech. Out: :class:`Chunk` items
in order of time, none longer than the recogniser can take. Silence between chunks is thrown away at once, so that memory
stays bounded however long the recording is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
WINDOW_SAMPLES = 512  # 32 ms
PUSH_SAMPLES = SAMPLE_RATE_HZ * 4  # a long push is taken in parts, so that it does not fill the memory


class Detector(Protocol):
    """What the splitter needs of :class:`engine.media.vad.Vad`."""

    def probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """For each window of 512 samples that is complete now."""
        ...

    def reset(self) -> None:
        """Forget what was heard."""
        ...


@dataclass(frozen=True)
class SplitOptions:
    """How to cut. Speech begins at a probability of ``threshold`` and ends below ``neg_threshold`` for ``min_silence_s``.

    What is shorter than ``min_speech_s`` is left out. Spans less than ``gap_s`` apart become one chunk while that stays
    within ``longest_s``. ``pad_s`` of what is around a span comes along. Raises ValueError for values that cannot be.
    """

    longest_s: float = 30.0
    pad_s: float = 0.2
    min_speech_s: float = 0.25
    min_silence_s: float = 0.1
    gap_s: float = 1.5
    threshold: float = 0.5
    neg_threshold: float = 0.35

    def __post_init__(self) -> None:
        if self.longest_s < 1 or min(self.pad_s, self.min_speech_s, self.min_silence_s, self.gap_s) < 0:
            raise ValueError("durations must not be negative, and longest_s at least 1")
        if 4 * self.pad_s > self.longest_s or not 0 < self.neg_threshold <= self.threshold <= 1:
            raise ValueError("the pads must be short, and 0 < neg_threshold <= threshold <= 1")


@dataclass(frozen=True)
class Chunk:
    """Contiguous sound with speech in it: sample 0 is sample ``round(start_s * 16000)`` of the recording.

    ``speech_s`` is how much of it is speech. ``cut`` says that it ends in the midst of speech, which was too long.
    """

    start_s: float
    samples: NDArray[np.float32]
    speech_s: float
    cut: bool = False

    @property
    def end_s(self) -> float:
        """Where it ends, seconds from the beginning of the recording."""
        return self.start_s + len(self.samples) / SAMPLE_RATE_HZ


class Splitter:
    """Finds the chunks in sound that is pushed bit by bit. All positions inside are samples of the recording."""

    def __init__(self, vad: Detector, options: SplitOptions | None = None, start_s: float = 0.0) -> None:
        """``start_s`` is where in the recording the first pushed sample stands."""
        self._vad = vad
        self._options = options or SplitOptions()
        self._longest = _samples(self._options.longest_s)
        self._pad = _samples(self._options.pad_s)
        self._shortest = _samples(self._options.min_speech_s)
        self._silence = _samples(self._options.min_silence_s)
        self._gap = _samples(self._options.gap_s)
        self._sound = _Sound(_samples(start_s))
        self._restart()

    def _restart(self) -> None:
        self._vad.reset()
        self._judged = self._sound.end  # the windows before this have their probability
        self._taken = self._sound.end  # no chunk may begin before this: the one before ends here
        self._spans: list[tuple[int, int]] = []  # finished ones of the chunk that is open
        self._span_start: int | None = None  # of the one that goes on
        self._quiet_since: int | None = None  # where it may turn out to have ended
        self._likely: list[float] = []  # probabilities of the windows of the span that goes on

    def settle(self, samples: NDArray[np.float32], not_before_s: float) -> None:
        """Let the detector hear what stands before the first pushed sound: whole windows of it.

        For a run that goes on where another one stopped; no chunk begins before ``not_before_s``, which is later than
        the first pushed sound by less than a window.
        """
        self._vad.probabilities(samples)
        self._taken = _samples(not_before_s)

    def push(self, samples: NDArray[np.float32]) -> list[Chunk]:
        """Take more sound; the chunks that are complete now."""
        chunks: list[Chunk] = []
        sound = np.asarray(samples, np.float32).reshape(-1)
        for begin in range(0, len(sound), PUSH_SAMPLES):
            part = sound[begin : begin + PUSH_SAMPLES]
            self._sound.append(part)
            for likely in self._vad.probabilities(part).tolist():
                self._judge(likely, chunks)
            self._sound.forget(self._safe)
        return chunks

    def flush(self) -> list[Chunk]:
        """The sound ends here: what is still open. More may be pushed afterwards; it goes on from here."""
        chunks: list[Chunk] = []
        left = self._sound.end - self._judged
        if left > 0:
            rest = np.zeros(WINDOW_SAMPLES - left, np.float32)
            for likely in self._vad.probabilities(rest)[:1].tolist():
                self._judge(likely, chunks)
        if self._span_start is not None:
            self._end_span(self._sound.end if self._quiet_since is None else self._quiet_since)
        self._emit(chunks)
        self._restart()
        self._sound.forget(self._sound.end)
        return chunks

    @property
    def heard_s(self) -> float:
        """How far in the recording the pushed sound reaches."""
        return self._sound.end / SAMPLE_RATE_HZ

    @property
    def safe_s(self) -> float:
        """Every chunk that begins before this has been returned."""
        return self._safe / SAMPLE_RATE_HZ

    @property
    def speaking(self) -> bool:
        """Whether somebody speaks at the moment."""
        return self._span_start is not None

    def current(self) -> Chunk | None:
        """The chunk that is still open, as far as it was heard; None if there is none."""
        speech = sum(end - start for start, end in self._spans)
        if self._span_start is not None:
            speech += (self._quiet_since or self._judged) - self._span_start
            end = self._sound.end
        elif self._spans:
            end = min(self._spans[-1][1] + self._pad, self._sound.end)
        else:
            return None
        if speech < self._shortest:
            return None
        start = self._safe
        end = min(end, start + self._longest)
        return Chunk(start / SAMPLE_RATE_HZ, self._sound.between(start, end), speech / SAMPLE_RATE_HZ)

    @property
    def _safe(self) -> int:
        """Where the open chunk begins, or the next one could."""
        start = self._spans[0][0] if self._spans else self._span_start
        return max(self._taken, (self._judged if start is None else start) - self._pad)

    def _judge(self, likely: float, chunks: list[Chunk]) -> None:
        """Take the probability of the next window."""
        start, self._judged = self._judged, self._judged + WINDOW_SAMPLES
        if self._span_start is None:
            if likely < self._options.threshold:
                self._close_if_quiet(chunks)
                return
            self._span_start, self._quiet_since, self._likely = start, None, []
        self._likely.append(likely)
        if likely >= self._options.threshold:
            self._quiet_since = None
        elif likely < self._options.neg_threshold:
            if self._quiet_since is None:
                self._quiet_since = start
            if self._judged - self._quiet_since >= self._silence:
                self._end_span(self._quiet_since)
                self._close_if_quiet(chunks)
                return
        if self._judged + WINDOW_SAMPLES - self._safe > self._longest:
            self._make_room(chunks)

    def _end_span(self, end: int) -> None:
        start, self._span_start = self._span_start, None
        if start is not None and end - start >= self._shortest:
            self._spans.append((start, end))

    def _close_if_quiet(self, chunks: list[Chunk]) -> None:
        """Hand the open chunk over if nothing can join it any more."""
        if self._spans and self._judged - self._spans[-1][1] >= max(self._gap, self._pad):
            self._emit(chunks)

    def _make_room(self, chunks: list[Chunk]) -> None:
        """The open chunk is full while somebody speaks: end it before this span, or else in the midst of it."""
        start = self._span_start
        assert start is not None
        if self._spans:
            self._emit(chunks, before=start)
            return
        # The least likely window of the last third, the last of equal ones: the shortest remainder to guess from.
        first = -(-(self._safe + self._longest * 2 // 3 - start) // WINDOW_SAMPLES)
        tail = self._likely[first:]
        lowest = first + min(range(len(tail)), key=lambda at: (tail[at], -at))
        cut = start + lowest * WINDOW_SAMPLES + WINDOW_SAMPLES // 2
        quiet = self._quiet_since
        self._spans = [(start, cut)]
        self._emit(chunks, before=cut, cut=True)
        self._span_start, self._likely = cut, self._likely[lowest + 1 :]
        self._quiet_since = None if quiet is None else max(quiet, cut)

    def _emit(self, chunks: list[Chunk], before: int | None = None, cut: bool = False) -> None:
        """Close the open chunk. ``before`` is where speech goes on; half of the pause belongs to each side."""
        if not self._spans:
            return
        start, spoken_till = self._safe, self._spans[-1][1]
        end = min(spoken_till + self._pad, start + self._longest, self._sound.end)
        if before is not None:
            end = min(end, (spoken_till + before) // 2)
        speech = sum(till - since for since, till in self._spans)
        sound = self._sound.between(start, end)
        chunks.append(Chunk(start / SAMPLE_RATE_HZ, sound, speech / SAMPLE_RATE_HZ, cut))
        self._spans = []
        self._taken = end


class _Sound:
    """The last seconds of a recording, addressed by position in the whole of it."""

    def __init__(self, position: int) -> None:
        self._room = np.empty(PUSH_SAMPLES * 2, np.float32)
        self._start = position  # of what stands at 0 in the room
        self._begin = position  # what is before this is no longer needed
        self.end = position

    def append(self, samples: NDArray[np.float32]) -> None:
        used = self.end - self._start
        if used + len(samples) > len(self._room):
            kept = self._room[self._begin - self._start : used]
            needed = 2 * (len(kept) + len(samples))
            room = self._room if needed <= len(self._room) else np.empty(needed, np.float32)
            room[: len(kept)] = kept
            self._room, self._start, used = room, self._begin, len(kept)
        self._room[used : used + len(samples)] = samples
        self.end += len(samples)

    def forget(self, before: int) -> None:
        self._begin = max(self._begin, min(before, self.end))

    def between(self, start: int, end: int) -> NDArray[np.float32]:
        return self._room[start - self._start : end - self._start].copy()


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
