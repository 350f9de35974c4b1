"""Settings: kept, checked, written whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.settings import Settings, SettingsStore, parse_settings, read_settings, write_settings
from tests.gui.conftest import OpenDesktop


def test_kept_over_a_restart(pollux_home: Path) -> None:
    path = pollux_home / "settings.json"
    store = SettingsStore(path)
    store.change(theme="dark", temperature=0.25, model="模型")
    assert read_settings(path) == Settings(theme="dark", temperature=0.25, model="模型")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"theme": "pink"},
        {"temperature": 99},
        {"temperature": "hot"},
        {"threads": True},
        {"text_size": 1},
        {"unknown": 1},
        {"seed": -5},
    ],
)
def test_nonsense_is_left_at_the_default(data: object) -> None:
    assert parse_settings(data) == Settings()


def test_broken_file_is_put_aside(pollux_home: Path) -> None:
    path = pollux_home / "settings.json"
    path.write_text('{"theme": "dark"', encoding="utf-8")
    assert read_settings(path) == Settings()
    assert (pollux_home / "settings.json.broken").read_text(encoding="utf-8") == '{"theme": "dark"'


def test_failed_save_keeps_the_old_file_and_says_so(
    qtbot: QtBot, pollux_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pollux_home / "settings.json"
    write_settings(path, Settings(theme="dark"))
    store = SettingsStore(path)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.settings.os.fsync", full)
    with qtbot.waitSignal(store.failed) as failed:
        store.change(theme="light")
    assert failed.args is not None
    assert "No space left" in str(failed.args[0])
    assert store.value.theme == "light"
    assert json.loads(path.read_text())["theme"] == "dark"
    assert list(pollux_home.glob("*.part")) == []


def test_preferences_change_settings_and_the_window_at_once(qtbot: QtBot, open_desktop: OpenDesktop) -> None:
    desktop = open_desktop()
    desktop.window.show_preferences()
    pane = desktop.window.preferences
    pane.temperature.setValue(0.3)
    pane.threads.setValue(2)
    assert desktop.settings.value.temperature == 0.3
    assert desktop.settings.value.threads == 2
    qtbot.waitUntil(lambda: desktop.host.model.status == "ready")
    pane.greedy.setChecked(True)
    assert not pane.temperature.isEnabled()
    assert "likeliest" in pane.temperature.toolTip()
    pane.language.setCurrentIndex(pane.language.findData("zh_CN"))
    qtbot.waitUntil(lambda: desktop.window.preferences is not pane)
    assert desktop.window.preferences.theme.accessibleName() == "主题"
    desktop.window.preferences.theme.setCurrentIndex(2)
    qtbot.waitUntil(lambda: desktop.settings.value.theme == "dark")
    assert json.loads((Path(desktop.history.path).parent / "settings.json").read_text())["theme"] == "dark"
