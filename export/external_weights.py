"""Lets two ONNX files of one folder read the same bytes, where both hold the same weights.

In: a small graph, and a larger one whose weights file may hold what the small one needs. Out: the small graph, pointing
into that file, and without a weights file of its own if nothing is left in it.
"""

from __future__ import annotations

import math
from pathlib import Path

import onnx
from onnx.external_data_helper import ExternalDataInfo, set_external_data


def share_weights(small: Path, large: Path) -> None:
    """Point ``small`` at the weights of ``large``, if they hold every tensor that it has outside its own file."""
    model = onnx.load(small, load_external_data=False)
    wanted = [tensor for tensor in model.graph.initializer if _is_external(tensor)]
    held = onnx.load(large, load_external_data=False).graph.initializer
    places: list[onnx.TensorProto] = []
    for tensor in wanted:
        content = _content(tensor, small.parent)
        same = (
            other
            for other in held
            if _is_external(other)
            and _size(other) == len(content)
            and _content(other, large.parent) == content
        )
        place = next(same, None)
        if place is None:
            return
        places.append(place)
    own_files = {ExternalDataInfo(tensor).location for tensor in wanted}
    for tensor, place in zip(wanted, places, strict=True):
        info = ExternalDataInfo(place)
        # Any bytes: the call refuses tensors that have none.
        tensor.raw_data = b"\0"
        set_external_data(tensor, info.location, info.offset, info.length)
        tensor.ClearField("raw_data")
    onnx.save(model, small)
    for name in own_files - {ExternalDataInfo(place).location for place in places}:
        (small.parent / name).unlink()


def _is_external(tensor: onnx.TensorProto) -> bool:
    return tensor.data_location == onnx.TensorProto.EXTERNAL


def _size(tensor: onnx.TensorProto) -> int:
    """Bytes of its content."""
    return ExternalDataInfo(tensor).length or math.prod(tensor.dims) * (
        onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    )


def _content(tensor: onnx.TensorProto, folder: Path) -> bytes:
    info = ExternalDataInfo(tensor)
    with (folder / info.location).open("rb") as file:
        file.seek(info.offset or 0)
        return file.read(_size(tensor))
