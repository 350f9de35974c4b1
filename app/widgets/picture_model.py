"""The pictures of the table as rows: what each is, what was said of it, how sure that is, what goes on.

In: the session's items. Out: rows for the view, and an order of them: as they came, by a column, or only those with problems.
"""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Slot,
)

from app.i18n import error_message
from app.image_batch_items import BatchItem
from app.image_batch_session import ImageBatchSession
from app.image_text import confidence_text, error_text
from engine.tasks.describe_many import natural_key

PICTURE, FILE, TEXT, SURE, STATE = range(5)
ITEM = Qt.ItemDataRole.UserRole
Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_SHOWN = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole)
_ORDER = {"running": 0, "waiting": 1, "stopped": 2, "done": 3, "failed": 4}


def state_line(item: BatchItem, waits_for: str = "") -> str:
    """What goes on with a picture."""
    if item.state == "failed":
        return error_text(item.error)
    if item.export_error is not None:
        return QCoreApplication.translate("images", "Not written: {reason}").format(
            reason=error_message(item.export_error)
        )
    if item.state == "waiting":
        return waits_for or QCoreApplication.translate("images", "Waits")
    if item.state == "done" and item.edited:
        return QCoreApplication.translate("images", "Edited")
    if item.state == "done" and item.unsure:
        return QCoreApplication.translate("images", "Described, unsure")
    return {
        "running": QCoreApplication.translate("images", "Is being described"),
        "stopped": QCoreApplication.translate("images", "Stopped"),
        "done": QCoreApplication.translate("images", "Described"),
    }[item.state]


class PictureModel(QAbstractTableModel):
    """Rows in the order of the session."""

    def __init__(self, session: ImageBatchSession) -> None:
        super().__init__()
        self._session = session
        self.items: list[BatchItem] = list(session.items)
        self._rows: dict[int, int] = {}
        self._paths: dict[object, int] = {}
        self._number()
        session.added.connect(self._added)
        session.list_changed.connect(self._list_changed)
        session.items_changed.connect(self._items_changed)
        session.thumbnails.made.connect(self._thumbnail_made)

    def _number(self) -> None:
        self._rows = {item.key: row for row, item in enumerate(self.items)}
        self._paths = {item.path: row for row, item in enumerate(self.items)}

    @Slot(int, int)
    def _added(self, first: int, end: int) -> None:
        self.beginInsertRows(_ROOT, first, end - 1)
        self.items.extend(self._session.items[first:end])
        self._number()
        self.endInsertRows()

    @Slot()
    def _list_changed(self) -> None:
        """Rows went: take them out range by range, so that the view keeps its place."""
        left = {item.key for item in self._session.items}
        end = len(self.items)
        while end > 0:
            if self.items[end - 1].key in left:
                end -= 1
                continue
            first = end - 1
            while first > 0 and self.items[first - 1].key not in left:
                first -= 1
            self.beginRemoveRows(_ROOT, first, end - 1)
            del self.items[first:end]
            self.endRemoveRows()
            end = first
        self._number()

    @Slot(object)
    def _items_changed(self, items: list[BatchItem]) -> None:
        # One by one: a view takes the text of an editor that is open anew from every row of a range.
        for item in items:
            row = self._rows.get(item.key)
            if row is not None:
                self.dataChanged.emit(self.index(row, FILE), self.index(row, STATE))

    @Slot(object)
    def _thumbnail_made(self, path: object) -> None:
        row = self._paths.get(path)
        if row is not None:
            self.dataChanged.emit(self.index(row, PICTURE), self.index(row, PICTURE))

    # What a view asks

    def rowCount(self, parent: Index = _ROOT) -> int:
        """One for each picture."""
        return 0 if parent.isValid() else len(self.items)

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Picture, file, description, how sure, state."""
        return 0 if parent.isValid() else 5

    def data(  # noqa: PLR0911 - one for each role
        self, index: Index, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Texts, tool tips, what a screen reader says."""
        if not index.isValid() or index.row() >= len(self.items):
            return None
        item, column = self.items[index.row()], index.column()
        if role == ITEM:
            return item
        if role == Qt.ItemDataRole.EditRole:
            return item.text if column == TEXT else None
        if role == Qt.ItemDataRole.ToolTipRole and column in (PICTURE, FILE):
            return str(item.path)
        if role == Qt.ItemDataRole.AccessibleTextRole and column == PICTURE:
            return self.tr("Picture of {name}").format(name=item.path.name)
        if role in _SHOWN:
            return self._text(item, column) or None
        return None

    def _text(self, item: BatchItem, column: int) -> str:
        if column == FILE:
            return item.path.name
        if column == TEXT:
            return item.text
        if column == SURE and item.described is not None and not item.edited:
            return confidence_text(item.described)
        if column == STATE:
            return state_line(item, self._session.waits_for)
        return ""

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole):
        """Names of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            names = ("", self.tr("File"), self.tr("Description"), self.tr("How sure"), self.tr("State"))
            return names[section]
        if role == Qt.ItemDataRole.AccessibleTextRole and section == PICTURE:
            return self.tr("Picture")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Descriptions can be edited."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == TEXT and self.items[index.row()].state == "done":
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """The user changed a description; an empty one changes nothing."""
        text = " ".join(str(value).split())
        if role != Qt.ItemDataRole.EditRole or not text or index.column() != TEXT:
            return False
        self._session.edit(self.items[index.row()], text)
        return True


class PictureOrder(QSortFilterProxyModel):
    """Which rows are shown, and in which order."""

    def __init__(self, rows: PictureModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.only_problems = False
        self.setSourceModel(rows)

    def show_only_problems(self, only: bool) -> None:
        """Only what failed, or everything."""
        if only != self.only_problems:
            self.only_problems = only
            self.invalidate()

    def item_at(self, row: int) -> BatchItem:
        """The picture of a row."""
        item = self.index(row, FILE).data(ITEM)
        assert isinstance(item, BatchItem)
        return item

    def filterAcceptsRow(self, row: int, _parent: Index) -> bool:
        """Whether a row is shown."""
        rows = self.sourceModel()
        assert isinstance(rows, PictureModel)
        return not self.only_problems or rows.items[row].has_problem

    def lessThan(self, left: Index, right: Index) -> bool:
        """The order of a column; equal ones stay as they came."""
        one, other = left.data(ITEM), right.data(ITEM)
        assert isinstance(one, BatchItem) and isinstance(other, BatchItem)
        if left.column() == SURE:
            return one.confidence < other.confidence
        if left.column() == STATE:
            return _ORDER[one.state] < _ORDER[other.state]
        if left.column() == TEXT:
            return one.text.casefold() < other.text.casefold()
        return natural_key(one.path.name) < natural_key(other.path.name)
