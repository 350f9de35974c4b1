"""Keeps Python 3.11 alive under PySide6 6.12, whose ``Signal.emit`` gives ``True`` back once too often.

In: nothing. Out: a reference count of ``True`` that no run of the app can bring to zero. Measured: each
``emit`` takes one reference from ``True`` (100 calls: -100); at zero the interpreter aborts with "bool_dealloc",
after a few thousand chunks of answers. From Python 3.12 on, ``True`` is immortal by itself.
"""

from __future__ import annotations

import sys

_MANY = 1 << 40


def make_bools_immortal() -> None:
    """Add references to ``True`` and ``False`` that are never taken back; safe to call again."""
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 12):
        return
    import ctypes

    for value in (True, False):
        count = ctypes.c_ssize_t.from_address(id(value))  # ob_refcnt is the first field of an object
        if count.value < _MANY // 2:
            count.value += _MANY
