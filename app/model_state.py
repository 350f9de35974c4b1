"""What is loaded, as the window shows it.

In: what the host knows of a model. Out: a value for the model button and the panes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.packs import Pack


@dataclass(frozen=True)
class ModelState:
    """What is loaded. ``provider`` is the device that is really in use; ``error`` is set when loading failed."""

    status: Literal["none", "loading", "ready", "failed"]
    pack: Pack | None = None
    provider: str = ""
    error: EngineError | None = None
