"""Whisper checkpoints in three layouts: what good ones give, and what is said about bad ones."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the export extra")

from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from engine.errors import EngineError
from export.checkpoints.ctranslate2 import CTranslate2Checkpoint
from export.checkpoints.load import load_whisper, open_checkpoint, open_language
from export.checkpoints.whisper import WhisperCheckpoint
from export.checkpoints.whisper_folder import WhisperFolderCheckpoint
from export.checkpoints.whisper_pt import WhisperPtCheckpoint
from tests import tiny_whisper
from tests.tiny_whisper import TINY, VOCABULARY, write_json

TENSORS = tiny_whisper.random_tensors()
Folder = Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return tmp_path / "测试 ü" / "模型"


def one_line(open_it: Callable[[], object], match: str) -> None:
    with pytest.raises(EngineError, match=match) as caught:
        open_it()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert caught.value.hint


WRITERS: dict[str, Callable[[Folder], Path]] = {
    "hf": tiny_whisper.write_hf_folder,
    "pt": lambda folder: tiny_whisper.write_pt(folder / "tiny.PT"),
    "ct2": lambda folder: tiny_whisper.write_ct2_folder(folder, stored="fp32"),
}


@pytest.mark.parametrize("layout", WRITERS)
def test_gives_back_what_was_written(layout: str, folder: Folder) -> None:
    path = WRITERS[layout](folder)
    checkpoint = open_checkpoint(path)
    assert isinstance(checkpoint, WhisperCheckpoint)
    assert checkpoint.config == TINY
    assert set(checkpoint.names) == set(TENSORS)
    for name, tensor in TENSORS.items():
        read = checkpoint.read(name)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, tensor, name)
    assert checkpoint.tokenizer_json() == tiny_whisper.tokenizer_json()
    assert checkpoint.info.name == ("tiny" if layout == "pt" else "模型")
    assert load_whisper(checkpoint, torch.bfloat16).decoder.positions.dtype == torch.bfloat16
    with pytest.raises(EngineError, match="holds a speech model"):
        open_language(path)


def test_what_decoding_has_to_know(folder: Folder) -> None:
    for layout in ("hf", "ct2"):
        checkpoint: Any = open_checkpoint(WRITERS[layout](folder / layout))
        assert checkpoint.generation.alignment_heads == ((1, 0), (2, 3))
        assert checkpoint.generation.suppress_tokens == tuple(tiny_whisper.SUPPRESSED)
        assert checkpoint.generation.begin_suppress_tokens == tuple(tiny_whisper.SUPPRESSED_FIRST)
        # Only the folder can say so; the others are judged by the size of their vocabulary.
        assert checkpoint.generation.is_multilingual == (layout == "hf")


def test_openai_files_get_the_usual_tokens_and_heads(folder: Folder) -> None:
    generation = WhisperPtCheckpoint(WRITERS["pt"](folder)).generation
    assert generation.alignment_heads == tuple((layer, head) for layer in (1, 2) for head in range(4))
    suppressed = {VOCABULARY[token] for token in generation.suppress_tokens}
    assert {"#", "[", "{", "<|startoftranscript|>", "<|translate|>", "<|startofprev|>"} <= suppressed
    assert not suppressed & {
        "a",
        "-",
        "'",
        ",",
        ".",
        "<|endoftext|>",
        "<|notimestamps|>",
        "<|0.00|>",
        "<|en|>",
    }
    assert [VOCABULARY[token] for token in generation.begin_suppress_tokens] == ["Ġ", "<|endoftext|>"]


@pytest.mark.parametrize(
    "changes", [{"vocab_size": 1900, "mels": 128, "encoder_layers": 3, "decoder_layers": 1}]
)
@pytest.mark.parametrize("layout", ["hf", "pt", "ct2"])
def test_sizes_are_read_not_assumed(layout: str, changes: dict[str, int], folder: Folder) -> None:
    config = replace(TINY, **changes, audio_context_frames=70, text_context_tokens=30)
    tensors = tiny_whisper.random_tensors(config)
    writers: dict[str, Callable[[], Path]] = {
        "hf": lambda: tiny_whisper.write_hf_folder(folder, config, tensors),
        "pt": lambda: tiny_whisper.write_pt(folder / "x.pt", config, tensors),
        "ct2": lambda: tiny_whisper.write_ct2_folder(folder, config, tensors),
    }
    path = writers[layout]()
    for file in ("config.json", "generation_config.json"):  # their heads are in a layer that is not there
        if layout != "pt" and (folder / file).is_file():
            values = json.loads((folder / file).read_text("utf-8"))
            write_json(
                folder / file, {key: value for key, value in values.items() if key != "alignment_heads"}
            )
    checkpoint: Any = open_checkpoint(path)
    assert checkpoint.config == config
    assert checkpoint.generation.alignment_heads == ((0, 0), (0, 1), (0, 2), (0, 3))


# Hugging Face folders


def test_shards_and_the_copy_of_the_embedding(folder: Folder) -> None:
    WRITERS["hf"](folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    tensors["proj_out.weight"] = tensors["model.decoder.embed_tokens.weight"].clone()
    shards = {name: f"model-0000{1 + index % 2}-of-00002.safetensors" for index, name in enumerate(tensors)}
    for shard in set(shards.values()):
        save_file({name: tensors[name] for name in tensors if shards[name] == shard}, folder / shard)
    write_json(folder / "model.safetensors.index.json", {"weight_map": shards})
    name = "decoder.blocks.2.cross.kv.weight"
    np.testing.assert_array_equal(WhisperFolderCheckpoint(folder).read(name), TENSORS[name])


def test_a_tokenizer_is_made_of_vocabulary_and_merges(folder: Folder) -> None:
    WRITERS["hf"](folder)
    wanted = Tokenizer.from_file(str(folder / "tokenizer.json"))
    (folder / "tokenizer.json").unlink()
    numbers = {token: number for number, token in enumerate(VOCABULARY)}
    write_json(
        folder / "vocab.json", {token: i for token, i in numbers.items() if not token.startswith("<|")}
    )
    write_json(folder / "added_tokens.json", {t: i for t, i in numbers.items() if t.startswith("<|")})
    merges = "\n".join(["#version: 0.2", *tiny_whisper.MERGES, ""])
    (folder / "merges.txt").write_text(merges, "utf-8")
    made = Tokenizer.from_str(WhisperFolderCheckpoint(folder).tokenizer_json())
    assert made.get_vocab() == wanted.get_vocab()
    text = "<|startoftranscript|><|zh|> the 测试 ü<|1.04|><|endoftext|>"
    ids = wanted.encode(text, add_special_tokens=False).ids
    assert made.encode(text, add_special_tokens=False).ids == ids
    assert made.decode(ids) == wanted.decode(ids) == " the 测试 ü<|1.04|>"

    write_json(folder / "vocab.json", numbers)  # how newer tools write it
    (folder / "added_tokens.json").unlink()
    made = Tokenizer.from_str(WhisperFolderCheckpoint(folder).tokenizer_json())
    assert made.encode(text, add_special_tokens=False).ids == ids

    for text, named in (("a b c", "does not hold two pieces"), ("thethe the", "tokenizer cannot be used")):
        (folder / "merges.txt").write_text(text, "utf-8")
        one_line(WhisperFolderCheckpoint(folder).tokenizer_json, named)
    (folder / "merges.txt").unlink()
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, r"lacks the file merges\.txt")
    write_json(folder / "vocab.json", {"a": "b"})
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, "does not number its tokens")


def test_a_folder_with_the_wrong_tokenizer_is_refused(folder: Folder) -> None:
    WRITERS["hf"](folder)
    file = folder / "tokenizer.json"
    text = file.read_text("utf-8")
    file.write_text(text.replace("<|startoftranscript|>", "<|other|>"), "utf-8")
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, r"lacks <\|startoftranscript\|>")
    file.write_text("{}", "utf-8")
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, "tokenizer cannot be used")
    file.unlink()
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, r"lacks the file tokenizer\.json")
    small = replace(TINY, vocab_size=len(VOCABULARY) - 1)
    tiny_whisper.write_hf_folder(folder, small, tiny_whisper.random_tensors(small))
    one_line(WhisperFolderCheckpoint(folder).tokenizer_json, f"has {len(VOCABULARY)} tokens")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"activation_function": "relu"}, "activation_function = relu"),
        ({"scale_embedding": True}, "scale_embedding = True"),
        ({"rotary": 1}, "rotary = 1"),
        ({"encoder_attention_heads": 2}, "encoder_attention_heads = 2"),
        ({"decoder_ffn_dim": 5}, "decoder_ffn_dim = 5"),
        ({"encoder_layers": 10**6}, "1000000 layers are too many"),
        ({"d_model": 10**12}, "not a number of elements"),
        ({"d_model": "64"}, "not a number of elements"),
        ({"encoder_attention_heads": 3, "decoder_attention_heads": 3}, "cannot share a hidden size of 64"),
        ({"vocab_size": 99}, r"embed_tokens\.weight has the shape"),
        ({"encoder_layers": 3}, "lacks 15 tensor"),
        ({"encoder_layers": 1}, r"holds 15 tensor.*does not know"),
        ({"num_mel_bins": 128}, r"conv1\.weight has the shape \[64, 80, 3\]"),
        ({"alignment_heads": [[9, 9]]}, r"alignment_heads = "),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(changes: Any, named: str, folder: Folder) -> None:
    WRITERS["hf"](folder)
    write_json(folder / "config.json", tiny_whisper.hf_config() | changes)
    one_line(lambda: open_checkpoint(folder), named)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"alignment_heads": [[3, 0]]}, "no attention head 0 in layer 3"),
        ({"alignment_heads": [[0, -1]]}, "no attention head -1 in layer 0"),
        ({"alignment_heads": [[0]]}, "not pairs"),
        ({"alignment_heads": [7]}, "not pairs"),
        ({"alignment_heads": {}}, "not pairs"),
        ({"suppress_tokens": [10**9]}, "no token 1000000000"),
        ({"suppress_tokens": "all"}, "suppress_tokens is not a list"),
        ({"begin_suppress_tokens": [True]}, "begin_suppress_tokens is not a list"),
    ],
)
def test_generation_settings_that_cannot_be_are_refused(changes: Any, named: str, folder: Folder) -> None:
    WRITERS["hf"](folder)
    write_json(folder / "generation_config.json", changes)
    one_line(lambda: open_checkpoint(folder), named)


def test_settings_that_say_nothing(folder: Folder) -> None:
    WRITERS["hf"](folder)
    write_json(folder / "generation_config.json", {"suppress_tokens": [-1], "begin_suppress_tokens": None})
    generation: Any = WhisperFolderCheckpoint(folder).generation
    assert (generation.suppress_tokens, generation.begin_suppress_tokens) == ((), ())
    assert not generation.is_multilingual
    (folder / "generation_config.json").unlink()
    assert len(WhisperFolderCheckpoint(folder).generation.alignment_heads) == 8


# OpenAI's files


def test_a_checkpoint_without_a_tokenizer_says_what_to_do(folder: Folder) -> None:
    path = WRITERS["pt"](folder)
    (folder / "tokenizer.json").unlink()
    one_line(lambda: open_checkpoint(path), r"tiny\.PT holds no tokenizer.*Put the tokenizer\.json")


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_code_in_a_pickle_is_not_run(folder: Folder, tmp_path: Path) -> None:
    path = WRITERS["pt"](folder)
    mark = tmp_path / "was run"
    dims = tiny_whisper.openai_dims()
    torch.save({"dims": dims, "model_state_dict": {"a": Evil(mark)}}, path)
    one_line(lambda: open_checkpoint(path), "could run code")
    path.write_bytes(pickle.dumps(Evil(mark)))
    one_line(lambda: open_checkpoint(path), "could run code")
    assert not mark.exists()


def test_damaged_checkpoints_are_refused(folder: Folder) -> None:
    path = WRITERS["pt"](folder)
    data = path.read_bytes()
    for size in (0, 7, 1000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        one_line(lambda: open_checkpoint(path), r"tiny\.PT cannot be used")
    path.write_bytes(b"\0" * 4000)
    one_line(lambda: open_checkpoint(path), r"tiny\.PT cannot be used")
    path.unlink()
    one_line(lambda: open_checkpoint(path), r"tiny\.PT cannot be used: No such file")


def test_checkpoints_of_something_else_are_refused(folder: Folder) -> None:
    path = WRITERS["pt"](folder)
    dims = tiny_whisper.openai_dims()
    state = torch.load(path, weights_only=True)["model_state_dict"]
    name = "decoder.positional_embedding"
    a_view: Any = torch.zeros(1).expand(1 << 24, 1 << 24)
    for values, named in (
        ([1, 2], "not a Whisper checkpoint"),
        ({"dims": dims}, "not a Whisper checkpoint"),
        ({"dims": {}, "model_state_dict": state}, "n_text_state is missing"),
        ({"dims": dims | {"n_new": 1}, "model_state_dict": state}, "n_new = 1"),
        ({"dims": dims | {"n_audio_head": 2}, "model_state_dict": state}, "n_audio_head = 2"),
        ({"dims": dims | {"n_vocab": 1 << 60}, "model_state_dict": state}, "not a number of elements"),
        ({"dims": dims | {"n_text_layer": 2}, "model_state_dict": state}, "does not know"),
        ({"dims": dims, "model_state_dict": state | {name: 5}}, f"{name} is not a plain tensor"),
        ({"dims": dims, "model_state_dict": state | {name: a_view}}, f"{name} is not a plain tensor"),
        ({"dims": dims, "model_state_dict": state | {name: state[name].int()}}, f"{name} is not a plain"),
        ({"dims": dims, "model_state_dict": state | {name: state[name][1:].clone()}}, r"\[447, 64\]"),
    ):
        torch.save(values, path)
        one_line(lambda: open_checkpoint(path), named)


# CTranslate2's files


def ct2(folder: Folder, change: Callable[[dict[str, np.ndarray]], None] = lambda _: None, **how: Any) -> Path:
    """A folder whose ``model.bin`` differs from a good one."""
    tiny_whisper.write_ct2_folder(folder)
    variables = tiny_whisper.ct2_variables(TINY, TENSORS, "fp16")
    change(variables)
    (folder / "model.bin").write_bytes(tiny_whisper.ct2_bytes(variables, **how))
    return folder


def test_whole_numbers_are_multiplied_out(folder: Folder) -> None:
    checkpoint: Any = open_checkpoint(tiny_whisper.write_ct2_folder(folder, stored="int8") / "model.bin")
    for name, tensor in TENSORS.items():
        wanted = tensor
        if name.endswith(".weight") and tensor.ndim > 1:
            whole, scale = tiny_whisper.quantised(tensor)
            wanted = whole / scale.reshape(-1, *(1,) * (tensor.ndim - 1))
        np.testing.assert_allclose(checkpoint.read(name), wanted, rtol=1e-6, err_msg=name)

    def one_scale(variables: dict[str, np.ndarray]) -> None:
        name = "decoder/layer_0/attention/linear_0/weight"
        variables[name] = np.rint(variables[name].astype(np.float32) * 1000).astype(np.int16)
        variables[f"{name}_scale"] = np.array(1000, np.float32)

    checkpoint = open_checkpoint(ct2(folder, one_scale))
    name = "decoder.blocks.0.cross.q.weight"
    np.testing.assert_allclose(checkpoint.read(name), TENSORS[name], atol=1e-3)


@pytest.mark.parametrize("scale", [None, np.zeros(64, np.float32), np.ones(5, np.float32)])
def test_whole_numbers_without_their_scale_are_refused(scale: Any, folder: Folder) -> None:
    def spoil(variables: dict[str, np.ndarray]) -> None:
        name = "encoder/conv1/weight"
        variables[name] = variables[name].astype(np.int8)
        if scale is not None:
            variables[f"{name}_scale"] = scale

    checkpoint: Any = open_checkpoint(ct2(folder, spoil))
    one_line(lambda: checkpoint.read("encoder.conv1.weight"), "has no usable scale")


def put(name: str, value: np.ndarray | None) -> Callable[[dict[str, np.ndarray]], None]:
    def change(variables: dict[str, np.ndarray]) -> None:
        if value is None:
            del variables[name]
        else:
            variables[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "how", "named"),
    [
        (lambda _: None, {"version": 7}, "of version 7"),
        (lambda _: None, {"specification": "TransformerSpec"}, "kind TransformerSpec, revision 3"),
        (lambda _: None, {"revision": 2}, "kind WhisperSpec, revision 2"),
        (put("decoder/activation", np.array(0, np.int8)), {}, "decoder/activation = 0"),
        (put("decoder/scale_embeddings", np.array(1, np.int8)), {}, "decoder/scale_embeddings = 1"),
        (put("decoder/new", np.array(0.5, np.float32)), {}, r"decoder/new = 0\.5"),
        (put("encoder/num_heads", np.array(2, np.int16)), {}, "2 numbers of heads"),
        (put("encoder/num_heads", np.array(np.nan, np.float32)), {}, "num_heads = nan"),
        (put("encoder/conv1/weight", None), {}, r"encoder\.conv1\.weight is missing"),
        (put("encoder/conv1/weight", np.zeros(64, np.float32)), {}, "too few axes"),
        (
            put("encoder/layer_0/ffn/linear_0/bias", None),
            {},
            "lacks 1 tensor.*encoder/layer_0/ffn/linear_0/bias",
        ),
        (put("decoder/layer_9/more", np.zeros(5, np.float32)), {}, "lacks 20 tensor"),
        (put("decoder/more", np.zeros(5, np.float32)), {}, "does not know.*decoder/more"),
        (put("decoder/projection/weight", np.zeros((9, 9), np.float32)), {}, "another name for nothing"),
        (put("x" * 3000, np.zeros((1,) * 5, np.float32)), {}, "has 5 axes"),
    ],
)
def test_other_models_in_the_format_are_refused(change: Any, how: Any, named: str, folder: Folder) -> None:
    path = ct2(folder, change, **how)
    one_line(lambda: open_checkpoint(path), named)


def test_truncated_models_are_refused(folder: Folder) -> None:
    tiny_whisper.write_ct2_folder(folder)
    file = folder / "model.bin"
    data = file.read_bytes()
    for size in (0, 3, 4, 5, 17, 18, 24, 60, 5000, len(data) // 2, len(data) - 1):
        file.write_bytes(data[:size])
        one_line(lambda: open_checkpoint(folder), r"model\.bin cannot be used")
    file.write_bytes(b"GGUF" + data)
    one_line(lambda: open_checkpoint(folder), "not a CTranslate2 model")
    file.unlink()
    file.mkdir()
    one_line(lambda: CTranslate2Checkpoint(folder), r"model\.bin cannot be used")


def test_absurd_sizes_are_refused_at_once(folder: Folder) -> None:
    tiny_whisper.write_ct2_folder(folder)
    file = folder / "model.bin"
    data = bytearray(file.read_bytes())
    data[22:26] = struct.pack("<I", 0xFFFFFFFF)  # the number of variables
    file.write_bytes(data)
    one_line(lambda: open_checkpoint(folder), r"model\.bin cannot be used")
    start = b"".join(
        (struct.pack("<IH", 6, 12), b"WhisperSpec\0", struct.pack("<II", 3, 1), struct.pack("<H", 2), b"a\0")
    )
    for rest, named in (
        (struct.pack("<BIIIIBI", 4, *(0xFFFFFFFF,) * 4, 0, 16), "does not have the size of its shape"),
        (struct.pack("<BIIBI", 2, 1 << 16, 1 << 16, 0, 0), "does not have the size of its shape"),
        (struct.pack("<BIBI", 1, 1 << 29, 0, 1 << 31), "ends too early"),
        (struct.pack("<BBI", 0, 9, 4), "unknown type 9"),
    ):
        file.write_bytes(start + rest)
        one_line(lambda: open_checkpoint(folder), named)


def test_random_damage_never_crashes(folder: Folder) -> None:
    """Single bytes of the headers replaced: either an error of ours, or a model that reads."""
    config = replace(TINY, audio_context_frames=4, text_context_tokens=4, encoder_layers=1, decoder_layers=1)
    tensors = tiny_whisper.random_tensors(config)
    tiny_whisper.write_ct2_folder(folder, config, tensors)
    write_json(folder / "config.json", {})
    file, dice = folder / "model.bin", np.random.default_rng(1)
    data = file.read_bytes()
    heads = [at for at in range(len(data) - 40) if data[at : at + 8] in (b"encoder/", b"decoder/")]
    for _ in range(150):
        spoiled = bytearray(data)
        spoiled[int(dice.choice(heads)) + int(dice.integers(-2, 60))] = int(dice.integers(256))
        file.write_bytes(spoiled)
        try:
            checkpoint = CTranslate2Checkpoint(folder)
            for name in checkpoint.names:
                checkpoint.read(name)
        except EngineError as error:
            assert "\n" not in str(error)
