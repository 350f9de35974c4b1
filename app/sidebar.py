"""The left side of the window: sections, and the conversations with their search.

In: the history. Out: signals for what was chosen; questions before anything is deleted.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, QStandardPaths, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.export_chat import to_json, to_markdown, write_export
from app.history import Conversation, History
from app.theme import colours, icon
from app.widgets.basics import button, label
from app.widgets.search_line import SearchLine
from engine.errors import EngineError

SECTIONS = ("home", "chat", "speech", "images", "models", "preferences")
_ID = Qt.ItemDataRole.UserRole
_TITLE = Qt.ItemDataRole.UserRole + 1


class ConversationList(QListWidget):
    """The conversations; Delete removes, F2 renames, the menu key opens the menu."""

    delete_wanted = Signal()
    rename_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The usual keys of a list."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit()
        elif event.key() == Qt.Key.Key_F2:
            self.rename_wanted.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem() is not None:
            self.itemClicked.emit(self.currentItem())
        else:
            super().keyPressEvent(event)


class Sidebar(QWidget):
    """Sections and history."""

    section_chosen = Signal(str)
    new_chat = Signal()
    conversation_chosen = Signal(int)
    deleted = Signal(int)
    renamed = Signal(int)
    failed = Signal(object)
    said = Signal(str)

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self._current: int | None = None
        self._rows: list[tuple[int, str, str]] = []  # id, title, excerpt, as shown
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 12, 10, 10)
        layout.setSpacing(3)
        new = button(self.tr("New chat"), "primary", "plus", colours().on_accent)
        new.clicked.connect(self.new_chat)
        layout.addWidget(new)
        layout.addSpacing(8)
        names = {
            "home": self.tr("Home"),
            "chat": self.tr("Chat"),
            "speech": self.tr("Speech"),
            "images": self.tr("Images"),
            "models": self.tr("Models"),
            "preferences": self.tr("Preferences"),
        }
        self._sections: dict[str, QPushButton] = {}
        for key in SECTIONS:
            made = button(names[key], "nav", key)
            made.setCheckable(True)
            made.setProperty("section", key)
            made.clicked.connect(self._section_clicked)
            layout.addWidget(made)
            self._sections[key] = made
        layout.addSpacing(10)
        layout.addWidget(label(self.tr("Conversations"), "section"))
        self.search = SearchLine(self.tr("Search conversations"))
        layout.addWidget(self.search)
        self.list = ConversationList()
        self.list.setAccessibleName(self.tr("Conversations"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setUniformItemSizes(False)
        self.list.itemClicked.connect(self._clicked)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.delete_wanted.connect(self._ask_delete)
        self.list.rename_wanted.connect(self._rename)
        layout.addWidget(self.list, 1)
        self._empty = label("", "small")
        self._empty.setContentsMargins(10, 4, 10, 4)
        layout.addWidget(self._empty)
        layout.addStretch(0)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(150)
        self._soon.timeout.connect(self.refresh)
        self.search.textChanged.connect(self._search_soon)
        self.refresh()

    def show_section(self, key: str) -> None:
        """Mark where the user is."""
        for name, made in self._sections.items():
            made.setChecked(name == key)

    def show_conversation(self, conversation: int | None) -> None:
        """Mark the conversation on the screen."""
        self._current = conversation
        self._mark()

    def _mark(self) -> None:
        self.list.clearSelection()
        places = (place for place, row in enumerate(self._rows) if row[0] == self._current)
        self.list.setCurrentRow(next(places, -1))

    @Slot()
    def _search_soon(self) -> None:
        self._soon.start()

    def stop(self) -> None:
        """The history is about to be closed."""
        self._soon.stop()

    @Slot()
    def refresh(self) -> None:
        """Read the history again."""
        query = self.search.text().strip()
        try:
            if query:
                hits = self._history.search(query)
                found = [(hit.conversation.id, hit.conversation.title, hit.excerpt) for hit in hits]
            else:
                found = [(key, title, "") for key, title in self._history.titles()]
        except EngineError as error:
            self.failed.emit(error)
            found = []
        self._show([(key, title or self.tr("Untitled"), excerpt) for key, title, excerpt in found])
        self.list.setVisible(bool(found))
        self._empty.setVisible(not found)
        self._empty.setText(
            self.tr("Nothing found.") if query else self.tr("Your conversations appear here.")
        )
        self._mark()

    def _show(self, rows: list[tuple[int, str, str]]) -> None:
        """Change only what has to be: each answer moves its conversation to the top of perhaps hundreds."""
        before, self._rows = self._rows, rows
        if rows == before:
            return
        top = rows[0] if rows else (0, "", "")
        place = next((place for place, row in enumerate(before) if row[0] == top[0]), -1)
        rest = [row for row in before if row[0] != top[0]]
        if rows and rest and rows[1:] == rest[: len(rows) - 1]:
            if place >= 0:
                self.list.takeItem(place)
            self.list.insertItem(0, _item(*top))
            while self.list.count() > len(rows):
                self.list.takeItem(self.list.count() - 1)
            return
        self.list.clear()
        for row in rows:
            self.list.addItem(_item(*row))

    @Slot()
    def _section_clicked(self) -> None:
        key = str(self.sender().property("section"))
        self.show_section(key)
        self.section_chosen.emit(key)

    @Slot(QListWidgetItem)
    def _clicked(self, item: QListWidgetItem) -> None:
        self.conversation_chosen.emit(int(item.data(_ID)))

    def _chosen(self) -> Conversation | None:
        item = self.list.currentItem()
        if item is None:
            return None
        try:
            return self._history.get(int(item.data(_ID)))
        except KeyError:
            return None

    # What can be done with a conversation

    @Slot(QPoint)
    def _menu(self, where: QPoint) -> None:
        if self._chosen() is None:
            return
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Conversation"))
        menu.addAction(icon("edit"), self.tr("Rename…"), self._rename)
        menu.addAction(icon("download"), self.tr("Export as Markdown…"), self._export_markdown)
        menu.addAction(icon("download"), self.tr("Export as JSON…"), self._export_json)
        menu.addSeparator()
        menu.addAction(icon("trash"), self.tr("Delete…"), self._ask_delete)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.viewport().mapToGlobal(where))

    @Slot()
    def _rename(self) -> None:
        conversation = self._chosen()
        if conversation is None:
            return
        title, accepted = QInputDialog.getText(
            self, self.tr("Rename conversation"), self.tr("Title"), text=conversation.title
        )
        if accepted and title.strip():
            self.rename(conversation.id, title.strip())

    def rename(self, conversation: int, title: str) -> None:
        """Give a conversation another title."""
        try:
            self._history.rename(conversation, title)
        except EngineError as error:
            self.failed.emit(error)
        self.refresh()
        self.renamed.emit(conversation)

    @Slot()
    def _ask_delete(self) -> None:
        conversation = self._chosen()
        if conversation is None:
            return
        box = QMessageBox(self.window())
        box.setObjectName("deleteQuestion")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Delete “{title}”?").format(title=conversation.title))
        box.setInformativeText(self.tr("This cannot be undone."))
        yes = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        yes.setProperty("conversation", conversation.id)
        yes.clicked.connect(self._delete_asked)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot()
    def _delete_asked(self) -> None:
        self.delete(int(self.sender().property("conversation")))

    def delete(self, conversation: int) -> None:
        """Remove a conversation; the user was asked."""
        try:
            self._history.delete(conversation)
        except EngineError as error:
            self.failed.emit(error)
            return
        self.refresh()
        self.deleted.emit(conversation)

    @Slot()
    def _export_markdown(self) -> None:
        self._export("md", self.tr("Markdown (*.md)"))

    @Slot()
    def _export_json(self) -> None:
        self._export("json", self.tr("JSON (*.json)"))

    def _export(self, ending: str, kinds: str) -> None:
        conversation = self._chosen()
        if conversation is None:
            return
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        safe = "".join(
            char if char.isalnum() or char in " -_" else "_" for char in conversation.title
        ).strip()
        start = str(Path(documents) / f"{safe or 'conversation'}.{ending}")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export conversation"), start, kinds)
        if chosen:
            self.export(conversation.id, Path(chosen))

    def export(self, conversation: int, path: Path) -> None:
        """Write a conversation to a file; JSON where its name ends so, else Markdown."""
        try:
            whole, messages = self._history.get(conversation), self._history.messages(conversation)
            if path.suffix.lower() == ".json":
                text = to_json(whole, messages)
            else:
                text = to_markdown(whole, messages, self.tr("You"), "Pollux")
            write_export(path, text)
        except EngineError as error:
            self.failed.emit(error)
            return
        self.said.emit(self.tr("Exported to {file}").format(file=path.name))


def _item(conversation: int, title: str, excerpt: str) -> QListWidgetItem:
    item = QListWidgetItem(f"{title}\n{excerpt}" if excerpt else title)
    item.setData(_ID, conversation)
    item.setData(_TITLE, title)
    item.setToolTip(title)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, title)
    return item
