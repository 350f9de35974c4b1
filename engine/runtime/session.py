"""One ONNX Runtime session: which device runs it, how many threads, and what its errors mean to a user.

In: the path of an ONNX file (untrusted, its folder checked by :mod:`engine.packs`) and the user's choice of device.
Out: a :class:`Session` that says what it really runs on, and runs bound buffers until done or cancelled.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import psutil
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state  # type: ignore[attr-defined]

from engine import machine
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Notice
from engine.runtime import devices
from engine.runtime.devices import CPU, Device

# Everything that ONNX Runtime raises: its own classes, and what pybind makes of C++ exceptions.
ORT_ERRORS: tuple[type[Exception], ...] = (
    *(
        kind
        for kind in vars(ort_state).values()
        if isinstance(kind, type) and issubclass(kind, Exception) and kind.__module__ == ort_state.__name__
    ),
    RuntimeError,
    MemoryError,
)
NUMPY_TYPES = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
}
# Of the heavy nodes a device must run at least this share, whatever providers the session lists. A model whose
# attention has to leave the GPU in each layer is slower there than on the CPU, so "auto" asks for more.
LEAST_SHARE = 0.5
LEAST_SHARE_AUTO = 0.9
HEAVY_OPERATORS = ("MatMul", "Gemm", "Attention")

QUIET = 4  # what goes wrong is raised; said on a user's terminal too, it is noise
ort.set_default_logger_severity(QUIET)
ort.disable_telemetry_events()


class Interrupted(Exception):  # noqa: N818  not an error
    """The run under way was cancelled; nothing it did counts."""


class DeviceFailure(Exception):  # noqa: N818
    """A device other than the CPU failed while the model ran; the CPU can take over."""


class UnsuitedModel(DeviceFailure):
    """The device is sound, but most of the work of this model would not run there."""


@dataclass(frozen=True)
class TensorInfo:
    """An input or output. ``shape`` holds numbers, and None for dimensions that vary."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    @property
    def dtype(self) -> np.dtype | None:
        """The element type in numpy; None where numpy has none or we do not use it."""
        return NUMPY_TYPES.get(self.type)


class Session:
    """An open model file. Close it to free its memory."""

    def __init__(
        self, path: Path, device: Device, threads: int = 0, least_share: float = LEAST_SHARE
    ) -> None:
        """Open ``path`` on ``device`` and on nothing else but the CPU.

        ``threads`` 0 means one for each physical core. Raises EngineError where the file is to blame, and
        DeviceFailure where the device is, or where it would run less than ``least_share`` of the work.
        """
        self.path = path
        self.threads = threads or machine.physical_cores()
        options = _options(device, self.threads)
        providers: list[str] = [device.provider] if device is CPU else [device.provider, CPU.provider]
        try:
            self._session: ort.InferenceSession | None = ort.InferenceSession(
                os.fspath(path), options, providers=providers, enable_fallback=0
            )
        except ORT_ERRORS as error:
            if device is not CPU:
                raise DeviceFailure(reason(error)) from error
            raise explained(error, path) from error
        self.device = device
        # What the session says, not what was asked for: a provider may be left out without an error.
        if device.provider not in self._session.get_providers():
            self.close()
            raise DeviceFailure("ONNX Runtime could not start it")
        if device is not CPU and _share(self._session, device) < least_share:
            self.close()
            raise UnsuitedModel("this model is not made for it")
        self.inputs = {info.name: _tensor_info(info) for info in self._session.get_inputs()}
        self.outputs = {info.name: _tensor_info(info) for info in self._session.get_outputs()}

    def binding(self) -> ort.IOBinding:
        """A new set of bound inputs and outputs."""
        return self._open().io_binding()

    def input_device(self, name: str) -> tuple[str, int]:
        """Where the session wants this input: ("cpu", 0), or ("cuda", 0) and the like."""
        if self.device is CPU:
            return "cpu", 0
        session = self._open()
        for info, memory in zip(session.get_inputs(), session.get_input_memory_infos(), strict=True):
            if info.name == name and memory.name.lower() in devices.MEMORY_NAMES:
                return devices.MEMORY_NAMES[memory.name.lower()], memory.device_id
        return "cpu", 0

    def run(self, binding: ort.IOBinding, cancel: Cancel) -> None:
        """Run once. Raises Interrupted where ``cancel`` was set and the run did not come to its end.

        Otherwise a failure is an EngineError on the CPU and a DeviceFailure elsewhere.
        """
        if cancel.is_set:
            raise Interrupted
        options = ort.RunOptions()  # a new one each time: once terminated it stays so
        options.log_severity_level = QUIET

        def interrupt() -> None:
            options.terminate = True

        session = self._open()
        try:
            with cancel.interrupting(interrupt):
                session.run_with_iobinding(binding, options)
        except ORT_ERRORS as error:
            if cancel.is_set:  # by our flag, never by the text of the error
                raise Interrupted from error
            raise self.failure(error) from error

    def failure(self, error: Exception) -> EngineError | DeviceFailure:
        """What an error of ONNX Runtime means here: on the CPU the user's problem, elsewhere the device's."""
        return explained(error, self.path) if self.device is CPU else DeviceFailure(reason(error))

    def close(self) -> None:
        """Free the session; what was bound from it must be let go of too."""
        self._session = None

    def _open(self) -> ort.InferenceSession:
        if self._session is None:
            raise RuntimeError("the session is closed")
        return self._session


def open_session(
    path: Path, device: str, threads: int, try_out: Callable[[Session], None]
) -> tuple[Session, tuple[Notice, ...]]:
    """Open ``path`` on the device that the user chose, or on the best one that works with "auto".

    ``try_out`` runs the model once: a device counts as working only after that. Whatever fails, the CPU
    takes over, and a Notice says so, unless nobody asked for that device: with "auto" only an NVIDIA GPU that
    is there and fails is worth a word.
    """
    least_share = LEAST_SHARE_AUTO if device == "auto" else LEAST_SHARE
    notices: list[Notice] = []
    for candidate in devices.candidates(device):
        missing = devices.missing(candidate)
        if missing:
            if device != "auto":
                notices.append(missing)
            continue
        session = None
        try:
            session = Session(path, candidate, threads, least_share)
            try_out(session)
        except UnsuitedModel as failure:
            if device != "auto":
                notices.append(fallback_notice(candidate, str(failure)))
        except DeviceFailure as failure:
            if session is not None:
                session.close()
            if device != "auto" or candidate is devices.CUDA:
                notices.append(fallback_notice(candidate, str(failure)))
        else:
            return session, tuple(notices)
    session = Session(path, CPU, threads)
    try_out(session)
    return session, tuple(notices)


def fallback_notice(device: Device, why: str) -> Notice:
    """Says that the CPU took over from ``device``."""
    return Notice(
        "cpu_fallback",
        "{device} failed, so the model now runs on the CPU. The reason given: {reason}",
        {"device": device.label, "reason": why},
    )


def reason(error: Exception) -> str:
    """The first line of an error of ONNX Runtime, without its number and without source positions."""
    text = str(error).strip() or type(error).__name__
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", text.splitlines()[0])
    text = re.sub(r"^Load model from .*? failed:", "", text)
    # Then a source file, a line and a C++ signature, in front of the sentence that says something.
    text = re.sub(r"\S*\.(cc|h|cu):\d+ .*\)(?: const)?(?: \[.*?\])? ", "", text)
    return text.strip()[:200]


def explained(error: Exception, path: Path) -> EngineError:
    """What an error of ONNX Runtime means to the user."""
    text = str(error).lower()
    values = {"file": path.name, "model": path.parent.name, "reason": reason(error)}
    if (
        isinstance(error, MemoryError)
        or "bad alloc" in text
        or "allocate memory" in text
        or "bad_alloc" in text
    ):
        return out_of_memory(path.parent.name)
    if isinstance(error, ort_state.NoSuchFile | ort_state.NotFound) or "file doesn't exist" in text:
        return EngineError(
            "A file of the model {model} is missing: {reason}", "Remove the model and add it again.", **values
        )
    if (
        isinstance(error, ort_state.NotImplemented)
        or "ir version" in text
        or "opset" in text
        or "is not a registered function/op" in text
        or "no op registered" in text
    ):
        return EngineError(
            "The model {model} uses something that this version of Pollux does not know: {reason}",
            "It was made by a newer exporter: update Pollux, or get the model in an older format.",
            **values,
        )
    if isinstance(error, ort_state.InvalidProtobuf | ort_state.NoModel) or "no graph was found" in text:
        return EngineError(
            "The model file {file} of {model} is damaged.", "Remove the model and add it again.", **values
        )
    return EngineError(
        "The model {model} cannot be run: {reason}",
        "Remove the model and add it again, or use another.",
        **values,
    )


def fits_memory(bytes_: int) -> bool:
    """Whether so much more memory can be had. In doubt yes: what the system caches counts as free."""
    return bytes_ <= min(psutil.virtual_memory().available, machine.total_memory_bytes())


def trim_memory() -> None:
    """Give freed memory back to the system: glibc keeps what was freed in small pieces unless told not to."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # other C libraries lack the call
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def out_of_memory(model: str) -> EngineError:
    """Not enough memory for the model or for what it has to remember."""
    return EngineError(
        "There is not enough memory to run {model}.",
        "Close other programs, begin a new conversation, or use a smaller model.",
        model=model,
    )


def _options(device: Device, threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if device is not CPU:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if device.key == "directml":  # it works with neither
        options.enable_mem_pattern = False
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    return options


def _share(session: ort.InferenceSession, device: Device) -> float:
    """The share of the model's heavy nodes that ``device`` runs; 1 if it has none, or all are fused there."""
    total = mine = 0
    for part in session.get_provider_graph_assignment_info():
        heavy = sum(any(word in node.op_type for word in HEAVY_OPERATORS) for node in part.get_nodes())
        total += heavy
        mine += heavy if part.ep_name == device.provider else 0
    return mine / total if total else 1.0


def _tensor_info(info: ort.NodeArg) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) else None for size in info.shape)
    return TensorInfo(info.name, info.type, shape)
