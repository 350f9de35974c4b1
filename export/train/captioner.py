"""Trains the captioner: ``python -m export train captioner``.

In: the settings. Out: :class:`Progress`, and at the end the folder with the best weights. The phases in order: the features
of all photos, cross-entropy on the captions, and self-critical training on what captions are measured by. Each goes on
where it was stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.results import Progress
from export.train import cross_entropy, self_critical
from export.train.checkpoints import load_weights
from export.train.inputs import Inputs, gather
from export.train.judge import judge
from export.train.model import CaptionerTraining
from export.train.plot import draw
from export.train.processes import Processes
from export.train.run import LOG, WEIGHTS, Run
from export.train.settings import Settings

BEAMS = 5
DOUBTFUL = 0.1  # of the captions of the dev split: those that the model is least sure of are shown with doubt


def train(settings: Settings, *, resume: bool) -> Iterator[Progress | Path]:
    """Run all phases; the last item is the folder of the weights."""
    processes = Processes.join()
    if not resume and processes.leads:
        for name in (cross_entropy.PHASE, self_critical.PHASE, WEIGHTS):
            shutil.rmtree(settings.out / name, ignore_errors=True)
        (settings.out / LOG).unlink(missing_ok=True)
    inputs: Inputs | None = None
    for item in gather(settings):
        if isinstance(item, Progress):
            yield item
        else:
            inputs = item
    if inputs is None:
        return
    training = CaptionerTraining(inputs.config, inputs.language, inputs.vision, inputs.end, settings.seed)
    run = Run(settings, inputs, training, processes)
    yield from cross_entropy.run_phase(run, resume=resume)
    if settings.critical_steps:
        yield from self_critical.run_phase(run, resume=resume)
    if processes.leads:
        yield from _finish(run)
        yield settings.out / WEIGHTS
    processes.leave()


def _finish(run: Run) -> Iterator[Progress]:
    """Draw the losses, and measure the best weights on the whole dev split."""
    out, inputs = run.settings.out, run.inputs
    draw(out / LOG, out / "loss.svg")
    yield Progress("measure", 0, 1, "steps")
    run.training.load(load_weights(out / WEIGHTS)[1])
    judged = judge(inputs, run.training, len(inputs.dev), BEAMS)
    run.log(phase="measure", cider=round(judged.cider, 4), bleu4=round(judged.bleu4, 4), beams=BEAMS)
    doubtful = float(np.quantile(judged.confidences, DOUBTFUL))
    figures = {
        "photos": len(judged.captions),
        "beams": BEAMS,
        "cider_d": round(judged.cider, 4),
        "bleu_4": round(judged.bleu4, 4),
    }
    run.publish({"unsure_below": round(doubtful, 3), "figures": figures})
    yield Progress("measure", 1, 1, "steps")
