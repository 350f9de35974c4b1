"""Gathers the licence texts of everything that the frozen app contains, as the versions built in carry them.

In: the environment that is frozen, and the finished folder. Out: `THIRD_PARTY.txt` (Python, its packages) and, on Linux,
`SYSTEM_LIBRARIES.txt` (the libraries taken from the build machine, by Debian's copyright files).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

# Dependencies of dependencies that build.spec leaves out.
NOT_SHIPPED = frozenset({"huggingface-hub", "pollux"})
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|thirdpartynotices)", re.IGNORECASE)
RULE = "=" * 100


def shipped(requirements: Sequence[str]) -> list[metadata.Distribution]:
    """The installed packages that ``requirements`` lead to, without those that are not shipped; by name."""
    found: dict[str, metadata.Distribution] = {}
    waiting = list(requirements)
    while waiting:
        name = _name(waiting.pop())
        if name in found or name in NOT_SHIPPED:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        waiting += [line for line in found[name].requires or () if "extra ==" not in line]
    return [found[name] for name in sorted(found)]


def _name(requirement: str) -> str:
    head = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", head.group() if head else requirement).lower()


def licence_of(package: metadata.Distribution) -> str:
    """The package's licence in a word or two."""
    fields = package.metadata
    named = next((fields[key] for key in ("License-Expression", "License") if key in fields), "")
    if named and "\n" not in named:
        return named
    kinds = [
        line.split("::")[-1].strip()
        for line in fields.get_all("Classifier") or ()
        if line.startswith("License")
    ]
    return ", ".join(kinds) or "see its text"


def texts_of(package: metadata.Distribution) -> Iterator[tuple[str, str]]:
    """Name and text of every licence file in the package."""
    for file in package.files or ():
        path = Path(str(package.locate_file(file)))
        inside = ".dist-info/" in file.as_posix() or len(file.parts) == 2
        if (
            inside
            and LICENCE_FILE.search(file.name)
            and path.suffix not in (".py", ".pyc")
            and path.is_file()
        ):
            yield file.as_posix(), path.read_text(encoding="utf-8", errors="replace")


def third_party_text(requirements: Sequence[str]) -> str:
    """All of it as one text."""
    parts = [
        "What the packaged Pollux contains of others, with their licences. The full LGPL, GPL and Apache",
        "",
    ]
    parts[0] += " texts lie beside this file."
    packages = shipped(requirements)
    parts += [f"{item.metadata['Name']} {item.version}: {licence_of(item)}" for item in packages]
    parts += [f"Python {sys.version.split()[0]}: PSF-2.0", ""]
    python = Path(sysconfig.get_paths()["stdlib"]) / "LICENSE.txt"
    if python.is_file():
        parts += [RULE, "Python", RULE, python.read_text(encoding="utf-8", errors="replace")]
    for item in packages:
        for name, text in texts_of(item):
            parts += [RULE, f"{item.metadata['Name']} {item.version}: {name}", RULE, text]
    return "\n".join(parts)


def system_libraries_text(folder: Path) -> str:
    """Debian's copyright file of every system library in the built folder; empty where dpkg is not there."""
    dpkg = shutil.which("dpkg")
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/usr/bin:/bin")
    if not dpkg or not ldconfig:
        return ""
    cache = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    paths = {line.split()[0]: line.split("=> ")[1] for line in cache.splitlines() if "=> " in line}
    packages: dict[str, list[str]] = {}
    for file in sorted(folder.rglob("lib*.so*")):
        source = paths.get(file.name)
        if source is None or "PySide6" in file.parts or file.is_symlink():
            continue
        for candidate in (
            source,
            str(Path(source).resolve()),
            str(Path(source).resolve()).removeprefix("/usr"),
        ):
            answer = subprocess.run(
                [dpkg, "-S", candidate], capture_output=True, text=True, check=False
            ).stdout
            if answer:
                packages.setdefault(answer.split(":")[0], []).append(file.name)
                break
    parts = ["Libraries of the system that this was built on, and Debian's copyright file of each.", ""]
    for name, files in sorted(packages.items()):
        text = Path("/usr/share/doc") / name / "copyright"
        parts += [RULE, f"{name}: {', '.join(files)}", RULE]
        parts.append(text.read_text(encoding="utf-8", errors="replace") if text.is_file() else "(no text)")
    return "\n".join(parts) if packages else ""


if __name__ == "__main__":
    # The packages are read where they are installed: run in the environment that is frozen.
    import tomllib

    project = tomllib.loads(Path(sys.argv[1], "pyproject.toml").read_text(encoding="utf-8"))["project"]
    Path(sys.argv[2]).write_text(third_party_text(project["dependencies"]), encoding="utf-8")
