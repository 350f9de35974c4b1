"""Speech packs: what they must hold, and that nothing takes one for a chat model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.packs import needed_files, read_pack, require_kind
from engine.runtime.language_model import LanguageModel
from engine.store import Store
from tests.unit.engine.pack_maker import (
    make_foreign,
    make_foreign_speech,
    make_pack,
    make_speech_pack,
    model,
    speech_config,
)

FILES = {
    "decoder.onnx",
    "encoder.onnx",
    "encoder.weights",
    "generation_config.json",
    "genai_config.json",
    "tokenizer.json",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "packs 测试")


def without(part: str, *keys: str) -> dict[str, object]:
    """The decoder's or the encoder's section with some keys left out."""
    section = speech_config()["model"][part]  # type: ignore[index]
    return {key: value for key, value in section.items() if key not in keys}


def test_reads_what_was_written(tmp_path: Path) -> None:
    pack = read_pack(make_speech_pack(tmp_path / "语音 测试 ü"))
    encoder = pack.config.encoder
    assert pack.kind == "speech" and encoder is not None
    assert (pack.model_path.name, pack.encoder_path.name) == ("decoder.onnx", "encoder.onnx")
    assert {file.name for file in pack.files} == FILES
    assert (encoder.num_hidden_layers, pack.config.num_hidden_layers) == (2, 3)
    assert encoder.audio_features == "audio_features"
    assert (encoder.cross_present_key(2), encoder.cross_present_value(0)) == (
        "present_key_cross_2",
        "present_value_cross_0",
    )
    assert (pack.config.cross_past_key(1), pack.config.cross_past_value(1)) == (
        "past_key_cross_1",
        "past_value_cross_1",
    )
    assert pack.config.past_key(0) == "past_key_self_0"


def test_a_foreign_folder_is_a_speech_pack(tmp_path: Path) -> None:
    folder = make_foreign_speech(tmp_path / "theirs")
    pack = read_pack(folder)
    assert (pack.kind, pack.foreign) == ("speech", True)
    assert needed_files(folder, pack.config) == FILES
    assert pack.memory_bytes > pack.size_bytes
    assert read_pack(make_foreign(tmp_path / "chat")).kind == "language"


def test_a_chat_pack_has_no_encoder(tmp_path: Path) -> None:
    pack = read_pack(make_pack(tmp_path / "chat"))
    assert pack.config.encoder is None
    with pytest.raises(ValueError, match="no encoder"):
        _ = pack.encoder_path


@pytest.mark.parametrize("name", ["encoder.onnx", "encoder.weights", "generation_config.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    for make in (make_speech_pack, make_foreign_speech):
        folder = make(tmp_path / make.__name__)
        (folder / name).unlink()
        with pytest.raises(EngineError, match=name.replace(".", r"\.")):
            read_pack(folder)


def test_a_file_that_is_not_listed(tmp_path: Path) -> None:
    folder = make_speech_pack(tmp_path / "speech")
    manifest = json.loads((folder / "pack.json").read_text("utf-8"))
    manifest["files"] = [file for file in manifest["files"] if file["name"] != "encoder.weights"]
    (folder / "pack.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(EngineError, match=r"does not list encoder\.weights"):
        read_pack(folder)


def test_the_kind_must_be_what_the_configuration_says(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"says language, but genai_config\.json describes a speech model"):
        read_pack(make_speech_pack(tmp_path / "speech", kind="language"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "llama"}, "several parts"),
        ({"vision": {"filename": "vision.onnx"}}, "several parts"),
        ({"encoder_decoder_init": {"filename": "init.onnx"}}, "several parts"),
        ({"encoder": None}, r"model\.encoder\.num_attention_heads|model\.encoder\.filename"),
        ({"encoder": without("encoder", "filename")}, r"model\.encoder\.filename"),
        ({"encoder": without("encoder", "head_size")}, r"model\.encoder\.head_size"),
        ({"encoder": {**without("encoder"), "filename": "../encoder.onnx"}}, r"model\.encoder\.filename"),
        ({"encoder": {**without("encoder"), "filename": "decoder.onnx"}}, "two files"),
        ({"encoder": {**without("encoder"), "num_hidden_layers": -1}}, r"model\.encoder\.num_hidden_layers"),
        (
            {"encoder": {**without("encoder"), "outputs": {"cross_present_key_names": "key"}}},
            "must hold %d once",
        ),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        read_pack(make_foreign_speech(tmp_path / "wrong", **changes))


def test_names_of_tensors_that_are_not_given(tmp_path: Path) -> None:
    folder = make_foreign_speech(
        tmp_path / "short", encoder=without("encoder", "inputs", "outputs", "hidden_size")
    )
    encoder = read_pack(folder).config.encoder
    assert encoder is not None
    assert (encoder.hidden_size, encoder.audio_features) == (8, "audio_features")
    assert encoder.cross_present_value(1) == "present_value_cross_1"


def test_the_encoder_is_imported_too(store: Store, tmp_path: Path) -> None:
    folder = make_foreign_speech(tmp_path / "Theirs")
    list(store.import_path(folder, Cancel()))
    assert {path.name for path in store.get("Theirs").folder.iterdir()} == FILES
    archive = tmp_path / "语音.zip"
    own = make_speech_pack(tmp_path / "own")
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in own.iterdir():
            zipped.write(path, path.name)
    list(store.import_path(archive, Cancel()))
    assert store.get("tiny-speech").kind == "speech"


def test_a_pack_is_chosen_among_its_kind(store: Store) -> None:
    assert store.best(kind="speech") is None
    with pytest.raises(EngineError, match=r"No speech model is installed.*whisper-base"):
        store.choose(None, "speech")
    make_speech_pack(store.packs_folder / "speech")
    assert store.best() is None
    with pytest.raises(EngineError, match=r"No model is installed.*smollm2"):
        store.choose(None)
    make_foreign(store.packs_folder / "chat")
    for memory_bytes in (1, 1 << 50):
        chat, speech = store.best(memory_bytes), store.best(memory_bytes, "speech")
        assert chat is not None and speech is not None
        assert (chat.name, speech.name) == ("chat", "speech")
    assert store.choose(None, "speech").name == "speech"
    assert (
        store.choose("Speech").kind == "speech"
    )  # by name whatever it is: the model says that it does not fit


def test_the_wrong_kind_is_one_clear_line(store: Store) -> None:
    speech = read_pack(make_speech_pack(store.packs_folder / "speech"))
    chat = read_pack(make_pack(store.packs_folder / "chat"))
    require_kind(speech, "speech")
    require_kind(chat, "language")
    with pytest.raises(EngineError, match=r"Tiny 测试 chats; it cannot transcribe.*models add whisper-base"):
        require_kind(chat, "speech")
    with pytest.raises(
        EngineError, match=r"Tiny speech 测试 transcribes speech; it cannot chat.*pollux transcribe"
    ):
        LanguageModel.open(speech)


def test_a_damaged_encoder(tmp_path: Path) -> None:
    folder = make_foreign_speech(tmp_path / "damaged")
    (folder / "encoder.onnx").write_bytes(model()[:-1] + b"\xff\xff")
    with pytest.raises(EngineError, match=r"encoder\.onnx"):
        read_pack(folder)
