"""The sound of a recording between the microphone and the model: a WAV file that is whole at any moment, and a backlog.

In: 16 kHz mono float32 blocks. Out: the file (16-bit PCM), and the same sound for a reader that may be slow. A recorder's
thread pushes, a model's thread reads.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
HEADER_BYTES = 44
LONGEST_READ_S = 5.0
MEMORY_S = 60.0  # 3.8 MB; what waits longer is read back from the file
LONGEST_WITHOUT_FILE_S = 1800.0  # 115 MB


class GrowingWav:
    """A WAV file whose header is true after every write: a killed program leaves a file that plays to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = 0
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._file.write(self._header())

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append; raises OSError where the disk is full or gone."""
        pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes()
        self._file.seek(HEADER_BYTES + self.samples * SAMPLE_BYTES)
        view = memoryview(pcm)
        while view:  # an unbuffered file may take a part only
            view = view[self._file.write(view) :]
        self.samples += len(samples)
        self._file.seek(0)
        self._file.write(self._header())

    def close(self) -> None:
        """The file is whole already."""
        self._file.close()

    def _header(self) -> bytes:
        data_bytes = self.samples * SAMPLE_BYTES
        riff_bytes = min(data_bytes + HEADER_BYTES - 8, 0xFFFFFFFF)  # 37 hours; players then read to the end
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF",
            riff_bytes,
            b"WAVE",
            b"fmt ",
            16,
            1,  # PCM
            1,  # channel
            SAMPLE_RATE_HZ,
            SAMPLE_RATE_HZ * SAMPLE_BYTES,
            SAMPLE_BYTES,
            SAMPLE_BYTES * 8,
            b"data",
            min(data_bytes, 0xFFFFFFFF),
        )


def read_wav_part(path: Path, first_sample: int, samples: int) -> NDArray[np.float32]:
    """A piece of a :class:`GrowingWav`; raises OSError."""
    with path.open("rb") as file:
        file.seek(HEADER_BYTES + first_sample * SAMPLE_BYTES)
        return np.frombuffer(file.read(samples * SAMPLE_BYTES), "<i2").astype(np.float32) / 32767.0


class Backlog:
    """Sound that waits for its reader: the newest ``MEMORY_S`` in memory, what is older on the disk, nothing lost."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._blocks: deque[NDArray[np.float32]] = deque()
        self._first = 0  # position of the first sample in memory
        self._end = 0
        self._read = 0
        self._ended = False
        self._file: Path | None = None
        self._in_file = 0  # samples that can be read back

    def push(self, samples: NDArray[np.float32], file: Path | None, in_file: int) -> None:
        """Append; ``file`` holds the first ``in_file`` samples of the recording."""
        with self._changed:
            self._blocks.append(samples)
            self._end += len(samples)
            self._file, self._in_file = file, in_file
            while self._blocks:
                after = self._first + len(self._blocks[0])
                stale = after <= self._read
                on_disk = file is not None and after <= in_file
                if not stale and not (on_disk and self._end - after >= MEMORY_S * SAMPLE_RATE_HZ):
                    break
                self._blocks.popleft()
                self._first = after
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def waiting_s(self) -> float:
        """How far the reader is behind."""
        with self._changed:
            return (self._end - self._read) / SAMPLE_RATE_HZ

    def read(self, timeout_s: float) -> NDArray[np.float32] | None:
        """The next samples, at most ``LONGEST_READ_S``; empty when none came in time; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._end > self._read, timeout_s)
            if self._end == self._read:
                return None if self._ended else np.zeros(0, np.float32)
            start = self._read
            count = min(self._end - start, int(LONGEST_READ_S * SAMPLE_RATE_HZ))
            if self._file is None or start >= self._first:
                self._read = start + count
                return self._from_memory(start, count)
            file, count = self._file, min(count, self._first - start)
            self._read = start + count
        try:
            return read_wav_part(file, start, count)
        except OSError:  # the disk went away: keep the times right
            return np.zeros(count, np.float32)

    def _from_memory(self, start: int, count: int) -> NDArray[np.float32]:
        taken, position = [], self._first
        for block in self._blocks:
            if position >= start + count:
                break
            low = max(0, start - position)
            if low < len(block):
                taken.append(block[low : start + count - position])
            position += len(block)
        return np.concatenate(taken)
