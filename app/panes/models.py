"""The models pane: what is installed, what can be got, and how to bring one's own.

In: the host's packs, catalogue and tasks. Out: calls of the host; questions before anything is removed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.host import Host, ModelState, Task
from app.i18n import catalogue_text, error_hint, error_message
from app.language_names import language_list, size_text
from app.theme import colours
from app.widgets.banner import Banner, BannerStack
from app.widgets.basics import Page, button, card, clear, disable, label, tool_button
from app.widgets.task_line import cannot_build_reason, import_instead, task_line
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.catalogue import CatalogueEntry
    from engine.packs import Pack

DOT = "\u00a0\u00a0·  "  # a line never begins with the dot


class TaskBar(QWidget):
    """Progress of one task: a bar and a line."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.setSpacing(4)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.line = label("", "small")
        layout.addWidget(self.bar)
        layout.addWidget(self.line)
        self.hide()

    def show_task(self, task: Task | None) -> None:
        """Show how far a task is; None hides the bar."""
        self.setVisible(task is not None)
        if task is None:
            return
        running = task.state in ("running", "cancelling")
        self.bar.setVisible(running)
        if task.progress is not None and task.progress.total:
            self.bar.setRange(0, 1000)
            self.bar.setValue(int(1000 * task.progress.done / task.progress.total))
        elif running:
            self.bar.setRange(0, 0)
        self.line.setText(task_line(task))
        self.line.setProperty(
            "role", "bad" if task.state == "failed" else "good" if task.state == "done" else "small"
        )
        self.line.style().unpolish(self.line)
        self.line.style().polish(self.line)


class PackCard(QWidget):
    """An installed model."""

    def __init__(self, pack: Pack, host: Host) -> None:
        super().__init__()
        self.pack, self._host = pack, host
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame = card()
        outer.addWidget(frame)
        box = QVBoxLayout(frame)
        box.setContentsMargins(18, 14, 14, 14)
        box.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(label(pack.display_name, "heading"), 1)
        if pack.kind == "speech":
            row.addWidget(label(self.tr("Speech"), "small", wrap=False))
        elif pack.kind == "image":
            row.addWidget(label(self.tr("Images"), "small", wrap=False))
        self._use = button(self.tr("Use"))
        self._use.setAccessibleName(self.tr("Use {model}").format(model=pack.display_name))
        self._use.clicked.connect(self._use_it)
        row.addWidget(self._use)
        if pack.kind != "language":
            self._use.hide()  # the others are used when there is something to hear or see
        muted = colours().muted
        self._verify = tool_button(
            self.tr("Verify the files of {model}").format(model=pack.display_name), "shield", tint=muted
        )
        self._verify.clicked.connect(self._verify_it)
        folder = tool_button(
            self.tr("Open the folder of {model}").format(model=pack.display_name), "folder", tint=muted
        )
        folder.clicked.connect(self._open_folder)
        self._remove = tool_button(
            self.tr("Remove {model}").format(model=pack.display_name), "trash", tint=muted
        )
        self._remove.clicked.connect(self._ask_remove)
        for item in (self._verify, folder, self._remove):
            row.addWidget(item)
        box.addLayout(row)
        facts = [self.tr("{size} on disk").format(size=size_text(pack.size_bytes))]
        if pack.memory_bytes:
            facts.append(self.tr("needs {memory} of memory").format(memory=size_text(pack.memory_bytes)))
        facts.append(language_list(pack.languages, 6))
        if pack.kind == "language":
            facts.append(self.tr("context {count} tokens").format(count=pack.context_tokens))
        box.addWidget(label(DOT.join(facts), "muted"))
        origin = [pack.licence or self.tr("licence not stated")]
        if pack.quantisation:
            origin.append(pack.quantisation)
        origin.append(
            pack.source or (self.tr("imported folder") if pack.foreign else self.tr("source not stated"))
        )
        if pack.bundled:
            origin.append(self.tr("part of Pollux"))
        box.addWidget(label(DOT.join(origin), "small"))
        self._bar = TaskBar()
        box.addWidget(self._bar)
        self.update_state()

    def update_state(self) -> None:
        """Follow the model in use and the tasks."""
        state = self._host.model
        mine = state.pack is not None and state.pack.name == self.pack.name
        if mine and state.status == "loading":
            self._use.setText(self.tr("Loading…"))
            disable(self._use, self.tr("It is being loaded."))
        elif mine and state.status == "ready":
            self._use.setText(self.tr("In use · {device}").format(device=state.provider))
            disable(self._use, self.tr("It is in use."))
        else:
            self._use.setText(self.tr("Use"))
            self._use.setToolTip("")
            disable(self._use, "")
        if self.pack.bundled:
            disable(self._remove, self.tr("It is part of Pollux and goes with it."))
        if not self.pack.files:
            disable(self._verify, self.tr("This folder came without hashes to compare with."))
        task = self._host.tasks.get(self.pack.name)
        self._bar.show_task(task if task is not None and task.kind == "verify" else None)

    @Slot()
    def _use_it(self) -> None:
        self._host.load(self.pack.name)

    @Slot()
    def _verify_it(self) -> None:
        self._host.verify(self.pack.name)

    @Slot()
    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.pack.folder)))

    @Slot()
    def _ask_remove(self) -> None:
        box = QMessageBox(self.window())
        box.setObjectName("removeQuestion")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Remove {model}?").format(model=self.pack.display_name))
        box.setInformativeText(
            self.tr("This frees {size}. It can be got again later.").format(
                size=size_text(self.pack.size_bytes)
            )
        )
        yes = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        yes.clicked.connect(self._remove_it)
        box.open()

    @Slot()
    def _remove_it(self) -> None:
        self._host.remove(self.pack.name)


class EntryCard(QWidget):
    """A model of the catalogue."""

    def __init__(self, entry: CatalogueEntry, host: Host) -> None:
        super().__init__()
        self.entry, self._host = entry, host
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        frame = card()
        outer.addWidget(frame)
        box = QVBoxLayout(frame)
        box.setContentsMargins(18, 14, 14, 14)
        box.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(label(entry.display_name, "heading"), 1)
        if entry.kind == "speech":
            row.addWidget(label(self.tr("Speech"), "small", wrap=False))
        elif entry.kind == "image":
            row.addWidget(label(self.tr("Images"), "small", wrap=False))
        self._get = button(self.tr("Get"), "primary")
        self._get.clicked.connect(self._get_or_cancel)
        row.addWidget(self._get)
        box.addLayout(row)
        box.addWidget(label(catalogue_text(entry.summary), ""))
        facts = [
            self.tr("Download {size}").format(size=size_text(entry.download_bytes)),
            self.tr("{size} on disk").format(size=size_text(entry.pack_bytes)),
            self.tr("needs {memory} of memory").format(memory=size_text(entry.memory_bytes)),
            language_list(entry.languages, 6),
            entry.licence,
        ]
        box.addWidget(label(DOT.join(facts), "muted"))
        fits = host.fits(entry.memory_bytes)
        box.addWidget(
            label(
                self.tr("Fits this machine")
                if fits
                else self.tr("Needs more memory than this machine can spare ({memory})").format(
                    memory=size_text(host.usable_memory_bytes)
                ),
                "good" if fits else "bad",
            )
        )
        self._bar = TaskBar()
        box.addWidget(self._bar)
        self.update_state()

    def update_state(self) -> None:
        """Follow the task that gets this model."""
        task = self._host.tasks.get(self.entry.name)
        if task is not None and task.kind != "add":
            task = None
        running = task is not None and task.state in ("running", "cancelling")
        if running:
            text = self.tr("Cancel")
        elif task is not None and task.state in ("cancelled", "failed"):
            text = self.tr("Resume")
        else:
            text = self.tr("Get")
        if self._get.text() != text:
            self._get.setText(text)
            self._get.setProperty("role", "" if running else "primary")
            self._get.style().unpolish(self._get)
            self._get.style().polish(self._get)
        self._get.setAccessibleName(f"{text} {self.entry.display_name}")
        self._get.setEnabled(task is None or task.state != "cancelling")
        cannot = self._host.cannot_build
        if cannot is not None:
            disable(self._get, cannot_build_reason(cannot))
        self._bar.show_task(task)

    @Slot()
    def _get_or_cancel(self) -> None:
        self._host.add_or_cancel(self.entry.name)


class ModelsPane(QWidget):
    """Models that are here and models to be got."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host
        self.setAccessibleName(self.tr("Models"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.banners = BannerStack(top_px=8)
        holder = QVBoxLayout()
        holder.setContentsMargins(32, 0, 32, 0)
        holder.addWidget(self.banners)
        layout.addLayout(holder)
        page = Page(self.tr("Models"))
        layout.addWidget(page, 1)
        head = QHBoxLayout()
        head.addWidget(label(self.tr("Models"), "title"), 1)
        for text, name, handler in (
            (self.tr("Import folder…"), "folder", self._import_folder),
            (self.tr("Import zip…"), "import", self._import_zip),
        ):
            made: QPushButton = button(text, "", name)
            made.clicked.connect(handler)
            head.addWidget(made)
        page.column.addLayout(head)
        self._imports = QVBoxLayout()
        page.column.addLayout(self._imports)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        page.column.addLayout(self._list)
        self._packs: list[PackCard] = []
        self._entries: list[EntryCard] = []
        self._import_bars: dict[str, TaskBar] = {}
        host.packs_changed.connect(self._fill)
        host.model_changed.connect(self._model_changed)
        host.task_changed.connect(self._task_changed)
        host.failed.connect(self.show_error)
        self._fill()

    @Slot()
    def _fill(self) -> None:
        clear(self._list)
        self._packs, self._entries = [], []
        self._list.addWidget(label(self.tr("Installed"), "section"))
        for pack in self._host.packs:
            self._packs.append(PackCard(pack, self._host))
            self._list.addWidget(self._packs[-1])
        if not self._host.packs:
            self._list.addWidget(label(self.tr("Nothing yet. Get a model below, or import one."), "muted"))
        for problem in self._host.problems:
            error = problem.error
            text = (
                f"{error_message(error)} {error_hint(error)}".strip()
                if isinstance(error, EngineError)
                else str(error)
            )
            self._list.addWidget(label(f"{problem.folder.name}: {text}", "bad"))
        rest = [entry for entry in self._host.entries if self._host.pack(entry.name) is None]
        if rest:
            self._list.addSpacing(8)
            self._list.addWidget(label(self.tr("Available"), "section"))
            if self._host.cannot_build is not None:
                self._list.addWidget(label(import_instead(), "warn"))
        for entry in rest:
            self._entries.append(EntryCard(entry, self._host))
            self._list.addWidget(self._entries[-1])

    @Slot(object)
    def _model_changed(self, _state: ModelState) -> None:
        for item in self._packs:
            item.update_state()

    @Slot(object)
    def _task_changed(self, task: Task) -> None:
        if task.kind == "import":
            self._show_import(task)
            return
        for item in (*self._packs, *self._entries):
            if task.key == (item.pack.name if isinstance(item, PackCard) else item.entry.name):
                item.update_state()

    def _show_import(self, task: Task) -> None:
        bar = self._import_bars.get(task.key)
        if bar is None:
            bar = self._import_bars[task.key] = TaskBar()
            self._imports.addWidget(bar)
        bar.show_task(task)
        bar.line.setText(f"{task.title}: {bar.line.text()}")
        if task.state in ("done", "cancelled", "failed"):
            del self._import_bars[task.key]
            self._imports.removeWidget(bar)
            bar.hide()
            bar.deleteLater()
        if task.state == "done":
            self.banners.show_banner(
                task.key, Banner("info", self.tr("{name} was imported.").format(name=task.title))
            )
        elif task.error is not None:
            self.show_error(task.error)

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error that the user can mend."""
        self.banners.show_error(error)

    @Slot()
    def _import_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose a model folder"))
        if chosen:
            self._host.import_path(Path(chosen))

    @Slot()
    def _import_zip(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Choose a zipped model"), "", self.tr("Zip files (*.zip)")
        )
        if chosen:
            self._host.import_path(Path(chosen))
