"""Where things live, and what the machine has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine import folders, machine
from engine.file_lock import LockedError, file_lock


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POLLUX_HOME", str(tmp_path / "家 ü"))
    assert folders.data_folder() == tmp_path / "家 ü"
    assert folders.packs_folder() == tmp_path / "家 ü" / "packs"
    assert folders.cache_folder() == tmp_path / "家 ü" / "cache"
    assert not (tmp_path / "家 ü").exists()
    monkeypatch.delenv("POLLUX_HOME")
    assert "Pollux" in str(folders.data_folder()) and folders.data_folder().is_absolute()


def test_a_checkout_and_a_frozen_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (folders.resources_folder() / "catalogue.toml").is_file()
    assert folders.bundled_packs_folder() is None
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert folders.bundled_packs_folder() == tmp_path / "resources" / "packs"


def test_this_machine() -> None:
    assert 1 <= machine.physical_cores() <= 4096
    assert 0 < machine.available_memory_bytes() <= machine.total_memory_bytes()
    assert machine.usable_memory_bytes() < machine.total_memory_bytes()


def test_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    cores, total = machine.physical_cores(), machine.total_memory_bytes()
    for name, text in {
        "memory.max": "1000000",
        "memory.current": "400000",
        "cpu.max": "100000 100000",
    }.items():
        (tmp_path / name).write_text(text + "\n")
    assert machine.total_memory_bytes() == 1_000_000
    assert machine.available_memory_bytes() == 600_000
    assert machine.physical_cores() == 1
    for name in ("memory.max", "memory.current", "cpu.max"):
        (tmp_path / name).write_text("max 100000\n" if name == "cpu.max" else "max\n")
    assert (machine.physical_cores(), machine.total_memory_bytes()) == (cores, total)
    (tmp_path / "cpu.max").write_bytes(b"\xff")
    assert machine.physical_cores() == cores


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "锁"
    with file_lock(path), pytest.raises(LockedError), file_lock(path):
        pass
    with file_lock(path):
        assert path.exists()
    with pytest.raises(OSError), file_lock(tmp_path / "no folder" / "lock"):
        pass
