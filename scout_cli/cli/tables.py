"""Tables: drawn to the terminal's width for a person, aligned and whole for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from scout_cli.cli import streams


class Column(NamedTuple):
    """A column; a wide one takes the room that the others leave."""

    title: str
    wide: bool = False
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


def pairs(rows: Sequence[tuple[str, str]]) -> None:
    """Print names and values to stdout, leaving out the empty ones."""
    filled = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in filled), default=0)
    for name, value in filled:
        streams.put(f"{name:<{width}}  {streams.line(value)}")


def _aligned(text: str, width: int, column: Column) -> str:
    return text.rjust(width) if column.number else text.ljust(width)


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - only a person's terminal needs it
    from rich.text import Text  # noqa: PLC0415 - only a person's terminal needs it

    table = Table(
        box=None, pad_edge=False, expand=any(c.wide for c in columns), padding=(0, 2, 0, 0)
    )
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=not column.wide,
            overflow="ellipsis" if not column.wide else "fold",
            ratio=1 if column.wide else None,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    streams.console(sys.stdout).print(table)
