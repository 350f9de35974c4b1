"""Names of languages in the user's language, and sizes in the user's way.

In: BCP 47 tags, bytes. Out: text for labels.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale


def language_name(code: str) -> str:
    """The name of a language; the code itself where we have none."""
    names = {
        "af": QCoreApplication.translate("languages", "Afrikaans"),
        "am": QCoreApplication.translate("languages", "Amharic"),
        "ar": QCoreApplication.translate("languages", "Arabic"),
        "as": QCoreApplication.translate("languages", "Assamese"),
        "az": QCoreApplication.translate("languages", "Azerbaijani"),
        "ba": QCoreApplication.translate("languages", "Bashkir"),
        "be": QCoreApplication.translate("languages", "Belarusian"),
        "bg": QCoreApplication.translate("languages", "Bulgarian"),
        "bn": QCoreApplication.translate("languages", "Bengali"),
        "bo": QCoreApplication.translate("languages", "Tibetan"),
        "br": QCoreApplication.translate("languages", "Breton"),
        "bs": QCoreApplication.translate("languages", "Bosnian"),
        "ca": QCoreApplication.translate("languages", "Catalan"),
        "cs": QCoreApplication.translate("languages", "Czech"),
        "cy": QCoreApplication.translate("languages", "Welsh"),
        "da": QCoreApplication.translate("languages", "Danish"),
        "de": QCoreApplication.translate("languages", "German"),
        "el": QCoreApplication.translate("languages", "Greek"),
        "en": QCoreApplication.translate("languages", "English"),
        "es": QCoreApplication.translate("languages", "Spanish"),
        "et": QCoreApplication.translate("languages", "Estonian"),
        "eu": QCoreApplication.translate("languages", "Basque"),
        "fa": QCoreApplication.translate("languages", "Persian"),
        "fi": QCoreApplication.translate("languages", "Finnish"),
        "fo": QCoreApplication.translate("languages", "Faroese"),
        "fr": QCoreApplication.translate("languages", "French"),
        "gl": QCoreApplication.translate("languages", "Galician"),
        "gu": QCoreApplication.translate("languages", "Gujarati"),
        "ha": QCoreApplication.translate("languages", "Hausa"),
        "haw": QCoreApplication.translate("languages", "Hawaiian"),
        "he": QCoreApplication.translate("languages", "Hebrew"),
        "hi": QCoreApplication.translate("languages", "Hindi"),
        "hr": QCoreApplication.translate("languages", "Croatian"),
        "ht": QCoreApplication.translate("languages", "Haitian"),
        "hu": QCoreApplication.translate("languages", "Hungarian"),
        "hy": QCoreApplication.translate("languages", "Armenian"),
        "id": QCoreApplication.translate("languages", "Indonesian"),
        "is": QCoreApplication.translate("languages", "Icelandic"),
        "it": QCoreApplication.translate("languages", "Italian"),
        "ja": QCoreApplication.translate("languages", "Japanese"),
        "jv": QCoreApplication.translate("languages", "Javanese"),
        "jw": QCoreApplication.translate("languages", "Javanese"),
        "ka": QCoreApplication.translate("languages", "Georgian"),
        "kk": QCoreApplication.translate("languages", "Kazakh"),
        "km": QCoreApplication.translate("languages", "Khmer"),
        "kn": QCoreApplication.translate("languages", "Kannada"),
        "ko": QCoreApplication.translate("languages", "Korean"),
        "la": QCoreApplication.translate("languages", "Latin"),
        "lb": QCoreApplication.translate("languages", "Luxembourgish"),
        "ln": QCoreApplication.translate("languages", "Lingala"),
        "lo": QCoreApplication.translate("languages", "Lao"),
        "lt": QCoreApplication.translate("languages", "Lithuanian"),
        "lv": QCoreApplication.translate("languages", "Latvian"),
        "mg": QCoreApplication.translate("languages", "Malagasy"),
        "mi": QCoreApplication.translate("languages", "Maori"),
        "mk": QCoreApplication.translate("languages", "Macedonian"),
        "ml": QCoreApplication.translate("languages", "Malayalam"),
        "mn": QCoreApplication.translate("languages", "Mongolian"),
        "mr": QCoreApplication.translate("languages", "Marathi"),
        "ms": QCoreApplication.translate("languages", "Malay"),
        "mt": QCoreApplication.translate("languages", "Maltese"),
        "my": QCoreApplication.translate("languages", "Burmese"),
        "ne": QCoreApplication.translate("languages", "Nepali"),
        "nl": QCoreApplication.translate("languages", "Dutch"),
        "nn": QCoreApplication.translate("languages", "Nynorsk"),
        "no": QCoreApplication.translate("languages", "Norwegian"),
        "oc": QCoreApplication.translate("languages", "Occitan"),
        "pa": QCoreApplication.translate("languages", "Punjabi"),
        "pl": QCoreApplication.translate("languages", "Polish"),
        "ps": QCoreApplication.translate("languages", "Pashto"),
        "pt": QCoreApplication.translate("languages", "Portuguese"),
        "ro": QCoreApplication.translate("languages", "Romanian"),
        "ru": QCoreApplication.translate("languages", "Russian"),
        "sa": QCoreApplication.translate("languages", "Sanskrit"),
        "sd": QCoreApplication.translate("languages", "Sindhi"),
        "si": QCoreApplication.translate("languages", "Sinhala"),
        "sk": QCoreApplication.translate("languages", "Slovak"),
        "sl": QCoreApplication.translate("languages", "Slovenian"),
        "sn": QCoreApplication.translate("languages", "Shona"),
        "so": QCoreApplication.translate("languages", "Somali"),
        "sq": QCoreApplication.translate("languages", "Albanian"),
        "sr": QCoreApplication.translate("languages", "Serbian"),
        "su": QCoreApplication.translate("languages", "Sundanese"),
        "sv": QCoreApplication.translate("languages", "Swedish"),
        "sw": QCoreApplication.translate("languages", "Swahili"),
        "ta": QCoreApplication.translate("languages", "Tamil"),
        "te": QCoreApplication.translate("languages", "Telugu"),
        "tg": QCoreApplication.translate("languages", "Tajik"),
        "th": QCoreApplication.translate("languages", "Thai"),
        "tk": QCoreApplication.translate("languages", "Turkmen"),
        "tl": QCoreApplication.translate("languages", "Tagalog"),
        "tr": QCoreApplication.translate("languages", "Turkish"),
        "tt": QCoreApplication.translate("languages", "Tatar"),
        "uk": QCoreApplication.translate("languages", "Ukrainian"),
        "ur": QCoreApplication.translate("languages", "Urdu"),
        "uz": QCoreApplication.translate("languages", "Uzbek"),
        "vi": QCoreApplication.translate("languages", "Vietnamese"),
        "yi": QCoreApplication.translate("languages", "Yiddish"),
        "yo": QCoreApplication.translate("languages", "Yoruba"),
        "yue": QCoreApplication.translate("languages", "Cantonese"),
        "zh": QCoreApplication.translate("languages", "Chinese"),
    }
    return names.get(code.replace("_", "-").split("-")[0].lower(), code)


def language_list(codes: tuple[str, ...], limit: int = 4) -> str:
    """Some languages in one line, and how many more there are."""
    if not codes:
        return QCoreApplication.translate("languages", "languages not stated")
    named = QCoreApplication.translate("languages", ", ").join(language_name(code) for code in codes[:limit])
    if len(codes) > limit:
        return QCoreApplication.translate("languages", "{named} and {count} more").format(
            named=named, count=len(codes) - limit
        )
    return named


def size_text(size_bytes: float) -> str:
    """A size as people read it: 98 MB, 1.1 GB."""
    return QLocale().formattedDataSize(
        int(size_bytes),
        1 if size_bytes >= 1_000_000_000 else 0,
        QLocale.DataSizeFormat.DataSizeSIFormat,
    )
