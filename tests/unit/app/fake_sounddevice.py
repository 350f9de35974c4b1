"""A ``sounddevice`` that a test drives: devices, refusals, and sound that comes when the test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

Callback = Callable[[np.ndarray, int, object, object], None]


class PortAudioError(Exception):
    """As sounddevice's: text, PaErrorCode, (host API, its code, its text)."""


class CallbackStop(Exception):  # noqa: N818
    """As sounddevice's."""


def device(name: str, hostapi: int = 0, inputs: int = 1, outputs: int = 0, rate: float = 48_000.0) -> dict:
    return {
        "name": name,
        "hostapi": hostapi,
        "max_input_channels": inputs,
        "max_output_channels": outputs,
        "default_samplerate": rate,
    }


class Stream:
    """Input or output; the test calls ``give`` or ``take``."""

    latency = 0.1

    def __init__(self, sd: FakeSoundDevice, **options: Any) -> None:
        sd.asked.append((options["samplerate"], options["channels"], options.get("device")))
        refusal = sd.refuse(options)
        if refusal is not None:
            raise refusal
        self.options = options
        self.rate_hz: int = options["samplerate"]
        self.channels: int = options["channels"]
        self.started = self.closed = False
        self._start_error = sd.start_error
        sd.streams.append(self)
        sd.opened.set()

    def start(self) -> None:
        if self._start_error is not None:
            raise self._start_error
        self.started = True

    def abort(self) -> None:
        self.started = False

    def close(self) -> None:
        self.closed = True

    def give(self, samples: np.ndarray, overflow: bool = False) -> None:
        """Sound ``[n]`` or ``[n, channels]`` from the device."""
        block = samples.astype(np.float32).reshape(len(samples), -1)
        status = SimpleNamespace(input_overflow=True) if overflow else None
        self.options["callback"](
            np.repeat(block, self.channels // block.shape[1], 1), len(block), None, status
        )

    def take(self, frames: int) -> np.ndarray:
        """What the device would play now; ends the stream as PortAudio does."""
        out = np.full((frames, self.channels), 9.0, np.float32)
        try:
            self.options["callback"](out, frames, None, None)
        except CallbackStop:
            self.vanish()
        return out

    def vanish(self) -> None:
        """The stream ends by itself."""
        self.options["finished_callback"]()


class FakeSoundDevice:
    """Stands in ``sys.modules`` for the module."""

    PortAudioError = PortAudioError
    CallbackStop = CallbackStop

    def __init__(self) -> None:
        self.devices = [device("Headset"), device("Speakers", inputs=0, outputs=2)]
        self.host_apis = [{"name": "ALSA", "default_input_device": 0, "default_output_device": 1}]
        self.default = SimpleNamespace(device=(0, 1))
        self.refuse: Callable[[dict[str, Any]], Exception | None] = lambda _options: None
        self.start_error: Exception | None = None
        self.streams: list[Stream] = []
        self.asked: list[tuple[int, int, object]] = []
        self.opened = threading.Event()
        self.begun = 0

    def query_devices(self, kind: str | None = None) -> Any:
        if kind is None:
            return self.devices
        found = [item for item in self.devices if item[f"max_{kind}_channels"]]
        if not found:
            raise PortAudioError("Error querying device -1")
        return found[0]

    def query_hostapis(self) -> list[dict]:
        return self.host_apis

    def _initialize(self) -> None:
        self.begun += 1

    def _terminate(self) -> None:
        assert all(stream.closed for stream in self.streams), "PortAudio begins anew under an open stream"

    def InputStream(self, **options: Any) -> Stream:  # noqa: N802
        return Stream(self, **options)

    def OutputStream(self, **options: Any) -> Stream:  # noqa: N802
        return Stream(self, **options)
