"""Questions about a picture: a model that sees answers them, else a chat model from what was found.

In: a question and the picture, or the facts about it, and what was asked about it earlier. Out: the answer as it comes, and how far
the reading before it is: a large picture is many tiles. What is answered from facts is marked, because it can know no more than
they say.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.results import Finished, FinishReason, Notice, Progress, TextChunk
from engine.tasks.chat import GREEDY, Turn, chat
from engine.tasks.describe_wording import Language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.runtime.language_model import LanguageModel
    from engine.runtime.vision_chat_model import VisionChatModel
    from engine.tasks.describe_options import Asked

MOST_NEW_TOKENS = 160
SEEN_MOST_NEW_TOKENS = 400
QUESTION_MOST_CHARS = 2000
_HAN = re.compile(r"[\u3400-\u9fff]")
Said = TextChunk | Notice | Progress

_SYSTEM = {
    "en": (
        "You answer questions about a photo. You cannot see it; you know only the facts that you are given. Answer in one "
        "short sentence. If the facts do not hold the answer, say so."
    ),
    "zh": "你回答关于照片的问题。你看不见照片，只知道给出的事实。用一句简短的中文回答。如果事实里没有答案，就说没有。",
}
_REQUEST = {"en": "Facts:\n{facts}\n\nQuestion: {question}", "zh": "事实：\n{facts}\n\n问题：{question}"}
# Shown how, small models say what is not known; told only, they make something up.
_EXAMPLE_FACTS = {
    "en": 'Scene: A woman sits on a bench.\nText in the photo: "PARK"\nMain colours: green and white\nTaken on: 2 May 2020, 10:05',
    "zh": "画面：一位女士坐在长椅上。\n图中文字：“PARK”\n主要颜色：绿色、白色\n拍摄时间：2020年5月2日 10:05",
}
_EXAMPLES = {
    "en": (
        ("What is she doing?", "She is sitting on a bench."),
        ("What is her name?", "The description does not say her name."),
        ("What is written there?", 'It reads "PARK".'),
        ("Is there a dog?", "The description does not mention a dog."),
        ("What is she reading?", "The description does not say that she reads anything."),
        ("When was it taken?", "It was taken on 2 May 2020, at 10:05."),
    ),
    "zh": (
        ("她在做什么？", "她坐在长椅上。"),
        ("她叫什么名字？", "描述里没有说她的名字。"),
        ("上面写着什么？", "写着“PARK”。"),
        ("有狗吗？", "描述里没有提到狗。"),
    ),
}


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    text: str
    reason: FinishReason


def check_question(question: str) -> str:
    """The question without what is around it. Raises EngineError where it is too long."""
    question = question.strip()
    if len(question) > QUESTION_MOST_CHARS:
        raise EngineError(
            "The question is too long: {count} characters, and the limit is {limit}.",
            "Shorten it.",
            count=len(question),
            limit=QUESTION_MOST_CHARS,
        )
    return question


def no_answerer() -> EngineError:
    """For who asks where no installed model can answer."""
    return EngineError(
        "The image model describes pictures, but answers no questions, and no chat model is installed.",
        "Add a chat model, for example with: pollux models add smollm2-135m",
    )


def question_language(question: str) -> Language:
    """Which of the two languages a question is in."""
    return "zh" if _HAN.search(question) else "en"


def answer_from_facts(
    model: LanguageModel,
    question: str,
    facts: Sequence[str],
    language: Language,
    cancel: Cancel,
    *,
    earlier: Sequence[Asked] = (),
) -> Generator[Said, None, Answer]:
    """Let a chat model answer, that sees nothing; a notice says so first."""
    yield Notice(
        "answered_from_findings",
        "{model} cannot see the picture: it answers from the description and what else was found.",
        {"model": model.pack.display_name},
    )
    turns = [Turn("system", _SYSTEM[language])]
    # Before the examples: with them further away from the question, small models told of the examples' photo. Where the context
    # is short, they are also what chat() leaves out first.
    for each in earlier:
        turns += (Turn("user", each.question), Turn("assistant", each.answer))
    for number, (asked, answered) in enumerate(_EXAMPLES[language]):
        request = _REQUEST[language].format(facts=_EXAMPLE_FACTS[language], question=asked)
        turns += (Turn("user", asked if number else request), Turn("assistant", answered))
    turns.append(Turn("user", _REQUEST[language].format(facts="\n".join(facts), question=question)))
    options = replace(GREEDY, max_new_tokens=MOST_NEW_TOKENS)
    return (yield from _answered(chat(model, turns, options, cancel)))


def answer_by_seeing(
    model: VisionChatModel,
    question: str,
    pixels: NDArray[np.uint8],
    cancel: Cancel,
    *,
    earlier: Sequence[Asked] = (),
) -> Generator[Said, None, Answer]:
    """Let a model answer that sees the picture. What it read for the questions before is not read again."""
    from engine.runtime.pictures import PictureTurn

    turns: list[PictureTurn] = []
    for each in earlier:
        turns += (PictureTurn("user", each.question), PictureTurn("assistant", each.answer))
    turns.append(PictureTurn("user", question))
    turns[0] = replace(turns[0], pictures=(pixels,))
    options = replace(GREEDY, max_new_tokens=SEEN_MOST_NEW_TOKENS)
    return (yield from _answered(model.chat(turns, options, cancel)))


def _answered(items: Iterable[object]) -> Generator[Said, None, Answer]:
    ended: Finished | None = None
    for item in items:
        if isinstance(item, (TextChunk, Notice, Progress)):
            yield item
        elif isinstance(item, Finished):
            ended = item
    if ended is None:
        raise RuntimeError("the model ended without a closing item")
    return Answer(ended.text.strip(), ended.reason)
