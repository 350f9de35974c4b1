"""What is wrong with a microphone, told apart: none, busy, denied, silent, unplugged, gone from the list.

In: PortAudio's errors, and on Linux what the system says about its capture devices. Out: :class:`EngineError` with what to
do. Codes are read, never the text of an error.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Literal

from app import portaudio
from engine.errors import EngineError

CaptureState = Literal["none", "denied", "busy", "free"]
DEVICE_FOLDER = Path("/dev/snd")
STATUS_FOLDER = Path("/proc/asound")
NOTHING_THERE = (errno.EIO, errno.ENODEV, errno.ENOENT)
WINDOWS_ACCESS_DENIED = (0x80070005, 0x80070005 - (1 << 32))  # E_ACCESSDENIED, unsigned and signed


def capture_state(devices: Path = DEVICE_FOLDER, status: Path = STATUS_FOLDER) -> CaptureState:
    """What Linux says about its microphones; ALSA hides those that are busy or may not be opened."""
    nodes = sorted(devices.glob("pcmC*D*c"))
    if not nodes:
        return "none"
    allowed = [node for node in nodes if os.access(node, os.R_OK | os.W_OK)]
    if not allowed:
        return "denied"
    return "busy" if all(_in_use(node.name, status) for node in allowed) else "free"


def _in_use(node: str, status: Path) -> bool:
    """``node`` is pcmC<card>D<device>c; each of its substreams says "closed" or who has it."""
    card, _, device = node.removeprefix("pcmC").removesuffix("c").partition("D")
    texts = []
    for file in status.glob(f"card{card}/pcm{device}c/sub*/status"):
        try:
            texts.append(file.read_text().strip())
        except OSError:
            return False
    return bool(texts) and all(text != "closed" for text in texts)


def _hidden_by_system(name: str) -> EngineError | None:
    """Denied or busy, where Linux tells."""
    if sys.platform.startswith("linux"):
        state = capture_state()
        if state == "denied":
            return denied()
        if state == "busy":
            return busy(name)
    return None


def no_microphone() -> EngineError:
    """Nothing that records is listed: there is none, or the system hides it."""
    return _hidden_by_system("") or EngineError(
        "No microphone was found.",
        "Connect one, or switch it on in the sound settings of the system, and try again.",
    )


def not_connected(name: str) -> EngineError:
    """The one that was chosen is not listed now."""
    return EngineError(
        'The microphone "{name}" is not connected.', "Connect it, or choose another one.", name=name
    )


def busy(name: str) -> EngineError:
    """Another program has it."""
    hint = "Close the program that records or is in a call, or choose another microphone."
    if not name:
        return EngineError("The microphone is in use by another program.", hint)
    return EngineError('The microphone "{name}" is in use by another program.', hint, name=name)


def denied() -> EngineError:
    """The system does not let Pollux listen."""
    if sys.platform == "darwin":
        return EngineError(
            "Pollux may not use the microphone.",
            "Allow it in System Settings, Privacy & Security, Microphone, and start Pollux again.",
        )
    if sys.platform == "win32":
        return EngineError(
            "Pollux may not use the microphone.",
            "Allow desktop apps to use it in Settings, Privacy & security, Microphone.",
        )
    return EngineError(
        "Pollux may not use the microphone.",
        "Let your user use sound devices (sudo usermod -aG audio USER), then log out and in again.",
    )


def silent() -> EngineError:
    """It runs and gives nothing. macOS gives silence to a program that it does not allow to listen."""
    if sys.platform == "darwin":
        return EngineError(
            "The microphone gives only silence.",
            "Check that it is not muted, and that System Settings, Privacy & Security, Microphone allows Pollux.",
        )
    return EngineError(
        "The microphone gives only silence.",
        "Check that it is not muted, that its level in the sound settings is not zero, or choose another one.",
    )


def unplugged(name: str) -> EngineError:
    """It went away in mid-recording."""
    return EngineError(
        'The microphone "{name}" was disconnected.',
        "What was recorded until then is kept. Connect it again to go on.",
        name=name,
    )


def gives_nothing(name: str) -> EngineError:
    """It was opened, and no sound ever came."""
    return EngineError(
        'The microphone "{name}" was opened but gives no sound.',
        "Connect it again, or choose another one.",
        name=name,
    )


def reader_too_slow(minutes: int) -> EngineError:
    """No file takes the sound, and the model is far behind."""
    return EngineError(
        "The recording was ended: the model is {minutes} minutes behind.",
        "What was recorded is kept. A smaller model is faster.",
        minutes=minutes,
    )


def cannot_open(error: Exception, name: str) -> EngineError:
    """What a PortAudioError at opening means."""
    code, host = portaudio.error_code(error), portaudio.host_error_code(error)
    # sounddevice itself knows of none, or a sound server lists a default that it has not
    server_has_none = (
        sys.platform.startswith("linux") and -host in NOTHING_THERE and capture_state() == "none"
    )
    if code == 0 or server_has_none:
        return no_microphone()
    if code == portaudio.DEVICE_UNAVAILABLE or host == -errno.EBUSY:
        return busy(name)
    if host in (-errno.EACCES, -errno.EPERM, *WINDOWS_ACCESS_DENIED):
        return denied()
    hidden = _hidden_by_system(name)
    if hidden is not None:
        return hidden
    if code == portaudio.INVALID_DEVICE:
        return not_connected(name)
    return EngineError(
        'The microphone "{name}" cannot be opened: {reason}.',
        "Connect it again, or choose another one.",
        name=name,
        reason=portaudio.reason(error),
    )
