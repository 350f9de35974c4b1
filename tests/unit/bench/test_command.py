"""`dev.py bench`, `bench speech` and `bench images`: what they prepare and call."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from devtools import bench


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Nothing is installed, built or run; what would be is noted."""
    seen: dict[str, Any] = {"steps": [], "built": []}

    def prepare(environment: object, steps: tuple[object, ...]) -> object:
        seen["steps"] += steps
        return environment

    def build(_environment: object, name: str, home: Path) -> Path:
        seen["built"].append(name)
        return home / "packs" / name

    def run(command: list[object], **_: object) -> subprocess.CompletedProcess[str]:
        seen["command"] = [str(part) for part in command]
        bench_itself = (
            "tests.bench.images_bench" in seen["command"] or "tests.bench.speech_peers" in seen["command"]
        )
        return subprocess.CompletedProcess([], 3 if bench_itself else 0)

    monkeypatch.setattr(bench, "prepare", prepare)
    monkeypatch.setattr(bench.models, "build_for_tests", build)
    monkeypatch.setattr(bench.subprocess, "run", run)
    return seen


def test_speech_runs_beside_faster_whisper_on_the_same_weights(called: dict[str, Any]) -> None:
    assert bench.run(["speech", "--data", "clips", "--words"]) == 3

    assert bench.FASTER_WHISPER in called["steps"]
    assert bench.LLAMA_CPP not in called["steps"]  # compiling it takes minutes
    assert called["built"] == ["whisper-base"]
    command = called["command"]
    assert command[1:3] == ["-m", "tests.bench.speech_peers"]
    assert str(bench.HOME / "cache" / "checkpoints" / "whisper-base") in command
    assert command.count("--pack") == 1
    assert command.count("--peer") == len(bench.SPEECH_PEERS)
    assert command[-3:] == ["--data", "clips", "--words"]


@pytest.fixture
def default_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.models, "default_name", lambda kind="language": f"default-{kind}")


@pytest.mark.usefixtures("default_names")
def test_images_run_beside_transformers_on_the_same_random_weights(
    called: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "HOME", tmp_path)
    assert bench.run(["images", "--data", "photos"]) == 3

    assert bench.FASTER_WHISPER not in called["steps"]
    assert called["built"] == ["default-image"]
    command = called["command"]
    assert command[1:3] == ["-m", "tests.bench.images_bench"]
    assert command.count("--pack") == 1
    assert command.count("--vlm") == 2
    assert command[command.index("--peer") + 1] == "transformers fp32"
    assert command[-2:] == ["--data", "photos"]


@pytest.mark.usefixtures("default_names")
def test_images_alone(called: dict[str, Any]) -> None:
    assert bench.run(["images", "--no-peer", "--batch", "0"]) == 3

    assert not {"--vlm", "--peer", "--no-peer"} & set(called["command"])
    assert called["command"][-2:] == ["--batch", "0"]
