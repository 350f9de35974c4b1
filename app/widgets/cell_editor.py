"""Edits the text of a table's cell in place.

In: a cell. Out: its text, where Enter keeps the change and Escape does not.
"""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt
from PySide6.QtWidgets import QPlainTextEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.widgets.composer import Editor

Index = QModelIndex | QPersistentModelIndex


class CellEditor(Editor):
    """As large as its cell; Enter keeps, unless an input method is at work."""

    is_filled = False  # with the text of its cell

    def fit(self) -> None:
        """The table says how large it is."""

    def event(self, event: QEvent) -> bool:
        """Escape is for the editor first, and no key of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            event.accept()
            return True
        return super().event(event)


class CellDelegate(QStyledItemDelegate):
    """A delegate with such an editor; what it is called is given in the user's language."""

    def __init__(self, parent: QObject, name: str, description: str) -> None:
        super().__init__(parent)
        self._name, self._description = name, description

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A field over the cell."""
        editor = CellEditor()
        editor.setParent(parent)
        editor.setAccessibleName(self._name)
        editor.setAccessibleDescription(self._description)
        editor.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        editor.enter.connect(self._entered)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """The text, the cursor at its end; what is being typed stays when the row changes meanwhile."""
        assert isinstance(editor, CellEditor)
        if editor.is_filled:
            return
        editor.is_filled = True
        editor.setPlainText(str(index.data(Qt.ItemDataRole.EditRole)))
        cursor = editor.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        editor.setTextCursor(cursor)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Keep it."""
        assert isinstance(editor, QPlainTextEdit)
        model.setData(index, editor.toPlainText())  # type: ignore[arg-type]

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """At least two lines high, so that there is room to write."""
        rect = QRect(option.rect)  # type: ignore[attr-defined]
        rect.setHeight(max(rect.height() + 6, 2 * editor.fontMetrics().lineSpacing() + 14))
        editor.setGeometry(rect)

    def _entered(self) -> None:
        editor = self.sender()
        if isinstance(editor, QWidget):
            self.commitData.emit(editor)
            self.closeEditor.emit(editor)

    def eventFilter(self, editor: QWidget, event: QEvent) -> bool:  # type: ignore[override]
        """Enter is the editor's own, which knows about input methods."""
        if event.type() == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):  # type: ignore[attr-defined]
            return False
        return super().eventFilter(editor, event)
