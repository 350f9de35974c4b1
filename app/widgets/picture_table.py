"""The table of many pictures: sorted, filtered, edited and copied from.

In: a :class:`app.widgets.picture_model.PictureModel`. Out: edits of the model, wishes for the rest.
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.image_batch_items import BatchItem
from app.image_batch_thumbnails import Thumbnails
from app.theme import colours, scaled
from app.widgets.picture_delegate import PAD_X, PICTURE_PX, PictureDelegate, row_height
from app.widgets.picture_model import FILE, PICTURE, STATE, SURE, TEXT, PictureModel, PictureOrder

NARROW_PX = 760  # below, how sure a description is shows by its mark alone
_HEADER = """
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; color: %s; border: none; border-bottom: 1px solid %s;
  padding: 5px 10px; font-weight: 600; }
QHeaderView::section:hover { color: %s; }
QHeaderView::up-arrow, QHeaderView::down-arrow { width: 10px; height: 10px; }
"""


class PictureTable(QTableView):
    """Rows of pictures."""

    open_wanted = Signal(object)  # BatchItem
    remove_wanted = Signal()
    menu_wanted = Signal(QPoint)

    def __init__(self, rows: PictureModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.order = PictureOrder(rows, self)
        c = colours()
        self.setModel(self.order)
        self.setItemDelegate(PictureDelegate(thumbnails, self))
        self.setAccessibleName(self.tr("Descriptions of the pictures"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(scaled(24))
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_wanted)
        self.doubleClicked.connect(self._double_clicked)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(row_height())
        head = self.horizontalHeader()
        head.setStyleSheet(_HEADER % (c.muted, c.border, c.text))
        head.setHighlightSections(False)
        head.setSortIndicatorClearable(True)  # a third click gives the order in which they came
        head.setSectionsClickable(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        for column, mode in (
            (PICTURE, QHeaderView.ResizeMode.Fixed),
            (FILE, QHeaderView.ResizeMode.Interactive),
            (TEXT, QHeaderView.ResizeMode.Stretch),
            (SURE, QHeaderView.ResizeMode.Fixed),
            (STATE, QHeaderView.ResizeMode.Interactive),
        ):
            head.setSectionResizeMode(column, mode)
        head.setMinimumSectionSize(scaled(40))
        self.setColumnWidth(PICTURE, scaled(PICTURE_PX) + PAD_X + 2)
        self.setColumnWidth(SURE, scaled(158))
        self._fit()

    def _fit(self) -> None:
        """Columns for the width that there is; the description takes the rest."""
        width = self.width()
        self.setColumnHidden(SURE, width < scaled(NARROW_PX))
        self.setColumnWidth(FILE, max(scaled(96), min(scaled(190), width // 5)))
        self.setColumnWidth(STATE, max(scaled(110), min(scaled(190), width // 5)))

    def resizeEvent(self, event) -> None:
        """Another width, other columns."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    # What is chosen

    def chosen(self) -> list[BatchItem]:
        """The pictures of the selected rows, from the top; that of the current row where none is selected."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows(FILE)})
        if not rows and self.currentIndex().isValid():
            rows = [self.currentIndex().row()]
        return [self.order.item_at(row) for row in rows]

    def current(self) -> BatchItem | None:
        """The picture of the current row."""
        index = self.currentIndex()
        return self.order.item_at(index.row()) if index.isValid() else None

    # What the user does

    @Slot()
    def edit_current(self) -> None:
        """Open the editor of the current row's description."""
        index = self.currentIndex().siblingAtColumn(TEXT)
        if index.isValid() and index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.setCurrentIndex(index)
            self.edit(index)

    @Slot()
    def copy(self) -> None:
        """Copy the selected rows, or of one row the current cell."""
        chosen = self.chosen()
        text = "\n".join(f"{item.path}\t{_one_line(item.text)}" for item in chosen)
        if len(chosen) == 1:
            index, item = self.currentIndex(), chosen[0]
            if index.column() in (PICTURE, FILE):
                text = str(item.path)
            else:
                text = str(index.data() or "") or item.text
        if text:
            QGuiApplication.clipboard().setText(text)

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        if index.column() in (PICTURE, FILE):
            self.open_wanted.emit(self.order.item_at(index.row()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 and Enter edit, Delete removes, Ctrl+C copies."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.edit_current()
        elif event.key() == Qt.Key.Key_Delete and self.chosen():
            self.remove_wanted.emit()
        else:
            super().keyPressEvent(event)


def _one_line(text: str) -> str:
    return " ".join(text.split())
