"""A microphone without hardware: a private PulseAudio whose default source hears what is played into it.

In: nothing but the Debian packages ``pulseaudio``, ``pulseaudio-utils`` and ``libasound2-plugins``. Out: the environment in which
a program that records (PortAudio over ALSA) hears what :meth:`VirtualMicrophone.play` plays. The sound libraries read that
environment when they are first loaded, so what records is run as a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

SINK = "mic"
ALSA_CONFIG = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""
START_TIMEOUT_S = 15.0


def missing() -> str:
    """Why there can be no virtual microphone here; empty where there can."""
    if not sys.platform.startswith("linux"):
        return "the virtual microphone needs Linux"
    for program in ("pulseaudio", "pactl", "paplay"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not any(Path("/usr").glob("lib*/**/alsa-lib/libasound_module_pcm_pulse.so")):
        return "libasound2-plugins is not installed"
    return ""


class VirtualMicrophone:
    """A context manager. The daemon always ends with it, and so does its folder."""

    def __init__(self) -> None:
        self._folder = Path()
        self._daemon: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    def __enter__(self) -> VirtualMicrophone:
        self._folder = Path(tempfile.mkdtemp(prefix="pollux-mic-"))  # short: paths of sockets are limited
        self._folder.chmod(0o700)
        runtime = self._folder / "pulse"
        runtime.mkdir(mode=0o700)
        socket = runtime / "native"
        config = self._folder / "asound.conf"
        config.write_text(ALSA_CONFIG, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULSE_", "ALSA_"))},
            "HOME": str(self._folder),  # a configuration of the user's own must not be read
            "XDG_RUNTIME_DIR": str(self._folder),
            "PULSE_RUNTIME_PATH": str(runtime),
            "PULSE_STATE_PATH": str(runtime),
            "PULSE_COOKIE": str(runtime / "cookie"),
            "PULSE_SERVER": f"unix:{socket}",
            "ALSA_CONFIG_PATH": str(config),
        }
        try:
            self._start(socket)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._end()

    def _start(self, socket: Path) -> None:
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        command += ["--disable-shm=yes", "--log-level=error"]
        command += [f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1"]
        command += [f"--load=module-null-sink sink_name={SINK} rate=48000"]
        environment = {name: value for name, value in self.environment.items() if name != "PULSE_SERVER"}
        with (self._folder / "pulse.log").open("wb") as log:
            self._daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        until = time.monotonic() + START_TIMEOUT_S
        while self._control("set-default-source", f"{SINK}.monitor").returncode:
            if self._daemon.poll() is not None or time.monotonic() > until:
                log_text = (self._folder / "pulse.log").read_text(errors="replace")
                raise RuntimeError(f"PulseAudio did not start: {log_text}")
            time.sleep(0.05)

    def _control(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["pactl", *arguments], env=self.environment, capture_output=True, check=False, timeout=10
        )

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Say a recording (WAV, FLAC, Ogg) into the microphone; the process ends with the sound."""
        return subprocess.Popen(["paplay", f"--device={SINK}", str(path)], env=self.environment)

    def unplug(self) -> None:
        """The microphone goes away in mid-sentence; the sound system lives on."""
        self._control("unload-module", "module-null-sink")

    def kill(self) -> None:
        """The sound system itself goes away."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait(10)

    def _end(self) -> None:
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._daemon.wait(5)
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
