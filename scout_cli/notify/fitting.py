"""Messages of a bounded size: whole blocks as long as they fit, then how many items are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scout_cli.core.models import Record


class Block(Record, frozen=True, kw_only=True):
    """A piece of a message that is shown whole or not at all."""

    text: str
    """As it is sent, markup included."""
    size: int
    """In the receiver's units, without what the markup costs."""
    items: int = 0
    """How many items of news it holds."""


def fit(
    blocks: Sequence[Block], room: int, *, size: Callable[[str], int], gap: str = "\n\n"
) -> str:
    """Return as many blocks as fit, in order, and "and N more" for the items that do not.

    Args:
        blocks: the pieces; the first is always taken, its writer keeps it small.
        room: the size of everything, gaps included.
        size: measures plain text in the receiver's units.
        gap: stands between two blocks.
    """
    shown, used = [block.text for block in blocks[:1]], sum(block.size for block in blocks[:1])
    left = sum(block.items for block in blocks[1:])
    for block in blocks[1:]:
        grown = used + size(gap) + block.size
        after = left - block.items
        if grown + (size(gap + more(after)) if after else 0) > room:
            break
        shown.append(block.text)
        used, left = grown, after
    return gap.join([*shown, more(left)] if left else shown)


def more(count: int) -> str:
    """Return the line that stands for items without room."""
    return f"… and {count} more"
