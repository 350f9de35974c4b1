"""The loop that makes text, on a tiny decoder with random weights."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from engine import Pollux
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Finished, Notice, Progress, TextChunk
from engine.runtime import session
from engine.runtime.devices import CPU, CUDA
from engine.runtime.language_model import LanguageModel
from engine.tasks.chat import GREEDY, ChatOptions, Turn
from tests.unit.engine.runtime.tiny_pack import PROMPT, tiny_pack

SAMPLED = ChatOptions(max_new_tokens=30, temperature=1.5, seed=5)


def greedy(count: int, **changes: Any) -> ChatOptions:
    return replace(GREEDY, max_new_tokens=count, **changes)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[LanguageModel]:
    # No end token, unless a test sets one: the random weights may give it at any time.
    opened = LanguageModel.open(tiny_pack(tmp_path, eos_token_id=[]), threads=1)
    yield opened
    opened.close()


def finished(items: Iterable[object]) -> Finished:
    everything = list(items)
    last = everything[-1]
    assert isinstance(last, Finished)
    assert "".join(item.text for item in everything if isinstance(item, TextChunk)) == last.text
    return last


def run(model: LanguageModel, ids: list[int], options: ChatOptions) -> Finished:
    return finished(model.generate(ids, options, Cancel()))


def fresh(model: LanguageModel) -> LanguageModel:
    """The same pack, with nothing read yet."""
    return LanguageModel.open(model.pack, threads=1)


def ids_held(model: LanguageModel) -> list[int]:
    assert model._decoder is not None
    return list(model._decoder.cache.ids)


def test_every_field_of_the_end(model: LanguageModel) -> None:
    items = list(model.generate(PROMPT, greedy(12), Cancel()))
    end = finished(items)
    assert [item for item in items if isinstance(item, Progress)] == [
        Progress("prefill", 0, len(PROMPT), "tokens"),
        Progress("prefill", len(PROMPT), len(PROMPT), "tokens"),
    ]
    assert (end.reason, end.model, end.provider) == ("length", model.pack.name, "CPU")
    assert (end.prompt_tokens, end.cached_tokens, end.new_tokens) == (len(PROMPT), 0, 12)
    assert (end.context_tokens, end.context_limit_tokens) == (len(PROMPT) + 12, 1280)
    assert 0 < end.prefill_s <= end.first_token_s
    assert end.decode_s > 0 and end.decode_tokens_per_s > 0
    assert model.notices == ()


def test_the_models_end_token_stops(model: LanguageModel, tmp_path: Path) -> None:
    run(model, PROMPT, greedy(12))
    generated = ids_held(model)[len(PROMPT) :]
    end_id = generated[-1]
    other = LanguageModel.open(tiny_pack(tmp_path, eos_token_id=[end_id]), threads=1)
    end = run(other, PROMPT, greedy(50))
    assert end.reason == "stop"
    assert end.new_tokens == generated.index(end_id) + 1


def test_a_prefix_is_not_read_again_and_changes_nothing(model: LanguageModel) -> None:
    first = run(model, PROMPT, greedy(20))
    longer = ids_held(model)[: len(PROMPT) + 10] + PROMPT
    again = run(model, longer, greedy(20))
    assert again.cached_tokens == len(PROMPT) + 10
    assert again.text == run(fresh(model), longer, greedy(20)).text
    # Back to an earlier point, and the very same prompt twice: one token is always run.
    back = run(model, PROMPT, greedy(20))
    assert (back.cached_tokens, back.text) == (len(PROMPT) - 1, first.text)
    assert run(model, PROMPT, greedy(20)).text == first.text


def test_a_long_prompt_in_chunks_with_progress(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = (PROMPT * 20)[:300]
    items = list(model.generate(ids, greedy(20), Cancel()))
    assert [item.done for item in items if isinstance(item, Progress)] == [0, 128, 256, 300]
    monkeypatch.setattr("engine.runtime.decoder.PREFILL_CHUNK_TOKENS", 1000)
    assert run(fresh(model), ids, greedy(20)).text == finished(items).text


def test_the_cache_grows_in_steps_and_keeps_what_it_holds(model: LanguageModel) -> None:
    ids = (PROMPT * 20)[:480]
    cache: Any = model._decoder.cache if model._decoder else None
    assert cache.capacity_tokens == 512
    run(model, ids, greedy(200))
    assert cache.capacity_tokens == 1024
    held = ids_held(model)
    assert run(model, held, greedy(400)).context_tokens == len(held) + 400
    assert cache.capacity_tokens == 1280  # not beyond the context
    # One piece from the beginning gives the same.
    once = fresh(model)
    run(once, ids, greedy(601))
    assert ids_held(once)[: len(held) + 399] == ids_held(model)


def test_the_context_fills_up(model: LanguageModel) -> None:
    small = LanguageModel.open(replace(model.pack, context_tokens=len(PROMPT) + 7), threads=1)
    end = run(small, PROMPT, greedy(100))
    assert (end.reason, end.new_tokens) == ("length", 7)
    assert end.context_tokens == end.context_limit_tokens
    with pytest.raises(EngineError, match=r"too long for .*: it has 33 tokens, and the limit is 33"):
        run(small, PROMPT + PROMPT[:7], greedy(1))
    with pytest.raises(EngineError, match="prompt is empty"):
        run(small, [], greedy(1))
    assert run(small, PROMPT, greedy(100)).text == end.text  # an error leaves it usable


def test_the_same_seed_gives_the_same_text(model: LanguageModel) -> None:
    first = run(model, PROMPT, SAMPLED)
    assert run(model, PROMPT, SAMPLED).text == first.text
    assert run(model, PROMPT, replace(SAMPLED, seed=6)).text != first.text


def test_a_stop_text_ends_the_answer_before_it(model: LanguageModel) -> None:
    whole = run(model, PROMPT, greedy(40)).text
    stop = whole[10:13]
    end = run(model, PROMPT, greedy(40, stop=(stop, "never there")))
    assert end.reason == "stop"
    assert end.text == whole[: whole.index(stop)]
    # What could have become a stop text, and did not, is shown at the end.
    assert run(model, PROMPT, greedy(40, stop=(whole[-2:] + "no",))).text == whole


class SlowGraph:
    """Runs until it is terminated, and says something misleading then."""

    def __init__(self, real: Any, quick_runs: int) -> None:
        self._real = real
        self._quick_runs = quick_runs
        self.slow = threading.Event()

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions) -> None:
        if self._quick_runs > 0:
            self._quick_runs -= 1
            self._real.run_with_iobinding(binding, options)
            return
        self.slow.set()
        for _ in range(1000):
            time.sleep(0.005)
            if options.terminate:
                raise RuntimeError("out of memory")


@pytest.mark.parametrize("quick_runs", [0, 1, 5])
def test_cancel_ends_a_run_under_way_and_keeps_what_was_done(model: LanguageModel, quick_runs: int) -> None:
    ids, whole = PROMPT * 8, run(model, PROMPT * 8, greedy(20))  # two chunks
    assert model._decoder and model._session
    model._decoder.cache.truncate(0)
    real: Any = model._session._session
    slow = SlowGraph(real, quick_runs)
    model._session._session = slow  # type: ignore[assignment]
    cancel, asked = Cancel(), [0.0]

    def ask() -> None:
        slow.slow.wait(5)
        asked[0] = time.perf_counter()
        cancel.set()

    threading.Thread(target=ask).start()
    end = finished(model.generate(ids, greedy(20), cancel))
    assert time.perf_counter() - asked[0] < 0.1
    assert end.reason == "cancelled"
    assert whole.text.startswith(end.text)
    done = min(128 * quick_runs, len(ids)) if quick_runs < 2 else len(ids) + quick_runs - 2
    assert len(ids_held(model)) == done
    assert end.new_tokens == max(quick_runs - 1, 0)
    # Usable as before, with what was read.
    model._session._session = real
    again = run(model, ids, greedy(20))
    assert again.text == whole.text
    assert again.cached_tokens == min(done, len(ids) - 1)


def test_cancel_between_two_tokens(model: LanguageModel) -> None:
    cancel = Cancel()
    items: list[object] = []
    for item in model.generate(PROMPT, greedy(1000), cancel):
        items.append(item)
        if isinstance(item, TextChunk):
            cancel.set()
    assert finished(items).reason == "cancelled"
    assert sum(isinstance(item, TextChunk) for item in items) <= 2  # the second: half a character at the end


class BrokenGraph:
    """A device that fails after some runs."""

    def __init__(self, real: Any, good_runs: int) -> None:
        self._real = real
        self._good_runs = good_runs

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions) -> None:
        self._good_runs -= 1
        if self._good_runs < 0:
            raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")
        self._real.run_with_iobinding(binding, options)


@pytest.mark.parametrize("good_runs", [0, 1, 9])
def test_a_device_that_fails_gives_way_to_the_cpu(model: LanguageModel, good_runs: int) -> None:
    expected = run(fresh(model), PROMPT, greedy(20))
    assert model._session
    model._session.device = CUDA
    model._session._session = BrokenGraph(model._session._session, good_runs)  # type: ignore[assignment]
    items = list(model.generate(PROMPT, greedy(20), Cancel()))
    notices = [item for item in items if isinstance(item, Notice)]
    assert [notice.code for notice in notices] == ["cpu_fallback"]
    assert "CUDA failed" in notices[0].text and "700" in notices[0].text
    end = finished(items)
    assert (end.text, end.reason, end.provider) == (expected.text, "length", "CPU")
    assert model.notices == tuple(notices)
    assert model._session.device is CPU


def test_on_the_cpu_a_failure_is_an_error(model: LanguageModel) -> None:
    assert model._session
    real: Any = model._session._session
    model._session._session = BrokenGraph(real, 3)  # type: ignore[assignment]
    with pytest.raises(EngineError, match="cannot be run"):
        run(model, PROMPT, greedy(20))
    model._session._session = real
    assert run(model, PROMPT, greedy(5)).new_tokens == 5


def test_one_run_at_a_time(model: LanguageModel) -> None:
    first = model.generate(PROMPT, greedy(20), Cancel())
    next(first)
    with pytest.raises(EngineError, match="busy"):
        next(iter(model.generate(PROMPT, greedy(20), Cancel())))
    first.close()  # type: ignore[attr-defined]  # left before its end
    assert run(model, PROMPT, greedy(3)).new_tokens == 3


def test_closed(model: LanguageModel) -> None:
    model.close()
    model.close()
    with pytest.raises(EngineError, match="closed"):
        run(model, PROMPT, greedy(3))
    with pytest.raises(EngineError, match="closed"):
        model.score(PROMPT)


def test_closing_ends_the_run_under_way(model: LanguageModel) -> None:
    items = model.generate(PROMPT, greedy(1000), Cancel())
    while not isinstance(next(items), TextChunk):
        pass
    model.close()
    assert [item.reason for item in items if isinstance(item, Finished)] == ["cancelled"]
    assert model._session is None


def test_score_is_the_mean_log_likelihood(model: LanguageModel) -> None:
    ids = PROMPT
    run(model, ids, greedy(20))
    likely = ids_held(model)
    assert model.score(likely) < model.score([*likely[:-5], 1, 2, 3, 4, 5])
    assert model.score(likely) == pytest.approx(fresh(model).score(likely))
    with pytest.raises(ValueError, match="two ids"):
        model.score([1])


def test_too_little_memory(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session.machine, "total_memory_bytes", lambda: 1000)
    with pytest.raises(EngineError, match="not enough memory"):
        fresh(model)
    with pytest.raises(EngineError, match="not enough memory"):  # for the cache to grow
        run(model, (PROMPT * 30)[:600], greedy(1))
    monkeypatch.undo()
    assert run(model, (PROMPT * 30)[:600], greedy(2)).new_tokens == 2


def test_no_memory_half_way_through_growing(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = (PROMPT * 30)[:600]
    expected = run(fresh(model), ids, greedy(5)).text
    run(model, PROMPT, greedy(5))
    assert model._decoder
    cache: Any = model._decoder.cache
    real, calls = cache._value, []

    def value(array: object) -> object:
        calls.append(array)
        if len(calls) == 3:
            raise MemoryError
        return real(array)

    monkeypatch.setattr(cache, "_value", value)
    with pytest.raises(EngineError, match="not enough memory"):
        run(model, ids, greedy(5))
    assert run(model, ids, greedy(5)).text == expected


def test_graphs_that_are_no_decoder(tmp_path: Path, model: LanguageModel) -> None:
    config = model.pack.config
    for changes, says in (
        ({"logits": "scores"}, "has no scores"),
        ({"num_hidden_layers": 3}, r"has no past_key_values\.2\.key"),
        ({"num_hidden_layers": 1}, r"does not know: past_key_values\.1\.key"),
        ({"head_size": 32}, "is not what its genai_config.json announces"),
    ):
        with pytest.raises(EngineError, match=says):
            LanguageModel.open(replace(model.pack, config=replace(config, **changes)))


def test_the_facade(model: LanguageModel) -> None:
    folder = model.pack.folder
    with Pollux.load(folder, device="cpu", threads=1) as pollux:
        text = pollux.generate_text(
            bytes(PROMPT).decode(), max_new_tokens=8, temperature=0, repetition_penalty=1
        )
        assert text == run(model, model.tokenizer.encode(bytes(PROMPT).decode()), greedy(8)).text
        assert finished(pollux.chat([Turn("user", "Hi")], greedy(4))).new_tokens == 4
        assert (pollux.provider, pollux.pack.folder, pollux.notices) == ("CPU", folder, ())
        with pytest.raises(TypeError):
            pollux.generate_text("x", wrong=1)
    with pytest.raises(EngineError, match="closed"):
        pollux.generate_text("x")


def test_no_model_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLLUX_HOME", str(tmp_path / "测试 ü"))
    with pytest.raises(EngineError, match="No model is installed"):
        Pollux.load()
