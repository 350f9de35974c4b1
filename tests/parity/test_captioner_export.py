"""From trained weights to a captioner pack: ONNX Runtime computes what torch computes, and the engine writes with it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
pytest.importorskip("onnx", reason="needs the export extra")

from engine.cancel import Cancel
from engine.catalogue import read_catalogue
from engine.errors import EngineError
from engine.labels import load_labels
from engine.packs import LABELS_FILE, Pack, read_pack, verify_files
from engine.results import Progress
from engine.runtime.captioner import NO_REPEAT_TOKENS, Captioner, repeated
from engine.runtime.captions import CaptionOptions
from engine.runtime.image_model import open_image_model
from export import build_captioner as builder
from export.build_pack import build
from export.checkpoints.adapted import AdaptedCheckpoint
from export.checkpoints.cut import CutCheckpoint
from export.checkpoints.load import load_language, open_language
from export.nn import efficientnet
from export.nn.captioner import merge
from export.onnx_graph import PackedLinear
from export.packing import Format, packed_model
from export.recipe import Recipe
from export.verify import cpu_session
from tests import tiny, tiny_captioner
from tests.tiny_captioner import CONFIG, TOKENS, VISION

# torch's own, at every tracing
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:# The axis name"
)

IDS = [5, 40, 190, 90, 255, 33]
LAYERS = 2
NAMES = [f"{layer}.{part}" for layer in range(LAYERS) for part in ("key", "value")]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with all that a pack is made from, and the tiny picture network known by its name."""
    folder = tmp_path_factory.mktemp("测试 ü")
    tiny_captioner.write_trained(folder / "weights")
    tiny_captioner.write_language(folder / "tiny.gguf")
    network = tiny_captioner.write_vision(folder / "tiny.pth")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(efficientnet.CONFIGS, VISION.name, VISION)
        patch.setattr(builder, "get_vision", lambda name, cancel: iter([network]))
        yield folder


def recipe(parts: Path, precision: Any) -> Recipe:
    entry = dataclasses.replace(
        read_catalogue().default_for("language"),
        name="tiny",
        kind="image",
        family="captioner",
        languages=("en",),
    )
    return Recipe("tiny", Format(precision, "cpu"), entry=entry, weights=parts / "weights")


def built(parts: Path, precision: str) -> Pack:
    language = open_language(parts / "tiny.gguf")
    folder = parts / precision
    *progress, last = builder.build_captioner(recipe(parts, precision), language, folder, Cancel())
    assert last == folder and progress
    assert all(isinstance(item, Progress) for item in progress)
    return read_pack(folder)


@pytest.fixture(scope="module")
def fp32(parts: Path) -> Pack:
    return built(parts, "fp32")


@pytest.fixture(scope="module")
def int4(parts: Path) -> Pack:
    return built(parts, "int4")


def pixels(batch: int = 1) -> np.ndarray:
    side = CONFIG.image_px
    return np.random.default_rng(3).integers(0, 256, (batch, side, side, 3)).astype(np.uint8)


def seen_by(pack: Pack, pictures: np.ndarray) -> list[np.ndarray]:
    names = ["image_features", "class_probabilities", "keyword_shares", "patch_weights"]
    return [
        np.asarray(value) for value in cpu_session(pack.vision_path).run(names, {"pixel_values": pictures})
    ]


def reference(parts: Path) -> tuple[Any, Any]:
    """Connector and language model in torch, with what training added, as stored in 16 bits."""
    trained = builder.read_trained(parts / "weights")
    language = load_language(open_language(parts / "tiny.gguf"))
    language.load_state_dict(merge(language.state_dict(), trained.lora, CONFIG.lora_scale))
    return builder.connector_of(trained), language


def run_decoder(
    session: Any, prefix: np.ndarray, ids: np.ndarray, past: list[np.ndarray], length: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    total = length + prefix.shape[1] + ids.shape[1]
    feeds = {
        "prefix_embeds": prefix,
        "input_ids": ids,
        "attention_mask": np.ones((len(ids), total), np.int64),
    }
    feeds |= {f"past_key_values.{name}": buffer for name, buffer in zip(NAMES, past, strict=True)}
    outputs = ["logits", "token_weights", *(f"present.{name}" for name in NAMES)]
    logits, weights, *past = (np.asarray(value) for value in session.run(outputs, feeds))
    return logits, weights, past


def same_logits(found: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether the tokens that the pack knows are as likely as in torch; of the others it says that they never come."""
    known = np.isfinite(found)
    return bool(np.abs(np.where(known, found - wanted, 0)).max() < 1e-3) and set(TOKENS) <= {
        int(token) for token in known.nonzero()[-1]
    }


def empty(rows: int) -> list[np.ndarray]:
    return [np.zeros((rows, 2, 32, 16), np.float32) for _ in NAMES]


def test_the_vision_encoder_and_the_connector_are_torchs(parts: Path, fp32: Pack) -> None:
    pictures = pixels(3)
    connector, _ = reference(parts)
    with torch.no_grad():
        normal = efficientnet.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
        features, logits = tiny_captioner.vision()(normal)
        prefix, weights = connector(features)
    found = seen_by(fp32, pictures)
    assert np.abs(found[0] - prefix.numpy()).max() < 1e-4
    assert np.abs(found[1] - (logits / CONFIG.class_temperature).softmax(-1).numpy()).max() < 1e-5
    with torch.no_grad():
        shares = builder.keywords_of(builder.read_trained(parts / "weights"))(features).sigmoid()
    assert np.abs(found[2] - shares.numpy()).max() < 1e-5
    assert np.abs(found[3] - weights.mean(1).numpy()).max() < 1e-5
    assert found[3].shape == (3, CONFIG.queries, CONFIG.patches)
    assert np.allclose(found[3].sum(-1), 1, atol=1e-5)


def test_the_decoder_is_torchs_at_once_token_by_token_and_in_rows(parts: Path, fp32: Pack) -> None:
    _, language = reference(parts)
    prefix = seen_by(fp32, pixels())[0]
    with torch.no_grad():
        embeds = torch.cat((torch.from_numpy(prefix), language.embedding(torch.tensor([IDS]))), dim=1)
        wanted = language.decode(embeds)[0][0, CONFIG.queries :].numpy()  # [T,V]
    session = cpu_session(fp32.model_path)
    logits, weights, _ = run_decoder(session, prefix, np.array([IDS]), empty(1), 0)
    assert same_logits(logits[0, 0], wanted[-1])
    tokens = CONFIG.queries + len(IDS)
    assert weights.shape == (1, tokens, tokens)
    assert np.allclose(weights.sum(-1), 1, atol=1e-5) and np.allclose(np.triu(weights[0], 1), 0, atol=1e-6)

    nothing = np.zeros((2, 0, CONFIG.hidden_size), np.float32)
    both = np.repeat(prefix, 2, axis=0)
    logits, _, past = run_decoder(session, both, np.array([IDS[:1]] * 2), empty(2), 0)
    for at in range(1, len(IDS)):
        assert same_logits(logits[:, 0], wanted[at - 1])
        length = CONFIG.queries + at
        logits, step, past = run_decoder(session, nothing, np.array([[IDS[at]]] * 2), past, length)
        assert np.allclose(step[1, 0], weights[0, length, : length + 1], atol=1e-5)
    assert same_logits(logits[:, 0], wanted[-1])


def test_the_updates_are_added_part_by_part(parts: Path) -> None:
    trained = builder.read_trained(parts / "weights")
    _, language = reference(parts)
    adapted = AdaptedCheckpoint(open_language(parts / "tiny.gguf"), trained.lora, CONFIG.lora_scale)
    loaded = load_language(adapted).state_dict()
    for name, tensor in language.state_dict().items():
        assert torch.allclose(loaded[name], tensor, atol=1e-5), name
    update = adapted.update("blocks.0.attention.qkv")
    assert update is not None and update.first.shape[0] % 32 == 0 and adapted.update("head") is None
    plain = load_language(open_language(parts / "tiny.gguf")).state_dict()["blocks.0.attention.qkv.weight"]
    total = plain.numpy() + update.second @ update.first
    assert np.allclose(total, language.state_dict()["blocks.0.attention.qkv.weight"].numpy(), atol=1e-5)


def test_a_grid_is_kept_and_the_update_stands_beside_it(parts: Path) -> None:
    trained = builder.read_trained(parts / "weights")
    weights = tiny.random_tensors(tiny.LLAMA)
    parts_4bit = ("q", "k", "v", "gate", "up", "down")
    every: dict[str, str] = {f"{part}.weight": "Q4_1" for part in parts_4bit}
    path = tiny.write_gguf(parts / "grid.gguf", tiny.LLAMA, weights, formats=every)
    adapted = AdaptedCheckpoint(open_language(path), trained.lora, CONFIG.lora_scale)
    *_, packed = packed_model(adapted, Format("int4", "cpu"))
    assert not isinstance(packed, Progress)
    for name in ("attention.qkv", "mlp.gate_up", "mlp.down"):
        layer = packed.get_submodule(f"blocks.1.{name}")
        assert isinstance(layer, PackedLinear) and layer.first is not None
        wanted = load_language(adapted).state_dict()[f"blocks.1.{name}.weight"].numpy()
        columns = wanted.shape[1]
        assert layer.matrix.update_columns == 32
        update = layer.matrix.dequantised()[:, columns : columns + 32] @ layer.first.float().numpy()
        found = layer.matrix.effective() + update
        base = load_language(open_language(path)).state_dict()[f"blocks.1.{name}.weight"].numpy()
        assert np.abs(found - wanted).max() < 0.15 * np.abs(wanted - base).max()


def test_the_table_holds_the_tokens_of_captions_and_prompts_only(parts: Path, fp32: Pack) -> None:
    language = open_language(parts / "tiny.gguf")
    trained = builder.read_trained(parts / "weights")
    known = builder.tokens_of(trained, language)
    assert set(TOKENS) <= set(known) and len(known) < language.config.vocab_size
    assert fp32.config.vocab_size == language.config.vocab_size
    no_tokens = dataclasses.replace(trained, tokens=())
    assert len(builder.tokens_of(no_tokens, language)) == language.config.vocab_size
    with pytest.raises(EngineError, match="do not fit the language model: tokens"):
        CutCheckpoint(language, [3, language.config.vocab_size])


def test_updates_for_another_model_are_refused(parts: Path) -> None:
    lora = {
        "blocks.9.mlp.down.second": torch.zeros(64, 4),
        "blocks.9.mlp.down.first": torch.zeros(4, 96),
    }
    with pytest.raises(EngineError, match=r"do not fit the language model: blocks\.9\.mlp\.down"):
        AdaptedCheckpoint(open_language(parts / "tiny.gguf"), lora, 1.0)


@pytest.mark.parametrize("precision", ["fp32", "int4"])
def test_the_engine_describes_with_the_pack(request: pytest.FixtureRequest, precision: str) -> None:
    pack: Pack = request.getfixturevalue(precision)
    assert pack.kind == "image" and pack.name == precision
    assert list(verify_files(pack, Cancel()))[-1].done > 0
    model = open_image_model(pack, "cpu", 1)
    assert isinstance(model, Captioner)
    assert model.unsure_below == 0.3
    picture = np.random.default_rng(1).integers(0, 256, (50, 90, 3)).astype(np.uint8)
    found = model.caption(picture, CaptionOptions(beams=2, max_new_tokens=8, looks=True), Cancel())
    again = model.caption(picture, CaptionOptions(beams=2, max_new_tokens=8), Cancel())
    assert found.text == again.text and 0 < found.confidence <= 1
    assert len(found.probabilities) == len(load_labels(pack.folder / LABELS_FILE)) == 1000
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-4)
    for look in found.looks:
        assert found.text[look.start : look.end] == look.word
        assert look.attention.shape == (CONFIG.grid, CONFIG.grid)
        assert look.attention.sum() == pytest.approx(1, abs=1e-4)
    model.close()
    with pytest.raises(EngineError, match="is closed"):
        model.caption(picture, CaptionOptions(), Cancel())


def test_greedy_is_the_likeliest_token_each_time(parts: Path, fp32: Pack) -> None:
    model = Captioner.open(fp32, "cpu", 1)
    picture = pixels()[0]
    found = model.caption(picture, CaptionOptions(beams=1, max_new_tokens=6), Cancel())
    prefix, probabilities, shares, _ = seen_by(fp32, picture[None])
    prompt = model._tokenizer.encode(model.settings.prompt(probabilities[0], model.labels, shares[0]))
    _, language = reference(parts)
    known = builder.tokens_of(builder.read_trained(parts / "weights"), open_language(parts / "tiny.gguf"))
    ids = list(prompt)
    for _ in range(6):
        with torch.no_grad():
            embeds = torch.cat((torch.from_numpy(prefix), language.embedding(torch.tensor([ids]))), dim=1)
            logits = language.decode(embeds)[0][0, -1].numpy()
        logits[model._never] = -np.inf
        logits[np.setdiff1d(np.arange(len(logits)), known)] = -np.inf
        logits[repeated(ids[len(prompt) :], NO_REPEAT_TOKENS)] = -np.inf
        if len(ids) == len(prompt):
            logits[fp32.config.eos_token_ids[0]] = -np.inf
        if int(logits.argmax()) == fp32.config.eos_token_ids[0]:
            break
        ids.append(int(logits.argmax()))
    assert found.text == model._tokenizer.decode(ids[len(prompt) :]).strip()


def test_the_pack_says_what_was_measured_and_carries_its_card(int4: Pack) -> None:
    from engine.json_files import Reader

    parity = Reader.open(int4.folder / "pack.json").object("parity")
    assert parity.object("figures").number("cider_d", 0, 10, 0) == 0.5
    assert 0.8 < parity.object("sentence_perplexity").number("ratio", 0, 10, 0) < 1.25
    assert (int4.folder / "README.md").read_text("utf-8").startswith("# A tiny captioner")


def test_cancelled_before_it_begins(fp32: Pack) -> None:
    model, cancel = Captioner.open(fp32, "cpu", 1), Cancel()
    cancel.set()
    found = model.caption(pixels()[0], CaptionOptions(), cancel)
    assert found.reason == "cancelled" and not found.text


@pytest.mark.parametrize("precision", ["fp16"])
def test_a_precision_that_it_has_not_is_told(parts: Path, precision: str) -> None:
    language = open_language(parts / "tiny.gguf")
    with pytest.raises(EngineError, match="cannot be built in fp16"):
        list(builder.build_captioner(recipe(parts, precision), language, parts / "none", Cancel()))


def test_missing_and_damaged_weights_are_told(parts: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be read"):
        builder.read_trained(tmp_path / "测试 ü")
    folder = tiny_captioner.write_trained(tmp_path / "cut")
    whole = (folder / "captioner.safetensors").read_bytes()
    (folder / "captioner.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EngineError, match="cannot be read"):
        builder.read_trained(folder)


def test_the_catalogues_captioner_is_built_by_its_family(parts: Path, tmp_path: Path) -> None:
    made = dataclasses.replace(recipe(parts, "fp32"), checkpoint=None)
    with pytest.MonkeyPatch.context() as patch:
        from export.checkpoints import sources

        patch.setattr(sources, "get_checkpoint", lambda entry, cancel: iter([parts / "tiny.gguf"]))
        *_, last = build(made, tmp_path / "pack", Cancel())
    assert isinstance(last, Path) and read_pack(last).kind == "image"
