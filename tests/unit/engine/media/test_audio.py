"""Sound files of all kinds: their sound, exact in time, or one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError
from engine.media.audio import SAMPLE_RATE_HZ, AudioFile
from tests.unit.engine.media.sounds import CLIPS, chirps, write, write_video


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "录音 ü"
    inside.mkdir()
    return inside


def sound_of(path: Path, start_s: float = 0.0) -> np.ndarray:
    with AudioFile.open(path) as audio:
        blocks = list(audio.blocks(start_s))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def problem_of(path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        AudioFile.open(path)
    text = str(caught.value)
    assert "\n" not in text
    assert caught.value.hint
    return text


# What is heard

KINDS = [
    ("a.wav", "pcm_s16le", 44_100, "s16", "stereo"),
    ("low.wav", "pcm_u8", 8_000, "u8", "mono"),
    ("high.wav", "pcm_s32le", 192_000, "s32", "5.1"),
    ("float.wav", "pcm_f32le", 48_000, "flt", "stereo"),
    ("a.flac", "flac", 44_100, "s16", "mono"),
    ("a.mp3", "libmp3lame", 44_100, "s16p", "stereo"),
    ("a.m4a", "aac", 44_100, "fltp", "stereo"),
    ("a.opus", "libopus", 48_000, "s16", "mono"),
    ("a.webm", "libopus", 48_000, "s16", "stereo"),
    ("a.mkv", "aac", 48_000, "fltp", "5.1"),
    ("a.mov", "pcm_s16le", 48_000, "s16", "stereo"),
    ("a.aac", "aac", 44_100, "fltp", "mono"),
    ("a.aiff", "pcm_s16be", 22_050, "s16", "mono"),
]


@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_each_kind_is_decoded(kind: tuple[str, str, int, str, str], folder: Path) -> None:
    name, codec, rate, sample_format, layout = kind
    original = chirps(4)
    path = write(folder / name, original, codec, rate, sample_format, layout=layout)
    with AudioFile.open(path) as audio:
        assert audio.info.sample_rate_hz == rate
        assert audio.info.channels == {"mono": 1, "stereo": 2, "5.1": 6}[layout]
        assert not audio.info.has_video
        assert audio.info.duration_s == pytest.approx(4, abs=0.3)  # raw AAC only guesses
        blocks = list(audio.blocks())
        assert audio.damage == ""
    assert all(len(block) == SAMPLE_RATE_HZ and block.dtype == np.float32 for block in blocks[:-1])
    sound = np.concatenate(blocks)
    assert len(sound) == pytest.approx(len(original), abs=700)
    middle = slice(SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ)
    # Raw AAC keeps the encoder's lead-in of 1024 samples: nothing in it says how long that is.
    shifts = range(-400, 401)
    likeness = [np.dot(original[middle], sound[middle.start + at : middle.stop + at]) for at in shifts]
    assert abs(shifts[int(np.argmax(likeness))]) <= (400 if name == "a.aac" else 1)


@pytest.mark.parametrize(("name", "codec", "sample_format"), [("a.wav", "pcm_s16le", "s16"), ("a.flac", "flac", "s16"), ("a.mp3", "libmp3lame", "s16p")])  # fmt: skip
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_starting_later_gives_the_same_samples(
    name: str, codec: str, sample_format: str, rate: int, folder: Path
) -> None:
    path = write(folder / name, chirps(12), codec, rate, sample_format)
    whole = sound_of(path)
    for start_s in (0.0, 1.0, 4.2503, 9.99999, 11.9, 13.0):
        part = sound_of(path, start_s)
        expected = whole[round(start_s * SAMPLE_RATE_HZ) :]
        assert len(part) == len(expected)
        assert np.abs(part - expected).max(initial=0) < 1e-3


def test_the_sound_of_a_video() -> None:
    with AudioFile.open(CLIPS / "english.mp4") as audio:
        assert audio.info.has_video
        assert audio.info.codec == "aac"
        assert sum(map(len, audio.blocks())) / SAMPLE_RATE_HZ == pytest.approx(10.6, abs=0.1)


def test_a_pass_can_be_left_and_repeated(folder: Path) -> None:
    path = write(folder / "a.flac", chirps(3), "flac")
    with AudioFile.open(path) as audio:
        first = next(audio.blocks(block_s=0.1))
        assert len(first) == SAMPLE_RATE_HZ // 10
        assert np.array_equal(first, next(audio.blocks(block_s=0.1)))
    path.unlink()  # nothing holds it


def test_what_is_not_a_number_becomes_silence(folder: Path) -> None:
    sound = chirps(1)
    sound[100:200] = np.nan
    sound[300:400] = np.inf
    heard = sound_of(write(folder / "a.wav", sound, "pcm_f32le", sample_format="flt"))
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1


def test_tracks_of_unknown_channels(folder: Path) -> None:
    path = folder / "five.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(5)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.full((16_000, 5), 8192, "<i2").tobytes())
    assert np.allclose(sound_of(path), 0.25, atol=1e-3)


def test_a_file_with_several_tracks_gives_the_first(folder: Path) -> None:
    path = write(folder / "two.mka", chirps(2), "flac", tracks=2)
    assert len(sound_of(path)) == 2 * SAMPLE_RATE_HZ


# Damage


def test_a_cut_off_end_keeps_what_came(folder: Path) -> None:
    for name, codec in (("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mkv", "flac")):
        path = write(folder / name, chirps(10), codec)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with AudioFile.open(path) as audio:
            heard = sum(map(len, audio.blocks())) / SAMPLE_RATE_HZ
            assert 2 < heard < 8
            assert audio.damage


def test_damage_in_the_middle_is_passed(folder: Path) -> None:
    path = write(folder / "a.mp3", chirps(20), "libmp3lame", 44_100, "s16p")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 8000] = np.random.default_rng(1).bytes(8000)
    path.write_bytes(content)
    assert len(sound_of(path)) / SAMPLE_RATE_HZ == pytest.approx(20, abs=1.5)


def test_a_file_that_grows_is_read_to_its_end(folder: Path) -> None:
    full = write(folder / "full.wav", chirps(20), "pcm_s16le").read_bytes()
    path = folder / "grows.wav"
    path.write_bytes(full[: len(full) // 2])
    with AudioFile.open(path) as audio:
        blocks = audio.blocks()
        count = len(next(blocks))
        path.write_bytes(full)
        count += sum(map(len, blocks))
    assert 10 * SAMPLE_RATE_HZ - 100 <= count <= 20 * SAMPLE_RATE_HZ


# Bad input


def test_what_is_not_there_or_not_a_file(folder: Path) -> None:
    assert "does not exist" in problem_of(folder / "missing.wav")
    assert "is a folder" in problem_of(folder)
    empty = folder / "empty.mp3"
    empty.touch()
    assert "is empty" in problem_of(empty)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes in folders")
def test_a_pipe_is_refused_instead_of_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    assert "is not a file" in problem_of(folder / "pipe.wav")


def test_no_permission(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(folder / "a.wav", chirps(1), "pcm_s16le")

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("engine.media.containers._File", refuse)
    assert "no permission" in problem_of(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.mp3", b"Dear diary, today nothing happened. " * 50, "neither sound nor video"),
        ("noise.wav", bytes(range(256)) * 64, "neither sound nor video"),
        ("song.mid", b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60MTrk", "MIDI"),
        (
            "list.m3u8",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.wav\n#EXT-X-ENDLIST\n",
            "playlist",
        ),
        ("list.ffconcat", b"ffconcat version 1.0\nfile other.wav\n", "playlist"),
        ("list.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n", "playlist"),
        ("list.mpd", b'<?xml version="1.0"?><MPD><BaseURL>other.wav</BaseURL></MPD>', "playlist"),
        ("film.mp4", b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(400), "index is missing"),
    ],
)
def test_what_is_no_sound(name: str, content: bytes, said: str, folder: Path) -> None:
    write(folder / "other.wav", chirps(9), "pcm_s16le")
    (folder / name).write_bytes(content)
    assert said in problem_of(folder / name)


def test_a_video_without_sound(folder: Path) -> None:
    assert "video without sound" in problem_of(write_video(folder / "mute.mp4"))


def test_copy_protection(folder: Path) -> None:
    path = write(folder / "a.m4a", chirps(1), "aac", sample_format="fltp")
    path.write_bytes(path.read_bytes().replace(b"mp4a", b"drms"))
    assert "copy-protected" in problem_of(path)


def test_an_unknown_codec(folder: Path) -> None:
    path = write(folder / "a.wav", chirps(1), "pcm_s16le")
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 8
    content[at : at + 2] = b"\x99\x77"
    path.write_bytes(content)
    assert "does not know" in problem_of(path)


def test_nothing_is_said_on_the_terminal(folder: Path) -> None:
    path = write(folder / "a.mp3", chirps(5), "libmp3lame", 44_100, "s16p")
    content = bytearray(path.read_bytes())
    content[9000:20000] = np.random.default_rng(1).bytes(11000)
    path.write_bytes(content)
    code = f"from pathlib import Path; from engine.media.audio import AudioFile\nfor b in AudioFile.open(Path({str(path)!r})).blocks(): pass"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
