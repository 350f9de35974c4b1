"""Sessions: devices that work and do not, and what errors mean."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import onnxruntime as ort
import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.runtime import devices, session
from engine.runtime.devices import CPU, CUDA
from engine.runtime.session import (
    DeviceFailure,
    Interrupted,
    Session,
    UnsuitedModel,
    explained,
    open_session,
)
from tests.unit.engine.pack_maker import field, model, varint
from tests.unit.engine.runtime.tiny_pack import SOURCE

MODEL = SOURCE / "model.onnx"


def opened(path: Path, device: str = "auto") -> tuple[Session, list[str]]:
    found, notices = open_session(path, device, 1, lambda _: None)
    return found, [notice.text for notice in notices]


def test_the_cpu_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    found, notices = opened(MODEL, "cpu")
    assert found.device is CPU
    assert notices == []
    assert found.inputs["past_key_values.0.key"].shape == (None, 1, None, 16)
    assert capfd.readouterr().err == ""


@pytest.fixture
def offers_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        devices.ort, "get_available_providers", lambda: [CUDA.provider, "CPUExecutionProvider"]
    )


@pytest.mark.usefixtures("offers_cuda")
def test_auto_without_a_gpu_is_quick_and_quiet(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "cuda_device_count", lambda: 0)
    started = time.perf_counter()
    found, notices = opened(MODEL)
    assert time.perf_counter() - started < 2
    assert (found.device, notices) == (CPU, [])
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("offers_cuda")
def test_a_device_that_was_asked_for_and_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cuda_device_count", lambda: 0)
    found, notices = opened(MODEL, "cuda")
    assert found.device is CPU
    assert notices == ["No GPU for CUDA was found (or its driver is missing), so the model runs on the CPU."]


def test_a_device_that_this_build_lacks() -> None:
    found, notices = opened(MODEL, "coreml" if ort.get_device() != "coreml" else "directml")
    assert found.device is CPU
    assert len(notices) == 1 and "cannot use CoreML" in notices[0]


def test_a_device_that_fails_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "missing", lambda device: None if device is CUDA else devices.missing)
    tried: list[str] = []

    class Failing(Session):
        def __init__(
            self, path: Path, device: devices.Device, threads: int = 0, least_share: float = 0.5
        ) -> None:
            tried.append(device.key)
            if device is CUDA:
                raise DeviceFailure("no kernel image")
            super().__init__(path, device, threads)

    monkeypatch.setattr(session, "Session", Failing)
    found, notices = opened(MODEL, "cuda")
    assert tried == ["cuda", "cpu"]
    assert found.device is CPU
    assert notices == ["CUDA failed, so the model now runs on the CPU. The reason given: no kernel image"]


def test_a_device_that_fails_at_the_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "missing", lambda device: None)
    monkeypatch.setattr(session, "Session", lambda path, device, *settings: Session(path, CPU, 1))
    runs: list[Session] = []

    def try_out(found: Session) -> None:
        runs.append(found)
        if len(runs) == 1:
            raise DeviceFailure("out of memory")

    found, notices = open_session(MODEL, "cuda", 1, try_out)
    assert found is runs[1]
    assert [notice.code for notice in notices] == ["cpu_fallback"]


def test_a_model_that_is_not_made_for_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "missing", lambda device: None)
    wanted: list[float] = []

    class Unsuited(Session):
        def __init__(
            self, path: Path, device: devices.Device, threads: int = 0, least_share: float = 0.5
        ) -> None:
            if device is not CPU:
                wanted.append(least_share)
                raise UnsuitedModel("this model is not made for it")
            super().__init__(path, device, threads)

    monkeypatch.setattr(session, "Session", Unsuited)
    assert opened(MODEL, "auto")[1] == []
    assert len(opened(MODEL, "cuda")[1]) == 1
    assert wanted == [0.9, 0.9, 0.9, 0.5]


def test_a_choice_that_there_is_not() -> None:
    with pytest.raises(EngineError, match="no device called gpu"):
        opened(MODEL, "gpu")


def onnx_bytes(operator: str = "Relu", domain: str = "", opset: int = 17, ir: int = 8) -> bytes:
    node = field(1, b"x") + field(2, b"y") + field(4, operator.encode()) + field(7, domain.encode())
    tensor = field(2, field(1, varint(1 << 3) + varint(1) + field(2, field(1, varint(1 << 3) + varint(1)))))
    graph = (
        field(1, node)
        + field(2, b"g")
        + field(11, field(1, b"x") + tensor)
        + field(12, field(1, b"y") + tensor)
    )
    opsets = field(8, varint(2 << 3) + varint(opset))
    if domain:
        opsets += field(8, field(1, domain.encode()) + varint(2 << 3) + varint(1))
    return varint(1 << 3) + varint(ir) + field(7, graph) + opsets


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is damaged"),
        (b"\0" * 1000, "is damaged"),
        (MODEL.read_bytes()[:20_000], "is damaged"),
        (onnx_bytes("Nonsense"), "newer exporter"),
        (onnx_bytes("Nonsense", "com.microsoft"), "newer exporter"),
        (onnx_bytes(opset=999), "newer exporter"),
        (onnx_bytes(ir=999), "newer exporter"),
        (model(), "m ü"),
    ],
)
def test_files_that_are_no_model(
    content: bytes, says: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "测试 ü" / "m ü"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(EngineError) as caught:
        opened(folder / "model.onnx")
    assert says in str(caught.value)
    assert "onnxruntime" not in str(caught.value).lower()
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_sound_file_made_by_hand_opens(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_bytes())
    assert opened(tmp_path / "model.onnx")[0].inputs["x"].shape == (1,)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="missing"):
        opened(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("std::bad_alloc"), RuntimeError("Failed to allocate memory for requested")],
)
def test_out_of_memory(error: Exception) -> None:
    assert "not enough memory to run" in str(explained(error, Path("m/model.onnx")))


def test_a_cancelled_run_is_known_by_the_flag() -> None:
    cancel = Cancel()
    found = Session(MODEL, CPU, 1)
    cancel.set()
    with pytest.raises(Interrupted):
        found.run(found.binding(), cancel)
    with pytest.raises(EngineError, match="cannot be run"):
        found.run(found.binding(), Cancel())  # nothing is bound


def test_closed_sessions_let_go_of_the_file(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "model.onnx")
    found, _ = opened(tmp_path / "model.onnx")
    found.close()
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(RuntimeError, match="closed"):
        found.binding()
