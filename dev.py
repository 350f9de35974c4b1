#!/usr/bin/env python3
"""The way in from a checkout: sets up what is needed, then runs the app, the tests or the exporter.

In: a subcommand (``app``, ``test``, ``lint``, ``package``, ``export``). Out: its exit code. Needs nothing but
Python's own library; the work is in ``devtools/``. This file is kept readable to old Pythons so that they can
be told what is missing.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Refuse a Python that cannot run Pollux, else hand over."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is the check that says so
        found = ".".join(str(part) for part in sys.version_info[:3])
        sys.stderr.write(
            "Pollux needs Python 3.11 or newer; this is Python %s. "  # noqa: UP031
            "Install a newer one and run it as: python3.11 dev.py ...\n" % found
        )
        return 1
    from devtools.commands import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
