"""The promise of the image pane: a photo dropped on it is described. A real window, the real model, a real photo."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.host import EngineDoor
from tests.gui.conftest import OpenDesktop
from tests.gui.images import pane, shown_text
from tests.gui.speech import drop

PACK = os.environ.get("POLLUX_TEST_IMAGE_PACK", "")
PHOTOS = Path(__file__).resolve().parents[1] / "data" / "photos"
DEADLINE_MS = 180_000  # loading, describing and reading its text, while other programs want all processors
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not PACK, reason="POLLUX_TEST_IMAGE_PACK does not name an image model"),
]


def test_a_dropped_photo_is_described(
    qtbot: QtBot, open_desktop: OpenDesktop, pollux_home: Path, folder: Path
) -> None:
    packs = pollux_home / "packs"
    packs.mkdir()
    (packs / Path(PACK).name).symlink_to(Path(PACK).resolve(), target_is_directory=True)
    photo = folder / "猫 ü.jpg"
    shutil.copyfile(PHOTOS / "cat.jpg", photo)
    desktop = open_desktop(EngineDoor(), wait=False)  # type: ignore[arg-type]  # the real one
    qtbot.waitUntil(lambda: bool(desktop.host.packs), timeout=DEADLINE_MS)
    drop(desktop, photo)
    item = next(item for item in desktop.images.items if item.path == photo)
    qtbot.waitUntil(lambda: item.state in ("done", "failed"), timeout=DEADLINE_MS)
    assert item.state == "done"
    text = shown_text(desktop)
    assert "cat" in text.casefold().replace(".", " ").split()
    result = pane(desktop).result
    assert result.view.image is not None and result.view.image.width() == 400
    # A word shows where the model looked.
    word = result.caption.text.casefold().index("cat")
    (described,) = item.results.values()
    look = next(look for look in described.looks if look.start <= word < look.end)
    assert look.attention.sum() == pytest.approx(1, abs=1e-3) and look.attention.std() > 0
