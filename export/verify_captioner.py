"""Measures a captioner pack against what it was made from: how likely each finds a sentence about a picture.

In: the parts in fp32 torch, and the folder of the finished graphs. Out: :class:`CaptionerParity`, for ``pack.json``. How
good the captions are is measured by ``python -m export evaluate captioner``; this tells a broken pack from a sound one
where it is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from export.captioner_graph import VISION_FILE, VisionGraph
from export.checkpoints.interface import Checkpoint
from export.checkpoints.load import load_language
from export.nn.captioner import Connector
from export.nn.efficientnet import EfficientNet
from export.nn.keywords import KeywordHead
from export.onnx_graph import MODEL_FILE
from export.verify import cpu_session

SENTENCE = "sky, grass\nA white dog runs across the green grass under a blue sky."
CACHE_TOKENS = 64


@dataclass(frozen=True)
class CaptionerParts:
    """The picture network, the connector, the head for keywords and the language model with its adapters, as they were trained."""

    vision: EfficientNet
    connector: Connector
    keywords: KeywordHead
    language: Checkpoint


@dataclass(frozen=True)
class CaptionerParity:
    """Differences between fp32 torch and the pack on one drawn picture, and the perplexity of a sentence after it."""

    max_abs_prefix_difference: float
    max_abs_logit_difference: float
    checkpoint: float
    pack: float

    def as_json(self) -> dict[str, object]:
        """As it stands in ``pack.json``."""
        return {
            "max_abs_prefix_difference": round(self.max_abs_prefix_difference, 5),
            "max_abs_logit_difference": round(self.max_abs_logit_difference, 5),
            "sentence_perplexity": {
                "checkpoint_fp32": round(self.checkpoint, 4),
                "pack": round(self.pack, 4),
                "ratio": round(self.pack / self.checkpoint, 4),
            },
        }


def measure_captioner(parts: CaptionerParts, folder: Path) -> CaptionerParity:
    """Run both on a drawn picture: a white spot on green below blue."""
    picture = drawn_picture(parts.connector.config.image_px)
    tokenizer = Tokenizer.from_str(parts.language.tokenizer_files().tokenizer_json)
    ids = tokenizer.encode(SENTENCE, add_special_tokens=False).ids
    with torch.no_grad():
        graph = VisionGraph(parts.vision, parts.connector, parts.keywords, packed=False)
        prefix = graph(torch.from_numpy(picture[None]))[0]
        model = load_language(parts.language)
        embeds = torch.cat((prefix, model.embedding(torch.tensor([ids]))), dim=1)
        wanted = model.decode(embeds)[0][0, prefix.shape[1] :].numpy()  # [T,V]
    vision = cpu_session(folder / VISION_FILE)
    seen = np.asarray(vision.run(["image_features"], {"pixel_values": picture[None]})[0])
    found = _logits(folder, parts.language, seen, ids)
    known = np.isfinite(found)  # a pack has the tokens only that captions are written with
    wanted = np.where(known, wanted, -np.inf)
    return CaptionerParity(
        float(np.abs(seen - prefix.numpy()).max()),
        float(np.abs(found[known] - wanted[known]).max()),
        _perplexity(wanted, ids),
        _perplexity(found, ids),
    )


def drawn_picture(side_px: int) -> NDArray[np.uint8]:
    """uint8 [side, side, 3]."""
    picture = np.zeros((side_px, side_px, 3), np.uint8)
    picture[: side_px // 2] = (90, 160, 230)
    picture[side_px // 2 :] = (60, 150, 50)
    third = side_px // 3
    picture[side_px // 2 : side_px // 2 + third, third : 2 * third] = 245
    return picture


def _logits(
    folder: Path, language: Checkpoint, prefix: NDArray[np.float32], ids: list[int]
) -> NDArray[np.float32]:
    """[T,V], one token a run, as captions are written."""
    session = cpu_session(folder / MODEL_FILE)
    config = language.config
    shape = (1, config.kv_heads, CACHE_TOKENS, config.head_size)
    names = [f"{layer}.{part}" for layer in range(config.layers) for part in ("key", "value")]
    buffers = [np.zeros(shape, np.float32) for _ in names]
    rows: list[NDArray[np.float32]] = []
    for at, token in enumerate(ids):
        front = prefix if at == 0 else np.zeros((1, 0, config.hidden_size), np.float32)
        feeds = {
            "prefix_embeds": front,
            "input_ids": np.array([[token]], np.int64),
            "attention_mask": np.ones((1, prefix.shape[1] + at + 1), np.int64),
            **{f"past_key_values.{name}": buffer for name, buffer in zip(names, buffers, strict=True)},
        }
        logits, *buffers = session.run(["logits", *(f"present.{name}" for name in names)], feeds)
        rows.append(np.asarray(logits)[0, 0])
    return np.stack(rows)


def _perplexity(logits: NDArray[np.float32], ids: list[int]) -> float:
    rows = torch.from_numpy(logits[:-1]).double()
    return float(torch.nn.functional.cross_entropy(rows, torch.tensor(ids[1:])).exp())
