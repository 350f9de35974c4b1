"""Several questions about one picture: each model is told what was asked and answered before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from engine.cancel import Cancel
from engine.packs import read_pack
from engine.results import Described, Finished, Notice, Progress
from engine.runtime.vision_chat_model import VisionChatModel
from engine.tasks.describe import DescribeOptions, describe
from engine.tasks.describe_journal import PictureJournal
from engine.tasks.describe_options import Asked
from tests.unit.engine.tasks.fake_image_model import FakeChat, FakeImageModel, FakeReader, green_picture, line

TINY_PACK = Path(__file__).parents[1] / "runtime" / "data" / "tiny_vision_pack"
EARLIER = (Asked("What is it?", "A dog."), Asked("Which colour?", "Brown, I think."))


def ask(
    model: Any, question: str, earlier: tuple[Asked, ...], chat: FakeChat | None = None, **options: Any
) -> tuple[Described, list[Notice]]:
    """The end, and what was said besides."""
    chosen = DescribeOptions(question=question, earlier=earlier, **options)
    reader = cast(Any, FakeReader((line("TAXI"),)))
    items = list(describe(model, green_picture(), chosen, Cancel(), cast(Any, chat), reader))
    ended = items[-1]
    assert isinstance(ended, Described)
    return ended, [item for item in items if isinstance(item, Notice)]


def test_a_model_that_sees_is_told_what_was_asked_before() -> None:
    model = FakeImageModel(answers_questions=True)
    ended, notices = ask(model, " And how old? ", EARLIER)
    assert ended.text == model.answer and notices == []
    (turns,) = model.talks
    assert [(turn.role, turn.text) for turn in turns] == [
        ("user", "What is it?"),
        ("assistant", "A dog."),
        ("user", "Which colour?"),
        ("assistant", "Brown, I think."),
        ("user", "And how old?"),
    ]
    assert [len(turn.pictures) for turn in turns] == [1, 0, 0, 0, 0]
    # A description is made as if nothing had been asked.
    ask(model, "", EARLIER, style="detailed")
    assert len(model.talks[1]) == 1


def test_a_model_that_is_told_the_findings_is_told_what_was_asked_before() -> None:
    chat = FakeChat("It does not say.")
    _, notices = ask(FakeImageModel(), "And how old?", EARLIER, chat)
    assert [notice.code for notice in notices] == ["answered_from_findings"]
    (prompt,) = chat.prompts
    # First what was said, then how to answer, then the facts with the question.
    texts = [text for each in EARLIER for text in (each.question, each.answer)]
    places = [prompt.index(text) for text in (*texts, "What is her name?", '"TAXI"', "And how old?")]
    assert places == sorted(places)


def test_the_oldest_questions_go_where_the_context_is_short() -> None:
    long = (*(Asked(f"What about {number}?", "word " * 50) for number in range(8)), *EARLIER)
    chat = FakeChat("It does not say.")
    ask(FakeImageModel(), "And how old?", (), chat)
    chat.context_limit_tokens = len(chat.tokenizer.encode(chat.prompts[0])) + 160 + 700
    _, notices = ask(FakeImageModel(), "And how old?", long, chat)
    dropped = notices[-1]
    assert dropped.code == "turns_dropped" and dropped.values["limit"] == chat.context_limit_tokens
    gone = int(str(dropped.values["count"])) // 2
    assert 0 < gone < 8
    prompt = chat.prompts[-1]
    assert f"What about {gone - 1}?" not in prompt and f"What about {gone}?" in prompt
    assert "What is her name?" in prompt and '"TAXI"' in prompt  # the examples and the facts stay
    assert "And how old?" in prompt
    # No room at all for what was asked before.
    _, notices = ask(FakeImageModel(), "And how old?", (Asked("What?", "word " * 5000),), chat)
    assert [notice.values.get("count") for notice in notices] == [None, 2]
    assert "What is her name?" in chat.prompts[-1] and '"TAXI"' in chat.prompts[-1]


@pytest.fixture
def tiny() -> Iterator[VisionChatModel]:
    model = VisionChatModel.open(read_pack(TINY_PACK), "cpu", threads=1)
    yield model
    model.close()


@pytest.fixture
def ends(tiny: VisionChatModel, monkeypatch: pytest.MonkeyPatch) -> list[Finished]:
    """How each run of the tiny model ended."""
    real, seen = tiny.chat, []

    def watched(*arguments: Any) -> Iterator[Any]:
        for item in real(*arguments):
            if isinstance(item, Finished):
                seen.append(item)
            yield item

    monkeypatch.setattr(tiny, "chat", watched)
    return seen


@pytest.mark.parametrize("language", ["en", "zh"])
def test_reading_a_picture_tile_by_tile_is_told(tiny: VisionChatModel, language: str) -> None:
    chosen = DescribeOptions(question="What is it?", language=language)
    items = list(describe(tiny, green_picture(), chosen, Cancel(), None, None))
    steps = [item for item in items if isinstance(item, Progress) and item.stage == "describe"]
    tiles = [item for item in steps if item.total != 3]
    assert [item.done for item in tiles] == list(range(len(tiles))) and tiles[-1].done == tiles[-1].total
    # Between our own steps, so that the last of all is the end.
    assert [(item.done, item.total) for item in (*steps[:2], steps[-1])] == [(0, 3), (1, 3), (3, 3)]


def test_the_second_question_reads_only_what_is_new(tiny: VisionChatModel, ends: list[Finished]) -> None:
    ask(tiny, "What is it?", ())
    ask(tiny, "And now?", (Asked("What is it?", "A dog."),))
    first, second = ends
    assert first.cached_tokens == 0
    # Read anew: the answer, which these weights would have worded otherwise, and the question, in bytes for the most part.
    assert second.cached_tokens >= first.prompt_tokens > 50
    assert 0 < second.prompt_tokens - second.cached_tokens < 40


def test_the_picture_stays_where_the_first_questions_go(tiny: VisionChatModel, ends: list[Finished]) -> None:
    ask(tiny, "What?", ())
    talk = tuple(Asked(f"What is {number}?", "It is the dog. " * 3) for number in range(12))
    _, notices = ask(tiny, "And now?", talk)
    (dropped,) = notices
    assert dropped.code == "turns_dropped" and 0 < int(str(dropped.values["count"])) < 24
    assert ends[1].prompt_tokens > ends[0].prompt_tokens  # in tiles as before


def test_what_was_asked_is_no_matter_of_the_journal(tmp_path: Path) -> None:
    plain, later = DescribeOptions(), DescribeOptions(earlier=EARLIER)
    assert PictureJournal(tmp_path, "m", plain).path == PictureJournal(tmp_path, "m", later).path
