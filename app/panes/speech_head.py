"""What a recording is and what can be done with it: the head of the right side of the speech pane.

In: the session and one of its recordings. Out: calls of the session; wishes that the pane or the window fulfils.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QAction, QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QMessageBox, QVBoxLayout, QWidget

from app.image_items import is_video
from app.speech_items import SpeechItem
from app.speech_session import SpeechSession
from app.speech_text import DOT, facts_line, plain_text, state_line
from app.theme import colours, icon
from app.transcripts import made_here
from app.widgets.basics import ElidedLabel, button, disable, label, tool_button
from app.widgets.flow import FlowBox


class SpeechHead(QWidget):
    """Name, state and actions of one recording."""

    back_wanted = Signal()  # to the list, where both have no room
    find_wanted = Signal()
    send_wanted = Signal(object)  # SpeechItem
    summary_wanted = Signal(object)  # SpeechItem
    frames_wanted = Signal(object)  # SpeechItem, a video
    copy_selection_wanted = Signal()
    said = Signal(str)

    def __init__(self, session: SpeechSession) -> None:
        super().__init__()
        self._session = session
        self._item: SpeechItem | None = None
        self._looked: tuple[int, str] | None = None
        self._there = True
        self.has_selection = False  # whether there are lines to copy
        head = QVBoxLayout(self)
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(2)
        self.back = tool_button(self.tr("All recordings"), "back", 20, tint=colours().muted)
        self.back.clicked.connect(self.back_wanted)
        self.back.hide()
        self.title = ElidedLabel("heading")
        top = QHBoxLayout()
        top.setSpacing(6)
        top.addWidget(self.back)
        top.addWidget(self.title, 1)
        head.addLayout(top)
        self.line = label("", "small")
        head.addWidget(self.line)
        head.addSpacing(6)
        self._make_actions()
        for tool in (self.copy, self.search, self.more):
            top.addWidget(tool)
        flow = FlowBox()
        flow.add(self.stop, self.resume, self.send, self.summarise, self.export)
        head.addWidget(flow)

    def _make_actions(self) -> None:
        muted = colours().muted
        self.stop = button(self.tr("Cancel"), "", "stop")
        self.stop.clicked.connect(self._stop)
        self.resume = button(self.tr("Go on"), "primary", "regenerate", colours().on_accent)
        self.resume.clicked.connect(self._resume)
        self.export = button(self.tr("Export"), "", "export")
        menu = QMenu(self.export)
        menu.setAccessibleName(self.tr("Export"))
        for kind, text in (
            ("txt", self.tr("Text (.txt)…")),
            ("srt", self.tr("Subtitles (.srt)…")),
            ("vtt", self.tr("Web subtitles (.vtt)…")),
            ("json", self.tr("Everything (.json)…")),
        ):
            action = menu.addAction(text)
            action.setData(kind)
            action.triggered.connect(self._export)
        self.export.setMenu(menu)
        self.send = button(self.tr("Send to chat"), "", "chat")
        self.send.setToolTip(self.tr("Put the text into the message field of the chat"))
        self.send.clicked.connect(self._send)
        self.summarise = button(self.tr("Summarise"), "", "summary")
        self.summarise.setToolTip(self.tr("Begin a chat that summarises the text"))
        self.summarise.clicked.connect(self._summarise)
        self.copy = tool_button(self.tr("Copy all"), "copy", tint=muted)
        self.copy.clicked.connect(self.copy_all)
        self.search = tool_button(self.tr("Find (Ctrl+F)"), "search", tint=muted)
        self.search.clicked.connect(self.find_wanted)
        self.more = tool_button(self.tr("More"), "more", tint=muted)
        self.more.clicked.connect(self._more)

    # What is shown

    def show_item(self, item: SpeechItem) -> None:
        """Follow a recording."""
        self._item = item
        self.title.set_whole(item.title)
        facts = facts_line(item) if item.state in ("running", "stopped", "recording", "finishing") else ""
        line = state_line(item, self._session.waits_for)
        if facts and facts != line:
            line = f"{line}{DOT}{facts}"
        self.line.setText("" if item.state == "failed" else line)
        self.line.setVisible(bool(self.line.text()))
        self._update_actions(item)

    def _update_actions(self, item: SpeechItem) -> None:
        reason = "" if item.segments else self.tr("There is no text yet.")
        for made in (self.export, self.send, self.summarise, self.copy, self.search):
            if made.isEnabled() and not reason:
                continue
            tip = made.property("tip") or made.toolTip()
            made.setProperty("tip", tip)
            made.setToolTip(tip)
            disable(made, reason)
        self.stop.setVisible(item.state in ("waiting", "running", "stopping"))
        self.stop.setEnabled(item.state != "stopping")
        self.resume.setVisible(item.state in ("stopped", "failed"))
        if item.state == "failed":
            name = self.tr("Try again")
        else:
            name = self.tr("Go on") if item.segments or item.done_ms else self.tr("Transcribe")
        self.resume.setText(f" {name}")
        self.resume.setAccessibleName(name)
        self.resume.setToolTip("")
        disable(self.resume, self.gone(item))

    def gone(self, item: SpeechItem) -> str:
        """Why a recording cannot be heard or transcribed; empty where it can."""
        key = (item.key, item.state)  # asked for many times a second, and the disk may be a slow one
        if self._looked != key:
            self._looked, self._there = key, item.busy or item.path.exists()
        if self._there:
            return ""
        return self.tr("The recording {name} is not there any more.").format(name=item.title)

    # What the user does

    @Slot()
    def _stop(self) -> None:
        if self._item is not None:
            self._session.cancel(self._item)

    @Slot()
    def _resume(self) -> None:
        if self._item is not None:
            self._session.resume(self._item)

    @Slot()
    def _again(self) -> None:
        if self._item is not None:
            self._session.again(self._item)

    @Slot()
    def copy_all(self) -> None:
        """Copy the whole text."""
        if self._item is not None and self._item.segments:
            QGuiApplication.clipboard().setText(plain_text(self._item.segments))
            self.said.emit(self.tr("Copied the transcript"))

    @Slot()
    def _send(self) -> None:
        self.send_wanted.emit(self._item)

    @Slot()
    def _summarise(self) -> None:
        self.summary_wanted.emit(self._item)

    @Slot()
    def _describe_frames(self) -> None:
        self.frames_wanted.emit(self._item)

    @Slot()
    def _export(self) -> None:
        action, item = self.sender(), self._item
        if item is None or not isinstance(action, QAction):
            return
        kind = str(action.data())
        names = {
            "txt": self.tr("Text (*.txt)"),
            "srt": self.tr("Subtitles (*.srt)"),
            "vtt": self.tr("Web subtitles (*.vtt)"),
            "json": self.tr("JSON (*.json)"),
        }
        start = str(item.path.with_suffix(f".{kind}"))
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export transcript"), start, names[kind])
        if chosen:
            target = Path(chosen)
            self._session.export(item, target if target.suffix else target.with_suffix(f".{kind}"), kind)

    @Slot()
    def _more(self) -> None:
        menu = self._menu()
        if menu is not None:
            menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def show_menu(self, where: QPoint) -> None:
        """The menu of the recording, at a place of the screen."""
        menu = self._menu()
        if menu is not None:
            menu.popup(where)

    def _menu(self) -> QMenu | None:
        item = self._item
        if item is None:
            return None
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Recording"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        there = item.path.exists() and not item.busy
        again = menu.addAction(icon("regenerate"), self.tr("Transcribe again"), self._again)
        again.setEnabled(there and item.state != "waiting")
        copy = menu.addAction(
            icon("copy"), self.tr("Copy the selected lines"), self.copy_selection_wanted.emit
        )
        copy.setEnabled(self.has_selection)
        if is_video(item.path):
            frames = menu.addAction(icon("images"), self.tr("Describe its key frames"), self._describe_frames)
            frames.setEnabled(there)
        menu.addAction(icon("folder"), self.tr("Show the folder"), self._open_folder)
        menu.addSeparator()
        remove = menu.addAction(icon("trash"), self.tr("Remove…"), self.ask_remove)
        remove.setEnabled(item.state not in ("recording", "finishing"))
        return menu

    @Slot()
    def _open_folder(self) -> None:
        if self._item is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._item.path.parent)))

    @Slot()
    def ask_remove(self) -> None:
        """Take it from the list; asked first where something would be lost."""
        item = self._item
        if item is None or item.state in ("recording", "finishing"):
            return
        if not item.segments and item.journal is None and not made_here(item):
            self._session.remove(item)
            return
        box = QMessageBox(self.window())
        box.setObjectName("removeTranscript")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        if made_here(item):
            box.setText(self.tr("Delete the recording {name} and its transcript?").format(name=item.title))
            box.setInformativeText(self.tr("This cannot be undone."))
        else:
            box.setText(self.tr("Delete the transcript of {name}?").format(name=item.title))
            box.setInformativeText(self.tr("The recording itself stays. This cannot be undone."))
        yes = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        yes.setProperty("key", item.key)
        yes.clicked.connect(self._remove_asked)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot()
    def _remove_asked(self) -> None:
        key = self.sender().property("key")
        item = next((item for item in self._session.items if item.key == key), None)
        if item is not None:
            self._session.remove(item)
