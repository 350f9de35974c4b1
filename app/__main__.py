"""The way in: no arguments open the window, anything else is the command line.

In: arguments. Out: an exit code. Qt is imported only for the window, so that the command line starts
without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run Pollux; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["selftest", "--gui"]:
        from app.selftest import main as window_test

        return window_test()
    if arguments:
        from engine.__main__ import main as command_line

        return command_line(arguments)
    if not _has_display():
        print(
            'Pollux found no display for its window. In a terminal, use: pollux chat --prompt "Hello" '
            "(pollux --help lists all commands).",
            file=sys.stderr,
        )
        return 1
    from app.gui import run_window

    return run_window()


def _has_display() -> bool:
    """Whether a window can open; elsewhere than on Linux and its kin there always is a display."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


if __name__ == "__main__":
    sys.exit(main())
