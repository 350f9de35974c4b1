"""What a model pack is: a folder that ONNX Runtime GenAI could open too, and our ``pack.json`` beside it.

In: a folder (untrusted, made here or by others). Out: a frozen :class:`Pack` whose every file is known to be
inside the folder, present and of the right size; or an :class:`EngineError`. Standard library only, so that
the exporter and the packaging script can use it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.cancel import Cancel
from engine.errors import EngineError
from engine.genai_config import CAPTIONER, GenaiConfig, read_genai_config
from engine.json_files import Reader
from engine.onnx_files import contained_file, external_files, is_plain_name
from engine.results import Progress

FORMAT = 1
PACK_FILE = "pack.json"
CONFIG_FILE = "genai_config.json"
TOKENIZER_FILE = "tokenizer.json"
GENERATION_FILE = "generation_config.json"  # of a speech pack: what is never said, and how words are timed
LABELS_FILE = "labels.tsv"  # of a captioner pack: what its classes are called
CARD_FILE = "README.md"  # the model card, in those that have one
KINDS = ("language", "speech", "image")
HASH_CHUNK_BYTES = 1 << 20
MAX_BYTES = 1 << 50
MAX_CARD_BYTES = 200_000
# A foreign folder says nothing about memory: its files, some slack, and the KV cache of a usual context.
FOREIGN_SLACK = 1.1
FOREIGN_CONTEXT_TOKENS = 4096
SPEECH_FRAMES = 1500  # of the encoder for 30 s of sound: as many cross-attention keys as tokens would be

_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PackFile:
    """One file of a pack, as ``pack.json`` lists it."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Pack:
    """An installed model. ``name`` is the name of its folder; texts are "" and numbers 0 where unknown."""

    name: str
    folder: Path
    kind: str
    display_name: str
    licence: str
    source: str
    revision: str
    languages: tuple[str, ...]  # BCP 47; () where unknown
    parameters: int
    quantisation: str
    size_bytes: int
    memory_bytes: int
    context_tokens: int
    system: str  # what the model is told where nobody says anything else; "" leaves it to its template
    bundled: bool  # inside the packaged app, read-only
    foreign: bool  # no pack.json
    config: GenaiConfig
    files: tuple[PackFile, ...]  # () when foreign

    @property
    def model_path(self) -> Path:
        """The ONNX file; of a speech pack, the decoder."""
        return self.folder / self.config.filename

    @property
    def encoder_path(self) -> Path:
        """The encoder's ONNX file; ValueError unless this is a speech pack."""
        if self.config.encoder is None:
            raise ValueError(f"{self.name} has no encoder")
        return self.folder / self.config.encoder.filename

    @property
    def vision_path(self) -> Path:
        """The ONNX file that sees; ValueError unless this is an image pack."""
        if self.config.vision is None:
            raise ValueError(f"{self.name} sees nothing")
        return self.folder / self.config.vision.filename

    @property
    def embedding_path(self) -> Path:
        """The ONNX file that turns ids into embeddings; ValueError unless this is an image pack."""
        if self.config.embedding is None:
            raise ValueError(f"{self.name} has no embedding of its own")
        return self.folder / self.config.embedding.filename

    @property
    def card(self) -> Path | None:
        """The model card (Markdown); None where the pack has none."""
        path = self.folder / CARD_FILE
        return (
            path
            if any(file.name == CARD_FILE for file in self.files) or (self.foreign and path.is_file())
            else None
        )

    @property
    def scale(self) -> int:
        """How large the model is; where its parameters are unknown, as if it were stored in five bits each."""
        return self.parameters or self.size_bytes * 8 // 5

    def speaks(self, language: str) -> bool:
        """Whether the pack lists this language; regions and scripts are not told apart ("zh-Hans" is "zh")."""
        return primary(language) in {primary(tag) for tag in self.languages}

    def card_text(self) -> str:
        """The model card; "" where there is none, or it cannot be read."""
        if self.card is None:
            return ""
        try:
            with contained_file(self.folder, CARD_FILE).open("rb") as stream:
                return stream.read(MAX_CARD_BYTES).decode("utf-8", errors="replace")
        except (OSError, EngineError):
            return ""


def primary(language: str) -> str:
    """The language of a BCP 47 tag without script and region."""
    return language.replace("_", "-").split("-", 1)[0].casefold()


@dataclass(frozen=True)
class PackManifest:
    """What the exporter knows about a pack; :func:`write_pack_json` adds the files."""

    name: str
    display_name: str
    licence: str
    source: str
    revision: str
    languages: tuple[str, ...]
    parameters: int
    quantisation: str
    memory_bytes: int
    context_tokens: int
    kind: str = "language"
    system: str = ""
    parity: Mapping[str, object] = field(default_factory=dict)  # figures measured at export, JSON values


def read_pack(folder: Path, bundled: bool = False) -> Pack:
    """Read the pack in ``folder`` and check everything that is quick to check (not the hashes).

    Raises EngineError if it is no pack, if a file is missing or has the wrong size, or if anything points
    outside the folder.
    """
    try:
        return _read(folder, bundled)
    except OSError as error:
        raise unreadable(folder.name, error) from error


def _read(folder: Path, bundled: bool) -> Pack:
    if not folder.is_dir() or not (folder / CONFIG_FILE).is_file():
        raise EngineError(
            "{folder} is not a model: there is no {file} in it.",
            "Choose a folder that holds an ONNX Runtime GenAI model.",
            folder=folder.name,
            file=CONFIG_FILE,
        )
    contained_file(folder, CONFIG_FILE)
    config = read_genai_config(folder / CONFIG_FILE)
    for name in _named_files(config):
        contained_file(folder, name)
    foreign = not (folder / PACK_FILE).is_file()
    if foreign:
        return _foreign_pack(folder, bundled, config, needed_files(folder, config))
    contained_file(folder, PACK_FILE)
    manifest = Reader.open(folder / PACK_FILE)
    files = _listed_files(folder, manifest)  # sizes first: a file cut short is named as such
    unlisted = needed_files(folder, config) - {file.name for file in files}
    if unlisted:
        raise manifest.bad(f"it does not list {min(unlisted)}")
    return _own_pack(folder, bundled, config, manifest, files)


def needed_files(folder: Path, config: GenaiConfig) -> set[str]:
    """The names of the files without which the model cannot run; raises EngineError for a damaged ONNX file."""
    named = _named_files(config)
    graphs = (folder / name for name in named if name.lower().endswith(".onnx"))
    return {*named, *(external for graph in graphs for external in external_files(graph))}


def _named_files(config: GenaiConfig) -> tuple[str, ...]:
    """The files that the configuration names, or that its kind of model cannot be without."""
    names = [CONFIG_FILE, config.filename, TOKENIZER_FILE]
    if config.encoder is not None:
        names += [config.encoder.filename, GENERATION_FILE]
    if config.vision is not None:
        names += [config.vision.filename, config.vision.config_filename]
    if config.model_type == CAPTIONER:
        names.append(LABELS_FILE)
    if config.embedding is not None:
        names += [config.embedding.filename]
    return tuple(names)


def require_kind(pack: Pack, kind: str) -> None:
    """Raise an EngineError that helps, unless ``pack`` is of the ``kind`` (one of :data:`KINDS`) that is needed."""
    if pack.kind == kind:
        return
    if kind == "image":
        raise EngineError(
            "{model} cannot see pictures.",
            "Choose an image model. To see which there are: pollux models available",
            model=pack.display_name,
        )
    if pack.kind == "image":
        raise EngineError(
            "{model} describes pictures; it can do nothing else.",
            "Choose another model. To describe: pollux describe FILE --model {name}",
            model=pack.display_name,
            name=pack.name,
        )
    if kind == "speech":
        raise EngineError(
            "{model} chats; it cannot transcribe speech.",
            "Choose a speech model, or add one with: pollux models add whisper-base",
            model=pack.display_name,
        )
    raise EngineError(
        "{model} transcribes speech; it cannot chat.",
        "Choose a chat model. To transcribe: pollux transcribe FILE --model {name}",
        model=pack.display_name,
        name=pack.name,
    )


def verify_files(pack: Pack, cancel: Cancel) -> Iterator[Progress]:
    """Compare the sha256 of every listed file; raises EngineError naming the first that differs.

    A foreign folder lists none: there is nothing to compare, and one closing item says so. Ends early,
    without an error, when cancelled.
    """
    total = sum(file.size_bytes for file in pack.files)
    done = 0
    for file in pack.files:
        digest = hashlib.sha256()
        try:
            with contained_file(pack.folder, file.name).open("rb") as stream:
                while chunk := stream.read(HASH_CHUNK_BYTES):
                    if cancel.is_set:
                        return
                    digest.update(chunk)
                    done += len(chunk)
                    yield Progress("verify", done, total, "bytes")
        except OSError as error:
            raise unreadable(file.name, error) from error
        if digest.hexdigest() != file.sha256:
            raise EngineError(
                "The model file {file} of {model} is damaged: its contents have changed.",
                "Remove the model and add it again.",
                file=file.name,
                model=pack.name,
            )
    yield Progress("verify", total, total, "bytes")


def write_pack_json(folder: Path, manifest: PackManifest) -> Path:
    """Hash every file in ``folder`` and write its ``pack.json``, in one step that cannot be left half done."""
    files: list[dict[str, object]] = []
    for path in sorted(folder.iterdir()):
        if path.name == PACK_FILE or path.name.startswith("."):
            continue
        contained_file(folder, path.name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        files.append({"name": path.name, "sha256": digest, "size_bytes": path.stat().st_size})
    content = {
        "format": FORMAT,
        "name": manifest.name,
        "kind": manifest.kind,
        "display_name": manifest.display_name,
        "licence": manifest.licence,
        "source": manifest.source,
        "revision": manifest.revision,
        "languages": list(manifest.languages),
        "parameters": manifest.parameters,
        "quantisation": manifest.quantisation,
        "memory_bytes": manifest.memory_bytes,
        "context_tokens": manifest.context_tokens,
        "system": manifest.system,
        "files": files,
        "parity": dict(manifest.parity),
    }
    target = folder / PACK_FILE
    part = folder / f".{PACK_FILE}.part"
    with part.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=2, allow_nan=False)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(target)
    return target


def manifest_name(folder: Path) -> str:
    """The name that ``pack.json`` gives the pack; "" where there is no such file."""
    path = folder / PACK_FILE
    return Reader.open(path).text("name", "") if path.is_file() else ""


def unreadable(name: str, error: OSError) -> EngineError:
    """The error for a file that the system does not let us read."""
    return EngineError(
        "The model file {file} cannot be read: {reason}.",
        "Check that the file is there and that you may read it.",
        file=name,
        reason=error.strerror or type(error).__name__,
    )


def _listed_files(folder: Path, manifest: Reader) -> tuple[PackFile, ...]:
    newest = manifest.whole("format", 1, 1_000_000)
    if newest > FORMAT:
        raise EngineError(
            "The model {model} was made for a newer version of Pollux.",
            "Update Pollux, or get the model in an older format.",
            model=folder.name,
        )
    files: list[PackFile] = []
    for entry in manifest.objects("files"):
        name, sha256 = entry.text("name"), entry.text("sha256")
        size_bytes = entry.whole("size_bytes", 0, MAX_BYTES)
        if not is_plain_name(name) or name == PACK_FILE or any(file.name == name for file in files):
            raise manifest.bad(f"it lists a file by the impossible name {name[:100]!r}")
        if not _SHA256.fullmatch(sha256):
            raise manifest.bad(f"the sha256 of {name} is not one")
        size_there = contained_file(folder, name).stat().st_size
        if size_there != size_bytes:
            raise EngineError(
                "The model file {file} has the wrong size: {there} bytes instead of {wanted}.",
                "Remove the model and add it again.",
                file=name,
                there=size_there,
                wanted=size_bytes,
            )
        files.append(PackFile(name, sha256, size_bytes))
    return tuple(files)


def _own_pack(
    folder: Path, bundled: bool, config: GenaiConfig, manifest: Reader, files: tuple[PackFile, ...]
) -> Pack:
    kind = manifest.text("kind")
    if kind not in KINDS:
        raise EngineError(
            "The model {model} is of the kind {kind!r}, which this version of Pollux cannot run.",
            "Update Pollux.",
            model=folder.name,
            kind=kind[:50],
        )
    if kind != _kind(config):
        raise manifest.bad(f'"kind" says {kind}, but {CONFIG_FILE} describes a {_kind(config)} model')
    languages = manifest.texts("languages")
    if not all(_LANGUAGE_TAG.fullmatch(tag) for tag in languages):
        raise manifest.bad('"languages" must hold language codes such as "en"')
    return Pack(
        name=folder.name,
        folder=folder,
        kind=kind,
        display_name=manifest.text("display_name", folder.name) or folder.name,
        licence=manifest.text("licence", ""),
        source=manifest.text("source", ""),
        revision=manifest.text("revision", ""),
        languages=languages,
        parameters=manifest.whole("parameters", 0, MAX_BYTES, 0),
        quantisation=manifest.text("quantisation", ""),
        size_bytes=sum(file.size_bytes for file in files),
        memory_bytes=manifest.whole("memory_bytes", 0, MAX_BYTES, 0),
        # Never more than the model was made for: the KV cache and the mask are laid out for that length.
        context_tokens=min(
            manifest.whole("context_tokens", 1, MAX_BYTES, config.context_length), config.context_length
        ),
        system=manifest.text("system", ""),
        bundled=bundled,
        foreign=False,
        config=config,
        files=files,
    )


def _foreign_pack(folder: Path, bundled: bool, config: GenaiConfig, names: set[str]) -> Pack:
    try:
        size_bytes = sum((folder / name).stat().st_size for name in names)
    except OSError as error:
        raise unreadable(error.filename or folder.name, error) from error
    heard = SPEECH_FRAMES if config.encoder is not None else 0
    kv_bytes = config.kv_bytes(min(config.context_length, FOREIGN_CONTEXT_TOKENS) + heard)
    return Pack(
        name=folder.name,
        folder=folder,
        kind=_kind(config),
        display_name=folder.name,
        licence="",
        source="",
        revision="",
        languages=(),
        parameters=0,
        quantisation="",
        size_bytes=size_bytes,
        memory_bytes=int(size_bytes * FOREIGN_SLACK) + kv_bytes,
        context_tokens=config.context_length,
        system="",
        bundled=bundled,
        foreign=True,
        config=config,
        files=(),
    )


def _kind(config: GenaiConfig) -> str:
    if config.vision is not None:
        return "image"
    return "language" if config.encoder is None else "speech"
