"""English descriptions in Chinese, by a chat model that knows both.

In: English sentences and the model. Out: Chinese ones, or nothing where the model gave none that can be used. Small models leave
hard words in English; a list of the words that captions use helps them, and what they still leave is seen.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.cancel import Cancel
from engine.folders import resources_folder
from engine.results import Finished, Notice
from engine.tasks.chat import GREEDY, Turn, chat
from engine.tasks.chinese import simplified

if TYPE_CHECKING:
    from engine.runtime.language_model import LanguageModel

_SYSTEM = "把英文的图片说明译成自然的简体中文。每个词都要译成中文，只写译文。"
_EXAMPLES = (
    ("Two boys in blue shirts play soccer on a field.", "两个穿蓝色衬衫的男孩在球场上踢足球。"),
    ("A woman wearing a hat sits on a bench in front of a store.", "一位戴帽子的女士坐在商店前的长椅上。"),
    ("A black dog is jumping into a swimming pool.", "一只黑狗正跳进游泳池。"),
)
_HINT = "\n（{words}）"
_TOKENS_A_CHAR = 1.5  # of the English; Chinese needs fewer, a model that goes round in circles needs more
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[A-Za-z]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LABEL = re.compile(r"^(?:译文|翻译|中文)[:：]\s*")
_LEAST_HAN_SHARE = 0.6
_MOST_CHARS, _MORE_CHARS = (
    1.0,
    8,
)  # a translation with more characters than its English, and these, is no translation


def knows_chinese(model: LanguageModel | None) -> bool:
    """Whether the model's pack lists Chinese."""
    return model is not None and model.pack.speaks("zh")


def to_chinese(model: LanguageModel, text: str, cancel: Cancel) -> Generator[Notice, None, str]:
    """The English text in simplified Chinese, sentence by sentence; "" where that failed, or was cancelled."""
    done: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        said = yield from _translated(model, sentence, cancel)
        if not said:
            return ""
        done.append(said)
    return "".join(done)


def usable_chinese(english: str, answer: str) -> str:
    """What a model answered, made tidy; "" where it is empty, an echo, not Chinese, or much too long."""
    text = _LABEL.sub("", answer.strip().split("\n", 1)[0].strip()).strip("\"'“”「」 ")
    text = simplified(_patched(text)).rstrip("。. ")
    names = set(_WORD.findall(english[1:]))  # what has a capital inside a sentence may stay as it is
    left = [
        word for word in _WORD.findall(text) if not (word in names and word != word.lower()) and len(word) > 1
    ]
    letters = sum(map(str.isalnum, _WORD.sub("", text)))
    han = len(_HAN.findall(text))
    if left or han < 2 or han < letters * _LEAST_HAN_SHARE:
        return ""
    if len(text) > len(english) * _MOST_CHARS + _MORE_CHARS:
        return ""
    return text if text[-1] in "！？" else f"{text}。"


def _translated(model: LanguageModel, sentence: str, cancel: Cancel) -> Generator[Notice, None, str]:
    turns = [Turn("system", _SYSTEM)]
    for english, chinese in _EXAMPLES:
        turns += (Turn("user", english), Turn("assistant", chinese))
    known = hints(sentence)
    words = "，".join(f"{english}={chinese}" for english, chinese in known.items())
    turns.append(Turn("user", sentence + (_HINT.format(words=words) if words else "")))
    options = replace(GREEDY, max_new_tokens=16 + round(len(sentence) * _TOKENS_A_CHAR))
    ended: Finished | None = None
    for item in chat(model, turns, options, cancel):
        if isinstance(item, Notice):
            yield item
        elif isinstance(item, Finished):
            ended = item
    if ended is None or ended.reason != "stop":
        return ""
    return usable_chinese(sentence, ended.text)


def hints(english: str) -> dict[str, str]:
    """The words and phrases of the text that the list knows, longer ones first, each part of the text once."""
    left = " ".join(_WORD.findall(english.casefold()))
    found: dict[str, str] = {}
    for phrase in (each for each in _words() if " " in each):
        if f" {phrase} " in f" {left} ":
            found[phrase] = _words()[phrase]
            left = f" {left} ".replace(f" {phrase} ", " | ").strip()
    for word in left.split():
        if chinese := _looked_up(word):
            found[word] = chinese
    return found


def _patched(text: str) -> str:
    """English words that the model left, where the list knows them."""
    for phrase in (each for each in _words() if " " in each):
        text = re.sub(rf"\s*\b{phrase}\b\s*", _words()[phrase], text, flags=re.IGNORECASE)
    return re.sub(r" ?([A-Za-z]{2,}) ?", lambda found: _looked_up(found[1].casefold()) or found[0], text)


def _looked_up(word: str) -> str:
    """The word, or what it is a form of."""
    words = _words()
    forms = [word]
    for ending, others in (
        ("s", ("",)),
        ("es", ("",)),
        ("ies", ("y",)),
        ("ed", ("", "e")),
        ("ing", ("", "e")),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            forms += [word.removesuffix(ending) + other for other in others]
    return next((words[form] for form in forms if form in words), "")


@functools.cache
def _words() -> dict[str, str]:
    """English words and phrases of captions and their Chinese; longer phrases first."""
    lines = (resources_folder() / "labels" / "caption_words.tsv").read_text("utf-8").splitlines()
    pairs = dict(line.split("\t", 1) for line in lines[1:] if "\t" in line)
    return {english: pairs[english] for english in sorted(pairs, key=len, reverse=True)}
