"""The first phase of training: make the human captions likely.

In: the run. Out: :class:`Progress`; checkpoints, and the weights with the least loss on the dev split.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from torch import nn

from engine.results import Progress
from export.train.judge import dev_loss
from export.train.model import RowDropout
from export.train.optimizer import set_rate
from export.train.run import Run

PHASE = "cross-entropy"


def run_phase(run: Run, *, resume: bool) -> Iterator[Progress]:
    """Make the human captions likely."""
    settings, processes = run.settings, run.processes
    optimizer, state = run.start(PHASE, resume=resume, critical=False)
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
            phase=PHASE, step=step, loss=round(loss, 5), norm=round(norm, 3), rate=round(share, 4),
            pairs=pairs, seconds=round(seconds, 3),
        )  # fmt: skip
        state["step"] = step + 1
        if (step + 1) % settings.check_every == 0 or step + 1 == steps:
            loss = dev_loss(run.inputs, run.training, run.softmax)
            run.log(phase=PHASE, step=step, dev_loss=round(loss, 5))
            if state["best"] is None or loss < state["best"]:
                state["best"] = loss
                run.publish({"dev_loss": loss, "steps": step + 1})
        if (step + 1) % settings.save_every == 0 or step + 1 == steps:
            run.keep(PHASE, optimizer, state)
        yield Progress("train", step + 1, steps, "steps")
