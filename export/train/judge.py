"""How good the captions of the dev split are, in training.

In: the captioner as it is now. Out: the mean loss of the human captions, and CIDEr-D and BLEU-4 of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from export.train.examples import Example, Seen
from export.train.features import WHOLE
from export.train.generate import Writer
from export.train.inputs import Inputs, prompts
from export.train.metrics import bleu, cider_d
from export.train.model import CaptionerTraining
from export.train.sequences import Item
from export.train.softmax import SampledSoftmax

_AT_ONCE = 64


@dataclass(frozen=True)
class Judged:
    """Captions, how sure each is (the mean probability of its tokens; for beams only), and their figures."""

    captions: tuple[str, ...]
    confidences: tuple[float, ...]
    cider: float
    bleu4: float


@torch.inference_mode()
def dev_loss(
    inputs: Inputs, training: CaptionerTraining, softmax: SampledSoftmax, photos: int = 200
) -> float:
    """The mean loss of the captions of the first ``photos`` of the dev split."""
    dev = inputs.dev[:photos]
    texts = [tuple(inputs.words.caption(caption) for caption in photo.captions) for photo in dev]
    plain = softmax.plain({token for captions in texts for text in captions for token in text})
    asked = prompts(inputs.words, inputs.dev_seen, range(len(dev)))
    patches = inputs.dev_seen.features[WHOLE].patches
    total, count = 0.0, 0
    for start in range(0, len(dev), 20):
        batch = [
            Example(patches[i], Item(asked[i], texts[i])) for i in range(start, min(start + 20, len(dev)))
        ]
        losses = training.losses(batch, plain, (start,))
        total, count = total + float(losses.sum()), count + len(losses)
    return total / max(1, count)


@torch.inference_mode()
def describe(
    inputs: Inputs, training: CaptionerTraining, seen: Seen, photos: int, beams: int = 1
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Captions of the first ``photos`` of these, shown whole, and of beams the confidences."""
    writer = Writer(training)
    asked = prompts(inputs.words, seen, range(photos))
    patches = seen.features[WHOLE].patches
    captions: list[str] = []
    confidences: list[float] = []
    for start in range(0, photos, _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, photos))
        prefix = training.prefix([patches[i] for i in rows])
        chosen = [asked[i] for i in rows]
        if beams == 1:
            written = writer.greedy(prefix, chosen)
        else:
            scores, written = zip(*writer.beam(prefix, chosen, beams), strict=True)
            confidences += [math.exp(score) for score in scores]
        captions += [inputs.words.text(ids) for ids in written]
    return tuple(captions), tuple(confidences)


def judge(inputs: Inputs, training: CaptionerTraining, photos: int, beams: int = 1) -> Judged:
    """Captions of the first ``photos`` of the dev split against the human ones."""
    photos = min(photos, len(inputs.dev))
    captions, confidences = describe(inputs, training, inputs.dev_seen, photos, beams)
    references = [photo.captions for photo in inputs.dev[:photos]]
    return Judged(captions, confidences, cider_d(captions, references)[0], bleu(captions, references)[3])
