"""The microphone: which there are, and a recorder that a live transcription reads.

In: the key of a device, a WAV path. Out: 16 kHz mono float32 blocks for :func:`engine.tasks.transcribe.transcribe_live`, the
same sound in the file, a level for the meter, and problems as :class:`EngineError`. PortAudio (``sounddevice``) is loaded on
first use, so that the window opens without it. No Qt: a pane asks with a timer.
"""

from __future__ import annotations

import logging
import math
import queue
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import microphone_problems as problems
from app import portaudio
from app.input_devices import InputDevice, find, input_devices
from app.recorded import LONGEST_WITHOUT_FILE_S, SAMPLE_RATE_HZ, Backlog, GrowingWav
from app.resampling import Resampler
from engine.disk import not_written
from engine.errors import EngineError

__all__ = ["SILENCE_DB", "InputDevice", "Level", "Recorder", "input_devices"]

log = logging.getLogger(__name__)

SILENCE_DB = -75.0  # below the noise of any microphone that is on
SILENT_AT_START_S = 3.0
SILENT_LATER_S = 10.0  # many microphones gate their noise away while one thinks
POLL_S = 0.1
GONE_S = 2.0
NEVER_CAME_S = 6.0  # Bluetooth takes seconds to begin
PAUSE_GAP_S = 1.0  # silence that ends the phrase where one pauses
LEVEL_S = 0.3
LOWEST_DB = -120.0
BLOCK_S = 0.03
LATENCY_S = 0.1


@dataclass(frozen=True)
class Level:
    """How loud the last 0.3 s were: ``peak`` 0 to 1, ``rms_db`` in dB of full scale, -120 for nothing."""

    peak: float = 0.0
    rms_db: float = LOWEST_DB


@dataclass(frozen=True)
class _Loudness:
    at_s: float
    peak: float
    mean_square: float


class Recorder:
    """One recording. A :class:`engine.tasks.transcribe.LiveSource`: ``read`` on any one thread, the rest on another.

    PortAudio's callback only copies; a thread of its own resamples, measures, and writes. A reader that is slow loses
    nothing: what waits longer than a minute is read back from the file. Without a file half an hour may wait.
    ``problem`` is set when a recording ends by itself; ``file_problem`` when the file could not be written and another
    one, ``wav_path``, or none, takes its place.
    """

    def __init__(self, device_key: str | None = None, wav_path: Path | None = None) -> None:
        self.wav_path = wav_path
        self.problem: EngineError | None = None
        self.file_problem: EngineError | None = None
        self.device_name = ""
        self.overflows = 0  # times that the system lost sound because this program was late
        self._device_key = device_key
        self._backlog = Backlog()
        self._incoming: queue.SimpleQueue[NDArray[np.float32] | None] = queue.SimpleQueue()
        self._stream: Any = None
        self._wav: GrowingWav | None = None
        self._resampler = Resampler(SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)
        self._thread: threading.Thread | None = None
        self._paused = threading.Event()
        self._stopping = threading.Event()
        self._finished = threading.Event()  # PortAudio says that the stream ended
        self._callbacks = 0
        self._samples = 0
        self._loud_at = 0  # the last sample position that was not silence
        self._was_loud = False
        self._loudness: deque[_Loudness] = deque(maxlen=64)
        self._lock = threading.Lock()

    # What a pane asks

    @property
    def running(self) -> bool:
        """Whether it records or is paused; False before start, and once everything is in the file."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return self._paused.is_set()

    @property
    def seconds(self) -> float:
        """How much was recorded; pauses do not count."""
        return self._samples / SAMPLE_RATE_HZ

    @property
    def behind_s(self) -> float:
        """How much sound waits for its reader."""
        return self._backlog.waiting_s

    @property
    def level(self) -> Level:
        """How loud it is now."""
        since = monotonic() - LEVEL_S
        with self._lock:
            recent = [item for item in self._loudness if item.at_s >= since]
        if not recent or self.paused:
            return Level()
        mean_square = sum(item.mean_square for item in recent) / len(recent)
        return Level(min(1.0, max(item.peak for item in recent)), _decibels(mean_square))

    @property
    def silent(self) -> bool:
        """Whether there was nothing but silence for a while: a muted microphone, or one that may not be heard."""
        if not self.running or self.paused:
            return False
        limit_s = SILENT_LATER_S if self._was_loud else SILENT_AT_START_S
        return self._samples - self._loud_at >= limit_s * SAMPLE_RATE_HZ

    @property
    def silence_problem(self) -> EngineError | None:
        """What to tell the user while ``silent``."""
        return problems.silent() if self.silent else None

    # What a pane does

    def start(self) -> None:
        """Open the device and record; some 50 ms. Raises EngineError: none, not connected, busy, denied, no PortAudio."""
        try:
            sd = portaudio.hold(self)
            self._stream, rate_hz = self._open(sd)
            self._resampler = Resampler(rate_hz, SAMPLE_RATE_HZ)
            self._open_file()
            self._begin(sd)
        except BaseException:
            self._close_stream()
            self._close_file()
            self._backlog.end()
            raise
        self._thread = threading.Thread(target=self._pump, name="recorder", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Leave out what is said from now on; the device stays open, so that going on is instant."""
        if self.running and not self._paused.is_set():
            self._paused.set()
            self._incoming.put(None)

    def resume(self) -> None:
        """Go on."""
        self._paused.clear()

    def stop(self, wait_s: float = 0.0) -> None:
        """End the recording; ``read`` gives the rest, then None. The file is whole when ``running`` is False."""
        self._stopping.set()
        if self._thread is None:
            self._backlog.end()
        elif wait_s > 0:
            self._thread.join(wait_s)

    def read(self, timeout_s: float) -> NDArray[np.float32] | None:
        """The sound since the last call, 16 kHz mono, at most 5 s; empty if none came in time; None at the end."""
        return self._backlog.read(timeout_s)

    # Opening

    def _open(self, sd: ModuleType) -> tuple[Any, int]:
        """A stream, not yet started, and its rate: what speech models take if the device gives it, else its own."""
        device = find(sd, self._device_key)
        self.device_name = device.name
        own_hz = round(device.sample_rate_hz) or 48_000
        tries = [
            (SAMPLE_RATE_HZ, 1),
            (own_hz, 1),
            (own_hz, min(2, device.channels)),
            (own_hz, device.channels),
        ]
        refused: Exception | None = None
        for rate_hz, channels in dict.fromkeys(tries):
            try:
                stream = sd.InputStream(
                    samplerate=rate_hz,
                    channels=channels,
                    dtype="float32",
                    device=device.index,
                    blocksize=round(rate_hz * BLOCK_S),
                    latency=LATENCY_S,
                    callback=self._callback,
                    finished_callback=self._finished.set,
                )
                return stream, rate_hz
            except (sd.PortAudioError, ValueError) as error:
                refused = error
                if portaudio.error_code(error) not in portaudio.FORMAT_REFUSED:
                    break
        assert refused is not None
        raise problems.cannot_open(refused, device.name) from refused

    def _open_file(self) -> None:
        if self.wav_path is None:
            return
        try:
            self._wav = GrowingWav(self.wav_path)
        except OSError as error:
            self._use_other_file(error)

    def _use_other_file(self, error: OSError) -> None:
        """Keep the sound elsewhere, and say where."""
        assert self.wav_path is not None
        wanted = self.wav_path
        try:
            self.wav_path = Path(tempfile.mkdtemp(prefix="pollux-")) / wanted.name
            self._wav = GrowingWav(self.wav_path)
        except OSError:
            self.wav_path = None
            self.file_problem = not_written(wanted, error)
            return
        self.file_problem = EngineError(
            "{file} cannot be written: {reason}.",
            "The recording is kept in {other}.",
            file=wanted,
            reason=error.strerror or type(error).__name__,
            other=self.wav_path,
        )

    def _begin(self, sd: ModuleType) -> None:
        try:
            self._stream.start()
        except sd.PortAudioError as error:
            raise problems.cannot_open(error, self.device_name) from error

    # PortAudio's thread

    def _callback(self, indata: NDArray[np.float32], _frames: int, _time: object, status: Any) -> None:
        self._callbacks += 1
        if status and status.input_overflow:
            self.overflows += 1
        if not self._paused.is_set():
            self._incoming.put(indata.copy())

    # The recorder's thread

    def _pump(self) -> None:
        try:
            seen, idle_polls = 0, 0
            while not self._stopping.is_set() and self.problem is None:
                taken = self._take(POLL_S)
                # Polls are counted, not the clock: a computer that slept has not lost its microphone
                idle_polls = 0 if taken or self._callbacks != seen else idle_polls + 1
                seen = self._callbacks
                if self._finished.is_set() or idle_polls * POLL_S >= (GONE_S if seen else NEVER_CAME_S):
                    name = self.device_name
                    self.problem = problems.unplugged(name) if seen else problems.gives_nothing(name)
                elif self._wav is None and self.behind_s >= LONGEST_WITHOUT_FILE_S:
                    self.problem = problems.reader_too_slow(round(LONGEST_WITHOUT_FILE_S / 60))
            self._close_stream()
            while self._take(0.0):
                pass
            self._keep(self._resampler.flush())
        finally:
            self._close_stream()
            self._close_file()
            self._backlog.end()
            if self.overflows:
                log.warning("The system lost sound %d times", self.overflows)

    def _take(self, timeout_s: float) -> bool:
        """Handle one block; False if there was none."""
        try:
            block = self._incoming.get(timeout=timeout_s) if timeout_s else self._incoming.get_nowait()
        except queue.Empty:
            return False
        if block is None:  # a pause begins
            self._keep(np.zeros(round(PAUSE_GAP_S * SAMPLE_RATE_HZ), np.float32), measured=False)
            return True
        mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
        self._keep(self._resampler.push(mono))
        return True

    def _keep(self, samples: NDArray[np.float32], measured: bool = True) -> None:
        """Write 16 kHz samples to the file, hand them to the reader, and measure them."""
        if not len(samples):
            return
        if self._wav is not None:
            try:
                self._wav.write(samples)
            except OSError as error:
                self._lose_file(error)
        self._samples += len(samples)
        wav = self._wav
        self._backlog.push(samples, wav.path if wav else None, wav.samples if wav else 0)
        if not measured:
            self._loud_at = self._samples
            return
        mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
        with self._lock:
            self._loudness.append(_Loudness(monotonic(), float(np.max(np.abs(samples))), mean_square))
        if _decibels(mean_square) > SILENCE_DB:
            self._loud_at, self._was_loud = self._samples, True

    def _lose_file(self, error: OSError) -> None:
        """The disk is full or gone: what it holds is kept, the recording goes on in memory."""
        assert self._wav is not None
        self.file_problem = not_written(self._wav.path, error)
        log.warning("The recording's file cannot be written any more: %s", error.strerror)
        self._close_file()
        self._wav = None

    # Ends

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()  # errors of a device that is gone are ignored in there
        portaudio.let_go(self)

    def _close_file(self) -> None:
        if self._wav is not None:
            self._wav.close()


def _decibels(mean_square: float) -> float:
    """Of full scale, never below ``LOWEST_DB``."""
    return max(LOWEST_DB, 10.0 * math.log10(mean_square)) if mean_square > 0 else LOWEST_DB
