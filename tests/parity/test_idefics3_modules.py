"""Our Idefics3 and our image processor equal those of transformers with the same weights and pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
transformers = pytest.importorskip("transformers", reason="needs the parity extra")

from engine.media.tiles import TileSettings, cut, picture_text
from export.checkpoints.idefics3 import Idefics3Checkpoint
from export.checkpoints.load import load_idefics3, open_checkpoint, open_language
from export.nn.siglip import bucketed_positions
from tests import tiny_idefics3
from tests.tiny_idefics3 import LONGEST_PX, TILE_PX, TILE_TOKENS, picture

SIZES = [
    (300, 200),
    (200, 300),
    (64, 64),
    (5, 7),
    (20, 500),
    (500, 20),
    (641, 97),
    (1000, 999),
    (192, 192),
    (63, 65),
]


@pytest.fixture(params=["Idefics3", "SmolVLM", "SmolVLM, tied and older"], scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    other = request.param.endswith("older")
    path = tmp_path_factory.mktemp("测试 ü") / "tiny"
    return tiny_idefics3.write_folder(path, request.param.split(",")[0], tied=other, older=other)


@pytest.fixture(scope="module")
def checkpoint(folder: Path) -> Idefics3Checkpoint:
    found = open_checkpoint(folder)
    assert isinstance(found, Idefics3Checkpoint)
    return found


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()


@torch.no_grad()
def test_the_logits_equal(checkpoint: Idefics3Checkpoint, reference: Any) -> None:
    """Two pictures of different shapes, one of them split, among text."""
    ours = load_idefics3(checkpoint)
    pictures = [picture(300, 200), picture(64, 60, seed=1)]
    given = tiny_idefics3.processor()(
        images=[pictures],
        text=["<|im_start|>User:<image>the first,<image> the other<end_of_utterance>"],
        return_tensors="pt",
    )
    expected = reference(**given).logits
    found = ours(given["input_ids"], given["pixel_values"][0])
    assert given["pixel_values"].shape[1] == 7 + 10 and expected.std() > 0.5
    assert (found - expected).abs().max() < 1e-3
    without = {"input_ids": given["input_ids"][:, -20:]}
    assert (ours(**without) - reference(**without).logits).abs().max() < 1e-3


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 64), (40, 64), (64, 24), (8, 56), (40, 17)])
def test_padded_pictures(size: tuple[int, int], checkpoint: Idefics3Checkpoint, reference: Any) -> None:
    """Smaller pictures, padded at the right and at the bottom: their positions are put in buckets."""
    height, width = size
    dice = torch.Generator().manual_seed(3)
    pixels = torch.randn(2, 3, TILE_PX, TILE_PX, generator=dice)
    mask = torch.zeros(2, TILE_PX, TILE_PX, dtype=torch.int64)
    mask[0, :height, :width] = 1
    mask[1] = 1
    expected = reference.get_image_features(pixels[None], mask[None]).pooler_output[0]
    seen = mask.unflatten(1, (-1, 8)).unflatten(3, (-1, 8)).sum(dim=(2, 4)) > 0
    found = load_idefics3(checkpoint).pictures(pixels, seen)
    assert found.shape == (2, TILE_TOKENS, 64) and expected.std() > 0.5
    assert (found.flatten(0, 1) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("sides", [8, 26, 27, 32])
def test_positions_of_whole_pictures(sides: int) -> None:
    """The rounding of shares may move a place by one, as it does in the reference; a place is never far away."""
    places = bucketed_positions(torch.ones(1, sides, sides, dtype=torch.bool), sides)[0]
    assert (places - torch.arange(sides * sides)).abs().max() <= sides + 1
    assert places.min() >= 0 and places.max() < sides * sides


@pytest.mark.parametrize("size", SIZES)
def test_pixels_equal(size: tuple[int, int], checkpoint: Idefics3Checkpoint) -> None:
    """Exactly: the same filter, and the same order of rounding."""
    pixels = picture(*size)
    expected = tiny_idefics3.image_processor()([[pixels]], return_row_col_info=True, return_tensors="np")
    found = cut(pixels, checkpoint.tiles)
    assert (found.rows, found.columns) == (expected["rows"][0][0], expected["cols"][0][0])
    assert found.pixels.dtype == np.float32 and found.pixels.shape == expected["pixel_values"][0].shape
    assert np.array_equal(found.pixels, expected["pixel_values"][0])
    assert (expected["pixel_attention_mask"] == 1).all()  # tiles are always whole


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resample", [1, 2, 3])
def test_pixels_equal_with_other_settings(size: tuple[int, int], resample: int) -> None:
    changes: dict[str, Any] = {
        "do_image_splitting": size[0] > 200,
        "resample": resample,
        "size": {"longest_edge": 100},
        "max_image_size": {"longest_edge": 56},
        "image_mean": [0.4, 0.5, 0.6],
        "image_std": [0.2, 0.3, 0.25],
    }
    settings = TileSettings(
        56, 100, 4, split=size[0] > 200, resample=resample, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25)
    )
    pixels = picture(*size)
    expected = tiny_idefics3.image_processor(**changes)([[pixels]], return_tensors="np")["pixel_values"][0]
    assert np.array_equal(cut(pixels, settings).pixels, expected)


@pytest.mark.parametrize("size", SIZES)
def test_tokens_equal(size: tuple[int, int], checkpoint: Idefics3Checkpoint) -> None:
    """The text in place of a picture, and what the tokenizer makes of it beside other text."""
    everything = tiny_idefics3.processor()
    pixels = picture(*size)
    text = "<|im_start|>User:<image>What is the\n\nthing?<end_of_utterance>\nAssistant:"
    expected = everything(images=[[pixels]], text=[text])["input_ids"][0]
    tiles = cut(pixels, checkpoint.tiles)
    ours = text.replace("<image>", picture_text(tiles.rows, tiles.columns, checkpoint.tiles.tile_tokens))
    assert everything.tokenizer(ours)["input_ids"] == expected
    assert expected.count(tiny_idefics3.token("<image>")) == len(tiles.pixels) * TILE_TOKENS


def test_what_a_folder_says(folder: Path, checkpoint: Idefics3Checkpoint) -> None:
    assert checkpoint.tiles == TileSettings(TILE_PX, LONGEST_PX, TILE_TOKENS)
    assert checkpoint.text.chat_template == tiny_idefics3.TEMPLATE
    assert checkpoint.text.special_tokens.eos_ids == (tiny_idefics3.token("<end_of_utterance>"),)
    assert open_language(folder).config == checkpoint.config.text
    checkpoint.check_tokens(checkpoint.text.tokenizer_files())


def test_the_processors_template_counts(tmp_path: Path) -> None:
    """The tokenizer's own may know no pictures."""
    folder = tiny_idefics3.write_folder(tmp_path / "older", older=True)
    path = folder / "tokenizer_config.json"
    values = json.loads(path.read_text("utf-8"))
    tiny_idefics3.write_json(path, values | {"chat_template": "{{ messages[0].content }}"})
    checkpoint = Idefics3Checkpoint(folder)
    assert checkpoint.text.chat_template == tiny_idefics3.TEMPLATE
    (folder / "chat_template.json").unlink()
    assert checkpoint.text.chat_template == "{{ messages[0].content }}"
