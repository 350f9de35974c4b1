"""Downloads from a server on this machine that misbehaves in every way."""

from __future__ import annotations

import hashlib
import http.server
import shutil
import socket
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import fetch as fetch_module
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.fetch import fetch
from engine.file_lock import file_lock

CONTENT = bytes(range(256)) * 8192  # 2 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """What the handler should do, and what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.ranges: list[str] = []
        self.honours_ranges = True
        self.cut_after = 0  # bytes of each answer, 0: all
        self.status = 0
        self.stall_s = 0.0
        self.redirect = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/weights.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server  # type: ignore[assignment]

    def do_GET(self) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.ranges.append(wanted)
        if server.redirect:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.end_headers()
            return
        if server.status:
            self.send_error(server.status)
            return
        start = (
            int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.honours_ranges else 0
        )
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}"
            )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body[: server.cut_after or None])
            time.sleep(server.stall_s)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetch_module, "PAUSE_S", 0.0)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "下载 ü" / "weights.bin"


def get(server: Server, target: Path, sha256: str = SHA256, size: int = len(CONTENT)) -> list[int]:
    return [item.done for item in fetch(server.url, target, sha256, size, Cancel())]


def test_a_whole_file(server: Server, target: Path) -> None:
    done = get(server, target)
    assert target.read_bytes() == CONTENT
    assert done == sorted(done) and done[-1] == len(CONTENT)
    assert get(server, target) == [len(CONTENT)]
    assert len(server.ranges) == 1  # the second time nothing was asked
    assert not target.with_name("weights.bin.part").exists()


def test_a_connection_that_is_cut_again_and_again(server: Server, target: Path) -> None:
    server.cut_after = 300_000
    get(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges[0] == "" and server.ranges[1] == "bytes=300000-" and len(server.ranges) == 7


def test_resuming_what_was_kept(server: Server, target: Path) -> None:
    cancel = Cancel()
    for item in fetch(server.url, target, SHA256, len(CONTENT), cancel):
        if item.done > 500_000:
            cancel.set()
    part = target.with_name("weights.bin.part")
    kept = part.stat().st_size
    assert 500_000 < kept < len(CONTENT) and not target.exists()
    get(server, target)
    assert server.ranges[-1] == f"bytes={kept}-"
    assert target.read_bytes() == CONTENT


def test_a_server_without_ranges(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("weights.bin.part").write_bytes(b"wrong" * 1000)
    server.honours_ranges = False
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_a_part_that_is_too_long(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("weights.bin.part").write_bytes(CONTENT + b"x")
    get(server, target)
    assert target.read_bytes() == CONTENT


def test_the_wrong_file(server: Server, target: Path) -> None:
    server.content = CONTENT[:-1] + b"?"
    with pytest.raises(EngineError, match="not the file that was expected"):
        get(server, target)
    assert not target.exists() and not target.with_name("weights.bin.part").exists()


def test_a_file_that_is_too_short(server: Server, target: Path) -> None:
    server.content = CONTENT[:1000]
    with pytest.raises(EngineError, match=r"from 127\.0\.0\.1 failed|answered"):
        get(server, target)
    assert not target.exists()


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (503, 4)])
def test_a_server_that_says_no(server: Server, target: Path, status: int, asked: int) -> None:
    server.status = status
    with pytest.raises(EngineError, match=f"it answered {status}"):
        get(server, target)
    assert len(server.ranges) == asked


def test_nobody_there(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "PAUSE_S", 0.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match=r"from 127\.0\.0\.1 failed"):
        list(fetch(f"http://127.0.0.1:{port}/x", target, SHA256, 10, Cancel()))


def test_a_server_that_falls_silent(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "STALL_S", 0.2)
    server.cut_after, server.stall_s = 1_000_000, 5.0
    start = time.perf_counter()
    get(server, target)  # each connection gets a million further
    assert target.read_bytes() == CONTENT
    assert time.perf_counter() - start < 4


def test_cancelling_while_the_server_is_silent(server: Server, target: Path) -> None:
    server.cut_after, server.stall_s = 1_000_000, 5.0
    cancel = Cancel()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    start = time.perf_counter()
    list(fetch(server.url, target, SHA256, len(CONTENT), cancel))
    assert time.perf_counter() - start < 2
    assert target.with_name("weights.bin.part").stat().st_size == 1_000_000


def test_a_full_disk(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 10, 1000))
    with pytest.raises(EngineError, match="disk is too full"):
        get(server, target)
    assert server.ranges == []


def test_a_disk_that_fills_up(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch_module.os, "fsync", full)
    with pytest.raises(EngineError, match="The disk is full"):
        get(server, target)


def test_no_right_to_write(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineError, match=r"weights\.bin cannot be written"):
        get(server, tmp_path / "file" / "weights.bin")


def test_two_at_once(server: Server, target: Path) -> None:
    target.parent.mkdir()
    with (
        file_lock(target.with_name("weights.bin.lock")),
        pytest.raises(EngineError, match="downloaded by another"),
    ):
        get(server, target)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "data:,x",
        "x",
        "https:///x",
        "http://127.0.0.1.example.org/",
    ],
)
def test_addresses_that_are_not_safe(target: Path, url: str) -> None:
    with pytest.raises(EngineError, match="not a safe address"):
        list(fetch(url, target, SHA256, 10, Cancel()))


@pytest.mark.parametrize("url", ["http://example.org/x", "file:///etc/passwd", "ftp://example.org/"])
def test_redirections_stay_safe(server: Server, target: Path, url: str) -> None:
    server.redirect = url
    with pytest.raises(EngineError, match=r"not a safe address|it answered 302"):
        get(server, target)
