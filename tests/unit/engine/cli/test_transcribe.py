"""``pollux transcribe`` and ``Pollux.transcribe``, with a model that hears something every two seconds."""

from __future__ import annotations

import io
import json
import signal
from pathlib import Path

import av
import numpy as np
import pytest

from engine import Pollux
from engine.__main__ import main
from engine.cli.console import Console
from engine.errors import EngineError
from engine.folders import data_folder, packs_folder
from engine.packs import Pack
from engine.results import Progress, Transcript
from engine.runtime.speech_model import SpeechModel
from engine.tasks.spoken_languages import LANGUAGE_NAMES, language_code
from engine.tasks.transcript_formats import render
from tests.unit.engine.pack_maker import make_speech_pack
from tests.unit.engine.tasks.fake_speech import FakeSpeechModel, FakeTranscribe, fake, make_wav, sentence

__all__ = ["fake"]
Output = pytest.CaptureFixture[str]
TEXT = render([sentence(at) for at in (0, 2, 4)], "txt")
SRT = render([sentence(at) for at in (0, 2, 4)], "srt")


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch, fake: FakeTranscribe) -> list[tuple[str, str, int]]:
    made: list[tuple[str, str, int]] = []

    def open_fake(pack: Pack, device: str = "auto", threads: int = 0) -> FakeSpeechModel:
        made.append((pack.name, device, threads))
        return FakeSpeechModel(pack)

    monkeypatch.setattr(SpeechModel, "open", open_fake)
    make_speech_pack(packs_folder() / "tiny-speech")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "录音 ü"
    made.mkdir()
    return made


@pytest.fixture
def wav(folder: Path) -> Path:
    return make_wav(folder / "讲话.wav", 6)


def make_video(path: Path, seconds: int = 6) -> Path:
    """Pictures and silence."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=1)
        pictures.width = pictures.height = 32
        sound = container.add_stream("aac", rate=16000)
        for _ in range(seconds):
            image = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            container.mux(pictures.encode(image))
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            frame.sample_rate = 16000
            container.mux(sound.encode(frame))
        for stream in (pictures, sound):
            container.mux(stream.encode(None))
    return path


def test_text_comes_on_standard_output(
    wav: Path, fake: FakeTranscribe, opened: list[tuple[str, str, int]], capsys: Output
) -> None:
    arguments = "--language Chinese --translate --prompt Names --device cpu --threads 2"
    assert main(["transcribe", str(wav), *arguments.split()]) == 0
    out, err = capsys.readouterr()
    assert out == render([sentence(at, "zh") for at in (0, 2, 4)], "txt") and err == ""
    options, start_s = fake.calls[0]
    assert (options.language, options.translate, options.initial_prompt, start_s) == (
        "zh",
        True,
        "Names",
        0.0,
    )
    assert opened == [("tiny-speech", "cpu", 2)]
    assert not list(wav.parent.glob("*.partial*"))


@pytest.mark.parametrize("format", ["srt", "vtt", "json"])
def test_other_formats(wav: Path, format: str, capsys: Output) -> None:
    assert main(["transcribe", str(wav), "--format", format]) == 0
    out = capsys.readouterr().out
    if format == "json":
        assert [each["text"] for each in json.loads(out)["segments"]] == TEXT.splitlines()
    else:
        assert out == render([sentence(at) for at in (0, 2, 4)], format)  # type: ignore[arg-type]
    target = wav.parent / f"out.{format}"
    assert main(["transcribe", str(wav), "-o", str(target)]) == 0  # the ending says which
    out, err = capsys.readouterr()
    assert out == f"{target}\n" and "was transcribed before" in err
    if format != "json":
        assert target.read_text("utf-8") == render([sentence(at) for at in (0, 2, 4)], format)  # type: ignore[arg-type]


def test_records(wav: Path, capsys: Output) -> None:
    assert main(["transcribe", str(wav), "--json", "--words", "-o", str(wav.with_suffix(".txt"))]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["type"] for record in records] == ["language", *["segment"] * 3, "finished"]
    assert {record["file"] for record in records} == {str(wav)}
    assert records[0]["language"] == "en" and records[0]["probability"] == 0.9
    assert records[2]["text"] == "今天天气很好，我们去公园吧。" and records[2]["words"][0]["start_s"] == 2.0
    last = records[-1]
    assert (last["reason"], last["segments"], last["audio_s"], last["model"]) == (
        "stop",
        3,
        6.0,
        "tiny-speech",
    )
    assert last["output"] == str(wav.with_suffix(".txt"))
    assert wav.with_suffix(".txt").read_text("utf-8") == TEXT


def test_subtitles_go_beside_a_video(folder: Path, capsys: Output) -> None:
    video = make_video(folder / "电影.mp4")
    assert main(["transcribe", str(video), "--format", "srt"]) == 0
    out = capsys.readouterr().out
    assert out == f"{folder / '电影.srt'}\n" and (folder / "电影.srt").read_text("utf-8").startswith("1\n")
    (folder / "电影.srt").write_text("made by hand", "utf-8")
    assert main(["transcribe", str(video), "--format", "srt"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "is there already" in err
    assert (folder / "电影.srt").read_text("utf-8") == "made by hand"
    assert main(["transcribe", str(video), "--format", "srt", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("1\n00:00:00,000")
    assert main(["transcribe", str(video)]) == 0
    assert capsys.readouterr().out.startswith("We shall")


def test_several(folder: Path, tmp_path: Path, capsys: Output) -> None:
    make_wav(folder / "b.wav", 6)
    make_wav(folder / "a.wav", 6)
    (folder / "notes.txt").write_text("no recording", "utf-8")
    (folder / "c.mp3").write_bytes(b"no recording")
    (folder / ".hidden.wav").write_bytes(b"")
    out_folder = tmp_path / "out"
    assert main(["transcribe", str(folder), "-o", str(out_folder), "--format", "srt"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(out_folder / "a.srt"), str(out_folder / "b.srt")]
    problems = [line for line in err.splitlines() if line.startswith("pollux: ")]
    assert len(problems) == 1 and "c.mp3" in problems[0]
    assert (out_folder / "a.srt").read_text("utf-8") == SRT
    assert sorted(path.name for path in out_folder.iterdir()) == ["a.srt", "b.srt"]
    assert main(["transcribe", str(folder / "a.wav"), str(folder / "b.wav")]) == 0
    assert capsys.readouterr().out == f"==> {folder / 'a.wav'} <==\n{TEXT}==> {folder / 'b.wav'} <==\n{TEXT}"


def test_names_never_clash(folder: Path, capsys: Output) -> None:
    files = [make_wav(folder / name, 6) for name in ("one/a.wav", "two/a.wav", "two/A.ogg", "two/b.wav")]
    assert main(["transcribe", *map(str, files), "-o", f"{folder}/out/"]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["a.wav.txt", "a.wav (2).txt", "A.ogg.txt", "b.txt"]


def test_a_place_that_cannot_be_written_to(wav: Path, capsys: Output) -> None:
    assert main(["transcribe", str(wav), "-o", str(wav / "out.srt")]) == 0
    out, err = capsys.readouterr()
    kept = data_folder() / "transcripts" / "out.srt"
    assert out == f"{kept}\n" and kept.read_text("utf-8") == SRT
    assert err.count("\n") == 1 and str(kept) in err


def test_ctrl_c_keeps_what_was_written(wav: Path, fake: FakeTranscribe, capsys: Output) -> None:
    make_wav(wav, 20)
    target = wav.with_suffix(".srt")
    fake.interrupt_at_s = 10
    before = signal.getsignal(signal.SIGINT)
    assert main(["transcribe", str(wav), "-o", str(target)]) == 130
    assert signal.getsignal(signal.SIGINT) is before
    out, err = capsys.readouterr()
    partial = target.with_name("讲话.partial.srt")
    assert out == "" and err == (
        f"Stopped at 00:00:10. What was said until then is in {partial}. The same command goes on from there.\n"
    )
    assert partial.read_text("utf-8") == render([sentence(at) for at in range(0, 10, 2)], "srt")
    assert main(["transcribe", str(wav), "--restart", "--format", "json"]) == 130
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert len(record["segments"]) == 5 and record["finished"] is False
    assert err.endswith("The same command without --restart goes on from there.\n")
    fake.interrupt_at_s = float("inf")
    assert main(["transcribe", str(wav), "-o", str(target)]) == 0
    assert fake.calls[-1][1] == 6.0 and not partial.exists()
    assert target.read_text("utf-8") == render([sentence(at) for at in range(0, 20, 2)], "srt")


def test_an_error_in_the_middle(wav: Path, fake: FakeTranscribe, capsys: Output) -> None:
    fake.fail_at_s = 4
    target = wav.with_suffix(".srt")
    for out_option in (["-o", str(target)], ["--format", "srt"]):
        assert main(["transcribe", str(wav), *out_option]) == 1
        out, err = capsys.readouterr()
        assert err.splitlines()[-1].endswith("There is not enough memory. Close something.")
        assert ("What was said until then is in" in err) is (out == "")
    assert out == render([sentence(0), sentence(2)], "srt")
    assert target.with_name("讲话.partial.srt").read_text("utf-8") == out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["@", "--language", "chinesse"], 'No language is called "chinesse". Did you mean chinese'),
        (["@", "--language", "xq"], "Use a code such as en or zh"),
        (["@", "--model", "tini"], 'No model called "tini" is installed. Did you mean tiny-speech?'),
        (["@", "--prompt", "x" * 3000], "too long"),
        (["@", "-o", "@"], "is the recording itself"),
        (["@", "@2", "-o", "@"], "there are several recordings"),
        (["/no/such/file.wav"], "file.wav"),
        (["@.."], "There is no recording in"),
    ],
)
def test_mistakes_give_one_line(wav: Path, arguments: list[str], message: str, capsys: Output) -> None:
    (wav.parent / "empty").mkdir()
    names = {"@": wav, "@2": make_wav(wav.parent / "2.wav", 2), "@..": wav.parent / "empty"}
    assert main(["transcribe", *(str(names.get(each, each)) for each in arguments)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("pollux: ") and message in err


def test_languages() -> None:
    for code, name in LANGUAGE_NAMES.items():
        assert language_code(code) == language_code(name) == language_code(name.upper()) == code
    for text, code in (
        ("", ""),
        ("auto", ""),
        ("zh-Hant", "zh-Hant"),
        ("ZH_cn", "zh-Hans"),
        ("en-US", "en"),
        ("Mandarin", "zh"),
        ("简体中文", "zh-Hans"),
    ):
        assert language_code(text) == code
    assert len(LANGUAGE_NAMES) == 100


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, now = Terminal(), [100.0]
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr("engine.cli.console.time.monotonic", lambda: now[0])
    console = Console()
    for done_ms in (0, 60_000, 750_000):
        console.progress(Progress("transcribe", done_ms, 3_600_000, "ms"))
        console.text("what is said")  # takes the bar away; speed goes on being measured from the beginning
        now[0] += 25
    assert shown.getvalue().split("\r")[-3].strip() == (
        "Transcribing [#####...................]  21%  00:12:30 of 01:00:00  15x real time  00:03:10 left"
    )
    console.progress(Progress("transcribe", 0, None, "ms"))  # the next recording
    now[0] += 10
    console.progress(Progress("transcribe", 20_000, None, "ms"))
    assert shown.getvalue().rsplit("\r", 1)[-1].strip() == "Transcribing 00:00:20  2x real time"


def test_the_facade(wav: Path, fake: FakeTranscribe, opened: list[tuple[str, str, int]]) -> None:
    with Pollux.load("tiny-speech", device="cpu", threads=1) as model:
        assert opened == [("tiny-speech", "cpu", 1)] and model.provider == "CPU"
        transcript = model.transcribe(str(wav), language="English", words=True, initial_prompt="Names")
        assert isinstance(transcript, Transcript) and str(transcript).startswith("We shall")
        assert (transcript.language, transcript.duration_s, len(transcript.segments)) == ("en", 6.0, 3)
        assert transcript.save(wav.with_suffix(".txt")).read_text("utf-8") == TEXT
        assert fake.calls[0][0].initial_prompt == "Names" and not (data_folder() / "transcripts").exists()
        with pytest.raises(EngineError, match="No model is installed"):
            model.generate_text("x")
        with pytest.raises(TypeError):
            model.transcribe(wav, wrong=1)
    with pytest.raises(EngineError, match="closed"):
        Pollux.transcribe(model, wav)


def test_the_facade_opens_what_is_needed(wav: Path, opened: list[tuple[str, str, int]]) -> None:
    from engine.runtime.language_model import LanguageModel
    from tests.unit.engine.cli.test_command_line import FakeModel
    from tests.unit.engine.pack_maker import make_pack

    with Pollux.load() as model:  # only a speech model is there
        assert opened == []
        assert model.transcribe(wav).text.startswith("We shall")
    make_pack(packs_folder() / "tiny")
    chat: list[Pack] = []

    def open_chat(pack: Pack, device: str, threads: int) -> FakeModel:
        chat.append(pack)
        return FakeModel(pack)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LanguageModel, "open", open_chat)
        with Pollux.load() as model:
            assert (model.pack.kind, chat, model.notices) == ("language", [], ())
            assert model.transcribe(wav).language == "en" and chat == []
            assert model.generate_text("Hi") and len(chat) == 1 and len(model.notices) == 1
