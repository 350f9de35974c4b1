"""``pollux transcribe`` with the real model on the clips in ``tests/data/speech``, and on what has no speech.

In: POLLUX_TEST_SPEECH_PACK, the folder of the default speech model. Everything lies in folders with letters that break
careless path handling.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.__main__ import main
from engine.media.audio import SAMPLE_RATE_HZ, AudioFile

PACK = os.environ.get("POLLUX_TEST_SPEECH_PACK", "")
CHECKOUT = Path(__file__).resolve().parents[4]
CLIPS = CHECKOUT / "tests" / "data" / "speech"
ENGLISH = (
    "my name is robert and i live in london yesterday the weather was cold "
    "today the sun is shining and we will go to the beach with the children"
).split()
LOUD = 0.02  # of full scale: above this somebody speaks
ONSET_S = 0.15  # so near is the time of the first word
COPIES = 15  # of the English clip: three minutes
DEADLINE_S = 240
Output = pytest.CaptureFixture[str]
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PACK, reason="POLLUX_TEST_SPEECH_PACK does not name a speech model"),
]


@pytest.fixture(autouse=True)
def installed(pollux_home: Path) -> None:
    (pollux_home / "packs").mkdir()
    (pollux_home / "packs" / Path(PACK).name).symlink_to(Path(PACK).resolve(), target_is_directory=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copies of the clips."""
    made = tmp_path / "录音 测试 ü"
    made.mkdir()
    for clip in CLIPS.iterdir():
        shutil.copyfile(clip, made / clip.name)
    return made


def transcribed(capsys: Output, *arguments: str | Path) -> str:
    """Standard output of a run that went well and had nothing to say beside it."""
    code = main(["transcribe", "--device", "cpu", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    return out


def folded(text: str) -> list[str]:
    """Words without case and punctuation."""
    return re.sub(r"[^\w\s]", "", text.casefold()).split()


def sound_of(path: Path) -> NDArray[np.float32]:
    with AudioFile.open(path) as file:
        return np.concatenate(list(file.blocks()))


def write_wav(path: Path, samples: NDArray[np.float32]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


def cues(text: str) -> list[tuple[float, float, str]]:
    """The cues of an .srt or .vtt file: start, end, text."""
    found = re.findall(r"(\S+) --> (\S+)\n(.+?)(?:\n\n|\n?$)", text, re.DOTALL)
    return [(_clock_s(start), _clock_s(end), words) for start, end, words in found]


def _clock_s(clock: str) -> float:
    seconds = 0.0
    for part in clock.replace(",", ".").split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def test_english_in_every_format(folder: Path, capsys: Output) -> None:
    clip = folder / "english.flac"
    assert folded(transcribed(capsys, clip)) == ENGLISH
    for format in ("srt", "vtt"):
        target = folder / f"字幕 ü.{format}"
        assert transcribed(capsys, clip, "--restart", "-o", target) == f"{target}\n"
        text = target.read_text("utf-8")
        assert text.startswith("1\n" if format == "srt" else "WEBVTT")
        found = cues(text)
        assert folded(" ".join(words for *_, words in found)) == ENGLISH
        assert len(found) >= 3 and all(start < end for start, end, _ in found)
        assert all(one[1] <= other[0] + 1e-6 for one, other in itertools.pairwise(found))
        assert found[-1][1] <= 10.7
    told = json.loads(transcribed(capsys, clip, "--restart", "--format", "json"))
    assert folded(told["text"]) == ENGLISH and (told["language"], told["finished"]) == ("en", True)
    assert told["duration_s"] == pytest.approx(10.6, abs=0.1)
    assert not list(folder.glob("*.partial*"))


def test_chinese_is_simplified(folder: Path, capsys: Output) -> None:
    text = transcribed(capsys, folder / "chinese.flac")
    for words in ("你好", "北京", "中文", "我们", "谢谢大家"):
        assert words in text
    assert "，" in text or "。" in text
    traditional = transcribed(capsys, folder / "chinese.flac", "--language", "zh-Hant")
    assert "我們" in traditional and "我们" not in traditional


def test_chinese_in_english(folder: Path, capsys: Output) -> None:
    text = transcribed(capsys, "--translate", folder / "chinese.flac")
    assert {"chinese", "beijing"} <= set(folded(text)) and text.isascii()


def test_subtitles_beside_a_video(folder: Path, capsys: Output) -> None:
    target = folder / "english.srt"
    assert transcribed(capsys, folder / "english.mp4", "--format", "srt") == f"{target}\n"
    found = cues(target.read_text("utf-8"))
    assert folded(" ".join(words for *_, words in found)) == ENGLISH and found[-1][1] <= 10.8


@pytest.mark.parametrize(
    ("clip", "before_s"), [("english.flac", 0.0), ("english.flac", 2.0), ("chinese.flac", 1.0)]
)
def test_words(clip: str, before_s: float, folder: Path, capsys: Output) -> None:
    """Behind some silence, too: the times are those of the recording."""
    sound = np.concatenate((silence(before_s), sound_of(folder / clip)))
    told = json.loads(
        transcribed(capsys, "--words", "--format", "json", write_wav(folder / "词 ü.wav", sound))
    )
    segments: list[dict[str, Any]] = told["segments"]
    times = [-1.0]
    for segment in segments:
        assert segment["words"]
        for word in segment["words"]:
            assert segment["start_s"] <= word["start_s"] <= word["end_s"] <= segment["end_s"]
            assert word["start_s"] >= times[-1] and 0 < word["confidence"] <= 1
            times.append(word["start_s"])
    assert len(set(times)) > 0.8 * len(times)
    joined = " ".join(word["text"] for segment in segments for word in segment["words"])
    assert (
        folded(joined) == ENGLISH
        if clip == "english.flac"
        else "".join(folded(joined)).startswith("你好我是")
    )
    loud = np.flatnonzero(np.abs(sound) > LOUD) / SAMPLE_RATE_HZ
    assert times[1] == pytest.approx(loud[0], abs=ONSET_S)
    assert segments[-1]["end_s"] == pytest.approx(loud[-1], abs=0.4)


def test_no_speech_gives_no_text(folder: Path, capsys: Output) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 8 * SAMPLE_RATE_HZ).astype(np.float32)
    for path in (
        write_wav(folder / "静音.wav", silence(8)),
        write_wav(folder / "噪声.wav", noise),
        folder / "music.opus",
    ):
        assert transcribed(capsys, path) == "", path.name
        told = json.loads(transcribed(capsys, path, "--restart", "--format", "json"))
        assert told["segments"] == [] and told["text"] == "" and told["finished"] is True


def test_killed_and_run_again(folder: Path, capsys: Output) -> None:
    """A real process dies in the midst of three minutes; the next one goes on and ends with the same words."""
    one = np.concatenate((sound_of(folder / "english.flac"), silence(2)))
    recording = write_wav(folder / "长 ü.wav", np.tile(one, COPIES))
    target, partial = folder / "长 ü.srt", folder / "长 ü.partial.srt"
    command = [
        sys.executable,
        "-m",
        "engine",
        "transcribe",
        "--device",
        "cpu",
        str(recording),
        "-o",
        str(target),
    ]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline_s = time.monotonic() + DEADLINE_S
    try:
        while not (partial.exists() and len(cues(partial.read_text("utf-8"))) >= 8):
            assert process.poll() is None and time.monotonic() < deadline_s
            time.sleep(0.01)
        assert process.poll() is None, "it was done too soon"
    finally:
        process.kill()
        process.communicate()
    left = cues(partial.read_text("utf-8"))
    said = folded(" ".join(words for *_, words in left))
    assert not target.exists() and said == (ENGLISH * COPIES)[: len(said)] and len(left) >= 8

    code = main(["transcribe", "--device", "cpu", str(recording), "-o", str(target)])
    out, err = capsys.readouterr()
    assert (code, out) == (0, f"{target}\n") and "going on from there" in err
    found = cues(target.read_text("utf-8"))
    assert folded(" ".join(words for *_, words in found)) == ENGLISH * COPIES
    assert [start for start, *_ in found] == sorted(start for start, *_ in found)
    assert not partial.exists() and found[: len(left) - 3] == left[:-3]
