"""The languages that speech models know, by code and by name.

In: what a person writes for a language. Out: its code ("zh", "zh-Hant"), or an EngineError with near ones.
"""

from __future__ import annotations

from engine.catalogue import suggestion
from engine.errors import EngineError

_WHISPER = (  # Javanese is "jw" there, not "jv"
    "af=Afrikaans am=Amharic ar=Arabic as=Assamese az=Azerbaijani ba=Bashkir be=Belarusian bg=Bulgarian bn=Bengali "
    "bo=Tibetan br=Breton bs=Bosnian ca=Catalan cs=Czech cy=Welsh da=Danish de=German el=Greek en=English es=Spanish "
    "et=Estonian eu=Basque fa=Persian fi=Finnish fo=Faroese fr=French gl=Galician gu=Gujarati ha=Hausa haw=Hawaiian "
    "he=Hebrew hi=Hindi hr=Croatian ht=Haitian hu=Hungarian hy=Armenian id=Indonesian is=Icelandic it=Italian "
    "ja=Japanese jw=Javanese ka=Georgian kk=Kazakh km=Khmer kn=Kannada ko=Korean la=Latin lb=Luxembourgish "
    "ln=Lingala lo=Lao lt=Lithuanian lv=Latvian mg=Malagasy mi=Maori mk=Macedonian ml=Malayalam mn=Mongolian "
    "mr=Marathi ms=Malay mt=Maltese my=Burmese ne=Nepali nl=Dutch nn=Nynorsk no=Norwegian oc=Occitan pa=Punjabi "
    "pl=Polish ps=Pashto pt=Portuguese ro=Romanian ru=Russian sa=Sanskrit sd=Sindhi si=Sinhala sk=Slovak "
    "sl=Slovenian sn=Shona so=Somali sq=Albanian sr=Serbian su=Sundanese sv=Swedish sw=Swahili ta=Tamil te=Telugu "
    "tg=Tajik th=Thai tk=Turkmen tl=Tagalog tr=Turkish tt=Tatar uk=Ukrainian ur=Urdu uz=Uzbek vi=Vietnamese "
    "yi=Yiddish yo=Yoruba yue=Cantonese zh=Chinese"
)
LANGUAGE_NAMES: dict[str, str] = {
    code: name for code, _, name in (pair.partition("=") for pair in _WHISPER.split())
}
_OTHER_NAMES = {
    "zh-hans": "zh-Hans",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "simplified chinese": "zh-Hans",
    "chinese (simplified)": "zh-Hans",
    "简体中文": "zh-Hans",
    "zh-hant": "zh-Hant",
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "traditional chinese": "zh-Hant",
    "chinese (traditional)": "zh-Hant",
    "繁體中文": "zh-Hant",
    "繁体中文": "zh-Hant",
    "mandarin": "zh",
    "中文": "zh",
    "汉语": "zh",
    "普通话": "zh",
    "國語": "zh",
    "粤语": "yue",
    "粵語": "yue",
    "英语": "en",
    "英文": "en",
    "castilian": "es",
    "valencian": "ca",
    "flemish": "nl",
    "farsi": "fa",
    "filipino": "tl",
    "haitian creole": "ht",
    "moldovan": "ro",
    "myanmar": "my",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "jv": "jw",
    "nb": "no",
    "iw": "he",
    "fil": "tl",
}
_AUTOMATIC = ("", "auto", "detect")


def language_code(text: str) -> str:
    """The code of the language that ``text`` means; "" for "auto". Raises EngineError with near names."""
    wanted = text.strip().casefold().replace("_", "-")
    if wanted in _AUTOMATIC:
        return ""
    by_name = {name.casefold(): code for code, name in LANGUAGE_NAMES.items()} | _OTHER_NAMES
    # A region says nothing about how a language is spoken here ("en-US"), but the script of Chinese does.
    for name in (wanted, wanted.split("-", 1)[0]):
        if name in LANGUAGE_NAMES:
            return name
        if name in by_name:
            return by_name[name]
    near = suggestion(wanted, list(by_name))
    if near.startswith("Did"):
        raise EngineError('No language is called "{language}".', "{near}", language=text, near=near)
    raise EngineError(
        'No language is called "{language}".',
        "Use a code such as en or zh, or a name such as English or Chinese.",
        language=text,
    )
