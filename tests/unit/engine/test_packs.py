"""Reading and writing packs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import read_pack, verify_files
from engine.results import Progress
from tests.unit.engine.pack_maker import config, external, make_foreign, make_pack, model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_pack(tmp_path / "模型 测试 ü")


def edit(folder: Path, file: str, **changes: object) -> None:
    content = json.loads((folder / file).read_text("utf-8"))
    content.update(changes)
    (folder / file).write_text(json.dumps(content), "utf-8")


def test_reads_what_was_written(folder: Path) -> None:
    pack = read_pack(folder)
    assert (pack.name, pack.display_name, pack.foreign, pack.bundled) == (
        "模型 测试 ü",
        "Tiny 测试",
        False,
        False,
    )
    assert pack.languages == ("en", "zh-Hans")
    assert {file.name for file in pack.files} == {
        "genai_config.json",
        "model.onnx",
        "model.onnx.data",
        "tokenizer.json",
    }
    assert pack.size_bytes == sum(file.size_bytes for file in pack.files)
    assert pack.config.eos_token_ids == (2, 3)
    assert pack.config.past_key(1) == "past_key_values.1.key"
    assert pack.config.past_present_share_buffer
    assert pack.config.kv_bytes(10, 4) == 2 * 2 * 1 * 4 * 10 * 4


def test_a_foreign_folder_is_a_pack(tmp_path: Path) -> None:
    pack = read_pack(make_foreign(tmp_path / "theirs", eos_token_id=2, pad_token_id=None))
    assert pack.foreign
    assert pack.files == ()
    assert pack.config.eos_token_ids == (2,)
    assert pack.config.pad_token_id is None
    assert pack.memory_bytes > pack.size_bytes


def test_verify_names_the_changed_file(folder: Path) -> None:
    progress = list(verify_files(read_pack(folder), Cancel()))
    assert progress[-1].done == progress[-1].total == read_pack(folder).size_bytes
    data = folder / "model.onnx.data"
    data.write_bytes(b"x" + data.read_bytes()[1:])
    with pytest.raises(EngineError, match=r"model\.onnx\.data of 模型 测试 ü is damaged"):
        list(verify_files(read_pack(folder), Cancel()))


def test_verify_stops_when_cancelled(folder: Path) -> None:
    cancel = Cancel()
    cancel.set()
    assert list(verify_files(read_pack(folder), cancel)) == []


def test_a_file_cut_short_is_found_by_its_size(folder: Path) -> None:
    data = folder / "model.onnx.data"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(EngineError, match=r"model.onnx.data has the wrong size: 1023 bytes instead of 1024"):
        read_pack(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "model.onnx.data"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EngineError, match=f"{name} is missing"):
        read_pack(folder)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is not a model"):
        read_pack(tmp_path)
    with pytest.raises(EngineError, match="is not a model"):
        read_pack(tmp_path / "nowhere")


def test_files_that_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "tokenizer.json"
    outside.write_text("{}")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").symlink_to(outside)
    with pytest.raises(EngineError, match="outside its own folder"):
        read_pack(folder)


def test_data_that_pack_json_does_not_list(folder: Path) -> None:
    (folder / "extra.bin").write_bytes(bytes(10))
    content = model(external("extra.bin", 0, 10))
    (folder / "model.onnx").write_bytes(content)
    manifest = json.loads((folder / "pack.json").read_text("utf-8"))
    for file in manifest["files"]:
        if file["name"] == "model.onnx":
            file["size_bytes"] = len(content)
    edit(folder, "pack.json", files=manifest["files"])
    with pytest.raises(EngineError, match=r"does not list extra.bin"):
        read_pack(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "newer version"),
        ({"format": "1"}, "whole number"),
        ({"kind": "spaceship"}, "cannot run"),
        ({"languages": "en"}, "a list"),
        ({"languages": ["../x"]}, "language codes"),
        ({"display_name": "a\nb"}, "line of text"),
        ({"memory_bytes": -1}, "between"),
        ({"memory_bytes": True}, "whole number"),
        ({"parameters": 1e9}, "whole number"),
        ({"context_tokens": 0}, "between"),
        ({"files": {}}, "a list"),
        ({"files": [1]}, "objects"),
        ({"files": [{"name": "../x", "sha256": "0" * 64, "size_bytes": 1}]}, "impossible name"),
        ({"files": [{"name": "model.onnx", "sha256": "no", "size_bytes": 1}]}, "sha256"),
        ({"files": []}, "does not list"),
    ],
)
def test_hostile_pack_json(folder: Path, changes: dict[str, object], message: str) -> None:
    edit(folder, "pack.json", **changes)
    with pytest.raises(EngineError, match=message):
        read_pack(folder)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b"9" * 5000]
)
@pytest.mark.parametrize("file", ["pack.json", "genai_config.json"])
def test_json_that_is_none(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(EngineError, match=file):
        read_pack(folder)


def test_json_that_is_huge(folder: Path) -> None:
    (folder / "pack.json").write_bytes(b" " * 5_000_000)
    with pytest.raises(EngineError, match="too large"):
        read_pack(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("filename", "../model.onnx"),
        ("filename", "model.pkl"),
        ("filename", 3),
        ("filename", None),
        ("num_hidden_layers", 10**9),
        ("num_hidden_layers", "2"),
        ("num_attention_heads", 0),
        ("num_key_value_heads", 3),
        ("head_size", 1.5),
        ("inputs", []),
        ("inputs", {"past_key_names": "no layer"}),
        ("outputs", {"present_key_names": "%d.%d"}),
        ("pipeline", [{}]),
    ],
)
def test_hostile_decoder(tmp_path: Path, key: str, value: object) -> None:
    decoder = dict(config()["model"]["decoder"])  # type: ignore[index,call-overload]
    decoder[key] = value
    folder = make_foreign(tmp_path / "theirs", decoder=decoder)
    with pytest.raises(EngineError):
        read_pack(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"vocab_size": -1},
        {"context_length": 1 << 40},
        {"eos_token_id": "2"},
        {"eos_token_id": [2, None]},
        {"eos_token_id": True},
        {"bos_token_id": 1 << 40},
        {"decoder": None},
        {"decoder": 3},
        {"vision": {"filename": "vision.onnx"}},
        {"encoder": {"filename": "encoder.onnx"}},
    ],
)
def test_hostile_model(tmp_path: Path, changes: dict[str, object]) -> None:
    folder = make_foreign(tmp_path / "theirs", **changes)
    with pytest.raises(EngineError):
        read_pack(folder)


def test_progress_is_of_bytes(folder: Path) -> None:
    assert all(
        isinstance(item, Progress) and item.unit == "bytes"
        for item in verify_files(read_pack(folder), Cancel())
    )
