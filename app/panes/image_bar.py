"""The top of the image pane: where pictures come from, how they are described, one by one or in a table.

In: session, host. Out: what the user does; wishes that the pane fulfils.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction, QFont, QFontMetrics
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from app.host import Host
from app.image_session import ImageSession
from app.model_state import ModelState
from app.settings import SettingsStore
from app.theme import colours, scaled
from app.widgets.basics import button, combo, tool_button
from app.widgets.flow import FlowBox
from app.widgets.task_model_control import ModelTexts, add_packs, show_model


class ImageBar(QWidget):
    """Sources, choices, and the two ways of looking at the pictures."""

    files_wanted = Signal()
    folder_wanted = Signal()
    paste_wanted = Signal()
    screen_wanted = Signal()
    table_wanted = Signal(bool)

    def __init__(self, host: Host, session: ImageSession, settings: SettingsStore) -> None:
        super().__init__()
        self._host, self._session, self._settings = host, session, settings
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        flow = FlowBox()
        flow.add(*self._sources(), *self._choices(), *self._ways())
        row.addWidget(flow, 1)
        session.choices_changed.connect(self.show_choices)
        host.images.changed.connect(self._model_changed)
        host.packs_changed.connect(self._packs_changed)
        self.show_choices()
        self._packs_changed()

    def _sources(self) -> list[QWidget]:
        self.open = button(self.tr("Open pictures…"), "primary", "plus", colours().on_accent)
        self.open.clicked.connect(self.files_wanted)
        self.folder = button(self.tr("Open folder…"), "", "folder")
        self.folder.clicked.connect(self.folder_wanted)
        self.paste = tool_button(self.tr("Paste a picture (Ctrl+V)"), "paste", tint=colours().muted)
        self.paste.clicked.connect(self.paste_wanted)
        self.screen_button = tool_button(
            self.tr("Take what the screen shows; this window steps aside for a moment"),
            "screen",
            tint=colours().muted,
        )
        self.screen_button.clicked.connect(self.screen_wanted)
        return [self.open, self.folder, self.paste, self.screen_button]

    def _ways(self) -> list[QWidget]:
        self.single = self._way(self.tr("One by one"), "images", False)
        self.table = self._way(self.tr("Table"), "table", True)
        self.single.setChecked(True)
        self._both = QWidget()  # they stay side by side
        row = QHBoxLayout(self._both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.single)
        row.addWidget(self.table)
        return [self._both]

    def _way(self, name: str, drawing: str, table: bool) -> QPushButton:
        made = button(name, "nav", drawing)
        made.setCheckable(True)
        made.setAutoExclusive(True)
        bold = QFont(made.font())
        bold.setWeight(QFont.Weight.DemiBold)  # as the chosen one is written
        made.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(made.text()) + scaled(16) + 34)
        made.setProperty("table", table)
        made.clicked.connect(self._way_chosen)
        return made

    def _choices(self) -> list[QWidget]:
        self.style_choice = _combo(self.tr("Style of the description"))
        for key, text in (
            ("short", self.tr("Short")),
            ("alt", self.tr("Alt text")),
            ("detailed", self.tr("Detailed")),
        ):
            self.style_choice.addItem(text, key)
        self.style_choice.activated.connect(self._chosen)
        self.language = _combo(self.tr("Language of the description"))
        self.language.addItem("English", "en")
        self.language.addItem("中文", "zh")
        self.language.activated.connect(self._chosen)
        self.model = tool_button("", "eye", 16, tint=colours().muted)
        self.model.setObjectName("imageModel")
        self.model.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.model.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.model)
        self._menu.setAccessibleName(self.tr("Image model"))
        self._menu.aboutToShow.connect(self._fill_menu)
        self.model.setMenu(self._menu)
        return [self.style_choice, self.language, self.model]

    # What is shown

    @Slot()
    def show_choices(self) -> None:
        """Follow the settings."""
        now = self._session.choices
        for choice, value in ((self.style_choice, now.style), (self.language, now.language)):
            with QSignalBlocker(choice):
                choice.setCurrentIndex(choice.findData(value))

    def show_table(self, table: bool, possible: bool) -> None:
        """Which way is on; without a reason to choose, there is no choice."""
        self._both.setVisible(possible)
        (self.table if table else self.single).setChecked(True)

    @Slot()
    def _packs_changed(self) -> None:
        self._model_changed(self._host.images.state)

    @Slot(object)
    def _model_changed(self, state: ModelState) -> None:
        texts = ModelTexts(
            self.tr("Image model"),
            self.tr("Image model: {state}"),
            self.tr("The image model, and what it runs on"),
        )
        show_model(self.model, self._host.best_pack("image"), state, texts, 260)

    # What the user does

    @Slot()
    def _way_chosen(self) -> None:
        self.table_wanted.emit(bool(self.sender().property("table")))

    @Slot()
    def _chosen(self) -> None:
        self._session.choose(
            replace(
                self._session.choices,
                style=self.style_choice.currentData(),
                language=self.language.currentData(),
            )
        )

    @Slot()
    def _fill_menu(self) -> None:
        self._menu.clear()
        add_packs(self._menu, self._host.packs_of("image"), self._host.best_pack("image"), self._model_chosen)
        self._menu.addSeparator()
        unload = self._menu.addAction(self.tr("Free the model's memory"), self._host.images.unload)
        unload.setEnabled(self._host.images.state.status == "ready")

    @Slot()
    def _model_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._settings.change(image_model=str(action.data()))
            self._packs_changed()


def _combo(name: str) -> QComboBox:
    made = combo(name)
    made.setToolTip(name)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return made
