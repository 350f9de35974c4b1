"""One run of a player: a thread decodes, PortAudio's callback takes, the player looks.

In: a path, a start and an end in seconds. Out: sound; plain attributes that the UI thread reads (``heard_s``, ``ended``,
``error``). No Qt here, so that no thread but the UI's ever signals.
"""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import closing
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import portaudio
from app.resampling import Resampler
from engine.errors import EngineError

log = logging.getLogger(__name__)

FILE_RATE_HZ = 16_000  # what AudioFile gives
BLOCK_S = 0.2
AHEAD_BLOCKS = 10
LATENCY_S = 0.1
POLL_S = 0.1
GONE_S = 2.0


class DurationProbe:
    """Opens a recording on a thread, to learn how long it is and whether it can be read."""

    def __init__(self, path: Path) -> None:
        self.duration_s: float | None = None
        self.error: Exception | None = None
        self.done = False
        self._path = path
        threading.Thread(target=self._run, name="duration", daemon=True).start()

    def _run(self) -> None:
        from engine.media.audio import AudioFile

        try:
            with AudioFile.open(self._path) as file:
                self.duration_s = file.info.duration_s
        except EngineError as error:
            self.error = error
        finally:
            self.done = True


class Playback:
    """Plays once. ``after`` is the run before it: its device is closed first, as some take only one stream."""

    def __init__(
        self, path: Path, from_s: float, until_s: float | None, after: Playback | None = None
    ) -> None:
        self.error: Exception | None = None
        self.ended = False
        self._path = path
        self._from_s = from_s
        self._until_s = until_s
        self._after = after
        self._blocks: queue.Queue[NDArray[np.float32] | None] = queue.Queue(AHEAD_BLOCKS)
        self._rest = np.zeros(0, np.float32)
        self._rate_hz = FILE_RATE_HZ
        self._latency_s = LATENCY_S
        self._given_samples = 0
        self._callbacks = 0
        self._seen_callbacks = 0
        self._idle_polls = 0
        self._all_given = False
        self._anchor: tuple[float, float, float] | None = (
            None  # first sample of the last callback, its end, when
        )
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._stop_signal: type[Exception] = StopIteration  # sounddevice's own, once that is loaded
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Fall silent; returns at once."""
        self._stopping.set()

    def join(self, wait_s: float) -> None:
        """Wait until the device is let go."""
        self._thread.join(wait_s)

    @property
    def heard_s(self) -> float:
        """The position that is heard now: what was given to the device, less what it still holds."""
        anchor = self._anchor
        if anchor is None:
            return self._from_s
        first_s, end_s, at_s = anchor
        if self.ended:
            return end_s
        return max(self._from_s, min(end_s, first_s + (monotonic() - at_s) - self._latency_s))

    # The decoder's thread

    def _run(self) -> None:
        try:
            if self._after is not None:
                self._after.join(GONE_S)
                self._after = None
            self._play()
        except EngineError as error:
            self.error = error
        except Exception as error:  # a bug of ours: the player hands it on, as a Job does
            log.exception("Playing broke")
            self.error = error
        finally:
            portaudio.let_go(self)

    def _play(self) -> None:
        from engine.media.audio import AudioFile

        with AudioFile.open(self._path) as file:
            stream = self._open(portaudio.hold(self))
            try:
                self._feed(file)
                self._wait_for_end()
            finally:
                stream.abort()  # what is still in the device is not to be heard
                stream.close()

    def _open(self, sd: ModuleType) -> Any:
        """Open and start the default output, at the file's rate or, if it is refused, at the device's own."""
        try:
            device = sd.query_devices(kind="output")
        except (sd.PortAudioError, ValueError) as error:
            raise no_loudspeaker() from error
        if not device["max_output_channels"]:
            raise no_loudspeaker()
        self._stop_signal = sd.CallbackStop
        refused: Exception | None = None
        for rate_hz in dict.fromkeys((FILE_RATE_HZ, round(device["default_samplerate"]) or 48_000)):
            try:
                self._rate_hz = rate_hz
                stream = sd.OutputStream(
                    samplerate=rate_hz,
                    channels=1 if device["max_output_channels"] == 1 else 2,
                    dtype="float32",
                    latency=LATENCY_S,
                    callback=self._callback,
                    finished_callback=self._finished.set,
                )
                self._latency_s = float(stream.latency)
                stream.start()
                return stream
            except (sd.PortAudioError, ValueError) as error:
                refused = error
                if portaudio.error_code(error) not in portaudio.FORMAT_REFUSED:
                    break
        assert refused is not None
        raise _cannot_play(refused) from refused

    def _feed(self, file: Any) -> None:
        resampler = Resampler(FILE_RATE_HZ, self._rate_hz)
        left = None if self._until_s is None else round((self._until_s - self._from_s) * FILE_RATE_HZ)
        with closing(file.blocks(self._from_s, BLOCK_S)) as blocks:
            for block in blocks:
                piece = block if left is None else block[: max(0, left)]
                left = None if left is None else left - len(piece)
                if not self._put(resampler.push(piece)) or left == 0:
                    break
        self._put(resampler.flush())
        self._put(None)

    def _put(self, block: NDArray[np.float32] | None) -> bool:
        """Wait for room; False when it is to stop. Raises EngineError when the device is gone."""
        if block is not None and not len(block):
            return True
        while not self._stopping.is_set():
            try:
                self._blocks.put(block, timeout=POLL_S)
                return True
            except queue.Full:
                if self._device_is_gone():
                    raise _disconnected() from None
        return False

    def _wait_for_end(self) -> None:
        while not self._stopping.is_set():
            if self._finished.wait(POLL_S) or self._device_is_gone():
                if not self._all_given:
                    raise _disconnected()
                self.ended = True
                return

    def _device_is_gone(self) -> bool:
        """Asked once a poll: whether the stream ended by itself, or takes nothing for a while."""
        self._idle_polls = 0 if self._callbacks != self._seen_callbacks else self._idle_polls + 1
        self._seen_callbacks = self._callbacks
        return self._finished.is_set() or self._idle_polls * POLL_S >= GONE_S

    # PortAudio's thread

    def _callback(self, outdata: NDArray[np.float32], frames: int, _time: object, _status: object) -> None:
        self._callbacks += 1
        at_s = monotonic()
        first = self._given_samples
        filled = 0
        while filled < frames and not self._all_given:
            if not len(self._rest):
                try:
                    block = self._blocks.get_nowait()
                except queue.Empty:  # the decoder is late: a gap, and the position stands still
                    break
                if block is None:
                    self._all_given = True
                    break
                self._rest = block
            take = self._rest[: frames - filled]
            outdata[filled : filled + len(take)] = take[:, None]
            self._rest = self._rest[len(take) :]
            filled += len(take)
        outdata[filled:] = 0.0
        self._given_samples += filled
        if filled:
            self._anchor = (
                self._from_s + first / self._rate_hz,
                self._from_s + self._given_samples / self._rate_hz,
                at_s,
            )
        if self._all_given:
            raise self._stop_signal


def no_loudspeaker() -> EngineError:
    """Nothing plays here."""
    return EngineError(
        "No loudspeaker or headphones were found.",
        "Connect them, or switch them on in the sound settings of the system, and try again.",
    )


def _disconnected() -> EngineError:
    return EngineError("The loudspeaker was disconnected.", "Connect it again, or choose another one.")


def _cannot_play(error: Exception) -> EngineError:
    code = portaudio.error_code(error)
    if code == 0:
        return no_loudspeaker()
    if code == portaudio.DEVICE_UNAVAILABLE:
        return EngineError(
            "The loudspeaker is in use by another program.", "Close the program that plays, and try again."
        )
    return EngineError(
        "The sound cannot be played: {reason}.",
        "Check the sound settings of the system.",
        reason=portaudio.reason(error),
    )
