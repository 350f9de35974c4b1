"""Our Whisper equals ``transformers`` with the same weights, equals itself with a cache, and reads from any layout."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
transformers = pytest.importorskip("transformers", reason="needs the parity extra")

from export.checkpoints.load import load_whisper, open_checkpoint
from export.checkpoints.whisper import WhisperCheckpoint
from export.nn.whisper import Whisper
from tests import tiny_whisper

AUDIO_CONTEXT = 40
HEADS = [(2, 3), (0, 1), (2, 0), (1, 2)]
# Sizes that tell every axis from every other, as in large-v3-turbo and the distilled models.
SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "d_model": 64,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 256,
    "decoder_ffn_dim": 256,
    "max_source_positions": AUDIO_CONTEXT,
    "max_target_positions": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
    "begin_suppress_tokens": [1, 2],  # the default is beyond this vocabulary
    "attn_implementation": "eager",  # the others do not give their attention weights
}


@pytest.fixture(params=[80, 128], ids=["80 mels", "128 mels"], scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that ``transformers`` saved: a random model."""
    torch.manual_seed(1)
    config = transformers.WhisperConfig(**SIZES, num_mel_bins=request.param)
    reference = transformers.WhisperForConditionalGeneration(config)
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            is_norm = name.endswith("layer_norm.weight")
            parameter.normal_(1.0 if is_norm else 0.0, 0.3 if parameter.ndim == 1 else 0.12)
    path = tmp_path_factory.mktemp("测试 ü")
    reference.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return transformers.WhisperForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    ).eval()


@pytest.fixture(scope="module")
def ours(folder: Path) -> Whisper:
    checkpoint = open_checkpoint(folder)
    assert isinstance(checkpoint, WhisperCheckpoint)
    return load_whisper(checkpoint)


@pytest.fixture(scope="module")
def mel(ours: Whisper) -> Any:
    dice = torch.Generator().manual_seed(2)
    return torch.randn(3, ours.config.mels, 2 * AUDIO_CONTEXT, generator=dice)


@pytest.fixture(scope="module")
def input_ids() -> Any:
    return torch.randint(0, 300, (3, 50), generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def cross(ours: Whisper, mel: Any) -> Any:
    with torch.no_grad():
        return ours.decoder.cross_keys_values(ours.encoder(mel))


@torch.no_grad()
def test_encoder_equals_transformers(reference: Any, ours: Whisper, mel: Any) -> None:
    expected = reference.model.encoder(mel).last_hidden_state
    assert expected.std() > 0.1  # a model that says something
    states = ours.encoder(mel)
    assert states.shape == (3, AUDIO_CONTEXT, 64)
    assert (states - expected).abs().max() < 1e-4


@torch.no_grad()
def test_a_shorter_sound_needs_no_padding(reference: Any, ours: Whisper, mel: Any) -> None:
    """``transformers`` takes one length only, so its context is cut to that length first."""
    short = copy.deepcopy(reference.model.encoder)
    short.config.max_source_positions = 15
    short.embed_positions = torch.nn.Embedding.from_pretrained(short.embed_positions.weight[:15])
    expected = short(mel[:, :, :30]).last_hidden_state
    assert (ours.encoder(mel[:, :, :30]) - expected).abs().max() < 1e-4
    assert ours.encoder(mel[:, :, :31]).shape == (3, 16, 64)


@torch.no_grad()
def test_decoder_equals_transformers(
    reference: Any, ours: Whisper, mel: Any, input_ids: Any, cross: Any
) -> None:
    expected = reference(input_features=mel, decoder_input_ids=input_ids, output_attentions=True)
    logits, present, weights = ours.decoder.aligned(input_ids, None, cross, HEADS)
    assert expected.logits.std() > 0.1
    assert (logits - expected.logits).abs().max() < 1e-4
    assert present[-1][0].shape == (3, 4, 50, 16)
    wanted = torch.stack([expected.cross_attentions[layer][:, head] for layer, head in HEADS], dim=1)
    assert weights.shape == (3, len(HEADS), 50, AUDIO_CONTEXT)
    assert (weights - wanted).abs().max() < 1e-4
    assert (weights.sum(dim=-1) - 1).abs().max() < 1e-4
    assert (ours.decoder(input_ids, None, cross)[0] - logits).abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize(
    "lengths", [[30, 20], [4] + [1] * 46, [7, 1, 1, 30, 11]], ids=["2", "single", "mixed"]
)
def test_cached_equals_uncached(ours: Whisper, input_ids: Any, cross: Any, lengths: list[int]) -> None:
    whole, whole_cache, whole_weights = ours.decoder.aligned(input_ids, None, cross, HEADS)
    past, pieces, looked = None, [], []
    for piece in input_ids.split(lengths, dim=1):
        logits, past, weights = ours.decoder.aligned(piece, past, cross, HEADS)
        pieces.append(logits)
        looked.append(weights)
    assert (torch.cat(pieces, dim=1) - whole).abs().max() < 1e-4
    assert (torch.cat(looked, dim=2) - whole_weights).abs().max() < 1e-4
    assert past is not None
    for (keys, values), (whole_keys, whole_values) in zip(past, whole_cache, strict=True):
        assert (keys - whole_keys).abs().max() < 1e-4
        assert (values - whole_values).abs().max() < 1e-4


@torch.no_grad()
def test_last_only_is_the_last_position(ours: Whisper, input_ids: Any, cross: Any) -> None:
    whole, _ = ours.decoder(input_ids, None, cross)
    last, cache = ours.decoder(input_ids, None, cross, last_only=True)
    assert last.shape == (3, 1, 300)
    assert (last - whole[:, -1:]).abs().max() < 1e-5
    assert cache[-1][0].shape[2] == 50  # the cache still has every token


@torch.no_grad()
def test_a_batch_is_its_rows(ours: Whisper, mel: Any, input_ids: Any, cross: Any) -> None:
    together, _ = ours.decoder(input_ids, None, cross)
    for row in range(3):
        alone = ours.decoder.cross_keys_values(ours.encoder(mel[row : row + 1]))
        assert (ours.decoder(input_ids[row : row + 1], None, alone)[0][0] - together[row]).abs().max() < 1e-4


@torch.no_grad()
@pytest.mark.parametrize("layout", ["folder", "pt", "ct2 fp32", "ct2 fp16", "ct2 int8"])
def test_every_layout_gives_the_same_model(layout: str, tmp_path: Path) -> None:
    path = tmp_path / "测试 ü"
    if layout == "folder":
        tiny_whisper.write_hf_folder(path)
    elif layout == "pt":
        path = tiny_whisper.write_pt(path / "tiny.pt")
    else:
        tiny_whisper.write_ct2_folder(path, stored=layout.split()[1])  # type: ignore[arg-type]
    checkpoint = open_checkpoint(path)
    assert isinstance(checkpoint, WhisperCheckpoint)
    expected, read = tiny_whisper.whisper_model(), load_whisper(checkpoint)
    for name, parameter in expected.named_parameters():
        difference = (parameter - read.get_parameter(name)).abs().max()
        allowed = {"ct2 fp16": 1e-3, "ct2 int8": 4e-3}.get(layout, 0)
        assert difference <= allowed * parameter.abs().max(), name

    mel = torch.randn(1, 80, 100, generator=torch.Generator().manual_seed(4))
    input_ids = torch.arange(20)[None]
    logits = [
        model.decoder(input_ids, None, model.decoder.cross_keys_values(model.encoder(mel)))[0]
        for model in (expected, read)
    ]
    allowed = {"ct2 fp16": 0.02, "ct2 int8": 0.2}.get(layout, 1e-6)
    assert (logits[0] - logits[1]).abs().max() < allowed * logits[0].std()
