"""What `dev.py` says and how it fails.

In: short texts. Out: lines on stderr (stdout belongs to the program that `dev.py` starts), and `SetupError`,
the one exception that carries something the person at the keyboard can mend.
"""

from __future__ import annotations

import shutil
import sys


class SetupError(Exception):
    """What is wrong and how to mend it, ready to be shown."""


def say(text: str) -> None:
    """One line on stderr."""
    clear_status()
    print(text, file=sys.stderr, flush=True)


def status(text: str) -> None:
    """A line that the next one replaces; nothing where stderr is no terminal."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\x1b[K" + text[:width])
        sys.stderr.flush()


def clear_status() -> None:
    """Take the replaceable line away."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
