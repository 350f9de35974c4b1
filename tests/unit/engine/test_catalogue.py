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
        assert entry.source.size_bytes == entry.download_bytes
        assert entry.licence and entry.summary


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
    ],
)
def test_a_wrong_catalogue(tmp_path: Path, old: str, new: str) -> None:
    text = (resources_folder() / "catalogue.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(EngineError, match="catalogue of models cannot be read"):
        read_catalogue(path)
