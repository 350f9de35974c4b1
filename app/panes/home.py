"""The home pane: what can be done here, what is installed, and the one model worth getting.

In: the host's packs and catalogue. Out: signals that open the other panes.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.host import Host
from app.language_names import language_list, size_text
from app.presets import Preset, presets
from app.theme import colours, pixmap, scaled
from app.widgets.basics import Page, button, card, label
from app.widgets.model_offer import ModelOffer


@dataclass(frozen=True)
class Way:
    """What a card stands for. ``key`` is a preset of the chat, or "speech" or "images"."""

    key: str
    title: str
    summary: str
    icon: str


class TaskCard(QPushButton):
    """A large button with a drawing, a title and a line."""

    chosen = Signal(str)

    def __init__(self, item: Preset | Way, side_px: int = 26) -> None:
        super().__init__()
        self._key = item.key
        self.setProperty("role", "card")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(item.title)
        self.setAccessibleDescription(item.summary)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._box = layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(6)
        picture = QLabel()
        picture.setPixmap(pixmap(item.icon, colours().accent, side_px))
        layout.addWidget(picture)
        layout.addSpacing(4)
        layout.addWidget(label(item.title, "heading", wrap=False))
        summary = label(item.summary, "muted")
        summary.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(summary, 1)
        for child in self.findChildren(QLabel):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.clicked.connect(self._clicked)

    def sizeHint(self) -> QSize:
        """As large as what it holds; a push button would think of its own text, and it has none."""
        return self._box.totalSizeHint()

    def minimumSizeHint(self) -> QSize:
        """As small as what it holds."""
        return self._box.totalMinimumSize()

    @Slot()
    def _clicked(self) -> None:
        self.chosen.emit(self._key)


class HomePane(Page):
    """Where the app begins."""

    start = Signal(str)  # key of a preset
    show_speech = Signal()
    show_images = Signal()
    show_models = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(self.tr("Home"))
        self._host = host
        self.column.addWidget(label(self.tr("What would you like to do?"), "title"))
        self.column.addSpacing(4)
        self._tasks = [TaskCard(item, 32) for item in self._ways()]
        tasks = QHBoxLayout()
        tasks.setSpacing(14)
        for made in self._tasks:
            made.chosen.connect(self._task_chosen)
            tasks.addWidget(made, 1)
        self.column.addLayout(tasks)
        self.column.addSpacing(4)
        self.column.addWidget(label(self.tr("Or begin a chat as"), "section"))
        self._grid = QGridLayout()
        self._grid.setSpacing(14)
        self._cards = [TaskCard(item) for item in presets() if item.key != "assistant"]
        for made in self._cards:
            made.chosen.connect(self.start)
        self._columns = 0
        self._place_cards(len(self._cards))
        self.column.addLayout(self._grid)
        self.column.addSpacing(10)
        self._models = QVBoxLayout()
        self._models.setSpacing(12)
        self.column.addLayout(self._models)
        self.column.addSpacing(4)
        privacy = QHBoxLayout()
        picture = QLabel()
        picture.setPixmap(pixmap("shield", colours().good, 20))
        privacy.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        privacy.addWidget(
            label(
                self.tr(
                    "Everything stays on this machine. Pollux connects to the network only while you let it "
                    "download a model."
                ),
                "muted",
            ),
            1,
        )
        self.column.addLayout(privacy)
        host.packs_changed.connect(self._fill)
        host.model_changed.connect(self._model_changed)
        host.speech.changed.connect(self._model_changed)
        host.images.changed.connect(self._model_changed)
        self._fill()

    def _ways(self) -> tuple[Way, ...]:
        return (
            Way("assistant", self.tr("Chat"), self.tr("Ask anything, think something through."), "chat"),
            Way(
                "speech",
                self.tr("Speech"),
                self.tr("Turn recordings, videos or what you say into text."),
                "speech",
            ),
            Way(
                "images",
                self.tr("Images"),
                self.tr("Get photos, folders of them or videos described."),
                "images",
            ),
        )

    @Slot(str)
    def _task_chosen(self, key: str) -> None:
        if key == "speech":
            self.show_speech.emit()
        elif key == "images":
            self.show_images.emit()
        else:
            self.start.emit(key)

    def _place_cards(self, columns: int) -> None:
        """As many side by side as there is room for."""
        if columns == self._columns:
            return
        self._columns = columns
        for made in self._cards:
            self._grid.removeWidget(made)
        for column in range(len(self._cards)):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        for place, made in enumerate(self._cards):
            self._grid.addWidget(made, place // columns, place % columns)

    def resizeEvent(self, event) -> None:
        """Other places for the cards in a narrow window."""
        super().resizeEvent(event)
        self._place_cards(4 if self.viewport().width() >= scaled(760) else 2)

    @Slot(object)
    def _model_changed(self, _state: object) -> None:
        self._fill()

    @Slot()
    def _fill(self) -> None:
        while (item := self._models.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._models.addWidget(label(self.tr("Models"), "heading"))
        self._models.addWidget(self._installed())
        for offer in self._offers():
            self._models.addWidget(offer)

    def _installed(self) -> QWidget:
        made = card()
        box = QVBoxLayout(made)
        box.setContentsMargins(18, 14, 18, 14)
        box.setSpacing(10)
        if not self._host.packs:
            box.addWidget(label(self.tr("No model is installed yet."), "strong"))
            box.addWidget(
                label(
                    self.tr("Get the one below, or import a model folder or zip under Models.")
                    if self._host.cannot_build is None
                    else self.tr("Import a model folder or zip under Models."),
                    "muted",
                )
            )
        for pack in self._host.packs:
            row = QHBoxLayout()
            texts = QVBoxLayout()
            texts.setSpacing(1)
            names = {
                "speech": self.tr("{model} (speech)"),
                "image": self.tr("{model} (images)"),
            }
            name = names.get(pack.kind, "{model}").format(model=pack.display_name)
            texts.addWidget(label(name, "strong"))
            texts.addWidget(
                label(
                    self.tr("{size} · needs {memory} of memory · {languages}").format(
                        size=size_text(pack.size_bytes),
                        memory=size_text(pack.memory_bytes),
                        languages=language_list(pack.languages),
                    ),
                    "small",
                )
            )
            row.addLayout(texts, 1)
            states = {"speech": self._host.speech.state, "image": self._host.images.state}
            state = states.get(pack.kind, self._host.model)
            if state.pack is not None and state.pack.name == pack.name and state.status == "ready":
                row.addWidget(
                    label(self.tr("In use · {device}").format(device=state.provider), "good", wrap=False)
                )
            elif state.pack is not None and state.pack.name == pack.name and state.status == "loading":
                row.addWidget(label(self.tr("Loading…"), "small", wrap=False))
            elif pack.kind == "speech":
                row.addWidget(label(self.tr("For speech"), "small", wrap=False))
            elif pack.kind == "image":
                row.addWidget(label(self.tr("For images"), "small", wrap=False))
            else:
                use = button(self.tr("Use"))
                use.setAccessibleName(self.tr("Use {model}").format(model=pack.display_name))
                use.setProperty("pack", pack.name)
                use.clicked.connect(self._use)
                row.addWidget(use)
            box.addLayout(row)
        return made

    def _offers(self) -> list[QWidget]:
        """The best model for chat that fits and is not here yet, and one for speech and one for images while there is none."""
        made: list[QWidget] = []
        entry = self._host.suggestion()
        if entry is not None:
            title = self.tr("{model}: the best model for this machine").format(model=entry.display_name)
            made.append(ModelOffer(entry, self._host, title))
            made[-1].setObjectName("suggestion")
        speech = self._host.suggestion("speech")
        if speech is not None and not self._host.packs_of("speech"):
            title = self.tr("{model}: turns speech into text").format(model=speech.display_name)
            made.append(ModelOffer(speech, self._host, title, "speech"))
            made[-1].setObjectName("speechOffer")
        image = self._host.suggestion("image")
        if image is not None and not self._host.packs_of("image"):
            title = self.tr("{model}: describes pictures").format(model=image.display_name)
            made.append(ModelOffer(image, self._host, title, "images"))
            made[-1].setObjectName("imageOffer")
        return made

    @Slot()
    def _use(self) -> None:
        self._host.load(str(self.sender().property("pack")))
