"""The system libraries that wheels do not carry: Qt's xcb set, PortAudio, a font with Chinese; for the tests a screen
and a microphone that are not there (Xvfb, PulseAudio).

In: this Linux machine. Out: what is missing is installed with apt-get when that is possible (root), else said in one line.
Other systems bring all of it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devtools.console import say


@dataclass(frozen=True)
class Library:
    """A shared library by its exact name, and the Debian package that holds it."""

    soname: str
    package: str
    for_window: bool = True


LIBRARIES = (
    Library("libxcb-cursor.so.0", "libxcb-cursor0"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    Library("libxkbcommon.so.0", "libxkbcommon0"),
    Library("libEGL.so.1", "libegl1"),
    Library("libGL.so.1", "libgl1"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4"),
    Library("libxcb-image.so.0", "libxcb-image0"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1"),
    Library("libxcb-randr.so.0", "libxcb-randr0"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0"),
    Library("libxcb-shape.so.0", "libxcb-shape0"),
    Library("libxcb-shm.so.0", "libxcb-shm0"),
    Library("libxcb-sync.so.1", "libxcb-sync1"),
    Library("libxcb-util.so.1", "libxcb-util1"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0"),
    Library("libxcb-xinerama.so.0", "libxcb-xinerama0"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1"),
    Library("libX11-xcb.so.1", "libx11-xcb1"),
    Library("libdbus-1.so.3", "libdbus-1-3"),
    Library("libfontconfig.so.1", "libfontconfig1"),
    Library("libfreetype.so.6", "libfreetype6"),
    Library("libglib-2.0.so.0", "libglib2.0-0"),
    Library("libportaudio.so.2", "libportaudio2", for_window=False),
)
CHINESE_FONT = "fonts-noto-cjk"


@dataclass(frozen=True)
class Tool:
    """What only the tests and the packaging need, and the packages of Debian and Fedora that hold it.

    ``name`` is a program's, or that of a plug-in of the sound system (no linker's list has those).
    """

    name: str
    package: str
    fedora: str

    @property
    def is_there(self) -> bool:
        """Whether this machine has it."""
        if not self.name.endswith(".so"):
            return shutil.which(self.name) is not None
        return any(
            next(Path(folder).glob(pattern + self.name), None)
            for folder in ("/usr/lib", "/usr/lib64")
            for pattern in ("alsa-lib/", "*/alsa-lib/")
        )


TOOLS = (
    Tool("Xvfb", "xvfb", "xorg-x11-server-Xvfb"),
    Tool("objdump", "binutils", "binutils"),  # PyInstaller reads libraries with it
    # The microphone of the tests: a sound server, what plays into it, and the bridge over which PortAudio hears it.
    Tool("pulseaudio", "pulseaudio", "pulseaudio"),
    Tool("pactl", "pulseaudio-utils", "pulseaudio-utils"),
    Tool("paplay", "pulseaudio-utils", "pulseaudio-utils"),
    Tool("libasound_module_pcm_pulse.so", "libasound2-plugins", "alsa-plugins-pulseaudio"),
)


@dataclass(frozen=True)
class Missing:
    """What this machine lacks."""

    libraries: tuple[Library, ...] = ()
    chinese_font: bool = False
    tools: tuple[str, ...] = ()  # their Debian packages

    @property
    def packages(self) -> tuple[str, ...]:
        """The Debian packages to install."""
        names = [library.package for library in self.libraries]
        if self.chinese_font:
            names.append(CHINESE_FONT)
        return tuple(dict.fromkeys((*names, *self.tools)))

    @property
    def stops_window(self) -> bool:
        """Whether a window cannot be opened without it."""
        return any(library.for_window for library in self.libraries)


def find_missing(for_tests: bool = False) -> Missing:
    """Look; install nothing."""
    if not sys.platform.startswith("linux"):
        return Missing()
    known = _linker_cache()
    libraries = tuple(lib for lib in LIBRARIES if lib.soname not in known and not _loads(lib.soname))
    tools = tuple(dict.fromkeys(tool.package for tool in TOOLS if for_tests and not tool.is_there))
    return Missing(libraries, not _has_chinese_font(), tools)


def ensure(for_tests: bool = False) -> Missing:
    """Install what is missing if that is possible, else print the line that does. Returns what is still missing."""
    missing = find_missing(for_tests)
    if not missing.packages:
        return missing
    names = " ".join(missing.packages)
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"Installing system packages: {names} ...")
        if _apt_install(missing.packages):
            return find_missing(for_tests)
        say("  apt-get could not install all of them.")
        missing = find_missing(for_tests)
    if missing.packages:
        say(f"Missing on this system; install it with: {command_line(missing)}")
    return missing


def command_line(missing: Missing) -> str:
    """The exact line for this distribution, as far as it is known."""
    if shutil.which("apt-get"):
        return "sudo apt-get install " + " ".join(missing.packages)
    sonames = [library.soname for library in missing.libraries]
    if shutil.which("dnf"):
        wanted = [f"'{soname}()(64bit)'" for soname in sonames]
        wanted += ["google-noto-sans-cjk-fonts"] if missing.chinese_font else []
        wanted += dict.fromkeys(tool.fedora for tool in TOOLS if tool.package in missing.tools)
        return "sudo dnf install " + " ".join(wanted)
    wanted = sonames + (["a font with Chinese (Noto Sans CJK)"] if missing.chinese_font else [])
    return "your package manager; wanted are " + ", ".join([*wanted, *missing.tools])


def _linker_cache() -> frozenset[str]:
    """The names that the dynamic linker knows."""
    program = shutil.which("ldconfig") or next(
        (p for p in ("/sbin/ldconfig", "/usr/sbin/ldconfig") if Path(p).exists()), None
    )
    if program is None:
        return frozenset()
    try:
        output = subprocess.run([program, "-p"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(line.split()[0] for line in output.splitlines() if "=>" in line)


def _loads(soname: str) -> bool:
    """The last word where the linker's cache is silent (it does not list LD_LIBRARY_PATH)."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _has_chinese_font() -> bool:
    program = shutil.which("fc-list")
    if program:
        answer = subprocess.run(
            [program, ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
        )
        if answer.returncode == 0:
            return bool(answer.stdout.strip())
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
    words = ("cjk", "wqy", "droidsansfallback", "sourcehan", "uming", "ukai")
    files = (
        file.name.lower() for folder in folders if folder.is_dir() for file in folder.rglob("*.[to]t[cf]")
    )
    return any(word in name for name in files for word in words)


def _apt_install(packages: Iterable[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-q"], env=environment, capture_output=True, check=False)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if result.returncode:
        for line in (result.stdout + result.stderr).strip().splitlines()[-4:]:
            say("  apt-get: " + line)
    return result.returncode == 0
