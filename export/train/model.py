"""The captioner in training: connector and updates in fp32, the rest frozen in bfloat16.

In: batches. Out: losses, and what is saved. Shapes follow :mod:`export.nn.captioner`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from export.nn.captioner import CaptionerConfig, Connector, Drop, keep, new_lora
from export.nn.efficientnet import EfficientNet
from export.nn.language import LanguageModel
from export.train.decoder import Decoder, adapted_shapes
from export.train.examples import Example
from export.train.sequences import Batch, lay_out
from export.train.softmax import SampledSoftmax


class RowDropout:
    """Dropout whose noise depends on the seed and the row's place in the whole batch, not on who computes it."""

    def __init__(self, share: float, seed: int, rows: Sequence[int], whole: int) -> None:
        self._share, self._rows, self._whole = share, list(rows), whole
        self._random = torch.Generator().manual_seed(seed)

    def __call__(self, x: Tensor) -> Tensor:
        """[rows, ...] -> the same, some elements 0 and the others larger."""
        if not self._share:
            return x
        noise = torch.rand((self._whole, *x.shape[1:]), generator=self._random)[self._rows]
        return x * ((noise >= self._share) / (1 - self._share)).to(x.dtype)


class CaptionerTraining:
    """All modules of a run; ``language`` and ``vision`` are frozen."""

    def __init__(
        self, config: CaptionerConfig, language: LanguageModel, vision: EfficientNet, end: int, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.config = config
        self.connector = Connector(config)
        fresh = new_lora(config, adapted_shapes(language))
        self.lora = {name: nn.Parameter(tensor) for name, tensor in fresh.items()}
        self.decoder = Decoder(language, config.lora_scale)
        self.embedding = language.embedding.weight
        self.vision = vision
        self.end = end

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """What is trained, by the name under which it is saved."""
        own = {f"connector.{name}": tensor for name, tensor in self.connector.named_parameters()}
        return own | {f"lora.{name}": tensor for name, tensor in self.lora.items()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over saved weights; KeyError where one is missing."""
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(state[name])

    def prefix(self, patches: Sequence[np.ndarray], drop: Drop = keep) -> Tensor:
        """Cached patches [N,P] of each photo -> prefix embeddings [B,Q,C]."""
        cached = torch.from_numpy(np.stack(patches)).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.decoder.dtype == torch.bfloat16):
            with torch.no_grad():
                features = self.vision.widen(cached)
            prefix, _ = self.connector(features, drop)
        return prefix.to(self.decoder.dtype)

    def hidden(self, patches: Sequence[np.ndarray], batch: Batch, drop: Drop = keep) -> Tensor:
        """The hidden states [K,C] from which the batch's K targets are predicted. Call ``adapt`` first."""
        prefix = self.prefix(patches, drop)
        x = torch.cat((prefix, self.decoder.embed(batch.ids)), dim=1)
        states = self.decoder.forward(x, batch.positions, batch.mask)
        return states.flatten(0, 1)[batch.places]

    def losses(
        self,
        examples: Sequence[Example],
        softmax: SampledSoftmax,
        seed: tuple[int, ...],
        drop: Drop = keep,
        temperature: float = 1.0,
    ) -> Tensor:
        """The loss of every target of these examples [K], fp32; ``temperature`` divides the logits."""
        batch = lay_out([example.item for example in examples], self.config.queries, self.end)
        self.decoder.adapt(self.lora)
        hidden = self.hidden([example.patches for example in examples], batch, drop)
        return softmax.loss(hidden / temperature, self.embedding, batch.targets, seed)
