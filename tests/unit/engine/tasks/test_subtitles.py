"""Subtitles: short lines, broken where a thought ends, never two at once."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from engine.results import Segment, Word
from engine.tasks.subtitles import LINE_COLUMNS, LONGEST_MS, SHORTEST_MS, clean, columns, cues

ENGLISH = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
CHINESE = (
    "由于近期天气变化较大，请各位同学注意保暖，预防感冒。学校将在下周三举行运动会，希望大家积极参加，为班级争光！"
    "欢迎家长朋友们前来观看比赛并为同学们加油。"
)
MIXED = "我们使用 Python 和 PyTorch 来训练模型，然后 export 到 ONNX Runtime，这样就可以在没有网络的情况下运行它了，对吧？"
KOREAN = "안녕하세요 여러분 오늘은 정말 날씨가 좋네요 그래서 우리는 함께 공원에 가서 산책을 하고 맛있는 음식을 먹으려고 합니다"
THAI = "สวัสดีครับวันนี้อากาศดีมากเลยนะครับเราไปเที่ยวกันดีกว่าไหมครับผมอยากไปทะเลมากครับ"


def said(text: str, start_s: float, end_s: float, words: tuple[Word, ...] = ()) -> Segment:
    return Segment(start_s, end_s, text, "en", 0.9, words)


@pytest.mark.parametrize(
    "text", [ENGLISH, CHINESE, MIXED, KOREAN, THAI, "a" * 200, "。" * 90, "你" * 100, "x"]
)
@pytest.mark.parametrize("duration_s", [0.0, 2.0, 15.0, 30.0])
def test_nothing_is_lost_and_everything_fits(text: str, duration_s: float) -> None:
    made = cues([said(text, 3.0, 3.0 + duration_s)])
    shown = [line for cue in made for line in cue.lines]
    assert "".join(shown).replace(" ", "") == text.replace(" ", "")
    assert all(1 <= len(cue.lines) <= 2 for cue in made)
    assert all(0 < columns(line) <= LINE_COLUMNS and line == line.strip() for line in shown)
    assert all(0 < cue.end_ms - cue.start_ms <= LONGEST_MS for cue in made)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(made))


def test_breaks_where_a_thought_ends() -> None:
    first, second = cues([said(ENGLISH, 0, 11)])
    assert first.lines == ("And so my fellow Americans, ask not", "what your country can do for you,")
    assert second.lines == ("ask what you can do for your country.",)
    made = cues([said(CHINESE, 0, 20)])
    assert [cue.lines[-1][-1] for cue in made] == ["。", "！", "。"]
    assert not any(line[0] in "，。！" for cue in made for line in cue.lines)
    words = {word for cue in cues([said(MIXED, 0, 9)]) for line in cue.lines for word in line.split()}
    assert {"Python", "PyTorch", "ONNX"} <= words  # no name is broken


def test_a_syllable_stays_whole() -> None:
    for cue in cues([said(THAI, 0, 9)]):
        assert all(line[0] not in "าะำ" and line[-1] not in "เแโใไ" for line in cue.lines)


def test_times_of_words_decide() -> None:
    parts = ENGLISH.split(" ")
    starts = [index * 0.3 if index < 14 else 20 + index * 0.3 for index in range(len(parts))]
    words = tuple(Word(f" {part}", at, at + 0.25, 0.9) for part, at in zip(parts, starts, strict=True))
    first, second = cues([said(f" {ENGLISH}", 0, 27, words)])
    assert second.lines[0].startswith("ask what") and second.start_ms == 24_200
    assert first.end_ms == 4150  # not when the silence ends
    # Text that was edited is no longer what the words are of: times in proportion to the characters.
    edited = cues([said("Something else. " * 6, 0, 12, words)])
    assert [cue.start_ms for cue in edited] == sorted({cue.start_ms for cue in edited})
    assert edited[0].start_ms == 0 and edited[-1].end_ms == 12_000


def test_short_ones_stay_until_the_next_comes() -> None:
    made = cues([said("One", 1, 1.2), said("Two", 1.5, 1.6), said("Three", 9, 9.1)])
    assert [(cue.start_ms, cue.end_ms) for cue in made] == [(1000, 1500), (1500, 2200), (9000, 9700)]
    assert made[1].end_ms - made[1].start_ms == SHORTEST_MS
    assert cues([said("Slow words", 0, 30)])[0].end_ms == LONGEST_MS


def test_impossible_times_become_possible() -> None:
    pick = random.Random(5)
    segments = [said(f"Nr. {i}", pick.uniform(-1, 5), pick.uniform(-1, 5)) for i in range(50)]
    made = cues(segments)
    assert len(made) == 50 and made[0].start_ms >= 0
    assert all(cue.start_ms < cue.end_ms for cue in made)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(made))


def test_cleaning() -> None:
    assert clean("  a\n\n b\x00\x1b\u2028c\ud800 ") == "a b c"
    assert cues([said(" \n", 0, 1)]) == ()
    assert columns("你a\u0301") == 3
