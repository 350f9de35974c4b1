"""Simplified and traditional Chinese: Whisper writes either, as it comes.

In: a language as the user gave it ("zh", "zh-Hans", "zh-Hant"), and segments. Out: segments in one script, simplified
where nobody says otherwise.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from engine.results import Segment

if TYPE_CHECKING:
    import opencc

Script = Literal["Hans", "Hant"]
CHINESE = ("zh", "yue")
_TRADITIONAL = ("hant", "tw", "hk", "mo")


def split_script(language: str) -> tuple[str, Script]:
    """The code that the model knows, and the script: "zh-Hant" and "zh-TW" are traditional Chinese."""
    code, _, rest = language.strip().casefold().replace("_", "-").partition("-")
    return code, "Hant" if set(rest.split("-")) & set(_TRADITIONAL) else "Hans"


def in_script(segment: Segment, language: str, script: Script) -> Segment:
    """The segment in this script; as it is unless it is Chinese."""
    if language not in CHINESE:
        return segment
    converter = _converter(script)
    words = tuple(replace(word, text=converter.convert(word.text)) for word in segment.words)
    return replace(segment, text=converter.convert(segment.text), words=words)


@functools.cache
def _converter(script: Script) -> opencc.OpenCC:
    import opencc

    return opencc.OpenCC("t2s" if script == "Hans" else "s2t")
