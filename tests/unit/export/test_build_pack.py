"""A checkpoint becomes a whole pack, or one clear line says why not."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")

from safetensors.numpy import save_file

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import Pack, read_pack, verify_files
from engine.results import Finished, Progress
from engine.runtime.language_model import LanguageModel
from engine.tasks.chat import GREEDY, Turn, chat
from export import build_pack
from export.build_pack import build
from export.checkpoints.safetensors import hf_name
from export.config import LanguageConfig
from export.packing import Format
from export.recipe import Recipe
from export.tokenizer import tokenizer_files
from tests import tiny

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:# The axis name")

INT4 = Format("int4", "cpu")


def write_folder(folder: Path, config: LanguageConfig, **changes: Any) -> Path:
    """A Hugging Face folder of random weights; ``changes`` go into its config.json."""
    folder.mkdir()
    save_file(
        {hf_name(name): tensor for name, tensor in tiny.random_tensors(config).items()},
        folder / "model.safetensors",
    )
    values = {
        "model_type": config.architecture,
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_size,
        "max_position_embeddings": config.context_tokens,
        "rms_norm_eps": config.rms_eps,
        "tie_word_embeddings": config.tied_head,
        "eos_token_id": 260,
    }
    (folder / "config.json").write_text(json.dumps(values | changes), "utf-8")
    files = tokenizer_files(tiny.byte_tokenizer(), config.context_tokens)
    (folder / "tokenizer.json").write_text(files.tokenizer_json, "utf-8")
    (folder / "tokenizer_config.json").write_text(files.tokenizer_config_json, "utf-8")
    return folder


def write_file(folder: Path, config: LanguageConfig = tiny.LLAMA) -> Path:
    return tiny.write_gguf(folder / "m.gguf", config, tiny.random_tensors(config))


def built(checkpoint: Path, folder: Path, form: Format = INT4) -> Pack:
    *progress, last = build(Recipe("tiny", form, checkpoint=checkpoint), folder, Cancel())
    assert last == folder
    assert all(isinstance(item, Progress) for item in progress)
    return read_pack(folder)


def parity_of(pack: Pack) -> dict[str, Any]:
    return json.loads((pack.folder / "pack.json").read_text("utf-8"))["parity"]


def test_a_gguf_file(pollux_home: Path) -> None:
    pack = built(write_file(pollux_home), pollux_home / "pack 测试")
    assert {file.name for file in pack.files} == {
        "genai_config.json",
        "model.onnx",
        "model.onnx.data",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    list(verify_files(pack, Cancel()))  # the hashes are theirs
    assert pack.display_name == "Tiny"
    assert (pack.licence, pack.languages) == ("apache-2.0", ("en", "zh"))
    assert (pack.quantisation, pack.context_tokens) == ("int4", 128)
    assert pack.parameters == tiny.LLAMA.parameters
    assert pack.memory_bytes > pack.size_bytes
    assert pack.config.eos_token_ids == (260, 258)

    parity = parity_of(pack)
    assert parity["fp32_max_abs_logit_difference"] < 1e-4
    assert parity["fp32_layers"] == 2
    assert set(parity["perplexity"]) == {"en", "zh"}
    for figures in parity["perplexity"].values():
        assert figures["tokens"] == 128  # as many as the context holds
        assert figures["ratio"] == pytest.approx(figures["pack"] / figures["checkpoint_fp32"], abs=1e-3)
        assert 0.8 < figures["ratio"] < 1.25


def test_a_folder_and_an_answer(pollux_home: Path) -> None:
    """Everything on: another family, an untied head, biases; and the engine talks with it."""
    checkpoint = write_folder(pollux_home / "测试 ü", tiny.QWEN2)
    pack = built(checkpoint, pollux_home / "pack", Format("fp32", "cpu"))
    assert pack.display_name == "测试 ü (fp32)"
    assert pack.languages == ()
    parity = parity_of(pack)
    assert set(parity["perplexity"]) == {"en"}
    # The same numbers: one by torch over the whole text, one by ONNX Runtime token by token.
    assert parity["perplexity"]["en"]["ratio"] == pytest.approx(1, abs=1e-4)
    model = LanguageModel.open(pack, "cpu", threads=1)
    options = dataclasses.replace(GREEDY, max_new_tokens=5)
    *_, end = chat(model, [Turn("user", "the")], options, Cancel())
    model.close()
    assert isinstance(end, Finished)
    assert 0 < end.new_tokens <= 5


def test_a_pack_for_another_device_is_not_measured_here(pollux_home: Path) -> None:
    pack = built(write_file(pollux_home), pollux_home / "pack", Format("fp16", "cuda"))
    assert parity_of(pack) == {}
    assert pack.display_name == "Tiny (fp16 cuda)"
    config = json.loads((pack.folder / "genai_config.json").read_text("utf-8"))
    assert config["model"]["decoder"]["session_options"]["provider_options"] == [{"cuda": {}}]


def test_a_context_shorter_than_the_checks(pollux_home: Path) -> None:
    config = dataclasses.replace(tiny.LLAMA, layers=1, context_tokens=9)
    pack = built(write_file(pollux_home, config), pollux_home / "pack")
    assert pack.context_tokens == 9
    assert parity_of(pack)["perplexity"]["en"]["tokens"] == 9


def test_cancelled_at_every_step(pollux_home: Path) -> None:
    checkpoint = write_file(pollux_home)
    for steps in (0, 1, 4):
        cancel, folder = Cancel(), pollux_home / f"pack {steps}"
        running = build(Recipe("tiny", INT4, checkpoint=checkpoint), folder, cancel)
        for _ in range(steps):
            next(running)
        cancel.set()
        assert list(running) == []
        assert not (folder / "pack.json").exists()


def test_disk_full(pollux_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    checkpoint = write_file(pollux_home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(EngineError, match=r"The disk is too full: .* GB are needed"):
        built(checkpoint, pollux_home / "pack")


def test_disk_full_while_writing(pollux_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build_pack, "export_graph", full)
    with pytest.raises(EngineError, match=r"cannot be written .*No space left on device"):
        built(write_file(pollux_home), pollux_home / "pack")


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("tokenizer.json", "{", "tokenizer cannot be used"),
        ("tokenizer.json", None, "lacks the file tokenizer.json"),
        ("model.safetensors", "rubbish", "model.safetensors cannot be used"),
        ("model.safetensors", None, "holds no model.safetensors"),
        ("config.json", "[]", "config.json cannot be used"),
    ],
)
def test_damaged_folders(file: str, content: str | None, problem: str, pollux_home: Path) -> None:
    checkpoint = write_folder(pollux_home / "hf", tiny.LLAMA)
    (checkpoint / file).unlink()
    if content is not None:
        (checkpoint / file).write_text(content, "utf-8")
    with pytest.raises(EngineError, match=problem):
        built(checkpoint, pollux_home / "pack")
    assert not (pollux_home / "pack").exists()  # told before anything was written


def test_a_model_that_never_ends(pollux_home: Path) -> None:
    checkpoint = write_folder(pollux_home / "hf", tiny.LLAMA, eos_token_id=None)
    with pytest.raises(EngineError, match="which token ends an answer"):
        built(checkpoint, pollux_home / "pack")


def test_a_tokenizer_of_another_model(pollux_home: Path) -> None:
    config = dataclasses.replace(tiny.LLAMA, vocab_size=272)
    checkpoint = write_folder(pollux_home / "hf", config)
    with pytest.raises(EngineError, match="288 tokens, but the model knows only 272"):
        built(checkpoint, pollux_home / "pack")


def test_sizes_that_cannot_be_packed(pollux_home: Path) -> None:
    config = dataclasses.replace(tiny.LLAMA, hidden_size=72)
    with pytest.raises(EngineError, match=r"hidden size of 72 .*--precision fp32"):
        built(write_file(pollux_home, config), pollux_home / "pack")


def test_revisions_tell_recipes_apart(pollux_home: Path) -> None:
    one, two = pollux_home / "1.gguf", pollux_home / "2.gguf"
    tiny.write_gguf(one, tiny.LLAMA, tiny.random_tensors(tiny.LLAMA))
    tiny.write_gguf(
        two, tiny.LLAMA, {k: np.zeros_like(v) for k, v in tiny.random_tensors(tiny.LLAMA).items()}
    )
    forms = [INT4, Format("int8", "cpu"), Format("int4", "cuda")]
    revisions = {Recipe("x", form, checkpoint=path).revision for form in forms for path in (one, two)}
    assert len(revisions) == 6
    assert Recipe("x", INT4, checkpoint=one).revision == Recipe("y", INT4, checkpoint=one).revision
