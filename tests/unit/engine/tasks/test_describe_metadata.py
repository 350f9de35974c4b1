"""Descriptions inside photos: the picture and the original stay, whatever goes wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.xmp import PacketTexts, read_texts
from engine.tasks import describe_exports_metadata as metadata
from engine.tasks.describe_exports import PictureRow
from engine.tasks.describe_exports_files import FileRefused, FilesFinished, FileWritten
from engine.tasks.describe_exports_metadata import write_metadata, write_metadata_many
from engine.tasks.describe_many import expand
from tests.unit.engine.tasks.pictures import described

TEXT = "一只狗 runs & jumps"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photos" / "测试 ü"
    made.mkdir(parents=True)
    return made


def photo(folder: Path, name: str = "dog.jpg", **options: Any) -> Path:
    path = folder / name
    Image.radial_gradient("L").resize((90, 60)).convert("RGB").save(path, **options)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def said(path: Path) -> PacketTexts:
    with Image.open(path) as opened:
        return read_texts(opened.info["xmp"])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["dog.jpg", "dog.png", "dog.webp", "dog.JPEG"])
def test_the_text_is_in_the_photo_and_the_original_beside_it(folder: Path, name: str) -> None:
    path = photo(folder, name)
    path.chmod(0o640)
    before, stats = path.read_bytes(), path.stat()
    written = write_metadata(path, TEXT, "zh")
    stem, _, suffix = name.partition(".")
    assert written == FileWritten(path, folder / f"{stem}.original.{suffix}")
    assert names(folder) == sorted([name, f"{stem}.original.{suffix}"])
    assert written.original is not None and written.original.read_bytes() == before
    assert said(path) == PacketTexts(TEXT, TEXT)
    with Image.open(path) as now, Image.open(written.original) as then:
        assert now.tobytes() == then.tobytes()
    assert (path.stat().st_mode, path.stat().st_mtime) == (stats.st_mode, stats.st_mtime)
    assert expand([folder]) == (path,)


def test_the_first_original_is_kept_for_good(folder: Path) -> None:
    path = photo(folder)
    before = path.read_bytes()
    original = write_metadata(path, "one").original
    assert write_metadata(path, "two").original == original
    assert said(path).description == "two" and names(folder) == ["dog.jpg", "dog.original.jpg"]
    assert (folder / "dog.original.jpg").read_bytes() == before
    stamp = path.stat().st_ino
    assert write_metadata(path, "two") == FileWritten(path) and path.stat().st_ino == stamp


def test_another_file_of_that_name_is_not_taken_for_the_original(folder: Path) -> None:
    path, other = photo(folder), photo(folder, "dog.original.jpg", quality=10)
    before, foreign = path.read_bytes(), other.read_bytes()
    assert write_metadata(path, TEXT).original == folder / "dog.original-2.jpg"
    assert other.read_bytes() == foreign and (folder / "dog.original-2.jpg").read_bytes() == before
    assert set(expand([folder])) == {path}


def test_a_disk_without_second_names_gets_a_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    path = photo(folder)
    before = path.read_bytes()
    original = write_metadata(path, TEXT).original
    assert original is not None and original.read_bytes() == before and len(names(folder)) == 2


@pytest.mark.skipif(os.name == "nt", reason="links need permissions there")
def test_a_link_goes_on_pointing_to_the_photo(folder: Path) -> None:
    path = photo(folder, "real.jpg")
    link = folder / "link.jpg"
    link.symlink_to(path)
    write_metadata(link, TEXT)
    assert link.is_symlink() and said(path).description == TEXT
    assert names(folder) == ["link.jpg", "real.jpg", "real.original.jpg"]


# What cannot be done


def refused(path: Path, words: str) -> None:
    """It is refused with one line, and nothing has changed."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    with pytest.raises(EngineError, match=words) as caught:
        write_metadata(path, TEXT)
    assert caught.value.hint
    assert {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("name", ["a.gif", "a.tiff", "a.bmp", "a.avif"])
def test_other_kinds_of_files_are_refused(folder: Path, name: str) -> None:
    refused(photo(folder, name), "only JPEG, PNG and WebP")


def test_what_is_in_the_file_counts_not_its_name(folder: Path) -> None:
    wrong = folder / "a.tiff"
    photo(folder, "b.png").rename(wrong)
    write_metadata(wrong, TEXT)
    assert said(wrong).description == TEXT


def test_damaged_and_empty_files_are_refused(folder: Path) -> None:
    for name, cut in (("a.jpg", 0.6), ("b.png", 0.5), ("c.webp", 0.5), ("d.jpg", 0.1)):
        path = photo(folder, name)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
        refused(path, "damaged")
    (folder / "empty.jpg").touch()
    refused(folder / "empty.jpg", "only JPEG")
    refused(folder / "gone.jpg", "no longer there")
    refused(folder, "cannot be read")
    refused(
        photo(folder, "entities.jpg", xmp=b'<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'),
        "metadata that cannot be read",
    )


def test_a_protected_photo_and_a_protected_folder_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(folder)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)  # the tests may run as somebody who may do everything
        refused(path, "write-protected")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", raising(Path.open, "x", errno.EACCES))
        refused(path, "cannot be written")


def raising(real: Callable[..., object], unwanted: str, number: int) -> Callable[..., object]:
    """``Path.open`` that refuses one way of opening."""

    def opened(self: Path, mode: str = "r", *rest: object, **options: object) -> object:
        if unwanted in mode:
            raise OSError(number, os.strerror(number))
        return real(self, mode, *rest, **options)

    return opened


@pytest.mark.parametrize("function", ["replace", "fsync", "hardlink_to"])
def test_a_full_disk_at_any_moment_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path = photo(folder)

    def full(*_rest: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    if function == "hardlink_to":
        monkeypatch.setattr(metadata.shutil, "copy2", full)
    monkeypatch.setattr(os if function == "fsync" else Path, function, full)
    refused(path, "disk is full")


def test_a_photo_that_changes_meanwhile_is_left_as_it_is_then(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(folder)
    real = metadata._is_as_meant

    def slow(*rest: object) -> bool:
        path.write_bytes(b"another photo")
        return real(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(metadata, "_is_as_meant", slow)
    with pytest.raises(EngineError, match="changed meanwhile"):
        write_metadata(path, TEXT)
    assert path.read_bytes() == b"another photo" and names(folder) == ["dog.jpg"]


def test_a_thing_that_went_wrong_in_writing_is_noticed_before_the_photo_is_touched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = photo(folder)
    before = path.read_bytes()
    real = metadata.Replacement.write

    def spoil(self: metadata.Replacement, data: bytes) -> None:
        real(self, data[:-40] + b"\0" + data[-39:] if len(data) > 500 else data)

    monkeypatch.setattr(metadata.Replacement, "write", spoil)
    with pytest.raises(EngineError, match="did not come out right"):
        write_metadata(path, TEXT)
    assert path.read_bytes() == before and names(folder) == ["dog.jpg"]


def test_many_at_once_one_bad_one_ends_nothing(folder: Path) -> None:
    good = [PictureRow(photo(folder, f"{n}.jpg"), f"text {n}", described()) for n in range(3)]
    bad = PictureRow(photo(folder, "x.gif"), "text", described())
    failed = PictureRow(photo(folder, "y.jpg"), error="It failed.")
    items = list(write_metadata_many([good[0], bad, failed, *good[1:]], Cancel()))
    assert items[-1] == FilesFinished("stop", 3, 0, 1)
    assert [item.path for item in items if isinstance(item, FileRefused)] == [bad.path]
    assert [said(row.path).description for row in good] == ["text 0", "text 1", "text 2"]
    cancel = Cancel()
    cancel.set()
    assert list(write_metadata_many(good, cancel))[-1] == FilesFinished("cancelled", 0, 0, 0)
