"""The export menu of the table: asks where to, asks before anything of the user's is changed, says what came of it.

In: the session of the table, what the user answers. Out: calls of its exports; texts for the pane.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QPushButton, QWidget

from app.image_batch_session import ImageBatchSession
from engine.tasks.describe_exports_files import FilesFinished

if TYPE_CHECKING:
    from engine.tasks.describe_exports_sidecar import SidecarPolicy


class BatchExport(QObject):
    """What the menu does."""

    said = Signal(str)
    problems_found = Signal(int)
    notice = Signal(object)  # Notice
    failed = Signal(object)  # EngineError

    def __init__(self, session: ImageBatchSession, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._exports, self._window = session, session.exports, parent
        self._exports.saved.connect(self._saved)
        self._exports.asked.connect(self._existing_found)
        self._exports.ended.connect(self._ended)
        self._exports.failed.connect(self.failed)
        self._exports.notice.connect(self.notice)
        self._exports.crashed.connect(session.crashed)

    def menu(self, parent: QWidget) -> QMenu:
        """The choices."""
        made = QMenu(parent)
        made.setAccessibleName(self.tr("Export"))
        for kind, text in (
            ("csv", self.tr("Table for Excel (.csv)…")),
            ("json", self.tr("Everything (.json)…")),
        ):
            action = made.addAction(text)
            action.setData(kind)
            action.triggered.connect(self._write_table)
        made.addSeparator()
        made.addAction(self.tr("Text files beside the photos (.txt)"), self._write_sidecars)
        made.addAction(self.tr("Into the photos themselves…"), self._ask_metadata)
        return made

    def _described(self) -> int:
        return sum(item.state == "done" for item in self._session.items)

    # Tables

    @Slot()
    def _write_table(self) -> None:
        action = self.sender()
        if not isinstance(action, QAction):
            return
        kind = str(action.data())
        names = {"csv": self.tr("Table (*.csv)"), "json": self.tr("JSON (*.json)")}
        start = _common_folder(self._session.paths) / f"descriptions.{kind}"
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Export descriptions"), str(start), names[kind]
        )
        if chosen:
            target = Path(chosen)
            named = target if target.suffix else target.with_suffix(f".{kind}")
            self._exports.write_table(named, kind, self._session.items)

    @Slot(object)
    def _saved(self, path: Path) -> None:
        self.said.emit(self.tr("Exported to {file}").format(file=path.name))

    # Text files

    @Slot()
    def _write_sidecars(self) -> None:
        self._exports.look_for_sidecars(self._session.items)

    @Slot(object)
    def _existing_found(self, existing: tuple[Path, ...]) -> None:
        if not existing:
            self._exports.write_sidecars(self._session.items, "refuse")
            return
        box = self._box("sidecars")
        box.setText(
            self.tr("{count} text files are there already and say something else.").format(
                count=len(existing)
            )
        )
        box.setInformativeText(self.tr("For example {file}.").format(file=existing[0].name))
        for text, policy, role in (
            (self.tr("Replace them"), "replace", QMessageBox.ButtonRole.DestructiveRole),
            (self.tr("Keep them, write the others"), "keep", QMessageBox.ButtonRole.AcceptRole),
        ):
            made = box.addButton(text, role)
            made.setProperty("policy", policy)
            made.clicked.connect(self._policy_chosen)
            if policy == "keep":
                box.setDefaultButton(made)
        box.open()

    @Slot()
    def _policy_chosen(self) -> None:
        policy: SidecarPolicy = self.sender().property("policy")
        self._exports.write_sidecars(self._session.items, policy)

    # Into the photos

    @Slot()
    def _ask_metadata(self) -> None:
        box = self._box("metadata")
        box.setText(self.tr("Write the descriptions into {count} photos?").format(count=self._described()))
        box.setInformativeText(
            self.tr(
                "JPEG, PNG and WebP files get them as description and alternative text (XMP). The pictures themselves are not "
                "touched, and each original is kept beside its photo as “name.original”."
            )
        )
        yes = box.addButton(self.tr("Write"), QMessageBox.ButtonRole.AcceptRole)
        assert isinstance(yes, QPushButton)
        yes.clicked.connect(self._write_metadata)
        box.open()

    @Slot()
    def _write_metadata(self) -> None:
        self._exports.write_metadata(self._session.items)

    def _box(self, name: str) -> QMessageBox:
        box = QMessageBox(self._window.window())
        box.setObjectName(name)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return box

    @Slot(str, object)
    def _ended(self, kind: str, finished: FilesFinished) -> None:
        if kind == "metadata":
            text = self.tr("{count} photos have their description").format(count=finished.written)
        else:
            text = self.tr("{count} text files are written").format(count=finished.written)
        if finished.reason == "cancelled":
            text = self.tr("Stopped: {result}").format(result=text)
        self.said.emit(text)
        if finished.refused:
            self.problems_found.emit(finished.refused)


def _common_folder(paths: list[Path]) -> Path:
    """The folder that holds all pictures, as far as there is one."""
    try:
        folder = Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # none, or on several drives
        folder = paths[0].parent if paths else Path.home()
    return folder
