"""The table of the classes that pictures are sorted into: whole, in order, and refused where it is not."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.folders import resources_folder
from engine.labels import Label, load_labels

TABLE = resources_folder() / "labels" / "imagenet.tsv"


def test_every_class_has_its_names() -> None:
    labels = load_labels(TABLE)
    assert len(labels) == 1000
    for label in labels:
        assert label.noun == label.noun.lower()
        assert re.search("[\u4e00-\u9fff]", label.name_zh), label
        assert re.search("[\u4e00-\u9fff]", label.noun_zh), label
        assert not re.search("[\u4e00-\u9fff]", label.name + label.noun), label
        assert label.name == label.name.strip() and label.noun == label.noun.strip()


def test_the_order_is_imagenets() -> None:
    labels = load_labels(TABLE)
    known = {
        0: "tench",
        1: "goldfish",
        9: "ostrich",
        151: "Chihuahua",
        207: "golden retriever",
        268: "Mexican hairless",
        281: "tabby cat",
        340: "zebra",
        388: "giant panda",
        404: "airliner",
        508: "computer keyboard",
        620: "laptop",
        717: "pickup truck",
        805: "soccer ball",
        866: "tractor",
        920: "traffic light",
        954: "banana",
        963: "pizza",
        980: "volcano",
        999: "toilet paper",
    }
    assert {index: labels[index].name for index in known} == known
    assert {label.noun for label in labels[151:269]} == {"dog"}


def test_a_noun_has_one_chinese_word() -> None:
    words = defaultdict(set)
    for label in load_labels(TABLE):
        words[label.noun].add(label.noun_zh)
    assert [noun for noun, found in words.items() if len(found) > 1] == []


HEADER = "index\tname\tnoun\tzh\tnoun_zh\n"


def test_a_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text(HEADER + "0\tpug\tdog\t巴哥犬\t狗\n", encoding="utf-8")
    assert load_labels(tmp_path / "labels.tsv") == (Label("pug", "dog", "巴哥犬", "狗"),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "index\tname\n",
        HEADER + "1\tpug\tdog\t巴哥犬\t狗\n",
        HEADER + "0\tpug\tdog\n",
        HEADER + "0\tpug\t\t巴哥犬\t狗\n",
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(EngineError, match=r"labels\.tsv") as caught:
        load_labels(tmp_path / "labels.tsv")
    assert caught.value.hint


def test_a_missing_table_and_one_in_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        load_labels(tmp_path / "none.tsv")
    (tmp_path / "labels.tsv").write_bytes(HEADER.encode() + "0\tpug\tdog\t巴哥犬\t狗\n".encode("gb18030"))
    with pytest.raises(EngineError):
        load_labels(tmp_path / "labels.tsv")
