"""The keys of the app, in one list: made into shortcuts by the window, shown by a dialog.

In: nothing. Out: :func:`shortcut_list` and the dialog.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QVBoxLayout, QWidget

from app.widgets.basics import label


@dataclass(frozen=True)
class ShortcutText:
    """A key, the method of the window that it calls ("" where a widget handles it), and what it does."""

    keys: str
    method: str
    text: str


def shortcut_list() -> tuple[ShortcutText, ...]:
    """All keys."""
    return (
        ShortcutText("Ctrl+N", "new_chat", QCoreApplication.translate("shortcuts", "New chat")),
        ShortcutText("Ctrl+1", "show_home", QCoreApplication.translate("shortcuts", "Home")),
        ShortcutText("Ctrl+2", "show_chat", QCoreApplication.translate("shortcuts", "Chat")),
        ShortcutText("Ctrl+3", "show_speech", QCoreApplication.translate("shortcuts", "Speech")),
        ShortcutText("Ctrl+4", "show_images", QCoreApplication.translate("shortcuts", "Images")),
        ShortcutText("Ctrl+5", "show_models", QCoreApplication.translate("shortcuts", "Models")),
        ShortcutText("Ctrl+,", "show_preferences", QCoreApplication.translate("shortcuts", "Preferences")),
        ShortcutText(
            "Ctrl+K", "focus_search", QCoreApplication.translate("shortcuts", "Search conversations")
        ),
        ShortcutText(
            "Ctrl+L", "focus_message", QCoreApplication.translate("shortcuts", "Go to the message field")
        ),
        ShortcutText(
            "Ctrl+M",
            "open_model_menu",
            QCoreApplication.translate("shortcuts", "Choose the model and the device"),
        ),
        ShortcutText(
            "Ctrl+B", "toggle_sidebar", QCoreApplication.translate("shortcuts", "Show or hide the sidebar")
        ),
        ShortcutText("Enter", "", QCoreApplication.translate("shortcuts", "Send the message")),
        ShortcutText("Shift+Enter", "", QCoreApplication.translate("shortcuts", "New line in the message")),
        ShortcutText("Esc", "escape", QCoreApplication.translate("shortcuts", "Stop the answer")),
        ShortcutText("Ctrl+R", "regenerate", QCoreApplication.translate("shortcuts", "Answer again")),
        ShortcutText(
            "Ctrl+Shift+E", "edit_last", QCoreApplication.translate("shortcuts", "Edit your last message")
        ),
        ShortcutText(
            "Ctrl+Shift+C", "copy_last", QCoreApplication.translate("shortcuts", "Copy the last answer")
        ),
        ShortcutText(
            "C, E, R",
            "",
            QCoreApplication.translate(
                "shortcuts", "Copy, edit, answer again, on the message that has the focus"
            ),
        ),
        ShortcutText(
            "F2, Delete",
            "",
            QCoreApplication.translate("shortcuts", "Rename, delete, on a conversation in the list"),
        ),
        ShortcutText(
            "Ctrl+O",
            "add_recordings",
            QCoreApplication.translate("shortcuts", "Choose recordings to transcribe, or pictures"),
        ),
        ShortcutText(
            "Ctrl+Shift+R", "record", QCoreApplication.translate("shortcuts", "Begin or end a recording")
        ),
        ShortcutText(
            "Ctrl+F", "find_text", QCoreApplication.translate("shortcuts", "Find in the transcript")
        ),
        ShortcutText(
            "Space, Enter, F2",
            "",
            QCoreApplication.translate(
                "shortcuts", "Play or pause, hear from here, edit, on a line of a transcript"
            ),
        ),
        ShortcutText(
            "Left, Right, Delete",
            "",
            QCoreApplication.translate(
                "shortcuts", "Go to another picture, remove it; from word to word in a description"
            ),
        ),
        ShortcutText(
            "+, -, 0", "", QCoreApplication.translate("shortcuts", "Enlarge, shrink, fit, on a picture")
        ),
        ShortcutText(
            "Ctrl+V", "", QCoreApplication.translate("shortcuts", "Describe a copied picture, under Images")
        ),
        ShortcutText("F1", "show_shortcuts", QCoreApplication.translate("shortcuts", "This list")),
        ShortcutText("Ctrl+Q", "close", QCoreApplication.translate("shortcuts", "Quit")),
    )


class ShortcutsDialog(QDialog):
    """The list of keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        grid = QGridLayout()
        grid.setHorizontalSpacing(28)
        grid.setVerticalSpacing(7)
        for row, item in enumerate(shortcut_list()):
            shown = item.keys
            if item.method:
                shown = QKeySequence(item.keys).toString(QKeySequence.SequenceFormat.NativeText)
            grid.addWidget(label(shown, "strong", wrap=False), row, 0)
            grid.addWidget(label(item.text, "", wrap=False), row, 1)
        layout.addLayout(grid)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addSpacing(10)
        layout.addWidget(buttons)
