"""The way to microphones and loudspeakers; tests pass another one.

In: nothing. Out: input devices, a recorder, a player. Their library is loaded on first use, so that the window opens
without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.microphone import InputDevice, Recorder
    from app.player import Player


class SoundDoor:
    """Sound in and out."""

    def microphones(self) -> tuple[InputDevice, ...]:
        """What can be recorded from; asks the system, so not for the UI thread."""
        from app.microphone import input_devices

        return tuple(input_devices())

    def recorder(self, device: str, path: Path) -> Recorder:
        """A recorder, not yet started, that writes a WAV file."""
        from app.microphone import Recorder

        return Recorder(device, path)

    def player(self) -> Player:
        """A player for recordings."""
        from app.player import Player

        return Player()
