"""One picture and what is said of it: the picture large, beside it description, findings, answers and actions.

In: the session's choice. Out: what the user does, to the session; wishes that the pane or the window fulfils.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.host import Host
from app.i18n import error_hint, error_message
from app.image_items import ImageItem
from app.image_session import ImageSession
from app.image_text import alt_of, confidence_text, error_text, frames_for_chat, origin_text, state_text
from app.panes.image_findings import ImageFindings
from app.panes.image_frames import ImageFrames
from app.panes.image_gap import LanguageLine
from app.panes.image_question import ImageAnswers, ImageQuestion
from app.theme import colours, icon, scaled
from app.widgets.banner import Banner, BannerStack
from app.widgets.basics import ElidedLabel, button, disable, label, tool_button
from app.widgets.caption_view import CaptionView
from app.widgets.flow import FlowBox
from app.widgets.picture_view import PictureView
from engine.errors import EngineError
from engine.results import Described, Look

PANEL_PX = 380


class ImageResult(QWidget):
    """The picture and its panel."""

    send_wanted = Signal(object, object)  # ImageItem, Described
    sound_wanted = Signal(object)  # ImageItem, a video
    said = Signal(str)

    def __init__(self, host: Host, session: ImageSession) -> None:
        super().__init__()
        self._host, self._session = host, session
        self._item: ImageItem | None = None
        self._moved = False  # whether the user chose how much room each gets
        self._problem: tuple[int, EngineError | None] | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("paneSplitter")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(scaled(16))
        outer.addWidget(self.splitter)
        self.view = PictureView()
        self.splitter.addWidget(self.view)
        self.splitter.addWidget(self._make_panel())
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.splitterMoved.connect(self._handle_moved)
        session.selected_changed.connect(self.show_selected)
        session.item_changed.connect(self._item_changed)
        session.shown_changed.connect(self._shown_changed)
        session.writing_changed.connect(self._writing_changed)
        self.show_selected()

    # Widgets

    def _make_panel(self) -> QWidget:
        panel = QWidget()
        panel.setMinimumWidth(scaled(230))
        whole = QVBoxLayout(panel)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        whole.addLayout(self._make_head())
        self.page = self._make_scroll()
        holder = QWidget()
        holder.setObjectName("page")
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 10, 4)
        column.setSpacing(6)
        self.caption = CaptionView(self.tr("Description"))
        self.caption.looked.connect(self._looked)
        self.own = CaptionView(self.tr("The image model's own sentence"))
        self.own.setObjectName("ownCaption")
        self.own.looked.connect(self._looked)
        self.own_head = label(self.tr("The image model's own sentence"), "section")
        self.problems = BannerStack()
        self.note = label("", "muted")
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sureness = label("", "small")
        self.own_head.setIndent(0)
        self.hint = label("", "small")
        self.origin = label("", "small")
        self.gap = LanguageLine(self._host)
        self.findings = ImageFindings()
        self.findings.box_wanted.connect(self.view.show_box)
        self.findings.said.connect(self.said)
        self.answers = ImageAnswers(self._session, self._host)
        self.answers.said.connect(self.said)
        self.answers.grown.connect(self._answers_grown)
        for part in (
            self.problems,
            self.note,
            self.caption,
            self.sureness,
            self.gap,
            self.own_head,
            self.own,
            self.hint,
        ):
            column.addWidget(part)
        column.addSpacing(4)
        column.addWidget(self._make_actions())
        column.addWidget(self.findings)
        column.addWidget(self.origin)
        column.addWidget(self.answers)
        column.addStretch(1)
        self.page.setWidget(holder)
        whole.addWidget(self.page, 1)
        self.frames = ImageFrames(self._session)
        self.frames.sound_wanted.connect(self._sound)
        whole.addWidget(self.frames, 2)
        self.question = ImageQuestion()
        self.question.asked.connect(self._ask)
        whole.addWidget(self.question)
        return panel

    @staticmethod
    def _make_scroll() -> QScrollArea:
        made = QScrollArea()
        made.setWidgetResizable(True)
        made.setFrameShape(QFrame.Shape.NoFrame)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return made

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.title = ElidedLabel("heading")
        row.addWidget(self.title, 1)
        self.copy = tool_button(self.tr("Copy the description"), "copy", tint=colours().muted)
        self.copy.clicked.connect(self.copy_text)
        self.more = tool_button(self.tr("More"), "more", tint=colours().muted)
        self.more.clicked.connect(self._more)
        row.addWidget(self.copy)
        row.addWidget(self.more)
        return row

    def _make_actions(self) -> QWidget:
        self.stop = button(self.tr("Stop"), "", "stop")
        self.stop.clicked.connect(self._stop)
        self.again = button(self.tr("Describe"), "primary", "regenerate", colours().on_accent)
        self.again.clicked.connect(self._again)
        self.copy_alt_button = button(self.tr("Copy alt text"), "", "copy")
        self.copy_alt_button.setToolTip(
            self.tr("At most 125 characters, for those who hear the picture instead")
        )
        self.copy_alt_button.clicked.connect(self.copy_alt)
        self.send = button(self.tr("Send to chat"), "", "chat")
        self.send.setToolTip(self.tr("Begin a chat with the description and what was found"))
        self.send.clicked.connect(self._send)
        flow = FlowBox()
        flow.add(self.stop, self.again, self.copy_alt_button, self.send)
        return flow

    # What is shown

    def set_narrow(self, narrow: bool) -> None:
        """The panel below the picture, or beside it."""
        wanted = Qt.Orientation.Vertical if narrow else Qt.Orientation.Horizontal
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)
            self._moved = False
            self._share_out()

    def resizeEvent(self, event) -> None:
        """Another size is shared out, until the user does it."""
        super().resizeEvent(event)
        self._share_out()

    def _share_out(self) -> None:
        if self._moved:
            return
        if self.splitter.orientation() == Qt.Orientation.Vertical:
            picture = round(0.42 * self.height())
            self.splitter.setSizes([picture, self.height() - picture])
        else:
            panel = min(scaled(PANEL_PX), round(0.54 * self.width()))
            self.splitter.setSizes([self.width() - panel, panel])

    @Slot()
    def _handle_moved(self) -> None:
        self._moved = True

    @property
    def described(self) -> Described | None:
        """The description on the screen, if there is one."""
        if self._item is None:
            return None
        if self._item.is_video:
            return self._item.frames[self._item.frame].described if self._item.frames else None
        return self._item.results.get(self._session.choices)

    @Slot()
    def show_selected(self) -> None:
        """Another picture was chosen."""
        self._item = self._session.selected
        if self._item is None:
            self.view.show_image(None)
            return
        self.question.field.clear()
        self.page.verticalScrollBar().setValue(0)
        self._shown_changed(self._item)
        self._item_changed(self._item)

    @Slot(object)
    def _shown_changed(self, item: ImageItem) -> None:
        """The picture is there, or is another frame of the video."""
        if item is not self._item:
            return
        image = self._session.shown(item)
        if image is None and item.thumbnail is not None and not item.thumbnail.isNull():
            image = item.thumbnail
        note = self.tr("The picture is being read…")
        if item.state == "failed":
            note = self.tr("There is no picture to show.")
        if item.is_video:
            note = state_text(item, self._session.waits_for)
        self.view.show_image(image, note)
        if item.is_video:
            self._item_changed(item)

    @Slot(object)
    def _item_changed(self, item: ImageItem) -> None:
        if item is not self._item:
            return
        described = self.described
        self.title.set_whole(item.title)
        self.view.setAccessibleName(self.tr("Picture: {name}").format(name=item.title))
        self.view.setAccessibleDescription(described.text if described is not None else "")
        if item.state == "failed":
            self.view.show_image(None, self.tr("There is no picture to show."))
        self._show_description(item, described)
        self._show_sureness(described)
        language = self._session.choices.language
        self.gap.show_gap(language if described is not None and described.language != language else "")
        self.findings.show_findings(described.findings if described is not None else None, language)
        self.origin.setText(origin_text(described, self._host.shown_name) if described is not None else "")
        self.origin.setVisible(described is not None)
        self.answers.show_item(item)
        self.frames.show_item(item)
        self._show_actions(item, described)

    def _show_description(self, item: ImageItem, described: Described | None) -> None:
        text = described.text if described is not None else item.writing.strip()
        self.caption.setVisible(bool(text))
        self.caption.show_text(text, described.looks if described is not None else ())
        own = described is not None and bool(described.looks) and not self.caption.has_looks
        self.own.show_text(
            described.caption if described is not None and own else "",
            described.looks if described is not None and own else (),
        )
        self.own.setVisible(own)
        self.own_head.setVisible(own)
        asked = self.caption.has_looks or self.own.has_looks
        self.hint.setText(
            self.tr(
                "Point at a word, or go from word to word with the arrows: the picture shows where the model looked."
            )
            if asked
            else ""
        )
        self.hint.setVisible(asked)
        failed = item.state == "failed"
        note = self._progress_text(item) if not text and not failed else ""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self._show_problem(item if failed else None)

    def _show_problem(self, item: ImageItem | None) -> None:
        """Why the picture cannot be described stays with it."""
        shown = (item.key, item.error) if item is not None else None
        if shown == self._problem:
            return
        self._problem = shown
        self.problems.clear()
        if item is not None:
            message = error_message(item.error) if item.error is not None else error_text(None)
            hint = error_hint(item.error) if item.error is not None else ""
            self.problems.show_banner("problem", Banner("error", message, hint, closable=False))

    def _progress_text(self, item: ImageItem) -> str:
        if item.state == "running" and item.total_steps:
            return self.tr("Is being described… {done} of {total}").format(
                done=item.done_steps, total=item.total_steps
            )
        if item.state == "running":
            return self.tr("Is being described…")
        return state_text(item, self._session.waits_for)

    def _show_sureness(self, described: Described | None) -> None:
        shown = described is not None and bool(described.caption)
        self.sureness.setVisible(shown)
        if described is None or not shown:
            return
        text = confidence_text(described)
        if described.unsure:
            text = self.tr("{confidence}. Read this description with doubt.").format(confidence=text)
        self.sureness.setText(text)
        role = "warn" if described.unsure else "small"
        if self.sureness.property("role") != role:
            self.sureness.setProperty("role", role)
            self.sureness.style().unpolish(self.sureness)
            self.sureness.style().polish(self.sureness)

    def _show_actions(self, item: ImageItem, described: Described | None) -> None:
        reason = "" if described is not None else self.tr("There is no description yet.")
        for made in (self.copy, self.copy_alt_button, self.send):
            tip = made.property("tip") or made.toolTip()
            made.setProperty("tip", tip)
            made.setToolTip(tip)
            made.setAccessibleDescription("")
            disable(made, reason)
        running = any(answer.state in ("waiting", "running") for answer in item.answers)
        self.stop.setVisible(item.busy or running)
        self.stop.setEnabled(item.state != "stopping")
        idle = not item.busy and described is None
        self.again.setVisible(idle)
        words = self.tr("Try again") if item.state == "failed" else self.tr("Describe")
        self.again.setText(f" {words}")  # lupdate sees nothing inside of an f-string
        self.again.setAccessibleName(words)
        self.copy_alt_button.setVisible(not item.is_video and item.state != "failed")
        self.send.setVisible(item.state != "failed")
        blocked = ""
        if item.state == "failed":
            blocked = self.tr("The picture cannot be read.")
        elif self._session.waits_for:
            blocked = self.tr("No image model is installed yet.")
        self.question.setVisible(not item.is_video)
        self.question.set_blocked(blocked)

    @Slot(object)
    def _writing_changed(self, item: ImageItem) -> None:
        if item is self._item and self.described is None:
            self._show_description(item, None)

    @Slot()
    def _answers_grown(self) -> None:
        if self._item is not None:
            self._show_actions(self._item, self.described)
        bar = self.page.verticalScrollBar()
        if bar.maximum() - bar.value() < scaled(160) or self.question.field.hasFocus():
            self.answers.adjustSize()
            bar.setValue(bar.maximum())

    @Slot(object)
    def _looked(self, look: Look | None) -> None:
        self.view.show_attention(look.attention if look is not None else None)

    # What the user does

    def forget_word(self) -> bool:
        """Point at no word any more; whether one was pointed at."""
        pointed = [view for view in (self.caption, self.own) if view.current is not None]
        for view in pointed:
            view.point_at_nothing()
        return bool(pointed)

    @Slot()
    def copy_text(self) -> None:
        """Copy the description."""
        item, described = self._item, self.described
        if item is None or described is None:
            return
        QGuiApplication.clipboard().setText(frames_for_chat(item) if item.is_video else described.text)
        self.said.emit(self.tr("Copied the description"))

    @Slot()
    def copy_alt(self) -> None:
        """Copy the text for a screen reader."""
        if self._item is not None and self.described is not None:
            QGuiApplication.clipboard().setText(alt_of(self._item, self.described))
            self.said.emit(self.tr("Copied the alt text"))

    @Slot()
    def _send(self) -> None:
        self.send_wanted.emit(self._item, self.described)

    @Slot()
    def _sound(self) -> None:
        self.sound_wanted.emit(self._item)

    @Slot(str)
    def _ask(self, question: str) -> None:
        if self._item is not None:
            self._session.ask(self._item, question)

    @Slot()
    def _stop(self) -> None:
        if self._item is not None:
            self._session.stop(self._item)

    @Slot()
    def _again(self) -> None:
        if self._item is not None:
            self._session.want(self._item, again=True)

    @Slot()
    def _more(self) -> None:
        self.show_menu(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def show_menu(self, where: QPoint) -> None:
        """The menu of the picture, at a place of the screen."""
        item = self._item
        if item is None:
            return
        menu = QMenu(self)
        menu.setAccessibleName(self.tr("Picture"))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        again = menu.addAction(icon("regenerate"), self.tr("Describe again"), self._again)
        again.setEnabled(not item.busy)
        described = self.described
        overlay = menu.addAction(icon("download"), self.tr("Save where it looked as PNG…"), self.save_overlay)
        overlay.setEnabled(described is not None and bool(described.looks))
        if item.path is not None:
            menu.addAction(icon("folder"), self.tr("Show the folder"), self._open_folder)
        menu.addSeparator()
        menu.addAction(icon("trash"), self.tr("Remove from the list"), self._remove)
        menu.popup(where)

    @Slot()
    def save_overlay(self) -> None:
        """Write the picture with where the model looked for the word that was pointed at last, else for the surest one."""
        item, described = self._item, self.described
        if item is None or described is None or not described.looks:
            return
        view = self.caption if self.caption.has_looks else self.own
        look = view.last or max(described.looks, key=lambda look: float(look.attention.max()))
        start = (item.path or Path.home() / item.title).with_suffix("")
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Save where the model looked for “{word}”").format(word=look.word.strip()),
            f"{start} {look.word.strip()}.png",
            self.tr("PNG (*.png)"),
        )
        if chosen:
            target = Path(chosen)
            self._session.save_overlay(item, look, target if target.suffix else target.with_suffix(".png"))

    @Slot()
    def _open_folder(self) -> None:
        if self._item is not None and self._item.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._item.path.parent)))

    @Slot()
    def _remove(self) -> None:
        if self._item is not None:
            self._session.remove(self._item)
