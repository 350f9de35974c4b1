"""What the phases of a run share.

In: the settings, the inputs and the model. Out: checkpoints, weights and a log in the run's folder.
"""

from __future__ import annotations

import json
from typing import Any

import torch

from export.train.checkpoints import load_checkpoint, save_checkpoint, save_weights
from export.train.inputs import Inputs
from export.train.model import CaptionerTraining
from export.train.optimizer import make_optimizer
from export.train.processes import Processes
from export.train.settings import Settings
from export.train.softmax import SampledSoftmax

LOG, WEIGHTS = "log.jsonl", "weights"


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

    def start(self, phase: str, *, resume: bool, critical: bool) -> tuple[torch.optim.AdamW, dict[str, Any]]:
        """The optimizer of a phase and the state it is in: as saved, or fresh."""
        optimizer = make_optimizer(self.training.parameters, self.settings, critical=critical)
        saved = load_checkpoint(self.settings.out / phase) if resume else None
        if saved is None:
            return optimizer, {"step": 0, "best": None}
        weights, moments, state = saved
        self._forget(phase, state["step"])
        self.training.load(weights)
        optimizer.load_state_dict(moments)
        return optimizer, state

    def _forget(self, phase: str, step: int) -> None:
        """Drop what the log says of steps that will be done again."""
        path = self.settings.out / LOG
        if not self.processes.leads or not path.is_file():
            return
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [
            line for line in lines if (known := json.loads(line))["phase"] != phase or known["step"] < step
        ]
        path.write_text("".join(kept), "utf-8")

    def keep(self, phase: str, optimizer: torch.optim.AdamW, state: dict[str, Any]) -> None:
        """Save a checkpoint."""
        if self.processes.leads:
            save_checkpoint(self.settings.out / phase, self.training.parameters, optimizer, state)

    def publish(self, card: dict[str, Any], folder: str = WEIGHTS) -> None:
        """Save the weights as they are now, to be used, with the tokens that they were taught to write."""
        if self.processes.leads:
            words = {f"keywords.{name}": tensor for name, tensor in self.inputs.keywords.weights.items()}
            tokens = torch.tensor(self.softmax.used, dtype=torch.int32)
            tensors = {**self.training.parameters, **words, "tokens": tokens}
            save_weights(self.settings.out / folder, tensors, self.inputs.config, card)
