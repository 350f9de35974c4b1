"""The small models that are a part of Pollux itself (they lie under resources/), each an ONNX Runtime session on the CPU.

In: the path of the file. Out: a session. That there is none is told as what it is: an installation that is not whole.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.runtime.session import ORT_ERRORS, QUIET, Interrupted


def open_own_model(path: Path, threads: int, sizes_vary: bool = False) -> ort.InferenceSession:
    """Load ``path`` for ``threads`` threads. Raises EngineError if it is missing or damaged.

    With ``sizes_vary`` the session keeps no memory for each size of input that it ever saw.
    """
    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if sizes_vary:
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
    try:
        return ort.InferenceSession(
            os.fspath(path), options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except ORT_ERRORS as error:
        raise EngineError(
            "A file of Pollux itself is missing or damaged: {file}", "Install Pollux again.", file=path.name
        ) from error


class PictureModel:
    """A model with one input and one output, for pictures of any size."""

    def __init__(self, path: Path, threads: int) -> None:
        """Raises EngineError if the file is missing or damaged."""
        session = open_own_model(path, threads, sizes_vary=True)
        self._session: ort.InferenceSession | None = session
        self._input = session.get_inputs()[0].name
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def run(self, values: NDArray[np.float32], cancel: Cancel) -> NDArray[np.float32]:
        """What the model makes of ``values``.

        Raises Interrupted where ``cancel`` was set before it came to its end, EngineError where memory is short.
        """
        if self._session is None:
            raise RuntimeError("the model is closed")
        if cancel.is_set:
            raise Interrupted
        options = ort.RunOptions()  # a new one each time: once terminated it stays so
        options.log_severity_level = QUIET

        def interrupt() -> None:
            options.terminate = True

        try:
            with cancel.interrupting(interrupt):
                [given] = self._session.run(None, {self._input: values}, options)
        except ORT_ERRORS as error:
            if cancel.is_set:  # by our flag, never by the text of the error
                raise Interrupted from error
            raise EngineError(
                "There is not enough memory to read this picture.", "Close other programs and try again."
            ) from error
        return np.asarray(given, np.float32)

    def close(self) -> None:
        """Free the memory. May be called twice."""
        self._session = None
