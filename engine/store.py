"""The installed packs: list, import, verify, remove.

In: the folder of the user's packs (made when first needed) and the read-only one inside the packaged app.
Out: :class:`engine.packs.Pack` values. Whatever is written is written into a staging folder ``.part-...`` and moved
into place in one step, so that a pack is there whole or not at all; staging folders of dead processes are
swept away.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from engine import folders, machine
from engine.cancel import Cancel
from engine.catalogue import suggestion
from engine.errors import EngineError
from engine.file_lock import LockedError, file_lock
from engine.pack_import import copy_folder, unpack_zip
from engine.packs import Pack, manifest_name, read_pack, verify_files
from engine.results import Progress

STAGING_PREFIX = ".part-"
SWEEP_AGE_S = 60  # a younger lock file may belong to somebody who is about to take it


@dataclass(frozen=True)
class PackProblem:
    """A folder among the packs that could not be read, and why."""

    folder: Path
    error: EngineError


class Store:
    """Packs on disk. Holds no state: two programs may use the same folders."""

    def __init__(self, packs_folder: Path, bundled_folder: Path | None = None) -> None:
        self.packs_folder = packs_folder
        self.bundled_folder = bundled_folder

    @classmethod
    def default(cls) -> Store:
        """The store of this user; sweeps away what dead processes left."""
        store = cls(folders.packs_folder(), folders.bundled_packs_folder())
        store.sweep()
        return store

    def list(self) -> tuple[Pack, ...]:
        """All packs that can be read: the user's, then the bundled ones that no pack of the user's hides."""
        return self._scan()[0]

    def problems(self) -> tuple[PackProblem, ...]:
        """The folders that should be packs and cannot be read."""
        return self._scan()[1]

    def get(self, name: str) -> Pack:
        """The pack called ``name``; raises EngineError with near names, or with what is wrong with it."""
        packs, problems = self._scan()
        for pack in packs:
            if _same(pack.name, name):
                return pack
        for problem in problems:
            if _same(problem.folder.name, name):
                raise problem.error
        if not packs:
            raise EngineError(
                "No model is installed.", "Add one, for example with: pollux models add smollm2-135m"
            )
        raise EngineError(
            'No model called "{name}" is installed.',
            "{near}",
            name=name,
            near=suggestion(name, [pack.name for pack in packs]),
        )

    def choose(self, name: str | None, kind: str = "language") -> Pack:
        """The pack called ``name``, of whatever kind; without a name the best of this kind. Raises EngineError."""
        pack = self.get(name) if name else self.best(kind=kind)
        if pack is not None:
            return pack
        if kind == "speech":
            raise EngineError(
                "No speech model is installed.", "Add one, for example with: pollux models add whisper-base"
            )
        if kind == "image":
            raise EngineError(
                "No image model is installed.",
                "Add one, for example with: pollux models add pollux-captioner",
            )
        raise EngineError(
            "No model is installed.", "Add one, for example with: pollux models add smollm2-135m"
        )

    def best(
        self, memory_bytes: int | None = None, kind: str = "language", language: str = ""
    ) -> Pack | None:
        """The largest pack of its kind that fits into memory; the smallest where none does; None where there is none.

        With a ``language``, only among the packs that list it.
        """
        budget = machine.usable_memory_bytes() if memory_bytes is None else memory_bytes
        packs = [
            pack for pack in self.list() if pack.kind == kind and (not language or pack.speaks(language))
        ]
        fitting = [pack for pack in packs if pack.memory_bytes <= budget]
        if fitting:
            return max(fitting, key=lambda pack: pack.scale)
        return min(packs, key=lambda pack: pack.scale, default=None)

    def import_path(self, path: Path, cancel: Cancel) -> Iterator[Progress | Pack]:
        """Copy a pack in from a folder or a .zip; the last item is the installed pack.

        Ends without one, leaving nothing behind, when cancelled. Raises EngineError for anything that is no
        sound pack, for a name that is taken, a full disk and missing rights.
        """
        if not path.exists():
            raise EngineError(
                "{path} does not exist.", "Choose a model's folder or .zip file.", path=str(path)
            )
        with self.staging() as staging:
            if path.is_dir():
                read_pack(path)
                yield from copy_folder(path, staging, cancel)
                fallback_name = path.resolve().name
            else:
                yield from unpack_zip(path, staging, cancel)
                fallback_name = path.stem
            if cancel.is_set:
                return
            pack = read_pack(staging)
            if not pack.foreign:
                yield from verify_files(pack, cancel)
            if cancel.is_set:
                return
            yield self.adopt(staging, safe_name(manifest_name(staging) or fallback_name))

    def verify(self, name: str, cancel: Cancel) -> Iterator[Progress | Pack]:
        """Compare the hashes of one pack's files; the last item is the pack, unless cancelled."""
        pack = self.get(name)
        yield from verify_files(pack, cancel)
        if not cancel.is_set:
            yield pack

    def remove(self, name: str) -> None:
        """Delete a pack of the user's, sound or damaged. Raises EngineError if it cannot be deleted whole."""
        target = next((path for path in self._folders(self.packs_folder) if _same(path.name, name)), None)
        if target is None:
            pack = self.get(name)  # raises, unless it is a bundled one
            raise EngineError("The model {name} is part of Pollux and cannot be removed.", "", name=pack.name)
        doomed = self.packs_folder / f"{STAGING_PREFIX}{secrets.token_hex(6)}"
        try:
            if target.is_symlink():
                target.unlink()
                return
            target.rename(doomed)  # fails as a whole where files are open (Windows) or rights are missing
        except OSError as error:
            raise EngineError(
                "The model {name} cannot be removed: {reason}.",
                "Close whatever uses it, and check that you may write to {folder}.",
                name=target.name,
                reason=error.strerror or type(error).__name__,
                folder=str(self.packs_folder),
            ) from error
        shutil.rmtree(doomed, ignore_errors=True)  # what is left is swept away later

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty folder among the packs, on the same disk, deleted at the end unless adopted."""
        folder = self.packs_folder / f"{STAGING_PREFIX}{secrets.token_hex(6)}"
        lock = _lock_of(folder)
        try:
            self.packs_folder.mkdir(parents=True, exist_ok=True)
            with file_lock(lock):
                try:
                    folder.mkdir()
                    yield folder
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:
            raise _cannot_write(self.packs_folder, error) from error
        finally:
            with suppress(OSError):
                lock.unlink(missing_ok=True)

    def adopt(self, staging: Path, name: str) -> Pack:
        """Move a finished staging folder into place under ``name``, in one step."""
        target = self.packs_folder / name
        taken = any(_same(path.name, name) for path in self._folders(self.packs_folder))
        try:
            if not taken:
                _sync_folder(staging)
                staging.rename(target)
                _sync_folder(self.packs_folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            taken = True  # somebody else was faster
        if taken:
            raise EngineError(
                "A model called {name} is already installed.",
                "Remove it first: pollux models remove {name}",
                name=name,
            )
        return read_pack(target)

    def sweep(self) -> None:
        """Delete what processes that no longer run left among the packs."""
        with suppress(OSError):
            for path in sorted(self.packs_folder.glob(f"{STAGING_PREFIX}*")):
                lock = path if path.suffix == ".lock" else _lock_of(path)
                with suppress(OSError, LockedError):
                    if time.time() - path.lstat().st_mtime < SWEEP_AGE_S:
                        continue
                    with file_lock(lock):
                        shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                    lock.unlink(missing_ok=True)

    def _scan(self) -> tuple[tuple[Pack, ...], tuple[PackProblem, ...]]:
        packs: list[Pack] = []
        problems: list[PackProblem] = []
        taken: set[str] = set()
        for parent, bundled in ((self.packs_folder, False), (self.bundled_folder, True)):
            for folder in self._folders(parent):
                if folder.name.casefold() in taken:
                    continue
                try:
                    packs.append(read_pack(folder, bundled))
                    taken.add(folder.name.casefold())
                except EngineError as error:
                    problems.append(PackProblem(folder, error))
        return tuple(packs), tuple(problems)

    @staticmethod
    def _folders(parent: Path | None) -> tuple[Path, ...]:
        """The folders that should be packs; hidden ones are not."""
        if parent is None:
            return ()
        try:
            return tuple(
                sorted(path for path in parent.iterdir() if not path.name.startswith(".") and path.is_dir())
            )
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise EngineError(
                "The folder of the models cannot be read: {reason}.",
                "Check that you may read {folder}.",
                reason=error.strerror or type(error).__name__,
                folder=str(parent),
            ) from error


def safe_name(name: str) -> str:
    """A folder name that every system takes, as near to ``name`` as possible."""
    kept = "".join(char if char.isalnum() or char in "._- +()" else "-" for char in name)
    return kept.strip(". ")[:80].rstrip(". ") or "model"


def _same(one: str, other: str) -> bool:
    """Whether two names mean one folder, also where the disk ignores case."""
    return one.casefold() == other.strip().casefold()


def _lock_of(staging: Path) -> Path:
    return staging.with_name(f"{staging.name}.lock")


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _cannot_write(folder: Path, error: OSError) -> EngineError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return EngineError(
            "The disk is full.", "Free some space on the disk that holds {folder}.", folder=str(folder)
        )
    return EngineError(
        "Nothing can be written to the folder of the models: {reason}.",
        "Check that you may write to {folder}.",
        reason=error.strerror or type(error).__name__,
        folder=str(folder),
    )
