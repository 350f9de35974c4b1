"""Pollux beside faster-whisper on the same Whisper weights: speed, errors, word times and memory, in one run.

In: packs, the peer's Python environment and model, speech with transcripts (``--data``; without it the few clips of the
tests). Out: Markdown tables with ratios (what README shows), or JSON. All engines are loaded at once and take turns round
by round, so that a machine that slows down slows all of them; each time is the median of the rounds. The language is given to
every engine unless ``--detect``.

Run from the checkout: ``python3 dev.py bench speech`` makes the environment and the models, and calls this.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.bench import speech_report, speech_sets
from tests.bench.error_rate import errors
from tests.bench.speech_runner import Runner, TimedWord
from tests.bench.speech_sets import Clip, Joined
from tests.bench.word_times import cut_errors, differences

ROOT = Path(__file__).resolve().parents[2]
OWN_CLIPS = ROOT / "tests/data"
MINUTE_S = 60.0
SHORT_CLIPS = 12
SHORT_S = (3.0, 10.0)
ELEVEN_S = 11.0
GAP_S = 0.5
SPAN_S = 600.0  # of a long recording, for error rates at its beginning and end


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print."""
    arguments = _arguments(argv)
    runners = [
        Runner(label, "pollux", Path(sys.executable), Path(path), arguments.threads)
        for label, path in arguments.pack
    ]
    for label, engine, python, model in arguments.peer:
        runners.append(Runner(label, engine, Path(python), Path(model), arguments.threads))
    clips = speech_sets.read_clips(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for runner in runners:
                runner.start()
            _measure(runners, clips, Path(folder), arguments)
        finally:
            for runner in runners:
                runner.stop()
    if arguments.texts:
        speech_report.write_texts(runners, arguments.texts)
    if arguments.json:
        for runner in runners:
            print(json.dumps(speech_report.as_row(runner, runners), ensure_ascii=False))
    else:
        print(speech_report.as_markdown(runners, arguments.threads, arguments.rounds))
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pack", nargs=2, action="append", default=[], metavar=("LABEL", "FOLDER"))
    parser.add_argument(
        "--peer", nargs=4, action="append", default=[], metavar=("LABEL", "ENGINE", "PYTHON", "MODEL")
    )
    parser.add_argument("--data", type=Path, default=OWN_CLIPS, help="folders with transcripts.tsv")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--detect", action="store_true", help="let the engines find the language out")
    parser.add_argument(
        "--words", action="store_true", help="times of words, at known cut points and beside the peer"
    )
    parser.add_argument(
        "--hour", action="store_true", help="10 and 60 minutes: time, memory, errors (many minutes)"
    )
    parser.add_argument("--nonspeech", type=Path, help="files without speech: what text is made of them")
    parser.add_argument("--skip", nargs="+", default=[], choices=("speed", "errors"))
    parser.add_argument("--texts", type=Path, help="write what each engine heard in each clip there, as JSON")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    if not arguments.pack and not arguments.peer:
        parser.error("give a --pack or a --peer")
    arguments.parts = {"speed", "errors"} - set(arguments.skip)
    arguments.parts |= {part for part in ("words", "hour", "nonspeech") if getattr(arguments, part)}
    return arguments


def _measure(runners: list[Runner], clips: list[Clip], folder: Path, arguments: argparse.Namespace) -> None:
    if "speed" in arguments.parts:
        _speed(runners, clips, folder, arguments.rounds)
    if "errors" in arguments.parts:
        _errors(runners, clips, arguments.detect)
    if "words" in arguments.parts:
        _words(runners, clips, folder)
    if "nonspeech" in arguments.parts:
        _nonspeech(runners, arguments.nonspeech, folder)
    if "hour" in arguments.parts:
        _long(runners, clips, folder)


def _speed(runners: list[Runner], clips: list[Clip], folder: Path, rounds: int) -> None:
    english = [clip for clip in clips if clip.language == "en"]
    short = [clip for clip in english if SHORT_S[0] <= clip.duration_s <= SHORT_S[1]]
    if not short:
        raise SystemExit("The speed is measured on English clips, some of them of 3 to 10 s; there are none.")
    short = speech_sets.evenly(short, SHORT_CLIPS)
    minute = speech_sets.join(english, folder / "minute.wav", MINUTE_S)
    nearest = min(english, key=lambda clip: abs(clip.duration_s - ELEVEN_S))
    eleven = nearest.file
    if abs(nearest.duration_s - ELEVEN_S) > 1:
        eleven = speech_sets.join(english, folder / "eleven.wav", ELEVEN_S).file
    for number in range(rounds + 1):
        for runner in runners:
            found = {"60 s": runner.transcribe(minute.file, "en").wall_s}
            found["short"] = sum(runner.transcribe(clip.file, "en").wall_s for clip in short) / len(short)
            found["11 s"] = runner.transcribe(eleven, "en").wall_s
            if number:  # the first run of a session is never typical
                for name, wall_s in found.items():
                    runner.wall_s.setdefault(name, []).append(wall_s)
        _say(f"round {number} of {rounds}" if number else "warmed up")
    for runner in runners:
        runner.peak_bytes = runner.peak()
        for _ in range(2):
            runner.restart()


def _errors(runners: list[Runner], clips: list[Clip], detect: bool) -> None:
    for clip in clips:
        for runner in runners:
            runner.heard[clip] = runner.transcribe(clip.file, "" if detect else clip.language)
    _say(f"{len(clips)} clips transcribed")


def _words(runners: list[Runner], clips: list[Clip], folder: Path) -> None:
    for language in ("en", "zh"):
        own = [clip for clip in clips if clip.language == language]
        if not own:
            continue
        joined = speech_sets.join(own, folder / f"cuts_{language}.wav", gap_s=GAP_S, trim=True)
        placed = {
            id(runner): runner.transcribe(joined.file, language, words=True).words for runner in runners
        }
        base = speech_report.base_of(runners)
        for runner in runners:
            starts, ends = cut_errors(joined, placed[id(runner)])
            runner.cut_errors_s[f"{language} start"], runner.cut_errors_s[f"{language} end"] = starts, ends
            apart = differences(placed[id(runner)], placed[id(base)], language)
            runner.cut_errors_s[f"{language} to {base.label}"] = apart
    _say("words placed")


def _nonspeech(runners: list[Runner], folder: Path, scratch: Path) -> None:
    random = np.random.default_rng(0)
    made = {
        "silence": np.zeros(30 * speech_sets.SAMPLE_RATE_HZ, np.float32),
        "white noise": random.normal(0, 0.05, 30 * speech_sets.SAMPLE_RATE_HZ).astype(np.float32),
        "soft noise": random.normal(0, 0.001, 30 * speech_sets.SAMPLE_RATE_HZ).astype(np.float32),
    }
    files = {
        file.name: file
        for file in sorted(folder.iterdir())
        if file.suffix in (".ogg", ".mp3", ".wav", ".flac")
    }
    for name, sound in made.items():
        files[name] = scratch / f"{name}.wav"
        speech_sets.write_wav(files[name], sound)
    for name, file in files.items():
        for runner in runners:
            runner.invented[name] = runner.transcribe(file, "").text
    _say(f"{len(files)} files without speech heard")


def _long(runners: list[Runner], clips: list[Clip], folder: Path) -> None:
    english = [clip for clip in clips if clip.language == "en"]
    for runner in runners:
        runner.stop()
    for minutes in (10, 60):
        joined = speech_sets.join(english, folder / f"{minutes}.wav", minutes * 60.0, GAP_S)
        for runner in runners:  # a process of its own: its peak is this file's
            runner.start()
            answer = runner.transcribe(joined.file, "en")
            runner.long[f"{minutes} min rtf"] = answer.wall_s / joined.duration_s
            runner.long[f"{minutes} min peak_bytes"] = float(runner.peak())
            for name, begin in (("first", 0.0), ("last", joined.duration_s - SPAN_S)):
                runner.long[f"{minutes} min {name} error rate"] = _rate_between(
                    joined, answer.segments, begin
                )
            runner.stop()
            _say(f"{runner.label}: {minutes} minutes in {answer.wall_s:.0f} s")


def _rate_between(joined: Joined, segments: Sequence[TimedWord], begin_s: float) -> float:
    """The error rate of ten minutes: of what should stand there, by the times that the engine gives."""
    said = [
        clip.text
        for clip, span in zip(joined.clips, joined.spans_s, strict=True)
        if 0 <= span[0] - begin_s < SPAN_S
    ]
    written = [part.text for part in segments if 0 <= (part.start_s + part.end_s) / 2 - begin_s < SPAN_S]
    return errors(" ".join(said), " ".join(written), "en").rate


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
