"""The sound of any audio or video file, at 16 kHz mono, as a stream.

In: the path of an untrusted file in any container and codec that FFmpeg decodes. Out: an :class:`AudioFile` that says what
is in it and gives its sound block by block, from any place on, in constant memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.media.containers import not_decoded, open_container, unreadable
from engine.media.timeline import SAMPLE_RATE_HZ, Timeline

__all__ = ["SAMPLE_RATE_HZ", "AudioFile", "AudioInfo"]

LONGEST_S = 1e6  # a duration above that is a wrong header
SEEK_BEFORE_S = 2.0  # decoders need some packets to settle
# Containers that find a place by time exactly. In others everything before it is decoded and thrown away.
SEEKABLE = ("wav", "w64", "flac", "mp3", "mov", "matroska", "ogg", "aiff", "caf")
# Containers whose header says how long they are whatever there is of them.
DECLARING = ("flac", "mov", "matroska", "asf", "aiff", "caf", "ape", "tta", "wv")
SHORT_BY_S = 1.0  # what may be missing at the end before it is worth a word
FAILED_PACKETS = 500  # with nothing decoded: none will be
BROKEN_READS = 20  # in a row: the rest of the file is not read
PICTURES = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
PROTECTED_TAGS = ("drms", "enca", "aavd", "aavi")
CUT_OFF = "its end is missing"
DAMAGED = "parts of it are damaged"


@dataclass(frozen=True)
class AudioInfo:
    """What a file says about itself; ``duration_s`` is None where it does not say. Cover pictures are no video."""

    duration_s: float | None
    sample_rate_hz: int
    channels: int
    codec: str
    container: str
    has_video: bool


class AudioFile:
    """A file with sound that can be decoded. ``damage`` says, after a pass, what was wrong with it; "" if nothing."""

    def __init__(self, path: Path, info: AudioInfo, stream: int) -> None:
        """Use :meth:`open`. ``stream`` is the number of the sound track among the sound tracks."""
        self.path = path
        self.info = info
        self.damage = ""
        self._stream = stream
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> AudioFile:
        """Find the first sound track that can be decoded.

        Raises EngineError: no such file, a folder, no permission, empty, neither sound nor video, a playlist, a video
        without sound, an unknown codec, copy protection, nothing that can be decoded.
        """
        with closing(open_container(path)) as container:
            tracks = list(container.streams.audio)
            if not tracks:
                raise _silent(path, container)
            usable = [
                at for at, track in enumerate(tracks) if getattr(track, "codec_context", None) is not None
            ]
            protected = [track for track in tracks if _tag(track) in PROTECTED_TAGS]
        if protected:
            raise EngineError(
                "{file} is copy-protected (DRM) and cannot be read.",
                "Use a copy without protection.",
                file=path.name,
            )
        if not usable:
            raise EngineError(
                "The sound of {file} is in a format that Pollux does not know.",
                "Convert it to another, for example to FLAC or MP3.",
                file=path.name,
            )
        failed = False
        for at in usable:
            info, tried = _probe(path, at)
            if info is not None:
                return cls(path, info, at)
            failed = failed or tried
        raise not_decoded(path) if failed else _without_sound(path)

    def blocks(self, start_s: float = 0.0, block_s: float = 1.0) -> Iterator[NDArray[np.float32]]:
        """16 kHz mono float32 in [-1, 1] from ``start_s`` on, exact to the sample, ``block_s`` each but the last.

        Damaged places become silence, a damaged end ends the stream; ``damage`` then says so. Raises EngineError if
        the file is gone or is another one by now.
        """
        size = max(1, round(block_s * SAMPLE_RATE_HZ))
        held: list[NDArray[np.float32]] = []
        count = 0
        for piece in self._pieces(max(0.0, start_s)):
            held.append(piece)
            count += len(piece)
            if count < size:
                continue
            sound = np.concatenate(held)
            whole = count // size * size
            for begin in range(0, whole, size):
                yield sound[begin : begin + size].copy()
            held, count = [sound[whole:]], count - whole
        if count:
            yield np.concatenate(held)

    def close(self) -> None:
        """Stop what is being read. May be called twice."""
        self._closed = True

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pieces(self, start_s: float) -> Iterator[NDArray[np.float32]]:
        """From ``start_s`` on, in pieces of any length."""
        start = round(start_s * SAMPLE_RATE_HZ)
        sought = start_s > SEEK_BEFORE_S and self.info.container.split(",", 1)[0] in SEEKABLE
        for search in (True, False) if sought else (False,):
            self.damage = ""
            with closing(open_container(self.path)) as container:
                track = _track(container, self._stream)
                if track is None:
                    raise not_decoded(self.path)
                origin_s = (container.start_time or 0) / 1e6
                if search and not _seek(container, track, origin_s + start_s - SEEK_BEFORE_S):
                    continue
                reader = _Reader(self.path, container, track)
                position: int | None = None
                for piece in _timed(reader, Timeline(float(track.time_base or 0), origin_s, search)):
                    begin, sound = piece
                    position = begin if position is None else position
                    if search and position > start:
                        break  # it came out too late; all over again from the beginning
                    skip = min(len(sound), max(0, start - position))
                    position += len(sound)
                    if self._closed:
                        return
                    if skip < len(sound):
                        start = position
                        yield sound[skip:]
                else:
                    self._judge(reader, position or 0)
                    return

    def _judge(self, reader: _Reader, end_samples: int) -> None:
        """Say what was wrong with the pass that ended at ``end_samples``."""
        end_s = end_samples / SAMPLE_RATE_HZ
        declared_s = self.info.duration_s if self.info.container.split(",", 1)[0] in DECLARING else None
        if reader.broken or (declared_s or 0.0) - end_s > SHORT_BY_S or _wav_cut_off(self.path):
            self.damage = CUT_OFF
        elif reader.failed > 1:  # one is often no sound at all, but a tag
            self.damage = DAMAGED


class _Reader:
    """The frames of one track, past whatever cannot be decoded."""

    def __init__(self, path: Path, container: InputContainer, track: AudioStream) -> None:
        self.failed = 0  # packets that could not be decoded
        self.broken = False  # the rest of the file could not be read
        self._path = path
        self._container = container
        self._track = track

    def frames(self) -> Iterator[AudioFrame]:
        """All that can be decoded. Raises EngineError if the disk does not give the file."""
        in_a_row = 0
        any_decoded = False
        while True:
            try:
                for packet in self._container.demux(self._track):
                    in_a_row = 0
                    try:
                        frames = packet.decode()
                    except (FFmpegError, ValueError):
                        self.failed += 1
                        if self.failed >= FAILED_PACKETS and not any_decoded:
                            return
                        continue
                    for frame in frames:
                        if isinstance(frame, AudioFrame):
                            any_decoded = True
                            yield frame
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


def _timed(reader: _Reader, timeline: Timeline) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Pieces at 16 kHz, each with the place of the first of all."""
    for frame in reader.frames():
        for piece in timeline.push(frame):
            yield timeline.begin_samples or 0, piece
    for piece in timeline.finish():
        yield timeline.begin_samples or 0, piece


def _track(container: InputContainer, number: int) -> AudioStream | None:
    """The sound track; packets of all other streams are skipped, where possible without reading them."""
    tracks = list(container.streams.audio)
    if number >= len(tracks):
        return None
    for stream in container.streams:
        if stream.index != tracks[number].index:
            stream.discard = Discard.all
    return tracks[number]


def _seek(container: InputContainer, track: AudioStream, at_s: float) -> bool:
    try:
        container.seek(round(at_s / float(track.time_base or 0)), stream=track)
    except (FFmpegError, OSError, ValueError, ArithmeticError):
        return False
    return True


def _probe(path: Path, number: int) -> tuple[AudioInfo | None, bool]:
    """What there is to say about a sound track after its first frame, and whether something could not be decoded."""
    with closing(open_container(path)) as container:
        track = _track(container, number)
        if track is None:
            return None, False
        reader = _Reader(path, container, track)
        for frame in reader.frames():
            info = AudioInfo(
                duration_s=_duration_s(container, track),
                sample_rate_hz=frame.sample_rate,
                channels=frame.layout.nb_channels,
                codec=track.codec_context.name,
                container=container.format.name,
                has_video=_has_video(container),
            )
            return info, reader.failed > 0
        return None, reader.failed > 0 or reader.broken


def _duration_s(container: InputContainer, track: AudioStream) -> float | None:
    if track.duration and track.time_base:
        found = float(track.duration * track.time_base)
        if track.start_time is not None and container.start_time is not None:
            found += max(0.0, float(track.start_time * track.time_base) - container.start_time / 1e6)
    else:
        found = (container.duration or 0) / 1e6
    return found if 0 < found < LONGEST_S else None


def _has_video(container: InputContainer) -> bool:
    return any(not stream.disposition & PICTURES for stream in container.streams.video)


def _silent(path: Path, container: InputContainer) -> EngineError:
    if _has_video(container):
        return EngineError(
            "{file} is a video without sound.", "Choose one with a sound track.", file=path.name
        )
    return _without_sound(path)


def _without_sound(path: Path) -> EngineError:
    return EngineError("There is no sound in {file}.", "Choose a file with sound.", file=path.name)


def _tag(track: AudioStream) -> str:
    return getattr(getattr(track, "codec_context", None), "codec_tag", "") or ""


def _wav_cut_off(path: Path) -> bool:
    """Whether a WAV file says that it is longer. FFmpeg goes by what there is."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return False
    declared = int.from_bytes(head[4:8], "little") + 8
    # Programs that cannot go back to the header write no size, or the largest of 31 or 32 bits.
    return head[:4] == b"RIFF" and head[8:] == b"WAVE" and size + 1 < declared < 0x7F000000
