"""Tables: drawn to the terminal's width for a person, aligned and whole for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from scout_cli.cli import streams

_GAP = 2
"""Blank columns between two columns."""


class Column(NamedTuple):
    """A column; a wide one takes the room that the others leave."""

    title: str
    rank: int = 0
    """Of those above 0 the highest goes first when the terminal is narrow; 0 always stays."""
    wide: bool = False
    least: int = 16
    """Characters that a wide column needs to be worth its place."""
    number: bool = False


def show(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table to stdout.

    Args:
        columns: titles and how they behave.
        rows: one text per column; what is unsafe for a terminal is taken out here.
    """
    safe = [[streams.line(cell) for cell in row] for row in rows]
    if streams.is_terminal(sys.stdout):
        _draw(columns, safe)
        return
    titles = [column.title.upper() for column in columns]
    widths = [max(len(cell) for cell in cells) for cells in zip(titles, *safe, strict=True)]
    for row in [titles, *safe]:
        cells = [_aligned(*each) for each in zip(row, widths, columns, strict=True)]
        streams.put("  ".join(cells).rstrip())


def say_more(limit: int) -> None:
    """Say that a list was cut at `limit` rows, and how to see more."""
    streams.say(f"The newest {limit} are shown; more with --limit {limit * 5}")


def pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values to stdout, leaving out the empty ones."""
    filled = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in filled), default=0)
    for name, value in filled:
        streams.put(f"{name:<{width}}  {streams.line(value)}")


def chosen(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Return the numbers of the columns that fit, in their order.

    Args:
        columns: all of them.
        widths: the widest cell of each, its title included.
        room: columns of the terminal.
    """
    needs = [
        min(width, max(column.least, len(column.title))) if column.wide else width
        for column, width in zip(columns, widths, strict=True)
    ]
    kept = list(range(len(columns)))
    while sum(needs[each] + _GAP for each in kept) - _GAP > room:
        last = max(kept, key=lambda each: columns[each].rank)
        if columns[last].rank == 0:
            break
        kept.remove(last)
    return kept


def _aligned(text: str, width: int, column: Column) -> str:
    return text.rjust(width) if column.number else text.ljust(width)


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len  # noqa: PLC0415 - only a person's terminal needs it
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415 - see above

    console = streams.console(sys.stdout)
    titles = [column.title for column in columns]
    widths = [max(map(cell_len, cells)) for cells in zip(titles, *rows, strict=True)]
    kept = chosen(columns, widths, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for each in kept:
        column = columns[each]
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=not column.wide,
            overflow="fold" if column.wide else "ellipsis",
            min_width=None if column.wide else widths[each],
        )
    for row in rows:
        table.add_row(*(Text(row[each]) for each in kept))
    console.print(table)
