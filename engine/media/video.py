"""Key frames of any video file: a few pictures that stand for it, and when they are shown.

In: the path of an untrusted file in any container and codec that FFmpeg decodes. Out: a :class:`VideoFile` that chooses moments
(:mod:`engine.media.video_scenes`) and gives the frames there, upright. First only key frames are decoded, small; of a long
video some are looked up; where there are next to none, the beginning is decoded whole.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from engine import machine
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.containers import open_container, unreadable
from engine.media.video_scenes import SMALL_PX, Sight, choose

AT_MOST = 8
MAX_SIDE_PX = 2048
LONGEST_S = 1e6  # a duration above that is a wrong header
LONG_S = 600.0  # videos from here on are looked into here and there, not read through
LOOKS_MOST = 240
LEAST_STEP_S = 0.5  # between frames that are looked at
# So few key frames, or one in so many seconds, say little of a video: then all frames are decoded, up to so many pixels.
FEW = 4
FEW_EACH_S = 12.0
DECODED_PIXELS_MOST = 3000 * 1920 * 1080
DECODED_MOST = 3000
SOUGHT_MOST = 600  # frames from a key frame to the wanted one
# Where a container knows its places only roughly, the wanted frame may be before the one that is found.
BACK_S = (0.0, 10.0)
FAILURES_MOST = 20  # places of a long video where there is no frame
PACKETS_MOST = 3000  # without a frame, after a place was looked up
FAILED_PACKETS = 200  # with nothing decoded: none will be
BROKEN_READS = 20  # in a row: the rest of the file is not read
SHORT_BY_S = 3.0  # what may be missing at the end before it is worth a word
PICTURES = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
PROTECTED_TAGS = ("encv", "drmi")


@dataclass(frozen=True)
class VideoInfo:
    """What a file says about itself; ``duration_s`` is None where it does not say. Pixels as shown: upright."""

    duration_s: float | None
    width_px: int
    height_px: int
    codec: str
    container: str
    has_sound: bool


@dataclass(frozen=True)
class Frame:
    """A frame ``at_s`` seconds from the beginning. ``pixels`` is uint8 [height, width, 3], RGB, upright."""

    at_s: float
    pixels: NDArray[np.uint8]
    info: VideoInfo


def key_frames(path: Path, at_most: int = AT_MOST, cancel: Cancel | None = None) -> Iterator[Frame]:
    """The key frames of the video ``path``, in order. Raises EngineError as :meth:`VideoFile.open`."""
    cancel = cancel or Cancel()
    video = VideoFile.open(path)
    yield from video.frames(video.moments(at_most, cancel), cancel)


class VideoFile:
    """A file with moving pictures that can be decoded. ``damaged`` says, after :meth:`moments`, whether a part is missing."""

    def __init__(self, path: Path, info: VideoInfo) -> None:
        """Use :meth:`open`."""
        self.path = path
        self.info = info
        self.damaged = False

    @classmethod
    def open(cls, path: Path) -> VideoFile:
        """Decode the first frame. A cover picture in a file of sound is no video.

        Raises EngineError: no such file, a folder, no permission, empty, neither sound nor video, a playlist, no moving
        pictures, an unknown codec, copy protection, nothing that can be decoded.
        """
        with closing(open_container(path)) as container:
            reader = _Reader(path, container, Cancel())
            stream = reader.stream
            for _, frame in reader.frames():
                turned = _rotation(frame) % 180 != 0
                width, height = _shown_size(frame, stream)
                info = VideoInfo(
                    duration_s=_duration_s(container, stream),
                    width_px=height if turned else width,
                    height_px=width if turned else height,
                    codec=stream.codec_context.name,
                    container=container.format.name,
                    has_sound=bool(container.streams.audio),
                )
                return cls(path, info)
        raise EngineError(
            "The pictures in {file} cannot be decoded.",
            "It is damaged or copy-protected. Try to play it, and convert it, or get it again.",
            file=path.name,
        )

    def moments(self, at_most: int, cancel: Cancel) -> tuple[float, ...]:
        """The times in seconds of at most so many frames that stand for the video; what was found by then when cancelled."""
        duration_s = self.info.duration_s or 0.0
        step_s = max(LEAST_STEP_S, duration_s / LOOKS_MOST)
        sights = self._looked_up(duration_s, cancel) if duration_s > LONG_S else []
        if len(sights) < FEW:  # not long, or nothing can be looked up in it
            sights = self._read_through(step_s, cancel)
        if len(sights) < max(FEW, duration_s / FEW_EACH_S) and duration_s <= LONG_S:
            sights = _merged(sights, self._decoded_whole(step_s, cancel), step_s / 2)
        return tuple(sight.at_s for sight in choose(sights, at_most, duration_s))

    def frames(self, moments: Sequence[float], cancel: Cancel) -> Iterator[Frame]:
        """The frames at ``moments``, as :meth:`moments` gave them; ends early when cancelled. A frame that is gone is left out."""
        for at_s in moments:
            pixels: NDArray[np.uint8] | None = None
            for from_s in (*(at_s - back_s for back_s in BACK_S), None):
                pixels = None if cancel.is_set else self._frame(at_s, from_s, cancel)
                if pixels is not None:
                    break
            if cancel.is_set:
                return
            if pixels is not None:
                yield Frame(at_s, pixels, self.info)

    def _frame(self, at_s: float, from_s: float | None, cancel: Cancel) -> NDArray[np.uint8] | None:
        """The frame at ``at_s``, decoding from the key frame before ``from_s`` on, or from the beginning."""
        with closing(open_container(self.path)) as container:
            reader = _Reader(self.path, container, cancel)
            if from_s is not None and not reader.seek(max(0.0, from_s)):
                return None
            most = DECODED_MOST if from_s is None else SOUGHT_MOST
            for number, (time_s, frame) in enumerate(reader.frames()):
                if number >= most or time_s > at_s + LEAST_STEP_S:
                    return None
                if time_s >= at_s - 1e-3:
                    return self._upright(reader, frame)
            return None

    def _looked_up(self, duration_s: float, cancel: Cancel) -> list[Sight]:
        """Key frames from all over a long video."""
        sights: list[Sight] = []
        failures = 0
        with closing(open_container(self.path)) as container:
            reader = _Reader(self.path, container, cancel)
            reader.stream.codec_context.skip_frame = "NONKEY"
            for number in range(LOOKS_MOST):
                if cancel.is_set or failures > FAILURES_MOST:
                    break
                if not reader.seek(duration_s * number / LOOKS_MOST):
                    failures += 1
                    continue
                time_s, frame = next(reader.frames(packets_most=PACKETS_MOST), (0.0, None))
                if frame is None:
                    failures += 1
                elif not sights or time_s > sights[-1].at_s:
                    sights.append(reader.sight(time_s, frame))
        self.damaged = failures > 1
        return sights

    def _read_through(self, step_s: float, cancel: Cancel) -> list[Sight]:
        """All key frames, as long as they are not closer than ``step_s``."""
        with closing(open_container(self.path)) as container:
            reader = _Reader(self.path, container, cancel)
            reader.stream.codec_context.skip_frame = "NONKEY"
            sights: list[Sight] = []
            for time_s, frame in reader.frames(step_s):
                if len(sights) >= 4 * LOOKS_MOST:
                    return sights
                if not sights or time_s - sights[-1].at_s >= step_s * 0.9:
                    sights.append(reader.sight(time_s, frame))
            short = (self.info.duration_s or 0.0) - reader.end_s > SHORT_BY_S
            self.damaged = reader.broken or reader.failed > 1 or short
            return sights

    def _decoded_whole(self, step_s: float, cancel: Cancel) -> list[Sight]:
        """Frames of any kind, from the beginning on."""
        most = min(DECODED_MOST, DECODED_PIXELS_MOST // (self.info.width_px * self.info.height_px))
        with closing(open_container(self.path)) as container:
            sights: list[Sight] = []
            reader = _Reader(self.path, container, cancel)
            for number, (time_s, frame) in enumerate(reader.frames()):
                if number >= most:
                    break
                if not sights or time_s - sights[-1].at_s >= step_s * 0.99:
                    sights.append(reader.sight(time_s, frame))
            return sights

    def _upright(self, reader: _Reader, frame: VideoFrame) -> NDArray[np.uint8]:
        quarters = round(_rotation(frame) / 90) % 4
        width, height = self.info.width_px, self.info.height_px
        if quarters % 2:
            width, height = height, width
        scale = min(1.0, MAX_SIDE_PX / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return np.ascontiguousarray(np.rot90(reader.pixels(frame, *size), quarters))


class _Reader:
    """The frames of one stream with their times, past whatever cannot be decoded."""

    def __init__(self, path: Path, container: InputContainer, cancel: Cancel) -> None:
        """Raises EngineError where there is no such stream."""
        self.failed = 0  # packets that could not be decoded
        self.broken = False  # the rest of the file could not be read
        self.end_s = 0.0  # of what was read, decoded or not
        self.stream = stream = _stream(path, container)
        self._path, self._container, self._cancel = path, container, cancel
        self._base_s = float(stream.time_base or 0)
        begin = stream.start_time * self._base_s if stream.start_time is not None else None
        self._begin_s = begin if begin is not None else (container.start_time or 0) / 1e6
        self._count = 0

    def seek(self, at_s: float) -> bool:
        """Go to the last key frame at or before ``at_s``."""
        try:
            self._container.seek(round((at_s + self._begin_s) / self._base_s), stream=self.stream)
        except (FFmpegError, OSError, ValueError, ArithmeticError):
            return False
        return True

    def frames(
        self, step_s: float = 0.0, packets_most: int = sys.maxsize
    ) -> Iterator[tuple[float, VideoFrame]]:
        """All that can be decoded; with ``step_s`` only key frames that far apart. Ends when cancelled.

        Raises EngineError if the disk fails.
        """
        in_a_row, packets, next_s = 0, 0, -LONGEST_S
        while True:
            try:
                for packet in self._container.demux(self.stream):
                    in_a_row = 0
                    packets += 1
                    if self._cancel.is_set or packets > packets_most:
                        return
                    stamp = packet.pts if packet.pts is not None else packet.dts
                    if stamp is not None:
                        time_s = stamp * self._base_s - self._begin_s
                        self.end_s = max(self.end_s, time_s)
                        if step_s and (not packet.is_keyframe or time_s < next_s):
                            continue
                        next_s = time_s + step_s
                    try:
                        frames = packet.decode()
                    except (FFmpegError, ValueError):
                        self.failed += 1
                        if self.failed >= FAILED_PACKETS and not self._count:
                            return
                        continue
                    for frame in frames:
                        if isinstance(frame, VideoFrame) and not frame.is_corrupt:
                            yield self._time_s(frame), frame
                return
            except (FFmpegError, EOFError, IndexError) as error:
                # A place that cannot be read: FFmpeg goes on behind it if asked again. (PyAV's IndexError, at the end, is about
                # streams that came up on the way.)
                in_a_row += 1
                if isinstance(error, EOFError | IndexError) or in_a_row > BROKEN_READS:
                    self.broken = not isinstance(error, EOFError | IndexError)
                    return
            except OSError as error:
                raise unreadable(self._path, error) from error

    def sight(self, at_s: float, frame: VideoFrame) -> Sight:
        """The frame, small."""
        return Sight(at_s, self.pixels(frame, SMALL_PX, SMALL_PX))

    def pixels(self, frame: VideoFrame, width: int, height: int) -> NDArray[np.uint8]:
        """The frame in that size, uint8 [height, width, 3], RGB. Raises EngineError for pixels of an unknown kind."""
        try:
            return np.asarray(frame.reformat(width, height, "rgb24").to_ndarray(), np.uint8)
        except (FFmpegError, ValueError) as error:
            raise _unknown(self._path) from error

    def _time_s(self, frame: VideoFrame) -> float:
        self._count += 1
        stamp = frame.pts if frame.pts is not None else frame.dts
        if stamp is not None:
            return max(0.0, stamp * self._base_s - self._begin_s)
        return (self._count - 1) / float(self.stream.average_rate or 25)


def _stream(path: Path, container: InputContainer) -> VideoStream:
    """The first stream of moving pictures that there is a decoder for; packets of all others are skipped."""
    moving = [stream for stream in container.streams.video if not stream.disposition & PICTURES]
    if not moving:
        raise EngineError("There are no moving pictures in {file}.", "Choose a video.", file=path.name)
    usable = [stream for stream in moving if getattr(stream, "codec_context", None) is not None]
    if any((stream.codec_context.codec_tag or "") in PROTECTED_TAGS for stream in usable):
        raise EngineError(
            "{file} is copy-protected (DRM) and cannot be read.",
            "Use a copy without protection.",
            file=path.name,
        )
    if not usable:
        raise _unknown(path)
    for other in container.streams:
        if other.index != usable[0].index:
            other.discard = Discard.all
    usable[0].codec_context.thread_type = "AUTO"
    usable[0].codec_context.thread_count = machine.physical_cores()
    return usable[0]


def _unknown(path: Path) -> EngineError:
    return EngineError(
        "The pictures in {file} are in a format that Pollux does not know.",
        "Convert it to another, for example to MP4.",
        file=path.name,
    )


def _merged(key: list[Sight], others: list[Sight], near_s: float) -> list[Sight]:
    """Both, in order, without those of the first that the second has as well."""
    times_s = np.array([sight.at_s for sight in others])
    kept = [sight for sight in key if not len(times_s) or np.abs(times_s - sight.at_s).min() > near_s]
    return sorted([*kept, *others], key=lambda sight: sight.at_s)


def _rotation(frame: VideoFrame) -> int:
    """By how many degrees counter-clockwise a frame has to be turned to be upright."""
    return int(getattr(frame, "rotation", 0) or 0)


def _shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Width and height with square pixels, before a turn."""
    ratio = float(stream.sample_aspect_ratio or 1) or 1.0
    if not 0.2 < ratio < 5:
        ratio = 1.0
    return max(1, round(frame.width * ratio)), frame.height


def _duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        found = float(stream.duration * stream.time_base)
    else:
        found = (container.duration or 0) / 1e6
    return found if 0 < found < LONGEST_S else None
