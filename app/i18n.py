"""Translations: Qt's translators for the chosen language, and the engine's messages in that language.

In: a language setting; templates that the engine wrote as literals. Out: installed translators and texts
ready to show. ``python -m app.i18n`` collects the engine's literals into ``app/engine_messages.py``, where
``pyside6-lupdate`` finds them.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.paths import translations_folder
from engine.errors import EngineError
from engine.results import Notice

_CONTEXT = "engine"
_ROOT = Path(__file__).resolve().parent.parent
_TARGET = Path(__file__).with_name("engine_messages.py")


def language_code(setting: str) -> str:
    """The language to use for a setting: "en" or "zh_CN"; the system's where the setting is "system"."""
    if setting != "system":
        return setting
    return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"


class Translations:
    """Installs and removes the translators of one application."""

    def __init__(self) -> None:
        self._installed: list[QTranslator] = []
        self.language = "en"

    def use(self, setting: str) -> None:
        """Translate from now on; widgets made earlier keep their language until they are made again."""
        for translator in self._installed:
            QCoreApplication.removeTranslator(translator)
        self._installed.clear()
        self.language = language_code(setting)
        if self.language == "en":
            return
        qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        for name, folder in (
            (f"qtbase_{self.language}", qt),
            (f"pollux_{self.language}", str(translations_folder())),
        ):
            translator = QTranslator()
            if translator.load(name, folder):
                QCoreApplication.installTranslator(translator)
                self._installed.append(translator)


def _filled(template: str, values: dict[str, object]) -> str:
    if not template:
        return ""
    translated = QCoreApplication.translate(_CONTEXT, template)
    try:
        return translated.format(**values)
    except (LookupError, ValueError, AttributeError):
        return template.format(**values)


def error_message(error: EngineError) -> str:
    """What is wrong, in the user's language."""
    return _filled(error.message_template, error.values)


def error_hint(error: EngineError) -> str:
    """How to mend it, in the user's language; may be empty."""
    return _filled(error.hint_template, error.values)


def notice_text(notice: Notice) -> str:
    """A notice in the user's language."""
    return _filled(notice.template, notice.values)


def catalogue_text(text: str) -> str:
    """A summary from the catalogue in the user's language."""
    return QCoreApplication.translate("catalogue", text)


# Collecting the literals


def collect_templates(root: Path = _ROOT) -> tuple[str, ...]:
    """Every literal template of an EngineError or Notice under ``engine`` and ``app``, sorted."""
    found: set[str] = set()
    for folder in ("engine", "app"):
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            named = _named_literals(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    found.update(_templates_of(node, named))
    return tuple(sorted(found))


def _named_literals(tree: ast.Module) -> dict[str, list[str]]:
    """What is assigned to each name as a literal: a template may be chosen before it is raised."""
    named: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            named.setdefault(node.targets[0].id, []).extend(_literals(node.value, {}))
    return named


def _templates_of(call: ast.Call, named: dict[str, list[str]]) -> list[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "EngineError":
        arguments = call.args[:2] + [word.value for word in call.keywords if word.arg in ("message", "hint")]
    elif name == "Notice":
        arguments = call.args[1:2] + [word.value for word in call.keywords if word.arg == "template"]
    else:
        return []
    return [text for argument in arguments for text in _literals(argument, named)]


def _literals(node: ast.expr, named: dict[str, list[str]]) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value] if node.value else []
    if isinstance(node, ast.IfExp):
        return _literals(node.body, named) + _literals(node.orelse, named)
    if isinstance(node, ast.Name):
        return named.get(node.id, [])
    return []


def collect_summaries(root: Path = _ROOT) -> tuple[str, ...]:
    """The summaries of the catalogue."""
    path = root / "resources" / "catalogue.toml"
    if not path.is_file():
        return ()
    models = tomllib.loads(path.read_text(encoding="utf-8")).get("model", [])
    return tuple(sorted({model["summary"] for model in models if model.get("summary")}))


def messages_module() -> str:
    """The text of ``app/engine_messages.py`` as it must be now."""
    lines = [
        '"""Texts of the engine and of the catalogue, for pyside6-lupdate. Made by ``python -m app.i18n``; do not edit."""',
        "",
        "from PySide6.QtCore import QT_TRANSLATE_NOOP",
        "",
        "# fmt: off",
        "MESSAGES = (",
        *(f'    QT_TRANSLATE_NOOP("{_CONTEXT}", {_quoted(text)}),' for text in collect_templates()),
        ")",
        "SUMMARIES = (",
        *(f'    QT_TRANSLATE_NOOP("catalogue", {_quoted(text)}),' for text in collect_summaries()),
        ")",
        "",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    _TARGET.write_text(messages_module(), encoding="utf-8")
    print(f"{_TARGET.name}: {len(collect_templates())} messages", file=sys.stderr)
