"""Descriptions inside the photos themselves, as XMP: the picture is not coded again, and the original is kept.

In: photos and their descriptions. Out: the same photos with the text in their metadata, or untouched and an EngineError.
A photo is read, its copy with the text is written beside it, read again and compared, and only then takes its place.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from engine.cancel import Cancel
from engine.disk import not_written
from engine.errors import EngineError
from engine.media.xmp import BadPacketError, PacketTexts, read_texts, with_description
from engine.media.xmp_files import XmpContainer, container_of
from engine.results import Progress
from engine.tasks.describe_exports import PictureRow
from engine.tasks.describe_exports_files import FileRefused, FilesFinished, FileWritten, Replacement
from engine.tasks.describe_many import ORIGINAL

LARGEST_BYTES = 400_000_000
_STRIP_PX = 256  # hashed at a time
_SIDECAR_HINT = "Export text files beside the photos instead."


def write_metadata(path: Path, text: str, language: str = "") -> FileWritten:
    """Put ``text`` into a photo as its description and alternative text.

    The photo as it was stays beside it as "NAME.original.EXT"; one that is there already is never overwritten. Permissions
    and times of the photo stay. Raises EngineError where that cannot be done; then nothing has changed.
    """
    photo = path.resolve()  # a link goes on pointing to the photo
    data, found = _read(photo)
    kind = container_of(data)
    if kind is None:
        raise EngineError(
            "{file} cannot hold a description: only JPEG, PNG and WebP files get one without being coded again.",
            _SIDECAR_HINT,
            file=photo.name,
        )
    try:
        old = kind.read_packet(data)
        said = read_texts(old) if old is not None else PacketTexts()
        if said.description == text and text in (said.alt, said.extended):
            return FileWritten(path)
        before = kind.fingerprint(data)
        pieces = kind.with_packet(data, with_description(old, text, language))
    except BadPacketError as error:
        raise _damaged(photo) from error
    pixels = _pixels(photo)
    with Replacement(photo) as new:
        for piece in pieces:
            new.write(piece)
        new.close()
        del pieces, data
        if not _is_as_meant(new.path, kind, before, pixels, text):
            raise EngineError(
                "{file} did not come out right with its description; it was left as it is.",
                _SIDECAR_HINT,
                file=photo.name,
            )
        with suppress(OSError):
            shutil.copystat(photo, new.path)
        if _stamp(photo) != (found.st_size, found.st_mtime_ns):
            raise EngineError("{file} was changed meanwhile.", "Try again.", file=photo.name)
        original, is_new = _keep_original(photo, before)
        try:
            new.commit()
        except EngineError:
            if is_new:
                with suppress(OSError):
                    original.unlink()
            raise
    return FileWritten(path, original)


def write_metadata_many(
    rows: Sequence[PictureRow], cancel: Cancel
) -> Iterator[Progress | FileWritten | FileRefused | FilesFinished]:
    """Put the text of each described picture into its file; one that cannot be written does not end it."""
    rows = [row for row in rows if row.described is not None and row.text]
    written = refused = 0
    yield Progress("copy", 0, len(rows), "files")
    for row in rows:
        if cancel.is_set:
            break
        language = row.described.language if row.described is not None else ""
        try:
            done = write_metadata(row.path, row.text, language)
        except EngineError as error:
            refused += 1
            yield FileRefused(row.path, error)
        else:
            written += 1
            yield done
        yield Progress("copy", written + refused, len(rows), "files")
    whole = written + refused == len(rows)
    yield FilesFinished("stop" if whole else "cancelled", written, 0, refused)


def _read(photo: Path) -> tuple[bytes, os.stat_result]:
    try:
        with photo.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_size > LARGEST_BYTES:
                raise EngineError("{file} is too large to get a description.", _SIDECAR_HINT, file=photo.name)
            data = file.read()
    except FileNotFoundError as error:
        raise EngineError(
            "{file} is no longer there.", "Put it back, or take it from the list.", file=photo.name
        ) from error
    except OSError as error:
        raise EngineError(
            "{file} cannot be read: {reason}.",
            "Check that the file is there and may be read.",
            file=photo.name,
            reason=error.strerror or type(error).__name__,
        ) from error
    if not os.access(photo, os.W_OK):
        raise EngineError(
            "{file} is write-protected.",
            "Allow changes to it, or export text files beside the photos instead.",
            file=photo.name,
        )
    return data, found


def _stamp(photo: Path) -> tuple[int, int]:
    try:
        found = photo.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _damaged(photo: Path) -> EngineError:
    return EngineError(
        "{file} is damaged or holds metadata that cannot be read; it was left as it is.",
        _SIDECAR_HINT,
        file=photo.name,
    )


def _is_as_meant(new: Path, kind: XmpContainer, fingerprint: bytes, pixels: bytes, text: str) -> bool:
    """Read a written file again: whether the picture is the same to the byte and to the pixel, and the text in it."""
    try:
        data = new.read_bytes()
        packet = kind.read_packet(data)
        said = read_texts(packet).description if packet is not None else ""
        meant = read_texts(with_description(None, text)).description
        return said == meant and kind.fingerprint(data) == fingerprint and _pixels(new) == pixels
    except (OSError, BadPacketError, EngineError):
        return False


def _pixels(photo: Path) -> bytes:
    """A hash of the decoded picture; raises EngineError where it cannot be decoded, since it could not be compared."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(photo) as image:
                image.draft(
                    "RGB", (image.width // 8, image.height // 8)
                )  # JPEG only: less memory, from all the data
                digest = hashlib.sha256(f"{image.format} {image.mode} {image.size}".encode())
                for top in range(0, image.height, _STRIP_PX):
                    strip = (0, top, image.width, min(top + _STRIP_PX, image.height))
                    digest.update(image.crop(strip).tobytes())
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise _damaged(photo) from error
    return digest.digest()


# The original


def _keep_original(photo: Path, fingerprint: bytes) -> tuple[Path, bool]:
    """Keep the photo as it is now under another name, unless that was done before; where, and whether it is new.

    A kept file that is another picture (the photo was edited since) stays too: the next number is taken.
    """
    number = 1
    while True:
        mark = ORIGINAL if number == 1 else f"{ORIGINAL}-{number}"
        target = photo.with_name(f"{photo.stem}{mark}{photo.suffix}")
        if not target.exists():
            break
        if _is_same_picture(target, fingerprint):
            return target, False
        number += 1
    try:
        _second_name(photo, target)
    except OSError as error:
        raise not_written(target, error) from error
    return target, True


def _second_name(photo: Path, target: Path) -> None:
    """Give a file another name, since its own gets another file. Where a disk has no such thing, copy it."""
    try:
        target.hardlink_to(photo)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        part = target.with_name(f".{target.name[:100]}.part")
        try:
            shutil.copy2(photo, part)
            part.replace(target)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise


def _is_same_picture(kept: Path, fingerprint: bytes) -> bool:
    try:
        if kept.stat().st_size > LARGEST_BYTES:
            return False
        data = kept.read_bytes()
        kind = container_of(data)
        return kind is not None and kind.fingerprint(data) == fingerprint
    except (OSError, BadPacketError):
        return False
