"""Colours, text size and icons of the interface, light and dark.

In: the theme and text size of the settings, and the system's colour scheme. Out: a palette and a style
sheet for the application, colours for what is painted or rendered, and tinted icons.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cache
from string import Template

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app.paths import icon_file
from engine.folders import cache_folder


@dataclass(frozen=True)
class Colours:
    """One theme. Text on its ground has a contrast of at least 4.5."""

    dark: bool
    window: str
    sidebar: str
    card: str
    border: str
    strong_border: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    soft: str  # hovered and selected rows
    bubble: str  # what the user wrote
    code: str
    warn: str
    on_warn: str
    error: str
    on_error: str
    good: str
    keyword: str
    string: str
    comment: str
    number: str
    name: str


LIGHT = Colours(
    dark=False,
    window="#FBFBFA",
    sidebar="#F2F2EF",
    card="#FFFFFF",
    border="#E4E3DF",
    strong_border="#8A8B90",
    text="#1E2024",
    muted="#62656C",
    accent="#3B5BDB",
    accent_hover="#3350C4",
    on_accent="#FFFFFF",
    soft="#E6E7EA",
    bubble="#E8EDFC",
    code="#F4F4F1",
    warn="#FFF3D6",
    on_warn="#634700",
    error="#FCE6E4",
    on_error="#86201A",
    good="#1F7A4D",
    keyword="#8B2FB8",
    string="#1E7240",
    comment="#6B6E75",
    number="#A3470B",
    name="#2450C8",
)
DARK = Colours(
    dark=True,
    window="#1B1C1F",
    sidebar="#141517",
    card="#232529",
    border="#35373D",
    strong_border="#7F838B",
    text="#ECECEA",
    muted="#A3A7AE",
    accent="#93A8FF",
    accent_hover="#A9BAFF",
    on_accent="#10131F",
    soft="#2C2E34",
    bubble="#2B3350",
    code="#15161A",
    warn="#3B3218",
    on_warn="#F3DA9A",
    error="#43221F",
    on_error="#F7BCB6",
    good="#6FCB9A",
    keyword="#D2A0F0",
    string="#93CF9E",
    comment="#8D9199",
    number="#F0B07A",
    name="#9DB4FF",
)

# Asked for by name: left to itself, Qt took the bold face of a collection for Chinese text.
_CJK = ("Microsoft YaHei UI", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei")
MONO_FAMILIES = (
    "Cascadia Mono",
    "SF Mono",
    "Menlo",
    "Consolas",
    "DejaVu Sans Mono",
    "Liberation Mono",
    "Noto Sans Mono CJK SC",
    "Microsoft YaHei UI",
    "PingFang SC",
    "Noto Sans CJK SC",
    "monospace",
)
_current = LIGHT
_base_points = 0.0
_scale = 1.0


def colours() -> Colours:
    """The theme in use."""
    return _current


def scaled(px: int) -> int:
    """A length that grows with the text."""
    return round(px * _scale)


def is_dark(setting: str) -> bool:
    """Whether a theme setting means dark now."""
    if setting == "system":
        return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return setting == "dark"


def apply_theme(app: QApplication, setting: str, text_size: int) -> None:
    """Give the application the palette, the font size and the style sheet."""
    global _current, _base_points, _scale  # noqa: PLW0603
    _scale = text_size / 100
    _current = DARK if is_dark(setting) else LIGHT
    icon.cache_clear()
    if app.style() is None or app.style().objectName() != "fusion":
        app.setStyle("fusion")
    if not _base_points:
        _base_points = max(app.font().pointSizeF(), 10.0)
    font = app.font()
    font.setPointSizeF(_base_points * text_size / 100)
    font.setFamilies(list(dict.fromkeys([font.family(), *_CJK])))
    app.setFont(font)
    app.setPalette(_palette(_current))
    values = {key: str(value) for key, value in vars(_current).items()}
    sizes = {
        "small": f"{_base_points * text_size / 100 * 0.88:.1f}pt",
        "large": f"{_base_points * text_size / 100 * 1.15:.1f}pt",
        "title": f"{_base_points * text_size / 100 * 1.75:.1f}pt",
    }
    app.setStyleSheet(
        Template(_SHEET).substitute(
            values, **sizes, down=_arrow("down"), up=_arrow("up"), tick=_arrow("check")
        )
    )


def _arrow(name: str) -> str:
    """A tinted drawing as a file, since a style sheet takes no data; made once for each theme."""
    tint = _current.on_accent if name == "check" else _current.muted
    path = cache_folder() / "theme" / f"{name}-{tint[1:]}.png"
    if not path.is_file():
        with contextlib.suppress(OSError):  # without it the arrow is missing, nothing more
            path.parent.mkdir(parents=True, exist_ok=True)
            _drawing(_renderer(name, tint), 32).save(str(path))
    return path.as_posix()


def _palette(c: Colours) -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, c.window),
        (role.WindowText, c.text),
        (role.Base, c.card),
        (role.AlternateBase, c.window),
        (role.Text, c.text),
        (role.Button, c.card),
        (role.ButtonText, c.text),
        (role.BrightText, c.on_error),
        (role.Highlight, c.accent),
        (role.HighlightedText, c.on_accent),
        (role.Link, c.accent),
        (role.LinkVisited, c.accent),
        (role.PlaceholderText, c.muted),
        (role.ToolTipBase, c.card),
        (role.ToolTipText, c.text),
        (role.Light, c.card),
        (role.Midlight, c.border),
        (role.Mid, c.border),
        (role.Dark, c.strong_border),
        (role.Shadow, c.border),
    ):
        palette.setColor(which, QColor(value))
    for which in (role.Text, role.WindowText, role.ButtonText):
        faded = QColor(c.muted)
        faded.setAlpha(150)
        palette.setColor(QPalette.ColorGroup.Disabled, which, faded)
    return palette


@cache
def icon(name: str, tint: str = "") -> QIcon:
    """One of our drawings in the colour of the text, or in another; sharp up to three times the size."""
    made = QIcon()
    for colour, mode in ((tint or _current.text, QIcon.Mode.Normal), (_current.muted, QIcon.Mode.Disabled)):
        renderer = _renderer(name, colour)
        for size in (16, 20, 24, 32, 48, 72):
            made.addPixmap(_drawing(renderer, size), mode)
    return made


def pixmap(name: str, tint: str, size: int) -> QPixmap:
    """A drawing for a label; it grows with the text."""
    ratio = QGuiApplication.primaryScreen().devicePixelRatio() if QGuiApplication.primaryScreen() else 1.0
    made = _drawing(_renderer(name, tint), round(scaled(size) * ratio))
    made.setDevicePixelRatio(ratio)
    return made


@cache
def _source(name: str) -> str:
    return icon_file(f"{name}.svg").read_text(encoding="utf-8")


def _renderer(name: str, tint: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_source(name).replace("currentColor", tint).encode()))


def _drawing(renderer: QSvgRenderer, size: int) -> QPixmap:
    drawn = QPixmap(QSize(size, size))
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return drawn


def app_icon() -> QIcon:
    """The icon of the app."""
    return QIcon(str(icon_file("pollux.svg")))


def rich_text_sheet() -> str:
    """The style of rendered Markdown."""
    c = _current
    return (
        f"body {{ color: {c.text}; }} p {{ margin-top: 0; margin-bottom: 9px; line-height: 140%; }}"
        f"li {{ margin-bottom: 4px; line-height: 135%; }} h1, h2, h3, h4 {{ margin-top: 10px; margin-bottom: 6px; }}"
        f"h1 {{ font-size: x-large; }} h2 {{ font-size: large; }} h3, h4 {{ font-size: medium; }}"
        f"a {{ color: {c.accent}; }} code {{ background-color: {c.code}; font-family: {MONO}; }}"
        f"pre {{ background-color: {c.code}; font-family: {MONO}; margin: 6px 0; }}"
        f"blockquote {{ color: {c.muted}; margin-left: 14px; }}"
        f"table {{ border-color: {c.border}; border-style: solid; border-collapse: collapse; margin-top: 4px; margin-bottom: 12px; }} th {{ background-color: {c.code}; }}"
    )


MONO = ", ".join(f"'{family}'" for family in MONO_FAMILIES)

_SHEET = """
QWidget#sidebar { background: $sidebar; border: none; }
QWidget#topbar { background: $window; }
QFrame#divider { background: $border; border: none; }
QToolTip { background: $card; color: $text; border: 1px solid $border; padding: 5px 8px; }
QLabel[role="title"] { font-size: $title; font-weight: 600; }
QLabel[role="heading"] { font-size: $large; font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="muted"], QLabel[role="small"] { color: $muted; }
QLabel[role="small"] { font-size: $small; }
QLabel[role="good"] { color: $good; font-size: $small; }
QLabel[role="warn"] { color: $on_warn; font-size: $small; }
QLabel[role="bad"] { color: $on_error; font-size: $small; }
QLabel[role="section"] { color: $muted; font-size: $small; font-weight: 600; padding: 2px 0; }

QFrame[role="card"] { background: $card; border: 1px solid $border; border-radius: 12px; }
QFrame[role="banner"] { border-radius: 10px; border: none; }
QFrame[role="banner"][tone="warn"] { background: $warn; }
QFrame[role="banner"][tone="warn"] QLabel { color: $on_warn; }
QFrame[role="banner"][tone="error"] { background: $error; }
QFrame[role="banner"][tone="error"] QLabel { color: $on_error; }
QFrame[role="banner"][tone="info"] { background: $bubble; }
QFrame[role="bubble"] { background: $bubble; border: 1px solid transparent; border-radius: 14px; }
QFrame[role="answer"] { background: transparent; border: 1px solid transparent; border-radius: 10px; }
QFrame[role="answer"]:focus, QFrame[role="bubble"]:focus { border: 1px solid $accent; }
QFrame[role="code"] { background: $code; border: 1px solid $border; border-radius: 10px; }
QFrame[role="code"] QPlainTextEdit { background: transparent; border: none; }
QFrame[role="composer"] { background: $card; border: 1px solid $border; border-radius: 16px; }
QFrame[role="composer"][active="true"] { border: 1px solid $accent; }
QFrame[role="composer"] QPlainTextEdit { background: transparent; border: none; padding: 0; }
QTextEdit#caption, QTextEdit#ownCaption { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 0; }
QTextEdit#caption { font-size: $large; }
QTextEdit#caption:focus, QTextEdit#ownCaption:focus { border: 1px solid $accent; }
QTextBrowser[role="rich"] { background: transparent; border: none; padding: 0; }

QPushButton { background: $card; border: 1px solid $border; border-radius: 8px; padding: 7px 14px; min-height: 1.2em; }
QPushButton:hover { background: $soft; }
QPushButton:focus { border: 1px solid $accent; }
QPushButton:disabled { color: $muted; background: $window; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; }
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: 6px 13px; }
QPushButton[role="primary"]:disabled { background: $soft; color: $muted; border: 1px solid $border; }
QPushButton[role="flat"] { background: transparent; border: 1px solid transparent; }
QPushButton[role="flat"]:hover { background: $soft; }
QPushButton[role="flat"]:focus { border: 1px solid $accent; }
QPushButton[role="nav"] { background: transparent; border: 1px solid transparent; text-align: left; padding: 8px 10px; }
QPushButton[role="nav"]:hover { background: $soft; }
QPushButton[role="nav"]:focus { border: 1px solid $accent; }
QPushButton[role="nav"]:checked { background: $soft; font-weight: 600; }
QPushButton[role="card"] { background: $card; border: 1px solid $border; border-radius: 12px; padding: 0; text-align: left; }
QPushButton[role="card"]:hover { border: 1px solid $accent; background: $card; }
QPushButton[role="card"]:focus { border: 2px solid $accent; }
QPushButton[role="model"] { border-radius: 16px; padding: 6px 14px; }
QPushButton[role="model"]::menu-indicator { width: 0; }
QPushButton::menu-indicator { width: 0; }
QToolButton { background: transparent; border: 1px solid transparent; border-radius: 7px; padding: 4px; }
QToolButton:hover { background: $soft; }
QToolButton:focus { border: 1px solid $accent; }
QToolButton::menu-indicator { width: 0; image: none; }
QToolButton[role="send"] { background: $accent; border-radius: 10px; padding: 6px; }
QToolButton[role="send"]:hover { background: $accent_hover; }
QToolButton[role="send"]:focus { border: 2px solid $text; }
QToolButton[role="send"]:disabled { background: $soft; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox { background: $card; border: 1px solid $border; border-radius: 8px;
  padding: 6px 10px; min-height: 1.3em; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus { border: 1px solid $accent; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled { color: $muted; background: $window; }
QSpinBox, QDoubleSpinBox { padding: 6px 22px 6px 2px; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0 0 0 8px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$down"); width: 14px; height: 14px; }
QSpinBox::up-button, QDoubleSpinBox::up-button { border: none; width: 20px; subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { border: none; width: 20px; subcontrol-position: bottom right; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: url("$up"); width: 11px; height: 11px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: url("$down"); width: 11px; height: 11px; }
QComboBox QAbstractItemView { background: $card; border: 1px solid $border; padding: 4px; outline: none;
  selection-background-color: $soft; selection-color: $text; }
QCheckBox { spacing: 8px; }
QCheckBox::indicator { width: 18px; height: 18px; border: 1px solid $strong_border; border-radius: 5px; background: $card; }
QCheckBox::indicator:checked { background: $accent; border: 1px solid $accent; image: url("$tick"); }
QCheckBox:focus { color: $accent; }
QPlainTextEdit, QTextEdit { background: $card; border: 1px solid $border; border-radius: 8px; padding: 4px;
  selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit:focus, QTextEdit:focus { border: 1px solid $accent; }

QListView { background: transparent; border: none; outline: none; }
QListView::item { padding: 7px 10px; border-radius: 8px; color: $text; }
QListView::item:hover { background: $soft; }
QListView::item:selected { background: $soft; color: $text; }
QListView:focus { border: 1px solid $accent; border-radius: 8px; }
QTableView { background: transparent; border: 1px solid transparent; outline: none; }
QTableView:focus { border: 1px solid $accent; border-radius: 8px; }
QSlider::groove:horizontal { height: 4px; background: $border; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $accent; width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; }
QSlider::handle:horizontal:focus { background: $text; }
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: $border; }
QSplitter#paneSplitter::handle { background: transparent; }
QScrollArea { background: transparent; border: none; }
QScrollArea > QWidget > QWidget#page { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 2px; }
QScrollBar::handle:vertical { background: $border; border-radius: 3px; min-height: 36px; }
QScrollBar::handle:vertical:hover { background: $strong_border; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 2px; }
QScrollBar::handle:horizontal { background: $border; border-radius: 3px; min-width: 36px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $soft; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QMenu { background: $card; border: 1px solid $border; padding: 6px; }
QMenu::item { padding: 7px 26px 7px 26px; border-radius: 6px; }
QMenu::item:selected { background: $soft; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }
QSplitter::handle { background: $border; }
QDialog { background: $window; }
"""
