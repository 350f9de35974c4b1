"""The top of the speech pane: files, the microphone, the language, and what goes on while one records.

In: session, recorder, settings. Out: what the user does, to them; ``files_wanted``.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.host import Host
from app.i18n import error_hint, error_message
from app.language_names import language_name
from app.model_state import ModelState
from app.settings import SettingsStore
from app.speech_recorder import SpeechRecorder
from app.speech_text import clock_text
from app.theme import colours, icon, pixmap, scaled
from app.widgets.basics import button, combo, disable, label, tool_button
from app.widgets.flow import FlowBox
from app.widgets.level_meter import LevelMeter
from app.widgets.task_model_control import ModelTexts, add_packs, show_model

FIRST_LANGUAGES = ("en", "zh", "zh-Hant")


class SpeechBar(QWidget):
    """What there is to be done before a recording is text."""

    files_wanted = Signal()

    def __init__(self, host: Host, recorder: SpeechRecorder, settings: SettingsStore) -> None:
        super().__init__()
        self._host, self._recorder, self._settings = host, recorder, settings
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        self._narrow = False
        self._codes: list[str] = []  # of the languages in the list
        self.add = button(self.tr("Add files…"), "primary", "plus", colours().on_accent)
        self.add.clicked.connect(self.files_wanted)
        self.record = button(self.tr("Record"), "", "record", colours().on_error)
        self.record.clicked.connect(recorder.start)
        self.microphone = _combo(self.tr("Microphone"))
        self.microphone.activated.connect(self._microphone_chosen)
        self.language = _combo(self.tr("Language of the recording"))
        self.language.activated.connect(self._language_chosen)
        self.to_english = QCheckBox(self.tr("Translate to English"))
        self.words = QCheckBox(self.tr("Word times"))
        self.words.setToolTip(
            self.tr("When each word is said, for JSON files and doubtful words; a little slower.")
        )
        self.to_english.clicked.connect(self._translate_chosen)
        self.words.clicked.connect(self._words_chosen)
        self.model = button("", "flat")
        self.model.clicked.connect(self._open_models)
        self.more = tool_button(self.tr("Microphone, language and other choices"), "preferences", 20)
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_options)
        self.more.hide()
        first = QHBoxLayout()
        first.setSpacing(10)
        first.addWidget(self.add)
        first.addWidget(self.record)
        first.addStretch(1)
        first.addWidget(self.model)
        first.addWidget(self.more)
        column.addLayout(first)
        self.options = FlowBox(gap_px=10)
        self.options.add(self.microphone, self.language, self.to_english, self.words)
        column.addWidget(self.options)
        self.strip = RecordStrip(recorder)
        column.addWidget(self.strip)
        self.strip.update_state()  # only now: shown without a parent it would be a window
        host.packs_changed.connect(self.update_state)
        host.speech.changed.connect(self._model_changed)
        recorder.state_changed.connect(self.update_state)
        recorder.devices_changed.connect(self._fill_microphones)
        self._fill_microphones()
        self.update_state()

    # What is shown

    def set_narrow(self, narrow: bool) -> None:
        """Where there is little room, the choices show only when they are asked for."""
        if narrow != self._narrow:
            self._narrow = narrow
            self.more.setVisible(narrow)
            self._show_options()
            self._model_changed(self._host.speech.state)

    @Slot()
    def _show_options(self) -> None:
        self.options.setVisible(not self._narrow or self.more.isChecked())

    @Slot()
    def update_state(self) -> None:
        """Follow the models and the recorder."""
        now, pack = self._settings.value, self._host.best_pack("speech")
        reason = ""
        if pack is None:
            reason = self.tr("No speech model is installed yet.")
        elif self._recorder.active:
            reason = self.tr("A recording goes on.")
        self.record.setToolTip(self.tr("Record with the microphone and read along"))
        disable(self.record, reason)
        self._fill_languages()
        english_only = pack is not None and pack.languages == ("en",)
        self.to_english.setChecked(now.speech_translate and not english_only)
        self.words.setChecked(now.speech_words)
        self.to_english.setToolTip(self.tr("Writes English, whatever is said."))
        disable(self.to_english, self.tr("This model knows English only.") if english_only else "")
        self._model_changed(self._host.speech.state)

    @Slot(object)
    def _model_changed(self, state: ModelState) -> None:
        texts = ModelTexts(
            self.tr("Speech model"),
            self.tr("Speech model: {state}"),
            self.tr("The speech model, and what it runs on"),
        )
        pack = self._host.best_pack("speech")
        show_model(self.model, pack, state, texts, 150 if self._narrow else 300)

    @Slot()
    def _fill_microphones(self) -> None:
        devices = self._recorder.devices or ()
        wanted = self._settings.value.microphone
        with QSignalBlocker(self.microphone):
            self.microphone.clear()
            self.microphone.addItem(icon("speech", colours().muted), self.tr("Default microphone"), "")
            for device in devices:
                self.microphone.addItem(icon("speech", colours().muted), device.name, device.key)
            if wanted and self.microphone.findData(wanted) < 0:
                self.microphone.addItem(
                    icon("speech", colours().muted), self.tr("The one used last (not connected)"), wanted
                )
            self.microphone.setCurrentIndex(max(self.microphone.findData(wanted), 0))
        error = self._recorder.devices_error
        tip = f"{error_message(error)} {error_hint(error)}".strip() if error is not None else ""
        self.microphone.setToolTip(tip or self.microphone.currentText())

    def _fill_languages(self) -> None:
        pack = self._host.best_pack("speech")
        codes = list(pack.languages if pack is not None else ()) or list(FIRST_LANGUAGES)
        if "zh" in codes and "zh-Hant" not in codes:
            codes.append("zh-Hant")
        first = [code for code in FIRST_LANGUAGES if code in codes]
        rest = sorted((code for code in codes if code not in FIRST_LANGUAGES), key=_sort_key)
        wanted = self._settings.value.speech_language
        if codes == self._codes:
            return
        self._codes = codes
        with QSignalBlocker(self.language):
            self.language.clear()
            self.language.addItem(self.tr("Detect the language"), "")
            for code in first:
                self.language.addItem(_name(code), code)
            if rest:
                self.language.insertSeparator(self.language.count())
            for code in rest:
                self.language.addItem(_name(code), code)
            self.language.setCurrentIndex(max(self.language.findData(wanted), 0))
        self.language.setToolTip(self.tr("The language that is spoken"))

    # What the user does

    @Slot(int)
    def _microphone_chosen(self, _index: int) -> None:
        self._settings.change(microphone=str(self.microphone.currentData() or ""))

    @Slot(int)
    def _language_chosen(self, _index: int) -> None:
        self._settings.change(speech_language=str(self.language.currentData() or ""))

    @Slot(bool)
    def _translate_chosen(self, on: bool) -> None:
        self._settings.change(speech_translate=on)

    @Slot(bool)
    def _words_chosen(self, on: bool) -> None:
        self._settings.change(speech_words=on)

    @Slot()
    def _open_models(self) -> None:
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Speech models"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_packs(menu, self._host.packs_of("speech"), self._host.best_pack("speech"), self._model_chosen)
        menu.popup(self.model.mapToGlobal(self.model.rect().bottomLeft()))

    @Slot()
    def _model_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._settings.change(speech_model=str(action.data()))
            self.update_state()


class RecordStrip(QFrame):
    """The recording that goes on: level, time, pause, stop."""

    def __init__(self, recorder: SpeechRecorder) -> None:
        super().__init__()
        self._recorder = recorder
        self.setProperty("role", "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 10, 8)
        row.setSpacing(12)
        self.dot = label("", wrap=False)
        self.state = label("", "strong", wrap=False)
        self.time = label("", "", wrap=False)
        self.meter = LevelMeter()
        self.meter.setMaximumWidth(scaled(280))
        self.pause: QPushButton = button(self.tr("Pause"), "", "pause")
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop: QPushButton = button(self.tr("Stop"), "primary", "stop", colours().on_accent)
        self.stop.clicked.connect(recorder.stop)
        for item in (self.dot, self.state, self.time):
            row.addWidget(item)
        row.addWidget(self.meter, 1)
        row.addStretch(0)
        row.addWidget(self.pause)
        row.addWidget(self.stop)
        recorder.state_changed.connect(self.update_state)
        recorder.level_changed.connect(self._level_changed)
        self.hide()

    @Slot()
    def update_state(self) -> None:
        """Follow the recorder."""
        state = self._recorder.state
        self.setVisible(state != "idle")
        names = {
            "opening": self.tr("Opening the microphone…"),
            "recording": self.tr("Recording"),
            "paused": self.tr("Paused"),
            "finishing": self.tr("Finishing…"),
        }
        self.state.setText(names.get(state, ""))
        tint = colours().on_error if state == "recording" else colours().muted
        self.dot.setPixmap(pixmap("pause" if state == "paused" else "record", tint, 18))
        paused = state == "paused"
        name = self.tr("Go on") if paused else self.tr("Pause")
        self.pause.setText(f" {name}")
        self.pause.setAccessibleName(name)
        self.pause.setIcon(icon("record" if paused else "pause", colours().text))
        reason = (
            "" if state in ("recording", "paused") else self.tr("What was said last is still being written.")
        )
        for made in (self.pause, self.stop):
            made.setToolTip("")
            disable(made, reason)
        self._level_changed()

    @Slot()
    def _level_changed(self) -> None:
        self.time.setText(clock_text(self._recorder.seconds))
        self.meter.set_level(self._recorder.level_db if self._recorder.state == "recording" else -120.0)

    @Slot()
    def _pause_or_resume(self) -> None:
        if self._recorder.state == "paused":
            self._recorder.resume()
        else:
            self._recorder.pause()


def _combo(name: str) -> QComboBox:
    made = combo(name)
    made.setMaximumWidth(scaled(230))
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContentsOnFirstShow)
    made.setMinimumContentsLength(8)
    return made


def _name(code: str) -> str:
    """In a list to choose from, the two ways to write Chinese are told apart."""
    if code == "zh":
        return QCoreApplication.translate("languages", "Chinese (simplified)")
    if code == "zh-Hant":
        return QCoreApplication.translate("languages", "Chinese (traditional)")
    return language_name(code)


def _sort_key(code: str) -> str:
    return language_name(code).casefold()
