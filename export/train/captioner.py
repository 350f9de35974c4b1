"""Trains the captioner: ``python -m export train captioner``.

In: the settings. Out: :class:`Progress`, and at the end the folder with the best weights. Three phases in order: the
features of all photos, cross-entropy on the captions, and self-critical training on what captions are measured by. Each
goes on where it was stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.results import Progress
from export.train.checkpoints import load_checkpoint, save_checkpoint, save_weights
from export.train.inputs import Inputs, gather
from export.train.model import CaptionerTraining, RowDropout
from export.train.optimizer import make_optimizer, set_rate
from export.train.processes import Processes
from export.train.settings import Settings
from export.train.softmax import SampledSoftmax

LOG = "log.jsonl"


def train(settings: Settings, *, resume: bool) -> Iterator[Progress | Path]:
    """Run all phases; the last item is the folder of the weights."""
    processes = Processes.join()
    inputs: Inputs | None = None
    for item in gather(settings):
        if isinstance(item, Progress):
            yield item
        else:
            inputs = item
    assert inputs is not None
    training = CaptionerTraining(inputs.config, inputs.language, inputs.vision, inputs.end, settings.seed)
    run = Run(settings, inputs, training, processes)
    yield from cross_entropy(run, resume=resume)
    if processes.leads:
        yield settings.out
    processes.leave()


class Run:
    """What both phases share: the model, where files go, and the log."""

    def __init__(
        self, settings: Settings, inputs: Inputs, training: CaptionerTraining, processes: Processes
    ) -> None:
        self.settings, self.inputs, self.training, self.processes = settings, inputs, training, processes
        self.softmax = SampledSoftmax(
            inputs.train.used_tokens(inputs.end),
            inputs.language.config.vocab_size,
            settings.sampled,
            settings.smoothing,
        )
        settings.out.mkdir(parents=True, exist_ok=True)

    def log(self, **values: object) -> None:
        """One line of the log."""
        if self.processes.leads:
            with (self.settings.out / LOG).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(values) + "\n")

    def start(
        self, phase: str, *, resume: bool, critical: bool
    ) -> tuple[torch.optim.AdamW, dict[str, Any]]:
        """The optimizer of a phase and the state it is in: as saved, or fresh."""
        optimizer = make_optimizer(self.training.parameters, self.settings, critical=critical)
        saved = load_checkpoint(self.settings.out / phase) if resume else None
        if saved is None:
            return optimizer, {"step": 0, "best": None}
        weights, moments, state = saved
        self.training.load(weights)
        optimizer.load_state_dict(moments)
        return optimizer, state

    def keep(self, phase: str, optimizer: torch.optim.AdamW, state: dict[str, Any]) -> None:
        """Save a checkpoint."""
        if self.processes.leads:
            save_checkpoint(self.settings.out / phase, self.training.parameters, optimizer, state)

    def publish(self, card: dict[str, Any], folder: str = "weights") -> None:
        """Save the weights as they are now, to be used."""
        if self.processes.leads:
            save_weights(self.settings.out / folder, self.training.parameters, self.inputs.config, card)


def cross_entropy(run: Run, *, resume: bool) -> Iterator[Progress]:
    """Make the human captions likely."""
    settings, processes = run.settings, run.processes
    optimizer, state = run.start("cross-entropy", resume=resume, critical=False)
    examples = run.inputs.train
    steps = settings.steps or round(settings.epochs * examples.steps_per_epoch)
    parameters = list(run.training.parameters.values())
    began = time.monotonic()
    for step in range(state["step"], steps):
        share = set_rate(optimizer, step, steps, settings.warm_up, settings.last_rate)
        chosen = examples.step(step)
        rows = processes.own(len(chosen))
        drop = RowDropout(settings.dropout, settings.seed * 1_000_003 + step, rows, len(chosen))
        total = sum(example.item.targets for example in chosen)
        losses = run.training.losses([chosen[row] for row in rows], run.softmax, (settings.seed, step), drop)
        optimizer.zero_grad(set_to_none=True)
        (losses.sum() / total).backward()
        processes.add_gradients(parameters)
        norm = float(nn.utils.clip_grad_norm_(parameters, settings.clip))
        optimizer.step()
        loss = processes.sum(float(losses.detach().sum()) / total)
        seconds, began = time.monotonic() - began, time.monotonic()
        pairs = sum(len(example.item.captions) for example in chosen)
        run.log(
            phase="cross-entropy", step=step, loss=round(loss, 5), norm=round(norm, 3), rate=round(share, 4),
            pairs=pairs, seconds=round(seconds, 3),
        )  # fmt: skip
        state["step"] = step + 1
        if (step + 1) % settings.check_every == 0 or step + 1 == steps:
            loss = dev_loss(run)
            run.log(phase="cross-entropy", step=step, dev_loss=round(loss, 5))
            if state["best"] is None or loss < state["best"]:
                state["best"] = loss
                run.publish({"dev_loss": loss, "steps": step + 1})
        if (step + 1) % settings.save_every == 0 or step + 1 == steps:
            run.keep("cross-entropy", optimizer, state)
        yield Progress("train", step + 1, steps, "steps")


@torch.inference_mode()
def dev_loss(run: Run, photos: int = 200, size: int = 20) -> float:
    """The mean loss of the captions of some photos of the dev split."""
    from export.train.examples import Example
    from export.train.sequences import Item

    inputs = run.inputs
    total, count = 0.0, 0
    texts = [inputs.words.caption(caption) for photo in inputs.dev[:photos] for caption in photo.captions]
    used = {*run.softmax.used, *(token for text in texts for token in text)}
    plain = SampledSoftmax(used, inputs.language.config.vocab_size, run.settings.sampled)
    for start in range(0, min(photos, len(inputs.dev)), size):
        batch = []
        for index in range(start, min(start + size, photos, len(inputs.dev))):
            captions = tuple(inputs.words.caption(caption) for caption in inputs.dev[index].captions)
            prompt = inputs.words.prompt(inputs.dev_seen.names[0][index])
            batch.append(Example(inputs.dev_seen.features[0].patches[index], Item(prompt, captions)))
        losses = run.training.losses(batch, plain, (run.settings.seed, start))
        total, count = total + float(losses.sum()), count + np.size(losses.numpy())
    return total / count
