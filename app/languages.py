"""Which language a text is written in, as far as its script tells.

In: what the user wrote. Out: a language code, or None where letters alone cannot say (Latin script
serves English and a hundred others, so nothing is claimed about it).

The rule: letters are counted by script; a script that makes up at least three tenths of the letters
names the language. Kana decides for Japanese against the Han characters around it.
"""

from __future__ import annotations

import unicodedata

_SHARE = 0.3

# First letters of Unicode names, and the language that the script usually stands for.
_SCRIPTS = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "THAI": "th",
    "GREEK": "el",
    "TAMIL": "ta",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}
# A model that lists any of these writes the script.
_SAME_SCRIPT = {
    "ru": {"ru", "uk", "be", "bg", "sr", "mk", "kk"},
    "ar": {"ar", "fa", "ur", "ps"},
    "hi": {"hi", "mr", "ne", "sa"},
    "zh": {"zh", "yue"},
}


def language_of(text: str) -> str | None:
    """The code of the language that the script of ``text`` stands for; None for Latin or no letters."""
    counts: dict[str, int] = {}
    letters = 0
    for char in text[:2000]:
        if not char.isalpha():
            continue
        letters += 1
        if char.isascii():
            continue
        code = _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0].split("-")[0])
        if code:
            counts[code] = counts.get(code, 0) + 1
    if not counts:
        return None
    if counts.get("ja", 0) >= 0.1 * letters:
        return "ja"
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _SHARE * letters else None


def lists_language(languages: tuple[str, ...], code: str) -> bool:
    """Whether a model with these languages can be asked in ``code``; unknown languages are no reason to warn."""
    if not languages:
        return True
    listed = {item.replace("_", "-").split("-")[0].lower() for item in languages}
    return bool(listed & _SAME_SCRIPT.get(code, {code}))
