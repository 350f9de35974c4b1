"""Where somebody speaks: Silero's voice activity detector, and the splitter that cuts by it.

In: 16 kHz mono samples, as they come. Out: for each window of 32 ms the probability that it holds speech.
:class:`Splitter`, :class:`SplitOptions` and :class:`Chunk` are of :mod:`engine.media.splitter`.
"""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engine import folders
from engine.media.splitter import WINDOW_SAMPLES, Chunk, SplitOptions, Splitter
from engine.runtime.own_models import open_own_model

__all__ = ["WINDOW_SAMPLES", "Chunk", "SplitOptions", "Splitter", "Vad"]

MODEL_NAME = "silero_vad_16k_sequence.onnx"
CONTEXT_SAMPLES = 64  # of the window before, which the model wants to see again
STATE_SHAPE = (1, 1, 128)  # of the LSTM
WINDOWS_AT_ONCE = 128  # 4 s; the model runs along them by itself, twice as fast as one call for each


class Vad:
    """Silero VAD on one CPU thread. It remembers what it heard; ``reset`` before other sound."""

    def __init__(self, session: ort.InferenceSession) -> None:
        """Use :meth:`open`."""
        self._session = session
        self.reset()

    @classmethod
    def open(cls) -> Vad:
        """Load the model that ships with Pollux. Raises EngineError if that is missing or damaged."""
        path = folders.resources_folder() / "vad" / MODEL_NAME
        return cls(open_own_model(path, threads=1))

    def reset(self) -> None:
        """Forget what was heard."""
        self._hidden = np.zeros(STATE_SHAPE, np.float32)
        self._cell = np.zeros(STATE_SHAPE, np.float32)
        # What waits for the rest of its window, behind the context of that window.
        self._waiting = np.zeros(CONTEXT_SAMPLES, np.float32)

    def probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """[windows] of 512 samples each that are complete now; what is left over counts next time."""
        sound = np.concatenate((self._waiting, np.asarray(samples, np.float32)))
        windows = (len(sound) - CONTEXT_SAMPLES) // WINDOW_SAMPLES
        self._waiting = sound[windows * WINDOW_SAMPLES :].copy()
        if not windows:
            return np.zeros(0, np.float32)
        size = CONTEXT_SAMPLES + WINDOW_SAMPLES
        rows = sliding_window_view(sound, size)[::WINDOW_SAMPLES][:windows]  # [windows, 576], no copy
        found = []
        for begin in range(0, windows, WINDOWS_AT_ONCE):
            part = np.ascontiguousarray(rows[begin : begin + WINDOWS_AT_ONCE])
            feeds = {"input": part, "h": self._hidden, "c": self._cell}
            given, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], feeds)
            found.append(np.asarray(given, np.float32).reshape(-1))
        return np.concatenate(found)
