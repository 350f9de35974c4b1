"""A fake sound system for every test that asks for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from app import portaudio
from tests.unit.app.fake_sounddevice import FakeSoundDevice


@pytest.fixture
def sd(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSoundDevice]:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(portaudio, "prepare_thread", lambda: None)  # tests say that they are on Windows
    yield fake
    assert not portaudio._owners, "somebody still holds PortAudio"
