"""Running the exporter, with a program in its place that does as it is told."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from engine import builder
from engine.builder import add_model
from engine.cancel import Cancel
from engine.catalogue import CatalogueEntry, read_catalogue
from engine.errors import EngineError
from engine.packs import Pack
from engine.results import Progress
from engine.store import Store
from tests.unit.engine.pack_maker import make_pack

REPORT = """
import json, os, subprocess, sys, time
from pathlib import Path
sys.path.insert(0, ROOT)
assert sys.argv[1] == "build" and sys.argv[3:5] == ["--progress", "json"] and sys.argv[5] == "--output"
name, output = sys.argv[2], Path(sys.argv[6])
def say(**report): print(json.dumps(report), flush=True)
"""
GOOD = """
print("a library that prints")
print("[1, 2]")
say(stage="fetch", done=1, total=2, unit="bytes")
say(stage="export", done=1, total=None, unit="steps")
say(stage="no such stage", done=1, total=2, unit="bytes")
from tests.unit.engine.pack_maker import make_pack
make_pack(output / name, name)
say(pack=str(output / name))
"""


@pytest.fixture
def entry() -> CatalogueEntry:
    return read_catalogue().default


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "包 ü" / "packs")


def command(tmp_path: Path, body: str) -> list[str]:
    script = tmp_path / "导出 exporter.py"
    root = str(Path(__file__).resolve().parents[3])
    script.write_text(f"ROOT = {root!r}\n{REPORT}{body}", "utf-8")
    return [sys.executable, str(script)]


def build(store: Store, entry: CatalogueEntry, tmp_path: Path, body: str) -> list[Progress | Pack]:
    return list(add_model(entry, store, Cancel(), command(tmp_path, body)))


def test_a_pack_is_built_and_installed(store: Store, entry: CatalogueEntry, tmp_path: Path) -> None:
    items = build(store, entry, tmp_path, GOOD)
    assert items[:2] == [Progress("fetch", 1, 2, "bytes"), Progress("export", 1, None, "steps")]
    pack = items[-1]
    assert isinstance(pack, Pack) and pack.name == entry.name
    assert store.list() == (pack,)
    assert [path.name for path in store.packs_folder.iterdir()] == [entry.name]
    with pytest.raises(EngineError, match="already installed"):
        build(store, entry, tmp_path, GOOD)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("say(error='The disk {full}.', hint='Free some.'); sys.exit(1)", r"The disk \{full\}\. Free some\."),
        ("raise SystemExit('no luck')", "could not be built: no luck"),
        ("print('x' * 9, file=sys.stderr); raise ValueError('broken')", "ValueError: broken"),
        ("sys.exit(3)", "ended without a word"),
        ("pass", "was not built"),
        ("say(pack=ROOT)", "was not built"),
        ("say(pack=str(output))", "is not a model"),
        ("os.abort()", "could not be built"),
    ],
)
def test_exporters_that_fail(
    store: Store, entry: CatalogueEntry, tmp_path: Path, body: str, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        build(store, entry, tmp_path, body)
    assert list(store.packs_folder.iterdir()) == []


def test_a_damaged_pack_is_not_installed(store: Store, entry: CatalogueEntry, tmp_path: Path) -> None:
    body = GOOD.replace("say(pack", "(output / name / 'model.onnx.data').write_bytes(bytes(1024))\nsay(pack")
    with pytest.raises(EngineError, match="damaged"):
        build(store, entry, tmp_path, body)
    assert store.list() == ()


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_cancel_ends_the_exporter_and_its_children(
    store: Store, entry: CatalogueEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "GRACE_S", 0.5)
    pids = tmp_path / "pids"
    body = f"""
import signal
child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
Path({str(pids)!r}).write_text(f"{{os.getpid()}} {{child.pid}}")
say(stage="export", done=1, total=2, unit="steps")
time.sleep(60)
"""
    cancel = Cancel()
    start = time.perf_counter()
    for item in add_model(entry, store, cancel, command(tmp_path, body)):
        assert isinstance(item, Progress)
        threading.Timer(0.1, cancel.set).start()
    assert time.perf_counter() - start < 10
    assert list(store.packs_folder.iterdir()) == []
    for pid in map(int, pids.read_text().split()):
        for _ in range(100):
            if not is_running(pid):
                break
            time.sleep(0.02)
        assert not is_running(pid)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has fetched yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def test_where_there_is_no_exporter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(builder.folders, "resources_folder", lambda: tmp_path / "resources")
    monkeypatch.setattr(builder.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineError, match="cannot build models"):
        builder.exporter_command()
    (tmp_path / "dev.py").write_text("")
    assert builder.exporter_command()[1:] == [str(tmp_path / "dev.py"), "export"]
    with pytest.raises(EngineError, match="cannot be started"):
        list(builder._run([str(tmp_path / "nothing")], Cancel()))


def test_a_name_that_is_taken(store: Store, entry: CatalogueEntry, tmp_path: Path) -> None:
    make_pack(store.packs_folder / entry.name)
    with pytest.raises(EngineError, match="already installed"):
        build(store, entry, tmp_path, GOOD)
