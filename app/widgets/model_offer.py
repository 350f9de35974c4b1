"""A card that offers a model of the catalogue: what it is, how large, Get, and how far that is.

In: a catalogue entry and the host. Out: calls of the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from app.host import Host, Task
from app.i18n import catalogue_text
from app.language_names import language_list, size_text
from app.theme import colours, pixmap
from app.widgets.basics import button, disable, label
from app.widgets.task_line import cannot_build_reason, import_instead, task_line

if TYPE_CHECKING:
    from engine.catalogue import CatalogueEntry


class ModelOffer(QFrame):
    """One model worth getting."""

    def __init__(self, entry: CatalogueEntry, host: Host, title: str, icon_name: str = "star") -> None:
        super().__init__()
        self.entry, self._host = entry, host
        self.setProperty("role", "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 14, 18, 14)
        row.setSpacing(16)
        picture = QLabel()
        picture.setPixmap(pixmap(icon_name, colours().accent, 24))
        row.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(title, "strong"))
        texts.addWidget(label(catalogue_text(entry.summary), "muted"))
        self.line = label(
            self.tr("Download {size} · needs {memory} of memory · {languages}").format(
                size=size_text(entry.download_bytes),
                memory=size_text(entry.memory_bytes),
                languages=language_list(entry.languages),
            ),
            "small",
        )
        texts.addWidget(self.line)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        texts.addWidget(self.bar)
        cannot = host.cannot_build
        if cannot is not None:
            texts.addWidget(label(import_instead(), "warn"))
        row.addLayout(texts, 1)
        self.get = button(self.tr("Get"), "primary")
        self.get.setAccessibleName(self.tr("Get {model}").format(model=entry.display_name))
        self.get.clicked.connect(self._get_or_cancel)
        row.addWidget(self.get, 0, Qt.AlignmentFlag.AlignVCenter)
        self.bar.hide()
        disable(self.get, cannot_build_reason(cannot) if cannot is not None else "")
        host.task_changed.connect(self._task_changed)
        task = host.tasks.get(entry.name)
        if task is not None:
            self._task_changed(task)

    @Slot()
    def _get_or_cancel(self) -> None:
        self._host.add_or_cancel(self.entry.name, use=True)

    @Slot(object)
    def _task_changed(self, task: Task) -> None:
        if task.key != self.entry.name:
            return
        running = task.state in ("running", "cancelling")
        self.line.setText(task_line(task))
        self.bar.setVisible(running)
        if task.progress is not None and task.progress.total:
            self.bar.setRange(0, 1000)
            self.bar.setValue(int(1000 * task.progress.done / task.progress.total))
        elif running:
            self.bar.setRange(0, 0)
        self.get.setText(
            self.tr("Cancel") if running else self.tr("Resume") if task.state != "done" else self.tr("Get")
        )
        self.get.setEnabled(task.state != "cancelling" and self._host.cannot_build is None)
