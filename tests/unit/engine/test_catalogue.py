"""The catalogue that ships, and catalogues that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.catalogue import read_catalogue
from engine.errors import EngineError
from engine.folders import resources_folder


def test_the_catalogue_that_ships() -> None:
    catalogue = read_catalogue()
    assert catalogue.default.name == "smollm2-135m"
    assert {entry.name for entry in catalogue.entries} >= {"qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"}
    for entry in catalogue.entries:
        assert entry.source.carriers
        if entry.kind == "image":  # the exporter gets a picture network, too
            assert entry.source.total_bytes < entry.download_bytes
        else:
            assert entry.source.total_bytes == entry.download_bytes
        assert entry.licence and entry.summary and entry.source.origin


def test_speech_is_a_kind_of_its_own() -> None:
    catalogue = read_catalogue()
    whisper = catalogue.default_for("speech")
    assert (whisper.name, whisper.kind) == ("whisper-base", "speech")
    assert catalogue.default_for("language") == catalogue.default
    assert len(set(whisper.languages)) == 99 and whisper.speaks("zh-Hans") and whisper.speaks("jv")
    assert {extra.file for extra in whisper.source.extras} == {
        "config.json",
        "tokenizer.json",
        "vocabulary.json",
    }
    assert {extra.carrier.package for extra in whisper.source.extras} == {whisper.source.carriers[1].package}
    assert catalogue.recommended(1 << 50, kind="speech") == whisper
    assert catalogue.for_language("th", 1 << 50, "speech") == whisper
    assert catalogue.recommended(whisper.memory_bytes - 1, kind="speech") is None
    for language in ("en", "la", None):  # it never answers
        chat = catalogue.recommended(whisper.memory_bytes, language)
        assert chat is None or chat.kind == "language"
    with pytest.raises(KeyError):
        catalogue.default_for("smell")


def test_images_are_a_kind_of_their_own() -> None:
    catalogue = read_catalogue()
    captioner = catalogue.default_for("image")
    assert (captioner.name, captioner.family) == ("pollux-captioner", "captioner")
    assert "non-commercial" in captioner.licence and captioner.pack_bytes <= 130_000_000
    assert captioner.source == catalogue.default.source  # the decoder's weights are those of chat
    assert catalogue.recommended(1 << 50, kind="image") == captioner
    assert catalogue.recommended(1 << 50) != captioner != catalogue.recommended(1 << 50, kind="speech")


def test_choosing() -> None:
    catalogue = read_catalogue()
    best = catalogue.get("qwen2.5-coder-1.5b")
    assert catalogue.recommended(64_000_000_000) == best
    small = catalogue.recommended(best.memory_bytes - 1)
    assert small is not None and small.name == "qwen2.5-coder-0.5b"
    chinese = catalogue.for_language("zh-Hans-CN", best.memory_bytes)
    assert chinese == best
    assert catalogue.for_language("zh", 500_000_000) is None
    assert catalogue.recommended(1) is None
    assert not catalogue.default.speaks("zh_CN") and catalogue.default.speaks("en-GB")


def test_near_names() -> None:
    with pytest.raises(EngineError, match=r"no model called .smollm2.*Did you mean smollm2-135m"):
        read_catalogue().get("smollm2")
    with pytest.raises(EngineError, match="These are known"):
        read_catalogue().get("zzzzzz")
    with pytest.raises(EngineError, match=r"\{name\}"):
        read_catalogue().get("{name}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("display_name", "displayname"),
        ("parameters = 134_515_008", 'parameters = "many"'),
        ("default = true", ""),
        ("quality = 10", "quality = true"),
        ('sha256 = "b1', 'sha256 = "x1'),
        ("[[model]]", "[[models]]"),
        ("format = ", "form at = "),
        ("member = ", "place = "),
        ('kind = "speech"', 'kind = "smell"'),
        ('kind = "speech"\n', ""),  # two defaults of one kind
        ('sha256 = "56', 'sha256 = "x6'),
        ("size_bytes = 2_309", "size_bytes = 2.3"),
        ('hub_repo = ""', ""),
        ("[[model.source.extras]]", "[[model.source.carriers]]"),
    ],
)
def test_a_wrong_catalogue(tmp_path: Path, old: str, new: str) -> None:
    text = (resources_folder() / "catalogue.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(EngineError, match="catalogue of models cannot be read"):
        read_catalogue(path)
