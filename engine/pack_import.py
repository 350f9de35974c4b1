"""Copies a pack in from outside: a folder or a .zip, both untrusted.

In: the source and an empty staging folder. Out: the pack's files in the staging folder, flushed to disk, and
:class:`Progress` on the way. Only files directly in the pack's folder are taken, and only of the kinds that a
pack is made of: nothing that could be run.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from engine.cancel import Cancel
from engine.disk import check_space
from engine.errors import EngineError
from engine.onnx_files import contained_file, is_plain_name
from engine.packs import CONFIG_FILE, PACK_FILE, needed_files, read_pack, unreadable
from engine.results import Progress

CHUNK_BYTES = 1 << 20
MAX_ENTRIES = 2000
MAX_RATIO = 50  # unpacked to packed, as a whole; weights hardly shrink
RATIO_FREE_BYTES = 16 << 20  # below this the ratio does not matter
TEXT_SUFFIXES = (".json", ".jinja", ".txt", ".md")
TEXT_NAMES = ("license", "licence", "notice", "readme", "copying")


def copy_folder(source: Path, staging: Path, cancel: Cancel) -> Iterator[Progress]:
    """Copy the pack in ``source``; it must have passed ``read_pack``. Ends early when cancelled."""
    pack = read_pack(source)
    if pack.foreign:
        names = needed_files(source, pack.config)
        names |= {path.name for path in source.iterdir() if path.is_file() and is_text_name(path.name)}
    else:
        names = {PACK_FILE, *(file.name for file in pack.files)}
    paths = [contained_file(source, name) for name in sorted(names)]
    total = sum(path.stat().st_size for path in paths)
    check_space(staging.parent, total)
    done = 0
    for path in paths:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise unreadable(path.name, error) from error
        with stream:
            for count in _write(stream, staging / path.name, path.stat().st_size, cancel):
                done += count
                yield Progress("copy", done, total, "bytes")
        if cancel.is_set:
            return


def unpack_zip(source: Path, staging: Path, cancel: Cancel) -> Iterator[Progress]:
    """Unpack the pack in a .zip: at its top, or in the one folder there. Ends early when cancelled."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = _entries(archive, source)
            wanted = _wanted(archive, entries, staging)
            total = sum(entry.file_size for entry in wanted.values())
            done = 0
            for name, entry in wanted.items():
                with archive.open(entry) as stream:
                    for count in _write(stream, staging / name, entry.file_size, cancel):
                        done += count
                        yield Progress("unpack", done, total, "bytes")
                if cancel.is_set:
                    return
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise _bad_zip(source, "it is damaged or not a .zip file") from error
    except RuntimeError as error:  # what zipfile raises for a password that it was not given
        raise _bad_zip(source, "it is protected by a password") from error


def is_text_name(name: str) -> bool:
    """Whether a file beside the model is one of those that belong to a pack (settings, licence, read-me)."""
    lower = name.casefold()
    return lower.endswith(TEXT_SUFFIXES) or lower.split(".")[0] in TEXT_NAMES


def _entries(archive: zipfile.ZipFile, source: Path) -> dict[str, zipfile.ZipInfo]:
    """Files directly in the pack's folder inside the archive, by plain name, once every name has been checked."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise _bad_zip(source, "it holds too many files")
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for info in infos:
        # The name as it stands in the archive: zipfile rewrites separators on some systems.
        parts = info.orig_filename.rstrip("/").split("/")
        if not all(is_plain_name(part) for part in parts):
            raise _bad_zip(source, f"it holds the unsafe file name {info.orig_filename[:100]!r}")
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _bad_zip(source, f"it holds a link or device, {info.orig_filename[:100]!r}")
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise _bad_zip(source, "it is protected by a password")
        path = PurePosixPath(*parts)
        if path in files:
            raise _bad_zip(source, f"it holds {parts[-1]} twice")
        files[path] = info
    tops = {path.parent for path in files if path.name == CONFIG_FILE and len(path.parts) <= 2}
    if len(tops) != 1:
        raise _bad_zip(source, f"it must hold one model: {CONFIG_FILE} at the top or in the one folder there")
    top = tops.pop()
    return {path.name: info for path, info in files.items() if path.parent == top}


def _wanted(
    archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], staging: Path
) -> dict[str, zipfile.ZipInfo]:
    """The entries to unpack: texts, the model, and what could be its external data."""
    names = [name for name in entries if is_text_name(name) or _is_model_data(name)]
    wanted = {name: entries[name] for name in sorted(names)}
    total = sum(entry.file_size for entry in wanted.values())
    packed = sum(entry.compress_size for entry in wanted.values())
    if total > RATIO_FREE_BYTES and total > MAX_RATIO * max(packed, 1):
        raise _bad_zip(Path(archive.filename or "the archive"), "it unpacks to far more than a model would")
    check_space(staging.parent, total)
    return wanted


def _is_model_data(name: str) -> bool:
    """ONNX files and the usual names of their external data (``model.onnx.data``, ``model.onnx_data_1``)."""
    lower = name.casefold()
    return ".onnx" in lower or lower.endswith((".data", ".bin", ".weights"))


def _write(source: IO[bytes], target: Path, size_bytes: int, cancel: Cancel) -> Iterator[int]:
    """Copy a stream that must have ``size_bytes``; yields the bytes of each piece."""
    left = size_bytes
    with target.open("xb") as out:
        while chunk := source.read(CHUNK_BYTES):
            left -= len(chunk)
            if cancel.is_set or left < 0:
                break
            out.write(chunk)
            yield len(chunk)
        out.flush()
        os.fsync(out.fileno())
    if left and not cancel.is_set:
        raise EngineError(
            "The file {file} is not as long as it should be.", "Get the model again.", file=target.name
        )


def _bad_zip(source: Path, reason: str) -> EngineError:
    return EngineError(
        "{file} cannot be imported: {reason}.", "Get the file again.", file=source.name, reason=reason
    )
