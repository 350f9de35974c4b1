"""The preferences pane: how Pollux looks, what it runs on, how it answers.

In: the settings store. Out: changes to it; each one holds at once.
"""

from __future__ import annotations

from PySide6.QtCore import QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QSpinBox,
    QWidget,
)

from app.host import Host
from app.paths import logs_folder
from app.settings import DEVICES, TEXT_SIZES, Settings, SettingsStore
from app.theme import scaled
from app.widgets.basics import Page, button, disable, label

_DEFAULTS = Settings()
CONTROL_PX = 240


class Section(QFrame):
    """A card with rows: a name, an explanation, a control."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(18, 12, 18, 12)
        self._grid.setVerticalSpacing(12)
        self._grid.setHorizontalSpacing(24)
        self._grid.setColumnStretch(0, 1)

    def add(self, name: str, explanation: str, control: QWidget) -> None:
        """One row."""
        row = self._grid.rowCount()
        texts = QWidget()
        box = QGridLayout(texts)
        box.setContentsMargins(0, 0, 0, 0)
        box.setVerticalSpacing(1)
        box.addWidget(label(name, "strong"), 0, 0)
        if explanation:
            box.addWidget(label(explanation, "small"), 1, 0)
        control.setAccessibleName(name)
        control.setAccessibleDescription(explanation)
        if isinstance(control, QComboBox):
            control.view().setAccessibleName(name)
        control.setFixedWidth(scaled(CONTROL_PX))  # one width, so that the sections line up
        self._grid.addWidget(texts, row, 0)
        self._grid.addWidget(control, row, 1)


class PreferencesPane(Page):
    """All settings."""

    show_shortcuts = Signal()

    def __init__(self, store: SettingsStore, host: Host) -> None:
        super().__init__(self.tr("Preferences"), 760)
        self._store, self._host = store, host
        now = store.value
        self.column.addWidget(label(self.tr("Preferences"), "title"))
        self.column.addWidget(label(self.tr("Appearance"), "section"))
        look = Section()
        self.theme = self._choice(
            "theme",
            now.theme,
            (("system", self.tr("Like the system")), ("light", self.tr("Light")), ("dark", self.tr("Dark"))),
        )
        look.add(self.tr("Theme"), "", self.theme)
        self.text_size = self._choice(
            "text_size", now.text_size, tuple((size, f"{size} %") for size in TEXT_SIZES)
        )
        look.add(self.tr("Text size"), "", self.text_size)
        self.language = self._choice(
            "language",
            now.language,
            (("system", self.tr("Like the system")), ("en", "English"), ("zh_CN", "简体中文")),
        )
        look.add(self.tr("Language of the interface"), "", self.language)
        self.column.addWidget(look)
        self.column.addWidget(label(self.tr("Machine"), "section"))
        machine = Section()
        self.device = self._choice("device", now.device, self._devices())
        machine.add(
            self.tr("Device"),
            self.tr("Automatic takes the graphics card where one works, and falls back to the CPU."),
            self.device,
        )
        self.threads = self._whole("threads", now.threads, 0, 64)
        self.threads.setSpecialValueText(self.tr("Automatic"))
        machine.add(self.tr("Threads"), self.tr("Automatic is one for each physical core."), self.threads)
        self.column.addWidget(machine)
        self.column.addWidget(label(self.tr("Answers"), "section"))
        self.column.addWidget(self._answers(now))
        self.column.addLayout(self._buttons())
        host.devices_known.connect(self._devices_known)
        self._greedy_changed()

    def _answers(self, now: Settings) -> QWidget:
        made = Section()
        self.max_new_tokens = self._whole("max_new_tokens", now.max_new_tokens, 1, 32768)
        made.add(
            self.tr("Longest answer"),
            self.tr("In tokens; a token is about three quarters of an English word."),
            self.max_new_tokens,
        )
        self.greedy = QCheckBox(self.tr("On"))
        self.greedy.setChecked(now.greedy)
        self.greedy.toggled.connect(self._greedy_toggled)
        made.add(
            self.tr("Always the likeliest word"),
            self.tr("The same question gets the same answer."),
            self.greedy,
        )
        self.temperature = self._number("temperature", now.temperature, 0.0, 2.0)
        made.add(
            self.tr("Temperature"), self.tr("Higher is more varied, lower is more sober."), self.temperature
        )
        self.top_p = self._number("top_p", now.top_p, 0.0, 1.0)
        made.add(
            self.tr("Top-p"),
            self.tr("Choose among the likeliest words that together have this share."),
            self.top_p,
        )
        self.top_k = self._whole("top_k", now.top_k, 0, 1000)
        self.top_k.setSpecialValueText(self.tr("Off"))
        made.add(self.tr("Top-k"), self.tr("Choose among this many of the likeliest words."), self.top_k)
        self.min_p = self._number("min_p", now.min_p, 0.0, 1.0)
        made.add(
            self.tr("Min-p"), self.tr("Leave out words below this share of the likeliest one."), self.min_p
        )
        self.repetition_penalty = self._number("repetition_penalty", now.repetition_penalty, 0.5, 2.0)
        made.add(
            self.tr("Repetition penalty"),
            self.tr("Above 1, words that were used become less likely."),
            self.repetition_penalty,
        )
        self.seed = self._whole("seed", now.seed, -1, 2**31 - 1)
        self.seed.setSpecialValueText(self.tr("Another one each time"))
        made.add(self.tr("Seed"), self.tr("The same seed and settings give the same answer."), self.seed)
        return made

    def _buttons(self) -> QGridLayout:
        """Two and two: four in a row are wider than a narrow window."""
        grid = QGridLayout()
        grid.setSpacing(10)
        choices = (
            (self.tr("Default answer settings"), self._reset),
            (self.tr("Show logs"), self._show_logs),
            (self.tr("Open models folder"), self._show_models),
            (self.tr("Keyboard shortcuts"), self.show_shortcuts),
        )
        for place, (text, handler) in enumerate(choices):
            made = button(text)
            made.clicked.connect(handler)
            grid.addWidget(made, place // 2, place % 2)
        grid.setColumnStretch(2, 1)
        return grid

    def _devices(self) -> tuple[tuple[object, str], ...]:
        return tuple(
            (key, device_name(key))
            for key in DEVICES
            if key in self._host.devices or key == self._store.value.device
        )

    @Slot(object)
    def _devices_known(self, _devices: object) -> None:
        self.device.blockSignals(True)
        self.device.clear()
        for key, text in self._devices():
            self.device.addItem(text, key)
        self.device.setCurrentIndex(max(self.device.findData(self._store.value.device), 0))
        self.device.blockSignals(False)

    def _choice(self, key: str, value: object, choices: tuple[tuple[object, str], ...]) -> QComboBox:
        made = QComboBox()
        for data, text in choices:
            made.addItem(text, data)
        made.setCurrentIndex(max(made.findData(value), 0))
        made.setProperty("key", key)
        made.currentIndexChanged.connect(self._chosen)
        return made

    def _whole(self, key: str, value: int, low: int, high: int) -> QSpinBox:
        made = QSpinBox()
        made.setRange(low, high)
        made.setValue(value)
        made.setKeyboardTracking(False)
        made.lineEdit().setTextMargins(8, 0, 0, 0)  # the style sheet's padding does not reach it
        made.setProperty("key", key)
        made.valueChanged.connect(self._numbered)
        return made

    def _number(self, key: str, value: float, low: float, high: float) -> QDoubleSpinBox:
        made = QDoubleSpinBox()
        made.setRange(low, high)
        made.setSingleStep(0.05)
        made.setDecimals(2)
        made.setValue(value)
        made.setKeyboardTracking(False)
        made.lineEdit().setTextMargins(8, 0, 0, 0)  # the style sheet's padding does not reach it
        made.setProperty("key", key)
        made.valueChanged.connect(self._numbered)
        return made

    @Slot(int)
    def _chosen(self, _index: int) -> None:
        sender = self.sender()
        if isinstance(sender, QComboBox):
            self._store.change(**{str(sender.property("key")): sender.currentData()})

    @Slot()
    def _numbered(self) -> None:
        sender = self.sender()
        if isinstance(sender, QSpinBox):
            self._store.change(**{str(sender.property("key")): sender.value()})
        elif isinstance(sender, QDoubleSpinBox):
            self._store.change(**{str(sender.property("key")): round(sender.value(), 4)})

    @Slot(bool)
    def _greedy_toggled(self, on: bool) -> None:
        self._store.change(greedy=on)
        self._greedy_changed()

    def _greedy_changed(self) -> None:
        reason = (
            self.tr("Not used while the likeliest word is always taken.") if self.greedy.isChecked() else ""
        )
        for control in (self.temperature, self.top_p, self.top_k, self.min_p, self.seed):
            control.setToolTip("")
            disable(control, reason)

    @Slot()
    def _reset(self) -> None:
        self.greedy.setChecked(_DEFAULTS.greedy)
        for control in (self.max_new_tokens, self.top_k, self.seed):
            control.setValue(getattr(_DEFAULTS, str(control.property("key"))))
        for control in (self.temperature, self.top_p, self.min_p, self.repetition_penalty):
            control.setValue(getattr(_DEFAULTS, str(control.property("key"))))

    @Slot()
    def _show_logs(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(logs_folder())))

    @Slot()
    def _show_models(self) -> None:
        folder = self._host.packs_folder
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def device_name(key: str) -> str:
    """A device as people call it."""
    from PySide6.QtCore import QCoreApplication

    names = {
        "auto": QCoreApplication.translate("devices", "Automatic"),
        "cpu": "CPU",
        "cuda": QCoreApplication.translate("devices", "NVIDIA graphics card (CUDA)"),
        "directml": QCoreApplication.translate("devices", "Graphics card (DirectML)"),
        "coreml": QCoreApplication.translate("devices", "Apple (CoreML)"),
    }
    return names.get(key, key)
