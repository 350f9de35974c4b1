"""Names of languages in the user's language, and sizes in the user's way.

In: BCP 47 tags, bytes. Out: text for labels.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale


def language_name(code: str) -> str:
    """The name of a language; the code itself where we have none."""
    tr = QCoreApplication.translate
    names = {
        "ar": tr("languages", "Arabic"),
        "bn": tr("languages", "Bengali"),
        "de": tr("languages", "German"),
        "el": tr("languages", "Greek"),
        "en": tr("languages", "English"),
        "es": tr("languages", "Spanish"),
        "fr": tr("languages", "French"),
        "he": tr("languages", "Hebrew"),
        "hi": tr("languages", "Hindi"),
        "hy": tr("languages", "Armenian"),
        "it": tr("languages", "Italian"),
        "ja": tr("languages", "Japanese"),
        "ka": tr("languages", "Georgian"),
        "ko": tr("languages", "Korean"),
        "pt": tr("languages", "Portuguese"),
        "ru": tr("languages", "Russian"),
        "ta": tr("languages", "Tamil"),
        "th": tr("languages", "Thai"),
        "vi": tr("languages", "Vietnamese"),
        "zh": tr("languages", "Chinese"),
    }
    return names.get(code.replace("_", "-").split("-")[0].lower(), code)


def language_list(codes: tuple[str, ...], limit: int = 4) -> str:
    """Some languages in one line, and how many more there are."""
    tr = QCoreApplication.translate
    if not codes:
        return tr("languages", "languages not stated")
    named = tr("languages", ", ").join(language_name(code) for code in codes[:limit])
    if len(codes) > limit:
        return tr("languages", "{named} and {count} more").format(named=named, count=len(codes) - limit)
    return named


def size_text(size_bytes: float) -> str:
    """A size as people read it: 98 MB, 1.1 GB."""
    return QLocale().formattedDataSize(
        int(size_bytes),
        1 if size_bytes >= 1_000_000_000 else 0,
        QLocale.DataSizeFormat.DataSizeSIFormat,
    )
