"""Makes sound files for the tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

CLIPS = Path(__file__).parents[3] / "data" / "speech"
RATE_HZ = 16_000


def chirps(seconds: float) -> NDArray[np.float32]:
    """Sound that is different at each place, so that a shift shows."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.4 * np.sin(2 * np.pi * (200 + 90 * t + 60 * np.sin(t)) * t)).astype(np.float32)


def write(
    path: Path,
    sound: NDArray[np.float32],
    codec: str,
    rate: int = RATE_HZ,
    sample_format: str = "s16",
    *,
    layout: str = "mono",
    tracks: int = 1,
) -> Path:
    """Encode ``sound`` (16 kHz mono) into each of ``tracks`` tracks."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream(codec, rate=rate, layout=layout) for _ in range(tracks)]
        for stream in streams:
            assert isinstance(stream, av.AudioStream)
            resampler = av.AudioResampler(sample_format, layout, rate)
            frame = av.AudioFrame.from_ndarray(sound[None].copy(), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
            for piece in (*resampler.resample(frame), *resampler.resample(None)):
                for packet in stream.encode(piece):
                    container.mux(packet)
            for packet in stream.encode(None):
                container.mux(packet)
    return path


def write_video(path: Path) -> Path:
    """A video without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 5)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path
