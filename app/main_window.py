"""The window: sidebar, pane, model button; keys, dropped files, theme and language.

In: host, session, settings, history. Out: a window that makes its widgets again when the theme, the text
size or the language changes, so that a change holds at once everywhere; what lives on is outside of it.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QCoreApplication, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.chat_session import ChatSession
from app.drops import holds_pictures, read_drop
from app.history import History
from app.host import Host
from app.i18n import Translations
from app.image_batch_session import ImageBatchSession
from app.image_items import ImageItem, is_picture, is_video
from app.image_session import ImageSession
from app.image_text import for_chat, frames_for_chat
from app.model_button import ModelButton
from app.panes.chat import ChatPane
from app.panes.home import HomePane
from app.panes.image import ImagePane
from app.panes.models import ModelsPane
from app.panes.preferences import PreferencesPane
from app.panes.speech import SpeechPane
from app.settings import Settings, SettingsStore
from app.shortcuts import ShortcutsDialog, shortcut_list
from app.sidebar import Sidebar
from app.speech_items import MEDIA_SUFFIXES, SpeechItem
from app.speech_recorder import SpeechRecorder
from app.speech_session import SpeechSession
from app.speech_to_chat import quotation, summary_request
from app.theme import app_icon, apply_theme, colours
from app.widgets.banner import Banner, BannerStack
from app.widgets.basics import ElidedLabel, tool_button
from engine.errors import EngineError
from engine.results import Described, Notice


class MainWindow(QMainWindow):
    """The one window of the app."""

    shown = Signal()

    def __init__(
        self,
        host: Host,
        session: ChatSession,
        *,
        speech: SpeechSession,
        recorder: SpeechRecorder,
        images: ImageSession,
        batch: ImageBatchSession,
        settings: SettingsStore,
        history: History,
        translations: Translations,
    ) -> None:
        super().__init__()
        self._host, self._session, self._settings = host, session, settings
        self._speech, self._recorder = speech, recorder
        self._images, self._batch = images, batch
        self._history, self._translations = history, translations
        self._section = "home"
        self._rebuild_pending = False
        self._closed = False
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(720, 520)
        self.resize(1120, 760)
        if settings.value.window:
            self.restoreGeometry(QByteArray.fromBase64(settings.value.window.encode("ascii", "ignore")))
        self._build()
        settings.changed.connect(self._settings_changed)
        settings.failed.connect(self.show_error)
        host.notice.connect(self._notice)
        host.failed.connect(self.show_error)
        self._list_soon = QTimer(self)  # a pass of its own: sending has widgets to make
        self._list_soon.setSingleShot(True)
        self._list_soon.timeout.connect(self._list_changed)
        session.list_changed.connect(self._list_soon.start)
        session.opened.connect(self._opened)
        QApplication.styleHints().colorSchemeChanged.connect(self._scheme_changed)

    # Widgets

    def _build(self) -> None:
        self._shortcuts: list[QShortcut] = []
        self.setWindowTitle("Pollux")
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self.sidebar = Sidebar(self._history)
        self.sidebar.setMinimumWidth(200)
        self.sidebar.setMaximumWidth(380)
        self.sidebar.section_chosen.connect(self.show_section)
        self.sidebar.new_chat.connect(self.new_chat)
        self.sidebar.conversation_chosen.connect(self.open_conversation)
        self.sidebar.deleted.connect(self._conversation_deleted)
        self.sidebar.renamed.connect(self._conversation_renamed)
        self.sidebar.failed.connect(self.show_error)
        self.sidebar.said.connect(self.say)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top_bar())
        line = QFrame()
        line.setObjectName("divider")
        line.setFixedHeight(1)
        column.addWidget(line)
        self.banners = BannerStack()
        holder = QHBoxLayout()
        holder.setContentsMargins(24, 8, 24, 0)
        holder.addWidget(self.banners)
        column.addLayout(holder)
        self._make_panes()
        self._stack = QStackedWidget()
        for pane in self._panes.values():
            self._stack.addWidget(pane)
        column.addWidget(self._stack, 1)
        self._splitter.addWidget(self.sidebar)
        self._splitter.addWidget(right)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setSizes([self._settings.value.sidebar_width or 248, 2000])
        self.setCentralWidget(self._splitter)
        for item in shortcut_list():
            if item.method:
                made = QShortcut(QKeySequence(item.keys), self)
                made.activated.connect(getattr(self, item.method))
                self._shortcuts.append(made)
        self.show_section(self._section)
        self._opened()

    def _make_panes(self) -> None:
        self.home = HomePane(self._host)
        self.home.start.connect(self._start)
        self.home.show_speech.connect(self.show_speech)
        self.home.show_images.connect(self.show_images)
        self.chat = ChatPane(self._session, self._host)
        self.speech = SpeechPane(self._host, self._speech, self._recorder, self._settings)
        self.speech.show_models.connect(self.show_models)
        self.speech.send_wanted.connect(self.send_to_chat)
        self.speech.summary_wanted.connect(self.summarise)
        self.speech.frames_wanted.connect(self.describe_video)
        self.speech.said.connect(self.say)
        self.images = ImagePane(self._host, self._images, self._batch, self._settings)
        self.images.show_models.connect(self.show_models)
        self.images.send_wanted.connect(self.send_picture_to_chat)
        self.images.sound_wanted.connect(self.transcribe_video)
        self.images.said.connect(self.say)
        self.models = ModelsPane(self._host)
        self.preferences = PreferencesPane(self._settings, self._host)
        self.preferences.show_shortcuts.connect(self.show_shortcuts)
        self._panes: dict[str, QWidget] = {
            "home": self.home,
            "chat": self.chat,
            "speech": self.speech,
            "images": self.images,
            "models": self.models,
            "preferences": self.preferences,
        }

    def _top_bar(self) -> QWidget:
        made = QWidget()
        made.setObjectName("topbar")
        row = QHBoxLayout(made)
        row.setContentsMargins(12, 8, 16, 8)
        row.setSpacing(10)
        toggle = tool_button(self.tr("Show or hide the sidebar"), "sidebar", 20, tint=colours().muted)
        toggle.clicked.connect(self.toggle_sidebar)
        row.addWidget(toggle)
        self._title = ElidedLabel("strong")
        row.addWidget(self._title, 1)
        self.model_button = ModelButton(self._host, self._settings)
        self.model_button.show_models.connect(self.show_models)
        row.addWidget(self.model_button)
        return made

    @Slot()
    def _rebuild(self) -> None:
        """Make all widgets again, in the new language and colours, with the same things on them."""
        self._rebuild_pending = False
        self.chat.save_draft()
        scroll = self.preferences.verticalScrollBar().value()
        was = self.focusWidget()
        focus_key = was.property("key") if was is not None else None
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        old = self.takeCentralWidget()
        if old is not None:
            old.hide()
            old.deleteLater()
        self._translations.use(self._settings.value.language)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        apply_theme(app, self._settings.value.theme, self._settings.value.text_size)
        self._build()
        for control in self.preferences.findChildren(QWidget):
            if focus_key is not None and control.property("key") == focus_key:
                control.setFocus()
        QTimer.singleShot(0, self, lambda: self.preferences.verticalScrollBar().setValue(scroll))

    @Slot(object, object)
    def _settings_changed(self, before: Settings, now: Settings) -> None:
        looks = (before.theme, before.text_size, before.language) != (now.theme, now.text_size, now.language)
        if looks and not self._rebuild_pending:
            self._rebuild_pending = True
            QTimer.singleShot(0, self, self._rebuild)

    @Slot(Qt.ColorScheme)
    def _scheme_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._settings.value.theme == "system" and not self._rebuild_pending:
            self._rebuild_pending = True
            QTimer.singleShot(0, self, self._rebuild)

    # Where the user is

    @Slot(str)
    def show_section(self, key: str) -> None:
        """Show a pane."""
        self._section = key
        self._stack.setCurrentWidget(self._panes[key])
        self.sidebar.show_section(key)
        self._update_title()
        if key == "chat":
            self.chat.composer.editor.setFocus()
        elif key == "speech":
            self.speech.take_focus()
        elif key == "images":
            self.images.take_focus()

    @Slot()
    def show_home(self) -> None:
        """Show the home pane."""
        self.show_section("home")

    @Slot()
    def show_chat(self) -> None:
        """Show the chat pane."""
        self.show_section("chat")

    @Slot()
    def show_speech(self) -> None:
        """Show the speech pane."""
        self.show_section("speech")

    @Slot()
    def show_images(self) -> None:
        """Show the image pane."""
        self.show_section("images")

    @Slot()
    def show_models(self) -> None:
        """Show the models pane."""
        self.show_section("models")

    @Slot()
    def show_preferences(self) -> None:
        """Show the preferences pane."""
        self.show_section("preferences")

    @Slot()
    def new_chat(self) -> None:
        """Begin a conversation."""
        self._start("assistant")

    @Slot(str)
    def _start(self, key: str) -> None:
        from app.presets import preset

        self.chat.save_draft()
        self._session.begin(key, preset(key).system)
        self.show_section("chat")

    @Slot(int)
    def open_conversation(self, conversation: int) -> None:
        """Show a conversation."""
        self.chat.save_draft()
        self._session.open(conversation)
        self.show_section("chat")

    @Slot()
    def _opened(self) -> None:
        conversation = self._session.conversation
        self.sidebar.show_conversation(conversation.id if conversation else None)
        self._update_title()

    def _update_title(self) -> None:
        conversation = self._session.conversation
        if self._section == "chat":
            self._title.set_whole(conversation.title if conversation else self.tr("New chat"))
        else:
            self._title.set_whole("")

    @Slot()
    def _list_changed(self) -> None:
        if self._closed:  # quitting closes the window while an answer is being ended
            return
        self.sidebar.refresh()
        self._opened()

    @Slot(int)
    def _conversation_deleted(self, conversation: int) -> None:
        here = self._session.conversation
        if here is not None and here.id == conversation:
            self._session.stop()
            self._session.begin()

    @Slot(int)
    def _conversation_renamed(self, conversation: int) -> None:
        here = self._session.conversation
        if here is not None and here.id == conversation:
            self._session.renamed()
            self._update_title()

    # Keys

    @Slot()
    def focus_search(self) -> None:
        """Go to the search."""
        self.sidebar.show()
        self.sidebar.search.setFocus()
        self.sidebar.search.selectAll()

    @Slot()
    def focus_message(self) -> None:
        """Go to the message field."""
        self.show_section("chat")

    @Slot()
    def open_model_menu(self) -> None:
        """Open the menu of the model button."""
        self.model_button.showMenu()

    @Slot()
    def toggle_sidebar(self) -> None:
        """Show or hide the sidebar."""
        self.sidebar.setVisible(not self.sidebar.isVisible())

    @Slot()
    def escape(self) -> None:
        """Stop the answer, or close the search in a transcript."""
        if self._section == "chat":
            self.chat.escape()
        elif self._section == "speech":
            self.speech.escape()
        elif self._section == "images":
            self.images.escape()

    @Slot()
    def add_recordings(self) -> None:
        """Choose files: pictures in the image pane, else recordings to transcribe."""
        if self._section == "images":
            self.images.choose_files()
            return
        self.show_section("speech")
        self.speech.choose_files()

    @Slot()
    def record(self) -> None:
        """Begin or end a recording."""
        self.show_section("speech")
        self.speech.toggle_recording()

    @Slot()
    def find_text(self) -> None:
        """Find in the transcript."""
        if self._section == "speech":
            self.speech.open_find()

    @Slot()
    def regenerate(self) -> None:
        """Answer again."""
        if self._section == "chat":
            self.chat.regenerate_last()

    @Slot()
    def edit_last(self) -> None:
        """Edit the last question."""
        if self._section == "chat":
            self.chat.edit_last()

    @Slot()
    def copy_last(self) -> None:
        """Copy the last answer."""
        if self._section == "chat":
            self.chat.copy_last()
            self.say(self.tr("Copied the answer"))

    @Slot()
    def show_shortcuts(self) -> None:
        """Show the list of keys."""
        dialog = ShortcutsDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # Messages

    @Slot(object)
    def show_error(self, error: EngineError) -> None:
        """An error, in the pane that is on the screen."""
        if self._section == "chat":
            self.chat.show_error(error)
        elif self._section == "models":
            self.models.show_error(error)
        elif self._section == "speech":
            self.speech.show_error(error)
        elif self._section == "images":
            self.images.show_error(error)
        else:
            self.banners.show_error(error)

    @Slot(object)
    def _notice(self, notice: Notice) -> None:
        self.chat.show_notice(notice)

    @Slot(str)
    def say(self, text: str) -> None:
        """A short line that goes away by itself."""
        banner = self.banners.show_banner("said", Banner("info", text))
        QTimer.singleShot(4000, banner, banner.close_banner)

    # Dropped files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome everywhere, and pictures that are no files: those that a browser drags."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Give what was dropped to the pane that can take it."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if not paths and event.mimeData().hasImage():
            self.show_section("images")
            self.images.take_image(event.mimeData().imageData())
            return
        self.take_files(paths)

    def take_files(self, paths: list[Path]) -> None:
        """Pictures, folders of them and, where they are looked at, videos go to the image pane; sound and other videos
        to the speech pane, text to the chat; a model is offered for import, the rest gets a line."""
        files = [path for path in paths if path.is_file()]
        seen = [path for path in files if is_picture(path) or (is_video(path) and self._section == "images")]
        seen += [path for path in paths if path.is_dir() and holds_pictures(path)]
        sounds = [path for path in files if path.suffix.lower() in MEDIA_SUFFIXES and path not in seen]
        if sounds:
            self.show_section("speech")
            self._speech.add_files(sounds)
        if seen:
            self.show_section("images")
            self.images.take_files(seen)
        for path in [path for path in paths if path not in (*seen, *sounds)][:10]:
            try:
                drop = read_drop(path)
            except EngineError as error:
                self.show_error(error)
                continue
            if drop.kind == "text":
                self.show_section("chat")
                self.chat.quote_file(path.name, drop.text)
            else:
                self._offer_import(path)

    # From pane to pane

    @Slot(object)
    def describe_video(self, item: SpeechItem) -> None:
        """Describe the key frames of a video that was dropped for its sound."""
        self.show_section("images")
        self.images.take_files([item.path])

    @Slot(object)
    def transcribe_video(self, item: ImageItem) -> None:
        """Transcribe the sound of a video whose key frames are described."""
        if item.path is not None:
            self.show_section("speech")
            self._speech.add_files([item.path])

    @Slot(object, object)
    def send_picture_to_chat(self, item: ImageItem, described: Described) -> None:
        """Begin a chat whose draft quotes what is known of a picture."""
        self.new_chat()
        self.chat.quote_file(
            item.title, frames_for_chat(item) if item.is_video else for_chat(item, described)
        )

    @Slot(object)
    def send_to_chat(self, item: SpeechItem) -> None:
        """Quote a transcript in the draft of the chat."""
        quote = quotation(item, self._host.best_pack())
        self.show_section("chat")
        self.chat.quote_file(item.title, quote.text)
        if quote.notice is not None:
            self.chat.show_notice(quote.notice)

    @Slot(object)
    def summarise(self, item: SpeechItem) -> None:
        """Begin a chat that summarises a transcript; where it cannot be sent yet, it is the draft."""
        quote = quotation(item, self._host.best_pack())
        self.new_chat()
        request = summary_request(item.title, quote.text)
        if not self._session.send(request):
            self.chat.composer.set_text(request)
        if quote.notice is not None:
            self.chat.show_notice(quote.notice)

    def _offer_import(self, path: Path) -> None:
        box = QMessageBox(self)
        box.setObjectName("importQuestion")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(self.tr("Import the model {name}?").format(name=path.name))
        box.setInformativeText(self.tr("It is checked and copied to the models folder."))
        yes = box.addButton(self.tr("Import"), QMessageBox.ButtonRole.AcceptRole)
        yes.setProperty("path", str(path))
        yes.clicked.connect(self._import)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    @Slot()
    def _import(self) -> None:
        path = Path(str(self.sender().property("path")))
        self.show_section("models")
        self._host.import_path(path)

    # The end

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, cancel, wait, free."""
        if self._closed:
            event.accept()
            return
        self._closed = True
        self._list_soon.stop()
        self.chat.save_draft()
        geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        self._settings.change(window=geometry, sidebar_width=max(self._splitter.sizes()[0], 0))
        self._session.close()
        self._recorder.close()
        self._speech.close()
        self._images.close()
        self._batch.close()
        self.sidebar.stop()
        self.hide()
        QCoreApplication.processEvents()
        self._host.close()
        self._speech.keep_edits()
        self._history.close()
        event.accept()
