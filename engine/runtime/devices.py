"""What can run a model on this machine, found out cheaply and quietly.

In: the user's choice ("auto", "cpu", "cuda", "directml", "coreml"). Out: the devices to try, in order, and why one
cannot be tried. ONNX Runtime lists CUDA wherever it was built with it, so the driver is asked first: trying
without a GPU takes long and writes on the terminal.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import io
import sys
from dataclasses import dataclass

import onnxruntime as ort

from engine.errors import EngineError
from engine.results import Notice


@dataclass(frozen=True)
class Device:
    """``key`` is what users type, ``label`` what they read, ``provider`` what ONNX Runtime calls it."""

    key: str
    label: str
    provider: str


CPU = Device("cpu", "CPU", "CPUExecutionProvider")
CUDA = Device("cuda", "CUDA", "CUDAExecutionProvider")
DIRECTML = Device("directml", "DirectML", "DmlExecutionProvider")
COREML = Device("coreml", "CoreML", "CoreMLExecutionProvider")
PREFERENCE = (CUDA, DIRECTML, COREML)
CHOICES = ("auto", "cpu", "cuda", "directml", "coreml")
# What ONNX Runtime calls a device's memory, and what OrtValue calls it.
MEMORY_NAMES = {"cuda": "cuda", "dml": "dml"}


def candidates(choice: str) -> tuple[Device, ...]:
    """The devices to try before the CPU. Raises EngineError for a choice that there is not."""
    if choice not in CHOICES:
        raise EngineError(
            "There is no device called {device}.",
            "Use one of: {choices}.",
            device=choice,
            choices=", ".join(CHOICES),
        )
    return PREFERENCE if choice == "auto" else tuple(device for device in PREFERENCE if device.key == choice)


def missing(device: Device) -> Notice | None:
    """Why ``device`` cannot be tried here; None where it can."""
    if device.provider not in ort.get_available_providers():
        template = "This build of Pollux cannot use {device}, so the model runs on the CPU."
    elif device is CUDA and cuda_device_count() == 0:
        template = "No GPU for {device} was found (or its driver is missing), so the model runs on the CPU."
    else:
        if device is CUDA:
            _load_cuda_libraries()
        return None
    return Notice("cpu_fallback", template, {"device": device.label})


def cuda_device_count() -> int:
    """How many GPUs the NVIDIA driver sees; 0 without a driver. Takes well under a millisecond then."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def _load_cuda_libraries() -> None:
    """CUDA's libraries may be Python packages, which the system's loader does not know."""
    if importlib.util.find_spec("nvidia") is not None:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            ort.preload_dlls(directory="")
