"""Decoded frames to continuous mono sound at 16 kHz.

In: frames of any sample format, rate and channels, each with its time. Out: 16 kHz mono float32 in [-1, 1], without holes:
sample n of the recording is what sounds n / 16000 s after its beginning. What is missing in between is silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from av import AudioFrame, AudioResampler
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
RESAMPLE_AT_ONCE_S = 0.5
JITTER_S = 0.1  # times in some containers are rounded, or wander; sound is not cut or stretched for that
LONGEST_HOLE_S = 3600.0  # a larger one is a wrong time, not a pause

# How loud each channel is in the mix, as in FFmpeg's own and in ITU-R BS.775: centre, front, surround.
CHANNEL_WEIGHTS = {
    "FL": math.sqrt(0.5),
    "FR": math.sqrt(0.5),
    "FC": 1.0,
    "LFE": 0.0,
    "BL": 0.5,
    "BR": 0.5,
    "SL": 0.5,
    "SR": 0.5,
    "BC": 0.5,
}
# What one is in each integer sample format; unsigned ones have their zero there too.
FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


class Timeline:
    """Takes frames in order. ``begin_samples`` is where in the recording the first sample stands that came out."""

    def __init__(self, origin_s: float, sought: bool) -> None:
        """``origin_s`` is the time that counts as the recording's beginning.

        Unless it was ``sought``, silence stands before sound that begins later than that. After a search the first
        samples are left out up to one that stands on a sample at 16 kHz too, so that the resampler makes the same
        samples as if everything before had been decoded.
        """
        self.begin_samples: int | None = None
        self._shift_s = -origin_s  # from a frame's time to the recording's
        self._sought = sought
        self._expected_s = 0.0  # when the next frame should begin
        self._rate = 0
        self._resampler: AudioResampler | None = None
        self._waiting: list[NDArray[np.float32]] = []
        self._waiting_samples = 0

    def push(self, frame: AudioFrame) -> Iterator[NDArray[np.float32]]:
        """What there is at 16 kHz after this frame."""
        sound, rate = mono(frame), frame.sample_rate
        if rate <= 0 or not len(sound):
            return
        at_s = None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
        if rate != self._rate:
            yield from self.finish()
            self._rate = rate
            self._resampler = (
                None if rate == SAMPLE_RATE_HZ else AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
            )
        if self.begin_samples is None:
            sound = yield from self._first(sound, self._expected_s if at_s is None else at_s + self._shift_s)
        elif at_s is not None:
            hole_s = at_s + self._shift_s - self._expected_s
            if JITTER_S < hole_s < LONGEST_HOLE_S:
                yield from self._silence(round(hole_s * rate))
            elif abs(hole_s) > JITTER_S:  # the clock was set; what comes now still follows what was before
                self._shift_s -= hole_s
        yield from self._take(sound)

    def finish(self) -> Iterator[NDArray[np.float32]]:
        """The rest: of all, or of what had this rate."""
        if self._rate:
            yield from self._resample()
            if self._resampler is not None:
                yield from self._out(self._resampler.resample(None))
        self._rate = 0

    def _first(self, sound: NDArray[np.float32], at_s: float) -> Iterator[NDArray[np.float32]]:
        """Find the place of the first frame; returns what is left of it."""
        at = round(at_s * self._rate)
        self.begin_samples = 0
        if at < 0:  # the lead-in of an encoder
            self._expected_s = at / self._rate
            self._expected_s = 0.0 if -at < len(sound) else (at + len(sound)) / self._rate
            if -at >= len(sound):
                self.begin_samples = None
            return sound[-at:]
        if not self._sought:
            if at < LONGEST_HOLE_S * self._rate:
                yield from self._silence(at)
            else:
                self._shift_s -= at_s
            return sound
        common = math.gcd(self._rate, SAMPLE_RATE_HZ)
        unit = self._rate // common
        units = -(-at // unit)
        self.begin_samples = units * (SAMPLE_RATE_HZ // common)
        self._expected_s = units * unit / self._rate
        return sound[units * unit - at :]

    def _silence(self, samples: int) -> Iterator[NDArray[np.float32]]:
        while samples > 0:
            part = min(samples, self._rate)
            yield from self._take(np.zeros(part, np.float32))
            samples -= part

    def _take(self, sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        self._expected_s += len(sound) / self._rate
        self._waiting.append(sound)
        self._waiting_samples += len(sound)
        if self._waiting_samples >= self._rate * RESAMPLE_AT_ONCE_S:
            yield from self._resample()

    def _resample(self) -> Iterator[NDArray[np.float32]]:
        if not self._waiting_samples:
            return
        sound = np.concatenate(self._waiting)
        self._waiting, self._waiting_samples = [], 0
        if self._resampler is None:
            yield np.clip(sound, -1.0, 1.0)
            return
        frame = AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        frame.sample_rate = self._rate
        yield from self._out(self._resampler.resample(frame))

    def _out(self, frames: list[AudioFrame | None]) -> Iterator[NDArray[np.float32]]:
        for frame in frames:
            if frame is not None and frame.samples:
                yield np.clip(frame.to_ndarray()[0], -1.0, 1.0)


def mono(frame: AudioFrame) -> NDArray[np.float32]:
    """[samples] at the frame's own rate, all channels mixed; full scale is 1."""
    data = frame.to_ndarray()
    channels = frame.layout.nb_channels
    data = data if frame.format.is_planar else data.reshape(-1, channels).T  # [channels, samples]
    full = FULL_SCALE.get(data.dtype.str[1:])
    sound = data.astype(np.float32)
    if full is None:  # floating point: what is not a number would spread
        np.nan_to_num(sound, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    else:
        if data.dtype.kind == "u":
            sound -= np.float32(full)
        sound *= np.float32(1 / full)
    if channels == 1:
        return sound[0]
    weights = np.array(
        [CHANNEL_WEIGHTS.get(channel.name, 0.0) for channel in frame.layout.channels], np.float32
    )
    if len(weights) != channels or not weights.any():  # nobody says what they are
        weights = np.ones(channels, np.float32)
    return (weights / weights.sum()) @ sound
