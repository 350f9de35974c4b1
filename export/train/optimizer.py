"""AdamW (arXiv:1711.05101) with a warm-up and a cosine decline.

In: the trained tensors and the settings. Out: an optimizer whose rates follow the step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from export.train.settings import Settings


def make_optimizer(
    parameters: Mapping[str, nn.Parameter], settings: Settings, *, critical: bool
) -> torch.optim.AdamW:
    """Matrices of the connector decay; norms, biases, queries, positions and the updates do not."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in parameters.items():
        is_update = name.startswith("lora.")
        rate = settings.lora_rate if is_update else settings.connector_rate
        if critical:
            rate = settings.critical_rate
        decays = not is_update and parameter.dim() == 2 and name.endswith(".weight")
        groups.setdefault((rate, settings.weight_decay if decays else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": members, "lr": rate, "base_lr": rate, "weight_decay": decay}
            for (rate, decay), members in groups.items()
        ],
        betas=(0.9, 0.98),
    )


def set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int, warm_up: int, last: float) -> float:
    """Set the rates for ``step`` of ``steps``; returns the share of the full rate."""
    warm_up = min(warm_up, max(1, steps // 5))
    if step < warm_up:
        share = (step + 1) / warm_up
    else:
        progress = (step - warm_up) / max(1, steps - warm_up)
        share = last + (1 - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * share
    return share
