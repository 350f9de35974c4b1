"""English text as the error rate compares it: two ways to write the same words become one.

In: text as people or models write it. Out: lower-case words without punctuation, contractions written out, numbers in
digits, American spelling, no fillers. The rules are those that published Whisper figures use, in effect (Radford et al.
2022, appendix C); every engine's text and the reference go through the same ones, so a rule that is too bold is fair.
"""

from __future__ import annotations

import re
import unicodedata

FILLERS = {"uh", "um", "er", "erm", "hm", "hmm", "mm", "mmm", "mhm"}
WHOLE_WORDS = {
    "won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not", "ain't": "is not",
    "let's": "let us", "y'all": "you all", "wanna": "want to", "gonna": "going to", "gotta": "got to",
    "'cause": "because", "'tis": "it is", "o'clock": "oclock", "ok": "okay",
    "mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "prof": "professor", "hon": "honorable",
    "honourable": "honorable", "capt": "captain", "col": "colonel", "gen": "general", "lt": "lieutenant",
    "rev": "reverend", "sr": "senior", "jr": "junior", "vs": "versus", "etc": "et cetera",
}  # fmt: skip
ENDINGS = (("n't", " not"), ("'re", " are"), ("'s", " is"), ("'d", " would"), ("'ll", " will"), ("'ve", " have"),
           ("'m", " am"))  # fmt: skip

# British to American: whole families by their ending, the rest by word.
SPELLINGS = (
    (re.compile(r"(?<=\w\w\w)is(e|es|ed|ing|er|ers|ation|ations)$"), r"iz\1"),
    (re.compile(r"(?<=\w\w\w)ys(e|es|ed|ing|er|ers)$"), r"yz\1"),
    (re.compile(r"(col|fav|hon|lab|neighb|behavi|harb|hum|rum|flav|vap|vig|sav|arm|end|endeav|ferv|glam|od|parl|rig|"
                r"splend|succ|tum|val|clam|cand|dem)our"), r"\1or"),
    (re.compile(r"^(cent|theat|met|lit|fib|calib|lust|meag|som|spect|sab|och|kilomet|centimet|millimet)re(s|d)?$"),
     r"\1er\2"),
    (re.compile(r"(travel|cancel|model|label|level|counsel|marvel|quarrel|signal|fuel|jewel|equal|total|channel|pencil)"
                r"l(ed|ing|er|ers)$"), r"\1\2"),
    (re.compile(r"^(defen|offen|preten|licen)ce(s|d)?$"), r"\1se\2"),
    (re.compile(r"^(catal|anal|dial|mono|pro|epi)ogue(s)?$"), r"\1og\2"),
)  # fmt: skip
AMERICAN = {
    "grey": "gray", "programme": "program", "programmes": "programs", "cheque": "check", "tyre": "tire",
    "tyres": "tires", "kerb": "curb", "judgement": "judgment", "ageing": "aging", "mould": "mold",
    "moustache": "mustache", "pyjamas": "pajamas", "aluminium": "aluminum", "skilful": "skillful", "wilful": "willful",
    "fulfil": "fulfill", "enrol": "enroll", "cosy": "cozy", "plough": "plow", "sceptical": "skeptical",
    "practise": "practice", "practised": "practiced", "storey": "story", "towards": "toward", "learnt": "learned",
    "gaol": "jail", "gaols": "jails", "gaoler": "jailer", "woollen": "woolen", "jewellery": "jewelry",
    "manoeuvre": "maneuver", "encyclopaedia": "encyclopedia", "mum": "mom",
}  # fmt: skip

UNITS = {word: value for value, word in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split()
)}  # fmt: skip
TENS = {word: 10 * value for value, word in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
)}  # fmt: skip
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
ORDINALS = {
    "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
    "twelfth": "twelve", **{f"{word}th": word for word in UNITS}, **{f"{word[:-1]}ieth": word for word in TENS},
    "hundredth": "hundred", "thousandth": "thousand", "millionth": "million",
}  # fmt: skip


def normalised_english(text: str) -> str:
    """The text in its one spelling; words are separated by one space."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub("[‘’`´]", "'", text)
    text = re.sub(r"\[[^\]]*\]|\([^)]*\)|<[^>]*>", " ", text)  # sounds that were described, not said
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\$(\d[\d.]*)", r"\1 dollars", text)
    text = re.sub(r"£(\d[\d.]*)", r"\1 pounds", text).replace("%", " percent ").replace("&", " and ")
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) != "Mn")
    text = re.sub(r"(?<!\d)\.|\.(?!\d)", " ", text)
    text = re.sub(r"[^\w.']|_", " ", text)
    words: list[str] = []
    for word in text.split():
        words += _without_contraction(word)
    return " ".join(_in_digits([_american(word) for word in words if word not in FILLERS]))


def _without_contraction(word: str) -> list[str]:
    if word in WHOLE_WORDS:
        return WHOLE_WORDS[word].split()
    for ending, full in ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            word = word.removesuffix(ending) + full
            break
    return [WHOLE_WORDS.get(part, part) for part in word.replace("'", "").split()]


def _american(word: str) -> str:
    if word in AMERICAN:
        return AMERICAN[word]
    for pattern, replacement in SPELLINGS:
        word = pattern.sub(replacement, word)
    return word


def _in_digits(words: list[str]) -> list[str]:
    """Numbers in digits. What is said in one breath is one number: "nine two one one", "eighteen seventeen"."""
    out: list[str] = []
    number = _Number()
    for position, word in enumerate(words):
        following = words[position + 1] if position + 1 < len(words) else ""
        if word == "and" and number.large and (_is_number(following) or following in ORDINALS):
            continue
        if _is_number(word):
            number.add(word)
        elif word in ORDINALS:
            number.add(ORDINALS[word])
            out.append(_ordinal(number.take()))
        else:
            if number.begun:
                out.append(number.take())
            out.append(word)
    return [*out, number.take()] if number.begun else out


def _is_number(word: str) -> bool:
    return word in UNITS or word in TENS or word in SCALES or word == "hundred" or _is_numeral(word)


def _is_numeral(word: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", word) is not None


def _ordinal(digits: str) -> str:
    teens = digits[-2:-1] == "1"
    return digits + ("th" if teens else {"1": "st", "2": "nd", "3": "rd"}.get(digits[-1], "th"))


class _Number:
    """Number words on their way to digits."""

    def __init__(self) -> None:
        self._written = ""  # numbers that are complete
        self._total = 0  # of the one that is not: thousands and above
        self._current = 0  # below a thousand
        self._last = ""  # what came last: "unit", "tens", "hundred", "scale", or "" for nothing

    @property
    def begun(self) -> bool:
        return bool(self._written or self._last)

    @property
    def large(self) -> bool:
        """An "and" may follow, as in "two hundred and six"."""
        return self._last in ("hundred", "scale")

    def add(self, word: str) -> None:
        if word == "hundred":
            if self._last not in ("unit", "tens") or self._current >= 100:
                self._complete()
            self._current, self._last = max(self._current, 1) * 100, "hundred"
        elif word in SCALES:
            if self._last == "scale":
                self._complete()
            self._total, self._last = self._total + max(self._current, 1) * SCALES[word], "scale"
            self._current = 0
        elif word in TENS:
            self._small(TENS[word], "tens", ("hundred", "scale", ""))
        elif word in UNITS:
            follows = ("hundred", "scale", "")
            self._small(UNITS[word], "unit", (*follows, "tens") if 0 < UNITS[word] < 10 else follows)
        elif word.isdigit() and not word.startswith("0"):
            self._small(int(word), "unit", ("hundred", "scale", ""))
        else:  # a fraction, or zeros in front: as it is written
            self._complete()
            self._written += word

    def take(self) -> str:
        self._complete()
        written, self._written = self._written, ""
        return written

    def _small(self, value: int, kind: str, may_follow: tuple[str, ...]) -> None:
        if self._last not in may_follow:
            self._complete()
        self._current, self._last = self._current + value, kind

    def _complete(self) -> None:
        if self._last:
            self._written += str(self._total + self._current)
        self._total, self._current, self._last = 0, 0, ""
