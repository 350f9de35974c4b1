"""The frozen app, run as on a machine that has neither Python nor a network, from a folder with a hard name.

In: the default packs (`dev.py test` builds them and names them in POLLUX_TEST_PACK and its like). The build
is kept in `dist/` and used again while nothing that goes into it changes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

av = pytest.importorskip("av")
pillow_heif = pytest.importorskip("pillow_heif")

from PIL import Image

from devtools import frozen
from devtools.commands import TEST_PACKS
from devtools.environments import CHECKOUT, Environment

pytestmark = pytest.mark.packaged

ANSWER_S = 120
APP_BYTES = 400_000_000  # without its packs
QUESTION = "What is the capital of France?"
PHOTO = CHECKOUT / "tests" / "data" / "photos" / "cat.jpg"
SAMPLE = CHECKOUT / "resources" / "samples" / "speech_en.flac"  # about the weather, 5.3 s


@pytest.fixture(scope="module")
def packs() -> tuple[Path, ...]:
    """One for each task."""
    folders = [os.environ.get(name) for name in TEST_PACKS.values()]
    if not all(folders):
        pytest.skip("the default packs are not built here: run this through dev.py test")
    return tuple(Path(folder or "") for folder in folders)


@pytest.fixture(scope="module")
def folder(packs: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app, moved away from where it was built."""
    pytest.importorskip("PyInstaller")
    built = frozen.build(Environment(Path(sys.prefix)), packs, CHECKOUT / "dist")
    target = tmp_path_factory.mktemp("apps") / "测试 ü" / built.name
    shutil.copytree(built, target, symlinks=True, copy_function=_link_or_copy)
    return target


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _without_network() -> list[str]:
    """A prefix that takes the network away, where the system lets us."""
    program = shutil.which("unshare")
    for options in (["--net"], ["--map-root-user", "--net"]):
        if (
            program
            and subprocess.run([program, *options, "true"], capture_output=True, check=False).returncode == 0
        ):
            return [program, *options]
    return []


def _run(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*_without_network(), str(frozen.command_line_program(folder)), *arguments]
    return subprocess.run(
        command,
        env=frozen.bare_environment(home),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=ANSWER_S,
        check=False,
    )


def test_selftest_passes_without_network_and_python(folder: Path, pollux_home: Path) -> None:
    result = _run(folder, pollux_home, "selftest")
    assert result.returncode == 0, result.stdout + result.stderr
    # where ONNX Runtime's telemetry keeps what it would send
    assert not list(pollux_home.rglob("onnxruntime.db"))


def test_chat_answers_from_the_pack_inside(folder: Path, pollux_home: Path) -> None:
    result = _run(folder, pollux_home, "chat", "--greedy", "--prompt", QUESTION, "--json")
    assert result.returncode == 0, result.stderr
    assert "Paris" in json.loads(result.stdout.splitlines()[-1])["text"]


@pytest.fixture
def recordings(pollux_home: Path) -> Path:
    """The sample as it is, and in an .mp4, under names that break careless path handling."""
    folder = pollux_home / "录音 ü"
    folder.mkdir()
    shutil.copyfile(SAMPLE, folder / "早上 é.flac")
    with av.open(str(SAMPLE)) as source, av.open(str(folder / "早上 é.mp4"), "w") as target:
        stream = target.add_stream("aac", rate=16_000)
        stream.layout = "mono"
        for frame in source.decode(audio=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return folder


def test_speech_becomes_subtitles_without_network_and_python(
    folder: Path, recordings: Path, pollux_home: Path
) -> None:
    result = _run(folder, pollux_home, "transcribe", str(recordings / "早上 é.flac"), "--format", "srt")
    assert result.returncode == 0, result.stderr
    number, times, *lines = result.stdout.split("\n")
    assert number.lstrip("\ufeff") == "1"
    assert re.fullmatch(r"00:00:0\d,\d{3} --> 00:00:0\d,\d{3}", times)
    assert "weather" in " ".join(lines)


def test_the_sound_of_other_containers_becomes_a_file(
    folder: Path, recordings: Path, pollux_home: Path
) -> None:
    target = recordings / "文字.txt"
    result = _run(folder, pollux_home, "transcribe", str(recordings / "早上 é.mp4"), "-o", str(target))
    assert result.returncode == 0, result.stderr
    assert "weather" in target.read_text(encoding="utf-8")


def test_what_is_no_recording_is_told_in_one_line(folder: Path, pollux_home: Path) -> None:
    broken = pollux_home / "坏 ü.mp3"
    broken.write_bytes(b"not a recording" * 100)
    result = _run(folder, pollux_home, "transcribe", str(broken))
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1 and "Traceback" not in result.stderr


@pytest.mark.parametrize("suffix", ["jpg", "heic", "avif"])
def test_photos_are_described_without_network_and_python(
    folder: Path, pollux_home: Path, suffix: str
) -> None:
    """HEIC and AVIF need libraries of their own inside."""
    pillow_heif.register_heif_opener()
    photo = pollux_home / f"照片 ü.{suffix}"
    with Image.open(PHOTO) as cat:
        cat.save(photo)
    result = _run(folder, pollux_home, "describe", str(photo), "--json")
    assert result.returncode == 0, result.stderr
    described = json.loads(result.stdout.splitlines()[-1])
    assert "cat" in described["caption"].lower()


def test_the_packs_inside_are_listed_and_whole(
    folder: Path, packs: tuple[Path, ...], pollux_home: Path
) -> None:
    listed = _run(folder, pollux_home, "models", "list").stdout
    assert all(pack.name in listed for pack in packs)
    result = _run(folder, pollux_home, "models", "verify")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == len(packs)


def test_a_model_cannot_be_built_and_the_reason_is_said(folder: Path, pollux_home: Path) -> None:
    result = _run(folder, pollux_home, "models", "add", "qwen2.5-coder-0.5b")
    assert result.returncode == 1
    assert "exporter" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_window_opens_and_can_be_brought_to_the_front(folder: Path, pollux_home: Path) -> None:
    environment = {**frozen.bare_environment(pollux_home), "QT_QPA_PLATFORM": "offscreen"}
    command = [str(frozen.window_program(folder))]
    with (pollux_home / "said.txt").open("wb") as said:
        window = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        # A second start finds the first one's event loop alive, and ends at once.
        deadline = time.monotonic() + ANSWER_S
        while not (pollux_home / "app.lock").exists():
            assert window.poll() is None, (pollux_home / "said.txt").read_text(encoding="utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.1)
        second = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=ANSWER_S, check=False
        )
        assert second.returncode == 0, second.stderr
        assert window.poll() is None
    finally:
        window.terminate()
        window.wait(timeout=ANSWER_S)
    log = (pollux_home / "logs" / "pollux.log").read_text(encoding="utf-8")
    assert "ERROR" not in log, log


def test_nothing_unneeded_is_inside(folder: Path, packs: tuple[Path, ...]) -> None:
    files = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    for unwanted in (
        "/torch/",
        "/onnx/",
        "/transformers/",
        "tkinter",
        "WebEngine",
        "Qt6Qml",
        "Qt6Quick",
        "/pip/",
    ):
        assert not [file for file in files if unwanted in file], unwanted
    for wanted in ("/av/", "libavcodec", "silero", "speech_en.flac"):
        assert [file for file in files if wanted in file], wanted
    if sys.platform.startswith("linux"):
        assert [file for file in files if file.endswith("portaudio/libportaudio.so.2")]
    if frozen.flavour() == "cpu":
        assert not [file for file in files if "providers_cuda" in file or "providers_tensorrt" in file]
    assert frozen.size_bytes(folder) - sum(map(frozen.size_bytes, packs)) < APP_BYTES


def test_licences_of_what_is_inside_are_there(folder: Path) -> None:
    inside = {file.name for file in folder.rglob("resources/licences/*")}
    assert {"LICENSE", "THIRD_PARTY.txt", "LGPL-3.0.txt"} <= inside
