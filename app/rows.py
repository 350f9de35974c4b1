"""The list of what a pane holds: what is shown when one of it goes.

In: items. Out: the list without one of them, and its neighbour.
"""

from __future__ import annotations

from typing import TypeVar

Item = TypeVar("Item")


def take_out(items: list[Item], item: Item) -> Item | None:
    """Remove an item; returns the one that comes to its place, else the last one, else None."""
    row = items.index(item)
    items.remove(item)
    rest = items[row : row + 1] or items[-1:]
    return rest[0] if rest else None
