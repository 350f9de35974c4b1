"""Recording in the speech pane: live text, pause, the end that loses nothing, and what goes wrong with microphones."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.gui import Desktop
from app.speech_items import SpeechItem
from app.widgets.segment_model import TEXT
from engine.errors import EngineError
from engine.results import LiveText
from tests.fake_speech import SAID, FakeSound, FakeSpeech, said
from tests.gui.conftest import OpenDesktop, find
from tests.gui.speech import door, drop, media, pane, texts, until


def recording(qtbot: QtBot, desktop: Desktop) -> SpeechItem:
    desktop.window.show_speech()
    qtbot.mouseClick(pane(desktop).bar.record, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.recorder.state == "recording")
    assert desktop.recorder.item is not None
    return desktop.recorder.item


def test_record_shows_live_text_and_drains(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    speech = FakeSpeech(
        live=[LiveText(0.0, "Good mor"), LiveText(0.0, "Good morning, and"), said()[0], LiveText(4.0, "We")],
        last_words=said()[1],
        drain_gate=threading.Event(),
    )
    sound = FakeSound()
    desktop = open_desktop(door(speech), sound=sound)
    item = recording(qtbot, desktop)
    assert find(pane(desktop), QPushButton, "Pause").isVisible()
    for expected in (["Good mor"], ["Good morning, and"], [SAID[0]], [SAID[0], "We"]):
        speech.live_gate.release()
        qtbot.waitUntil(lambda expected=expected: texts(desktop) == expected)
    model = pane(desktop).result.model
    assert model.is_live(1) and not model.flags(model.index(1, TEXT)) & Qt.ItemFlag.ItemIsEditable
    qtbot.waitUntil(lambda: pane(desktop).bar.strip.time.text() == "0:03")
    assert pane(desktop).bar.strip.meter.fraction > 0.5
    qtbot.mouseClick(find(pane(desktop), QPushButton, "Pause"), Qt.MouseButton.LeftButton)
    assert sound.recorders[0].paused
    qtbot.mouseClick(find(pane(desktop), QPushButton, "Go on"), Qt.MouseButton.LeftButton)
    assert not sound.recorders[0].paused
    qtbot.mouseClick(find(pane(desktop).bar, QPushButton, "Stop"), Qt.MouseButton.LeftButton)
    assert pane(desktop).bar.strip.state.text() == "Finishing…"
    assert speech.drain_gate is not None
    speech.drain_gate.set()
    until(qtbot, item, "done")
    assert texts(desktop) == list(SAID[:2])
    assert pane(desktop).bar.strip.isHidden()
    assert item.path.is_file() and item.path.parent.name == "recordings"
    desktop.window.close()
    desktop = open_desktop(door(speech))
    qtbot.waitUntil(lambda: len(desktop.speech.items) == 1)
    assert desktop.speech.items[0].state == "done"
    desktop.speech.select(desktop.speech.items[0])
    qtbot.waitUntil(lambda: texts(desktop) == list(SAID[:2]))


def test_files_wait_for_a_recording_and_go_on(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    speech = FakeSpeech(gate=threading.Event())
    desktop = open_desktop(door(speech))
    drop(desktop, *media(folder, "a.wav"))
    file = desktop.speech.items[0]
    qtbot.waitUntil(lambda: len(file.segments) == 2)
    item = recording(qtbot, desktop)
    until(qtbot, file, "waiting")
    assert pane(desktop).queue.rows.line(file) == "Waits for the recording"
    assert speech.gate is not None
    speech.gate.set()
    desktop.recorder.stop()
    until(qtbot, item, "done")
    until(qtbot, file, "done")
    assert speech.resumed_at == [0, 2]


@pytest.mark.parametrize(
    "text", ["No microphone was found.", "The microphone is busy.", "Access was denied."]
)
def test_a_recording_that_does_not_begin_says_why(qtbot: QtBot, open_desktop: OpenDesktop, text: str) -> None:
    sound = FakeSound(start_error=EngineError(text, "Do something about it."))
    desktop = open_desktop(door(), sound=sound)
    desktop.window.show_speech()
    pane(desktop).bar.record.click()
    qtbot.waitUntil(lambda: bool(pane(desktop).banners.all()))
    banner = pane(desktop).banners.all()[0]
    assert (banner.text.text(), banner.detail.text()) == (text, "Do something about it.")
    assert desktop.recorder.state == "idle" and not desktop.speech.items and not desktop.speech.held
    sound.start_error = None
    qtbot.mouseClick(find(banner, QPushButton, "Record again"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desktop.recorder.state == "recording")
    assert pane(desktop).banners.get("microphone") is None


def test_silence_and_unplugging_are_told(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    speech, sound = FakeSpeech(live=[said()[0]]), FakeSound()
    desktop = open_desktop(door(speech), sound=sound)
    item = recording(qtbot, desktop)
    recorder = sound.recorders[0]
    recorder.silence_problem = EngineError("Nothing is heard.", "Is it muted?")
    qtbot.waitUntil(lambda: pane(desktop).banners.get("silence") is not None)
    recorder.silence_problem = None
    qtbot.waitUntil(lambda: pane(desktop).banners.get("silence") is None)
    speech.live_gate.release()
    qtbot.waitUntil(lambda: texts(desktop) == [SAID[0]])
    recorder.problem = EngineError("{name} was unplugged.", "What was said is kept.", name="USB microphone")
    until(qtbot, item, "done")
    banner = pane(desktop).banners.get("microphone")
    assert banner is not None and banner.text.text() == "USB microphone was unplugged."
    assert item.path.is_file() and texts(desktop) == [SAID[0]]


def test_the_sound_is_kept_where_the_model_fails(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    speech = FakeSpeech(live_error=EngineError("There is not enough memory."))
    desktop = open_desktop(door(speech))
    item = recording(qtbot, desktop)
    qtbot.waitUntil(lambda: bool(pane(desktop).banners.all()))
    assert desktop.recorder.state == "recording"
    desktop.recorder.stop()
    until(qtbot, item, "failed")
    qtbot.mouseClick(find(pane(desktop), QPushButton, "Try again"), Qt.MouseButton.LeftButton)
    until(qtbot, item, "done")


def test_microphones_can_be_chosen(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    sound = FakeSound()
    desktop = open_desktop(door(), sound=sound)
    desktop.window.show_speech()
    combo = pane(desktop).bar.microphone
    qtbot.waitUntil(lambda: combo.count() == 3)
    combo.setCurrentIndex(2)
    combo.activated.emit(2)
    recording(qtbot, desktop)
    assert sound.recorders[0].device == "cam"


def test_language_changes_in_mid_recording(qtbot: QtBot, open_desktop: OpenDesktop, folder: Path) -> None:
    speech = FakeSpeech(live=[said()[0], LiveText(4.0, "We have"), said()[1]])
    desktop = open_desktop(door(speech))
    drop(desktop, *media(folder, "a.wav"))
    until(qtbot, desktop.speech.items[0], "done")
    item = recording(qtbot, desktop)
    for _ in range(2):
        speech.live_gate.release()
    qtbot.waitUntil(lambda: texts(desktop) == [SAID[0], "We have"])
    old = pane(desktop)
    desktop.settings.change(language="zh_CN")
    qtbot.waitUntil(lambda: pane(desktop) is not old)
    assert desktop.window._section == "speech"
    assert texts(desktop) == [SAID[0], "We have"]
    qtbot.waitUntil(pane(desktop).bar.strip.isVisible)
    assert pane(desktop).queue.rows.rowCount() == 2
    speech.live_gate.release()
    qtbot.waitUntil(lambda: texts(desktop) == list(SAID[:2]))
    pane(desktop).bar.strip.stop.click()
    until(qtbot, item, "done")


def test_quit_while_recording_keeps_everything(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    speech = FakeSpeech(live=[said()[0]])
    desktop = open_desktop(door(speech))
    item = recording(qtbot, desktop)
    speech.live_gate.release()
    qtbot.waitUntil(lambda: texts(desktop) == [SAID[0]])
    desktop.window.close()
    assert item.path.is_file()
    desktop = open_desktop(door(speech))
    qtbot.waitUntil(lambda: len(desktop.speech.items) == 1)
    desktop.speech.select(desktop.speech.items[0])
    qtbot.waitUntil(lambda: texts(desktop) == [SAID[0]])
    assert desktop.speech.items[0].state == "stopped"
