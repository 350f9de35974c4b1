"""What a description is made of, with models that say what they are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.image import Picture
from engine.results import Described, Notice, Progress, TextChunk
from engine.tasks.describe import DescribeOptions, describe, describe_file, wants_chat
from tests.unit.engine.tasks.fake_image_model import (
    FakeChat,
    FakeImageModel,
    FakeReader,
    green_picture,
    line,
    save_picture,
)


class Run:
    """One description and what came before it."""

    def __init__(
        self,
        model: FakeImageModel | None = None,
        chat: FakeChat | None = None,
        reader: FakeReader | None = None,
        picture: Picture | None = None,
        cancel: Cancel | None = None,
        **options: Any,
    ) -> None:
        made = describe(
            cast(Any, model or FakeImageModel()),
            picture or green_picture(),
            DescribeOptions(**options),
            cancel or Cancel(),
            cast(Any, chat),
            cast(Any, reader),
        )
        self.items = list(made)
        ended = self.items[-1]
        assert isinstance(ended, Described)
        assert sum(isinstance(item, Described) for item in self.items) == 1
        self.end = ended
        self.text = ended.text
        self.streamed = "".join(item.text for item in self.items if isinstance(item, TextChunk))
        self.codes = [item.code for item in self.items if isinstance(item, Notice)]


def test_a_short_description() -> None:
    run = Run(looks=True, reader=(reader := FakeReader((line("TAXI"),))))
    assert run.text == run.streamed == "A brown dog runs through the grass."
    end = run.end
    assert (end.reason, end.language, end.style, end.composed_by) == ("stop", "en", "short", "")
    assert (end.model, end.provider, end.confidence, end.unsure) == ("tiny-captioner", "CPU", 0.6, False)
    assert end.caption == "a brown dog runs through the grass ." and end.looks[1].word == "brown"
    assert end.caption[end.looks[1].start : end.looks[1].end] == "brown"
    found = end.findings
    assert (found.width_px, found.height_px, found.format) == (120, 80, "JPEG")
    assert found.subjects[0].name == "golden retriever" and found.colours[0].name_zh == "绿色"
    assert [each.text for each in found.text] == ["TAXI"] and reader.read_pictures == 1
    # The sentence is there before the text is read.
    kinds = [type(item) for item in run.items]
    assert kinds.index(TextChunk) < len(kinds) - 1 - kinds[::-1].index(Progress)
    assert run.codes == []


def test_text_is_not_read_where_nobody_wants_it() -> None:
    run = Run(reader=(reader := FakeReader((line("TAXI"),))), read_text=False)
    assert reader.read_pictures == 0 and run.end.findings.text == ()
    assert Run().end.findings.text == ()


def test_text_that_cannot_be_read_spoils_nothing() -> None:
    run = Run(reader=FakeReader(error=EngineError("The memory is full.")))
    assert run.codes == ["text_not_read"] and run.text.startswith("A brown dog")


def test_doubt_is_said() -> None:
    run = Run(FakeImageModel(confidence=0.2))
    assert run.end.unsure and run.text == "Perhaps: a brown dog runs through the grass."
    chat = FakeChat("一只棕色的狗在草地上奔跑。", languages=("en", "zh"))
    assert (
        Run(FakeImageModel(confidence=0.2), chat, language="zh").text == "可能是：一只棕色的狗在草地上奔跑。"
    )


def test_a_model_that_says_nothing() -> None:
    run = Run(FakeImageModel(text=""))
    assert "golden retriever" in run.text.casefold()
    run = Run(FakeImageModel(text="", probabilities=(), labels=()))
    assert run.text == "Its main colour is green. It is 120 pixels wide and 80 high."


# Detailed


def test_a_detailed_description_without_a_chat_model() -> None:
    picture = replace(green_picture(), taken="2024-05-03 14:22:10", place="Paris, France", camera="Canon X")
    run = Run(picture=picture, style="detailed", reader=FakeReader((line("TAXI"), line("No. 7"))))
    assert run.codes == ["plain_description"] and run.end.composed_by == ""
    assert (
        run.text
        == run.streamed
        == (
            "A brown dog runs through the grass. It shows golden retriever. "
            'The text in it reads "TAXI No. 7". Its main colour is green. '
            "It was taken on 3 May 2024, 14:22 in Paris, France with Canon X. It is 120 pixels wide and 80 high."
        )
    )


def test_a_small_chat_model_does_not_make_it_up() -> None:
    small = FakeChat("The dog loves its owner.", parameters=494_000_000)
    run = Run(chat=small, style="detailed")
    assert small.prompts == [] and run.codes == ["plain_description"] and "loves" not in run.text


def test_a_chat_model_is_told_the_facts_and_nothing_else() -> None:
    chat = FakeChat("A brown dog, likely a golden retriever, runs through green grass.")
    run = Run(chat=chat, style="detailed", reader=FakeReader((line("TAXI"),)))
    assert run.text == run.streamed == chat.answers[0]
    assert run.end.composed_by == "big-chat" and run.codes == []
    (prompt,) = chat.prompts
    for fact in ("Scene: A brown dog", "golden retriever", '"TAXI"', "Main colours: green"):
        assert fact in prompt
    assert "Taken" not in prompt and "120" not in prompt


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "It was taken in 1987.",
        "the dog runs and the dog runs and the dog runs and the dog runs and",
        "一只狗在草地上。",
    ],
)
def test_what_a_chat_model_makes_up_is_thrown_away(answer: str) -> None:
    run = Run(chat=FakeChat(answer), style="detailed")
    assert run.text.startswith("A brown dog runs through the grass.") and run.end.composed_by == ""


def test_an_endless_description_ends_with_a_sentence() -> None:
    chat = FakeChat("A brown dog runs. It is on gr")
    chat.reason = "length"
    assert Run(chat=chat, style="detailed").text == "A brown dog runs."


def test_a_model_that_converses_describes_in_detail_itself() -> None:
    model = FakeImageModel(answers_questions=True)
    run = Run(model, FakeChat("no"), style="detailed")
    assert run.text == run.streamed == model.answer and run.end.composed_by == ""


# Chinese


@pytest.mark.parametrize("style", ["short", "alt"])
def test_no_model_that_knows_chinese(style: str) -> None:
    for chat in (None, FakeChat("no")):
        run = Run(chat=chat, style=style, language="zh")
        assert run.codes == ["no_chinese_model"] and run.end.language == "en"
        assert run.text.startswith("A brown dog runs through the grass")


def test_the_details_are_chinese_without_any_model() -> None:
    picture = replace(green_picture(), taken="2024-05-03 14:22:10", latitude=48.5, longitude=-2.0)
    run = Run(picture=picture, style="detailed", language="zh", reader=FakeReader((line("出租车"),)))
    assert run.codes == ["no_chinese_model", "plain_description"] and run.end.language == "zh"
    assert run.text == (
        "A brown dog runs through the grass. 图中有金毛犬。图中文字：“出租车”。主要颜色是绿色。"
        "拍摄于2024年5月3日 14:22。拍摄地点：北纬 48.5000°，西经 2.0000°。图片宽120像素，高80像素。"
    )


def test_a_translated_description() -> None:
    chat = FakeChat("一只棕色的狗跑过草地", languages=("en", "zh-Hans"))
    run = Run(chat=chat, language="zh")
    assert run.text == run.streamed == "一只棕色的狗跑过草地。"
    assert (run.end.language, run.end.composed_by, run.codes) == ("zh", "big-chat", [])
    assert run.end.caption.startswith("a brown dog")
    assert "A brown dog runs through the grass." in chat.prompts[0]
    run = Run(chat=FakeChat("一只棕色的狗跑过草地。", languages=("zh",)), style="alt", language="zh")
    assert run.text == "一只棕色的狗跑过草地（金毛犬）。"


@pytest.mark.parametrize(
    "answer",
    ["", "A brown dog runs through the grass.", "好", "一只dog在grass里跑", "狗" * 80, "ok ok ok"],
)
def test_a_translation_that_is_none(answer: str) -> None:
    run = Run(chat=FakeChat(answer, languages=("en", "zh")), language="zh")
    if answer.startswith("一只"):  # what the list of words knows is mended
        return
    assert run.codes == ["not_translated"] and run.end.language == "en" and run.end.composed_by == ""
    assert run.text == "A brown dog runs through the grass."


def test_a_chinese_chat_model_composes_in_chinese() -> None:
    chat = FakeChat("一只狗跑过草地。", "草地上有一只奔跑的金毛犬，画面以绿色为主。", languages=("en", "zh"))
    run = Run(chat=chat, style="detailed", language="zh")
    assert run.text == run.streamed == chat.answers[0] and run.end.language == "zh"
    assert "画面：一只狗跑过草地。" in chat.prompts[1] and "金毛犬" in chat.prompts[1]


# Questions


def test_a_question_to_a_model_that_sees() -> None:
    model = FakeImageModel(answers_questions=True)
    run = Run(model, question="  What is it? ")
    assert run.text == run.streamed == model.answer and model.asked == ["What is it?"]
    assert run.codes == [] and model.seen == [] and run.end.composed_by == ""


def test_a_chinese_question_to_a_model_that_sees() -> None:
    model = FakeImageModel(answers_questions=True)
    run = Run(model, question="这是什么？")
    assert run.text == run.streamed == model.answer and run.codes == ["no_chinese_model"]
    chat = FakeChat("一只狗，从侧面看。", languages=("zh",))
    run = Run(model, chat, question="这是什么？")
    assert run.text == run.streamed == "一只狗，从侧面看。" and run.codes == []
    assert (run.end.language, run.end.composed_by) == ("zh", "big-chat")
    assert Run(model, FakeChat("no", languages=("zh",)), question="What?", language="zh").codes == [
        "not_translated"
    ]
    model.answer = "一只狗。"
    assert Run(model, chat, question="这是什么？").end.composed_by == ""


def test_a_question_answered_from_what_was_found() -> None:
    chat = FakeChat("It is green.")
    run = Run(chat=chat, question="What colour is it?", reader=FakeReader((line("TAXI"),)))
    assert run.text == run.streamed == "It is green."
    assert run.codes == ["answered_from_findings"] and run.end.composed_by == "big-chat"
    assert "What colour is it?" in chat.prompts[0] and '"TAXI"' in chat.prompts[0]
    assert run.end.caption.startswith("a brown dog")


def test_chinese_questions() -> None:
    chat = FakeChat("绿色。", languages=("en", "zh"))
    run = Run(chat=chat, question="什么颜色？")
    assert run.text == "绿色。" and run.end.language == "zh" and "主要颜色：绿色" in chat.prompts[0]
    with pytest.raises(EngineError, match="Big chat does not know Chinese"):
        Run(chat=FakeChat("no"), question="什么颜色？")
    run = Run(chat=FakeChat("Green."), question="What colour?", language="zh")
    assert run.end.language == "en" and "no_chinese_model" in run.codes


def test_nobody_can_answer() -> None:
    with pytest.raises(EngineError, match=r"answers no questions.*pollux models add"):
        Run(question="What is it?")


# Stopping, options


def test_stopped_while_it_is_seen() -> None:
    run = Run(FakeImageModel(cancel_itself=True), reader=(reader := FakeReader()), style="detailed")
    assert run.end.reason == "cancelled" and run.text == "A brown dog runs through the grass."
    assert reader.read_pictures == 0


def test_stopped_while_it_is_written() -> None:
    cancel = Cancel()
    chat = FakeChat("A brown dog runs and runs.")
    chat.midway = cancel.set
    run = Run(chat=chat, style="detailed", cancel=cancel)
    assert run.end.reason == "cancelled" and run.text == "A" and run.end.composed_by == "big-chat"
    cancel = Cancel()
    chat = FakeChat("一只 狗", languages=("zh",))
    chat.midway = cancel.set
    run = Run(chat=chat, language="zh", cancel=cancel)
    assert run.end.reason == "cancelled" and run.text == "A brown dog runs through the grass."
    assert run.end.language == "en" and run.codes == []


def test_options_that_are_none() -> None:
    for wrong in ({"style": "long"}, {"language": "xx"}, {"question": "x" * 3000}):
        with pytest.raises(EngineError):
            DescribeOptions(**cast(Any, wrong))


def test_when_a_chat_model_is_wanted() -> None:
    sees, plain = cast(Any, FakeImageModel(answers_questions=True)), cast(Any, FakeImageModel())
    assert not wants_chat(DescribeOptions(), plain) and not wants_chat(DescribeOptions("alt"), plain)
    assert wants_chat(DescribeOptions("detailed"), plain) and not wants_chat(
        DescribeOptions("detailed"), sees
    )
    assert wants_chat(DescribeOptions(question="?"), plain) and not wants_chat(
        DescribeOptions(question="?"), sees
    )
    assert wants_chat(DescribeOptions(language="zh"), sees)
    assert wants_chat(DescribeOptions(question="什么？"), sees)


def test_files(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "测试 ü" / "狗.png")
    *_, end = describe_file(cast(Any, FakeImageModel()), path, DescribeOptions(), Cancel())
    assert isinstance(end, Described) and end.findings.format == "PNG"
    broken = path.with_name("坏.jpg")
    broken.write_bytes(path.read_bytes()[:60])
    with pytest.raises(EngineError):
        list(describe_file(cast(Any, FakeImageModel()), broken, DescribeOptions(), Cancel()))
