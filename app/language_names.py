"""Names of languages in the user's language, and sizes in the user's way.

In: BCP 47 tags, bytes. Out: text for labels.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale


def language_name(code: str) -> str:
    """The name of a language; the code itself where we have none."""
    names = {
        "ar": QCoreApplication.translate("languages", "Arabic"),
        "bn": QCoreApplication.translate("languages", "Bengali"),
        "de": QCoreApplication.translate("languages", "German"),
        "el": QCoreApplication.translate("languages", "Greek"),
        "en": QCoreApplication.translate("languages", "English"),
        "es": QCoreApplication.translate("languages", "Spanish"),
        "fr": QCoreApplication.translate("languages", "French"),
        "he": QCoreApplication.translate("languages", "Hebrew"),
        "hi": QCoreApplication.translate("languages", "Hindi"),
        "hy": QCoreApplication.translate("languages", "Armenian"),
        "it": QCoreApplication.translate("languages", "Italian"),
        "ja": QCoreApplication.translate("languages", "Japanese"),
        "ka": QCoreApplication.translate("languages", "Georgian"),
        "ko": QCoreApplication.translate("languages", "Korean"),
        "pt": QCoreApplication.translate("languages", "Portuguese"),
        "ru": QCoreApplication.translate("languages", "Russian"),
        "ta": QCoreApplication.translate("languages", "Tamil"),
        "th": QCoreApplication.translate("languages", "Thai"),
        "vi": QCoreApplication.translate("languages", "Vietnamese"),
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
