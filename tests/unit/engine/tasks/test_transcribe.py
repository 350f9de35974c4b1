"""A recording and a microphone, from sound to the closing item, with a model and a detector that do as they are told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import SAMPLE_RATE_HZ
from engine.media.vad import WINDOW_SAMPLES, Vad
from engine.results import LanguageFound, LiveText, Notice, Progress, Segment, Transcribed
from engine.tasks import transcribe as task
from engine.tasks.transcribe import LONGEST_PROMPT_CHARS, TranscribeOptions, transcribe, transcribe_live
from tests.unit.engine.runtime.scripted_speech import SURE, Answer, ScriptedModel, say, speech_pack

ENGLISH = TranscribeOptions(language="en")


class LoudnessDetector:
    """Speech is what is not silent."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.float32)

    def probabilities(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        sound = np.concatenate((self._waiting, samples))
        whole = len(sound) // WINDOW_SAMPLES * WINDOW_SAMPLES
        self._waiting = sound[whole:]
        return (np.abs(sound[:whole].reshape(-1, WINDOW_SAMPLES)).max(axis=1) > 0.1).astype(np.float32)

    def reset(self) -> None:
        self._waiting = np.zeros(0, np.float32)


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vad, "open", LoudnessDetector)


@pytest.fixture
def model(tmp_path: Path) -> ScriptedModel:
    return ScriptedModel(speech_pack(tmp_path / "语音 ü"))


def answers(model: ScriptedModel, *texts: str, seconds: float = 2.0) -> None:
    """What the model says to each chunk: the text, from 0.2 s to near the end of the chunk."""
    model.answers += [Answer(say(model.tokens, 0.2, text, seconds)) for text in texts]


def sound(*parts: float) -> NDArray[np.float32]:
    """Seconds of silence and of noise, one after the other."""
    dice = np.random.default_rng(0)
    pieces = [
        dice.uniform(0.2, 0.5, round(seconds * SAMPLE_RATE_HZ)) * (number % 2)
        for number, seconds in enumerate(parts)
    ]
    return np.concatenate(pieces).astype(np.float32)


@dataclass
class Info:
    duration_s: float | None


class FakeAudio:
    """A recording in memory."""

    def __init__(self, samples: NDArray[np.float32], says_s: float | None = -1) -> None:
        self.samples = samples
        self.info = Info(len(samples) / SAMPLE_RATE_HZ if says_s == -1 else says_s)
        self.read_s = 0.0

    def blocks(self, start_s: float = 0.0, block_s: float = 1.0) -> Iterator[NDArray[np.float32]]:
        first, size = round(start_s * SAMPLE_RATE_HZ), round(block_s * SAMPLE_RATE_HZ)
        for begin in range(first, len(self.samples), size):
            self.read_s = begin / SAMPLE_RATE_HZ
            yield self.samples[begin : begin + size]


def run(
    model: ScriptedModel,
    audio: FakeAudio,
    options: TranscribeOptions = ENGLISH,
    cancel: Cancel | None = None,
    **more: Any,
) -> list[Any]:
    return list(transcribe(model, audio, options, cancel or Cancel(), **more))  # type: ignore[arg-type]


def of_type(kind: type, items: list[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


THREE = (0.5, 2.0, 3.0, 2.0, 3.0, 2.0, 1.0)  # seconds; the second, fourth and sixth are speech


def test_a_recording(model: ScriptedModel) -> None:
    answers(model, " hello", " world", " the cat")
    items = run(model, FakeAudio(sound(*THREE)))
    segments = of_type(Segment, items)
    assert [each.text for each in segments] == ["hello", "world", "the cat"]
    # A chunk begins 0.2 s before its speech, and the answer 0.2 s after that.
    assert [each.start_s for each in segments] == pytest.approx([0.5, 5.5, 10.5], abs=0.05)
    assert items.index(LanguageFound("en", 1.0)) < items.index(segments[0])
    end = items[-1]
    assert isinstance(end, Transcribed) and of_type(Transcribed, items) == [end]
    assert (end.reason, end.language, end.model, end.provider) == ("stop", "en", model.pack.name, "CPU")
    assert (end.audio_s, end.segments) == (13.5, 3)
    assert end.speech_s == pytest.approx(6, abs=0.3) and 0 < end.wall_s < 60
    assert end.realtime_factor == pytest.approx(end.wall_s / 13.5)


def test_progress_is_a_promise(model: ScriptedModel) -> None:
    """Whatever begins before it has been said; it never goes back, and ends at the end."""
    answers(model, " hello", " world", " the cat")
    items = run(model, FakeAudio(sound(*THREE)))
    done = [item.done for item in of_type(Progress, items)]
    assert done == sorted(done) and done[-1] == 13500
    assert all(
        (item.total, item.stage, item.unit) == (13500, "transcribe", "ms")
        for item in of_type(Progress, items)
    )
    for at, item in enumerate(items):
        if isinstance(item, Progress):
            assert all(1000 * later.start_s >= item.done for later in of_type(Segment, items[at:]))


@pytest.mark.parametrize("says_s", [None, 5.0, 40.0])
def test_a_recording_that_says_its_length_wrongly(model: ScriptedModel, says_s: float | None) -> None:
    answers(model, " hello", " world", " the cat")
    items = run(model, FakeAudio(sound(*THREE), says_s))
    progress = of_type(Progress, items)
    assert all(item.total is None or item.done <= item.total for item in progress)
    assert progress[-1].done == 13500 and items[-1].audio_s == 13.5


def test_every_place_to_go_on_from(model: ScriptedModel) -> None:
    """From each promise: the same segments as the whole run has after it."""
    samples = sound(*THREE)
    answers(model, " hello", " world", " the cat")
    whole = run(model, FakeAudio(samples))
    for at, item in enumerate(whole):
        if not isinstance(item, Progress) or item.done in (0, 13500):
            continue
        left = of_type(Segment, whole[at:])
        answers(model, *(f" {each.text}" for each in left))
        again = run(model, FakeAudio(samples), start_s=item.done / 1000)
        assert [each.text for each in of_type(Segment, again)] == [each.text for each in left]
        times = [each.start_s for each in of_type(Segment, again)]
        assert times == pytest.approx([each.start_s for each in left], abs=0.21)
        assert again[-1].audio_s == 13.5
        assert all(each.done >= item.done for each in of_type(Progress, again))


def test_a_language_that_was_found_before(model: ScriptedModel) -> None:
    model.answers = [Answer(say(model.tokens, 0.2, " hello", 2.0), languages={"zh": SURE})]
    items = run(model, FakeAudio(sound(0.5, 2.0, 1.0)), TranscribeOptions(), language="en")
    assert of_type(LanguageFound, items) == [] and items[-1].language == "en"


def test_nobody_speaks(model: ScriptedModel) -> None:
    items = run(model, FakeAudio(sound(5.0)), TranscribeOptions())
    assert of_type(Segment, items) == [] == of_type(LanguageFound, items)
    assert items[-1].reason == "stop" and items[-1].audio_s == 5.0 and items[-1].speech_s == 0
    assert items[-1].language == "" and model.heard == []


def test_no_sound_at_all(model: ScriptedModel) -> None:
    items = run(model, FakeAudio(np.zeros(0, np.float32), None))
    assert items[-1].audio_s == 0 and items[-1].realtime_factor == 0


def test_a_long_speech_is_cut(model: ScriptedModel) -> None:
    """60 s without a pause: pieces of 25 s at most, and no sound is lost between them."""
    model.answers = [Answer(say(model.tokens, 0.0, " hello")) for _ in range(4)]
    segments = of_type(Segment, run(model, FakeAudio(sound(0.5, 60.0, 0.5))))
    assert all(each.end_s - each.start_s <= 25.01 for each in segments) and len(segments) >= 3
    for one, other in itertools.pairwise(segments):
        assert other.start_s == pytest.approx(one.end_s, abs=0.01)
    assert segments[-1].end_s >= 60.5


def test_cancelled_between_blocks(model: ScriptedModel) -> None:
    answers(model, " hello", " world", " the cat")
    cancel, audio = Cancel(), FakeAudio(sound(*THREE))
    items = []
    for item in transcribe(model, audio, ENGLISH, cancel):  # type: ignore[arg-type]
        items.append(item)
        if isinstance(item, Segment):
            cancel.set()
    assert [each.text for each in of_type(Segment, items)] == ["hello"]
    end = items[-1]
    assert (end.reason, end.segments) == ("cancelled", 1) and audio.read_s < 6
    assert end.audio_s >= 2.5


def test_cancelled_inside_a_chunk(model: ScriptedModel) -> None:
    """What was being worked on was not reached."""
    answers(model, " hello", " world", " the cat")
    cancel = Cancel()
    model.on_step = lambda step: cancel.set() if step == 10 else None
    items = run(model, FakeAudio(sound(*THREE)), cancel=cancel)
    end = items[-1]
    assert (end.reason, end.segments) == ("cancelled", 1)
    assert end.audio_s == pytest.approx(of_type(Progress, items)[-1].done / 1000)
    assert end.audio_s <= 5.5


def test_cancelled_before_it_begins(model: ScriptedModel) -> None:
    cancel = Cancel()
    cancel.set()
    items = run(model, FakeAudio(sound(*THREE)), cancel=cancel)
    assert [each.reason for each in items] == ["cancelled"] and model.heard == []


def test_the_model_is_closed_meanwhile(model: ScriptedModel) -> None:
    answers(model, " hello", " world", " the cat")
    items = []
    for item in transcribe(model, FakeAudio(sound(*THREE)), ENGLISH, Cancel()):  # type: ignore[arg-type]
        items.append(item)
        if isinstance(item, Segment):
            model.close()
    assert items[-1].reason == "cancelled" and items[-1].segments == 1


def test_the_model_is_free_again(model: ScriptedModel) -> None:
    """After the end, after an error, and where nobody wants the rest."""
    answers(model, *[" hello"] * 9)
    half = transcribe(model, FakeAudio(sound(*THREE)), ENGLISH, Cancel())  # type: ignore[arg-type]
    next(half)
    half.close()  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="does not know"):
        run(model, FakeAudio(sound(*THREE)), TranscribeOptions(language="fr"))
    assert run(model, FakeAudio(sound(*THREE)))[-1].reason == "stop"


def test_a_device_that_fails(model: ScriptedModel) -> None:
    answers(model, " hello", " world", " the cat")
    model.fail_at = {9}
    items = run(model, FakeAudio(sound(*THREE)))
    assert [each.text for each in of_type(Segment, items)] == ["hello", "world", "the cat"]
    assert [each.code for each in of_type(Notice, items)] == ["cpu_fallback"]


def test_numbers_that_are_none(model: ScriptedModel) -> None:
    model.answers = [Answer(next=lambda said: {model.tokens.first_timestamp: float("nan")})]
    with pytest.raises(EngineError, match="not finite"):
        run(model, FakeAudio(sound(0.5, 2.0, 1.0)))


def test_options_out_of_range() -> None:
    TranscribeOptions(initial_prompt="a" * LONGEST_PROMPT_CHARS)
    with pytest.raises(EngineError, match=r"2001 characters, at most 2000"):
        TranscribeOptions(initial_prompt="a" * (LONGEST_PROMPT_CHARS + 1))


class FakeMicrophone:
    """Gives its sound in tenths of a second, as fast as it is asked; ``at`` are things that happen before some reads."""

    def __init__(self, samples: NDArray[np.float32], at: dict[int, Any] | None = None) -> None:
        self._blocks = [samples[begin : begin + 1600] for begin in range(0, len(samples), 1600)]
        self._at = at or {}
        self.reads = 0

    def read(self, timeout_s: float) -> NDArray[np.float32] | None:
        assert 0 < timeout_s < 1
        self.reads += 1
        if self.reads in self._at:
            self._at[self.reads]()
        return self._blocks.pop(0) if self._blocks else None


@pytest.fixture
def glances(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on 0.1 s with every block, as if the sound came at its speed."""
    clock = iter(np.arange(0, 10**4, 0.1).tolist())
    monkeypatch.setattr(task, "perf_counter", lambda: next(clock))


def listen(model: ScriptedModel, microphone: FakeMicrophone, cancel: Cancel | None = None) -> list[Any]:
    return list(transcribe_live(model, microphone, ENGLISH, cancel or Cancel()))  # type: ignore[arg-type]


def test_live(model: ScriptedModel, glances: None) -> None:
    """Text while it is said, which grows; then the segment in its place."""
    texts = [" hello", " hello world", " hello world the", " hello world the cat"]
    phrase = sound(0.3, 3.0, 1.0)

    def next_answer(step: int) -> None:
        if len(model.answers) < 2:
            number = len(model.heard)
            model.answers.append(Answer(say(model.tokens, 0.2, texts[min(number, 3)])))

    model.on_step = next_answer
    items = listen(model, FakeMicrophone(phrase))
    live = of_type(LiveText, items)
    assert len(live) >= 2 and all(each.start_s == pytest.approx(0.1, abs=0.05) for each in live)
    assert [len(each.text) for each in live] == sorted(len(each.text) for each in live)
    assert live[0].text.startswith("hello")
    segment = of_type(Segment, items)
    assert len(segment) == 1 and items.index(segment[0]) > items.index(live[-1])
    assert segment[0].start_s == pytest.approx(0.3, abs=0.05)
    end = items[-1]
    assert (end.reason, end.segments, end.audio_s) == ("stop", 1, pytest.approx(4.3))


def test_live_phrases_end_with_a_pause(model: ScriptedModel) -> None:
    """A second of silence is no pause in a recording, but it is in what somebody says."""
    answers(model, " hello", " world", seconds=1.0)
    items = listen(model, FakeMicrophone(sound(0.3, 1.0, 1.0, 1.0, 1.0)))
    assert [each.text for each in of_type(Segment, items)] == ["hello", "world"]


def test_live_what_was_said_last_comes_at_the_end(model: ScriptedModel) -> None:
    """The microphone is stopped in the midst of a word."""
    answers(model, " hello", seconds=1.0)
    items = listen(model, FakeMicrophone(sound(0.3, 1.0)))
    assert [each.text for each in of_type(Segment, items)] == ["hello"] and items[-1].reason == "stop"


def test_live_cancelled(model: ScriptedModel) -> None:
    """After cancel nothing comes, not even what was said."""
    cancel = Cancel()
    items = listen(model, FakeMicrophone(sound(0.3, 3.0), {8: cancel.set}), cancel)
    assert of_type(Segment, items) == [] and items[-1].reason == "cancelled" and items[-1].audio_s < 1


def test_live_closed(model: ScriptedModel) -> None:
    items = listen(model, FakeMicrophone(sound(0.3, 3.0), {8: model.close}))
    assert items[-1].reason == "cancelled"


def test_live_waits_for_sound(model: ScriptedModel) -> None:
    """A microphone may have nothing new for a while."""
    answers(model, " hello", seconds=1.0)
    microphone = FakeMicrophone(sound(0.3, 1.0, 1.0))
    microphone._blocks[3:3] = [np.zeros(0, np.float32)] * 5
    assert [each.text for each in of_type(Segment, listen(model, microphone))] == ["hello"]


@pytest.mark.parametrize("step", range(1, 9))
def test_live_a_device_that_fails(model: ScriptedModel, glances: None, step: int) -> None:
    """In the midst of a glance or not: the phrase is not lost."""
    model.on_step = lambda step: model.answers or answers(model, " hello", seconds=2.0)
    model.fail_at = {step}
    items = listen(model, FakeMicrophone(sound(0.3, 2.0, 1.0)))
    assert [each.text for each in of_type(Segment, items)] == ["hello"]
    assert [each.code for each in of_type(Notice, items)] == ["cpu_fallback"]
    assert of_type(LanguageFound, items) == [LanguageFound("en", 1.0)]
