"""What a training run can be told, with the values that the committed weights were made with.

In: the command line. Out: a frozen :class:`Settings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Folders, and the numbers of the run.

    A step reads ``photos`` captioned photos with all their captions and ``labelled_photos`` named ones with
    ``sentences`` made-up captions each. ``variants`` are the whole picture and random crops; pass ``i`` over the photos
    shows each in a variant of its own. ``steps`` and ``critical_steps`` cut a phase short; 0 skips it.
    """

    data: Path
    labelled: Path | None
    out: Path
    cache: Path
    vision: str = "efficientnet-lite2"
    language: str = "smollm2-135m"
    seed: int = 7
    epochs: float = 3.0
    steps: int | None = None
    photos: int = 8
    labelled_photos: int = 1
    sentences: int = 3
    variants: int = 3
    connector_rate: float = 5e-4
    lora_rate: float = 4e-4
    warm_up: int = 80
    last_rate: float = 0.03  # share of the rate at the end
    weight_decay: float = 0.05
    clip: float = 1.0
    dropout: float = 0.1
    smoothing: float = 0.05
    sampled: int = 1024
    name_dropout: float = 0.15  # of single names, and of all of them at once
    name_given: float = 0.3  # how often a labelled photo is told its own name
    save_every: int = 50
    check_every: int = 400
    critical_steps: int = 300
    critical_photos: int = 16
    critical_samples: int = 5
    critical_rate: float = 6e-5
