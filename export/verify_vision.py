"""Measures an image pack that converses against its checkpoint: what it sees, and how it goes on after it.

In: the checkpoint and the folder of its finished graphs. Out: :class:`VisionParity`, for ``pack.json``. The picture is made
of numbers; the text is the public-domain one in ``resources/samples``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from engine.media.tiles import cut
from export.checkpoints.idefics3 import Idefics3Checkpoint
from export.checkpoints.load import load_pictures
from export.idefics3_graph import VISION_FILE
from export.onnx_graph import EMBEDDING_FILE
from export.verify import PackRunner, Perplexity, checkpoint_perplexity, cpu_session, sample_ids

MOST_TOKENS = 256


@dataclass(frozen=True)
class VisionParity:
    """``features`` is the root mean square of their difference, as a share of the checkpoint's own."""

    features: float
    perplexity: Perplexity | None  # of a text after the picture; None where the context is too short for one

    def as_json(self) -> dict[str, object]:
        """As it stands in ``pack.json``."""
        values: dict[str, object] = {"image_features_relative_difference": round(self.features, 6)}
        if (found := self.perplexity) is not None:
            figures = {
                "tokens": found.tokens,
                "checkpoint_fp32": round(found.checkpoint, 4),
                "pack": round(found.pack, 4),
                "ratio": round(found.ratio, 4),
            }
            values["perplexity"] = {found.language: figures}
        return values


def measure_vision(checkpoint: Idefics3Checkpoint, folder: Path) -> VisionParity:
    """Show both the same picture, and let both judge the same text after it."""
    pixels = cut(sample_picture(), checkpoint.tiles).pixels[-1:]  # the picture as a whole
    with torch.inference_mode():
        wanted = load_pictures(checkpoint)(torch.from_numpy(pixels))  # [1,K,C]
    found = np.asarray(cpu_session(folder / VISION_FILE).run(None, {"pixel_values": pixels})[0])
    difference = float(np.sqrt(((found - wanted.numpy()) ** 2).mean() / (wanted.numpy() ** 2).mean()))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    room = checkpoint.config.text.context_tokens - checkpoint.tiles.tile_tokens
    ids = sample_ids(tokenizer, "en", max(room, 0))[:MOST_TOKENS]
    if len(ids) < 2:
        return VisionParity(difference, None)
    runner = EmbeddingPackRunner(folder, checkpoint)
    runner.read_features(found)
    pack = runner.perplexity(ids, past_tokens=found.shape[1])
    reference = checkpoint_perplexity(checkpoint.text, ids, wanted)
    return VisionParity(difference, Perplexity("en", len(ids), reference, pack))


def sample_picture(side_px: int = 256) -> NDArray[np.uint8]:
    """A coloured disc on a sky that grows lighter: uint8 [side, side, 3]."""
    across, down = np.meshgrid(*(np.linspace(-1, 1, side_px),) * 2)
    sky = np.stack((100 + 60 * down, 140 + 50 * down, 200 + 30 * down), axis=-1)
    disc = ((across - 0.2) ** 2 + (down + 0.1) ** 2 < 0.25)[..., None]
    return np.where(disc, np.array((220.0, 90.0, 40.0)), sky).astype(np.uint8)


class EmbeddingPackRunner(PackRunner):
    """The plainest way to run a decoder of embeddings."""

    tokens_input = "inputs_embeds"

    def __init__(self, folder: Path, checkpoint: Idefics3Checkpoint) -> None:
        super().__init__(folder, checkpoint.config.text)
        self._embedding = cpu_session(folder / EMBEDDING_FILE)

    def step(self, ids: list[int]) -> NDArray[np.float32]:
        """Read more tokens: -> logits after the last one, fp32 [V]."""
        return self.read(np.asarray(self._embedding.run(None, {"input_ids": np.array([ids], np.int64)})[0]))

    def read_features(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read what was seen, [N,K,C]: -> logits after it, fp32 [V]."""
        dtype = np.float16 if "16" in self._embedding.get_outputs()[0].type else np.float32
        return self.read(features.reshape(1, -1, features.shape[-1]).astype(dtype))
