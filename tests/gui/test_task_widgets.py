"""What the panes of speech and of pictures share: the label of their model, its menu, and the neighbour of what goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMenu, QPushButton
from pytestqt.qtbot import QtBot

from app.model_state import ModelState
from app.rows import take_out
from app.widgets.task_model_control import ModelTexts, add_packs, model_text, show_model
from tests.fakes import image_pack, speech_pack

TEXTS = ModelTexts("Model", "Model: {state}", "What it runs on")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ModelState("none"), "Whisper base"),
        (ModelState("loading", speech_pack()), "Loading · Whisper base"),
        (ModelState("ready", speech_pack(), "CPU"), "Whisper base · CPU"),
        (ModelState("failed", speech_pack()), "Failed · Whisper base"),
        (ModelState("ready", image_pack(), "CPU"), "Whisper base"),  # another one is loaded
    ],
)
def test_a_model_says_how_it_is(state: ModelState, expected: str) -> None:
    assert model_text(speech_pack(), state) == expected


def test_the_control_says_it_whole_where_it_is_cut(qtbot: QtBot) -> None:
    control = QPushButton()
    qtbot.addWidget(control)
    ready = ModelState("ready", speech_pack(), "CPU")
    show_model(control, speech_pack(), ready, TEXTS, 400)
    assert (control.text(), control.toolTip()) == ("Whisper base · CPU", "What it runs on")
    assert control.accessibleName() == "Model: Whisper base · CPU"
    show_model(control, speech_pack(), ready, TEXTS, 40)
    assert "…" in control.text() and control.toolTip() == "Whisper base · CPU\nWhat it runs on"
    show_model(control, None, ModelState("none"), TEXTS, 40)
    assert control.isHidden() and control.accessibleName() == "Model"


def test_the_menu_marks_the_one_in_use(qtbot: QtBot) -> None:
    menu, other, chosen = QMenu(), replace(speech_pack(), name="other"), []
    qtbot.addWidget(menu)
    add_packs(menu, [speech_pack(), other], other, lambda: chosen.append(True))
    assert [action.isChecked() for action in menu.actions()] == [False, True]
    menu.actions()[0].trigger()
    assert chosen and [action.data() for action in menu.actions()] == ["whisper-base", "other"]


def test_the_neighbour_takes_the_place() -> None:
    items = ["a", "b", "c"]
    assert take_out(items, "b") == "c"
    assert take_out(items, "c") == "a"
    assert take_out(items, "a") is None and items == []
