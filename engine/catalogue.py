"""The models that Pollux can get: what each is good for, how large it is, and where it comes from.

In: ``resources/catalogue.toml``. Out: a frozen :class:`Catalogue`. Unknown keys are refused, so that a
mistyped one cannot be ignored.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from engine.errors import EngineError
from engine.folders import resources_folder
from engine.packs import KINDS, primary

T = TypeVar("T")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Carrier:
    """A wheel on the package registry; its ``member``, joined to those of the others in order, is the file."""

    package: str
    version: str
    member: str


@dataclass(frozen=True)
class Extra:
    """A small file that belongs to the weights; ``member`` of one wheel is the whole of it."""

    file: str
    sha256: str
    size_bytes: int
    package: str
    version: str
    member: str

    @property
    def carrier(self) -> Carrier:
        """The wheel that holds it."""
        return Carrier(self.package, self.version, self.member)


@dataclass(frozen=True)
class Checkpoint:
    """The weights that a pack is built from: one file, on the model hub and in carriers; and what belongs to it.

    ``hub_repo`` is "" where the hub does not have it.
    """

    format: str
    hub_repo: str
    hub_revision: str
    file: str
    sha256: str
    size_bytes: int
    carriers: tuple[Carrier, ...] = ()
    extras: tuple[Extra, ...] = ()

    @property
    def origin(self) -> str:
        """Where it comes from, in one word: the hub's repository, else the first package that carries it."""
        if self.hub_repo or not self.carriers:
            return self.hub_repo
        return f"{self.carriers[0].package}=={self.carriers[0].version}"

    @property
    def total_bytes(self) -> int:
        """The weights and all that belongs to them."""
        return self.size_bytes + sum(extra.size_bytes for extra in self.extras)


@dataclass(frozen=True)
class CatalogueEntry:
    """One model. ``quality`` is a rank, higher is better; sizes are of the download, the pack and in memory."""

    name: str
    display_name: str
    family: str
    summary: str
    languages: tuple[str, ...]
    licence: str
    licence_url: str
    parameters: int
    download_bytes: int
    pack_bytes: int
    memory_bytes: int
    quality: int
    source: Checkpoint
    system: str = ""  # the system prompt that was measured to suit it; "" leaves it to its template
    default: bool = False
    kind: str = "language"  # one of engine.packs.KINDS

    def speaks(self, language: str) -> bool:
        """Whether the model lists this language; regions and scripts are not told apart ("zh-Hans" is "zh")."""
        return primary(language) in {primary(tag) for tag in self.languages}


@dataclass(frozen=True)
class Catalogue:
    """All entries: kind by kind, best first."""

    entries: tuple[CatalogueEntry, ...]

    @property
    def default(self) -> CatalogueEntry:
        """The chat model that a new user starts with."""
        return self.default_for("language")

    def default_for(self, kind: str) -> CatalogueEntry:
        """The model of this kind that a new user starts with; KeyError for a kind of which there is none."""
        for entry in self.entries:
            if entry.default and entry.kind == kind:
                return entry
        raise KeyError(kind)

    def get(self, name: str) -> CatalogueEntry:
        """The entry called ``name``; raises EngineError with near names."""
        for entry in self.entries:
            if entry.name == name.strip().casefold():
                return entry
        raise EngineError(
            'There is no model called "{name}".',
            "{near}",
            name=name,
            near=suggestion(name, [entry.name for entry in self.entries]),
        )

    def recommended(
        self, memory_bytes: int, language: str | None = None, kind: str = "language"
    ) -> CatalogueEntry | None:
        """The best model of its kind that needs at most ``memory_bytes`` (see ``machine.usable_memory_bytes``)."""
        fitting = [
            entry
            for entry in self.entries
            if entry.kind == kind
            and entry.memory_bytes <= memory_bytes
            and (language is None or entry.speaks(language))
        ]
        return max(fitting, key=lambda entry: entry.quality, default=None)

    def for_language(self, code: str, memory_bytes: int, kind: str = "language") -> CatalogueEntry | None:
        """The best model of its kind that speaks ``code`` and fits."""
        return self.recommended(memory_bytes, code, kind)


def suggestion(name: str, known: list[str]) -> str:
    """A hint with the names nearest to a mistyped one, or with all of them."""
    near = difflib.get_close_matches(name.strip().casefold(), known, n=3, cutoff=0.4)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"These are known: {', '.join(sorted(known))}." if known else ""


def read_catalogue(path: Path | None = None) -> Catalogue:
    """Read the catalogue that ships with Pollux, or another one."""
    path = path or resources_folder() / "catalogue.toml"
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        models = _take(tables, "model", list)
        if tables:
            raise ValueError(f"unknown key {min(tables)!r}")
        entries = sorted(
            (_entry(dict(model)) for model in models),
            key=lambda entry: (KINDS.index(entry.kind), -entry.quality),
        )
        if len({entry.name for entry in entries}) != len(entries):
            raise ValueError("two models have the same name")
        for kind in sorted({"language", *(entry.kind for entry in entries)}):
            if sum(entry.default for entry in entries if entry.kind == kind) != 1:
                raise ValueError(f"exactly one {kind} model must be the default")
    except (OSError, ValueError, TypeError) as error:  # TOMLDecodeError is a ValueError
        raise EngineError(
            "The catalogue of models cannot be read: {reason}.", "Install Pollux again.", reason=str(error)
        ) from error
    return Catalogue(tuple(entries))


def _entry(table: dict[str, object]) -> CatalogueEntry:
    source = _take(table, "source", dict)
    carriers = tuple(_build(Carrier, dict(carrier)) for carrier in _take(source, "carriers", list, []))
    extras = tuple(_build(Extra, dict(extra)) for extra in _take(source, "extras", list, []))
    languages = tuple(str(tag) for tag in _take(table, "languages", list))
    checkpoint = _build(Checkpoint, dict(source), carriers=carriers, extras=extras)
    for file in (checkpoint, *extras):
        if not _SHA256.fullmatch(file.sha256):
            raise ValueError(f"the sha256 of {file.file} is not one")
    if not checkpoint.hub_repo and not carriers:
        raise ValueError(f"{checkpoint.file} is neither on the hub nor in carriers")
    entry = _build(CatalogueEntry, table, languages=languages, source=checkpoint)
    if entry.kind not in KINDS:
        raise ValueError(f"there is no kind {entry.kind!r}")
    return entry


def _take(table: dict[str, object], key: str, kind: type[T], default: T | None = None) -> T:
    value = table.pop(key, default)
    if not isinstance(value, kind):
        raise TypeError(f"{key!r} must be a {kind.__name__}")
    return value


def _build(kind: type[T], table: dict[str, object], **made: object) -> T:
    """A dataclass of builtins from a table: no unknown keys, and every value of the type it is declared with."""
    types = {"str": str, "int": int, "bool": bool}
    declared = {field.name: types.get(str(field.type)) for field in fields(kind)}  # type: ignore[arg-type]
    for key, value in table.items():
        if declared.get(key) is None:
            raise ValueError(f"unknown key {key!r} in {kind.__name__}")
        if type(value) is not declared[key]:
            raise TypeError(f"{key!r} must be {declared[key]}")
    return kind(**table, **made)
