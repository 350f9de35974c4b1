"""What was found in a picture, as facts for a model and as sentences of our own.

In: a caption, how sure it is, what was found. Out: lines of facts, the only thing that a chat model is told; or whole
sentences in English or Chinese that say the same, for who has no such model.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.results import Colour, Findings, Subject
from engine.tasks.describe_text import quoted, readable
from engine.tasks.describe_wording import (
    LIKELY_FROM,
    PERHAPS_FROM,
    SURE_FROM,
    Language,
    doubted,
    hedged,
    listed,
    uncapitalised,
)
from engine.tasks.picture_findings import date_text

TEXT_MOST_CHARS = 600  # of the text in the picture; a page of it is not a description
SUBJECTS_MOST, COLOURS_MOST = 4, 3
COLOUR_FROM_SHARE = 0.08


def facts(told: str, unsure: bool, findings: Findings, language: Language) -> tuple[str, ...]:
    """What a chat model is told, a line for each fact."""
    zh = language == "zh"
    subjects, colours = _subjects(findings), _colours(findings)
    text = quoted(readable(findings.text), TEXT_MOST_CHARS, language)
    lines = (
        (("画面（不确定）" if unsure else "画面") if zh else ("Perhaps" if unsure else "Scene"), told),
        ("内容" if zh else "Contents", listed([doubted(each, language) for each in subjects], language)),
        ("图中文字" if zh else "Text in the photo", text),
        ("主要颜色" if zh else "Main colours", _colour_names(colours, language)),
        ("拍摄时间" if zh else "Taken on", date_text(findings.taken, language)),
        ("拍摄地点" if zh else "Taken at", findings.place),
        ("相机" if zh else "Camera", findings.camera),
    )
    return tuple(f"{name}：{value}" if zh else f"{name}: {value}" for name, value in lines if value)


def composed(told: str, unsure: bool, findings: Findings, language: Language) -> str:
    """Sentences that say all that was found; no model is needed for them."""
    if language == "zh":
        return "".join(_chinese(told, unsure, findings))
    return " ".join(_english(told, unsure, findings))


def _english(told: str, unsure: bool, findings: Findings) -> list[str]:
    parts = [hedged(told, unsure, "en")]
    if phrase := _english_subjects(_subjects(findings)):
        parts.append(phrase)
    if text := quoted(readable(findings.text), TEXT_MOST_CHARS, "en"):
        parts.append(f"The text in it reads {text}.")
    if names := _colour_names(colours := _colours(findings), "en"):
        parts.append(f"Its main colours are {names}." if len(colours) > 1 else f"Its main colour is {names}.")
    taken = [
        f"on {date_text(findings.taken, 'en')}" if findings.taken else "",
        f"{'at' if findings.place[:1].isdigit() else 'in'} {findings.place}" if findings.place else "",
        f"with {findings.camera}" if findings.camera else "",
    ]
    if any(taken):
        parts.append(f"It was taken {' '.join(filter(None, taken))}.")
    parts.append(f"It is {findings.width_px} pixels wide and {findings.height_px} high.")
    return [part for part in parts if part]


def _english_subjects(subjects: Sequence[Subject]) -> str:
    """One sentence; a word of doubt stands once before all that share it."""
    groups = [
        word + listed(names, "en")
        for word, names in zip(("", "likely ", "perhaps "), _by_doubt(subjects, "en"), strict=True)
        if names
    ]
    return f"It shows {uncapitalised('; '.join(groups))}." if groups else ""


def _chinese_subjects(subjects: Sequence[Subject]) -> str:
    groups = [
        word + listed(names, "zh")
        for word, names in zip(("有", "很可能有", "也许有"), _by_doubt(subjects, "zh"), strict=True)
        if names
    ]
    return f"图中{'，'.join(groups)}。" if groups else ""


def _by_doubt(subjects: Sequence[Subject], language: Language) -> list[list[str]]:
    """The names of what is sure, likely, and possible."""
    return [
        [
            each.name_zh if language == "zh" else each.name
            for each in subjects
            if least <= each.confidence < most
        ]
        for most, least in ((2.0, SURE_FROM), (SURE_FROM, LIKELY_FROM), (LIKELY_FROM, 0))
    ]


def _chinese(told: str, unsure: bool, findings: Findings) -> list[str]:
    # An English sentence stands here where nothing could translate it.
    parts = [hedged(told, unsure, "zh") + (" " if told.isascii() and told else "")]
    if phrase := _chinese_subjects(_subjects(findings)):
        parts.append(phrase)
    if text := quoted(readable(findings.text), TEXT_MOST_CHARS, "zh"):
        parts.append(f"图中文字：{text}。")
    if names := _colour_names(_colours(findings), "zh"):
        parts.append(f"主要颜色是{names}。")
    if findings.taken:
        parts.append(f"拍摄于{date_text(findings.taken, 'zh')}。")
    if findings.place:
        parts.append(f"拍摄地点：{findings.place}。")
    if findings.camera:
        parts.append(f"相机：{findings.camera}。")
    parts.append(f"图片宽{findings.width_px}像素，高{findings.height_px}像素。")
    return parts


def _subjects(findings: Findings) -> tuple[Subject, ...]:
    return tuple(each for each in findings.subjects if each.confidence >= PERHAPS_FROM)[:SUBJECTS_MOST]


def _colours(findings: Findings) -> tuple[Colour, ...]:
    return tuple(each for each in findings.colours if each.share >= COLOUR_FROM_SHARE)[:COLOURS_MOST]


def _colour_names(colours: Sequence[Colour], language: Language) -> str:
    return listed([each.name_zh if language == "zh" else each.name for each in colours], language)
