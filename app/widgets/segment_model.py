"""The segments of a transcript as rows of a table: when, and what was said.

In: segments, the text that is still being said, what is searched for, what is being heard. Out: rows for the view;
``edited`` when the user changed one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from app.speech_text import clock_text, doubt_text
from engine.results import LiveText, Segment

TIME, TEXT = 0, 1
Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class SegmentModel(QAbstractTableModel):
    """Rows of a transcript. The live text is the last row while there is some."""

    edited = Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.segments: list[Segment] = []
        self.live: LiveText | None = None
        self.heard = -1
        self.needle = ""
        self.hits: list[int] = []  # rows that contain the needle
        self._starts: list[float] = []

    # Rows

    def show(self, segments: Sequence[Segment], live: LiveText | None = None) -> None:
        """Other rows."""
        self.beginResetModel()
        self.segments, self.live, self.heard = list(segments), live, -1
        self._starts = [segment.start_s for segment in self.segments]
        self._search_from(0)
        self.endResetModel()

    def add(self, segments: Sequence[Segment]) -> None:
        """More rows at the end. The live text, if any, was the beginning of the first: it goes."""
        self.set_live(None)
        first = len(self.segments)
        self.beginInsertRows(_ROOT, first, first + len(segments) - 1)
        self.segments.extend(segments)
        self._starts.extend(segment.start_s for segment in segments)
        self._search_from(first)
        self.endInsertRows()

    def set_live(self, live: LiveText | None) -> None:
        """The text that is still being said; None when there is none."""
        row = len(self.segments)
        if live is None and self.live is not None:
            self.beginRemoveRows(_ROOT, row, row)
            self.live = None
            self.endRemoveRows()
        elif live is not None and self.live is None:
            self.beginInsertRows(_ROOT, row, row)
            self.live = live
            self.endInsertRows()
        elif live is not None and live != self.live:
            self.live = live
            self.dataChanged.emit(self.index(row, TIME), self.index(row, TEXT))

    def change(self, row: int, segment: Segment) -> None:
        """One row is another."""
        self.segments[row] = segment
        self._search_from(0)
        self.dataChanged.emit(self.index(row, TIME), self.index(row, TEXT))

    # What is searched and heard

    def search(self, needle: str) -> None:
        """Look for a text; case does not matter."""
        self.needle = needle.casefold()
        self._search_from(0)
        if self.rowCount():
            self.dataChanged.emit(self.index(0, TEXT), self.index(self.rowCount() - 1, TEXT))

    def _search_from(self, first: int) -> None:
        kept = [row for row in self.hits if row < first] if first else []
        found = (
            [
                row
                for row in range(first, len(self.segments))
                if self.needle in self.segments[row].text.casefold()
            ]
            if self.needle
            else []
        )
        self.hits = kept + found

    def row_at(self, seconds: float) -> int:
        """The row that is heard at a time; -1 before the first. Between two, the one before."""
        return bisect_right(self._starts, seconds + 0.01) - 1

    def set_heard(self, row: int) -> None:
        """Mark the row that is being heard."""
        before, self.heard = self.heard, row
        for changed in {before, row}:
            if 0 <= changed < len(self.segments):
                self.dataChanged.emit(self.index(changed, TIME), self.index(changed, TEXT))

    # What a view asks

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Segments, and the live text."""
        return 0 if parent.isValid() else len(self.segments) + (self.live is not None)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Time and text."""
        return 0 if parent.isValid() else 2

    def is_live(self, row: int) -> bool:
        """Whether a row is still being said."""
        return row >= len(self.segments)

    def text_at(self, row: int) -> str:
        """The text of a row."""
        if row < len(self.segments):
            return self.segments[row].text.strip()
        return self.live.text.strip() if self.live is not None else ""

    def start_s(self, row: int) -> float:
        """When a row begins."""
        if row < len(self.segments):
            return self.segments[row].start_s
        return self.live.start_s if self.live is not None else 0.0

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Text, tool tip, and what a screen reader says."""
        row, time = index.row(), index.column() == TIME
        if not index.isValid() or row >= self.rowCount():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return clock_text(self.start_s(row)) if time else self.text_at(row)
        doubt = doubt_text(self.segments[row]) if row < len(self.segments) else ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.tr("Click to hear it from here") if time else doubt or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return clock_text(self.start_s(row)) if time else f"{self.text_at(row)} {doubt}".strip()
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole):
        """Names of the columns, for screen readers."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.tr("Time") if section == TIME else self.tr("Text")
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Texts that are said can be edited."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == TEXT and not self.is_live(index.row()):
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The user changed a text; an empty one changes nothing."""
        text = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not text or self.is_live(index.row()):
            return False
        self.edited.emit(index.row(), " ".join(text.split()))
        return True
