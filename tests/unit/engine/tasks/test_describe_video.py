"""Describing films that are made here, with a describer that says what colour a frame has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.image import Picture
from engine.results import Described, Findings, FinishReason, Notice, Progress, TextChunk
from engine.tasks.describe import DescribeOptions
from engine.tasks.describe_video import KeyFrame, VideoDescribed, clock, describe_frames, describe_video
from tests.unit.engine.media.films import HEIGHT_PX, WIDTH_PX, shots, write_film

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def coloured(colour: tuple[int, int, int]) -> np.ndarray:
    """A frame of a colour, with a grey patch, so that it is not blank."""
    pixels = np.full((HEIGHT_PX, WIDTH_PX, 3), colour, np.uint8)
    pixels[30:60, 30:90] = 128
    return pixels


@pytest.fixture
def film(tmp_path: Path) -> Path:
    folder = tmp_path / "测试 ü"
    folder.mkdir(exist_ok=True)
    return write_film(folder / "颜色 ü.mp4", shots(*map(coloured, (RED, GREEN, BLUE)), each_s=3))


def said(picture: Picture, reason: FinishReason = "stop") -> Described:
    name = ("red", "green", "blue")[int(picture.pixels[5:20].mean(axis=(0, 1)).argmax())]
    info = picture.info
    return Described(
        reason=reason,
        text=f"A {name} wall.",
        caption=f"a {name} wall",
        confidence=0.8,
        unsure=False,
        language="en",
        style="short",
        findings=Findings(info.width_px, info.height_px, info.format),
        looks=(),
        model="test",
        composed_by="",
        provider="CPU",
        wall_s=0.1,
    )


def describe_one(picture: Picture) -> Iterator[object]:
    yield Progress("describe", 0, 3, "steps")
    yield TextChunk("A ")
    yield Notice("slow", "It is slow today.")
    yield said(picture)


def test_each_scene_is_described_with_its_time(film: Path) -> None:
    items = list(describe_frames(describe_one, film, Cancel()))
    frames = [item for item in items if isinstance(item, KeyFrame)]
    assert [frame.described.text for frame in frames] == ["A red wall.", "A green wall.", "A blue wall."]
    assert all(number * 3 <= frame.at_s < number * 3 + 3 for number, frame in enumerate(frames))
    assert frames[0].picture.info.format == "mpeg4"
    assert sum(isinstance(item, Notice) for item in items) == 1
    assert not any(isinstance(item, TextChunk) for item in items)
    progress = [(item.done, item.total) for item in items if isinstance(item, Progress)]
    assert progress == [(0, None), (0, 3), (1, 3), (2, 3), (3, 3)]
    assert {item.unit for item in items if isinstance(item, Progress)} == {"pictures"}
    end = items[-1]
    assert isinstance(end, VideoDescribed)
    assert (end.reason, end.frames) == ("stop", 3)
    assert end.duration_s == pytest.approx(9, abs=0.3)
    assert end.text.splitlines() == [f"{clock(frame.at_s)}  {frame.described.text}" for frame in frames]


def test_cancelled_it_keeps_what_it_has(film: Path) -> None:
    cancel = Cancel()

    def stopping(picture: Picture) -> Iterator[object]:
        first = not cancel.is_set and said(picture).text == "A red wall."
        if not first:
            cancel.set()
        yield said(picture, "stop" if first else "cancelled")

    items = list(describe_frames(stopping, film, cancel))
    end = items[-1]
    assert isinstance(end, VideoDescribed)
    assert (end.reason, end.frames) == ("cancelled", 1)
    assert end.text.endswith("A red wall.")


def test_a_film_that_is_cut_short_says_so(film: Path) -> None:
    whole = write_film(film.with_suffix(".mkv"), shots(*map(coloured, (RED, GREEN, BLUE)), each_s=6))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    items = list(describe_frames(describe_one, whole, Cancel()))
    [notice] = [item for item in items if isinstance(item, Notice) and item.code == "video_damaged"]
    assert whole.name in notice.text
    assert isinstance(items[-1], VideoDescribed) and items[-1].frames == 2


def test_the_image_model_describes_each_frame(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []

    def describe(model: Any, picture: Picture, options: DescribeOptions, *rest: Any) -> Iterator[object]:
        seen.append((model, options.style, *rest))
        yield said(picture)

    monkeypatch.setattr("engine.tasks.describe_video.describe", describe)
    cancel, model = Cancel(), object()
    items = list(describe_video(model, film, DescribeOptions("alt"), cancel, at_most=2))  # type: ignore[arg-type]
    assert seen == [(model, "alt", cancel, None, None)] * 2
    assert isinstance(items[-1], VideoDescribed)


def test_a_question_and_a_file_without_pictures_are_refused(film: Path) -> None:
    with pytest.raises(EngineError, match="A question is about one picture"):
        list(describe_video(object(), film, DescribeOptions(question="What is it?"), Cancel()))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="does not exist"):
        list(describe_frames(describe_one, film.with_name("none.mp4"), Cancel()))


def test_clock() -> None:
    assert [clock(at_s) for at_s in (0, 12.9, 75, 3599, 3600, 36_610)] == [
        "0:00", "0:12", "1:15", "59:59", "1:00:00", "10:10:10",
    ]  # fmt: skip
