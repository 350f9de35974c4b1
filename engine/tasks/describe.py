"""Describes a picture, or answers a question about it.

pixels → image model → caption → with what else was found (subjects, text, colours, date, place) → a sentence, alternative text, or a
few sentences, in English or Chinese. In: an open image model, a picture, options; where they are installed, a chat model and a
reader of text. Out: :class:`Progress` of our own steps and, between them, of a model that reads a large picture or a long prompt;
:class:`TextChunk` where text comes piece by piece, :class:`Notice`, and one :class:`Described` whose text is what counts.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.media.image import Picture, damage_notice, open_picture
from engine.results import (
    Colour,
    Described,
    Findings,
    FinishReason,
    Look,
    Notice,
    Progress,
    Subject,
    TextChunk,
)
from engine.runtime.captions import CaptionOptions
from engine.tasks.describe_alt import alt_text
from engine.tasks.describe_compose import composed, facts
from engine.tasks.describe_composer import can_compose, compose
from engine.tasks.describe_languages import knows_chinese, to_chinese
from engine.tasks.describe_options import DescribeOptions, wants_chat
from engine.tasks.describe_question import (
    Said,
    answer_by_seeing,
    answer_from_facts,
    check_question,
    no_answerer,
    question_language,
)
from engine.tasks.describe_wording import Language, hedged, sentence
from engine.tasks.picture_colours import dominant_colours
from engine.tasks.picture_findings import facts as file_facts
from engine.tasks.picture_findings import subjects

if TYPE_CHECKING:
    from engine.media.ocr import TextReader
    from engine.runtime.image_model import ImageModel
    from engine.runtime.language_model import LanguageModel
    from engine.runtime.vision_chat_model import VisionChatModel

SUBJECTS_MOST = 5
_IN_DETAIL = "Describe this picture in detail."
_STEPS = 3  # find, see, write

__all__ = ["DescribeOptions", "describe", "describe_file", "wants_chat"]
Item = Progress | TextChunk | Notice | Described
T = TypeVar("T")


def describe_file(  # noqa: PLR0917 - what it sees with, and what it writes with
    model: ImageModel,
    path: Path,
    options: DescribeOptions,
    cancel: Cancel,
    chat: LanguageModel | None = None,
    reader: TextReader | None = None,
) -> Iterator[Item]:
    """Describe the picture in a file; raises EngineError for a file that is none, and as :func:`describe`."""
    picture = open_picture(path)
    if (notice := damage_notice(path.name, picture)) is not None:
        yield notice
    yield from describe(model, picture, options, cancel, chat, reader)


def describe(  # noqa: PLR0917 - as describe_file
    model: ImageModel,
    picture: Picture,
    options: DescribeOptions,
    cancel: Cancel,
    chat: LanguageModel | None = None,
    reader: TextReader | None = None,
) -> Iterator[Item]:
    """Describe ``picture``; without a ``chat`` model, or a ``reader`` of text, as well as it goes.

    Joined, the TextChunk items are the text, unless what a model wrote had to be thrown away. When cancelled, what there is by
    then is in the Described. Raises EngineError where a question is asked that no model here can answer.
    """
    if options.question.strip() and chat is None and not model.answers_questions:
        raise no_answerer()
    yield from _Description(model, picture, options, cancel, chat, reader).items()


class _Description:
    """One description under way; what there is so far."""

    def __init__(  # noqa: PLR0917 - as describe_file
        self,
        model: ImageModel,
        picture: Picture,
        options: DescribeOptions,
        cancel: Cancel,
        chat: LanguageModel | None,
        reader: TextReader | None,
    ) -> None:
        self._model, self._picture, self._options = model, picture, options
        self._cancel, self._chat, self._reader = cancel, chat, reader
        self._start_s = time.monotonic()
        self._question = check_question(options.question)
        self._language: Language = options.in_language
        self._findings = Findings(picture.info.width_px, picture.info.height_px, picture.info.format)
        self._caption, self._confidence, self._unsure = "", 0.0, False
        self._looks: tuple[Look, ...] = ()
        self._text, self._text_language = "", "en"
        self._composed_by = ""
        self._reason: FinishReason = "stop"
        self._streamed = False

    def items(self) -> Iterator[Item]:
        """Everything, with the Described at its end."""
        yield Progress("describe", 0, _STEPS, "steps")
        self._find()
        yield Progress("describe", 1, _STEPS, "steps")
        if self._question and self._model.answers_questions:
            yield from self._see_answer()
        else:
            yield from self._see()
            if not self._stopped():
                yield Progress("describe", 2, _STEPS, "steps")
                yield from self._write()
        if self._stopped():
            self._reason = "cancelled"
        yield Progress("describe", _STEPS, _STEPS, "steps")
        yield Described(
            reason=self._reason,
            text=self._text,
            caption=self._caption,
            confidence=self._confidence,
            unsure=self._unsure,
            language=self._text_language,
            style=self._options.style,
            findings=self._findings,
            looks=self._looks,
            model=self._model.pack.name,
            composed_by=self._composed_by,
            provider=self._model.provider,
            wall_s=time.monotonic() - self._start_s,
        )

    # What is found

    def _find(self) -> None:
        """What the file says of itself, and the colours."""
        said = file_facts(self._picture, self._language)
        self._findings = replace(
            self._findings,
            colours=tuple(
                Colour(each.name, each.name_zh, each.hex, each.share)
                for each in dominant_colours(self._picture.pixels)
            ),
            taken=self._picture.taken,
            place=said.place or said.coordinates,
            camera=said.camera,
            damage=self._picture.damage,
        )

    def _see(self) -> Iterator[TextChunk | Notice]:
        """The caption, and the text in the picture. A short caption is there before the text is read."""
        seen = self._model.caption(
            self._picture.pixels, CaptionOptions(looks=self._options.looks), self._cancel
        )
        self._caption, self._confidence, self._looks = seen.text.strip(), seen.confidence, seen.looks
        self._unsure = seen.confidence < self._model.unsure_below
        self._text = hedged(sentence(self._caption), self._unsure, "en")
        if seen.probabilities.size:
            likely = subjects(seen.probabilities, self._model.labels, SUBJECTS_MOST)
            named = tuple(Subject(each.name, each.name_zh, each.confidence) for each in likely)
            self._findings = replace(self._findings, subjects=named)
        if self._stopped():
            return
        if self._is_plain and self._text:
            self._streamed = True
            yield TextChunk(self._text)
        if self._options.read_text and self._reader is not None:
            try:
                lines = self._reader.read(self._picture.pixels, self._cancel)
            except EngineError as error:
                yield Notice(
                    "text_not_read",
                    "The text in the picture was not read: {reason}",
                    {"reason": error.message},
                )
            else:
                self._findings = replace(self._findings, text=lines)

    @property
    def _is_plain(self) -> bool:
        """Whether the caption is all that is asked for."""
        return self._options.style == "short" and self._language == "en" and not self._question

    # What is said

    def _write(self) -> Iterator[Said]:
        if self._question:
            yield from self._answer()
            return
        if self._is_plain:
            if not self._text:  # the model had nothing to say
                self._text = composed("", False, self._findings, "en")
        elif self._language == "zh":
            yield from self._write_chinese()
        elif self._options.style == "alt":
            self._text = alt_text(sentence(self._caption), self._caption, self._unsure, self._findings, "en")
        elif self._model.answers_questions:
            yield from self._detail_by_seeing()
        else:
            yield from self._detail(sentence(self._caption), "en")
        if self._text and not self._streamed and not self._stopped():
            yield TextChunk(self._text)

    def _write_chinese(self) -> Iterator[Said]:
        english, told = sentence(self._caption), ""
        if self._options.style == "detailed" and self._model.answers_questions:
            yield from self._detail_by_seeing(show=False)
            english = self._text
        if self._chat is not None and knows_chinese(self._chat):
            told = yield from to_chinese(self._chat, english, self._cancel)
            if self._stopped():
                return
            if told:
                self._composed_by = self._chat.pack.name
            else:
                yield _not_translated(self._chat)
        else:
            yield _no_chinese_model()
        if self._options.style == "detailed" and not self._model.answers_questions:
            # The rest of the sentences exists in Chinese without any model.
            yield from self._detail(told or english, "zh")
            self._text_language = "zh"
            return
        if not told:
            if self._options.style == "alt":
                self._text = alt_text(english, self._caption, self._unsure, self._findings, "en")
            return
        self._text_language = "zh"
        if self._options.style == "alt":
            self._text = alt_text(told, self._caption, self._unsure, self._findings, "zh")
        else:
            self._text = hedged(told, self._unsure, "zh")

    def _detail(self, told: str, language: Language) -> Iterator[TextChunk | Notice]:
        """Sentences from what was found: by a chat model that keeps to it, else our own."""
        plain = composed(told, self._unsure, self._findings, language)
        if self._chat is None or not can_compose(self._chat.pack, language):
            yield Notice(
                "plain_description",
                "The description is put together from what was found; a larger chat model would write it more fluently.",
            )
            self._text = plain
            return
        lines = facts(told, self._unsure, self._findings, language)
        self._streamed = True
        made = yield from compose(self._chat, lines, language, self._cancel)
        self._reason = made.reason if made.reason == "cancelled" else "stop"
        self._text = made.text or plain
        self._composed_by = self._chat.pack.name if made.text else self._composed_by

    def _detail_by_seeing(self, show: bool = True) -> Iterator[Said]:
        """What a model says that converses about pictures; the caption stays where it says nothing."""
        self._streamed = show
        items = answer_by_seeing(self._seeing, _IN_DETAIL, self._picture.pixels, self._cancel)
        made = yield from items if show else _hidden(items)
        self._text = made.text or self._text
        self._reason = made.reason

    # What is answered

    def _see_answer(self) -> Iterator[Said]:
        earlier = self._options.earlier
        items = answer_by_seeing(
            self._seeing, self._question, self._picture.pixels, self._cancel, earlier=earlier
        )
        made = yield from items if self._language == "en" else _hidden(items)
        self._text, self._reason = made.text, made.reason
        self._text_language = question_language(made.text)
        if self._language == "en" or self._stopped():
            return
        if self._text_language == "en" and self._text:  # it understands Chinese at best
            if self._chat is None or not knows_chinese(self._chat):
                yield _no_chinese_model()
            elif said := (yield from to_chinese(self._chat, self._text, self._cancel)):
                self._text, self._text_language = said, "zh"
                self._composed_by = self._chat.pack.name
            elif not self._stopped():
                yield _not_translated(self._chat)
        yield TextChunk(self._text)

    def _answer(self) -> Iterator[Said]:
        chat = self._chat
        if chat is None:
            raise no_answerer()
        language: Language = self._language
        if language == "zh" and not knows_chinese(chat):
            if question_language(self._question) == "zh":
                raise EngineError(
                    "{model} does not know Chinese.",
                    "Ask in English, or add a model that knows Chinese, for example with: "
                    "pollux models add qwen2.5-coder-0.5b",
                    model=chat.pack.display_name,
                )
            language = "en"
            yield _no_chinese_model()
        told = sentence(self._caption)
        lines = facts(told, self._unsure, self._findings, language)
        self._text, self._streamed = "", True
        earlier = self._options.earlier
        made = yield from answer_from_facts(
            chat, self._question, lines, language, self._cancel, earlier=earlier
        )
        self._text, self._reason = made.text, made.reason
        self._composed_by, self._text_language = chat.pack.name, language

    @property
    def _seeing(self) -> VisionChatModel:
        return cast("VisionChatModel", self._model)  # what answers questions is one

    def _stopped(self) -> bool:
        return self._cancel.is_set


def _no_chinese_model() -> Notice:
    return Notice(
        "no_chinese_model", "No model that knows Chinese is installed, so what models wrote is in English."
    )


def _not_translated(chat: LanguageModel) -> Notice:
    return Notice(
        "not_translated",
        "{model} could not put this into Chinese, so it stays in English.",
        {"model": chat.pack.display_name},
    )


def _hidden(items: Generator[Said, None, T]) -> Generator[Notice | Progress, None, T]:
    """The items without their text, which is not to be shown yet."""
    while True:
        try:
            item = next(items)
        except StopIteration as ended:
            return ended.value
        if not isinstance(item, TextChunk):
            yield item
