"""Key frames of films that are made here: cuts, no cuts, turned, damaged, without pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media import video
from engine.media.video import VideoFile, key_frames
from engine.media.video_scenes import SMALL_PX, Sight, choose
from tests.unit.engine.media.films import HEIGHT_PX, WIDTH_PX, marked, scene, shots, turn, write_film
from tests.unit.engine.media.sounds import chirps, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "测试 ü"
    made.mkdir(exist_ok=True)
    return made


def times(path: Path, at_most: int = 8) -> list[float]:
    return [round(frame.at_s, 2) for frame in key_frames(path, at_most)]


def like(pixels: np.ndarray, other: np.ndarray) -> bool:
    return float(np.abs(pixels.astype(int) - other).mean()) < 20


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "mpeg4"), ("b.mkv", "mpeg4"), ("c.avi", "mpeg4"), ("d.webm", "libvpx"), ("e.avi", "mjpeg"), ("f.ts", "mpeg2video")],
)  # fmt: skip
def test_each_scene_once(folder: Path, name: str, codec: str) -> None:
    scenes = [scene(seed) for seed in range(4)]
    rate = 25 if codec == "mpeg2video" else 10
    film = write_film(folder / name, shots(*scenes, each_s=2, rate=rate), codec, key_every=5, rate=rate)
    frames = list(key_frames(film))
    assert len(frames) == 4
    for number, frame in enumerate(frames):
        assert number * 2 <= frame.at_s < number * 2 + 2
        assert frame.pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
        assert like(frame.pixels, scenes[number])
        assert frame.info.width_px == WIDTH_PX and not frame.info.has_sound


def test_scenes_between_key_frames_are_found(folder: Path) -> None:
    scenes = [scene(seed) for seed in range(3)]
    film = write_film(folder / "one key.mp4", shots(*scenes, each_s=3), key_every=1000)
    frames = list(key_frames(film))
    assert [like(frame.pixels, wanted) for frame, wanted in zip(frames, scenes, strict=True)] == [True] * 3


def test_no_cut_is_spread_evenly_and_stillness_is_one_frame(folder: Path) -> None:
    still = write_film(folder / "still.mp4", shots(scene(1), each_s=20))
    assert len(times(still)) == 1

    def fading() -> Iterator[np.ndarray]:
        first, last = scene(1).astype(float), scene(2).astype(float)
        for at in np.linspace(0, 1, 400):
            yield (first * (1 - at) + last * at).astype(np.uint8)

    found = times(write_film(folder / "fading.mp4", fading()), 4)
    assert 3 <= len(found) <= 4
    assert found == sorted(found)
    assert min(np.diff(found)) > 4


def test_at_most_so_many_and_the_long_scenes_first(folder: Path) -> None:
    film = write_film(folder / "many.mp4", shots(*(scene(seed) for seed in range(12)), each_s=1), key_every=5)
    assert len(times(film, 5)) == 5
    assert len(times(film, 1)) == 1


def test_a_black_beginning_is_left_out(folder: Path) -> None:
    black = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    film = write_film(folder / "black.mp4", shots(black, scene(1), each_s=3))
    [at_s] = times(film)
    assert at_s >= 3
    assert len(times(write_film(folder / "all black.mp4", shots(black, each_s=3)))) == 1


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_films_come_upright(folder: Path, degrees: int) -> None:
    picture = marked(scene(5))
    film = turn(write_film(folder / "turned.mp4", shots(picture, each_s=1)), degrees)
    [frame] = list(key_frames(film))
    upright = np.rot90(picture, -degrees // 90)
    assert frame.pixels.shape == upright.shape
    assert like(frame.pixels, upright)
    assert (frame.info.height_px, frame.info.width_px) == upright.shape[:2]


def test_one_frame_and_sound_beside_it(folder: Path) -> None:
    film = write_film(folder / "one.mp4", shots(scene(1), each_s=0.1), sound=True)
    [frame] = list(key_frames(film))
    assert frame.at_s == 0 and frame.info.has_sound


@pytest.mark.parametrize("name", ["cut.avi", "cut.mkv", "cut.ts", "cut.webm"])
def test_what_is_cut_off_gives_what_it_has(folder: Path, name: str) -> None:
    codec, rate = ("libvpx", 10) if name.endswith("webm") else ("mpeg2video", 25)
    whole = write_film(
        folder / name,
        shots(*(scene(seed) for seed in range(8)), each_s=2, rate=rate),
        codec,
        key_every=10,
        rate=rate,
    )
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    film = VideoFile.open(whole)
    moments = film.moments(8, Cancel())
    assert 2 <= len(moments) <= 5
    assert len(list(film.frames(moments, Cancel()))) == len(moments)
    if name in ("cut.mkv", "cut.webm"):  # the others do not say how long they are
        assert film.damaged


def test_damage_in_the_middle_is_passed_over(folder: Path) -> None:
    film = write_film(folder / "hole.mkv", shots(*(scene(seed) for seed in range(4)), each_s=2), key_every=5)
    data = bytearray(film.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    film.write_bytes(bytes(data))
    assert 2 <= len(times(film)) <= 4


def test_a_long_film_is_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "LONG_S", 10.0)
    monkeypatch.setattr(video, "LOOKS_MOST", 30)
    scenes = [scene(seed) for seed in range(4)]
    film = VideoFile.open(write_film(folder / "long.mp4", shots(*scenes, each_s=6), key_every=10))
    monkeypatch.setattr(film, "_read_through", None)  # not needed
    moments = film.moments(4, Cancel())
    assert [int(at_s // 6) for at_s in moments] == [0, 1, 2, 3]
    for frame, wanted in zip(film.frames(moments, Cancel()), scenes, strict=True):
        assert like(frame.pixels, wanted)


def test_cancelled_it_ends(folder: Path) -> None:
    film = write_film(folder / "a.mp4", shots(scene(1), scene(2), each_s=2))
    cancel = Cancel()
    frames = key_frames(film, cancel=cancel)
    next(frames)
    cancel.set()
    assert list(frames) == []


def test_files_without_moving_pictures_are_told(folder: Path) -> None:
    sound = write(folder / "sound.flac", chirps(1), "flac")
    with pytest.raises(EngineError, match=r"no moving pictures in sound\.flac"):
        VideoFile.open(sound)
    cover = folder / "cover.mp3"
    with av.open(str(cover), "w") as container:
        stream = container.add_stream("mp3", rate=16_000, layout="mono")
        picture = container.add_stream("mjpeg")
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuvj420p"
        picture.disposition = Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), "rgb24")
        for packet in (*picture.encode(frame.reformat(format="yuvj420p")), *picture.encode(None)):
            container.mux(packet)
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
        tone.sample_rate, tone.pts = 16_000, 0
        for packet in (*stream.encode(tone), *stream.encode(None)):
            container.mux(packet)
    with pytest.raises(EngineError, match="no moving pictures"):
        VideoFile.open(cover)


def test_files_that_are_none_are_told(folder: Path) -> None:
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no film " * 100)
    (folder / "hollow.mkv").write_bytes(
        write_film(folder / "a.mkv", shots(scene(1), each_s=1)).read_bytes()[:700]
    )
    for name, words in (
        ("none.mp4", "does not exist"),
        ("empty.mp4", "is empty"),
        ("text.mp4", "neither sound nor video"),
        ("hollow.mkv", "cannot be decoded|neither sound nor video"),
    ):
        with pytest.raises(EngineError, match=words) as caught:
            VideoFile.open(folder / name)
        assert caught.value.hint
    with pytest.raises(EngineError, match="is a folder"):
        VideoFile.open(folder)


def test_choosing_from_nothing_and_from_one() -> None:
    assert choose([], 8) == ()
    one = Sight(0.0, np.zeros((SMALL_PX, SMALL_PX, 3), np.uint8))
    assert choose([one], 8) == (one,)
