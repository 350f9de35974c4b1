"""The door to PortAudio: loaded on first use, its devices read afresh only while no sound flows.

In: nothing. Out: the ``sounddevice`` module, or an :class:`EngineError` where the library cannot be had. PortAudio is one
per process and lists its devices only once, when it begins; so who uses it is kept once per process, too.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from types import ModuleType

from engine.errors import EngineError

_lock = threading.Lock()
_owners: set[int] = set()

# Codes of PaErrorCode, as they are fixed in portaudio.h
UNANTICIPATED_HOST_ERROR = -9999
INVALID_CHANNEL_COUNT = -9998
INVALID_SAMPLE_RATE = -9997
INVALID_DEVICE = -9996
SAMPLE_FORMAT_NOT_SUPPORTED = -9994
DEVICE_UNAVAILABLE = -9985
FORMAT_REFUSED = frozenset({INVALID_CHANNEL_COUNT, INVALID_SAMPLE_RATE, SAMPLE_FORMAT_NOT_SUPPORTED})


def library() -> ModuleType:
    """The ``sounddevice`` module. Raises EngineError where PortAudio is missing or does not begin."""
    try:
        import sounddevice
    except OSError as error:
        if sys.platform.startswith("linux"):
            raise EngineError(
                "The sound library PortAudio is missing.",
                "Install it (on Debian and Ubuntu: sudo apt-get install libportaudio2) and start Pollux again.",
            ) from error
        raise EngineError(
            "The sound library PortAudio cannot be loaded: {reason}.",
            "Install Pollux again.",
            reason=str(error),
        ) from error
    except Exception as error:
        if type(error).__name__ != "PortAudioError":  # the class is in the module that just failed to load
            raise
        raise no_sound_system(error) from error
    return sounddevice


def no_sound_system(error: Exception) -> EngineError:
    """What to say when PortAudio itself does not begin."""
    return EngineError(
        "The sound system of this computer does not answer: {reason}.",
        "Check its sound settings, or restart it.",
        reason=str(error.args[0]) if error.args else type(error).__name__,
    )


def prepare_thread() -> None:
    """Windows' sound system is COM, and PortAudio prepares only the thread on which it begins."""
    if sys.platform == "win32":
        ctypes.windll.ole32.CoInitializeEx(None, 0)


def hold(owner: object) -> ModuleType:
    """The library, its devices read afresh if nobody else holds it (some 50 ms); they stay until ``let_go``.

    Call it before looking at devices and before opening a stream: PortAudio must not begin anew in the middle of either.
    Raises EngineError where it cannot be had; then nothing is held.
    """
    sd = library()
    prepare_thread()
    with _lock:
        if not _owners:
            try:
                sd._terminate()
                sd._initialize()
            except sd.PortAudioError as error:
                raise no_sound_system(error) from error
        _owners.add(id(owner))
    return sd


def let_go(owner: object) -> None:
    """``owner`` has closed its stream; harmless if it held nothing."""
    with _lock:
        _owners.discard(id(owner))


def error_code(error: Exception) -> int:
    """The PaErrorCode of a PortAudioError; 0 where it has none."""
    return int(error.args[1]) if len(error.args) > 1 else 0


def host_error_code(error: Exception) -> int:
    """The system's own code in a PortAudioError; 0 where it has none."""
    return int(error.args[2][1]) if len(error.args) > 2 else 0


def reason(error: Exception) -> str:
    """What PortAudio and the system say, in short."""
    words = str(error.args[0]) if error.args else type(error).__name__
    host = str(error.args[2][2]).strip() if len(error.args) > 2 else ""
    return (host or words).rstrip(".")
