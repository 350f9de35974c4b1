"""A folder of pictures in one go: what is taken, what breaks, what is kept."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Notice, Progress
from engine.tasks.describe_journal import PictureJournal
from engine.tasks.describe_many import (
    ManyFinished,
    PictureDescribed,
    PictureFailed,
    describe_many,
    expand,
)
from tests.unit.engine.tasks.pictures import FakeDescriber, described


@dataclass(frozen=True)
class Options:
    style: str = "short"
    language: str = ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photos" / "测试 ü"
    made.mkdir(parents=True)
    return made


def touch(folder: Path, *names: str) -> list[Path]:
    made = [folder / name for name in names]
    for path in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"picture")
    return made


# What is taken


def test_folders_are_read_in_the_order_in_which_people_count(folder: Path) -> None:
    touch(
        folder,
        "b 10.jpg",
        "b 2.JPG",
        "A.png",
        "z.webp",
        "sub/2.heic",
        "sub/deep/1.avif",
        "sub10/x.gif",
        "sub2/y.gif",
    )
    names = [str(path.relative_to(folder)) for path in expand([folder])]
    wanted = [
        "A.png",
        "b 2.JPG",
        "b 10.jpg",
        "z.webp",
        "sub/2.heic",
        "sub/deep/1.avif",
        "sub2/y.gif",
        "sub10/x.gif",
    ]
    assert names == [name.replace("/", os.sep) for name in wanted]


def test_hidden_files_other_files_and_originals_are_passed_over(folder: Path) -> None:
    touch(
        folder,
        "a.jpg",
        "a.original.jpg",
        "a.original-2.jpg",
        "b.original.jpg",
        ".c.jpg",
        "._a.jpg",
        ".hidden/d.jpg",
        "a.txt",
        "notes",
        "e.jpg.part",
    )
    (folder / "f.jpg").mkdir()
    assert [path.name for path in expand([folder])] == ["a.jpg", "b.original.jpg"]


def test_files_are_taken_as_they_are_and_each_once(folder: Path) -> None:
    (one, other) = touch(folder, "one.jpg", "odd.txt")
    gone = folder / "gone.jpg"
    assert expand([other, gone, folder, one, f"{folder}{os.sep}.{os.sep}one.jpg"]) == (other, gone, one)
    assert expand([]) == ()


def test_links_in_a_circle_end(folder: Path) -> None:
    touch(folder, "a/one.jpg")
    try:
        (folder / "a" / "again").symlink_to(folder, target_is_directory=True)
        (folder / "broken.jpg").symlink_to(folder / "nothing.jpg")
    except OSError:
        pytest.skip("links cannot be made here")
    assert [path.name for path in expand([folder])] == ["one.jpg"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not hold here")
def test_a_folder_that_cannot_be_read_stands_for_itself(folder: Path) -> None:
    touch(folder, "closed/one.jpg", "two.jpg")
    closed = folder / "closed"
    closed.chmod(0)
    try:
        assert expand([folder]) == (folder / "two.jpg", closed)
    finally:
        closed.chmod(0o755)


# The run


def test_a_broken_file_is_an_item_and_the_rest_is_done(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2 broken.jpg", "3.jpg")
    items = list(describe_many(FakeDescriber(), paths, Cancel()))
    assert [item.done for item in items if isinstance(item, Progress)] == [0, 1, 2, 3]
    assert [item.total for item in items if isinstance(item, Progress)] == [3] * 4
    good = [item for item in items if isinstance(item, PictureDescribed)]
    assert [(item.path, item.described.text) for item in good] == [
        (paths[0], "a picture of 1"),
        (paths[2], "a picture of 3"),
    ]
    (bad,) = [item for item in items if isinstance(item, PictureFailed)]
    assert bad.path == paths[1] and bad.error.message == "2 broken.jpg is no picture."
    end = items[-1]
    assert isinstance(end, ManyFinished)
    assert (end.reason, end.described, end.failed) == ("stop", 2, 1)


def test_files_that_go_away_meanwhile_are_items(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg", "3.jpg")
    found: list[object] = []
    for item in describe_many(FakeDescriber(), paths, Cancel()):
        found.append(item)
        if isinstance(item, PictureDescribed) and item.path == paths[0]:
            paths[1].unlink()
    (bad,) = [item for item in found if isinstance(item, PictureFailed)]
    assert bad.path == paths[1] and "no longer there" in bad.error.message
    assert found[-1] == ManyFinished("stop", 2, 1, found[-1].wall_s)  # type: ignore[attr-defined]


def test_what_is_our_bug_goes_through(folder: Path) -> None:
    paths = touch(folder, "1.jpg")

    def bug(_path: Path) -> Iterator[object]:
        raise ZeroDivisionError
        yield

    def trouble_elsewhere(_path: Path) -> Iterator[object]:
        raise FileNotFoundError(2, "No such file", "model.onnx")
        yield

    def says_nothing(_path: Path) -> Iterator[object]:
        yield from ()

    for broken, wanted in (
        (bug, ZeroDivisionError),
        (trouble_elsewhere, OSError),
        (says_nothing, RuntimeError),
    ):
        with pytest.raises(wanted):
            list(describe_many(broken, paths, Cancel()))


def test_a_notice_is_said_once(folder: Path) -> None:
    def notes(_path: Path) -> Iterator[object]:
        yield Notice("cpu_fallback", "On the CPU.")
        yield described()

    items = list(describe_many(notes, touch(folder, "1.jpg", "2.jpg"), Cancel()))
    assert [item for item in items if isinstance(item, Notice)] == [Notice("cpu_fallback", "On the CPU.")]


def test_stop_keeps_what_is_done_and_drops_the_half_done(folder: Path) -> None:
    paths, cancel = touch(folder, "1.jpg", "2.jpg", "3.jpg"), Cancel()

    def one(path: Path) -> Iterator[object]:
        if path == paths[1]:
            cancel.set()
            yield described("a pic", reason="cancelled")
        else:
            yield described("a picture")

    items = list(describe_many(one, paths, cancel))
    assert [item.path for item in items if isinstance(item, PictureDescribed)] == [paths[0]]
    end = items[-1]
    assert isinstance(end, ManyFinished) and (end.reason, end.described, end.failed) == ("cancelled", 1, 0)


def test_nothing_to_do_and_stopped_before_it_began(folder: Path) -> None:
    end = list(describe_many(FakeDescriber(), (), Cancel()))[-1]
    assert isinstance(end, ManyFinished) and end.reason == "stop"
    cancel = Cancel()
    cancel.set()
    end = list(describe_many(FakeDescriber(), touch(folder, "1.jpg"), cancel))[-1]
    assert isinstance(end, ManyFinished) and end.reason == "cancelled"


def test_a_thousand_pictures_take_no_more_memory_than_one(folder: Path) -> None:
    (path,) = touch(folder, "1.jpg")

    def one(_path: Path) -> Iterator[object]:
        yield described("x" * 10_000)

    tracemalloc.start()
    try:
        for _ in describe_many(one, [path] * 1000, Cancel()):
            pass
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 500_000


# The journal


def run(paths: list[Path], journal: PictureJournal, stop_after: int = -1) -> tuple[list[str], list[object]]:
    """What was described anew, and all items; ``stop_after`` kills it after so many pictures."""
    describer, items = FakeDescriber(), []
    for item in describe_many(describer, paths, Cancel(), journal):
        items.append(item)
        if isinstance(item, PictureDescribed):
            stop_after -= 1
            if not stop_after:
                break
    return describer.seen, items


def test_a_run_that_was_killed_goes_on_where_it_stopped(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg", "3 broken.jpg", "4.jpg")
    keep = folder / "kept"
    assert run(paths, PictureJournal(keep, "m", Options()), stop_after=2)[0] == ["1.jpg", "2.jpg"]
    seen, items = run(paths, PictureJournal(keep, "m", Options()))
    assert seen == ["3 broken.jpg", "4.jpg"]  # what failed is tried again
    good = [item for item in items if isinstance(item, PictureDescribed)]
    assert [item.kept for item in good] == [True, True, False]
    assert [item.described for item in good] == [described(f"a picture of {n}") for n in (1, 2, 4)]
    assert run(paths, PictureJournal(keep, "m", Options()))[0] == ["3 broken.jpg"]


def test_another_model_other_options_and_a_changed_picture_are_described_anew(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg")
    run(paths, PictureJournal(folder, "m", Options()))
    for model, options in (("m2", Options()), ("m", Options("alt")), ("m", Options(language="zh"))):
        assert len(run(paths, PictureJournal(folder, model, options))[0]) == 2
    paths[0].write_bytes(b"another picture")
    assert run(paths, PictureJournal(folder, "m", Options()))[0] == ["1.jpg"]


def test_a_damaged_journal_costs_only_its_damaged_lines(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg", "3.jpg")
    journal = PictureJournal(folder, "m", Options())
    run(paths, journal)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(
        b"[]\n{}\nnull\n\xff\n" + lines[0] + b'{"source": 1}\n' + lines[1] + lines[2][:-20]
    )
    assert run(paths, PictureJournal(folder, "m", Options()))[0] == ["3.jpg"]
    assert run(paths, PictureJournal(folder, "m", Options()))[0] == []


def test_a_journal_that_cannot_be_written_is_said_once_and_stops_nothing(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg", "in the way")
    journal = PictureJournal(folder / "in the way", "m", Options())
    seen, items = run(paths[:2], journal)
    assert seen == ["1.jpg", "2.jpg"]
    assert [item.code for item in items if isinstance(item, Notice)] == ["no_picture_journal"]


def test_failed_items_are_ready_to_show() -> None:
    failed = PictureFailed.of(Path("a.jpg"), EngineError("{file} is bad.", "See {file}.", file="a.jpg"))
    assert str(failed.error) == "a.jpg is bad. See a.jpg."


def test_a_picture_is_described_again_where_that_is_asked_for(folder: Path) -> None:
    paths = touch(folder, "1.jpg", "2.jpg")
    run(paths, PictureJournal(folder, "m", Options()))
    journal = PictureJournal(folder, "m", Options())
    journal.forget(paths[1])
    assert run(paths, journal)[0] == ["2.jpg"]


def test_what_the_user_changed_is_what_is_kept(folder: Path) -> None:
    (path,) = touch(folder, "1.jpg")
    journal = PictureJournal(folder, "m", Options())
    run([path], journal)
    assert list(journal.add(journal.stamp(path), described("my words"))) == []
    _, items = run([path], PictureJournal(folder, "m", Options()))
    assert [item.described.text for item in items if isinstance(item, PictureDescribed)] == ["my words"]


def test_what_is_not_known_here_is_passed_on(folder: Path) -> None:
    def one(_path: Path) -> Iterator[object]:
        yield "the model is loaded"
        yield described()

    items = list(describe_many(one, touch(folder, "1.jpg"), Cancel()))
    assert "the model is loaded" in items
