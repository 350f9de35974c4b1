"""The model of one task in the bar of its pane: what it is, how it is, what it runs on; and a menu to change it.

In: the pack that is used, its state, texts that are already translated. Out: the control says it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QAbstractButton, QMenu

from app.theme import scaled

if TYPE_CHECKING:
    from app.model_state import ModelState
    from engine.packs import Pack


@dataclass(frozen=True)
class ModelTexts:
    """What a pane calls its model: by itself, with "{state}", and in the tool tip."""

    name: str
    with_state: str
    tip: str


def model_text(pack: Pack, state: ModelState) -> str:
    """The model and how it is; only its name while another one is loaded."""
    if state.pack is None or state.pack.name != pack.name:
        return pack.display_name
    if state.status == "ready":
        return f"{pack.display_name} · {state.provider}"
    if state.status == "loading":
        return QCoreApplication.translate("ModelButton", "Loading · {model}").format(model=pack.display_name)
    if state.status == "failed":
        return QCoreApplication.translate("ModelButton", "Failed · {model}").format(model=pack.display_name)
    return pack.display_name


def show_model(
    control: QAbstractButton, pack: Pack | None, state: ModelState, texts: ModelTexts, widest_px: int
) -> None:
    """Say it on a button; without a pack there is none."""
    control.setVisible(pack is not None)
    if pack is None:
        control.setAccessibleName(texts.name)
        return
    text = model_text(pack, state)
    fitting = control.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, scaled(widest_px))
    control.setText(fitting)
    control.setAccessibleName(texts.with_state.format(state=text))
    control.setToolTip(texts.tip if fitting == text else f"{text}\n{texts.tip}")


def add_packs(menu: QMenu, packs: Sequence[Pack], used: Pack | None, chosen: Callable[[], None]) -> None:
    """An action for each pack, whose data is its name; ``chosen`` finds it by its sender."""
    group = QActionGroup(menu)
    for pack in packs:
        action = QAction(pack.display_name, group)
        action.setCheckable(True)
        action.setChecked(used is not None and used.name == pack.name)
        action.setData(pack.name)
        action.triggered.connect(chosen)
        menu.addAction(action)
