"""The table of pictures: a folder becomes rows, rows become text, text becomes files."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHeaderView, QMenu, QMessageBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.image_batch_session import ImageBatchSession
from app.panes.image_batch import ImageBatch
from app.widgets.picture_model import FILE, PICTURE, STATE, SURE, TEXT
from engine.errors import EngineError
from engine.media.xmp import read_texts
from tests.gui.batch import BatchDoor, Opened, opened, photos, press

Open = Callable[..., Opened]


@pytest.fixture
def open_page(qtbot: QtBot, pollux_home: Path, tmp_path: Path) -> Iterator[Open]:
    made: list[Opened] = []

    def make(door: BatchDoor | None = None) -> Opened:
        made.append(opened(qtbot, tmp_path, door))
        return made[-1]

    yield make
    for each in made:
        each.close()
        assert not each.crashes


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "测试 ü"
    photos(folder, "a 10.jpg", "a 2.jpg", "broken.jpg", "blurred.png", "below/z.webp")
    (folder / "notes.txt").write_text("mine")
    return folder


def test_a_folder_becomes_rows_with_descriptions(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    assert page.page.empty.isVisible() and not page.page.export.isVisible()
    with qtbot.waitSignal(page.session.finished, timeout=20_000):
        page.session.add([album])
    assert page.rows(FILE) == ["a 2.jpg", "a 10.jpg", "blurred.png", "broken.jpg", "z.webp"]
    assert page.rows(TEXT) == [
        "a picture of a 2",
        "a picture of a 10",
        "a picture of blurred",
        "",
        "a picture of z",
    ]
    assert page.rows(STATE)[2:4] == ["Described, unsure", "broken.jpg is no picture. Get another."]
    assert page.rows(SURE)[0].endswith("81 %") and page.rows(SURE)[2].startswith("Unsure")
    assert page.page.table.isVisible() and page.page.line.text() == "5 of 5 done"
    assert [part.strip() for part in page.page.detail.text().split("·")] == ["1 unsure", "1 failed"]


def test_it_says_how_far_it_is_stops_and_goes_on(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    door = BatchDoor(gate=threading.Event(), held="3")
    page = open_page(door)
    page.session.add(photos(tmp_path / "x", *(f"{n}.jpg" for n in range(1, 7))))
    qtbot.waitUntil(lambda: page.session.done == 2 and page.item("3.jpg").state == "running")
    qtbot.waitUntil(lambda: page.page.line.text() == "2 of 6 done")
    assert page.page.bar.isVisible() and (page.page.bar.value(), page.page.bar.maximum()) == (2, 6)
    assert "left" in page.page.detail.text()
    press(page.page, "Stop")
    qtbot.waitUntil(lambda: not page.session.busy)
    assert page.rows(STATE) == ["Described"] * 2 + ["Stopped"] * 4
    assert door.gate is not None
    door.gate.set()
    press(page.page, "Go on")
    page.until_done(qtbot)
    assert page.rows(STATE) == ["Described"] * 6 and page.page.line.text() == "All 6 described"
    assert [name for name in door.seen if name < "3"] == ["1.jpg", "2.jpg"]
    assert not page.page.bar.isVisible() and not page.page.stop.isVisible()


def test_more_files_on_a_running_batch_go_behind_it(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    door = BatchDoor(gate=threading.Event(), held="2")
    page = open_page(door)
    first, more = photos(tmp_path / "x", "1.jpg", "2.jpg"), photos(tmp_path / "y", "3.jpg", "4.jpg")
    page.session.add(first)
    qtbot.waitUntil(lambda: page.session.done == 1)
    page.session.add([*first, *more])
    qtbot.waitUntil(lambda: len(page.session.items) == 4)
    assert door.gate is not None
    door.gate.set()
    page.until_done(qtbot)
    assert door.seen == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"] and page.session.paths == [*first, *more]


def test_a_batch_that_was_broken_off_goes_on_where_it_was(qtbot: QtBot, open_page: Open, album: Path) -> None:
    door = BatchDoor(gate=threading.Event(), held="z")
    page = open_page(door)
    page.session.add([album])
    qtbot.waitUntil(lambda: page.session.done == 4)
    page.session.edit(page.item("a 2.jpg"), "my words")
    qtbot.waitUntil(lambda: not page.session.exports._noting)
    page.close()
    again = open_page()
    again.session.add([album])
    again.until_done(qtbot)
    assert again.door.seen == ["broken.jpg", "z.webp"]
    assert again.rows(TEXT)[0] == "my words"


def test_editing_in_place_and_with_the_keyboard(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    table = page.page.table
    table.setFocus()
    table.setCurrentIndex(table.order.index(0, FILE))
    for key in (Qt.Key.Key_F2, Qt.Key.Key_Return):
        qtbot.keyClick(table, key)
        editor = table.findChild(QPlainTextEdit)
        assert editor is not None and editor.accessibleName() == "Description of the picture"
        editor.setPlainText(f"  a dog,\n{key.name}  ")
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert page.rows(TEXT)[0] == f"a dog, {key.name}"
        qtbot.waitUntil(lambda: table.findChild(QPlainTextEdit) is None)
    assert page.item("a 2.jpg").edited and page.rows(STATE)[0] == "Edited"
    table.edit_current()
    editor = table.findChild(QPlainTextEdit)
    assert editor is not None
    editor.setPlainText("never mind")
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert page.rows(TEXT)[0] == "a dog, Key_Return"
    table.setCurrentIndex(table.order.index(3, TEXT))  # the broken one has nothing to edit
    qtbot.keyClick(table, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: table.findChild(QPlainTextEdit) is None)


def test_an_open_editor_keeps_what_is_typed_while_rows_come(
    qtbot: QtBot, open_page: Open, tmp_path: Path
) -> None:
    door = BatchDoor(gate=threading.Event(), held="2")
    page = open_page(door)
    page.session.add(photos(tmp_path / "x", *(f"{n}.jpg" for n in range(1, 9))))
    qtbot.waitUntil(lambda: page.rows(TEXT)[:1] == ["a picture of 1"])
    table = page.page.table
    table.setCurrentIndex(table.order.index(0, TEXT))
    table.edit_current()
    editor = table.findChild(QPlainTextEdit)
    assert editor is not None
    editor.setPlainText("half a sent")
    assert door.gate is not None
    door.gate.set()
    page.until_done(qtbot)
    assert editor.toPlainText() == "half a sent"
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert page.rows(TEXT)[0] == "half a sent"


def test_copying_a_cell_and_rows(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    table, clipboard = page.page.table, QGuiApplication.clipboard()
    for column, text in ((TEXT, "a picture of a 2"), (FILE, str(album / "a 2.jpg")), (STATE, "Described")):
        table.setCurrentIndex(table.order.index(0, column))
        qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert clipboard.text() == text
    table.selectAll()
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = clipboard.text().splitlines()
    assert len(lines) == 5 and lines[0] == f"{album / 'a 2.jpg'}\ta picture of a 2"


def test_delete_takes_rows_away_and_leaves_the_files(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    table = page.page.table
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert (
        page.rows(FILE) == ["a 2.jpg", "blurred.png", "broken.jpg", "z.webp"]
        and (album / "a 10.jpg").exists()
    )
    assert table.currentIndex().row() == 1
    table.selectRow(0)
    table.selectionModel().select(
        table.order.index(3, 0),
        table.selectionModel().SelectionFlag.Select | table.selectionModel().SelectionFlag.Rows,
    )
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert page.rows(FILE) == ["blurred.png", "broken.jpg"]
    page.page.clear.click()
    assert page.session.items == [] and page.page.empty.isVisible()


def test_rows_that_are_taken_away_are_not_described(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    door = BatchDoor(gate=threading.Event(), held="1")
    page = open_page(door)
    page.session.add(photos(tmp_path / "x", *(f"{n}.jpg" for n in range(1, 6))))
    qtbot.waitUntil(lambda: page.session.busy and page.item("1.jpg").state == "running")
    page.session.remove([page.item("2.jpg"), page.item("3.jpg")])
    assert door.gate is not None
    door.gate.set()
    page.until_done(qtbot)
    assert set(door.seen) == {"1.jpg", "4.jpg", "5.jpg"} and page.rows(FILE) == ["1.jpg", "4.jpg", "5.jpg"]


def test_sorting_by_column_and_back_to_the_order_in_which_they_came(
    qtbot: QtBot, open_page: Open, album: Path
) -> None:
    page = open_page()
    page.session.add([album / "blurred.png", album])
    page.until_done(qtbot)
    table = page.page.table
    came = ["blurred.png", "a 2.jpg", "a 10.jpg", "broken.jpg", "z.webp"]
    assert page.rows(FILE) == came
    table.sortByColumn(FILE, Qt.SortOrder.AscendingOrder)
    assert page.rows(FILE) == ["a 2.jpg", "a 10.jpg", "blurred.png", "broken.jpg", "z.webp"]
    table.sortByColumn(FILE, Qt.SortOrder.DescendingOrder)
    assert page.rows(FILE)[0] == "z.webp"
    table.sortByColumn(SURE, Qt.SortOrder.AscendingOrder)
    assert page.rows(FILE)[:2] == ["broken.jpg", "blurred.png"]
    table.sortByColumn(STATE, Qt.SortOrder.DescendingOrder)
    assert page.rows(FILE)[0] == "broken.jpg"
    table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert page.rows(FILE) == came


def test_only_problems(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    press(page.page, "Only problems (1)")
    assert page.rows(FILE) == ["broken.jpg"]
    page.page.table.selectRow(0)
    qtbot.keyClick(page.page.table, Qt.Key.Key_Delete)
    assert page.page.nothing.isVisible() and page.page.problems.isVisible()
    press(page.page, "Only problems (0)")
    assert len(page.rows(FILE)) == 4 and not page.page.problems.isVisible()


def test_another_style_is_for_what_waits_and_is_offered_for_the_rest(
    qtbot: QtBot, open_page: Open, tmp_path: Path
) -> None:
    door = BatchDoor(gate=threading.Event(), held="2")
    page = open_page(door)
    page.session.add(photos(tmp_path / "x", "1.jpg", "2.jpg", "3.jpg"))
    qtbot.waitUntil(lambda: page.session.done == 1 and page.item("2.jpg").state == "running")
    page.settings.change(image_style="alt")
    page.pictures.choices_changed.emit()
    assert door.gate is not None
    door.gate.set()
    page.until_done(qtbot)
    assert [item.choices.style for item in page.session.items if item.choices] == ["short", "alt", "alt"]
    press(page.page, "Describe them again")
    page.until_done(qtbot)
    assert door.seen[-1] == "1.jpg" and page.page.banners.get("outdated") is None
    assert {item.choices.style for item in page.session.items if item.choices} == {"alt"}


def test_describing_again_does_not_take_what_is_known(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    page.session.edit(page.item("a 2.jpg"), "my words")
    page.session.again([page.item("a 2.jpg")])
    page.until_done(qtbot)
    assert page.door.seen.count("a 2.jpg") == 2 and page.item("a 2.jpg").text == "a picture of a 2"


def test_the_window_is_made_again_in_the_middle_of_it(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    door = BatchDoor(gate=threading.Event(), held="2")
    page = open_page(door)
    page.session.add(photos(tmp_path / "x", "1.jpg", "2.jpg", "3.jpg"))
    qtbot.waitUntil(lambda: page.session.done == 1)
    page.page.hide()
    page.page = ImageBatch(page.host, page.session)
    qtbot.addWidget(page.page)
    page.page.show()
    assert page.rows(TEXT) == ["a picture of 1", "", ""]
    assert door.gate is not None
    door.gate.set()
    page.until_done(qtbot)
    qtbot.waitUntil(lambda: page.rows(TEXT)[2] == "a picture of 3")


# Models and failures


def test_without_a_model_rows_wait_for_one(qtbot: QtBot, open_page: Open, album: Path) -> None:
    door = BatchDoor()
    packs, door.the_store.packs = door.the_store.packs, []
    page = open_page(door)
    page.session.add([album])
    qtbot.waitUntil(lambda: len(page.session.items) == 5)
    assert page.rows(STATE)[0] == "Waits for an image model" and not page.session.busy
    door.the_store.packs = packs
    page.host.refresh()
    page.until_done(qtbot)


def test_a_model_that_cannot_be_opened_is_said_once_and_rows_can_go_on(
    qtbot: QtBot, open_page: Open, album: Path
) -> None:
    door = BatchDoor(open_error=EngineError("The model is broken.", "Get it again."))
    page = open_page(door)
    with qtbot.waitSignal(page.session.failed) as caught:
        page.session.add([album])
    assert caught.args == [door.open_error]
    qtbot.waitUntil(lambda: not page.session.busy)
    assert set(page.rows(STATE)) == {"Stopped"}
    door.open_error = None
    press(page.page, "Go on")
    page.until_done(qtbot)


def test_a_bug_of_ours_is_none_of_a_picture(qtbot: QtBot, open_page: Open, album: Path) -> None:
    door = BatchDoor(bug=ZeroDivisionError("ours"))
    page = open_page(door)
    with qtbot.waitSignal(page.session.crashed):
        page.session.add([album])
    qtbot.waitUntil(lambda: not page.session.busy)
    assert set(page.rows(STATE)) == {"Stopped"} and isinstance(page.crashes.pop(), ZeroDivisionError)


def test_a_folder_without_pictures_says_so(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    page = open_page()
    empty = tmp_path / "空"
    empty.mkdir()
    with qtbot.waitSignal(page.session.failed) as caught:
        page.session.add([empty])
    assert caught.args is not None and caught.args[0].message == "There are no pictures in 空."
    qtbot.waitUntil(lambda: not page.session.looking)
    assert page.page.empty.isVisible()


# Exports


@pytest.fixture
def done(qtbot: QtBot, open_page: Open, album: Path) -> Opened:
    page = open_page()
    page.session.add([album])
    page.until_done(qtbot)
    page.session.edit(page.item("a 2.jpg"), "=my words, 狗")
    return page


def choose(page: Opened, name: str) -> None:
    """An entry of the export menu."""
    menu = page.page.export.menu()
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().startswith(name)).trigger()


def answer(page: Opened, box_name: str, text: str) -> str:
    """Press a button of a question; returns the question."""
    box = page.page.window().findChild(QMessageBox, box_name)
    assert box is not None
    words = f"{box.text()} {box.informativeText()}"
    next(made for made in box.buttons() if made.text().replace("&", "") == text).click()
    return words


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_tables_hold_what_the_user_sees(
    qtbot: QtBot, done: Opened, album: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    asked: list[str] = []
    target = album / f"out 表.{kind}"

    def dialog(_parent: object, _title: str, start: str, _names: str) -> tuple[str, str]:
        asked.append(start)
        return str(target), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)
    choose(done, "Table" if kind == "csv" else "Everything")
    qtbot.waitUntil(lambda: done.said == [f"Exported to out 表.{kind}"])
    assert asked == [str(album / f"descriptions.{kind}")]
    if kind == "csv":
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows[0]["description"] == "'=my words, 狗" and rows[0]["caption"] == "a picture of a 2"
    else:
        rows = json.loads(target.read_text("utf-8"))
        assert rows[0]["description"] == "=my words, 狗"
    assert len(rows) == 5 and rows[3]["error"] == "broken.jpg is no picture. Get another."


def test_text_files_are_written_and_none_is_replaced_unasked(qtbot: QtBot, done: Opened, album: Path) -> None:
    choose(done, "Text files")
    qtbot.waitUntil(lambda: done.said == ["4 text files are written"])
    assert (album / "a 2.txt").read_text("utf-8") == "=my words, 狗\n"
    (album / "a 10.txt").write_text("notes of mine")
    for button, said, text in (
        ("Keep them, write the others", "3 text files are written", "notes of mine"),
        ("Replace them", "4 text files are written", "a picture of a 10\n"),
    ):
        done.said.clear()
        choose(done, "Text files")
        qtbot.waitUntil(lambda: done.page.window().findChild(QMessageBox, "sidecars") is not None)
        assert "1 text files are there already" in answer(done, "sidecars", button)
        qtbot.waitUntil(lambda said=said: done.said == [said])
        assert (album / "a 10.txt").read_text("utf-8") == text
        qtbot.waitUntil(lambda: done.page.window().findChild(QMessageBox, "sidecars") is None)


def test_descriptions_go_into_the_photos_only_after_a_yes(qtbot: QtBot, done: Opened, album: Path) -> None:
    before = (album / "a 2.jpg").read_bytes()
    choose(done, "Into the photos")
    assert "each original is kept" in answer(done, "metadata", "Cancel")
    qtbot.waitUntil(lambda: done.page.window().findChild(QMessageBox, "metadata") is None)
    assert (album / "a 2.jpg").read_bytes() == before
    Image.new("RGB", (9, 9)).save(album / "anim.gif")
    done.session.add([album / "anim.gif"])
    done.until_done(qtbot)
    choose(done, "Into the photos")
    assert "into 5 photos" in answer(done, "metadata", "Write")
    qtbot.waitUntil(lambda: done.said == ["4 photos have their description"])
    with Image.open(album / "a 2.jpg") as image:
        assert read_texts(image.info["xmp"]).description == "=my words, 狗"
    assert (album / "a 2.original.jpg").read_bytes() == before
    qtbot.waitUntil(lambda: done.item("anim.gif").has_problem)
    press(done.page, "Show them")
    assert done.rows(FILE) == ["broken.jpg", "anim.gif"] and done.rows(STATE)[1].startswith(
        "Not written: anim.gif"
    )


def test_photos_that_got_their_description_are_known_in_a_later_run(
    qtbot: QtBot, done: Opened, open_page: Open, album: Path
) -> None:
    choose(done, "Into the photos")
    answer(done, "metadata", "Write")
    qtbot.waitUntil(lambda: done.said == ["4 photos have their description"])
    qtbot.waitUntil(lambda: not done.session.exports.busy)
    again = open_page()
    again.session.add([album])
    again.until_done(qtbot)
    assert again.door.seen == ["broken.jpg"] and again.rows(TEXT)[0] == "=my words, 狗"


# The look of it


def test_small_pictures_are_made_for_what_is_in_sight_only(
    qtbot: QtBot, open_page: Open, tmp_path: Path
) -> None:
    page = open_page()
    page.session.add(photos(tmp_path / "x", *(f"{n}.png" for n in range(300))))
    page.until_done(qtbot)
    qtbot.waitUntil(lambda: "0.png" in page.door.thumbnails)
    qtbot.waitUntil(lambda: not page.host.jobs.busy)
    assert len(page.door.thumbnails) < 60
    page.page.table.scrollToBottom()
    qtbot.waitUntil(lambda: "299.png" in page.door.thumbnails)
    qtbot.waitUntil(lambda: not page.host.jobs.busy)
    assert len(page.door.thumbnails) < 120


def test_a_thousand_rows(qtbot: QtBot, open_page: Open, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    for number in range(1000):
        (folder / f"{number}.jpg").touch()
    page = open_page()

    class NoThumbnails:
        def __call__(self, path: Path, side_px: int) -> bytes:
            raise EngineError("none")

    page.door.thumbnail_jpeg = NoThumbnails()  # type: ignore[method-assign]
    with qtbot.waitSignal(page.session.finished, timeout=60_000):
        page.session.add([folder])
    assert page.page.table.order.rowCount() == 1000 and page.page.line.text() == "All 1000 described"
    page.page.table.sortByColumn(FILE, Qt.SortOrder.DescendingOrder)
    assert page.rows(FILE)[0] == "999.jpg"
    page.page.table.selectAll()
    qtbot.keyClick(page.page.table, Qt.Key.Key_Delete)
    assert page.session.items == []


def test_everything_has_a_name_and_double_clicks_look_at_one(qtbot: QtBot, done: Opened, album: Path) -> None:
    page = done.page
    for control in (page.table, page.export, page.stop, page.go_on, page.problems, page.clear, page.bar):
        assert control.accessibleName()
    assert (
        page.export.menu().accessibleName() and QAccessible.queryAccessibleInterface(page.table) is not None
    )
    model = page.table.order
    assert model.index(0, PICTURE).data(Qt.ItemDataRole.AccessibleTextRole) == "Picture of a 2.jpg"
    names = [str(model.headerData(section, Qt.Orientation.Horizontal)) for section in range(1, 5)]
    assert names == ["File", "Description", "How sure", "State"]
    with qtbot.waitSignal(page.open_wanted) as caught:
        page.table.doubleClicked.emit(model.index(0, PICTURE))
    assert caught.args == [album / "a 2.jpg"]
    page.table.selectRow(0)
    menu = page.row_menu()
    assert menu.accessibleName() == "Pictures"
    assert len([action for action in menu.actions() if action.text()]) == 6


@pytest.mark.parametrize("width", [480, 760, 1400])
def test_columns_fit_any_width(qtbot: QtBot, done: Opened, width: int) -> None:
    done.page.resize(width, 500)
    table = done.page.table
    qtbot.waitUntil(lambda: table.width() == width)
    head = table.horizontalHeader()
    assert head.length() <= table.viewport().width() and table.columnWidth(TEXT) >= width // 4
    assert head.sectionResizeMode(TEXT) == QHeaderView.ResizeMode.Stretch
    assert not table.model().index(0, TEXT).parent().isValid() and isinstance(QModelIndex(), QModelIndex)


def test_the_session_alone_closes(qtbot: QtBot, open_page: Open, album: Path) -> None:
    page = open_page(BatchDoor(gate=threading.Event(), held="a 10"))
    assert isinstance(page.session, ImageBatchSession)
    page.session.add([album])
    qtbot.waitUntil(lambda: page.session.busy)
