"""Describes a video by its key frames, each with its time.

In: an open image model, the path of a video, options as for a picture. Out: :class:`KeyFrame` for each, with the picture and its
description, between Progress and Notice items; at the end one :class:`VideoDescribed`, whose text is a line for each frame.
What is said in the video is another task (:mod:`engine.tasks.transcribe_file`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.image import Picture, picture_from_pixels
from engine.media.video import AT_MOST, VideoFile
from engine.results import Described, FinishReason, Notice, Progress
from engine.tasks.describe import DescribeOptions, describe

if TYPE_CHECKING:
    from engine.media.ocr import TextReader
    from engine.runtime.image_model import ImageModel
    from engine.runtime.language_model import LanguageModel

DescribeOne = Callable[[Picture], Iterable[object]]


@dataclass(frozen=True)
class KeyFrame:
    """A frame of a video, ``at_s`` seconds from its beginning, and what it shows."""

    at_s: float
    picture: Picture
    described: Described


@dataclass(frozen=True)
class VideoDescribed:
    """The end of a video's description. ``text`` has a line for each of its ``frames``: the time and the sentence.

    ``duration_s`` is 0 where the file does not say it.
    """

    reason: FinishReason
    frames: int
    duration_s: float
    text: str
    wall_s: float


Item = Progress | Notice | KeyFrame | VideoDescribed


def describe_video(  # noqa: PLR0917 - as describe
    model: ImageModel,
    path: Path,
    options: DescribeOptions,
    cancel: Cancel,
    chat: LanguageModel | None = None,
    reader: TextReader | None = None,
    at_most: int = AT_MOST,
) -> Iterator[Item]:
    """Describe at most so many key frames of the video ``path``, in order.

    A question is about one picture: it is refused here. Raises EngineError for that, and for a file without moving pictures
    that can be decoded.
    """
    if options.question.strip():
        raise EngineError(
            "A question is about one picture, and {file} is a video.",
            "Save a frame of it as a picture, and ask about that.",
            file=path.name,
        )
    quiet = replace(options, question="")
    yield from describe_frames(
        lambda picture: describe(model, picture, quiet, cancel, chat, reader), path, cancel, at_most
    )


def describe_frames(
    describe_one: DescribeOne, path: Path, cancel: Cancel, at_most: int = AT_MOST
) -> Iterator[Item]:
    """As :func:`describe_video`, with ``describe_one`` to describe a picture; what it yields ends with a Described."""
    start_s = time.monotonic()
    yield Progress("describe", 0, None, "pictures")
    video = VideoFile.open(path)
    moments = video.moments(at_most, cancel)
    if video.damaged:
        yield Notice(
            "video_damaged",
            "{file} is damaged or cut short; only a part of the video could be read.",
            {"file": path.name},
        )
    lines: list[str] = []
    told: set[str] = set()
    reason: FinishReason = "stop"
    yield Progress("describe", 0, len(moments), "pictures")
    for number, frame in enumerate(video.frames(moments, cancel)):
        picture = picture_from_pixels(frame.pixels, frame.info.codec)
        described: Described | None = None
        for item in describe_one(picture):
            if isinstance(item, Described):
                described = item
            elif isinstance(item, Notice) and item.text not in told:  # once, not for each frame
                told.add(item.text)
                yield item
        if described is not None and described.text and described.reason != "cancelled":
            lines.append(f"{clock(frame.at_s)}  {described.text}")
            yield KeyFrame(frame.at_s, picture, described)
        if cancel.is_set:
            break
        yield Progress("describe", number + 1, len(moments), "pictures")
    if cancel.is_set:
        reason = "cancelled"
    duration_s = video.info.duration_s or 0.0
    yield VideoDescribed(reason, len(lines), duration_s, "\n".join(lines), time.monotonic() - start_s)


def clock(at_s: float) -> str:
    """A time as it is read: 0:12, and 1:02:03 from an hour on."""
    minutes, seconds = divmod(int(at_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
