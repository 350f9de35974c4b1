"""Looks at every photo once and keeps what the network saw.

In: the photos' bytes, and the picture network. Out: for each photo and variant, the features of its patches before the
head convolution (fp16) and the logits of the classes, memory-mapped. A variant is the whole picture, or a random crop
of it that may be mirrored: the network is frozen, so that a few of them stand for augmentation. Stopped work goes on
where it was.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from engine.results import Progress
from export.nn.efficientnet import EfficientNet, normalise
from export.train.data import Pictures

WHOLE = 0  # the variant that shows the whole picture; 1, 2 ... are random crops
SAVE_EVERY = 200
LEAST_AREA, WIDEST = 0.7, 4 / 3  # of a crop: share of the picture, and how far its shape may be stretched


@dataclass(frozen=True)
class Shown:
    """One photo to look at: where its bytes are, and whether it may be mirrored."""

    pictures: Pictures
    image: str
    may_flip: bool


@dataclass(frozen=True)
class Features:
    """What the network saw of all photos of a set: patches [n,N,P] fp16 and class logits [n,1000] fp16."""

    patches: NDArray[np.float16]
    logits: NDArray[np.float16]


def make_features(
    shown: Sequence[Shown], variant: int, network: EfficientNet, folder: Path
) -> Iterator[Progress | Features]:
    """Fill ``folder`` with the features of one variant; the last item is what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    config = network.config
    shape = (len(shown), config.grid * config.grid, config.patch_channels)
    state = folder / "done.json"
    wanted = {"photos": [photo.image for photo in shown], "variant": variant, "network": config.name}
    known = json.loads(state.read_text("utf-8")) if state.is_file() else {}
    done = known.get("done", 0) if {key: known.get(key) for key in wanted} == wanted else 0
    mode = "r+" if done else "w+"
    patches = np.lib.format.open_memmap(folder / "patches.npy", mode, np.float16, shape)
    logits = np.lib.format.open_memmap(folder / "logits.npy", mode, np.float16, (len(shown), config.classes))
    if done < len(shown):
        session = _session(network, folder.parent / f"{config.name}.onnx")

        def look(place: int) -> None:
            pixels = _pixels(shown[place], variant, place, config.image_px)
            seen, scores = session.run(None, {"pixels": pixels})
            patches[place], logits[place] = np.asarray(seen)[0], np.asarray(scores)[0]

        # One thread a photo: nothing has to wait for the slower half of a matrix, whatever else the machine does.
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            for start in range(done, len(shown), SAVE_EVERY):
                end = min(start + SAVE_EVERY, len(shown))
                list(pool.map(look, range(start, end)))
                patches.flush()
                logits.flush()
                state.write_text(json.dumps(wanted | {"done": end}), "utf-8")
                yield Progress("features", end, len(shown), "pictures")
    yield Features(patches, logits)


def squeeze(picture: Image.Image, side: int) -> NDArray[np.float32]:
    """The whole picture squeezed into a square, as the network wants it: [1,3,side,side]."""
    small = picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.asarray(small, dtype=np.float32)).permute(2, 0, 1)
    return normalise(pixels)[None].contiguous().numpy()


def _pixels(photo: Shown, variant: int, place: int, side: int) -> NDArray[np.float32]:
    with Image.open(io.BytesIO(photo.pictures.read(photo.image))) as stored:
        picture = stored.convert("RGB")
    if variant != WHOLE:
        random = np.random.default_rng((variant, place))
        area = random.uniform(LEAST_AREA, 1.0)
        stretch = WIDEST ** random.uniform(-0.5, 0.5)
        width = min(1.0, (area * stretch) ** 0.5)
        height = min(1.0, (area / stretch) ** 0.5)
        left, top = random.uniform(0, 1 - width), random.uniform(0, 1 - height)
        w, h = picture.size
        picture = picture.crop(
            (round(left * w), round(top * h), round((left + width) * w), round((top + height) * h))
        )
        if random.random() < 0.5 and photo.may_flip:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return squeeze(picture, side)


class _Seen(nn.Module):
    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        patches = self.network.patches(pixels)
        return patches, self.network.classify(self.network.widen(patches))


def _session(network: EfficientNet, path: Path) -> onnxruntime.InferenceSession:
    """The same network in ONNX Runtime, which is several times as fast here as PyTorch (88 to 15 photos/s)."""
    if not path.is_file():
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        pixels = torch.zeros(1, 3, network.config.image_px, network.config.image_px)
        torch.onnx.export(
            _Seen(network).eval(),
            (pixels,),
            path,
            dynamo=True,
            verbose=False,
            external_data=False,
            input_names=["pixels"],
            output_names=["patches", "logits"],
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
