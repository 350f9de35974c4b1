"""The same decoder through all kinds of graph: the decoding loop must not change what a model says."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import folders
from engine.cancel import Cancel
from engine.packs import read_pack
from engine.results import Finished
from engine.runtime.language_model import LanguageModel
from engine.tasks.chat import GREEDY, Turn, chat
from tests.unit.engine.runtime.tiny_pack import PROMPT, tiny_pack

GRAPHS = [("model.onnx", True), ("model.onnx", False), ("plain.onnx", False), ("half.onnx", False)]
REAL_PACK = "smollm2-135m"


def opened(folder: Path, graph: str, shared: bool) -> LanguageModel:
    return LanguageModel.open(tiny_pack(folder, graph, shared, eos_token_id=[]), threads=1)


def logits_of(model: LanguageModel, ids: list[int]) -> np.ndarray:
    """[V] after ``ids``"""
    assert model._decoder is not None
    list(model._decoder.prefill(ids, Cancel()))
    return model._decoder.logits.copy()


@pytest.mark.parametrize(("graph", "shared"), GRAPHS[1:])
def test_logits_of_all_graphs_agree(graph: str, shared: bool, tmp_path: Path) -> None:
    ids = (PROMPT * 12)[:300]
    expected = logits_of(opened(tmp_path, *GRAPHS[0]), ids)
    found = logits_of(opened(tmp_path, graph, shared), ids)
    np.testing.assert_allclose(found, expected, atol=0.05 if graph == "half.onnx" else 1e-4)


@pytest.mark.parametrize(("graph", "shared"), GRAPHS)
def test_cached_is_uncached(graph: str, shared: bool, tmp_path: Path) -> None:
    """Token by token, in chunks, after going back, and across a growth of the cache."""
    bound = 0.05 if graph == "half.onnx" else 1e-4
    model = opened(tmp_path, graph, shared)
    decoder = model._decoder
    assert decoder is not None
    ids = (PROMPT * 30)[:600]
    whole = logits_of(opened(tmp_path, graph, shared), ids)
    logits_of(model, ids[:450])
    for id_ in ids[450:]:
        decoder.step(id_, Cancel())
    np.testing.assert_allclose(decoder.logits, whole, atol=bound)
    logits_of(model, [*ids[:200], 1, 2, 3])  # going back to 200
    assert decoder.cache.length == 203
    np.testing.assert_allclose(logits_of(model, ids), whole, atol=bound)


def test_greedy_tokens_of_all_graphs_agree(tmp_path: Path) -> None:
    texts = set()
    for graph, shared in GRAPHS[:3]:
        model = opened(tmp_path, graph, shared)
        *_, end = model.generate(PROMPT, replace(GREEDY, max_new_tokens=60), Cancel())
        assert isinstance(end, Finished)
        texts.add(end.text)
    assert len(texts) == 1


@pytest.fixture(scope="module")
def real() -> Iterator[LanguageModel]:
    named = os.environ.get("POLLUX_TEST_PACK")
    folder = Path(named) if named else folders.packs_folder() / REAL_PACK
    if not folder.is_dir():
        pytest.skip(f"the model {REAL_PACK} is not installed (POLLUX_TEST_PACK may name its folder)")
    model = LanguageModel.open(read_pack(folder), device="cpu")
    yield model
    model.close()


@pytest.mark.real
def test_the_capital_of_france(real: LanguageModel) -> None:
    turns = [Turn("user", "What is the capital of France?")]
    *_, end = chat(real, turns, GREEDY, Cancel())
    assert isinstance(end, Finished)
    assert "Paris" in end.text
    assert end.reason == "stop"


@pytest.mark.real
def test_a_second_turn_costs_only_itself(real: LanguageModel) -> None:
    first = [Turn("user", "Name three colours.")]
    *_, end = chat(real, first, replace(GREEDY, max_new_tokens=40), Cancel())
    assert isinstance(end, Finished)
    turns = [*first, Turn("assistant", end.text), Turn("user", "And one more.")]
    *_, second = chat(real, turns, replace(GREEDY, max_new_tokens=8), Cancel())
    assert isinstance(second, Finished)
    assert second.cached_tokens >= end.prompt_tokens


@pytest.mark.real
@pytest.mark.parametrize("after_s", [0.03, 0.3])
def test_cancelling_while_the_prompt_is_read(
    real: LanguageModel, after_s: float, capfd: pytest.CaptureFixture[str]
) -> None:
    assert real._decoder is not None
    real._decoder.cache.truncate(0)
    ids = real.tokenizer.encode("The quick brown fox jumps over the lazy dog. " * 400)[:4000]
    cancel, asked = Cancel(), [0.0]

    def ask() -> None:
        asked[0] = time.perf_counter()
        cancel.set()

    timer = threading.Timer(after_s, ask)
    timer.start()
    *_, end = real.generate(ids, GREEDY, cancel)
    assert time.perf_counter() - asked[0] < 0.1
    assert isinstance(end, Finished)
    assert (end.reason, end.new_tokens) == ("cancelled", 0)
    assert capfd.readouterr().err == ""
    # The session goes on as if nothing had been.
    *_, again = chat(real, [Turn("user", "What is the capital of France?")], GREEDY, Cancel())
    assert isinstance(again, Finished)
    assert "Paris" in again.text
