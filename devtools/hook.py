"""Runs one checker for pre-commit in the checkout's `.venv`, whatever Python git happens to find.

In: the checker's name and its arguments. Out: its exit code.
"""

from __future__ import annotations

import subprocess
import sys

from devtools import checks
from devtools.environments import CHECKOUT, app_environment, export_environment


def main(arguments: list[str]) -> int:
    """Run the checker that is named first."""
    app, export = app_environment(), export_environment()
    if not app.python.exists():
        print("Run `python3 dev.py lint` once: it installs the checkers.", file=sys.stderr)
        return 1
    if arguments[0] == "ruff":
        return subprocess.run([app.python, "-m", *arguments], cwd=CHECKOUT, check=False).returncode
    wanted = {"import-linter": "import contracts", "pyright": "pyright"}[arguments[0]]
    chosen = [
        check
        for check in checks.lint_checks(app, export if export.stamp.exists() else None)
        if check.name.startswith(wanted)
    ]
    return checks.report(checks.run_checks(chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
