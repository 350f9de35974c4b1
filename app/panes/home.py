"""The home pane: what can be done here, what is installed, and the one model worth getting.

In: the host's packs and catalogue. Out: signals that open the other panes.
"""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.host import Host, Task
from app.i18n import catalogue_text
from app.language_names import language_list, size_text
from app.presets import Preset, presets
from app.theme import colours, pixmap
from app.widgets.basics import Page, button, card, disable, label
from app.widgets.task_line import cannot_build_reason, import_instead, task_line


class TaskCard(QPushButton):
    """A large button with a drawing, a title and a line."""

    chosen = Signal(str)

    def __init__(self, item: Preset) -> None:
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
        picture.setPixmap(pixmap(item.icon, colours().accent, 26))
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
    show_models = Signal()

    def __init__(self, host: Host) -> None:
        super().__init__(self.tr("Home"))
        self._host = host
        self._suggested = ""
        self.column.addWidget(label(self.tr("What would you like to do?"), "title"))
        self.column.addSpacing(4)
        self._grid = QGridLayout()
        self._grid.setSpacing(14)
        self._cards = [TaskCard(item) for item in presets()]
        for made in self._cards:
            made.chosen.connect(self.start)
        for column in range(6):
            self._grid.setColumnStretch(column, 1)
        self._wide: bool | None = None
        self._place_cards(True)
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
        host.task_changed.connect(self._task_changed)
        self._fill()

    def _place_cards(self, wide: bool) -> None:
        """Two and three in a wide window; one and then pairs in a narrow one."""
        if wide == self._wide:
            return
        self._wide = wide
        for made in self._cards:
            self._grid.removeWidget(made)
        places = ((0, 0, 3), (0, 3, 3), (1, 0, 2), (1, 2, 2), (1, 4, 2))
        if not wide:
            places = ((0, 0, 6), (1, 0, 3), (1, 3, 3), (2, 0, 3), (2, 3, 3))
        for made, (row, column, span) in zip(self._cards, places, strict=True):
            self._grid.addWidget(made, row, column, 1, span)

    def resizeEvent(self, event) -> None:
        """Other places for the cards in a narrow window."""
        super().resizeEvent(event)
        self._place_cards(self.viewport().width() >= 700)

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
        self._line = self._bar = self._get = None
        self._models.addWidget(label(self.tr("Models"), "heading"))
        self._models.addWidget(self._installed())
        offer = self._offer()
        if offer is not None:
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
            texts.addWidget(label(pack.display_name, "strong"))
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
            state = self._host.model
            if state.pack is not None and state.pack.name == pack.name and state.status == "ready":
                row.addWidget(
                    label(self.tr("In use · {device}").format(device=state.provider), "good", wrap=False)
                )
            elif state.pack is not None and state.pack.name == pack.name and state.status == "loading":
                row.addWidget(label(self.tr("Loading…"), "small", wrap=False))
            else:
                use = button(self.tr("Use"))
                use.setAccessibleName(self.tr("Use {model}").format(model=pack.display_name))
                use.setProperty("pack", pack.name)
                use.clicked.connect(self._use)
                row.addWidget(use)
            box.addLayout(row)
        return made

    def _offer(self) -> QWidget | None:
        entry = self._host.suggestion()
        if entry is None:
            return None
        self._suggested = entry.name
        made = card()
        made.setObjectName("suggestion")
        row = QHBoxLayout(made)
        row.setContentsMargins(18, 14, 18, 14)
        row.setSpacing(16)
        picture = QLabel()
        picture.setPixmap(pixmap("star", colours().accent, 24))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(
            label(
                self.tr("{model}: the best model for this machine").format(model=entry.display_name), "strong"
            )
        )
        texts.addWidget(label(catalogue_text(entry.summary), "muted"))
        self._line = label(
            self.tr("Download {size} · needs {memory} of memory · {languages}").format(
                size=size_text(entry.download_bytes),
                memory=size_text(entry.memory_bytes),
                languages=language_list(entry.languages),
            ),
            "small",
        )
        texts.addWidget(self._line)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._bar.hide()
        texts.addWidget(self._bar)
        cannot = self._host.cannot_build
        if cannot is not None:
            texts.addWidget(label(import_instead(), "warn"))
        row.addLayout(texts, 1)
        self._get = button(self.tr("Get"), "primary")
        self._get.setAccessibleName(self.tr("Get {model}").format(model=entry.display_name))
        self._get.clicked.connect(self._get_or_cancel)
        row.addWidget(self._get, 0, Qt.AlignmentFlag.AlignVCenter)
        disable(self._get, cannot_build_reason(cannot) if cannot is not None else "")
        task = self._host.tasks.get(entry.name)
        if task is not None:
            self._task_changed(task)
        return made

    @Slot()
    def _use(self) -> None:
        self._host.load(str(self.sender().property("pack")))

    @Slot()
    def _get_or_cancel(self) -> None:
        task = self._host.tasks.get(self._suggested)
        if task is not None and task.state in ("running", "cancelling"):
            self._host.cancel_task(self._suggested)
        else:
            self._host.add(self._suggested, use=True)

    @Slot(object)
    def _task_changed(self, task: Task) -> None:
        if task.key != self._suggested or self._line is None or self._bar is None or self._get is None:
            return
        running = task.state in ("running", "cancelling")
        self._line.setText(task_line(task))
        self._bar.setVisible(running)
        if task.progress is not None and task.progress.total:
            self._bar.setRange(0, 1000)
            self._bar.setValue(int(1000 * task.progress.done / task.progress.total))
        elif running:
            self._bar.setRange(0, 0)
        self._get.setText(
            self.tr("Cancel") if running else self.tr("Resume") if task.state != "done" else self.tr("Get")
        )
        self._get.setEnabled(task.state != "cancelling" and self._host.cannot_build is None)
