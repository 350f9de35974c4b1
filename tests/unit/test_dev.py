"""`dev.py` without installing anything: what it says, what it would do, and how it picks up again."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

import dev
from devtools import checks, commands, environments, frozen, licences, models, system_libraries
from devtools import pip as pip_module
from devtools.console import SetupError
from devtools.environments import CHECKOUT, Environment, Step
from devtools.system_libraries import Library, Missing

STEPS = (Step("one", "the first", ("a",)), Step("two", "the second", ("b", "c")))


def dev_py(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CHECKOUT / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


# What it says


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("lint", "extra"), ("package", "extra")])
def test_wrong_usage_is_told_with_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = dev_py(*arguments)
    assert result.returncode == 2
    assert "usage: python3 dev.py" in result.stderr
    assert result.stdout == ""


def test_help_is_no_error() -> None:
    assert dev_py("--help").returncode == 0


def test_an_old_python_is_told_which_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 1, "final", 0))
    assert dev.main() == 1
    assert "3.11 or newer; this is Python 3.8.1" in capsys.readouterr().err


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(_arguments: list[str]) -> int:
        raise OSError(28, "No space left on device", "/somewhere")

    monkeypatch.setattr(commands, "lint", full)
    assert commands.run(["lint"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "disk is full" in said


def test_an_interruption_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "lint", stopped)
    assert commands.run(["lint"]) == commands.INTERRUPTED
    assert "same command again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("ERROR: [Errno 28] No space left on device", "disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "network"),
        ("ERROR: Could not find a version that satisfies x (from versions: none)", "network"),
        ("ERROR: No matching distribution found for torch", "no build for Python"),
        ("ERROR: [Errno 13] Permission denied: '/x'", "cannot be written"),
        ("something else", "last lines above"),
    ],
)
def test_pip_failures_come_with_advice(output: str, advice: str) -> None:
    assert advice in pip_module.advice_for(output)


def test_a_failing_pip_shows_its_last_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupError, match="same command again"):
        pip_module.pip_install(Path(sys.executable), ["./no-such-folder-here"], tmp_path)
    assert "pip: ERROR" in capsys.readouterr().err


# What it would install


def test_the_app_has_no_torch() -> None:
    wanted = " ".join(line for step in environments.app_steps(("test", "dev")) for line in step.arguments)
    for name in ("torch", "onnx>", "onnxscript", "transformers", "onnxruntime-genai", "gguf"):
        assert name not in wanted


def test_the_exporter_gets_torch_alone_and_first_and_our_onnxruntime_last() -> None:
    steps = environments.export_steps()
    assert steps[0].arguments == (environments.TORCH,)
    names = [step.name for step in steps]
    assert names.index("tools") < names.index("onnxruntime")
    tools = steps[names.index("tools")].arguments
    assert environments.TORCH in tools  # so that nothing can put another one there
    assert any(line.startswith("onnxruntime-genai") for line in tools)
    assert not any(line.startswith(("onnxruntime-gpu", "onnxruntime>", "pyside6")) for line in tools)
    assert all("--force-reinstall" in step.arguments for step in steps if step.name == "onnxruntime")


def test_torch_is_of_the_release_that_the_project_names() -> None:
    pinned = environments.TORCH.removeprefix("torch==")
    [wanted] = [
        line for line in environments.project()["optional-dependencies"]["export"] if line.startswith("torch")
    ]
    assert pinned.startswith(wanted.removeprefix("torch==").removesuffix("*"))


@pytest.mark.skipif(Path(sys.prefix).name != ".venv", reason="this is not the environment that dev.py made")
def test_this_environment_has_no_torch() -> None:
    code = (
        "import importlib.util as u, sys; sys.exit(any(map(u.find_spec, ('torch', 'onnx', 'transformers'))))"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False).returncode == 0


# How it picks up again


class FakePip:
    """Notes what is asked for, and fails when told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.fail_at: str | None = None

    def __call__(self, _python: Path, arguments: Sequence[str], _cwd: Path) -> None:
        self.calls.append(tuple(arguments))
        if self.fail_at in arguments:
            raise SetupError("no network")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    """No pip at all: putting it into each new environment takes seconds."""
    fake = FakePip()
    monkeypatch.setattr(environments, "pip_install", fake)
    monkeypatch.setattr(environments, "_has_pip", lambda environment: environment.python.exists())
    monkeypatch.setattr(venv.EnvBuilder, "_setup_pip", lambda *_: None)
    return fake


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    folder = tmp_path / "checkout 测试 ü"
    folder.mkdir()
    return Environment(folder / ".venv")


def prepare(environment: Environment, steps: Sequence[Step] = STEPS) -> None:
    environments.prepare(environment, steps, environment.folder.parent)


def test_everything_is_installed_once(environment: Environment, pip: FakePip) -> None:
    prepare(environment)
    prepare(environment)
    assert pip.calls == [("a",), ("b", "c")]
    assert environment.python.exists()


def test_a_failed_step_is_done_again_and_finished_ones_are_not(
    environment: Environment, pip: FakePip
) -> None:
    pip.fail_at = "b"
    with pytest.raises(SetupError):
        prepare(environment)
    pip.fail_at = None
    prepare(environment)
    assert pip.calls == [("a",), ("b", "c"), ("b", "c")]


def test_changed_dependencies_are_installed_and_what_follows_too(
    environment: Environment, pip: FakePip
) -> None:
    prepare(environment)
    pip.calls.clear()
    prepare(environment, (Step("one", "the first", ("a", "new")), STEPS[1]))
    assert pip.calls == [("a", "new"), ("b", "c")]


def test_further_steps_are_added_to_what_is_there(environment: Environment, pip: FakePip) -> None:
    prepare(environment, STEPS[:1])
    prepare(environment)
    assert pip.calls == [("a",), ("b", "c")]


@pytest.mark.parametrize("change", [{"checkout": "/elsewhere"}, {"python": "3.99"}, {"steps": None}])
def test_an_environment_of_another_place_or_python_is_made_anew(
    environment: Environment, pip: FakePip, change: dict
) -> None:
    prepare(environment)
    stamp = json.loads(environment.stamp.read_text(encoding="utf-8"))
    environment.stamp.write_text(json.dumps({**stamp, **change}), encoding="utf-8")
    (environment.folder / "leftover").touch()
    pip.calls.clear()
    prepare(environment)
    assert pip.calls == [("a",), ("b", "c")]
    assert not (environment.folder / "leftover").exists()


def test_a_folder_of_somebody_else_is_never_removed(environment: Environment, pip: FakePip) -> None:
    environment.folder.mkdir(parents=True)
    (environment.folder / "precious").touch()
    with pytest.raises(SetupError, match="in the way"):
        prepare(environment)
    assert (environment.folder / "precious").exists()


def test_a_python_without_venv_says_what_to_install(
    environment: Environment, pip: FakePip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SetupError, match="apt-get install python3"):
        prepare(environment)


# What runs where


def test_paths_choose_the_environment() -> None:
    options, app, export = checks.split_arguments(
        ["-k", "word", "tests/unit/engine", "tests/parity/test_tokenizer_ids.py::test_x", "-x"]
    )
    assert options == ["-k", "word", "-x"]
    assert app == [str(CHECKOUT / "tests" / "unit" / "engine")]
    assert export == [str(CHECKOUT / "tests" / "parity" / "test_tokenizer_ids.py") + "::test_x"]


def test_without_paths_everything_runs_each_where_it_can() -> None:
    both = checks.test_checks(Environment(Path("a")), Environment(Path("e")), [], {})
    assert len(both) == 2
    for folder in checks.EXPORT_TESTS:
        assert f"--ignore={CHECKOUT / folder}" in both[0].command


def test_one_failure_fails_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = (
        checks.Check(name, (sys.executable, "-c", code), {})
        for name, code in (("good", ""), ("bad", "raise SystemExit(3)"))
    )
    outcomes = checks.run_checks([bad, good])
    assert [outcome.passed for outcome in outcomes] == [False, True]
    assert checks.report(outcomes) == 1
    assert "FAILED  bad" in capsys.readouterr().err


# The system's libraries


def test_missing_libraries_become_one_apt_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        system_libraries.shutil, "which", lambda name: "/usr/bin/" + name if name == "apt-get" else None
    )
    missing = Missing((Library("libxcb-cursor.so.0", "libxcb-cursor0"),), chinese_font=True, tools=("xvfb",))
    assert system_libraries.command_line(missing) == "sudo apt-get install libxcb-cursor0 fonts-noto-cjk xvfb"
    assert missing.stops_window


def test_the_tests_microphone_is_asked_for_by_the_tests_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries.sys, "platform", "linux")
    monkeypatch.setattr(system_libraries.Tool, "is_there", property(lambda tool: tool.name == "Xvfb"))
    assert system_libraries.find_missing().tools == ()
    wanted = ("binutils", "pulseaudio", "pulseaudio-utils", "libasound2-plugins")
    assert system_libraries.find_missing(for_tests=True).tools == wanted
    monkeypatch.setattr(
        system_libraries.shutil, "which", lambda name: "/usr/bin/dnf" if name == "dnf" else None
    )
    line = system_libraries.command_line(Missing(tools=wanted))
    assert line == "sudo dnf install binutils pulseaudio pulseaudio-utils alsa-plugins-pulseaudio"


def test_a_missing_microphone_library_stops_no_window() -> None:
    portaudio = next(library for library in system_libraries.LIBRARIES if "portaudio" in library.soname)
    assert not Missing((portaudio,)).stops_window


# The models


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that would have been built; "broken" in the list makes building the next one fail."""
    names: list[str] = []

    def add(_environment: Environment, name: str) -> None:
        if "broken" in names:
            raise SetupError("It could not be built.")
        names.append(name)

    monkeypatch.setattr(models, "add", add)
    for module in (commands, models):
        monkeypatch.setattr(module, "prepare", lambda *_: Environment(Path("e")))
    return names


def have(monkeypatch: pytest.MonkeyPatch, *packs: models.InstalledPack) -> None:
    monkeypatch.setattr(models, "installed", lambda _environment: packs)


CHAT = models.InstalledPack("somebody's", "language", Path("chat"))


def test_one_model_of_each_kind_is_built(monkeypatch: pytest.MonkeyPatch, added: list[str]) -> None:
    have(monkeypatch)
    assert commands._ensure_models(Environment(Path("a"))) == []
    assert added == [models.default_name(kind) for kind in ("language", "speech", "image")]
    added.clear()
    have(monkeypatch, CHAT)
    commands._ensure_models(Environment(Path("a")))
    assert added == ["whisper-base", "pollux-captioner"]
    added.clear()
    others = (models.InstalledPack(f"another {kind}", kind, Path(kind)) for kind in ("speech", "image"))
    have(monkeypatch, CHAT, *others)
    commands._ensure_models(Environment(Path("a")))
    assert added == []


def test_without_some_models_the_app_opens_all_the_same(
    monkeypatch: pytest.MonkeyPatch, added: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    have(monkeypatch, CHAT)
    added.append("broken")
    assert commands._ensure_models(Environment(Path("a"))) == ["It could not be built."] * 2
    said = capsys.readouterr().err
    assert "opens without transcription" in said and "opens without describing pictures" in said


def test_the_package_gets_the_default_model_of_each_kind(
    monkeypatch: pytest.MonkeyPatch, added: list[str]
) -> None:
    there = [CHAT, models.InstalledPack(models.default_name(), "language", Path("default"))]

    def build(_environment: Environment, name: str) -> None:
        added.append(name)
        there.append(models.InstalledPack(name, "any", Path(name)))

    monkeypatch.setattr(models, "installed", lambda _environment: tuple(there))
    monkeypatch.setattr(models, "add", build)
    found = models.ensure_defaults(Environment(Path("a")))
    assert found == (Path("default"), Path("whisper-base"), Path("pollux-captioner"))
    assert added == ["whisper-base", "pollux-captioner"]


# The frozen app


def test_the_frozen_app_starts_with_nothing_of_this_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/x")
    monkeypatch.setenv("VIRTUAL_ENV", "/y")
    bare = frozen.bare_environment(tmp_path)
    assert bare["PATH"] == ""
    assert not any(name.startswith(("PYTHON", "VIRTUAL")) for name in bare)


def test_every_package_that_ships_is_in_the_licence_table() -> None:
    table = (CHECKOUT / "resources" / "licences" / "README.md").read_text(encoding="utf-8").lower()
    packages = licences.shipped(environments.project()["dependencies"])
    assert len(packages) > 8
    for package in packages:
        assert package.metadata["Name"].lower().replace("_", "-") in table, package.metadata["Name"]


def test_licence_texts_are_gathered() -> None:
    text = licences.third_party_text(["jinja2", "numpy>=2; python_version > '3'"])
    assert "MarkupSafe" in text
    assert "Redistribution and use in source and binary forms" in text
