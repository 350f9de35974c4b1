"""The button at the top: its text is the state of the model, its menu changes it.

In: the host. Out: calls of the host, and a wish to see the models pane.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QPushButton

from app.host import Host, ModelState
from app.i18n import error_message
from app.language_names import size_text
from app.panes.preferences import device_name
from app.settings import SettingsStore
from app.theme import colours, icon, scaled

WIDEST_PX = 320


class ModelButton(QPushButton):
    """Which model runs on what."""

    show_models = Signal()

    def __init__(self, host: Host, settings: SettingsStore) -> None:
        super().__init__()
        self._host, self._settings = host, settings
        self.setProperty("role", "model")
        self.setObjectName("modelButton")
        self.setIconSize(QSize(scaled(16), scaled(16)))
        self._menu = QMenu(self)
        self._menu.setAccessibleName(self.tr("Models"))
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        host.model_changed.connect(self._show_state)
        host.packs_changed.connect(self._packs_changed)
        self._show_state(host.model)

    @Slot()
    def _packs_changed(self) -> None:
        self._show_state(self._host.model)

    @Slot(object)
    def _show_state(self, state: ModelState) -> None:
        name = state.pack.display_name if state.pack is not None else ""
        tip, drawing, tint = self.tr("Choose the model and the device"), "down", colours().muted
        if state.status == "loading":
            text = self.tr("Loading · {model}").format(model=name)
        elif state.status == "ready":
            text, drawing, tint = f"{name} · {state.provider}", "check", colours().good
        elif state.status == "failed":
            text, drawing, tint = (
                self.tr("Failed · {model}").format(model=name),
                "warning",
                colours().on_error,
            )
            if state.error is not None:
                tip = error_message(state.error)
        elif self._host.packs_of("language"):
            text = self.tr("Choose a model")
        else:
            text = self.tr("No model installed")
        fitting = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, scaled(WIDEST_PX))
        self.setText(f" {fitting}")
        if fitting != text:
            tip = f"{text}\n{tip}"
        self.setIcon(icon(drawing, tint))
        self.setToolTip(tip)
        self.setAccessibleName(self.tr("Model: {state}").format(state=text))

    @Slot()
    def _fill(self) -> None:
        self._menu.clear()
        state = self._host.model
        group = QActionGroup(self._menu)
        for pack in self._host.packs_of("language"):
            action = QAction(
                self.tr("{model}   {size}").format(model=pack.display_name, size=size_text(pack.size_bytes)),
                group,
            )
            action.setCheckable(True)
            action.setChecked(state.pack is not None and state.pack.name == pack.name)
            action.setData(pack.name)
            action.triggered.connect(self._model_chosen)
            self._menu.addAction(action)
        if not self._host.packs_of("language"):
            none = self._menu.addAction(self.tr("No model is installed"))
            none.setEnabled(False)
        self._menu.addSeparator()
        devices = self._menu.addMenu(icon("models", colours().muted), self.tr("Device"))
        devices.setAccessibleName(self.tr("Device"))
        device_group = QActionGroup(devices)
        for key in self._host.devices:
            action = QAction(device_name(key), device_group)
            action.setCheckable(True)
            action.setChecked(self._settings.value.device == key)
            action.setData(key)
            action.triggered.connect(self._device_chosen)
            devices.addAction(action)
        unload = self._menu.addAction(self.tr("Free the model's memory"), self._host.unload)
        unload.setEnabled(
            "ready" in (state.status, self._host.speech.state.status, self._host.images.state.status)
        )
        self._menu.addSeparator()
        self._menu.addAction(
            icon("download", colours().muted), self.tr("Get more models…"), self.show_models.emit
        )

    @Slot()
    def _model_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._host.load(str(action.data()))

    @Slot()
    def _device_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._settings.change(device=action.data())
