"""Simplified and traditional Chinese: Whisper writes either, as it comes.

In: a language as the user gave it ("zh", "zh-Hans", "zh-Hant"), and segments. Out: segments in one script, simplified
where nobody says otherwise, with Chinese punctuation.
"""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from engine.results import Segment

if TYPE_CHECKING:
    import opencc

Script = Literal["Hans", "Hant"]
CHINESE = ("zh", "yue")
_TRADITIONAL = ("hant", "tw", "hk", "mo")
# Whisper ends Chinese clauses with Latin signs as often as with Chinese ones.
_LATIN_SIGN = re.compile(r"(?<=[\u3400-\u9fff])[,?!:;]")
_CHINESE_SIGN = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}


def split_script(language: str) -> tuple[str, Script]:
    """The code that the model knows, and the script: "zh-Hant" and "zh-TW" are traditional Chinese."""
    code, _, rest = language.strip().casefold().replace("_", "-").partition("-")
    return code, "Hant" if set(rest.split("-")) & set(_TRADITIONAL) else "Hans"


def in_script(segment: Segment, language: str, script: Script) -> Segment:
    """The segment in this script; as it is unless it is Chinese."""
    if language not in CHINESE:
        return segment
    texts = _pieces([word.text for word in segment.words], script)
    words = tuple(replace(word, text=text) for word, text in zip(segment.words, texts, strict=True))
    return replace(segment, text=_written(segment.text, script), words=words)


def simplified(text: str) -> str:
    """Chinese text in simplified characters, with Chinese punctuation."""
    return _written(text, "Hans")


def _pieces(texts: list[str], script: Script) -> list[str]:
    """Each text in the script, chosen by what is beside it: 发 alone is 發, in 头发 it is 髮."""
    whole = _written("".join(texts), script)
    if len(whole) != sum(map(len, texts)):
        return [_written(text, script) for text in texts]
    ends = list(itertools.accumulate(map(len, texts)))
    return [whole[end - len(text) : end] for text, end in zip(texts, ends, strict=True)]


def _written(text: str, script: Script) -> str:
    return _LATIN_SIGN.sub(lambda sign: _CHINESE_SIGN[sign[0]], _converter(script).convert(text))


@functools.cache
def _converter(script: Script) -> opencc.OpenCC:
    import opencc

    return opencc.OpenCC("t2s" if script == "Hans" else "s2t")
