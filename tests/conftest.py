"""What every test stands on: no display, and never the user's own data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def pollux_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of the test's own, with letters that break careless path handling."""
    home = tmp_path / "测试 ü"
    home.mkdir()
    monkeypatch.setenv("POLLUX_HOME", str(home))
    yield home
