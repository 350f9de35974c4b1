"""The command line, with a model that answers at once."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import builder, selftest
from engine.__main__ import main
from engine.cancel import Cancel
from engine.folders import packs_folder
from engine.media.ocr import TextReader
from engine.packs import Pack
from engine.results import Finished, Notice, Progress, TextChunk, Transcribed
from engine.runtime import image_model
from engine.runtime.chat_template import ChatTemplate
from engine.runtime.language_model import LanguageModel
from engine.runtime.tokens import Tokenizer
from engine.tasks.chat import ChatOptions
from tests.unit.engine.pack_maker import make_foreign, make_image_pack, make_pack, make_speech_pack
from tests.unit.engine.runtime.tiny_tokenizer import CHATML, byte_level
from tests.unit.engine.tasks.fake_image_model import FakeImageModel, FakeReader

ROOT = Path(__file__).resolve().parents[4]


class FakeModel:
    """Says what it is told to; remembers what it was asked."""

    answer = ("Paris", " is", " it, 世界.")
    interrupts_itself = False
    opened: tuple[str, int] = ("", -1)
    asked: list[tuple[str, ChatOptions]]
    closed = 0

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.provider = "CPU"
        self.notices = (Notice("cpu_fallback", "Runs on the {device}.", {"device": "CPU"}),)
        self.tokenizer = Tokenizer("tiny", byte_level())
        self.template = ChatTemplate("tiny", CHATML)
        self.context_limit_tokens = 256
        FakeModel.asked = []

    def generate(self, ids: list[int], options: ChatOptions, cancel: Cancel) -> Iterator[object]:
        self.asked.append((self.tokenizer.decode(ids, True), options))
        yield Progress("prefill", len(ids), len(ids), "tokens")
        said = ""
        for text in self.answer:
            said += text
            yield TextChunk(text)
            if self.interrupts_itself:
                heard = threading.Event()
                with cancel.interrupting(heard.set):
                    signal.raise_signal(signal.SIGINT)
                    heard.wait(5)
            if cancel.is_set:
                break
        reason = "cancelled" if cancel.is_set else "stop"
        yield Finished(reason, said, self.pack.name, "CPU", len(ids), 3, 5, len(ids) + 5, 256, 0.25, 0.2, 0.5)

    def close(self) -> None:
        FakeModel.closed += 1


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> type[FakeModel]:
    def open_fake(pack: Pack, device: str = "auto", threads: int = 0) -> FakeModel:
        FakeModel.opened = (device, threads)
        return FakeModel(pack)

    monkeypatch.setattr(LanguageModel, "open", open_fake)
    monkeypatch.setattr(FakeModel, "closed", 0)
    make_pack(packs_folder() / "tiny")
    return FakeModel


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def feed(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8"))

    return feed


def test_one_question(model: type[FakeModel], capsys: pytest.CaptureFixture[str]) -> None:
    command = (
        "chat --prompt Capital? --system Brief. --greedy --seed 7 --max-tokens 9 --device cpu --threads 2"
    )
    assert main([*command.split(), "--stop", "\n\n"]) == 0
    out, err = capsys.readouterr()
    assert out == "Paris is it, 世界.\n"
    assert err == "pollux: Runs on the CPU.\n"
    assert model.opened == ("cpu", 2) and model.closed == 1
    prompt, options = model.asked[0]
    assert "system\nBrief." in prompt and "user\nCapital?" in prompt
    assert (options.temperature, options.seed, options.max_new_tokens, options.stop) == (0, 7, 9, ("\n\n",))


def test_json_has_stable_keys(model: type[FakeModel], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", "--json", "--prompt", "Capital?"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert record["text"] == "Paris is it, 世界."
    assert {
        key: record[key] for key in ("model", "provider", "finish_reason", "cached_tokens", "new_tokens")
    } == {
        "model": "tiny",
        "provider": "CPU",
        "finish_reason": "stop",
        "cached_tokens": 3,
        "new_tokens": 5,
    }
    assert record["decode_tokens_per_s"] == 8.0
    assert record["prompt_tokens"] > 0
    assert all(isinstance(record[key], float) for key in ("first_token_s", "prefill_s", "decode_s"))


def test_standard_input(
    model: type[FakeModel], stdin: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stdin("\ufeff首都是哪里？\nBitte.\n".encode())
    assert main(["chat"]) == 0
    assert "user\n首都是哪里？\nBitte.\n" in model.asked[0][0]
    for content, message in ((b"caf\xe9", "not valid UTF-8 text (byte 3)"), (b" \n", "Nothing was asked")):
        stdin(content)
        capsys.readouterr()
        assert main(["chat"]) == 1
        out, err = capsys.readouterr()
        assert out == "" and err.count("\n") == 1 and message in err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_conversation(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    lines: list[Any] = [
        "Hi",
        "",
        "/help",
        "More",
        "word " * 500,
        KeyboardInterrupt,
        "/reset",
        "Anew",
        "/quit",
    ]

    def answer(_: str) -> str:
        line = lines.pop(0)
        if line is KeyboardInterrupt:
            raise KeyboardInterrupt
        return line

    monkeypatch.setattr("builtins.input", answer)
    assert main(["chat"]) == 0
    prompts = [prompt for prompt, _ in model.asked]
    assert len(prompts) == 3
    assert "Hi" in prompts[1] and "世界" in prompts[1] and "More" in prompts[1]
    assert "Hi" not in prompts[2] and "Anew" in prompts[2]
    err = capsys.readouterr().err
    assert "too long" in err and "Ctrl-C once more" in err and "8 a second" in err


def test_leaving_a_conversation(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    for thrown, code in ((EOFError, 0), (KeyboardInterrupt, 130)):

        def leave(_: str, thrown: type[BaseException] = thrown) -> str:
            raise thrown

        monkeypatch.setattr("builtins.input", leave)
        assert main(["chat"]) == code
    assert model.closed == 2


def test_ctrl_c_keeps_what_was_said(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(model, "interrupts_itself", True)
    before = signal.getsignal(signal.SIGINT)
    assert main(["chat", "--prompt", "Capital?"]) == 130
    assert capsys.readouterr().out == "Paris\n"
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["chat", "--prompt", "x", "--model", "tinny"],
            'No model called "tinny" is installed. Did you mean tiny?',
        ),
        (["chat", "--prompt", "x", "--temperature", "99"], "temperature must be between"),
        (["chat", "--prompt", "x", "--max-tokens", "0"], "max_new_tokens must be between"),
        (["chat", "--prompt", "word " * 5000], "too long for Tiny"),
        (["models", "add", "smollm"], "Did you mean smollm2-135m?"),
        (["models", "import", "/no/such/place"], "does not exist"),
        (["models", "verify", "nothing"], 'No model called "nothing"'),
        (["models", "remove", "nothing", "--yes"], 'No model called "nothing"'),
        (["models", "remove", "tiny"], "Add --yes"),
    ],
)
def test_mistakes_give_one_line(
    model: type[FakeModel],
    stdin: Callable[[bytes], None],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    stdin(b"")
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("pollux: Runs on")]
    assert out == "" and len(lines) == 1 and lines[0].startswith("pollux: ") and message in lines[0]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["chat", "--greedy", "--temperature", "1"],
        ["chat", "--seed", "x"],
        ["models"],
        ["models", "add"],
        ["bench", "--runs", "0"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: pollux" in capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert main(["--version"]) == 0
    assert "pollux" in capsys.readouterr().out


def test_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", "--prompt", "x"]) == 1
    assert "pollux models add" in capsys.readouterr().err
    assert main(["models", "list"]) == 0
    assert main(["models", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_the_life_of_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stdin: Callable[[bytes], None]
) -> None:
    source = make_pack(tmp_path / "源", "tiny")
    archive = tmp_path / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in source.iterdir():
            file.write(path, f"tiny/{path.name}")
    assert main(["models", "import", str(archive)]) == 0
    assert main(["models", "import", str(make_foreign(tmp_path / "theirs"))]) == 0
    capsys.readouterr()
    assert main(["models", "list", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(record["name"], record["foreign"]) for record in records] == [("theirs", True), ("tiny", False)]
    assert main(["models", "list"]) == 0
    assert "tiny" in capsys.readouterr().out
    assert main(["models", "verify"]) == 0
    assert capsys.readouterr().out == "theirs is sound.\ntiny is sound.\n"
    data = packs_folder() / "tiny" / "model.onnx.data"
    data.write_bytes(bytes(1024))
    assert main(["models", "verify"]) == 1
    out, err = capsys.readouterr()
    assert out == "theirs is sound.\n" and "pollux: tiny: The model file model.onnx.data" in err
    data.write_bytes(b"")
    assert main(["models", "list"]) == 0
    assert "wrong size" in capsys.readouterr().err
    assert main(["models", "verify", "--json"]) == 1
    assert main(["models", "remove", "tiny", "--yes"]) == 0
    assert main(["models", "remove", "theirs", "--yes", "--json"]) == 0
    assert list(packs_folder().iterdir()) == []


def test_removing_asks(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda: "n")
    assert main(["models", "remove", "tiny"]) == 0
    assert (packs_folder() / "tiny").exists()
    monkeypatch.setattr("builtins.input", lambda: "yes")
    assert main(["models", "remove", "tiny"]) == 0
    assert not (packs_folder() / "tiny").exists()


def test_available(model: type[FakeModel], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "available", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(record["kind"], record["name"]) for record in records if record["default"]] == [
        ("language", "smollm2-135m"),
        ("speech", "whisper-base"),
        ("image", "pollux-captioner"),
    ]
    assert main(["models", "available"]) == 0
    out = capsys.readouterr().out
    assert "smollm2-135m" in out and "KIND" in out
    line = next(line for line in out.splitlines() if line.startswith("whisper-base"))
    assert "speech" in line and "en, zh, de, es, ..." in line


def test_a_speech_model_does_not_chat(capsys: pytest.CaptureFixture[str]) -> None:
    make_speech_pack(packs_folder() / "whisper")
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "speech"
    assert main(["models", "list"]) == 0
    assert "speech" in capsys.readouterr().out
    for command in (["chat", "--prompt", "x"], ["bench"]):
        assert main([*command, "--model", "whisper"]) == 1
        assert "it cannot chat. Choose a chat model." in capsys.readouterr().err
        assert main(command) == 1  # nor is it taken where no model is named
        assert "No model is installed." in capsys.readouterr().err


def test_adding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "exporter.py"
    script.write_text(
        f"import json, sys\nfrom pathlib import Path\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.unit.engine.pack_maker import make_pack\n"
        "print(json.dumps({'stage': 'fetch', 'done': 50, 'total': 100, 'unit': 'bytes'}), flush=True)\n"
        "make_pack(Path(sys.argv[-1]), sys.argv[2])\n"
        "print(json.dumps({'pack': sys.argv[-1]}))\n"
    )
    monkeypatch.setattr(builder, "exporter_command", lambda: [sys.executable, str(script)])
    assert main(["models", "add", "SmolLM2-135M"]) == 0
    out, err = capsys.readouterr()
    assert out == "smollm2-135m is installed.\n" and "Downloading  50%" in err


def test_bench(model: type[FakeModel], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--json", "--prompt-tokens", "40", "--new-tokens", "5", "--runs", "3"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["prompt_tokens"], record["new_tokens"], record["runs"]) == (40, 5, 3)
    assert record["prefill_tokens_per_s"] == 200.0 and record["decode_tokens_per_s"] == 8.0
    assert record["peak_memory_bytes"] > 1_000_000
    prompts = [prompt for prompt, _ in model.asked]
    assert len(set(prompts)) == len(prompts)
    assert main(["bench", "--prompt-tokens", "40", "--runs", "1"]) == 0
    assert "tokens/s" in capsys.readouterr().out


def test_selftest(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["selftest"]) == 0
    assert "The self-test passed." in capsys.readouterr().out
    assert main(["selftest", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True
    monkeypatch.setattr(model, "answer", ("London",))
    assert main(["selftest"]) == 1
    assert "should name Paris" in capsys.readouterr().out


def test_selftest_of_speech(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_speech_pack(packs_folder() / "whisper")
    said = "Good morning. The Weather is fine today."

    def hear(pack: Pack, device: str, threads: int) -> selftest.Heard:
        return selftest.Heard(said, Transcribed("stop", "en", pack.name, "CPU", 5.3, 4.9, 0.6, 1))

    monkeypatch.setattr(selftest, "_hear", hear)
    assert main(["selftest"]) == 0
    out = capsys.readouterr().out
    assert "Paris" in out and f"Heard: {said}" in out and "5.3 s of sound in 0.6 s" in out
    assert main(["selftest", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["model"] == "tiny" and record["speech"]["model"] == "whisper"
    assert main(["selftest", "--model", "whisper", "--json"]) == 0
    assert "model" not in json.loads(capsys.readouterr().out)  # the named one alone
    said = "Nothing."
    assert main(["selftest"]) == 1
    assert '"weather" is said in the sample' in capsys.readouterr().out


def test_selftest_of_pictures(
    model: type[FakeModel], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_image_pack(packs_folder() / "eye")
    seer = FakeImageModel()
    reader = FakeReader()
    monkeypatch.setattr(image_model, "open_image_model", lambda pack, device, threads: seer)
    monkeypatch.setattr(TextReader, "open", lambda threads: reader)
    assert main(["selftest"]) == 0
    out = capsys.readouterr().out
    assert "Saw: A brown dog runs through the grass." in out and "a picture in" in out and seer.closed == 1
    assert seer.seen == [(240, 320, 3)] and reader.read_pictures == 1
    assert main(["selftest", "--model", "eye", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["image"]["text"].startswith("A brown dog") and "model" not in record
    seer.text = "dog"
    assert main(["selftest"]) == 1
    assert "should have been described" in capsys.readouterr().out


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        env=environment,
        capture_output=True,
        check=False,
        **options,
    )


def test_output_is_utf8_whatever_the_locale() -> None:
    make_pack(packs_folder() / "模型")
    done = run("models", "list", env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert done.returncode == 0 and "模型" in done.stdout.decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_reader_that_leaves() -> None:
    for number in range(20):
        make_pack(packs_folder() / f"tiny{number}")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "engine", "models", "list"],
            env=environment,
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1 and done.stderr == b""
