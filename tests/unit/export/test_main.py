"""The exporter as a program: arguments in, packs or one clear line out."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")

from engine.packs import read_pack
from engine.results import Progress
from engine.store import Store
from export import build_pack
from export.__main__ import main
from export.verify import Parity
from tests import tiny

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:# The axis name")

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def keep_signals() -> Iterator[None]:
    """``main`` takes SIGTERM for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def quick_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured is test_build_pack's business; it would be half of the time here."""

    def measure(*_: object) -> Iterator[Progress | Parity]:
        yield Progress("check", 0, 1, "steps")
        yield Parity(0.0, 1, ())

    monkeypatch.setattr(build_pack, "measure", measure)


@pytest.fixture
def checkpoint(pollux_home: Path) -> Path:
    config = dataclasses.replace(tiny.LLAMA, layers=1)
    return tiny.write_gguf(pollux_home / "Tiny Model.gguf", config, tiny.random_tensors(config))


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """Exit code, and what was said on standard output."""
    code = main(["build", *map(str, arguments), "--progress", "json"])
    said = capsys.readouterr().out.splitlines()
    return code, [json.loads(line) for line in said]


def test_a_file_becomes_an_installed_pack(
    checkpoint: Path, capsys: pytest.CaptureFixture[str], pollux_home: Path
) -> None:
    code, said = run(capsys, checkpoint)
    assert code == 0
    folder = Path(said[-1]["pack"])
    assert folder == pollux_home / "packs" / "tiny-model"
    assert read_pack(folder) == Store.default().get("tiny-model")
    assert [line["stage"] for line in said[:-1]] == sorted(
        (line["stage"] for line in said[:-1]), key=["quantize", "export", "check"].index
    )
    assert all(0 <= line["done"] <= line["total"] for line in said[:-1])
    assert [path.name for path in folder.parent.iterdir()] == ["tiny-model"]
    written = (folder / "model.onnx").stat().st_mtime_ns

    started = time.perf_counter()  # again: it is there already
    code, said = run(capsys, checkpoint)
    assert (code, said) == (0, [{"pack": str(folder)}])
    assert time.perf_counter() - started < 1
    assert (folder / "model.onnx").stat().st_mtime_ns == written

    code, said = run(capsys, checkpoint, "--force")
    assert code == 0
    assert len(said) > 3
    assert (folder / "model.onnx").stat().st_mtime_ns > written
    written = (folder / "model.onnx").stat().st_mtime_ns

    os.utime(checkpoint, (1, 1))  # another file by the same name
    code, said = run(capsys, checkpoint, "--precision", "int8", "--name", "tiny-model")
    assert code == 0
    assert (folder / "model.onnx").stat().st_mtime_ns > written
    assert read_pack(folder).quantisation == "int8"


def test_output_folder(checkpoint: Path, capsys: pytest.CaptureFixture[str], pollux_home: Path) -> None:
    output = pollux_home / "new" / "测试 ü"
    code, said = run(capsys, checkpoint, "--output", output, "--precision", "fp32")
    assert code == 0
    assert said[-1] == {"pack": str(output)}
    assert read_pack(output).quantisation == "fp32"
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert not (pollux_home / "packs").exists()

    before = sorted(path.name for path in output.iterdir())
    code, said = run(capsys, checkpoint, "--output", output)
    assert code == 1
    assert said == [
        {"error": f"{output} exists and is not empty.", "hint": "Name a new folder for --output."}
    ]
    assert sorted(path.name for path in output.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["smollm2-135n"], "smollm2-135m"),
        (["nowhere/tiny.gguf"], "There is no file or folder nowhere"),
        (["tiny.gguf"], "There is no file or folder tiny.gguf"),
        (["smollm2-135m", "--name", "../up"], "cannot be called ../up"),
    ],
)
def test_names_that_do_not_fit(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str], pollux_home: Path
) -> None:
    code, said = run(capsys, *arguments)
    assert code == 1
    assert len(said) == 1
    assert problem in f"{said[0]['error']} {said[0]['hint']}"
    assert list(pollux_home.iterdir()) == []


def test_wrong_usage_is_told_at_once() -> None:
    for arguments in ([], ["build"], ["build", "x", "--precision", "int3"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2


@pytest.mark.parametrize("output", [True, False])
def test_damaged_checkpoints_leave_nothing(
    output: bool, checkpoint: Path, capsys: pytest.CaptureFixture[str], pollux_home: Path
) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-5000])
    target = ["--output", str(pollux_home / "out")] if output else []
    code, said = run(capsys, checkpoint, *target)
    assert code == 1
    assert set(said[-1]) == {"error", "hint"}
    assert "Tiny Model.gguf" in said[-1]["error"]
    left = {path.name for path in pollux_home.rglob("*")} - {"packs"}
    assert left == {checkpoint.name}


def test_text_progress(checkpoint: Path, capsys: pytest.CaptureFixture[str], pollux_home: Path) -> None:
    assert main(["build", str(checkpoint), "--precision", "fp32"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(pollux_home / "packs" / "tiny-model-fp32")
    assert [line.split()[0] for line in said.err.splitlines()] == ["quantize", "export", "check"]
    assert main(["build", "nothing-like-it"]) == 1
    assert capsys.readouterr().err.startswith("export: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to obey")
@pytest.mark.parametrize("output", [True, False])
def test_sigterm_ends_it_and_leaves_nothing(output: bool, checkpoint: Path, pollux_home: Path) -> None:
    target = ["--output", str(pollux_home / "out")] if output else []
    process = subprocess.Popen(
        [sys.executable, "-m", "export", "build", str(checkpoint), *target, "--progress", "json"],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("stage") == "export":
                break
        assert any(path.is_dir() for path in pollux_home.rglob("*"))  # at work
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 130
        assert "pack" not in process.stdout.read()
    finally:
        process.kill()
        process.communicate()
    left = {path.name for path in pollux_home.rglob("*")} - {"packs"}
    assert left == {checkpoint.name}
