"""A description that a chat model writes from what was found, and from nothing else.

In: lines of facts. Out: the text as it comes, and whether it may be kept. Small models tell stories about the few facts that they
get, so only those write that were seen to keep to them.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.results import Finished, FinishReason, Notice, TextChunk
from engine.tasks.chat import GREEDY, Turn, chat
from engine.tasks.describe_wording import ENDS, Language

if TYPE_CHECKING:
    from engine.packs import Pack
    from engine.runtime.language_model import LanguageModel

# Told these facts, a model of 135 M parameters explains red shirts, and one of 494 M gives restaurants an atmosphere or repeats
# one clause until it is stopped; both leave facts out. Sentences made without a model say it better.
COMPOSER_FROM_PARAMETERS = 1_000_000_000
MOST_NEW_TOKENS = 260
# A word that comes this often with the same neighbours is a model that goes round in circles.
_CIRCLE = re.compile(r"(.{6,}?)\1{2,}")
_NUMBER = re.compile(r"\d+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LEAST_HAN_SHARE = 0.5

_SYSTEM = {
    "en": (
        "You describe a photo to somebody who cannot see it. You know only the facts that you are given. Put all of them into "
        "two to four plain sentences. Add nothing: no feelings, no guesses, no story. Keep words of doubt such as "
        '"perhaps" and "likely".'
    ),
    "zh": (
        "你为看不见照片的人描述照片。你只知道给出的事实。用两到四句通顺的中文说出全部事实，不添加任何内容：不写感受，不猜测，不编故事。"
        "保留“也许”“可能”“很可能”等词。"
    ),
}
_REQUEST = {"en": "Facts:\n{facts}\n\nDescribe the photo.", "zh": "事实：\n{facts}\n\n请描述这张照片。"}


@dataclass(frozen=True)
class Composition:
    """What a model wrote; ``text`` is "" where it cannot be used."""

    text: str
    reason: FinishReason


def can_compose(pack: Pack, language: Language) -> bool:
    """Whether descriptions by this chat model are better than those made without one."""
    return pack.scale >= COMPOSER_FROM_PARAMETERS and (language == "en" or pack.speaks(language))


def compose(
    model: LanguageModel, facts: Sequence[str], language: Language, cancel: Cancel
) -> Generator[TextChunk | Notice, None, Composition]:
    """Let the model write; what it has written when it is stopped is kept."""
    turns = (
        Turn("system", _SYSTEM[language]),
        Turn("user", _REQUEST[language].format(facts="\n".join(facts))),
    )
    ended: Finished | None = None
    for item in chat(model, turns, replace(GREEDY, max_new_tokens=MOST_NEW_TOKENS), cancel):
        if isinstance(item, (TextChunk, Notice)):
            yield item
        elif isinstance(item, Finished):
            ended = item
    if ended is None:
        raise RuntimeError("the model ended without a closing item")
    text = ended.text.strip()
    if ended.reason == "length":
        text = _whole_sentences(text)
    if ended.reason != "cancelled" and not is_faithful(text, facts, language):
        text = ""
    return Composition(text, ended.reason)


def is_faithful(text: str, facts: Sequence[str], language: Language) -> bool:
    """Whether the text is of the language, goes in no circles, and has no number that the facts have not."""
    told = "\n".join(facts)
    letters = sum(map(str.isalnum, text))
    if not letters or _CIRCLE.search(text):
        return False
    if language == "zh" and len(_HAN.findall(text)) < _LEAST_HAN_SHARE * letters:
        return False
    if language == "en" and _HAN.search(text) and not _HAN.search(told):
        return False
    return {number.lstrip("0") for number in _NUMBER.findall(text)} <= {
        number.lstrip("0") for number in _NUMBER.findall(told)
    }


def _whole_sentences(text: str) -> str:
    """The text up to the end of its last sentence."""
    return text[: 1 + max((text.rfind(end) for end in ENDS), default=-1)]
