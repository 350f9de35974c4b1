"""The store: listing, importing, removing, and what goes wrong on the way."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack
from engine.store import STAGING_PREFIX, Store, safe_name
from tests.unit.engine.pack_maker import make_foreign, make_pack


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "数据 ü" / "packs", tmp_path / "bundled")


def bring_in(store: Store, path: Path) -> Pack:
    *_, last = store.import_path(path, Cancel())
    assert isinstance(last, Pack)
    return last


def zip_folder(folder: Path, target: Path, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, top + path.name)
    return target


def leftovers(store: Store) -> list[str]:
    return [path.name for path in store.packs_folder.iterdir() if path.name.startswith(STAGING_PREFIX)]


def test_an_empty_store(store: Store) -> None:
    assert store.list() == ()
    assert store.problems() == ()
    assert store.best() is None
    with pytest.raises(EngineError, match="No model is installed"):
        store.get("tiny")


def test_import_a_folder_and_remove_it(store: Store, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "源 ü", "tiny")
    (source / "script.py").write_text("print('never copied')")
    items = list(store.import_path(source, Cancel()))
    pack = items[-1]
    assert isinstance(pack, Pack)
    assert (pack.name, pack.folder) == ("tiny", store.packs_folder / "tiny")
    assert not (pack.folder / "script.py").exists()
    assert [item.name for item in store.list()] == ["tiny"]
    assert list(store.verify("TINY", Cancel()))[-1] == pack
    assert leftovers(store) == []
    store.remove("tiny")
    assert store.list() == ()
    assert leftovers(store) == []
    assert source.is_dir()


def test_import_a_foreign_folder_takes_only_what_belongs(store: Store, tmp_path: Path) -> None:
    source = make_foreign(tmp_path / "Their Model")
    for name in (
        "LICENSE",
        "README.md",
        "chat_template.jinja",
        "tokenizer_config.json",
        "run.py",
        "evil.pkl",
    ):
        (source / name).write_text("{}")
    pack = bring_in(store, source)
    names = {path.name for path in pack.folder.iterdir()}
    assert {"LICENSE", "README.md", "chat_template.jinja", "tokenizer_config.json"} < names
    assert not names & {"run.py", "evil.pkl"}
    assert pack.name == "Their Model"


@pytest.mark.parametrize("top", ["", "tiny-1/"])
def test_import_a_zip(store: Store, tmp_path: Path, top: str) -> None:
    archive = zip_folder(make_pack(tmp_path / "tiny"), tmp_path / "压缩.zip", top)
    assert bring_in(store, archive).name == "tiny"


def test_a_name_that_is_taken(store: Store, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "tiny")
    bring_in(store, source)
    with pytest.raises(EngineError, match=r"already installed.*remove tiny"):
        bring_in(store, source)
    assert leftovers(store) == []


def test_a_users_pack_hides_a_bundled_one(store: Store, tmp_path: Path) -> None:
    assert store.bundled_folder is not None
    make_pack(store.bundled_folder / "tiny")
    make_pack(store.bundled_folder / "other")
    assert [(pack.name, pack.bundled) for pack in store.list()] == [("other", True), ("tiny", True)]
    with pytest.raises(EngineError, match="part of Pollux"):
        store.remove("tiny")
    bring_in(store, make_pack(tmp_path / "tiny"))
    assert [(pack.name, pack.bundled) for pack in store.list()] == [("tiny", False), ("other", True)]


def test_near_names(store: Store, tmp_path: Path) -> None:
    bring_in(store, make_pack(tmp_path / "x", "smollm2-135m"))
    with pytest.raises(EngineError, match="Did you mean smollm2-135m"):
        store.get("smolm2")


def test_a_damaged_pack_is_a_problem_and_can_be_removed(store: Store, tmp_path: Path) -> None:
    bring_in(store, make_pack(tmp_path / "tiny"))
    (store.packs_folder / "tiny" / "model.onnx").write_bytes(b"junk")
    (store.packs_folder / "a file").write_text("ignored")
    assert store.list() == ()
    (problem,) = store.problems()
    assert problem.folder.name == "tiny"
    with pytest.raises(EngineError, match="wrong size"):
        store.get("tiny")
    store.remove("tiny")
    assert store.problems() == ()


def test_remove_never_leaves_the_folder(store: Store, tmp_path: Path) -> None:
    make_pack(tmp_path / "outside")
    store.packs_folder.mkdir(parents=True)
    for name in ("../outside", str(tmp_path / "outside"), "..", ""):
        with pytest.raises(EngineError):
            store.remove(name)
    (store.packs_folder / "link").symlink_to(tmp_path / "outside")
    store.remove("link")
    assert (tmp_path / "outside" / "model.onnx").exists()


def test_best_is_the_largest_that_fits(store: Store) -> None:
    make_pack(store.packs_folder / "tiny")
    make_foreign(store.packs_folder / "foreign", context_length=1_000_000)
    large = store.get("foreign")
    assert store.best(large.memory_bytes) == large
    best = store.best(10)
    assert best is not None and best.name in ("tiny", "foreign")


def evil_zip(target: Path, source: Path, name: str, mode: int = 0o100644) -> Path:
    zip_folder(source, target)
    with zipfile.ZipFile(target, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = info.orig_filename = name
        info.external_attr = mode << 16
        archive.writestr(info, b"/etc/passwd")
    return target


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("../escaped.json", 0o100644),
        ("a/../../escaped.json", 0o100644),
        ("/tmp/escaped.json", 0o100644),
        ("C:\\escaped.json", 0o100644),
        ("..\\escaped.json", 0o100644),
        ("link.json", stat.S_IFLNK | 0o777),
        ("pipe.json", stat.S_IFIFO | 0o644),
    ],
)
def test_hostile_names_in_a_zip(store: Store, tmp_path: Path, name: str, mode: int) -> None:
    archive = evil_zip(tmp_path / "evil.zip", make_pack(tmp_path / "tiny"), name, mode)
    with pytest.raises(EngineError, match="cannot be imported: it holds"):
        bring_in(store, archive)
    assert not list(tmp_path.rglob("*escaped*"))
    assert store.list() == () and leftovers(store) == []


def test_a_zip_bomb(store: Store, tmp_path: Path) -> None:
    source = make_foreign(tmp_path / "bomb")
    (source / "model.onnx.data").write_bytes(bytes(40_000_000))
    with pytest.raises(EngineError, match="far more than a model would"):
        bring_in(store, zip_folder(source, tmp_path / "bomb.zip"))


def test_zips_that_are_none(store: Store, tmp_path: Path) -> None:
    good = zip_folder(make_pack(tmp_path / "tiny"), tmp_path / "good.zip").read_bytes()
    bad = tmp_path / "bad.zip"
    damaged = bytearray(good)
    damaged[60] ^= 0xFF
    for content in (b"", b"not a zip", good[:-30], good[: len(good) // 2], bytes(damaged)):
        bad.write_bytes(content)
        with pytest.raises(EngineError):
            bring_in(store, bad)
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(EngineError, match="must hold one model"):
        bring_in(store, bad)
    encrypted = bytearray(good)
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = -1
        while (at := encrypted.find(signature, at + 1)) >= 0:
            encrypted[at + offset] |= 1
    bad.write_bytes(encrypted)
    with pytest.raises(EngineError, match="password"):
        bring_in(store, bad)
    assert store.list() == () and leftovers(store) == []


def test_a_changed_pack_is_not_imported(store: Store, tmp_path: Path) -> None:
    source = make_pack(tmp_path / "tiny")
    (source / "model.onnx.data").write_bytes(bytes(1024))
    with pytest.raises(EngineError, match="damaged: its contents have changed"):
        bring_in(store, source)
    assert store.list() == () and leftovers(store) == []


def test_cancel_leaves_nothing(store: Store, tmp_path: Path) -> None:
    cancel = Cancel()
    for _ in store.import_path(make_pack(tmp_path / "tiny"), cancel):
        cancel.set()
    assert store.list() == () and leftovers(store) == []


def test_abandoning_the_generator_leaves_nothing(store: Store, tmp_path: Path) -> None:
    steps = store.import_path(make_pack(tmp_path / "tiny"), Cancel())
    next(steps)
    assert leftovers(store) != []
    steps.close()  # type: ignore[attr-defined]
    assert leftovers(store) == []


def test_a_full_disk_before_and_during(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_pack(tmp_path / "tiny")
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1000))
        with pytest.raises(EngineError, match="disk is too full"):
            bring_in(store, source)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(EngineError, match="The disk is full"):
            bring_in(store, source)
    assert store.list() == () and leftovers(store) == []


def test_no_right_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "packs")
    with pytest.raises(EngineError, match="Nothing can be written"):
        bring_in(store, make_pack(tmp_path / "tiny"))


def test_nothing_to_import(store: Store, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not exist"):
        bring_in(store, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="is not a model"):
        bring_in(store, tmp_path / "empty")


def test_sweep_removes_what_the_dead_left_and_nothing_else(store: Store) -> None:
    store.packs_folder.mkdir(parents=True)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom engine.store import Store\n"
        "with Store(Path(sys.argv[1])).staging() as folder:\n"
        "    (folder / 'half').write_text('x')\n    os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(store.packs_folder)], check=False)
    assert len(leftovers(store)) == 2
    with store.staging() as living:
        store.sweep()
        assert len(leftovers(store)) == 4  # too young
        long_ago = time.time() - 1000
        for path in store.packs_folder.iterdir():
            os.utime(path, (long_ago, long_ago))
        store.sweep()
        assert sorted(leftovers(store)) == sorted([living.name, f"{living.name}.lock"])
    assert leftovers(store) == []


def test_safe_names() -> None:
    assert safe_name("../../etc") == "-..-etc"
    assert safe_name("a/b\\c:d") == "a-b-c-d"
    assert safe_name(" ..") == "model"
    assert safe_name("模型 1.5b") == "模型 1.5b"
