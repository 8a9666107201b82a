"""What `pause` and `resume` print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scout_cli.cli import streams, tables, times, wishes
from scout_cli.cli.tables import Column
from scout_cli.core.models import Scout

_COLUMNS = (
    Column("id"),
    Column("title", rank=2, wide=True),
    Column("state", rank=1),
    Column("next run", rank=3),
)


def show(
    state: str, before: Sequence[Scout], after: Sequence[Scout], now: datetime, *, as_json: bool
) -> None:
    """Print the scouts as they are now, and say which of them were so before.

    Args:
        state: `paused` or `active`.
        before: as they were.
        after: as they are.
        now: the present.
        as_json: print JSON.
    """
    if as_json:
        streams.put_json({"scouts": [wishes.shown(scout) for scout in after]})
        return
    rows = [
        (
            str(scout.id)[:8],
            scout.title,
            state,
            times.upcoming(scout.next_run_at, now) if scout.is_active else "-",
        )
        for scout in after
    ]
    tables.show(_COLUMNS, rows)
    for scout in (old for old in before if old.is_active == (state == "active")):
        streams.say(f"{streams.line(scout.title)} was {state} already.")
