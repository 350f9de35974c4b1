"""Which microphones there are: PortAudio's list without doubles, aliases and what plays.

In: PortAudio's devices. Out: :class:`InputDevice` values with keys that stay the same from start to start, and the device
behind a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from PySide6.QtCore import QCoreApplication

from app import microphone_problems as problems
from app import portaudio

# Windows lists a device once for each of its sound systems; the first of these knows it best
HOST_APIS = ("Windows WASAPI", "Windows DirectSound", "MME", "Windows WDM-KS", "Core Audio", "ALSA")
LAST_HOST_APIS = ("OSS", "JACK Audio Connection Kit", "ASIO")
MME_NAME_CHARS = 31  # MME cuts names here
WINDOWS_ALIASES = (
    "Microsoft Sound Mapper",
    "Microsoft 声音映射器",
    "Primary Sound Capture Driver",
    "主声音捕获驱动程序",
)
# Names that ALSA's configuration gives to devices which are listed anyway, or to what converts and plays
ALSA_ALIASES = frozenset(
    "sysdefault front rear center_lfe side surround21 surround40 surround41 surround50 surround51 surround71 iec958 spdif "
    "hdmi modem phoneline dmix dsnoop null samplerate speexrate speex lavrate upmix vdownmix a52 jack oss usbstream".split()
)
ALSA_SERVERS = frozenset({"pulse", "pipewire"})  # what "default" leads to where they run


@dataclass(frozen=True)
class InputDevice:
    """A microphone. ``key`` (sound system and name) finds it again; ``name`` is to be shown."""

    key: str
    name: str
    is_default: bool


@dataclass(frozen=True)
class FoundDevice:
    """A microphone in PortAudio's list of this moment."""

    index: int
    host_api: str
    raw_name: str
    channels: int
    sample_rate_hz: float
    is_default: bool

    @property
    def key(self) -> str:
        """Stable from start to start, unlike ``index``."""
        return f"{self.host_api}|{self.raw_name}"

    @property
    def name(self) -> str:
        """As it is shown."""
        if self.host_api == "ALSA" and self.raw_name == "default":
            return QCoreApplication.translate("Microphone", "System default")
        return self.raw_name


def input_devices() -> tuple[InputDevice, ...]:
    """The microphones, the default one first; read afresh unless something records or plays. Some 50 ms.

    Raises EngineError where PortAudio is missing; none at all is an empty tuple.
    """
    owner = object()
    try:
        found = _distinct(_listed(portaudio.hold(owner)))
    finally:
        portaudio.let_go(owner)
    found.sort(key=lambda device: not device.is_default)
    return tuple(InputDevice(device.key, device.name, device.is_default) for device in found)


def find(sd: ModuleType, key: str | None) -> FoundDevice:
    """The device behind a key; the system's default for None or "". Raises EngineError where it is not there."""
    listed = _listed(sd)
    if not listed:
        raise problems.no_microphone()
    if key:
        for device in listed:
            if device.key == key:
                return device
        raise problems.not_connected(key.partition("|")[2])
    return next((device for device in listed if device.is_default), listed[0])


def _listed(sd: ModuleType) -> list[FoundDevice]:
    """Everything that can record."""
    host_apis = sd.query_hostapis()
    default = _default_index(sd, host_apis)
    return [
        FoundDevice(
            index,
            host_apis[device["hostapi"]]["name"],
            device["name"],
            device["max_input_channels"],
            device["default_samplerate"],
            index == default,
        )
        for index, device in enumerate(sd.query_devices())
        if device["max_input_channels"] > 0
    ]


def _default_index(sd: ModuleType, host_apis: Sequence[dict]) -> int:
    """The default of the best sound system: on Windows PortAudio's own is an alias of MME's."""
    defaults = {api["name"]: api["default_input_device"] for api in host_apis}
    best = next((defaults[name] for name in HOST_APIS if defaults.get(name, -1) >= 0), None)
    return sd.default.device[0] if best is None else best


def _distinct(listed: list[FoundDevice]) -> list[FoundDevice]:
    """Each microphone once, under the sound system that knows it best."""
    names = {device.raw_name for device in listed}
    kept: list[FoundDevice] = []
    for device in sorted(listed, key=_rank):
        known = any(_same_device(other, device) for other in kept)
        if device.is_default or not (known or _is_alias(device, names)):
            kept.append(device)
    return kept


def _rank(device: FoundDevice) -> int:
    if device.host_api in HOST_APIS:
        return HOST_APIS.index(device.host_api)
    return len(HOST_APIS) + (device.host_api in LAST_HOST_APIS)


def _same_device(one: FoundDevice, other: FoundDevice) -> bool:
    if one.host_api == other.host_api:
        return one.raw_name == other.raw_name
    if other.host_api == "MME":
        return one.raw_name[:MME_NAME_CHARS] == other.raw_name[:MME_NAME_CHARS]
    return one.raw_name == other.raw_name


def _is_alias(device: FoundDevice, names: set[str]) -> bool:
    if device.raw_name.startswith("Monitor of "):  # what the loudspeaker plays
        return True
    if device.host_api == "ALSA":
        if device.raw_name in ALSA_SERVERS:
            return "default" in names
        return device.raw_name.partition(":")[0] in ALSA_ALIASES
    return device.raw_name.startswith(WINDOWS_ALIASES)
