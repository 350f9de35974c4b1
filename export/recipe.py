"""What is to be built, and what is written about it into the pack.

In: a name, a form, and an entry of the catalogue or a checkpoint on disk. Out: the revision that tells an installed pack
from another, and the :class:`PackManifest` of the finished one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.catalogue import CatalogueEntry
from engine.folders import resources_folder
from engine.genai_config import CAPTIONER
from engine.packs import PackManifest
from export.checkpoints.interface import ModelInfo
from export.packing import Format

# Part of a pack's identity: raise it when the same checkpoint would give other weights or another graph.
EXPORTER_VERSION = 3


@dataclass(frozen=True)
class Recipe:
    """What is to be built. ``entry`` and ``checkpoint`` exclude each other.

    ``weights`` is the folder of what was trained for the image model; None for the weights that ship with Pollux.
    """

    name: str
    form: Format
    entry: CatalogueEntry | None = None
    checkpoint: Path | None = None
    weights: Path | None = None

    @property
    def revision(self) -> str:
        """Tells whether an installed pack is what this recipe would make."""
        source = self.entry.source.sha256[:16] if self.entry else f"local-{_fingerprint(self.checkpoint)}"
        if self.entry is not None and self.entry.family == CAPTIONER:
            source += f"+{_contents(self.weights or trained_folder())}"
        return f"{source}+exporter{EXPORTER_VERSION}{self.form.suffix}"

    def manifest(
        self,
        folder: Path,
        info: ModelInfo,
        *,
        parameters: int,
        context_tokens: int,
        parity: Mapping[str, object],
        kind: str = "language",
        working_bytes: int = 150_000_000,
    ) -> PackManifest:
        """For the pack in ``folder``, whose checkpoint says ``info`` about itself.

        ``working_bytes`` is what the program needs besides the weights, where the catalogue does not say.
        """
        entry = self.entry
        size_bytes = sum(path.stat().st_size for path in folder.iterdir())
        variant = self.form.suffix.replace("-", " ").strip()
        display = entry.display_name if entry else info.name or self.name
        # Weights once as read and once as the kernels want them, and the program itself.
        memory_bytes = entry.memory_bytes if entry and not variant else 2 * size_bytes + working_bytes
        return PackManifest(
            name=self.name,
            kind=kind,
            display_name=f"{display} ({variant})" if variant else display,
            licence=entry.licence if entry else info.licence,
            source=entry.source.origin if entry else info.name,
            revision=self.revision,
            languages=entry.languages if entry else info.languages,
            parameters=entry.parameters if entry else parameters,
            quantisation=self.form.precision,
            memory_bytes=memory_bytes,
            context_tokens=context_tokens,
            system=entry.system if entry else "",
            parity=parity,
        )


def trained_folder() -> Path:
    """The weights that were trained here and ship with Pollux."""
    return resources_folder() / "weights"


def _contents(folder: Path) -> str:
    """Tells trained weights from others, by what is in their files."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("captioner.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _fingerprint(checkpoint: Path | None) -> str:
    """Tells a checkpoint on disk from another, without reading it: names, sizes and times of its files."""
    if checkpoint is None:
        return ""
    found = sorted(checkpoint.iterdir()) if checkpoint.is_dir() else [checkpoint]
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in found]
    return hashlib.sha256(json.dumps(stats).encode()).hexdigest()[:12]
