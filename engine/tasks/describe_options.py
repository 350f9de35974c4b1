"""What can be wanted of a description, and whether a chat model could help with it.

In: what was chosen. Out: :class:`DescribeOptions`, or an EngineError for what there is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import EngineError
from engine.results import Style
from engine.tasks.describe_question import check_question, question_language
from engine.tasks.describe_wording import Language

if TYPE_CHECKING:
    from engine.runtime.image_model import ImageModel

STYLES: tuple[Style, ...] = ("short", "alt", "detailed")
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Asked:
    """An earlier question about the same picture, and what was answered."""

    question: str
    answer: str


@dataclass(frozen=True)
class DescribeOptions:
    """What is wanted. ``language`` is that of the text: "en" (also where it is ""), or "zh".

    With a ``question`` the text is its answer; it may follow on what was asked ``earlier``, the oldest first. ``read_text`` also
    reads the text in the picture, ``looks`` also asks where the model looked for each word. Raises EngineError for what there
    is not.
    """

    style: Style = "short"
    language: str = ""
    question: str = ""
    read_text: bool = True
    looks: bool = False
    earlier: tuple[Asked, ...] = ()

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise EngineError(
                "There is no style {style}.",
                "Choose one of: {known}.",
                style=self.style,
                known=", ".join(STYLES),
            )
        if self.language not in ("", *LANGUAGES):
            raise EngineError(
                "Pictures cannot be described in {language}.",
                "Choose one of: {known}.",
                language=self.language,
                known=", ".join(LANGUAGES),
            )
        check_question(self.question)

    @property
    def in_language(self) -> Language:
        """The language; where nobody chose that of the question, or "en"."""
        if self.language or not self.question.strip():
            return "zh" if self.language == "zh" else "en"
        return question_language(self.question)


def wants_chat(options: DescribeOptions, model: ImageModel) -> bool:
    """Whether :func:`describe` could use a chat model: one that knows Chinese for "zh", the best one for the rest."""
    if options.question.strip() or options.style == "detailed":
        return options.in_language == "zh" or not model.answers_questions
    return options.in_language == "zh"
