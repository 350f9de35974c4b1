"""Chunks become segments: times, the rest that was left out, languages, context, silence, a device that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.audio import SAMPLE_RATE_HZ
from engine.media.vad import Chunk
from engine.results import LanguageFound, Notice, Segment
from engine.runtime.session import Interrupted
from engine.tasks.scribe import Scribe
from engine.tasks.transcribe import TranscribeOptions
from tests.unit.engine.runtime.scripted_speech import SURE, Answer, ScriptedModel, say, speech_pack

Item = LanguageFound | Notice | Segment
Make = Callable[..., ScriptedModel]
ENGLISH = TranscribeOptions(language="en")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A model that gives these answers: each a list of texts and times, or an Answer."""

    def made(*answers: Answer | tuple[str | float, ...], **config: object) -> ScriptedModel:
        pack = speech_pack(tmp_path / f"语音 ü {len(list(tmp_path.iterdir()))}", **config)  # type: ignore[arg-type]
        model = ScriptedModel(pack)
        for each in answers:
            model.answers.append(each if isinstance(each, Answer) else Answer(say(model.tokens, *each)))
        return model

    return made


def chunk(seconds: float, start_s: float = 0.0, speech_s: float | None = None) -> Chunk:
    samples = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    return Chunk(start_s, samples, seconds if speech_s is None else speech_s)


def scribe(model: ScriptedModel, options: TranscribeOptions = ENGLISH, language: str = "") -> Scribe:
    return Scribe(model, options, Cancel(), language)  # type: ignore[arg-type]


def said(items: list[Item]) -> list[tuple[float, float, str]]:
    return [
        (round(each.start_s, 2), round(each.end_s, 2), each.text)
        for each in items
        if isinstance(each, Segment)
    ]


def languages(items: list[Item]) -> list[str]:
    return [each.language for each in items if isinstance(each, LanguageFound)]


def test_times_count_from_the_beginning_of_the_recording(make: Make) -> None:
    model = make((0.0, " hello", 1.5, 1.6, " world", 3.0))
    items = list(scribe(model).write(chunk(3.2, 100.0)))
    assert items[0] == LanguageFound("en", 1.0)
    assert said(items) == [(100.0, 101.5, "hello"), (101.6, 103.0, "world")]
    segment = items[1]
    assert isinstance(segment, Segment) and segment.language == "en" and segment.words == ()
    assert segment.confidence == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.3, 800), (6.0, 800), (20.0, 2150), (20.333, 2200), (20.6, 2250), (29.0, 3000)]
)
def test_how_much_silence_the_model_hears_behind(make: Make, seconds: float, frames: int) -> None:
    model = make((0.0, " hello", round(seconds / 0.02) * 0.02 - 0.02))
    list(scribe(model).write(chunk(seconds)))
    assert model.heard == [frames]


def test_the_rest_is_heard_again(make: Make) -> None:
    """The model ended its answer at 4 s of 10."""
    model = make((0.0, " hello", 4.0), (0.2, " world", 3.0), (0.0, " the", 3.0))
    items = list(scribe(model).write(chunk(10.0, 50.0)))
    assert said(items) == [(50.0, 54.0, "hello"), (54.2, 57.0, "world"), (57.0, 60.0, "the")]
    assert model.heard == [1150, 800, 800]
    assert languages(items) == ["en"]


def test_a_short_rest_is_breath(make: Make) -> None:
    model = make((0.0, " hello", 4.0))
    assert said(list(scribe(model).write(chunk(4.9)))) == [(0, 4.0, "hello")]


def test_nothing_more_in_the_rest(make: Make) -> None:
    for rest in ((), (0.0,), (0.0, " .", 2.0)):
        model = make((0.0, " hello", 4.0), rest, (0.0, " .", 1.0), ())
        assert said(list(scribe(model).write(chunk(8.0)))) == [(0, 4.0, "hello")]


def test_an_answer_without_its_last_time(make: Make) -> None:
    model = make((0.0, " hello", 1.0, 1.0, " world"))
    assert said(list(scribe(model).write(chunk(5.0, 10.0)))) == [(10, 11, "hello"), (11, 15, "world")]


def test_too_much_for_one_answer(make: Make) -> None:
    """Half the context is 32 tokens: what was not finished then is heard again."""
    long = (0.0, " hello" * 10, 3.0, 3.0, " world" * 30, 9.0)
    model = make(long, (0.0, " world" * 12, 5.0))
    items = list(scribe(model).write(chunk(8.0)))
    assert said(items) == [(0, 3, ("hello " * 10).strip()), (3, 8, ("world " * 12).strip())]
    assert model.heard == [950, 800]


def test_one_endless_segment_is_kept(make: Make) -> None:
    words = (" hello world the cat sat" * 20).split()
    model = make((0.0, *(f" {word}" for word in words)))
    assert len(said(list(scribe(model).write(chunk(8.0))))) == 1


def test_signs_alone_are_no_text(make: Make) -> None:
    model = make((0.0, " ...", 1.0, 1.0, " hello", 2.0, 2.0, " -", 3.0))
    assert said(list(scribe(model).write(chunk(3.0)))) == [(1.0, 2.0, "hello")]


def test_silence(make: Make) -> None:
    """The model takes it for silence and is not sure of its text; one of both is not enough."""
    answer = say(make().tokens, 0.0, " hello", 3.0)
    silent = make(Answer(answer, no_speech=30, sure=3))
    assert said(list(scribe(silent).write(chunk(3.0)))) == []
    assert len(silent.said) == 1  # not said again and again
    sure = make(Answer(answer, no_speech=30))
    assert len(said(list(scribe(sure).write(chunk(3.0))))) == 1


def test_the_language_is_found(make: Make) -> None:
    model = make(Answer(say(make().tokens, 0.0, "你好", 2.0), languages={"zh": SURE}))
    items = list(scribe(model, TranscribeOptions()).write(chunk(2.0)))
    assert items[0] == LanguageFound("zh", pytest.approx(1.0))  # type: ignore[arg-type]
    assert said(items) == [(0.0, 2.0, "你好")]
    known = dict(model.tokens.languages)
    assert model.prompts == [[model.tokens.start, known["zh"], model.tokens.transcribe]]


def test_languages_add_up_until_one_is_sure(make: Make) -> None:
    """0.6 of 2 s against 0.7 of 6 s; then there was enough speech, and nothing short changes it."""
    tokens = make().tokens
    ids = say(tokens, 0.0, " hello", 2.0)

    def likely(**shares: float) -> Answer:
        rest = (1 - sum(shares.values())) / (len(tokens.languages) - len(shares))
        every = dict.fromkeys(tokens.codes, rest) | shares
        return Answer(ids, languages={code: SURE + float(np.log(share)) for code, share in every.items()})

    model = make(likely(en=0.6, zh=0.39), likely(zh=0.7, en=0.29), likely(en=0.9), likely(de=0.9))
    writer = scribe(model, TranscribeOptions())
    assert writer.language == ""
    first = list(writer.write(chunk(2.0, speech_s=2.0)))
    assert first[0] == LanguageFound("en", pytest.approx(0.6, abs=0.01))  # type: ignore[arg-type]
    second = list(writer.write(chunk(2.0, speech_s=2.0)))
    assert second[0] == LanguageFound("zh", pytest.approx((0.39 + 0.7) / 2, abs=0.01))  # type: ignore[arg-type]
    assert writer.language == "zh"
    assert languages(list(writer.write(chunk(2.5, speech_s=2.5)))) == ["en"]
    assert languages(list(writer.write(chunk(2.9, speech_s=2.9)))) == []


def test_enough_speech_settles_it(make: Make) -> None:
    tokens = make().tokens
    unsure = Answer(say(tokens, 0.0, " hello", 9.0), languages={"en": 2.0, "zh": 1.5})
    other = Answer(say(tokens, 0.0, " hello", 2.0), languages={"zh": SURE})
    model = make(unsure, unsure, other)
    writer = scribe(model, TranscribeOptions())
    assert languages(list(writer.write(chunk(9.0)))) == ["en"]
    assert languages(list(writer.write(chunk(9.0)))) == []
    assert languages(list(writer.write(chunk(2.0)))) == []


@pytest.mark.parametrize(
    ("speech_s", "logit", "switches"), [(6.0, SURE, True), (4.0, SURE, False), (6.0, 3.0, False)]
)
def test_somebody_answers_in_another_language(
    make: Make, speech_s: float, logit: float, switches: bool
) -> None:
    tokens = make().tokens
    ids = say(tokens, 0.0, " hello", 6.0)
    model = make(Answer(ids), Answer(ids, languages={"zh": logit, "en": 1.0}))
    writer = scribe(model, TranscribeOptions(previous_text=True))
    assert languages(list(writer.write(chunk(6.0)))) == ["en"]
    assert languages(list(writer.write(chunk(6.0, 6.0, speech_s)))) == (["zh"] if switches else [])
    zh = dict(tokens.languages)["zh"]
    assert (zh in model.prompts[-1]) is switches
    assert (
        tokens.previous in model.prompts[-1]
    ) is not switches  # what was said in another language is no help


def test_a_short_rest_does_not_switch_the_language(make: Make) -> None:
    """The chunk has 8 s of speech, but what is left of it only 2."""
    tokens = make().tokens
    rest = Answer(say(tokens, 0.0, " world", 2.0), languages={"zh": SURE})
    model = make(Answer(say(tokens, 0.0, " hello", 6.0)), rest)
    items = list(scribe(model, TranscribeOptions(), "en").write(chunk(8.0)))
    assert languages(items) == [] and len(said(items)) == 2


def test_a_given_language_is_taken(make: Make) -> None:
    model = make((0.0, "你好", 9.0), (0.0, "你好", 9.0))
    writer = scribe(model, TranscribeOptions(language="zh-Hant", translate=True))
    items = [*writer.write(chunk(9.0)), *writer.write(chunk(9.0))]
    assert [each for each in items if isinstance(each, LanguageFound)] == [LanguageFound("zh", 1.0)]
    tokens = model.tokens
    assert model.prompts[0] == [tokens.start, dict(tokens.languages)["zh"], tokens.translate]


def test_an_unknown_language(make: Make) -> None:
    with pytest.raises(
        EngineError, match=r'does not know the language "fr".*one of: de, en, yue, zh'
    ) as caught:
        scribe(make(), TranscribeOptions(language="fr"))
    assert "\n" not in str(caught.value)


def test_a_model_for_english_only(make: Make) -> None:
    model = make((0.0, " hello", 2.0), multilingual=False)
    items = list(scribe(model, TranscribeOptions()).write(chunk(2.0)))
    assert items[0] == LanguageFound("en", 1.0) and len(said(items)) == 1
    assert model.prompts == [[model.tokens.start]]
    with pytest.raises(EngineError, match='"zh"'):
        scribe(make(multilingual=False), TranscribeOptions(language="zh"))


def test_a_run_that_goes_on_knows_the_language(make: Make) -> None:
    tokens = make().tokens
    answer = Answer(say(tokens, 0.0, " hello", 2.0), languages={"zh": 2.0, "en": 1.9})
    model = make(answer)
    writer = scribe(model, TranscribeOptions(), "en")
    assert languages(list(writer.write(chunk(2.0)))) == [] and writer.language == "en"


def test_what_stands_before(make: Make) -> None:
    tokens = make().tokens
    two = ((0.0, " hello", 2.0), (0.0, " world", 2.0))
    for options, first, second in (
        (TranscribeOptions("en"), [], []),
        (TranscribeOptions("en", initial_prompt="the cat"), [" the cat"], [" the cat"]),
        (TranscribeOptions("en", previous_text=True), [], [" hello"]),
        (
            TranscribeOptions("en", previous_text=True, initial_prompt="the cat"),
            [" the cat"],
            [" the cat", " hello"],
        ),
    ):
        model = make(*two)
        writer = scribe(model, options)
        list(writer.write(chunk(2.0)))
        list(writer.write(chunk(2.0)))
        for prompt, texts in zip(model.prompts, (first, second), strict=True):
            before = [tokens.previous, *(id_ for text in texts for id_ in say(tokens, text))] if texts else []
            assert prompt[: prompt.index(tokens.start)] == before


def test_a_long_prompt_and_long_speech_leave_room(make: Make) -> None:
    """Half the context at most, of which the newest words take what they need."""
    answers = [(0.0, " hello" * 8, 1.0, 1.0, " world" * 8, 2.0)] * 8
    model = make(*answers)
    writer = scribe(model, TranscribeOptions("en", previous_text=True, initial_prompt="the cat sat " * 150))
    for at in range(8):
        list(writer.write(chunk(2.0, 2.0 * at)))
    lengths = [prompt.index(model.tokens.start) for prompt in model.prompts]
    assert lengths == [32] * 8  # of 64
    assert (
        model.prompts[0][1] != model.prompts[1][-4]
        and model.prompts[-1][-4] == say(model.tokens, " world")[0]
    )


def test_words(make: Make) -> None:
    model = make((0.0, " hello world.", 0.8, 0.8, " the cat", 2.0))
    found = list(scribe(model, TranscribeOptions("en", words=True)).write(chunk(2.4, 30.0)))
    segments = [each for each in found if isinstance(each, Segment)]
    assert [[word.text for word in each.words] for each in segments] == [
        [" hello", " world."],
        [" the", " cat"],
    ]
    for each in segments:
        assert "".join(word.text for word in each.words).strip() == each.text
        assert each.start_s == each.words[0].start_s and each.end_s == each.words[-1].end_s
        assert all(0.9 < word.confidence <= 1 for word in each.words)
    times = [time for each in segments for word in each.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times) and times[0] >= 30 and times[-1] <= 32.4
    # The model looks 0.2 s further for each token, from the control token before the first on.
    assert segments[1].words[0].start_s == pytest.approx(30 + 0.2 * 6, abs=0.05)


def test_the_first_word_begins_where_it_gets_loud(make: Make) -> None:
    """Not in the silence that stands in front of every chunk."""
    model = make((0.0, " hello world.", 2.0))
    quiet = chunk(2.4, 30.0)
    dice = np.random.default_rng(0)
    quiet.samples[:] = dice.normal(0, 0.003, len(quiet.samples))
    quiet.samples[round(0.35 * SAMPLE_RATE_HZ) : 2 * SAMPLE_RATE_HZ] += 0.3
    found = list(scribe(model, TranscribeOptions("en", words=True)).write(quiet))
    segment = found[-1]
    assert isinstance(segment, Segment)
    assert segment.start_s == segment.words[0].start_s == pytest.approx(30.35, abs=0.02)
    assert segment.words[0].end_s == segment.words[1].start_s


def test_chinese_in_one_script(make: Make) -> None:
    model = make((0.0, "我愛你,", 2.0), (0.0, "我爱你", 2.0), (0.0, " the cat", 2.0))
    assert said(list(scribe(model, TranscribeOptions("zh")).write(chunk(2.0))))[0][2] == "我爱你，"
    assert said(list(scribe(model, TranscribeOptions("zh-Hant")).write(chunk(2.0))))[0][2] == "我愛你"
    translated = list(scribe(model, TranscribeOptions("zh", translate=True)).write(chunk(2.0)))
    assert said(translated)[0][2] == "the cat"


@pytest.mark.parametrize("step", range(1, 14))
def test_a_device_that_fails(make: Make, step: int) -> None:
    """Wherever it fails, nothing is lost and nothing comes twice."""
    model = make((0.0, " hello", 1.5, 1.5, " world", 3.0))
    model.fail_at = {step}
    items = list(scribe(model, TranscribeOptions(words=True)).write(chunk(3.0)))
    assert [each.text for each in items if isinstance(each, Segment)] == ["hello", "world"]
    assert languages(items) == ["en"]
    notices = [each for each in items if isinstance(each, Notice)]
    assert [each.code for each in notices] == (["cpu_fallback"] if model.fallen_back else [])
    assert model.fallen_back == (step <= 11)


def test_cancelled(make: Make) -> None:
    model, cancel = make((0.0, " hello", 2.0)), Cancel()
    model.on_step = lambda step: cancel.set() if step == 5 else None
    with pytest.raises(Interrupted):
        list(Scribe(model, ENGLISH, cancel).write(chunk(2.0)))  # type: ignore[arg-type]


def test_a_glance(make: Make) -> None:
    tokens = make().tokens
    model = make((0.0, " hello", 1.0), (0.0, " hello world"), (0.0, " hello world", 2.0))
    writer = scribe(model, TranscribeOptions("en", previous_text=True))
    assert writer.glance(chunk(1.0)) == "hello"
    assert writer.glance(chunk(2.0)) == "hello world"
    items = list(writer.write(chunk(2.0)))
    assert languages(items) == ["en"] and len(said(items)) == 1
    assert not any(tokens.previous in prompt for prompt in model.prompts)  # nothing was remembered


def test_a_glance_at_noise(make: Make) -> None:
    ids = say(make().tokens, 0.0, " hello", 1.0)
    model = make(Answer(ids, no_speech=30), (0.0, " hello" * 24))
    writer = scribe(model)
    assert writer.glance(chunk(1.0)) == "" == writer.glance(chunk(1.0))


def test_no_glance_before_the_language_is_known(make: Make) -> None:
    model = make()
    assert scribe(model, TranscribeOptions()).glance(chunk(1.0)) == "" and model.heard == []
