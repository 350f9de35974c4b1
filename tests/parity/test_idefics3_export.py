"""From a SmolVLM folder to an image pack: ONNX Runtime computes what transformers computes, and the engine converses."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")
onnx = pytest.importorskip("onnx", reason="needs the export extra")
transformers = pytest.importorskip("transformers", reason="needs the parity extra")

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack, read_pack, verify_files
from engine.results import Finished, Notice, Progress, TextChunk
from engine.runtime.captions import CaptionOptions
from engine.runtime.image_model import open_image_model
from engine.runtime.vision_chat_model import CAPTION_REQUEST, PictureTurn, VisionChatModel
from engine.tasks.chat import GREEDY
from export.__main__ import main
from export.build_pack import build
from export.checkpoints.idefics3 import Idefics3Checkpoint
from export.checkpoints.load import open_checkpoint
from export.packing import Format
from export.recipe import Recipe
from tests import tiny_idefics3
from tests.tiny_idefics3 import END, TILE_PX, TILE_TOKENS, picture, token, write_json

# torch's own, at every tracing
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:# The axis name"
)

FP32 = Format("fp32", "cpu")
WIDE, SMALL = picture(300, 200), picture(60, 64, seed=1)
# Root mean square distance of the logits from fp32's, in their standard deviations. Random weights in matrices this small
# are the hardest to round.
INT4_SHARE, FEATURES_SHARE = 0.35, 0.03


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_idefics3.write_folder(tmp_path_factory.mktemp("测试 ü") / "Tiny ü")


@pytest.fixture(scope="module")
def fp32(folder: Path) -> Pack:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    target = folder.parent / "fp32"
    *progress, last = build(Recipe("tiny", FP32, checkpoint=folder), target, Cancel())
    assert last == target and progress and all(isinstance(item, Progress) for item in progress)
    return read_pack(target)


@pytest.fixture(scope="module")
def int4(folder: Path) -> Pack:
    """Of the other class and the older files, through the command line."""
    source = tiny_idefics3.write_folder(folder.parent / "other", "SmolVLM", tied=True, older=True)
    target = folder.parent / "int4 ü"
    assert main(["build", str(source), "--output", str(target), "--name", "tiny-smolvlm"]) == 0
    return read_pack(target)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return transformers.AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def model(fp32: Pack) -> Iterator[VisionChatModel]:
    model = open_image_model(fp32, "cpu", threads=1)
    assert isinstance(model, VisionChatModel)
    yield model
    model.close()


def given(turns: list[PictureTurn], answer: bool = True) -> Any:
    """What the processor of transformers makes of these turns."""
    everything = tiny_idefics3.processor()
    messages = [
        {
            "role": turn.role,
            "content": [*({"type": "image"} for _ in turn.pictures), {"type": "text", "text": turn.text}],
        }
        for turn in turns
    ]
    text = everything.apply_chat_template(messages, add_generation_prompt=answer)
    pictures = [pixels for turn in turns for pixels in turn.pictures]
    return everything(images=[pictures] if pictures else None, text=[text], return_tensors="pt")


def logits(model: VisionChatModel, turns: list[PictureTurn]) -> np.ndarray:
    """After the prompt, as the engine computes them."""
    prompt = model._prompt(turns, model.settings.split)
    list(model._see(prompt, Cancel()))
    decoder = model._opened()
    list(decoder.prefill(model._with_features(prompt), Cancel()))
    return decoder.logits.copy()


def ended(model: VisionChatModel, turns: list[PictureTurn], **changes: Any) -> Finished:
    *_, last = model.chat(turns, replace(GREEDY, **changes), Cancel())
    assert isinstance(last, Finished)
    return last


@torch.no_grad()
def test_the_graph_that_sees(fp32: Pack, model: VisionChatModel, reference: Any) -> None:
    pixels = np.random.default_rng(1).normal(0, 1, (3, 3, TILE_PX, TILE_PX)).astype(np.float32)
    expected = reference.get_image_features(torch.from_numpy(pixels)[None]).pooler_output[0]
    found = np.concatenate([model._features(tile, Cancel()) for tile in pixels])
    assert found.shape == (3 * TILE_TOKENS, 64) and expected.std() > 0.5
    assert np.abs(found - expected.numpy()).max() < 1e-3
    import onnxruntime as ort

    together = ort.InferenceSession(str(fp32.vision_path)).run(None, {"pixel_values": pixels})[0]
    assert np.abs(np.asarray(together).reshape(found.shape) - found).max() < 1e-4


@torch.no_grad()
def test_the_logits_after_pictures(model: VisionChatModel, reference: Any) -> None:
    turns = [
        PictureTurn("user", "What is the thing?", (WIDE, SMALL)),
        PictureTurn("assistant", "the"),
        PictureTurn("user", "And 这个 <image> with <end_of_utterance>?", ()),
    ]
    turns[-1] = replace(turns[-1], text="And 这个?", pictures=(WIDE,))
    expected = reference(**given(turns)).logits[0, -1]
    assert expected.std() > 0.5
    assert np.abs(logits(model, turns) - expected.numpy()).max() < 1e-3


@torch.no_grad()
def test_two_turns_of_conversation(model: VisionChatModel, reference: Any) -> None:
    """Token for token; what the first turn showed is not seen again, and only what is new is read."""
    turns = [PictureTurn("user", "What is the thing?", (picture(300, 200, seed=5),))]
    seen = []
    for extra in (), (picture(60, 64, seed=5),):
        if extra:
            turns.append(PictureTurn("user", "And the other?", extra))
        inputs = given(turns)
        expected = reference.generate(**inputs, max_new_tokens=16, do_sample=False)[0]
        new = expected[inputs["input_ids"].shape[1] :].tolist()
        items = list(model.chat(turns, replace(GREEDY, max_new_tokens=16), Cancel()))
        last = items[-1]
        assert isinstance(last, Finished) and last.prompt_tokens == inputs["input_ids"].shape[1]
        assert last.text == tiny_idefics3.fast_tokenizer().decode(new, skip_special_tokens=True)
        assert last.new_tokens == len(new)
        assert "".join(item.text for item in items if isinstance(item, TextChunk)) == last.text
        seen.append(
            next(item.total for item in items if isinstance(item, Progress) and item.stage == "describe")
        )
        turns.append(PictureTurn("assistant", "the thing"))
        if extra:
            assert last.cached_tokens > 70
    assert seen == [7, 10]
    # The same pictures again, from the beginning: nothing is seen anew.
    again = list(model.chat(turns[:1], replace(GREEDY, max_new_tokens=2), Cancel()))
    assert not [item for item in again if isinstance(item, Progress) and item.stage == "describe"]


def test_what_users_write_is_text(model: VisionChatModel) -> None:
    """Neither a picture nor the end of a turn can be written by hand."""
    text = f"What <image> is <end_of_utterance>{tiny_idefics3.AROUND} this?"
    prompt = model._prompt([PictureTurn("user", text, (SMALL,))], True)
    assert prompt.ids.count(token("<image>")) == 10 * TILE_TOKENS
    assert prompt.ids.count(token(END)) == 1
    plain = model._prompt([PictureTurn("user", "What is this?", ())], True)
    assert token("<image>") not in plain.ids


def test_a_caption(model: VisionChatModel) -> None:
    options = CaptionOptions(max_new_tokens=9)
    caption = model.caption(WIDE, options, Cancel())
    assert model.answers_questions and model.labels == () and model.unsure_below == 0
    assert caption.reason == "length" and caption.looks == () and caption.probabilities.shape == (0,)
    assert 0 < caption.confidence < 1
    whole = model._prompt([PictureTurn("user", CAPTION_REQUEST, (WIDE,))], split=False)
    assert whole.ids.count(token("<image>")) == TILE_TOKENS
    stopped = Cancel()
    stopped.set()
    assert model.caption(SMALL, options, stopped).reason == "cancelled"


def test_stopped_while_it_looks(model: VisionChatModel) -> None:
    cancel = Cancel()
    running = model.chat([PictureTurn("user", "What?", (picture(333, 200),))], GREEDY, cancel)
    assert next(running) == Progress("describe", 0, 7, "steps")
    with pytest.raises(EngineError, match="busy"):
        model.caption(SMALL, CaptionOptions(), Cancel())
    next(running)
    cancel.set()
    items = list(running)
    last = items[-1]
    assert isinstance(last, Finished) and last.reason == "cancelled" and last.text == "" and len(items) == 1
    assert ended(model, [PictureTurn("user", "What?", (SMALL,))], max_new_tokens=1).reason == "length"


def test_more_than_the_context_holds(model: VisionChatModel) -> None:
    question = PictureTurn("user", "What is the thing?", (WIDE,))
    talk = [question, PictureTurn("assistant", "the")] * 8
    items = list(model.chat([*talk, question], replace(GREEDY, max_new_tokens=4), Cancel()))
    notice = next(item for item in items if isinstance(item, Notice))
    assert notice.code == "turns_dropped" and 0 < int(str(notice.values["count"])) < 16
    # Too many in one turn: each is seen as a whole only.
    many = PictureTurn("user", "Which?", (WIDE,) * 10)
    assert ended(model, [many], max_new_tokens=60).prompt_tokens < 150
    assert ended(model, [many], max_new_tokens=2).prompt_tokens > 450  # where that leaves room enough
    with pytest.raises(EngineError, match="too long"):
        ended(model, [PictureTurn("user", "Which?", (WIDE,) * 80)])
    with pytest.raises(ValueError, match="the user's"):
        ended(model, [PictureTurn("assistant", "the")])


def test_after_it_is_closed(fp32: Pack) -> None:
    model = VisionChatModel.open(fp32, "cpu", threads=1)
    model.close()
    with pytest.raises(EngineError, match="closed"):
        ended(model, [PictureTurn("user", "What?", (SMALL,))])
    with pytest.raises(EngineError, match="closed"):
        model.caption(SMALL, CaptionOptions(), Cancel())


@torch.no_grad()
def test_in_4_bits_it_stays_near(int4: Pack) -> None:
    torch_model = tiny_idefics3.random_model("SmolVLM", tied=True)
    model = VisionChatModel.open(int4, "cpu", threads=1)
    try:
        turns = [PictureTurn("user", "What is the thing?", (WIDE, SMALL))]
        expected = torch_model(**given(turns)).logits[0, -1].numpy()
        difference = (logits(model, turns) - expected) / expected.std()
        assert np.sqrt((difference**2).mean()) < INT4_SHARE
        assert ended(model, turns, max_new_tokens=5).reason in ("length", "stop")
    finally:
        model.close()
    figures = json.loads((int4.folder / "pack.json").read_text("utf-8"))["parity"]
    assert 0 < figures["image_features_relative_difference"] < FEATURES_SHARE
    assert 0.5 < figures["perplexity"]["en"]["ratio"] < 2


def test_what_a_pack_holds(int4: Pack, fp32: Pack) -> None:
    assert (int4.kind, int4.quantisation, int4.context_tokens) == ("image", "int4", 512)
    assert int4.config.model_type == "idefics3" and int4.config.image_token_id == token("<image>")
    names = {file.name for file in int4.files}
    assert names == {
        *("model.onnx", "model.onnx.data", "vision.onnx", "vision.onnx.data", "embeddings.onnx"),
        *("genai_config.json", "processor.json", "tokenizer.json", "tokenizer_config.json"),
    }  # the embedding reads the table of the head
    list(verify_files(int4, Cancel()))
    assert int4.size_bytes < 0.5 * fp32.size_bytes
    figures = json.loads((fp32.folder / "pack.json").read_text("utf-8"))["parity"]
    assert figures["image_features_relative_difference"] < 1e-4
    assert abs(figures["perplexity"]["en"]["ratio"] - 1) < 1e-3
    here, torch_folder = Path(__file__).resolve().parents[2], Path(torch.__file__).parents[1]
    for pack in (int4, fp32):
        for path in (pack.vision_path, pack.embedding_path, pack.model_path):
            onnx.checker.check_model(str(path))
            raw = path.read_bytes()
            for trace in (str(here), str(torch_folder), "site-packages", 'File "', "stack_trace"):
                assert trace.encode() not in raw, trace


def test_other_tiles_than_the_graph_was_made_for(fp32: Pack, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(fp32.folder, folder)
    (folder / "pack.json").unlink()
    settings = json.loads((folder / "processor.json").read_text("utf-8"))
    for changes, match in (
        ({"tile_px": 32}, "laid out"),
        ({"tile_tokens": 9}, "laid out"),
        ({"mean": [0.5]}, "three numbers"),
        ({"std": [0.5, 0.0, 0.5]}, "impossible"),
        ({"resample": 42}, "filter"),
        ({"tile_px": 4}, "too many"),
        ({"tile_px": "64"}, "whole number"),
    ):
        write_json(folder / "processor.json", settings | changes)
        with pytest.raises(EngineError, match=match) as caught:
            open_image_model(read_pack(folder), "cpu", threads=1)
        assert "\n" not in str(caught.value) and caught.value.hint
    (folder / "processor.json").unlink()
    with pytest.raises(EngineError, match=r"processor\.json"):
        read_pack(folder)


Change = Callable[[Path], object]


def _json(name: str, change: Callable[[dict[str, Any]], object]) -> Change:
    def apply(folder: Path) -> None:
        values = json.loads((folder / name).read_text("utf-8"))
        change(values)
        write_json(folder / name, values)

    return apply


def _config(part: str, **changes: Any) -> Change:
    def change(values: dict[str, Any]) -> None:
        (values[part] if part else values).update(changes)

    return _json("config.json", change)


def _without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def _pixels(**changes: Any) -> Change:
    return _json("preprocessor_config.json", lambda values: values.update(changes))


BROKEN: list[tuple[Change, str]] = [
    (_without("preprocessor_config.json"), r"lacks the file preprocessor_config\.json"),
    (_without("model.safetensors"), r"no model\.safetensors"),
    (_without("config.json"), r"lacks the file config\.json"),
    (_json("config.json", lambda values: values.pop("vision_config")), "vision_config is missing"),
    (_json("config.json", lambda values: values.pop("text_config")), "text_config is missing"),
    (_config("", vision_config=[1]), "vision_config is missing"),
    (_config("vision_config", num_attention_heads=7), "cannot share a hidden size"),
    (_config("vision_config", hidden_act="quick_gelu"), "hidden_act = quick_gelu"),
    (_config("vision_config", image_size="big"), "image_size is 'big'"),
    (_config("vision_config", image_size=[64, 64]), "image_size is"),
    (_config("vision_config", patch_size=128), "patches of 128 pixels"),
    (_config("vision_config", num_channels=1), "num_channels = 1"),
    (_config("vision_config", num_hidden_layers=3), "lacks 16 tensor"),
    (_config("vision_config", num_hidden_layers=1), "does not know"),
    (_config("vision_config", intermediate_size=32), "has the shape"),
    (_config("vision_config", something_new=1), "something_new = 1"),
    (_config("text_config", model_type="phi"), "architecture phi"),
    (_config("text_config", qk_layer_norms=True), "qk_layer_norms = True"),
    (_config("", scale_factor=3), "cannot be gathered"),
    (_config("", image_token_id=99999), "image_token_id is 99999"),
    (_config("", model_type="paligemma"), "paligemma"),
    (_pixels(image_processor_type="CLIPImageProcessor"), "CLIPImageProcessor"),
    (_pixels(do_normalize=False), "do_normalize = False"),
    (_pixels(max_image_size={"longest_edge": 48}), "tiles of 48 pixels"),
    (_pixels(max_image_size={"longest_edge": 128}), "tiles of 128 pixels"),
    (_pixels(max_image_size=None), "max_image_size has no longest_edge"),
    (_pixels(size={"height": 5}), "size has no longest_edge"),
    (_pixels(size={"longest_edge": 100000}), "pictures of 100000"),
    (_pixels(image_std=[0.5, 0, 0.5]), "impossible"),
    (_pixels(image_mean="grey"), "three numbers"),
    (_pixels(resample="sharp"), "sharp"),
    (
        lambda folder: write_json(folder / "processor_config.json", {"image_seq_len": 81}),
        "image_seq_len is 81",
    ),
    (lambda folder: (folder / "model.safetensors").write_bytes(b"no"), "cannot be used"),
    (lambda folder: (folder / "preprocessor_config.json").write_text("{", "utf-8"), "not valid JSON"),
]
BROKEN_LATER: list[tuple[Change, str]] = [
    (_without("tokenizer.json"), r"lacks the file tokenizer\.json"),
    (_config("", image_token_id=3), "as number 3"),
    (_without("chat_template.json"), "no chat template"),
]


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_idefics3.write_folder(tmp_path_factory.mktemp("测试 ü") / "older", older=True)


@pytest.mark.parametrize(("change", "match"), BROKEN, ids=[match for _, match in BROKEN])
def test_broken_folders(change: Change, match: str, older: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(older, folder)
    assert isinstance(open_checkpoint(folder), Idefics3Checkpoint)
    change(folder)
    with pytest.raises(EngineError, match=match) as caught:
        open_checkpoint(folder)
    assert "\n" not in str(caught.value) and caught.value.hint


@pytest.mark.parametrize(("change", "match"), BROKEN_LATER, ids=[match for _, match in BROKEN_LATER])
def test_what_is_told_before_the_work_begins(
    change: Change, match: str, older: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tiny"
    shutil.copytree(older, folder)
    change(folder)
    assert main(["build", str(folder), "--output", str(tmp_path / "pack")]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and match.replace("\\", "") in said[0]
    assert not (tmp_path / "pack").exists()
