"""How much of an allowance is left, for all processes of a database together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scout_cli.core.models import Record
from scout_cli.store.database import Connection


class Allowance(Record, frozen=True, kw_only=True):
    """So many in so many seconds, refilled evenly."""

    name: str
    most: int
    seconds: float


class _Left(Record, frozen=True, kw_only=True):
    left_over: float
    counted_at: datetime


async def take(tx: Connection, wanted: Sequence[Allowance]) -> float:
    """Inside a transaction: take one of each, or none of any.

    Args:
        tx: the transaction.
        wanted: which.

    Returns:
        0 when they were taken, else the seconds until they could be.
    """
    now = await tx.now()
    # In one order for everybody: two that wait for one another would wait for ever.
    chosen = sorted(wanted, key=lambda each: each.name)
    left = [await _left(tx, each, now) for each in chosen]
    wait = max(
        ((1 - has) * each.seconds / each.most for each, has in zip(chosen, left, strict=True)),
        default=0.0,
    )
    if wait > 0:
        return wait
    for each, has in zip(chosen, left, strict=True):
        await _put(tx, each, has - 1, now)
    return 0.0


async def give_back(tx: Connection, wanted: Sequence[Allowance]) -> None:
    """Inside a transaction: give back one of each."""
    now = await tx.now()
    for each in sorted(wanted, key=lambda each: each.name):
        await _put(tx, each, min(await _left(tx, each, now) + 1, each.most), now)


async def _left(tx: Connection, each: Allowance, now: datetime) -> float:
    await tx.execute(
        """INSERT INTO allowances (name, left_over, counted_at, full_at) VALUES ($1, $2, $3, $3)
            ON CONFLICT (name) DO NOTHING""",
        each.name,
        float(each.most),
        now,
    )
    sql = f"SELECT left_over, counted_at FROM allowances WHERE name = $1 {tx.update_lock}"  # noqa: S608 - a constant
    has = await tx.one(_Left, sql, each.name)
    assert has is not None
    passed = max((now - has.counted_at).total_seconds(), 0.0)
    return min(has.left_over + passed * each.most / each.seconds, float(each.most))


async def _put(tx: Connection, each: Allowance, left: float, now: datetime) -> None:
    full = now + timedelta(seconds=(each.most - left) * each.seconds / each.most)
    sql = "UPDATE allowances SET left_over = $2, counted_at = $3, full_at = $4 WHERE name = $1"
    await tx.execute(sql, each.name, float(left), now, full)
