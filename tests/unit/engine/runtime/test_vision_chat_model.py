"""A model that sees and converses: the smallest SmolVLM with random weights, made by ``make_tiny_vision_pack``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.tiles import IMAGE_TOKEN
from engine.packs import Pack, read_pack, require_kind
from engine.results import Finished, Notice, Progress, TextChunk
from engine.runtime.captions import CaptionOptions
from engine.runtime.image_model import open_image_model
from engine.runtime.language_model import LanguageModel
from engine.runtime.session import DeviceFailure
from engine.runtime.vision_chat_model import PictureTurn, VisionChatModel
from engine.tasks.chat import GREEDY
from tests.unit.engine.runtime.tiny_pack import tiny_pack

SOURCE = Path(__file__).parent / "data" / "tiny_vision_pack"
SHORT = replace(GREEDY, max_new_tokens=6)


def picture(seed: int = 0, width: int = 300, height: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("看 ü") / "tiny vision 测试"
    shutil.copytree(SOURCE, folder)
    return read_pack(folder)


@pytest.fixture
def model(pack: Pack) -> Iterator[VisionChatModel]:
    model = open_image_model(pack, "cpu", threads=1)
    assert isinstance(model, VisionChatModel)
    yield model
    model.close()


def ask(text: str, *pictures: np.ndarray) -> PictureTurn:
    return PictureTurn("user", text, pictures)


def looked(items: Sequence[object]) -> int:
    """How many tiles were seen."""
    seen = [item for item in items if isinstance(item, Progress) and item.stage == "describe"]
    assert all(item.total == seen[0].total for item in seen)
    return seen[-1].done if seen else 0


def test_what_it_is(pack: Pack, model: VisionChatModel) -> None:
    assert pack.kind == "image" and pack.config.model_type == "idefics3"
    assert {pack.vision_path.name, pack.embedding_path.name} == {"vision.onnx", "embeddings.onnx"}
    assert model.answers_questions and model.labels == () and model.provider == "CPU" and model.notices == ()


def test_a_conversation_with_pictures(model: VisionChatModel) -> None:
    turns = [ask("What is it?", picture(1), picture(2, 64, 64))]
    items = list(model.chat(turns, SHORT, Cancel()))
    last = items[-1]
    assert isinstance(last, Finished) and last.reason in ("stop", "length") and last.cached_tokens == 0
    assert looked(items) == 7 + 10
    assert "".join(item.text for item in items if isinstance(item, TextChunk)) == last.text
    turns += [PictureTurn("assistant", last.text), ask("And now?", picture(2, 64, 64), picture(3))]
    again = list(model.chat(turns, SHORT, Cancel()))
    ended = again[-1]
    assert isinstance(ended, Finished) and looked(again) == 7  # only the third is new
    assert ended.cached_tokens > last.prompt_tokens - 10
    # The other picture in front: what was read of the first is of no use.
    other = list(model.chat([ask("What is it?", picture(3), picture(2, 64, 64))], SHORT, Cancel()))
    first = other[-1]
    assert isinstance(first, Finished) and first.cached_tokens < 12 and looked(other) == 0
    # The same as without anything remembered.
    model._memory.clear()
    model._opened().cache.truncate(0)
    fresh = list(model.chat([ask("What is it?", picture(3), picture(2, 64, 64))], SHORT, Cancel()))[-1]
    assert isinstance(fresh, Finished) and fresh.text == first.text


def test_without_pictures_and_with_a_system_turn(model: VisionChatModel) -> None:
    turns = [PictureTurn("system", "Be short."), ask("Hello 世界, is <image> a picture?")]
    items = list(model.chat(turns, SHORT, Cancel()))
    assert isinstance(items[-1], Finished) and looked(items) == 0


def test_a_penalty_for_repetition_knows_tokens_only(model: VisionChatModel) -> None:
    options = replace(SHORT, repetition_penalty=1.3, temperature=0.8, top_k=40, seed=5)
    first, second = (list(model.chat([ask("What?", picture(1))], options, Cancel()))[-1] for _ in range(2))
    assert isinstance(first, Finished) and isinstance(second, Finished) and first.text == second.text


def test_a_caption_of_the_whole_picture(model: VisionChatModel) -> None:
    first = model.caption(picture(1), CaptionOptions(max_new_tokens=5), Cancel())
    again = model.caption(picture(1), CaptionOptions(max_new_tokens=5), Cancel())
    assert first.text == again.text and first.confidence == again.confidence and 0 < first.confidence < 1
    assert first.reason == "length" and first.looks == () and first.probabilities.size == 0
    stopped = Cancel()
    stopped.set()
    for pixels in (picture(1), picture(9)):
        none = model.caption(pixels, CaptionOptions(), stopped)
        assert (none.text, none.reason, none.confidence) == ("", "cancelled", 0.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (900, 2), (64, 64)])
def test_odd_sizes(size: tuple[int, int], model: VisionChatModel) -> None:
    items = list(model.chat([ask("What?", picture(0, *size))], SHORT, Cancel()))
    assert isinstance(items[-1], Finished) and looked(items) >= 1
    assert model.caption(picture(0, *size), CaptionOptions(max_new_tokens=2), Cancel()).reason == "length"


def test_stopped_between_tiles(model: VisionChatModel) -> None:
    cancel = Cancel()
    running = model.chat([ask("What?", picture(4))], SHORT, cancel)
    assert next(running) == Progress("describe", 0, 7, "steps")
    with pytest.raises(EngineError, match="busy"):
        model.caption(picture(1), CaptionOptions(), Cancel())
    next(running)
    cancel.set()
    (last,) = list(running)
    assert isinstance(last, Finished) and last.reason == "cancelled" and last.text == ""
    assert looked(list(model.chat([ask("What?", picture(4))], SHORT, Cancel()))) == 7  # nothing half is kept


def test_closed_while_it_looks(pack: Pack) -> None:
    model = VisionChatModel.open(pack, "cpu", threads=1)
    running = model.chat([ask("What?", picture(4))], SHORT, Cancel())
    next(running)
    model.close()
    last = list(running)[-1]
    assert isinstance(last, Finished) and last.reason == "cancelled"
    with pytest.raises(EngineError, match="closed"):
        next(model.chat([ask("What?")], SHORT, Cancel()))
    with pytest.raises(EngineError, match="closed"):
        model.caption(picture(1), CaptionOptions(), Cancel())
    model.close()


def test_a_device_that_fails_while_it_looks(model: VisionChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU goes on where the device stopped."""
    expected = list(model.chat([ask("What?", picture(5))], SHORT, Cancel()))[-1]
    model._memory.clear()
    real, calls = model._features, []

    def failing(tile: np.ndarray, cancel: Cancel) -> np.ndarray:
        calls.append(1)
        if len(calls) == 3:
            raise DeviceFailure("out of memory")
        return real(tile, cancel)

    monkeypatch.setattr(model, "_features", failing)
    items = list(model.chat([ask("What?", picture(5))], SHORT, Cancel()))
    notice = next(item for item in items if isinstance(item, Notice))
    assert notice.code == "cpu_fallback" and "out of memory" in notice.text and len(calls) == 8
    last = items[-1]
    assert isinstance(last, Finished) and isinstance(expected, Finished) and last.text == expected.text


def test_the_oldest_features_go(model: VisionChatModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.pictures.MOST_FEATURE_BYTES", 1)
    turns = [ask("What?", picture(1), picture(2))]
    assert looked(list(model.chat(turns, SHORT, Cancel()))) == 14  # what is shown stays, however much it is
    assert looked(list(model.chat(turns, SHORT, Cancel()))) == 0
    assert looked(list(model.chat([ask("What?", picture(3))], SHORT, Cancel()))) == 7
    assert looked(list(model.chat(turns, SHORT, Cancel()))) == 14


def test_more_than_the_context_holds(model: VisionChatModel) -> None:
    talk = [ask("What?", picture(1)), PictureTurn("assistant", "the")] * 10
    items = list(model.chat([*talk, ask("And?")], SHORT, Cancel()))
    notice = next(item for item in items if isinstance(item, Notice))
    assert notice.code == "turns_dropped" and 0 < int(str(notice.values["count"])) < 20
    many = ask("Which?", *[picture(1)] * 10)
    for room, least, most in ((60, 50, 150), (2, 400, 512)):  # each as a whole only, if that makes room
        last = list(model.chat([many], replace(SHORT, max_new_tokens=room), Cancel()))[-1]
        assert isinstance(last, Finished) and least < last.prompt_tokens < most
    with pytest.raises(EngineError, match="too long"):
        list(model.chat([ask("Which?", *[picture(1)] * 80)], SHORT, Cancel()))


def test_wrong_calls(model: VisionChatModel) -> None:
    with pytest.raises(ValueError, match="the user's"):
        next(model.chat([], SHORT, Cancel()))
    with pytest.raises(ValueError, match="the user's"):
        next(model.chat([PictureTurn("assistant", "the")], SHORT, Cancel()))
    with pytest.raises(ValueError, match="pixels"):
        PictureTurn("user", "What?", (np.zeros((2, 2), np.uint8),))
    with pytest.raises(ValueError, match="role"):
        PictureTurn("tool", "What?")  # pyright: ignore[reportArgumentType]


def test_packs_of_another_kind(pack: Pack, tmp_path: Path) -> None:
    chat = tiny_pack(tmp_path)
    with pytest.raises(EngineError, match="cannot see pictures") as caught:
        open_image_model(chat, "cpu")
    assert caught.value.hint
    for kind in ("language", "speech"):
        with pytest.raises(EngineError, match="describes pictures") as caught:
            require_kind(pack, kind)
        assert "pollux describe" in caught.value.hint
    with pytest.raises(EngineError, match="describes pictures"):
        LanguageModel.open(pack, "cpu")


def broken(pack: Pack, folder: Path, file: str, **changes: object) -> Path:
    """A foreign copy, ``changes`` made at the top of a JSON file of its."""
    target = folder / "broken 测试"
    shutil.copytree(pack.folder, target)
    (target / "pack.json").unlink()
    values = json.loads((target / file).read_text("utf-8"))
    (target / file).write_text(json.dumps(values | changes), "utf-8")
    return target


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"tile_px": 32}, "laid out"),
        ({"tile_tokens": 9}, "laid out"),
        ({"mean": [0.5]}, "three numbers"),
        ({"mean": [0.5, None, 0.5]}, "list of numbers"),
        ({"std": [0.5, 0.0, 0.5]}, "impossible"),
        ({"resample": 42}, "filter"),
        ({"tile_px": 4}, "too many"),
        ({"tile_px": "64"}, "whole number"),
        ({"rescale_factor": 0}, "impossible"),
    ],
)
def test_numbers_for_pictures_that_do_not_fit(
    changes: dict[str, object], match: str, pack: Pack, tmp_path: Path
) -> None:
    folder = broken(pack, tmp_path, "processor.json", **changes)
    with pytest.raises(EngineError, match=match) as caught:
        open_image_model(read_pack(folder), "cpu", threads=1)
    assert "\n" not in str(caught.value) and caught.value.hint


def test_a_template_without_a_place_for_pictures(pack: Pack, tmp_path: Path) -> None:
    template = "{% for message in messages %}{{ message.content[-1].text }}{% endfor %}"
    folder = broken(pack, tmp_path, "tokenizer_config.json", chat_template=template)
    model = VisionChatModel.open(read_pack(folder), "cpu", threads=1)
    try:
        with pytest.raises(EngineError, match="no place for pictures"):
            model.caption(picture(), CaptionOptions(), Cancel())
    finally:
        model.close()


def test_a_tokenizer_that_knows_no_pictures(pack: Pack, tmp_path: Path) -> None:
    folder = broken(pack, tmp_path, "processor.json")
    values = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    for token in values["added_tokens"]:
        token["special"] = token["special"] and token["content"] != IMAGE_TOKEN
    (folder / "tokenizer.json").write_text(json.dumps(values), "utf-8")
    with pytest.raises(EngineError, match="no control token"):
        open_image_model(read_pack(folder), "cpu", threads=1)


@pytest.mark.parametrize("name", ["vision.onnx", "embeddings.onnx", "processor.json", "vision.onnx.data"])
def test_missing_files(name: str, pack: Pack, tmp_path: Path) -> None:
    folder = broken(pack, tmp_path, "processor.json")
    (folder / name).unlink()
    with pytest.raises(EngineError) as caught:
        read_pack(folder)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_parts_in_one_file(pack: Pack, tmp_path: Path) -> None:
    config = json.loads((pack.folder / "genai_config.json").read_text("utf-8"))
    config["model"]["vision"]["filename"] = "model.onnx"
    folder = broken(pack, tmp_path, "genai_config.json", model=config["model"])
    with pytest.raises(EngineError, match="files of their own"):
        read_pack(folder)
    config["model"]["vision"]["filename"] = "../vision.onnx"
    (folder / "genai_config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(EngineError, match="plain name"):
        read_pack(folder)
    config["model"] |= {"type": "phi3v"}
    (folder / "genai_config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(EngineError, match="several parts"):
        read_pack(folder)
