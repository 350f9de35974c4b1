"""Which chat model helps to describe a picture, if any.

In: what is wanted, and what is installed. Out: a pack, or None: a model that could do nothing here is not loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.packs import Pack
from engine.store import Store
from engine.tasks.describe_composer import can_compose
from engine.tasks.describe_options import DescribeOptions, wants_chat

if TYPE_CHECKING:
    from engine.runtime.image_model import ImageModel


def chat_pack(store: Store, options: DescribeOptions, model: ImageModel) -> Pack | None:
    """The chat pack to open for this; one that knows Chinese where Chinese is to be written and one is installed."""
    asked = bool(options.question.strip())
    if not wants_chat(options, model):
        return None
    if options.in_language == "zh":
        chinese = store.best(language="zh")
        if chinese is not None or not asked:
            return chinese
    best = store.best()
    return best if best is not None and (asked or can_compose(best, "en")) else None
