"""Speech with its text, and recordings made of it whose cut points are known.

In: folders with ``transcripts.tsv`` (file, tab, text, and a tab and the language where names do not tell it). Out: clips; 16 kHz mono WAV files of joined clips, with the times at
which each begins and ends. Decoding is the engine's own.
"""

from __future__ import annotations

import itertools
import re
import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.media.audio import SAMPLE_RATE_HZ, AudioFile

FRAME_SAMPLES = 160  # 10 ms
QUIET_DB = 35.0  # below the loudest frame
ABOVE_FLOOR_DB = 12.0
SUSTAINED_FRAMES = 3


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it; ``language`` is Whisper's code."""

    file: Path
    text: str
    language: str
    duration_s: float


@dataclass(frozen=True)
class Joined:
    """A recording made of clips; ``spans_s`` is where each begins and ends in it."""

    file: Path
    clips: tuple[Clip, ...]
    spans_s: tuple[tuple[float, float], ...]

    @property
    def duration_s(self) -> float:
        return self.spans_s[-1][1]


def read_clips(folder: Path) -> list[Clip]:
    """Every clip below ``folder``, in order of language and name."""
    clips = []
    for table in sorted(folder.rglob("transcripts.tsv")):
        for line in table.read_text("utf-8").splitlines():
            name, *columns = line.split("\t")
            if columns:
                file = table.parent / name
                language = columns[1].strip() if len(columns) > 1 else _language(file)
                clips.append(Clip(file, columns[0].strip(), language, _duration_s(file)))
    if not clips:
        raise SystemExit(f"No transcripts.tsv with clips below {folder}.")
    return sorted(clips, key=lambda clip: (clip.language, clip.file.name))


def join(
    clips: Iterable[Clip], path: Path, length_s: float = 0.0, gap_s: float = 0.0, trim: bool = False
) -> Joined:
    """Clips one after the other with ``gap_s`` of silence between. With a ``length_s`` they go round until it is full."""
    parts: list[NDArray[np.float32]] = []
    used: list[Clip] = []
    spans: list[tuple[float, float]] = []
    gap = np.zeros(round(gap_s * SAMPLE_RATE_HZ), np.float32)
    clips, position = tuple(clips), 0
    decoded = {clip: trimmed(samples(clip.file)) if trim else samples(clip.file) for clip in clips}
    for clip in itertools.cycle(clips) if length_s else clips:
        sound = decoded[clip]
        if length_s:
            sound = sound[: round(length_s * SAMPLE_RATE_HZ) - position]
        parts += [sound, gap]
        used.append(clip)
        spans.append((position / SAMPLE_RATE_HZ, (position + len(sound)) / SAMPLE_RATE_HZ))
        position += len(sound) + len(gap)
        if length_s and position >= length_s * SAMPLE_RATE_HZ:
            break
    write_wav(path, np.concatenate(parts[:-1]))
    return Joined(path, tuple(used), tuple(spans))


def samples(file: Path) -> NDArray[np.float32]:
    """The whole recording, 16 kHz mono."""
    with AudioFile.open(file) as audio:
        return np.concatenate(list(audio.blocks()))


def trimmed(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """From the first to the last frame that is clearly louder than the room and not much softer than the speech."""
    if len(sound) < FRAME_SAMPLES * SUSTAINED_FRAMES:
        return sound
    frames = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    level_db = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    threshold = max(level_db.max() - QUIET_DB, np.percentile(level_db, 10) + ABOVE_FLOOR_DB)
    loud = (level_db > min(threshold, level_db.max() - 10)).astype(int)
    row = np.convolve(loud, np.ones(SUSTAINED_FRAMES, int), "valid") == SUSTAINED_FRAMES
    places = np.flatnonzero(row)
    if not len(places):
        return sound
    return sound[places[0] * FRAME_SAMPLES : (places[-1] + SUSTAINED_FRAMES) * FRAME_SAMPLES]


def write_wav(path: Path, sound: NDArray[np.float32]) -> None:
    """16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())


def evenly(clips: Sequence[Clip], count: int) -> list[Clip]:
    """``count`` of them, spread over the list."""
    return [clips[index * len(clips) // count] for index in range(min(count, len(clips)))]


def _language(file: Path) -> str:
    """A folder named after a language ("en"), or a locale in the file's name ("de-DE")."""
    if re.fullmatch(r"[a-z]{2,3}", file.parent.name):
        return file.parent.name
    found = re.search(r"(?<![A-Za-z])([a-z]{2})(?:-[A-Z]{2})?(?![A-Za-z])", file.stem)
    return found[1] if found else "en"


def _duration_s(file: Path) -> float:
    with AudioFile.open(file) as audio:
        known = audio.info.duration_s
    return known if known is not None else len(samples(file)) / SAMPLE_RATE_HZ
