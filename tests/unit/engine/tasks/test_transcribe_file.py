"""Journals: nothing is done twice, nothing is lost, whatever happens to a run."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import CUT_OFF
from engine.results import LanguageFound, Notice, Progress, Segment, Transcribed, Word
from engine.tasks.journal_format import make_header
from engine.tasks.transcribe import TranscribeOptions
from engine.tasks.transcribe_file import model_key, transcribe_file
from engine.tasks.transcript_journal import Journal, delete_journal, journal_path, list_journals, read_journal
from tests.unit.engine.tasks.fake_speech import (
    FakeSpeechModel,
    FakeTranscribe,
    fake,
    make_wav,
    model,
    sentence,
)

__all__ = ["fake", "model"]
ROOT = Path(__file__).resolve().parents[4]
OPTIONS = TranscribeOptions(words=True)
Run = Callable[..., list[object]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "测试 ü" / "transcripts"


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return make_wav(tmp_path / "测试 ü" / "演讲 1.wav", 20)


@pytest.fixture
def run(model: FakeSpeechModel, wav: Path, folder: Path) -> Run:
    def go(resume: bool = True, options: TranscribeOptions = OPTIONS, cancel: Cancel | None = None) -> list:
        return list(transcribe_file(model, wav, options, cancel or Cancel(), folder, resume))  # type: ignore[arg-type]

    return go


def only(kind: type, items: Iterable[object]) -> list:
    return [item for item in items if isinstance(item, kind)]


def codes(items: Iterable[object]) -> list[str]:
    return [notice.code for notice in only(Notice, items)]


WHOLE = [sentence(at, "en", True) for at in range(0, 20, 2)]


def test_a_run_and_its_replay(
    run: Run, fake: FakeTranscribe, folder: Path, wav: Path, model: FakeSpeechModel
) -> None:
    first = run()
    assert only(Segment, first) == WHOLE and codes(first) == []
    again = run()
    assert len(fake.calls) == 1 and codes(again) == ["transcript_kept"]
    assert only(Segment, again) == WHOLE and only(LanguageFound, again) == only(LanguageFound, first)
    assert again[-1] == first[-1] and only(Transcribed, again)[0].segments == 10
    (info,) = list_journals(folder)
    assert info.path == journal_path(folder, wav, model_key(model), OPTIONS)  # type: ignore[arg-type]
    assert (info.source, info.finished, info.language, info.duration_s) == (wav.resolve(), True, "en", 20.0)
    assert info.first_words.startswith("We shall meet at noon") and info.model.startswith("模型@1")
    assert len(only(Segment, run(resume=False))) == 10 and len(fake.calls) == 2
    run(options=TranscribeOptions(language="zh"))
    assert len(fake.calls) == 3 and len(list_journals(folder)) == 2
    make_wav(wav, 22)  # another recording by the same name
    assert len(only(Segment, run())) == 11


def test_a_stopped_run_goes_on(run: Run, fake: FakeTranscribe) -> None:
    fake.cancel_at_s = 10  # progress was made at 6 s
    first = run()
    assert only(Transcribed, first)[0].reason == "cancelled" and len(only(Segment, first)) == 5
    fake.cancel_at_s = float("inf")
    second = run()
    assert codes(second) == ["resumed"] and "00:00:06" in only(Notice, second)[0].text
    assert fake.calls[-1] == (OPTIONS, 6.0) and fake.known_languages == ["", "en"]
    assert only(Segment, second) == WHOLE and only(LanguageFound, second) == only(LanguageFound, first)
    ended = only(Transcribed, second)[0]
    assert (ended.reason, ended.segments, ended.audio_s) == ("stop", 10, 20.0)
    assert ended.speech_s == pytest.approx(15.0)
    assert codes(run()) == ["transcript_kept"]


@pytest.mark.parametrize("cut_bytes", range(1, 4000, 211))
def test_a_file_that_ends_anywhere(run: Run, fake: FakeTranscribe, folder: Path, cut_bytes: int) -> None:
    run()
    path = list_journals(folder)[0].path
    data = path.read_bytes()
    path.write_bytes(data[: max(0, len(data) - cut_bytes)])
    assert only(Segment, run()) == WHOLE
    assert path.read_bytes().count(b'"type":"segment"') == 10
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_everything_is_on_disk_before_it_is_seen(
    model: FakeSpeechModel, fake: FakeTranscribe, wav: Path, folder: Path
) -> None:
    seen: list[Segment] = []
    for item in transcribe_file(model, wav, OPTIONS, Cancel(), folder):  # type: ignore[arg-type]
        if isinstance(item, Segment):
            seen.append(item)
            content = read_journal(next(folder.glob("*.jsonl")))
            assert content is not None and content.segments == tuple(seen)


def test_one_writer_at_a_time(model: FakeSpeechModel, fake: FakeTranscribe, wav: Path, folder: Path) -> None:
    items = transcribe_file(model, wav, OPTIONS, Cancel(), folder)  # type: ignore[arg-type]
    while not isinstance(next(items), Segment):
        pass
    with pytest.raises(EngineError, match="by another Pollux"):
        list(transcribe_file(model, wav, OPTIONS, Cancel(), folder))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="by another Pollux"):
        delete_journal(next(folder.glob("*.jsonl")))
    items.close()  # type: ignore[attr-defined]
    delete_journal(next(folder.glob("*.jsonl")))
    assert list(folder.iterdir()) == []


def test_nothing_is_left_of_a_run_without_result(
    model: FakeSpeechModel, fake: FakeTranscribe, tmp_path: Path, wav: Path, folder: Path
) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    for path in (tmp_path / "bad.wav", tmp_path / "none.wav"):
        with pytest.raises(EngineError):
            list(transcribe_file(model, path, OPTIONS, Cancel(), folder))  # type: ignore[arg-type]
    assert not folder.exists()
    cancel = Cancel()
    cancel.set()
    list(transcribe_file(model, wav, OPTIONS, cancel, folder))  # type: ignore[arg-type]
    assert list(folder.iterdir()) == []


def test_without_a_journal(
    model: FakeSpeechModel, fake: FakeTranscribe, tmp_path: Path, wav: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = list(transcribe_file(model, wav, OPTIONS, Cancel(), None))  # type: ignore[arg-type]
    assert only(Segment, items) == WHOLE and codes(items) == []
    (tmp_path / "file").write_text("", "utf-8")
    items = list(transcribe_file(model, wav, OPTIONS, Cancel(), tmp_path / "file" / "x"))  # type: ignore[arg-type]
    assert only(Segment, items) == WHOLE and codes(items) == ["journal_off"]

    def full(journal: Journal, segment: Segment) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Journal, "add", full)
    items = list(transcribe_file(model, wav, OPTIONS, Cancel(), tmp_path / "journals"))  # type: ignore[arg-type]
    assert only(Segment, items) == WHOLE and codes(items) == ["journal_off"]
    assert "No space left" in only(Notice, items)[0].text


def test_damage_is_said(run: Run, fake: FakeTranscribe) -> None:
    fake.damage = CUT_OFF
    items = run()
    assert codes(items) == ["end_missing"] and isinstance(items[-1], Transcribed)
    fake.damage = "something"
    assert codes(run(resume=False)) == ["parts_damaged"]


def test_edits(run: Run, fake: FakeTranscribe, folder: Path, wav: Path) -> None:
    run()
    path = list_journals(folder)[0].path
    edited = [*WHOLE[:3], Segment(6.0, 7.0, "Anders. 改了", "de", 1.0, (Word("Anders.", 6, 7, 1.0),))]
    wav.unlink()  # the recording need not exist
    journal = Journal.reopen(path)
    assert journal.segments == tuple(WHOLE) and journal.finished
    journal.replace(edited)
    journal.replace(edited)
    journal.close()
    content = read_journal(path)
    assert content is not None and content.segments == tuple(edited) and content.ended is not None
    with pytest.raises(EngineError, match="cannot be read"):
        Journal.reopen(folder / "no.jsonl")


def test_edits_of_a_run_that_goes_on(run: Run, fake: FakeTranscribe, folder: Path) -> None:
    fake.cancel_at_s = 10
    run()
    fake.cancel_at_s = float("inf")
    journal = Journal.reopen(list_journals(folder)[0].path)
    edited = [Segment(0, 1, "Edited.", "en", 1.0), *journal.segments[1:]]
    journal.replace(edited)
    journal.close()
    assert only(Segment, run()) == [edited[0], *WHOLE[1:]]


def test_long_journals_are_listed_by_their_ends(folder: Path, wav: Path) -> None:
    journal = Journal.open(folder, wav, "m", OPTIONS, 9000.0)
    journal.found(LanguageFound("zh", 0.9))
    for at in range(0, 3000, 2):
        journal.add(sentence(at, "zh", True))
        journal.reached(at + 2.0)
    (info,) = list_journals(folder)
    assert (info.finished, info.done_s, info.language, info.duration_s) == (False, 3000.0, "zh", 9000.0)
    journal.close()
    (folder / "other.jsonl").write_text("no journal\n", "utf-8")
    (folder / "newer.jsonl").write_bytes(
        make_header(wav, "m", OPTIONS).line().replace(b'"format":1', b'"format":2')
    )
    assert len(list_journals(folder)) == 1
    assert list_journals(folder / "nowhere") == ()


SLOW = """
import sys
from pathlib import Path
sys.path.insert(0, ROOT)
from engine.__main__ import main
from engine.runtime.speech_model import SpeechModel
from engine.tasks import transcribe_file
from tests.unit.engine.tasks.fake_speech import FakeSpeechModel, FakeTranscribe
transcribe_file.transcribe = FakeTranscribe(float(sys.argv[1]))
SpeechModel.open = lambda pack, device="auto", threads=0: FakeSpeechModel(pack)
sys.exit(main(sys.argv[2:]))
"""


def start(delay_s: float, *arguments: str) -> subprocess.Popen[bytes]:
    code = SLOW.replace("ROOT", repr(str(ROOT)))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(delay_s), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("format", ["srt", "json"])
def test_a_killed_process(format: str, pollux_home: Path, tmp_path: Path) -> None:
    from engine.folders import packs_folder
    from tests.unit.engine.pack_maker import make_speech_pack

    make_speech_pack(packs_folder() / "tiny-speech")
    wav = make_wav(tmp_path / "测试 ü" / "长 talk.wav", 60)
    whole, target = tmp_path / f"whole.{format}", tmp_path / "测试 ü" / f"out.{format}"
    partial = target.with_name(f"out.partial.{format}")
    other = make_wav(tmp_path / "other.wav", 60)
    done = start(0.0, "transcribe", str(other), "-o", str(whole), "--words")
    assert done.wait(60) == 0

    slow = start(0.05, "transcribe", str(wav), "-o", str(target), "--words")
    deadline_s = time.monotonic() + 60
    while not (partial.exists() and partial.read_text("utf-8").count("Is it so?") >= 2):
        assert time.monotonic() < deadline_s and slow.poll() is None
        time.sleep(0.01)
    slow.kill()
    slow.wait(60)
    left = partial.read_text("utf-8")
    assert left.count("Is it so?") >= 2 and not target.exists()
    if format == "json":
        assert len(json.loads(left)["segments"]) >= 6
    else:
        assert left.endswith("\n")

    done = start(0.0, "transcribe", str(wav), "-o", str(target), "--words")
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0 and "going on from there" in err.decode()
    assert out.decode().strip() == str(target)
    assert target.read_text("utf-8") == whole.read_text("utf-8") and not partial.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_in_a_process(pollux_home: Path, tmp_path: Path) -> None:
    from engine.folders import packs_folder
    from tests.unit.engine.pack_maker import make_speech_pack

    make_speech_pack(packs_folder() / "tiny-speech")
    wav = make_wav(tmp_path / "a.wav", 600)
    slow = start(0.02, "transcribe", str(wav), "--format", "srt")
    assert slow.stdout is not None
    for _ in range(20):
        slow.stdout.readline()
    os.kill(slow.pid, signal.SIGINT)
    out, err = slow.communicate(timeout=60)
    assert slow.returncode == 130 and out.endswith(b"\n\n")
    (line,) = [line for line in err.decode().splitlines() if "Stopped" in line]
    assert line.startswith("Stopped at 00:00:") and line.endswith("The same command goes on from there.")


def test_progress_passes_through(run: Run, fake: FakeTranscribe) -> None:
    assert [item.done for item in only(Progress, run())] == [0, 6000, 12000, 18000]
