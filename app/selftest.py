"""Opens the window without a screen and closes it again: what a packaged app must at least be able to do.

In: nothing; a data folder of its own, thrown away afterwards. Out: one line and an exit code.
Run: ``pollux selftest --gui``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from time import perf_counter


def main() -> int:
    """0 if every pane could be shown in both languages and themes."""
    start_s = perf_counter()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        os.environ["POLLUX_HOME"] = home
        from PySide6.QtCore import QCoreApplication

        from app.gui import Desktop, make_application

        app = make_application(sys.argv[:1])
        desktop = Desktop(app)
        desktop.window.show()
        QCoreApplication.processEvents()
        window_s = perf_counter() - start_s
        desktop.host.refresh()
        for language, theme in (("zh_CN", "dark"), ("en", "light")):
            desktop.settings.change(language=language, theme=theme)
            QCoreApplication.processEvents()
            for section in ("home", "chat", "speech", "models", "preferences"):
                desktop.window.show_section(section)
                QCoreApplication.processEvents()
                if desktop.window.grab().isNull():
                    print(f"the {section} pane could not be drawn", file=sys.stderr)
                    return 1
            title = desktop.window.preferences.theme.accessibleName()
            if title != {"zh_CN": "主题", "en": "Theme"}[language]:
                print(f"the translation {language} is missing", file=sys.stderr)
                return 1
        desktop.window.close()
    print(f"window: ok ({window_s:.2f} s)")
    return 0
