"""What is written down, and when another try is made: a model whose next token is scripted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.runtime.session import Interrupted
from engine.runtime.speech_search import (
    Hypothesis,
    Search,
    _without_loop,
    compression_ratio,
    loop_tokens,
    softmax,
)
from engine.tasks.transcribe import TranscribeOptions
from tests.unit.engine.runtime.scripted_speech import SURE, Answer, Next, ScriptedModel, say, speech_pack

PLAIN = TranscribeOptions(beams=1)


@pytest.fixture
def model(tmp_path: Path) -> ScriptedModel:
    return ScriptedModel(speech_pack(tmp_path / "语音 ü"))


def write(
    model: ScriptedModel,
    answer: Answer,
    options: TranscribeOptions = PLAIN,
    *,
    seed: int = 0,
    before: Sequence[int] = (),
    audio_s: float = 30.0,
    cancel: Cancel | None = None,
    quick: bool = False,
) -> Hypothesis:
    model.answers.append(answer)
    cancel = cancel or Cancel()
    model.hear(np.zeros((80, 800), np.float32), cancel)
    search = Search(model, options, seed)  # type: ignore[arg-type]
    return search.write("en", False, before, audio_s, cancel, quick=quick)


def words(model: ScriptedModel, found: Hypothesis) -> str:
    return model.tokens.tokenizer.decode(model.tokens.text_ids(found.ids))


def test_the_likeliest_token_each_time(model: ScriptedModel) -> None:
    ids = say(model.tokens, 0.0, " hello world", 2.0)
    found = write(model, Answer(ids))
    assert found.ids == tuple(ids) and not found.cut and not found.loops
    assert (found.temperature, len(found.logprobs)) == (0.0, len(ids) + 1)
    assert found.mean_logprob == pytest.approx(0, abs=1e-3) and found.no_speech < 0.01
    assert len(model.said) == 1


def test_log_probabilities(model: ScriptedModel) -> None:
    """Of what the rules leave: the first step has 51 times, of which one has the logit 3."""
    found = write(
        model,
        Answer(say(model.tokens, 0.0, " hello"), sure=3.0),
        TranscribeOptions(beams=1, temperatures=(0.0,)),
    )
    assert found.logprobs[0] == pytest.approx(3 - np.log(np.exp(3) + 50), abs=1e-4)
    assert found.mean_logprob == pytest.approx(sum(found.logprobs) / len(found.logprobs))


def test_the_prompt(model: ScriptedModel) -> None:
    tokens = model.tokens
    before = tokens.before("the cat", 9)
    write(model, Answer(say(tokens, 0.0, " hello", 2.0)), before=before)
    assert model.prompts == [[*before, tokens.start, *tokens.prompt("en", False)]]


def test_no_time_is_after_the_end_of_the_sound(model: ScriptedModel) -> None:
    ids = say(model.tokens, 0.0, " hello", 9.0)
    found = write(model, Answer(ids), audio_s=3.0)
    assert max(found.ids) <= model.tokens.first_timestamp + 150


def test_the_language(model: ScriptedModel) -> None:
    model.answers.append(Answer(languages={"en": 1.0, "zh": 2.0, "de": 0.5}))
    model.hear(np.zeros((80, 800), np.float32), Cancel())
    found = Search(model, PLAIN).language(Cancel())  # type: ignore[arg-type]
    expected = np.exp([1.0, 2.0, 0.5, 0.0])
    assert found == pytest.approx(expected / expected.sum())
    assert found.sum() == pytest.approx(1)


def stammer(model: ScriptedModel, end: float = 9.5) -> Next:
    """Says a word again and again, where it might as well end."""
    tokens = model.tokens
    hello = say(tokens, " hello")[0]

    def after(said: Sequence[int]) -> dict[int, float]:
        if not said:
            return {tokens.first_timestamp: SURE}
        return {hello: 10.0, tokens.end: end if len(said) > 1 else 0.0}

    return after


def test_going_round_in_circles_makes_another_try(model: ScriptedModel) -> None:
    found = write(model, Answer(next=stammer(model)))
    assert not found.loops and found.temperature > 0 and words(model, found).startswith(" hello")
    assert len(model.said[0]) <= 18  # stopped as soon as it was clear


def test_what_only_ever_stammers_is_kept_once(model: ScriptedModel) -> None:
    found = write(model, Answer(next=stammer(model, end=-50)))
    assert found.loops and found.cut and words(model, found) == " hello"
    assert len(model.said) == len(PLAIN.temperatures)


def test_a_beam_that_stammers_is_kept_once_too(model: ScriptedModel) -> None:
    """Its many sure tokens make it likelier than what is left of the first try, whose beginning is doubtful."""
    model.can_branch = True
    tokens, stammering = model.tokens, stammer(model, end=-50)

    def after(said: Sequence[int]) -> dict[int, float]:
        return stammering(said) if said else {tokens.first_timestamp: 3.0}

    found = write(model, Answer(next=after), TranscribeOptions())
    assert model.branches == 1 and found.loops and found.cut and words(model, found) == " hello"


def test_doubt_makes_more_tries_of_which_the_likeliest_is_taken(model: ScriptedModel) -> None:
    """Two words, both unlikely beside all others: no try is good enough."""
    answer = Answer(say(model.tokens, 0.0, " hello world", 2.0), sure=3.0)
    found = write(model, answer)
    assert len(model.said) == len(PLAIN.temperatures)
    assert found.mean_logprob < PLAIN.logprob_limit
    alone = [
        write(model, answer, TranscribeOptions(beams=1, temperatures=(temperature,)))
        for temperature in (0.0, 1.0)
    ]
    assert found.mean_logprob >= alone[0].mean_logprob > alone[1].mean_logprob
    model.said.clear()
    write(model, answer, TranscribeOptions(beams=1, logprob_limit=-9.0))
    assert len(model.said) == 1


def test_text_that_repeats_itself_makes_more_tries(model: ScriptedModel) -> None:
    answer = Answer(say(model.tokens, 0.0, " the cat sat" * 3, 2.0))
    ratio = write(model, answer).compression_ratio
    model.said.clear()
    found = write(model, answer, TranscribeOptions(beams=1, compression_ratio_limit=ratio - 0.01))
    assert len(model.said) == len(PLAIN.temperatures) and found.compression_ratio == ratio
    model.said.clear()
    write(model, answer, TranscribeOptions(beams=1, compression_ratio_limit=ratio + 0.01))
    assert len(model.said) == 1


def test_silence_is_not_tried_again(model: ScriptedModel) -> None:
    doubtful = Answer(say(model.tokens, 0.0, " hello", 2.0), no_speech=30, sure=3.0)
    found = write(model, doubtful)
    assert found.no_speech > 0.9 and len(model.said) == 1
    search = Search(model, PLAIN)  # type: ignore[arg-type]
    assert search.silent(found)
    sure = write(model, Answer(say(model.tokens, 0.0, " hello", 2.0), no_speech=30))
    assert sure.no_speech > 0.9 and not search.silent(sure)


def test_a_quick_try_is_taken_as_it_is(model: ScriptedModel) -> None:
    model.can_branch = True
    answer = Answer(say(model.tokens, 0.0, " hello", 2.0), sure=1.0)
    assert write(model, answer, TranscribeOptions(), quick=True).temperature == 0
    assert len(model.said) == 1 and model.branches == 0


@pytest.mark.parametrize("before", [0, 20, 31, 55, 60])
def test_an_answer_fits_the_context(model: ScriptedModel, before: int) -> None:
    """64 tokens, of which the answer has half at most, and less behind a long prompt."""
    dice = np.random.default_rng(3)
    letters = dice.integers(65, 90, 200).tolist()
    answer = Answer([model.tokens.first_timestamp, *letters])
    found = write(model, answer, before=[model.tokens.previous] * before)
    room = min(32, 64 - before - 3)
    assert found.cut and len(found.ids) == room == len(found.logprobs)
    model.can_branch = True
    found = write(
        model, answer, TranscribeOptions(beam_logprob_limit=1.0), before=[model.tokens.previous] * before
    )
    assert model.branches == 1 and len(found.ids) == room


@pytest.mark.parametrize("step", range(1, 7))
def test_cancelled(model: ScriptedModel, step: int) -> None:
    cancel = Cancel()
    model.on_step = lambda at: cancel.set() if at == step else None
    with pytest.raises(Interrupted):
        write(model, Answer(say(model.tokens, 0.0, " hello world", 2.0)), cancel=cancel)


@pytest.mark.parametrize("branching", [False, True])
def test_closed(model: ScriptedModel, branching: bool) -> None:
    model.can_branch = branching
    model.on_step = lambda at: model.close() if at == (9 if branching else 5) else None
    with pytest.raises(Interrupted):
        write(model, Answer(say(model.tokens, 0.0, " hello world", 2.0), sure=3.0), TranscribeOptions())


def test_seeds(model: ScriptedModel) -> None:
    """Chance is repeatable."""
    hot = TranscribeOptions(beams=1, temperatures=(1.0,))
    answer = Answer(say(model.tokens, 0.0, " hello world the cat sat", 2.0), sure=6.0)
    found = [write(model, answer, hot, seed=seed) for seed in (1, 1, 2, 3)]
    assert found[0] == found[1] and len({each.ids for each in found[1:]}) == 3


def test_chance_follows_the_probabilities(model: ScriptedModel) -> None:
    tokens = model.tokens
    one, other = say(tokens, " hello")[0], say(tokens, " cat")[0]

    def after(said: Sequence[int]) -> dict[int, float]:
        if not said:
            return {tokens.first_timestamp: 40.0}
        return {tokens.end: 40.0} if len(said) > 1 else {one: 30.0, other: 30.0 - np.log(3)}

    model.answers.append(Answer(next=after))
    model.hear(np.zeros((80, 800), np.float32), Cancel())
    shares = {}
    for temperature in (1.0, 0.5):
        search = Search(model, TranscribeOptions(beams=1, temperatures=(temperature,)))  # type: ignore[arg-type]
        found = [search.write("en", False, (), 5.0, Cancel()) for _ in range(400)]
        shares[temperature] = sum(each.ids[1] == other for each in found) / 400
        assert found[0].logprobs[1] == pytest.approx(
            np.log(0.75 if found[0].ids[1] == one else 0.25), abs=1e-3
        )
    assert shares[1.0] == pytest.approx(1 / 4, abs=0.07) and shares[0.5] == pytest.approx(1 / 10, abs=0.05)


def test_numbers_that_are_none(model: ScriptedModel) -> None:
    with pytest.raises(EngineError, match="not finite"):
        write(model, Answer(next=lambda said: {model.tokens.first_timestamp: float("nan")}))
    model.can_branch = True
    hello = say(model.tokens, " hello")[0]

    def only_rows(said: Sequence[int]) -> dict[int, float]:
        """Sound while one text is written, broken in the second of several."""
        broken = {hello: float("nan")} if model.branches else {hello: 1.0}
        return broken if said else {model.tokens.first_timestamp: SURE}

    with pytest.raises(EngineError, match="not finite"):
        write(model, Answer(next=only_rows), TranscribeOptions())


def garden_path(model: ScriptedModel) -> Next:
    """The likelier first word leads into a swamp; the other is followed by a sure end."""
    tokens = model.tokens
    hello, cat, sat = say(tokens, " hello cat sat")

    def after(said: Sequence[int]) -> dict[int, float]:
        if not said:
            return {tokens.first_timestamp: SURE}
        if len(said) == 1:
            return {hello: 20.2, cat: 20.0}
        if len(said) == 2:
            return {sat: SURE} if said[1] == cat else dict.fromkeys(range(60), 9.0)
        return {tokens.end: SURE}

    return after


def test_a_beam_finds_what_greed_misses(model: ScriptedModel) -> None:
    model.can_branch = True
    found = write(model, Answer(next=garden_path(model)), TranscribeOptions())
    assert words(model, found) == " cat sat" and found.temperature == 0 and not found.cut
    assert model.branches == 1 and found.mean_logprob == pytest.approx(np.log(0.45) / 4, abs=0.01)


@pytest.mark.parametrize("options", [PLAIN, TranscribeOptions(beam_logprob_limit=-5.0)])
def test_no_beam_where_none_is_wanted(model: ScriptedModel, options: TranscribeOptions) -> None:
    model.can_branch = True
    write(model, Answer(next=garden_path(model)), options)
    assert model.branches == 0


def test_no_beam_on_a_device_that_has_none(model: ScriptedModel) -> None:
    write(model, Answer(next=garden_path(model)), TranscribeOptions())
    assert model.branches == 0


def test_a_wide_beam_is_a_search_through_everything(model: ScriptedModel) -> None:
    """All texts of up to three of two words, with random likelihoods: the best one on the mean."""
    model.can_branch = True
    tokens = model.tokens
    choices = [*say(tokens, " hello cat"), tokens.end]
    for seed in range(6):

        def after(said: Sequence[int], seed: int = seed) -> dict[int, float]:
            if not said:
                return {tokens.first_timestamp: 40.0}
            if len(said) == 4:
                return {tokens.end: 40.0}
            dice = np.random.default_rng([seed, *said])
            return {choice: 30 + float(dice.normal(0, 1.5)) for choice in choices}

        def mean(text: Sequence[int]) -> float:
            said = [tokens.first_timestamp]
            logprobs = [0.0]
            for token_id in (*text, tokens.end):
                likely = after(said)
                if len(said) < 4:
                    top = np.array(list(likely.values()))
                    logprobs.append(likely[token_id] - float(np.log(np.exp(top).sum())))
                else:
                    logprobs.append(0.0)
                said.append(token_id)
            return sum(logprobs) / len(logprobs)

        texts = [text for length in range(4) for text in itertools.product(choices[:2], repeat=length)]
        best = max(texts, key=mean)
        found = write(model, Answer(next=after), TranscribeOptions(beams=40, beam_logprob_limit=1.0))
        assert found.ids[1:] == best and found.mean_logprob == pytest.approx(mean(best), abs=1e-3)


def test_a_beam_wider_than_what_is_allowed(model: ScriptedModel) -> None:
    """Eleven times at first, fewer than rows; one is sure."""
    model.can_branch = True
    ids = say(model.tokens, 0.0, " hello", 0.2)
    options = TranscribeOptions(beams=20, beam_logprob_limit=1.0)
    assert write(model, Answer(ids), options, audio_s=0.2).ids == tuple(ids)


@pytest.mark.parametrize(
    ("ids", "loop"),
    [
        ([], 0),
        ([1] * 15, 0),
        ([1] * 16, 1),
        ([9, 8, *[1] * 16], 1),
        ([*[1] * 16, 2], 0),
        ([1, 2] * 7, 0),
        ([1, 2] * 8, 2),
        ([1, 2, 3, 4, 5] * 3, 0),
        ([1, 2, 3, 4, 5] * 4, 5),
        ([7, *range(24)] * 4, 0),  # longer than any that is looked for
        ([*range(24)] * 4, 24),
        ([1, 1, 2] * 6, 3),
    ],
)
def test_circles(ids: list[int], loop: int) -> None:
    assert loop_tokens(ids) == loop


def test_a_circle_is_left_in_once() -> None:
    ids = [100, 7, 1, 2, 101, 101, 1, 2, 1, 2, 1, 2]
    logprobs = [-float(at) for at in range(len(ids))]
    assert _without_loop(ids, logprobs, 2, 100) == (ids[:4], logprobs[:4])
    assert _without_loop([1] * 16, [0.0] * 16, 1, 100) == ([1], [0.0])


def test_how_much_a_text_repeats_itself() -> None:
    assert compression_ratio("") == 0
    assert compression_ratio("Good morning.") < 1
    assert compression_ratio("Good morning. " * 20) > 2.4
    assert compression_ratio("你好" * 40) > 2.4


def test_softmax_of_wide_logits() -> None:
    found = softmax(np.array([1e4, 1e4, -np.inf, 0], np.float32))
    assert found.tolist() == [0.5, 0.5, 0, 0]
