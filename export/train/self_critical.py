"""Self-critical training (arXiv:1612.00563): make those captions likelier that score better than their like.

In: a captioner that writes passably. Out: the same, better by the figure that captions are measured with. For each photo
some captions are drawn at random; a caption's reward is its CIDEr-D, and the mean reward of the others is what it has
to beat (arXiv:2003.09971). Captions that break off are punished, since n-grams alone would not mind. Ordinary steps in between
keep the language and what the labelled photos taught.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import nn

from engine.results import Progress
from export.train.examples import Example
from export.train.generate import Writer
from export.train.judge import judge
from export.train.metrics import CiderD
from export.train.optimizer import set_rate
from export.train.run import Run
from export.train.sequences import Item

PHASE: Final = "self-critical"
_UNFINISHED = frozenset(
    "a an the in on of with and at to by from for near while is are as into over through his her their its that".split()
)
_PENALTY = 1.0
_ORDINARY_EVERY = 3  # steps
# Of the words that are drawn, and of the chances that are learnt: label smoothing leaves every word some chance, and at 1 half
# of the captions would have a wild word.
_TEMPERATURE = 0.6
_CHECKED = 300  # photos of the dev split, written greedily
_EPOCH = 1000  # numbers of passes from here on, so that no order of the first phase comes again


def run_phase(run: Run, *, resume: bool) -> Iterator[Progress]:
    """Go on from the weights as they are; the best on the dev split are kept."""
    settings, inputs, training = run.settings, run.inputs, run.training
    optimizer, state = run.start(PHASE, resume=resume, critical=True)
    rewards = CiderD([inputs.train.references(i) for i in range(inputs.train.count)])
    parameters = list(training.parameters.values())
    on_used = run.softmax.only_used()
    if state["best"] is None:
        state["best"] = _check(run, 0, 0.0)
    began = time.monotonic()
    for step in range(state["step"], settings.critical_steps):
        set_rate(optimizer, step, settings.critical_steps, 10, settings.last_rate)
        optimizer.zero_grad(set_to_none=True)
        examples, indices = _drawn_photos(run, step)
        rows = run.processes.own(len(examples))
        chosen = [examples[row] for row in rows]
        texts, reward, better = _samples(run, rewards, chosen, [indices[row] for row in rows], step)
        sampled = [
            Example(example.patches, Item(example.item.prompt, tuple(texts[i])))
            for i, example in enumerate(chosen)
        ]
        total = run.processes.sum(float(sum(example.item.targets for example in sampled)))
        losses = training.losses(sampled, on_used, (settings.seed, step), temperature=_TEMPERATURE)
        owners = torch.tensor([i for i, size in enumerate(_sizes(sampled)) for _ in range(size)])
        (losses * better.flatten()[owners]).sum().div(total).backward()
        if step % _ORDINARY_EVERY == _ORDINARY_EVERY - 1:
            ordinary = inputs.train.step(step, _EPOCH)
            count = sum(example.item.targets for example in ordinary)
            own = [ordinary[row] for row in run.processes.own(len(ordinary))]
            (training.losses(own, run.softmax, (settings.seed, step, 1)).sum() / count * 0.2).backward()
        run.processes.add_gradients(parameters)
        norm = float(nn.utils.clip_grad_norm_(parameters, settings.clip))
        optimizer.step()
        seconds, began = time.monotonic() - began, time.monotonic()
        mean = run.processes.sum(float(reward.mean())) / run.processes.count
        run.log(phase=PHASE, step=step, reward=round(mean, 4), norm=round(norm, 3), seconds=round(seconds, 3))
        state["step"] = step + 1
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.critical_steps:
            state["best"] = _check(run, step + 1, state["best"])
            run.keep(PHASE, optimizer, state)
        yield Progress(PHASE, step + 1, settings.critical_steps, "steps")


def _drawn_photos(run: Run, step: int) -> tuple[list[Example], list[int]]:
    train, size = run.inputs.train, run.settings.critical_photos
    passes, place = divmod(step, max(1, train.count // size))
    batch = train.order(_EPOCH + passes, size)[place]
    seed = run.settings.seed
    indices = [int(index) for index in batch]
    return [train.captioned(index, step % 2, (seed, step, index)) for index in indices], indices


def _samples(
    run: Run, rewards: CiderD, examples: list[Example], indices: list[int], step: int
) -> tuple[list[list[tuple[int, ...]]], torch.Tensor, torch.Tensor]:
    """Captions of each photo, their rewards [photos, samples], and by how much each beats the mean of the others."""
    training, count = run.training, run.settings.critical_samples
    writer = Writer(training, run.softmax.used)
    random = torch.Generator().manual_seed((run.settings.seed * 1_000_003 + step) * 64 + run.processes.rank)
    with torch.inference_mode():
        prefix = training.prefix([example.patches for example in examples])
    written = writer.sample(
        prefix, [example.item.prompt for example in examples], count, random, _TEMPERATURE
    )
    texts = [[tuple(ids) for ids in written[i * count : (i + 1) * count]] for i in range(len(examples))]
    reward = np.zeros((len(examples), count), np.float32)
    for row, index in enumerate(indices):
        for place, ids in enumerate(texts[row]):
            reward[row, place] = _reward(rewards, index, run.inputs.words.text(ids))
    others = (reward.sum(axis=1, keepdims=True) - reward) / max(1, count - 1)
    return texts, torch.from_numpy(reward), torch.from_numpy(reward - others)


def _reward(rewards: CiderD, index: int, text: str) -> float:
    score = rewards.score(index, text)
    words = text.lower().rstrip(" .").split()
    whole = text.endswith(".") and text.count(".") == 1 and words and words[-1] not in _UNFINISHED
    return score if whole else score - _PENALTY


def _sizes(examples: list[Example]) -> list[int]:
    return [len(caption) + 1 for example in examples for caption in example.item.captions]


def _check(run: Run, step: int, best: float) -> float:
    """Measure on the dev split; weights that are better than ``best`` are published."""
    if not run.processes.leads:
        return best
    judged = judge(run.inputs, run.training, _CHECKED)
    run.log(phase=PHASE, step=step, cider=round(judged.cider, 4), bleu4=round(judged.bleu4, 4))
    if judged.cider > best:
        run.publish({"phase": PHASE, "steps": step, "cider_d_greedy": round(judged.cider, 4)})
    return max(best, judged.cider)
