"""What training computes is what the plain modules compute, and what a run does can be repeated, resumed and split."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from export.nn.captioner import merge
from export.nn.language import LanguageModel
from export.train import cross_entropy
from export.train.checkpoints import load_weights
from export.train.decoder import Decoder
from export.train.generate import MOST_TOKENS, Writer
from export.train.model import CaptionerTraining
from export.train.sequences import Item, lay_out
from export.train.softmax import SampledSoftmax
from tests import tiny, tiny_captioner, tiny_training

ITEMS = (
    Item((5, 6, 7), ((10, 11, 12, 13), (20, 21), (30, 31, 32))),
    Item((8,), ((40, 41, 42), (50,))),
)
END = 260


@pytest.fixture
def training() -> CaptionerTraining:
    language = tiny.language_model(tiny.LLAMA)
    result = CaptionerTraining(tiny_captioner.CONFIG, language, tiny_captioner.vision(), END, seed=1)
    result.lora = {name: torch.nn.Parameter(tensor) for name, tensor in tiny_captioner.lora().items()}
    return result


def _merged(training: CaptionerTraining) -> LanguageModel:
    model = LanguageModel(tiny.LLAMA)
    model.load_state_dict(
        merge(training.decoder.model.state_dict(), training.lora, tiny_captioner.CONFIG.lora_scale)
    )
    return model.eval().requires_grad_(False)


def _logits(model: LanguageModel, prefix: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """The plain module's logits after prefix and ids, with embeddings given: [T,V]."""
    decoder = Decoder(model, 1.0)
    x = torch.cat((prefix, model.embedding(torch.tensor([ids]))), dim=1)
    length = x.shape[1]
    mask = torch.full((length, length), float("-inf")).triu(1)[None]
    return model.head(decoder.forward(x, torch.arange(length)[None], mask))[0]


def test_the_decoder_is_the_language_model() -> None:
    model = tiny.language_model(tiny.LLAMA)
    ids = torch.randint(0, 256, (2, 9), generator=torch.Generator().manual_seed(3))
    mask = torch.full((9, 9), float("-inf")).triu(1).expand(2, 9, 9)
    decoder = Decoder(model, 1.0)
    hidden = decoder.forward(decoder.embed(ids), torch.arange(9).expand(2, 9), mask)
    assert torch.allclose(model.head(hidden), model(ids)[0], atol=1e-4)


def test_captions_in_one_sequence_are_as_if_each_were_alone(training: CaptionerTraining) -> None:
    dice = np.random.default_rng(0)
    patches = [dice.normal(size=(4, tiny_captioner.VISION.patch_channels)).astype(np.float16) for _ in ITEMS]
    batch = lay_out(ITEMS, tiny_captioner.CONFIG.queries, END)
    training.decoder.adapt(training.lora)
    together = functional.linear(training.hidden(patches, batch), training.embedding)
    alone = []
    for photo, item in enumerate(ITEMS):
        prefix = training.prefix([patches[photo]])
        for caption in item.captions:
            logits = _logits(_merged(training), prefix, [*item.prompt, *caption])
            alone.append(logits[-len(caption) - 1 :])
    assert batch.targets.tolist()[:5] == [10, 11, 12, 13, END]
    assert torch.allclose(together, torch.cat(alone), atol=1e-3)


def test_written_captions_are_the_likeliest_tokens(training: CaptionerTraining) -> None:
    dice = np.random.default_rng(0)
    patches = [
        dice.normal(size=(4, tiny_captioner.VISION.patch_channels)).astype(np.float16) for _ in range(2)
    ]
    with torch.inference_mode():
        prefix = training.prefix(patches)
        written = Writer(training).greedy(prefix, [[5, 6, 7], [8]])
        for photo, prompt in enumerate(([5, 6, 7], [8])):
            ids = list(prompt)
            for _ in range(MOST_TOKENS):
                token = int(_logits(_merged(training), prefix[photo : photo + 1], ids)[-1].argmax())
                if token == END:
                    break
                ids.append(token)
            assert written[photo] == ids[len(prompt) :]
        best = Writer(training).beam(prefix, [[5, 6, 7], [8]], 3)
        assert len(best) == 2
        for score, ids in best:
            assert score <= 0 and ids
        drawn = Writer(training, range(200)).sample(
            prefix, [[5, 6, 7], [8]], 3, torch.Generator().manual_seed(1)
        )
        assert len(drawn) == 6
        assert all(token < 200 for ids in drawn for token in ids)


def test_the_loss_over_all_words_is_cross_entropy() -> None:
    torch.manual_seed(0)
    hidden, embedding, targets = torch.randn(7, 16), torch.randn(50, 16), torch.randint(0, 50, (7,))
    expected = functional.cross_entropy(hidden @ embedding.T, targets, reduction="none")
    whole = SampledSoftmax(range(50), 50, 0).loss(hidden, embedding, targets, (1,))
    assert torch.allclose(whole, expected, atol=1e-5)
    smoothed = functional.cross_entropy(hidden @ embedding.T, targets, reduction="none", label_smoothing=0.1)
    ours = SampledSoftmax(range(50), 50, 0, 0.1).loss(hidden, embedding, targets, (1,))
    assert torch.allclose(ours, smoothed, atol=1e-5)
    targets = targets % 20
    sampled = SampledSoftmax(range(20), 50, 15)
    guesses = [sampled.loss(hidden, embedding, targets, (seed,)).mean() for seed in range(200)]
    full = functional.cross_entropy(hidden @ embedding.T, targets)
    assert abs(torch.stack(guesses).mean() - full) < 0.1 * full


def test_both_phases_run_and_leave_weights(tmp_path: Path) -> None:
    tiny_training.run(tmp_path / "测试 ü", 4, critical_steps=2)
    config, tensors = load_weights(tmp_path / "测试 ü" / "weights")
    assert config == tiny_captioner.CONFIG
    tokens = tensors.pop("tokens")
    assert tokens.dtype == torch.int32 and END in tokens.tolist()
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    words = {f"keywords.{name}" for name in tiny_captioner.keywords().state_dict()}
    assert set(tensors) == {*tiny_training.start(tmp_path, 1).training.parameters, *words}


def _losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_going_on_after_a_stop_gives_the_same_losses(tmp_path: Path) -> None:
    tiny_training.run(tmp_path / "whole", 6)
    begun = tiny_training.start(tmp_path / "stopped", 6)
    phase = cross_entropy.run_phase(begun, resume=False)
    for _ in range(4):
        next(phase)
    del phase
    tiny_training.run(tmp_path / "stopped", 6, resume=True)
    assert _losses(tmp_path / "stopped") == _losses(tmp_path / "whole")


def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    tiny_training.run(tmp_path / "one", 4)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    result = subprocess.run(
        [*command, "-m", "tests.tiny_training", str(tmp_path / "two"), "4"],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert _losses(tmp_path / "two") == pytest.approx(_losses(tmp_path / "one"), abs=2e-4)
