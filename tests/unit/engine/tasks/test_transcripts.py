"""Transcripts on disk: right in every format, whole at any moment, kept elsewhere where they must be."""

from __future__ import annotations

import errno
import json
import os
import sys
from io import FileIO
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.folders import data_folder
from engine.results import Segment, Transcribed, Transcript, Word
from engine.tasks.transcript_formats import FORMATS, Summary, TranscriptFormat, clock, join_texts, render
from engine.tasks.transcripts import TranscriptWriter, format_of

SEGMENTS = (
    Segment(0.5, 2.25, " Fish & <chips>\n\n--> now", "en", 0.91234, (Word(" Fish", 0.5, 0.9, 0.5),)),
    Segment(3723.4564, 3725.0, "世界很大。", "zh", 0.8),
)
ENDED = Transcribed("stop", "en", "tiny", "CPU", 3726.0, 4.0, 1.0, 2)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_formats() -> None:
    assert render(SEGMENTS, "txt") == "Fish & <chips> --> now\n世界很大。\n"
    assert render(SEGMENTS, "srt") == (
        "1\n00:00:00,500 --> 00:00:02,250\nFish & <chips> → now\n\n"
        "2\n01:02:03,456 --> 01:02:05,000\n世界很大。\n\n"
    )
    assert render(SEGMENTS, "vtt") == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:02.250\nFish &amp; &lt;chips&gt; --&gt; now\n\n"
        "01:02:03.456 --> 01:02:05.000\n世界很大。\n\n"
    )
    record = json.loads(render(SEGMENTS, "json", Summary("en", "tiny", 3726.0)))
    assert record["text"] == "Fish & <chips> --> now世界很大。"
    assert (record["language"], record["model"], record["duration_s"]) == ("en", "tiny", 3726.0)
    first, second = record["segments"]
    assert first["words"] == [{"text": "Fish", "start_s": 0.5, "end_s": 0.9, "confidence": 0.5}]
    assert (second["start_s"], second["language"], second["words"]) == (3723.456, "zh", [])
    assert render((), "srt") == "" and render((), "vtt") == "WEBVTT\n\n"
    assert json.loads(render((), "json"))["segments"] == []
    assert clock(359_999_999) == "99:59:59.999"
    with pytest.raises(EngineError, match="Choose txt, srt, vtt or json"):
        render((), "doc")  # type: ignore[arg-type]


def test_joining() -> None:
    assert join_texts([" Hi.", "", "There"]) == "Hi. There"
    assert join_texts(["你好。", "我是", "Tom"]) == "你好。我是Tom"
    assert join_texts(["안녕", "하세요"]) == "안녕 하세요"


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_whole_after_each_segment(format: TranscriptFormat, tmp_path: Path) -> None:
    target = tmp_path / "测试 ü" / f"读 me.{format}"
    target.parent.mkdir(exist_ok=True)
    target.write_text("old", "utf-8")
    with TranscriptWriter(target) as writer:
        assert writer.partial.name == f"读 me.partial.{format}"
        for count in range(len(SEGMENTS) + 1):
            if count:
                writer.add(SEGMENTS[count - 1])
            there = writer.partial.read_text("utf-8")
            if format == "json":
                assert len(json.loads(there)["segments"]) == count
                assert json.loads(there)["finished"] is False
            else:
                assert there == render(SEGMENTS[:count], format)
        assert target.read_text("utf-8") == "old"
        assert writer.finish(ENDED) == target
    assert target.read_text("utf-8") == render(SEGMENTS, format, Summary("en", "tiny", 3726.0))
    assert names(target.parent) == [target.name]
    assert writer.notices == ()


def test_the_last_cue_grows_shorter_when_the_next_comes(tmp_path: Path) -> None:
    segments = [Segment(at, at + 0.1, f"Nr {at}", "en", 1.0) for at in (0.0, 0.3, 0.65)]
    with TranscriptWriter(tmp_path / "a.srt") as writer:
        for segment in segments:
            writer.add(segment)
        path = writer.finish()
    assert path.read_text("utf-8").split("\n")[1::4] == [
        "00:00:00,000 --> 00:00:00,300",
        "00:00:00,300 --> 00:00:00,650",
        "00:00:00,650 --> 00:00:01,350",
    ]


def test_what_is_stopped_stays_beside(tmp_path: Path) -> None:
    writer = TranscriptWriter(tmp_path / "new folder" / "a.txt")
    writer.add(SEGMENTS[0])
    writer.close()
    assert names(tmp_path / "new folder") == ["a.partial.txt"]


def test_long_names(tmp_path: Path) -> None:
    target = tmp_path / f"{'长' * 83}.srt"
    with TranscriptWriter(target) as writer:
        writer.add(SEGMENTS[0])
        assert writer.finish() == target


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    kept = data_folder() / "transcripts"
    kept.mkdir()
    (kept / "a.srt").write_text("taken", "utf-8")
    with TranscriptWriter(tmp_path / "file" / "a.srt") as writer:
        writer.add(SEGMENTS[0])
        path = writer.finish(ENDED)
    assert path == kept / "a (2).srt" and path.read_text("utf-8") == render(SEGMENTS[:1], "srt")
    (notice,) = writer.notices
    assert notice.code == "transcript_elsewhere" and str(path) in notice.text
    assert (kept / "a.srt").read_text("utf-8") == "taken"


def test_a_target_that_cannot_be_replaced(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with TranscriptWriter(target) as writer:
        writer.add(SEGMENTS[0])
        target.mkdir()
        path = writer.finish(ENDED)
    assert path == data_folder() / "transcripts" / "a.txt" and len(writer.notices) == 1
    assert path.read_text("utf-8") == render(SEGMENTS[:1], "txt")
    assert names(tmp_path) == ["a.txt", "测试 ü"]


class FullDisk(FileIO):
    """A file on a disk with room for a few bytes."""

    room = 1000
    where = ""

    def write(self, data: object) -> int:  # type: ignore[override]
        view = memoryview(data)  # type: ignore[arg-type]
        if self.where in str(self.name):
            end = self.tell() + len(view)
            if end > self.room:
                super().write(view[: max(0, self.room - self.tell())])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(view)


@pytest.mark.parametrize("format", FORMATS)
def test_a_disk_that_fills(format: TranscriptFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tasks.transcripts.FileIO", FullDisk)
    monkeypatch.setattr(FullDisk, "where", str(tmp_path / "full"))
    segments = [Segment(at, at + 1, f"Sentence number {at}.", "en", 1.0) for at in range(100)]
    with TranscriptWriter(tmp_path / "full" / f"a.{format}") as writer:
        first = writer.partial
        for segment in segments:
            writer.add(segment)
        path = writer.finish(ENDED)
    assert path == data_folder() / "transcripts" / f"a.{format}" and "No space left" in writer.notices[0].text
    assert path.read_text("utf-8") == render(segments, format, Summary("en", "tiny", 3726.0))
    left = first.read_text("utf-8")
    if format == "json":
        assert json.loads(left)["segments"][0]["text"] == "Sentence number 0."
    else:
        assert any(left == render(segments[:count], format) for count in range(1, 100))


def test_no_room_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.tasks.transcripts.FileIO", FullDisk)
    monkeypatch.setattr(FullDisk, "where", str(tmp_path))
    with TranscriptWriter(tmp_path / "a.json") as writer:
        with pytest.raises(EngineError, match=r"cannot be written to .*a\.json: No space left.*Free some"):
            for at in range(50):
                writer.add(Segment(at, at + 1, "Words and words.", "en", 1.0))
        assert json.loads(writer.partial.read_text("utf-8"))["segments"]


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
def test_a_real_full_device() -> None:
    with pytest.raises(OSError, match="No space"):
        FileIO("/dev/full", "w").write(b"x")


def test_saving_a_transcript(tmp_path: Path) -> None:
    transcript = Transcript("Fish", "en", SEGMENTS, 5.0, "tiny")
    assert str(transcript) == "Fish"
    for format in FORMATS:
        path = transcript.save(tmp_path / f"a.{format}")
        assert path.read_text("utf-8") == render(SEGMENTS, format, Summary("en", "tiny", 5.0))
    assert format_of(Path("a.SRT")) == "srt" and format_of(Path("a.doc")) == format_of(Path("a")) == "txt"
