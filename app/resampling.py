"""Change the rate of sound as it flows, for devices that refuse the rate of speech models.

In: mono float32 blocks at one rate. Out: the same sound at another rate, a few milliseconds later.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


class Resampler:
    """Streams with state; equal rates pass straight through. Not for several threads."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = None
        self._pts = 0
        if from_hz != to_hz:
            import av

            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=to_hz)

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The next block ``[n]``; returns what is ready, perhaps nothing."""
        if self._resampler is None:
            return samples
        if not len(samples):
            return np.zeros(0, np.float32)
        import av

        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32)[None, :], format="flt", layout="mono"
        )
        frame.sample_rate = self._from_hz
        frame.time_base = Fraction(1, self._from_hz)
        frame.pts = self._pts
        self._pts += len(samples)
        return self._join(self._resampler.resample(frame))

    def flush(self) -> NDArray[np.float32]:
        """What is still inside; the stream ends with it."""
        if self._resampler is None or not self._pts:
            return np.zeros(0, np.float32)
        return self._join(self._resampler.resample(None))

    @staticmethod
    def _join(frames: list) -> NDArray[np.float32]:
        if not frames:
            return np.zeros(0, np.float32)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32, copy=False)
