"""Makes films for the tests: scenes of still and moving pictures, drawn here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 160, 96
RATE = 10


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture of a few coloured areas, like no other one."""
    rng = np.random.default_rng(seed)
    tiles = rng.integers(20, 236, (3, 5, 3)).astype(np.uint8)
    return np.repeat(np.repeat(tiles, 32, axis=0), 32, axis=1)


def marked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its left upper corner red and its right lower one blue."""
    pixels = pixels.copy()
    pixels[:40, :60], pixels[-40:, -60:] = (230, 10, 10), (10, 10, 230)
    return pixels


def shots(*pictures: NDArray[np.uint8], each_s: float, rate: int = RATE) -> Iterator[NDArray[np.uint8]]:
    """Each picture for so long, with a little noise that changes."""
    rng = np.random.default_rng(0)
    for picture in pictures:
        for _ in range(round(each_s * rate)):
            noise = rng.integers(-6, 7, picture.shape)
            yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def write_film(  # noqa: PLR0917
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    codec: str = "mpeg4",
    key_every: int = 10,
    rate: int = RATE,
    sound: bool = False,
) -> Path:
    """Encode ``frames``, with a key frame each ``key_every``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = WIDTH_PX, HEIGHT_PX
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = key_every
        stream.bit_rate = 400_000
        if codec == "mpeg4":
            stream.options = {
                "sc_threshold": "1000000000"
            }  # key frames where they are asked for, nowhere else
        noise = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
        if isinstance(noise, av.AudioStream):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts = 16_000, 0
            for packet in (*noise.encode(silence), *noise.encode(None)):
                container.mux(packet)
    return path


def turn(path: Path, degrees: int) -> Path:
    """Tell players of an .mp4 file to turn it clockwise, as telephones do."""
    one, matrices = 1 << 16, {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    a, b, c, d = (value * one for value in matrices[degrees])
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    numbers = (a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data[at : at + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in numbers)
    path.write_bytes(bytes(data))
    return path
