"""Keeps Python 3.11 alive under PySide6 6.12, which gives Python's constants back once too often.

In: nothing. Out: reference counts of ``True``, ``False``, ``None`` and ``NotImplemented`` that no run of the app can
bring to zero. Measured: each ``Signal.emit`` takes one reference from ``True``, each ``processEvents`` one from
``None``; at zero the interpreter aborts ("bool_dealloc", "none_dealloc"), after a few thousand chunks of answers.
From Python 3.12 on these objects are immortal by themselves.
"""

from __future__ import annotations

import sys

_MANY = 1 << 40


def make_constants_immortal() -> None:
    """Add references that are never taken back; safe to call again."""
    if sys.implementation.name != "cpython" or sys.version_info >= (3, 12):
        return
    import ctypes

    for value in (True, False, None, NotImplemented):
        count = ctypes.c_ssize_t.from_address(id(value))  # ob_refcnt is the first field of an object
        if count.value < _MANY // 2:
            count.value += _MANY
