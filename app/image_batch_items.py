"""One picture of the table and what is known of it.

In: what happens to it. Out: a :class:`BatchItem`, changed only on the UI thread by the session; its row in an export.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.image_items import ImageChoices
from app.image_text import error_text
from engine.errors import EngineError
from engine.results import Described

if TYPE_CHECKING:
    from engine.tasks.describe_exports import PictureRow

State = Literal["waiting", "running", "stopped", "done", "failed"]


@dataclass(eq=False)
class BatchItem:
    """A picture. ``text`` is its description as the user left it; ``choices`` are those that it was made with.

    ``error`` is why it could not be described; ``export_error`` why its description could not be written into or beside it.
    """

    key: int
    path: Path
    state: State = "waiting"
    text: str = ""
    edited: bool = False
    described: Described | None = None
    choices: ImageChoices | None = None
    error: EngineError | None = None
    export_error: EngineError | None = None
    again: bool = False  # whatever an earlier run knew of it

    @property
    def has_problem(self) -> bool:
        """Whether somebody should look at it."""
        return self.state == "failed" or self.export_error is not None

    @property
    def unsure(self) -> bool:
        """Whether its description should be read with doubt; one that the user wrote needs none."""
        return self.described is not None and self.described.unsure and not self.edited

    @property
    def confidence(self) -> float:
        """How sure the model is, 0 to 1; -1 where there is no description."""
        return self.described.confidence if self.described is not None else -1.0

    def row(self) -> PictureRow:
        """What of it goes into an export."""
        from engine.tasks.describe_exports import PictureRow

        error = error_text(self.error) if self.state == "failed" else ""
        return PictureRow(self.path, self.text, self.described, error)
