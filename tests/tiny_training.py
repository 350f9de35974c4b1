"""A tiny run of training, without photos or downloads: everything random, but from fixed seeds.

In: the folder of the run and the number of steps. Out: the inputs of a run, and as a program (for ``torchrun``) a run of
the first phase. Needs the export extra.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from export.tokenizer import tokenizer_files
from export.train import cross_entropy, self_critical
from export.train.data import LabelledPhoto, Photo
from export.train.examples import Examples, Seen, Words
from export.train.features import Features
from export.train.inputs import Inputs
from export.train.keywords import Keywords
from export.train.model import CaptionerTraining
from export.train.nouns import Nouns
from export.train.processes import Processes
from export.train.run import Run
from export.train.settings import Settings
from tests import tiny, tiny_captioner

_TEXTS = ("A dog runs.", "The dog in the grass.", "A man.", "Two men sit on a red bench.", "The sea.")
NOUNS = Nouns(("dog", "man", "sea"), np.arange(1000) % 3)


def settings(out: Path, steps: int, critical_steps: int = 0) -> Settings:
    """Small steps, with dropout, crops and labelled photos."""
    return Settings(
        *(out, out, out, out),
        steps=steps,
        photos=3,
        variants=2,
        sampled=32,
        save_every=2,
        check_every=4,
        critical_steps=critical_steps,
        critical_photos=2,
        critical_samples=3,
    )


def words() -> Words:
    """The byte tokenizer of the other tiny models."""
    text = tokenizer_files(tiny.byte_tokenizer(), tiny.LLAMA.context_tokens).tokenizer_json
    return Words(Tokenizer.from_str(text), tiny_captioner.CONFIG)


def inputs(chosen: Settings) -> Inputs:
    """Nine captioned photos, four labelled ones, two of the dev split."""
    train = tuple(Photo(f"{i}", "train", tuple(np.roll(_TEXTS, i)[: 2 + i % 3])) for i in range(9))
    labelled = tuple(LabelledPhoto(f"{i}", "caltech101", "laptop", held_out=False) for i in range(4))
    dev = tuple(Photo(f"{i}", "dev", _TEXTS[:3]) for i in range(2))
    config, language = tiny_captioner.CONFIG, tiny.language_model(tiny.LLAMA)
    sizes = {"train": (9, 2), "labelled": (4, 1), "dev": (2, 1)}
    dice = np.random.default_rng(1)
    shares = {
        kind: tuple(dice.random((count, len(config.keywords))).astype(np.float16) for _ in range(variants))
        for kind, (count, variants) in sizes.items()
    }
    keywords = Keywords(config, tiny_captioner.keywords().state_dict(), shares)
    seen = [
        Seen.of([_features(count, seed) for seed in range(variants)], NOUNS, keywords, kind)
        for kind, (count, variants) in sizes.items()
    ]
    examples = Examples(chosen, words(), (train, seen[0]), (labelled, seen[1]))
    end = tiny.byte_tokenizer()["tokenizer.ggml.eos_token_id"]
    return Inputs(config, words(), end, examples, dev, seen[2], language, tiny_captioner.vision(), keywords)


def start(out: Path, steps: int, critical_steps: int = 0) -> Run:
    """A run that has not begun."""
    chosen = settings(out, steps, critical_steps)
    given = inputs(chosen)
    training = CaptionerTraining(given.config, given.language, given.vision, given.end, chosen.seed)
    return Run(chosen, given, training, Processes.join())


def run(out: Path, steps: int, *, critical_steps: int = 0, resume: bool = False) -> None:
    """Both phases, one after the other."""
    begun = start(out, steps, critical_steps)
    list(cross_entropy.run_phase(begun, resume=resume))
    if critical_steps:
        list(self_critical.run_phase(begun, resume=resume))
    begun.processes.leave()


def _features(count: int, seed: int) -> Features:
    dice = np.random.default_rng(seed)
    channels = tiny_captioner.VISION.patch_channels
    patches = dice.normal(size=(count, tiny_captioner.CONFIG.patches, channels)).astype(np.float16)
    return Features(patches, dice.normal(size=(count, 1000)).astype(np.float16))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]), int(sys.argv[2]))
