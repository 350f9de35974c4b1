"""One run in several processes (``torchrun``), over gloo.

In: the environment that ``torchrun`` sets. Out: who we are, and sums over all. A lone process needs none of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """This process is number ``rank`` of ``count``."""

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls) -> Processes:
        """Meet the others, if there are any."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        distributed.init_process_group("gloo")
        return cls(distributed.get_rank(), count)

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes files."""
        return self.rank == 0

    def own(self, count: int) -> range:
        """Which of ``count`` rows of a batch are this process's."""
        return range(self.rank, count, self.count)

    def sum(self, value: float) -> float:
        """The sum of all processes' values."""
        if self.count == 1:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(total)
        return float(total[0])

    def add_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Make every process's gradients the sum of all: each has divided by the whole batch's tokens."""
        if self.count == 1:
            return
        gradients = []
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def leave(self) -> None:
        """Part from the others."""
        if self.count > 1:
            distributed.barrier()
            distributed.destroy_process_group()
