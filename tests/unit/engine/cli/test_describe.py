"""``pollux describe`` and ``Pollux.describe_image``, with a model that sees a brown dog everywhere."""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from engine import Pollux
from engine.__main__ import main
from engine.cancel import Cancel
from engine.errors import EngineError
from engine.folders import packs_folder
from engine.media.ocr import TextReader
from engine.packs import Pack, read_pack
from engine.results import TextLine
from engine.runtime import image_model
from engine.runtime.captions import Caption, CaptionOptions
from engine.runtime.language_model import LanguageModel
from tests.unit.engine.pack_maker import make_image_pack, make_pack
from tests.unit.engine.tasks.fake_image_model import FakeChat, FakeImageModel, FakeReader, line, save_picture

Output = pytest.CaptureFixture[str]
SENTENCE = "A brown dog runs through the grass."


class Opened:
    """The models of a run."""

    def __init__(self) -> None:
        self.image = FakeImageModel()
        self.chat = FakeChat("A brown dog, likely a golden retriever, runs through green grass.")
        self.lines: tuple[TextLine, ...] = ()
        self.chats: list[str] = []
        self.readers: list[FakeReader] = []
        self.devices: list[tuple[str, int]] = []


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    made = Opened()

    def open_image(pack: Pack, device: str = "auto", threads: int = 0) -> FakeImageModel:
        made.devices.append((device, threads))
        made.image.pack = pack
        return made.image

    def open_chat(pack: Pack, device: str = "auto", threads: int = 0) -> FakeChat:
        made.chats.append(pack.name)
        made.chat.pack = pack
        return made.chat

    def open_reader(threads: int = 0) -> FakeReader:
        made.readers.append(FakeReader(made.lines))
        return made.readers[-1]

    monkeypatch.setattr(image_model, "open_image_model", open_image)
    monkeypatch.setattr(LanguageModel, "open", open_chat)
    monkeypatch.setattr(TextReader, "open", open_reader)
    make_image_pack(packs_folder() / "tiny-captioner")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them broken, and a note."""
    made = tmp_path / "照片 测试 ü"
    for name in ("狗 2.png", "狗 10.jpg"):
        save_picture(made / name)
    (made / "坏.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (made / "note.txt").write_text("no picture", "utf-8")
    return made


@pytest.fixture
def photo(folder: Path) -> Path:
    return folder / "狗 10.jpg"


def big_chat(languages: tuple[str, ...] = ("en", "zh-Hans")) -> None:
    """Install a chat model that is large enough to write descriptions."""
    made = make_pack(packs_folder() / "big")
    values = json.loads((made / "pack.json").read_text("utf-8"))
    values |= {"parameters": 3_000_000_000, "languages": list(languages)}
    (made / "pack.json").write_text(json.dumps(values), "utf-8")


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_one_picture_gives_its_text(photo: Path, opened: Opened, capsys: Output) -> None:
    assert main(["describe", str(photo), "--device", "cpu", "--threads", "2"]) == 0
    out, err = capsys.readouterr()
    assert out == SENTENCE + "\n" and err == ""
    assert opened.devices == [("cpu", 2)] and opened.image.closed == 1
    assert opened.readers == [] and opened.chats == []  # nobody would see what they give


def test_several_pictures_are_named(folder: Path, photo: Path, capsys: Output) -> None:
    assert main(["describe", str(photo), str(folder / "狗 2.png")]) == 0
    assert capsys.readouterr().out == f"狗 10.jpg: {SENTENCE}\n狗 2.png: {SENTENCE}\n"


def test_a_folder_gives_a_table_with_what_is_broken(folder: Path, opened: Opened, capsys: Output) -> None:
    opened.lines = (line("TAXI"), line("No. 7"))
    assert main(["describe", str(folder)]) == 1
    out, err = capsys.readouterr()
    rows = table(out)
    assert [Path(row["file"]).name for row in rows] == ["坏.jpg", "狗 2.png", "狗 10.jpg"]
    assert rows[0]["error"] and not rows[0]["description"]
    assert rows[1]["description"] == SENTENCE and rows[1]["text"] == "TAXI\nNo. 7"
    assert rows[1]["subjects"].startswith("golden retriever") and rows[1]["model"] == "tiny-captioner"
    (problem,) = err.splitlines()
    assert problem.startswith("pollux: ") and "坏.jpg" in problem


def test_json_has_stable_keys(folder: Path, photo: Path, opened: Opened, capsys: Output) -> None:
    opened.lines = (line("TAXI"), line("No. 7"))
    assert main(["describe", "--json", str(photo), str(folder / "坏.jpg")]) == 1
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert set(good) >= set(
        "file caption confidence unsure subjects text description style language colours width_px height_px taken "
        "place camera model composed_by wall_s".split()
    )
    assert good["file"] == str(photo) and good["description"] == SENTENCE and good["text"] == "TAXI\nNo. 7"
    assert good["subjects"][0] == {"name": "golden retriever", "name_zh": "金毛犬", "confidence": 0.9}
    assert set(bad) == {"file", "error"}


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.jsonl", "out.txt"])
def test_output_goes_into_a_file(folder: Path, tmp_path: Path, name: str, capsys: Output) -> None:
    target = tmp_path / "出 ü" / name
    target.parent.mkdir()
    assert main(["describe", str(folder), "-o", str(target)]) == 1
    assert capsys.readouterr().out == f"{target}\n"
    text = target.read_text("utf-8")
    if name == "out.csv":
        assert text.startswith("\ufeff") and len(table(text)) == 3
    elif name == "out.json":
        assert [bool(each.get("error")) for each in json.loads(text)] == [True, False, False]
    elif name == "out.jsonl":
        assert len(text.splitlines()) == 3
    else:
        assert text == f"狗 2.png: {SENTENCE}\n狗 10.jpg: {SENTENCE}\n"
    assert [each.name for each in target.parent.iterdir()] == [name]


def test_the_output_never_replaces_a_picture(folder: Path, photo: Path, capsys: Output) -> None:
    before = photo.read_bytes()
    assert main(["describe", str(folder), "-o", str(photo)]) == 1
    assert main(["describe", str(photo), "--overlay", str(photo)]) == 1
    assert main(["describe", str(photo), "-o", str(folder)]) == 1
    assert capsys.readouterr().err.count("\n") == 3 and photo.read_bytes() == before


def test_alternative_text(photo: Path, opened: Opened, capsys: Output) -> None:
    opened.lines = (line("STOP", 0.2),)
    opened.image.text = "a stop sign on a street"
    assert main(["describe", str(photo), "--style", "alt"]) == 0
    assert capsys.readouterr().out == 'Sign that reads "STOP". A stop sign on a street.\n'
    assert main(["describe", str(photo), "--style", "alt", "--no-text"]) == 0
    assert capsys.readouterr().out == "A stop sign on a street (golden retriever).\n"


def test_details_are_written_by_a_chat_model(photo: Path, opened: Opened, capsys: Output) -> None:
    assert main(["describe", str(photo), "--style", "detailed"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(SENTENCE + " It shows golden retriever.") and "a larger chat model" in err
    big_chat()
    assert main(["describe", str(photo), "--style", "detailed", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["description"] == opened.chat.answers[0] and values["composed_by"] == "big"
    assert opened.chats == ["big"] and opened.chat.closed == 1


def test_chinese(photo: Path, opened: Opened, capsys: Output) -> None:
    assert main(["describe", str(photo), "--language", "Chinese"]) == 0
    out, err = capsys.readouterr()
    assert out == SENTENCE + "\n" and "No model that knows Chinese" in err
    big_chat()
    opened.chat.answers = ["一只棕色的狗跑过草地。"]
    assert main(["describe", str(photo), "--language", "zh"]) == 0
    assert capsys.readouterr().out == "一只棕色的狗跑过草地。\n"
    assert main(["describe", str(photo), "--language", "French"]) == 1
    assert "cannot be described in fr" in capsys.readouterr().err


def test_questions(photo: Path, opened: Opened, capsys: Output) -> None:
    assert main(["describe", str(photo), "--question", "What is it?"]) == 1
    assert "answers no questions" in capsys.readouterr().err
    big_chat()
    opened.chat.answers = ["It is a dog."]
    assert main(["describe", str(photo), "--question", "What is it?"]) == 0
    out, err = capsys.readouterr()
    assert out == "It is a dog.\n" and "cannot see the picture" in err


def test_text_files_and_metadata(folder: Path, photo: Path, capsys: Output) -> None:
    before = photo.read_bytes()
    command = ["describe", str(folder), "--sidecar", "--write-metadata"]
    assert main(command) == 1 and "nobody can be asked" in capsys.readouterr().err
    assert photo.read_bytes() == before
    assert main([*command, "--yes"]) == 1  # one is broken
    assert photo.with_suffix(".txt").read_text("utf-8") == SENTENCE + "\n"
    with Image.open(photo) as image:
        assert SENTENCE.encode() in image.info["xmp"]
    assert photo.with_name("狗 10.original.jpg").read_bytes() == before
    photo.with_suffix(".txt").write_text("mine", "utf-8")
    capsys.readouterr()
    assert main(["describe", str(photo), "--sidecar"]) == 1
    assert "is there already" in (err := capsys.readouterr().err) and "--yes" in err
    assert photo.with_suffix(".txt").read_text("utf-8") == "mine"


def test_overlays(folder: Path, photo: Path, capsys: Output) -> None:
    one = folder / "看.png"
    assert main(["describe", str(photo), "--overlay", str(one)]) == 0
    with Image.open(one) as image:
        assert image.format == "PNG" and image.width > 200
    one.unlink()
    many = folder.parent / "看 ü"
    assert main(["describe", str(folder), "--overlay", str(many)]) == 1  # one is broken
    assert sorted(path.name for path in many.iterdir()) == ["狗 10.overlay.png", "狗 2.overlay.png"]
    capsys.readouterr()


def test_ctrl_c_keeps_what_is_done(
    folder: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    (folder / "坏.jpg").unlink()
    see = FakeImageModel.caption

    def interrupted(self: FakeImageModel, pixels: Any, options: CaptionOptions, cancel: Cancel) -> Caption:
        made = see(self, pixels, options, cancel)
        if len(self.seen) == 2:
            heard = threading.Event()
            with cancel.interrupting(heard.set):
                signal.raise_signal(signal.SIGINT)
                heard.wait(5)
            made = replace(made, reason="cancelled")
        return made

    monkeypatch.setattr(FakeImageModel, "caption", interrupted)
    assert main(["describe", str(folder), "--sidecar"]) == 130
    out, err = capsys.readouterr()
    assert [Path(row["file"]).name for row in table(out)] == ["狗 2.png"]
    assert "Stopped; 1 of 2 were described." in err
    assert (folder / "狗 2.txt").exists() and not (folder / "狗 10.txt").exists()


def test_nothing_to_describe(folder: Path, tmp_path: Path, capsys: Output) -> None:
    empty = tmp_path / "空"
    empty.mkdir()
    assert main(["describe", str(empty)]) == 1
    assert "There is no picture in" in capsys.readouterr().err
    assert main(["describe", str(folder / "none.jpg")]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "none.jpg" in err
    assert main(["describe"]) == 2
    assert main(["describe", "--json", "--csv", "x.jpg"]) == 2


def test_no_image_model(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.setenv("POLLUX_HOME", str(tmp_path / "other"))
    assert main(["describe", str(photo)]) == 1
    (problem,) = capsys.readouterr().err.splitlines()
    assert problem == (
        "pollux: No image model is installed. Add one, for example with: pollux models add pollux-captioner"
    )


def test_python(photo: Path, opened: Opened) -> None:
    opened.lines = (line("TAXI"),)
    with Pollux.load() as pollux:  # only an image model is installed
        assert pollux.pack.name == "tiny-captioner" and pollux.provider == "CPU"
        found = pollux.describe_image(photo)
        assert str(found) == found.text == SENTENCE and found.findings.text == opened.lines
        assert str(pollux.describe_image(str(photo), style="alt", read_text=False)).startswith(SENTENCE[:-1])
        with pytest.raises(EngineError, match="answers no questions"):
            pollux.describe_image(photo, question="What is it?")
        with pytest.raises(TypeError):
            pollux.describe_image(photo, nonsense=1)
        big_chat()
        opened.chat.answers = ["It is a dog."]
        for _ in range(2):
            assert str(pollux.describe_image(photo, question="What is it?")) == "It is a dog."
        assert opened.chats == ["big"] and len(opened.readers) == 1
    assert opened.image.closed == 1 and opened.chat.closed == 1
    with pytest.raises(EngineError, match="closed"):
        pollux.describe_image(photo)


def test_a_video_gives_a_line_for_each_scene(folder: Path, photo: Path, capsys: Output) -> None:
    video = folder / "片 ü.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for number in range(40):
            scene = np.random.default_rng(number // 20).integers(0, 256, (4, 4, 3), np.uint8)
            pixels = np.repeat(np.repeat(scene, 16, axis=0), 16, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    assert main(["describe", str(video)]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert len(lines) >= 2 and all(re.fullmatch(rf"0:0\d  {SENTENCE}", each) for each in lines) and err == ""
    assert main(["describe", "--csv", str(video), str(photo)]) == 0
    first, *frames = table(capsys.readouterr().out)
    assert first["file"] == str(photo) and frames[0]["file"].startswith(f"{video}#t=")
    assert main(["describe", "--json", str(video)]) == 0
    times = [json.loads(each)["at_s"] for each in capsys.readouterr().out.splitlines()]
    assert times == sorted(times) and len(times) == len(lines)
    video.write_bytes(b"no film")
    assert main(["describe", str(video), str(photo)]) == 1
    out, err = capsys.readouterr()
    assert out == f"狗 10.jpg: {SENTENCE}\n" and video.name in err and err.count("\n") == 1


def test_a_model_card(tmp_path: Path) -> None:
    pack = read_pack(make_image_pack(tmp_path / "卡", card="# Card\nTrained on photos."))
    assert pack.card is not None and pack.card_text().startswith("# Card")
    plain = read_pack(packs_folder() / "tiny-captioner")
    assert plain.card is None and plain.card_text() == ""
    assert plain.speaks("zh") and plain.speaks("en-GB") and not plain.speaks("fr")
