"""Decoded frames to continuous mono sound at 16 kHz.

In: frames of any sample format, rate and channels, each with its time. Out: 16 kHz mono float32 in [-1, 1], without holes:
sample n of the recording is what sounds n / 16000 s after its beginning. What is missing in between is silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from av import AudioFifo, AudioFrame, AudioResampler
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

    def __init__(self, tick_s: float, origin_s: float, sought: bool) -> None:
        """``tick_s`` is the unit of the frames' times, ``origin_s`` the time that counts as the recording's beginning.

        Unless it was ``sought``, silence stands before sound that begins later than that. After a search the first
        samples are left out up to one that stands on a sample at 16 kHz too, so that the resampler makes the same
        samples as if everything before had been decoded.
        """
        self.begin_samples: int | None = None
        self._tick_s = tick_s
        self._shift_s = -origin_s  # from a frame's time to the recording's
        self._sought = sought
        self._expected_s = 0.0  # when the next frame should begin
        self._leave_out = 0  # samples at the frames' rate, of what comes next
        self._rate = 0
        self._resampler: AudioResampler | None = None
        self._fifo = AudioFifo()  # frames of one kind; a frame is short, and numpy is slow on short things
        self._waiting = 0  # samples in it

    def push(self, frame: AudioFrame) -> Iterator[NDArray[np.float32]]:
        """What there is at 16 kHz after this frame."""
        rate, samples, pts = frame.sample_rate, frame.samples, frame.pts
        if rate <= 0 or samples <= 0:
            return
        if rate != self._rate:
            yield from self.finish()
            self._rate = rate
            self._resampler = (
                None if rate == SAMPLE_RATE_HZ else AudioResampler("fltp", "mono", SAMPLE_RATE_HZ)
            )
        if self.begin_samples is None:
            yield from self._begin(self._expected_s if pts is None else pts * self._tick_s + self._shift_s)
        elif pts is not None:
            hole_s = pts * self._tick_s + self._shift_s - self._expected_s
            if JITTER_S < hole_s < LONGEST_HOLE_S:
                yield from self._silence(round(hole_s * rate))
            elif abs(hole_s) > JITTER_S:  # the clock was set; what comes now still follows what was before
                self._shift_s -= hole_s
        frame.pts = None  # the queue would want them without holes
        try:
            self._fifo.write(frame)
        except ValueError:  # of another kind than those before
            yield from self._drain()
            self._fifo = AudioFifo()
            self._fifo.write(frame)
        self._waiting += samples
        self._expected_s += samples / rate
        if self._waiting >= rate * RESAMPLE_AT_ONCE_S:
            yield from self._drain()

    def finish(self) -> Iterator[NDArray[np.float32]]:
        """The rest: of all, or of what had this rate."""
        yield from self._drain()
        if self._resampler is not None:
            yield from _clipped(self._resampler.resample(None))
        self._resampler = None
        self._fifo = AudioFifo()

    def _begin(self, at_s: float) -> Iterator[NDArray[np.float32]]:
        """Find the place of the first frame."""
        at = round(at_s * self._rate)
        self.begin_samples = 0
        self._expected_s = at_s
        if at < 0:  # the lead-in of an encoder
            self._leave_out = -at
        elif self._sought:
            common = math.gcd(self._rate, SAMPLE_RATE_HZ)
            unit = self._rate // common
            units = -(-at // unit)
            self._leave_out = units * unit - at
            self.begin_samples = units * (SAMPLE_RATE_HZ // common)
        elif at_s < LONGEST_HOLE_S:
            self._expected_s = 0.0
            yield from self._silence(at)
        else:
            self._shift_s -= at_s
            self._expected_s = 0.0

    def _silence(self, samples: int) -> Iterator[NDArray[np.float32]]:
        yield from self._drain()
        self._expected_s += samples / self._rate
        while samples > 0:
            part = min(samples, self._rate)
            yield from self._resample(np.zeros(part, np.float32))
            samples -= part

    def _drain(self) -> Iterator[NDArray[np.float32]]:
        if not self._waiting:
            return
        frame = self._fifo.read()
        self._waiting = 0
        if frame is None:
            return
        sound = mono(frame)
        if self._leave_out:
            left, self._leave_out = self._leave_out, max(0, self._leave_out - len(sound))
            sound = sound[left:]
        if len(sound):
            yield from self._resample(sound)

    def _resample(self, sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """``sound`` has the frames' rate."""
        if self._resampler is None:
            yield np.clip(sound, -1.0, 1.0)
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound[None]), "fltp", "mono")
        frame.sample_rate = self._rate
        yield from _clipped(self._resampler.resample(frame))


def _clipped(frames: Sequence[AudioFrame | None]) -> Iterator[NDArray[np.float32]]:
    for frame in frames:
        if frame is not None and frame.samples:
            yield np.clip(frame.to_ndarray()[0], -1.0, 1.0)


def mono(frame: AudioFrame) -> NDArray[np.float32]:
    """[samples] at the frame's own rate, all channels mixed; full scale is 1."""
    data = frame.to_ndarray()
    channels = frame.layout.nb_channels
    data = data if frame.format.is_planar else data.reshape(-1, channels).T  # [channels, samples]
    full = FULL_SCALE.get(data.dtype.str[1:], 1.0)
    mixed = np.zeros(data.shape[1], np.float32)
    # One by one: a product of matrices would wake the threads of the linear algebra library for this.
    for channel, weight in zip(data, _weights(frame), strict=True):
        if weight:
            part = channel.astype(np.float32)
            if data.dtype.kind == "u":
                part -= np.float32(full)
            part *= np.float32(weight / full)
            mixed += part
    if data.dtype.kind == "f" and not np.isfinite(mixed.sum()):  # it would spread
        np.nan_to_num(mixed, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
        np.clip(mixed, -1.0, 1.0, out=mixed)
    return mixed


def _weights(frame: AudioFrame) -> list[float]:
    """One for each channel, together 1."""
    channels = frame.layout.nb_channels
    if channels == 1:
        return [1.0]
    weights = [CHANNEL_WEIGHTS.get(channel.name, 0.0) for channel in frame.layout.channels]
    if len(weights) != channels or not any(weights):  # nobody says what they are
        weights = [1.0] * channels
    return [weight / sum(weights) for weight in weights]
