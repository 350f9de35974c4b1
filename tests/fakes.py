"""An engine for the app's tests: packs without files, a model that answers what it is told.

In: answers, speeds and failures set by a test. Out: a door that the host takes in place of the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from app.host import EngineDoor
from engine.cancel import Cancel
from engine.catalogue import Catalogue, CatalogueEntry, Checkpoint
from engine.errors import EngineError
from engine.packs import Pack, PackFile
from engine.results import Finished, FinishReason, Notice, Progress, TextChunk
from engine.store import PackProblem, Store
from tests.fake_images import FakeImages
from tests.fake_speech import FakeSpeech

GB = 1_000_000_000
ANSWER = "The capital of France is **Paris**."


def fake_pack(name: str = "smollm2-135m", **changes: Any) -> Pack:
    """A pack that exists nowhere."""
    values: dict[str, Any] = {
        "name": name,
        "folder": Path("/nowhere") / name,
        "kind": "language",
        "display_name": "SmolLM2 135M",
        "licence": "Apache-2.0",
        "source": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "revision": "main",
        "languages": ("en",),
        "parameters": 134_515_008,
        "quantisation": "int4",
        "size_bytes": 116_000_000,
        "memory_bytes": 450_000_000,
        "context_tokens": 8192,
        "system": "",
        "bundled": False,
        "foreign": False,
        "config": None,
        "files": (PackFile("model.onnx", "0" * 64, 116_000_000),),
    }
    return Pack(**(values | changes))


def qwen_pack(**changes: Any) -> Pack:
    """A larger pack that lists Chinese."""
    values: dict[str, Any] = {
        "display_name": "Qwen2.5 Coder 1.5B",
        "source": "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        "languages": ("en", "zh", "fr", "es", "de", "ja", "ko"),
        "parameters": 1_543_714_304,
        "size_bytes": 1_150_000_000,
        "memory_bytes": 2 * GB,
        "context_tokens": 32768,
    }
    return fake_pack("qwen2.5-coder-1.5b", **(values | changes))


def fake_entry(name: str, display_name: str, **changes: Any) -> CatalogueEntry:
    """A model of the catalogue."""
    values: dict[str, Any] = {
        "name": name,
        "display_name": display_name,
        "family": "llama",
        "summary": "Very fast and small. Plain questions and short texts in English; often shallow.",
        "languages": ("en",),
        "licence": "Apache-2.0",
        "licence_url": "https://www.apache.org/licenses/LICENSE-2.0",
        "parameters": 134_515_008,
        "download_bytes": 98_362_432,
        "pack_bytes": 116_000_000,
        "memory_bytes": 450_000_000,
        "quality": 10,
        "source": Checkpoint("gguf", "repo", "main", "file.gguf", "0" * 64, 98_362_432),
    }
    return CatalogueEntry(**(values | changes))


def fake_entries() -> tuple[CatalogueEntry, ...]:
    """Two models, as in the real catalogue."""
    return (
        fake_entry("smollm2-135m", "SmolLM2 135M", default=True),
        fake_entry(
            "qwen2.5-coder-1.5b",
            "Qwen2.5 Coder 1.5B",
            family="qwen2",
            summary="Good answers in Chinese and English, good code.",
            languages=("en", "zh", "fr", "es", "pt", "de", "it", "ru", "ja", "ko", "vi", "th", "ar"),
            download_bytes=1_117_320_768,
            pack_bytes=1_150_000_000,
            memory_bytes=2 * GB,
            quality=30,
        ),
    )


def speech_pack(**changes: Any) -> Pack:
    """A speech model."""
    values: dict[str, Any] = {
        "kind": "speech",
        "display_name": "Whisper base",
        "licence": "MIT",
        "source": "openai/whisper-base",
        "languages": ("en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "it"),
        "parameters": 72_593_920,
        "quantisation": "int8",
        "size_bytes": 85_000_000,
        "memory_bytes": 450_000_000,
        "context_tokens": 448,
    }
    return fake_pack("whisper-base", **(values | changes))


def speech_entry() -> CatalogueEntry:
    """The speech model of the catalogue."""
    return fake_entry(
        "whisper-base",
        "Whisper base",
        kind="speech",
        family="whisper",
        summary="Speech to text in 99 languages; good English, fair Chinese.",
        languages=("en", "zh", "de"),
        licence="MIT",
        download_bytes=150_218_479,
        pack_bytes=85_000_000,
        default=True,
    )


def image_pack(**changes: Any) -> Pack:
    """An image model."""
    values: dict[str, Any] = {
        "kind": "image",
        "display_name": "Pollux captioner",
        "licence": "trained on non-commercial research data",
        "source": "pollux",
        "languages": ("en",),
        "parameters": 145_000_000,
        "size_bytes": 128_000_000,
        "memory_bytes": 600_000_000,
        "context_tokens": 128,
    }
    return fake_pack("pollux-captioner", **(values | changes))


def image_entry() -> CatalogueEntry:
    """The image model of the catalogue."""
    return fake_entry(
        "pollux-captioner",
        "Pollux captioner",
        kind="image",
        family="captioner",
        summary="Describes photos in a sentence.",
        languages=("en",),
        default=True,
    )


@dataclass
class FakeModel:
    """What the door opens."""

    pack: Pack
    provider: str = "CPU"
    notices: tuple[Notice, ...] = ()
    closed: bool = False

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True


@dataclass
class FakeStore:
    """Installed packs, in memory."""

    packs: list[Pack] = field(default_factory=list)
    bad: tuple[PackProblem, ...] = ()

    def list(self) -> tuple[Pack, ...]:
        """All packs."""
        return tuple(self.packs)

    def problems(self) -> tuple[PackProblem, ...]:
        """Folders that could not be read."""
        return self.bad

    def remove(self, name: str) -> None:
        """Forget a pack."""
        self.packs = [pack for pack in self.packs if pack.name != name]

    def verify(self, name: str, _cancel: Cancel) -> Iterator[object]:
        """Two steps, then the pack."""
        yield Progress("verify", 1, 2, "bytes")
        yield Progress("verify", 2, 2, "bytes")
        yield next(pack for pack in self.packs if pack.name == name)

    def import_path(self, path: Path, _cancel: Cancel) -> Iterator[object]:
        """A folder becomes a pack."""
        if "broken" in path.name:
            raise EngineError(
                "{folder} is not a model: there is no {file} in it.", folder=path.name, file="x"
            )
        yield Progress("copy", 1, 1, "files")
        self.packs.append(fake_pack(path.name, display_name=path.name, foreign=True, files=()))
        yield self.packs[-1]


@dataclass
class FakeDoor(EngineDoor):
    """The engine of a test. ``gate`` holds an answer in its middle until it is set."""

    the_store: FakeStore = field(default_factory=lambda: FakeStore([fake_pack()]))
    entries: tuple[CatalogueEntry, ...] = field(default_factory=fake_entries)
    memory_bytes: int = 16 * GB
    answer: str = ANSWER
    pieces: Callable[[str], Sequence[str]] = list
    open_error: Exception | None = None
    builder_error: EngineError | None = None
    chat_error: Exception | None = None
    notice: Notice | None = None
    gate: threading.Event | None = None
    open_gate: threading.Event | None = None
    add_gate: threading.Event | None = None
    pause_s: float = 0.0
    speech: FakeSpeech = field(default_factory=FakeSpeech)
    images: FakeImages = field(default_factory=FakeImages)
    asked: list[list[tuple[str, str]]] = field(default_factory=list)
    options_seen: list[object] = field(default_factory=list)
    opened: list[FakeModel] = field(default_factory=list)

    def store(self) -> Store:
        """The packs."""
        return cast(Store, self.the_store)

    def catalogue(self) -> Catalogue:
        """The catalogue."""
        return Catalogue(self.entries)

    def usable_memory_bytes(self) -> int:
        """As set."""
        return self.memory_bytes

    def devices(self) -> tuple[str, ...]:
        """No graphics card here."""
        return ("auto", "cpu")

    def open_model(self, pack: Pack, device: str, threads: int) -> Any:
        """A fake model, or the failure that was set."""
        if self.open_gate is not None:
            self.open_gate.wait(10)
        if self.open_error is not None:
            raise self.open_error
        self.opened.append(FakeModel(pack, "CUDA" if device == "cuda" else "CPU"))
        return self.opened[-1]

    def chat(self, model: Any, turns: Sequence[Any], options: Any, cancel: Cancel) -> Iterator[object]:
        """Progress, the answer in pieces, and its end."""
        self.asked.append([(turn.role, turn.text) for turn in turns])
        self.options_seen.append(options)
        yield Progress("prefill", 10, 20, "tokens")
        yield Progress("prefill", 20, 20, "tokens")
        if self.notice is not None:
            yield self.notice
        given: list[str] = []
        pieces = self.pieces(self.answer)
        reason: FinishReason = "stop"
        for number, piece in enumerate(pieces):
            if self.gate is not None and number == len(pieces) // 2:
                while not self.gate.wait(0.005) and not cancel.is_set:
                    pass
            if self.chat_error is not None and number == len(pieces) // 2:
                raise self.chat_error
            if self.pause_s:
                cancel_wait(cancel, self.pause_s)
            if cancel.is_set:
                reason = "cancelled"
                break
            given.append(piece)
            yield TextChunk(piece)
        text = "".join(given)
        yield Finished(
            reason=reason,
            text=text,
            model=model.pack.name,
            provider=model.provider,
            prompt_tokens=20,
            cached_tokens=0,
            new_tokens=len(given),
            context_tokens=20 + len(given),
            context_limit_tokens=model.pack.context_tokens,
            first_token_s=0.05,
            prefill_s=0.05,
            decode_s=max(len(given) - 1, 1) / 100,
        )

    def open_speech(self, pack: Pack, device: str, threads: int) -> Any:
        """A fake speech model."""
        if self.open_error is not None:
            raise self.open_error
        self.opened.append(FakeModel(pack, "CUDA" if device == "cuda" else "CPU"))
        return self.opened[-1]

    def transcribe_file(
        self, model: Any, path: Path, choices: Any, cancel: Cancel, resume: bool
    ) -> Iterator[object]:
        """What was set, through a real journal."""
        return self.speech.transcribe(model, path, choices, cancel, resume)

    def listen(self, model: Any, source: Any, choices: Any, cancel: Cancel) -> Iterator[object]:
        """What was set, as it is heard."""
        return self.speech.listen(model, source, choices, cancel)

    def open_image(self, pack: Pack, device: str, threads: int) -> Any:
        """A fake image model."""
        return self.open_speech(pack, device, threads)

    def chat_pack(self, model: Any, choices: Any) -> Pack | None:
        """The one that was set."""
        return self.images.writer

    def describe(self, model: Any, picture: Any, choices: Any, cancel: Cancel, chat: Any) -> Iterator[object]:
        """What was set."""
        return self.images.describe(model, picture, choices, cancel, chat)

    def describe_path(
        self, model: Any, path: Path, choices: Any, cancel: Cancel, chat: Any
    ) -> Iterator[object]:
        """What was set, or the failure that was set for this file."""
        return self.images.describe_path(model, path, choices, cancel, chat)

    def describe_video(
        self, model: Any, path: Path, choices: Any, cancel: Cancel, chat: Any
    ) -> Iterator[object]:
        """The frames that were set."""
        return self.images.video(path, choices, cancel)

    def overlay_png(self, pixels: Any, attention: Any, word: str) -> bytes:
        """No picture, but a file."""
        self.images.overlays.append(word)
        return b"\x89PNG"

    def check_builder(self) -> None:
        """Models can be built, unless a test says otherwise."""
        if self.builder_error is not None:
            raise self.builder_error

    def add_model(self, entry: CatalogueEntry, store: Any, cancel: Cancel) -> Iterator[Any]:
        """A download that ends at once, or waits in its middle for ``add_gate``."""
        yield Progress("fetch", entry.download_bytes // 2, entry.download_bytes, "bytes")
        if self.add_gate is not None:
            while not self.add_gate.wait(0.005) and not cancel.is_set:
                pass
        if cancel.is_set:
            return
        yield Progress("verify", 1, 1, "files")
        pack = fake_pack(
            entry.name,
            display_name=entry.display_name,
            languages=entry.languages,
            memory_bytes=entry.memory_bytes,
            size_bytes=entry.pack_bytes,
            kind=entry.kind,
        )
        self.the_store.packs.append(pack)
        yield pack


def cancel_wait(cancel: Cancel, seconds: float) -> None:
    """Wait like a slow model does, and wake up when cancelled."""
    woken = threading.Event()
    with cancel.interrupting(woken.set):
        woken.wait(seconds)
