"""The script that the frozen app starts with: the same way in as `pollux`."""

import ctypes.util
import os
import sys
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = (
    "1"  # ONNX Runtime's wheels report home unless this is set before they load
)

# On Linux, sounddevice asks this function for PortAudio, and this function knows only what the system has installed.
_find_library = ctypes.util.find_library
_own_portaudio = Path(getattr(sys, "_MEIPASS", ""), "portaudio", "libportaudio.so.2")


def _find(name: str) -> str | None:
    found = _find_library(name)
    return (
        str(_own_portaudio) if found is None and name == "portaudio" and _own_portaudio.is_file() else found
    )


ctypes.util.find_library = _find

from app.__main__ import main  # noqa: E402 - after what it stands on

sys.exit(main())
