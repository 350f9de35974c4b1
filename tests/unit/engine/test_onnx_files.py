"""The walk over untrusted ONNX files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.onnx_files import external_files, is_plain_name
from tests.unit.engine.pack_maker import external, field, model, varint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "模型 测试 ü"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(100))
    (tmp_path / "secret").write_bytes(bytes(100))
    return folder


def write(folder: Path, content: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(content)
    return path


def test_finds_external_data_wherever_a_tensor_can_be(folder: Path) -> None:
    names = [f"w{index}" for index in range(8)]
    for name in names:
        (folder / name).write_bytes(bytes(10))
    tensors = [external(name, 2, 8) for name in names]
    subgraph = field(5, tensors[2])
    attributes = (
        field(5, field(5, tensors[1])),  # t
        field(5, field(6, subgraph)),  # g
        field(5, field(10, tensors[3])),  # tensors
        field(5, field(22, field(1, tensors[4]))),  # sparse_tensor
    )
    content = model(tensors[0], nodes=attributes)
    content += field(7, field(15, field(2, tensors[5])))  # a second graph field is merged; sparse initializer
    content += field(25, field(7, field(5, field(5, tensors[6]))))  # function
    content += field(20, field(2, field(5, tensors[7])))  # training info
    assert external_files(write(folder, content)) == tuple(names)


def test_inline_weights_cost_nothing(folder: Path) -> None:
    inline = field(9, bytes(50_000_000))
    path = write(folder, model(inline, external("weights.bin", 0, 100)))
    start = time.perf_counter()
    assert external_files(path) == ("weights.bin",)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "..\\secret",
        "C:secret",
        "sub/weights.bin",
        "*/_ORT_MEM_ADDR_/*",
        "..",
        "",
        "a\0b",
    ],
)
def test_refuses_locations_outside_the_folder(folder: Path, name: str) -> None:
    path = write(folder, model(external(name, 0, 10)))
    with pytest.raises(EngineError, match="outside its own folder"):
        external_files(path)


def test_refuses_a_link_that_leaves(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(EngineError, match="outside its own folder"):
        external_files(write(folder, model(external("link", 0, 10))))


def test_missing_and_short_data(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"nothing.bin is missing"):
        external_files(write(folder, model(external("nothing.bin"))))
    with pytest.raises(EngineError, match=r"weights.bin is cut short: 101 bytes"):
        external_files(write(folder, model(external("weights.bin", 51, 50))))
    assert external_files(write(folder, model(external("weights.bin", 50, 50)))) == ("weights.bin",)


def nested(levels: int) -> bytes:
    graph = b""
    for _ in range(levels):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>",
        b"\x80" * 1000,
        model()[:-1] + b"\xff",
        varint(1 << 3) + varint(10),  # no graph
        field(7, field(5, external("weights.bin")))[:-3],  # cut
        field(7, varint(5 << 3 | 2) + varint(1 << 62)),
        field(7, varint(5 << 3 | 3)),  # a group
        field(7, b"\x00"),
        nested(500),
        model(external("weights.bin", -1, 10)),  # type: ignore[arg-type]
        model(external("weights.bin", 0, 10) + external("other.bin", 0, 10)),
        model(field(13, field(1, b"offset") + field(2, b"0"))),
        model(field(13, field(1, b"location") + field(2, b"\xff\xfe"))),
        model(field(13, field(1, b"location") + field(2, b"a" * 10_000))),
    ],
)
def test_damaged_files_give_one_clear_line(folder: Path, content: bytes) -> None:
    with pytest.raises(EngineError, match=r"The model file model.onnx is damaged"):
        external_files(write(folder, content))


def test_every_truncation_is_an_engine_error_or_sound(folder: Path) -> None:
    content = model(
        external("weights.bin", 0, 100), nodes=(field(5, field(5, external("weights.bin", 1, 2))),)
    )
    for end in range(len(content)):
        with pytest.raises(EngineError):
            external_files(write(folder, content[:end]))


def test_too_many_fields_end_quickly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.onnx_files.MAX_FIELDS", 1000)
    with pytest.raises(EngineError, match="damaged"):
        external_files(write(folder, field(7, (varint(1 << 3) + b"\x01") * 2000)))


def test_plain_names() -> None:
    assert is_plain_name("model.onnx.data")
    assert is_plain_name("测试 ü.bin")
    assert not any(map(is_plain_name, [".", "..", "a/b", "a\\b", "c:", " a", "a.", "a\n", "x" * 300]))
