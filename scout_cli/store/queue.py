"""The life of an execution between its slot and its end: claimed, renewed, given back.

Every transition names the state it leaves and, from `running` on, the fence it holds; the number
of changed rows says whether it happened.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from scout_cli.core.models import Execution, Record
from scout_cli.errors import Conflict, NotFound
from scout_cli.store import answers, executions, takeover
from scout_cli.store.database import Connection
from scout_cli.store.executions import LIVE, fence_lost
from scout_cli.store.statements import insert, values

CANCELLED = "cancelled"
"""`error_message` of a run that somebody ended."""

_CLAIMED = """
    state = 'running', fence = fence + 1, attempt = attempt + 1, beats = 0, lease_owner = $1,
    lease_until = {until}, deadline_at = {deadline}, error_message = NULL, error_class = NULL,
    started_at = CASE WHEN attempt = 0 AND crash_count = 0 THEN {now} ELSE started_at END
"""
_HELD = """RETURNING id, scout_id, user_id, status, state, "trigger", started_at, created_at,
    slot_at, covers_from, run_after, fence, attempt, crash_count, lease_owner, lease_until,
    deadline_at"""
"""What a run has before it begins; its other columns are empty, and reading them takes longer than
the claim."""
_GIVEN = _CLAIMED.format(until="$2", deadline="$3", now="$4")
_WAITING = """SELECT id FROM scout_executions WHERE state = 'queued' AND run_after <= {now}
    ORDER BY run_after, id LIMIT {limit} {locked}"""
_TAKE = f"""
    WITH picked AS MATERIALIZED ({{waiting}})
    UPDATE scout_executions SET {{claimed}}
    WHERE id IN (SELECT id FROM picked) AND state = 'queued' {_HELD}
"""  # noqa: S608 - constants
_TAKE_ONE = f"""
    UPDATE scout_executions SET {{claimed}} WHERE id = ({{waiting}}) AND state = 'queued' {_HELD}
"""  # noqa: S608 - constants


class Lease(Record, frozen=True, kw_only=True):
    """Who holds an execution, and for how long without a sign of life."""

    owner: str
    until: datetime
    deadline: datetime
    """When the run is taken from its owner, sign of life or not."""
    now: datetime


class Span(Record, frozen=True, kw_only=True):
    """Who claims, and for how long; it begins at the database's own present moment."""

    owner: str
    lease: timedelta
    """Without a sign of life for so long, another process may take it over."""
    deadline: timedelta
    """It is taken away after this, sign of life or not."""


async def start(db: Connection, execution: Execution) -> Execution:
    """Begin a run that somebody asked for, now.

    A run of the same scout whose process was lost is ended first. One that waits in the queue is
    taken over instead of a second one beside it.

    Args:
        db: the database.
        execution: a running execution with lease and deadline.

    Returns:
        The run to carry out: `execution`, or the one that waited.

    Raises:
        Conflict: this scout is already running, and its lease holds.
        InvalidInput: it has no lease, so that a crash would leave it running for ever.
        NotFound: the scout is not there.
    """
    async with db.transaction() as tx:
        now = await tx.now()
        await takeover.take_back_of(tx, execution.scout_id, now)
        if execution.lease_until is not None:
            lease = Lease(
                owner=execution.lease_owner or "",
                until=execution.lease_until,
                deadline=execution.deadline_at or execution.lease_until,
                now=now,
            )
            if waiting := await claim_of(tx, execution.scout_id, lease):
                return waiting
        await executions.add(tx, execution)
        return execution


async def ask(db: Connection, asked: Execution) -> None:
    """Queue a run that somebody asked for; any worker takes it.

    A run of the same scout whose process was lost is ended first.

    Args:
        db: the database.
        asked: a queued execution without a lease.

    Raises:
        Conflict: this scout is running already, or waits to run.
        NotFound: the scout is not there.
    """
    async with db.transaction() as tx:
        now = await tx.now()
        await takeover.take_back_of(tx, asked.scout_id, now)
        queued = f"""{insert("scout_executions", Execution)}
            ON CONFLICT (scout_id) WHERE status = 'running' DO NOTHING"""
        if not await tx.execute(queued, *values(asked)):
            raise Conflict(
                "this scout is running already, or waits to run",
                hint="watch that run, or cancel it",
            )


async def cancel(db: Connection, execution_id: UUID) -> Execution:
    """End a run that waits or works; whoever works on it loses its fence.

    Returns:
        The run as it is then.

    Raises:
        Conflict: it has ended.
        NotFound: it is not there any more.
    """
    async with db.transaction() as tx:
        now = await tx.now()
        sql = """
            UPDATE scout_executions SET state = 'cancelled', status = 'failed', fence = fence + 1,
                completed_at = $2, error_message = $3, error_class = $4, lease_until = NULL,
                lease_owner = NULL
            WHERE id = $1 AND state IN ('queued', 'running') RETURNING *
        """
        ended = await tx.one(Execution, sql, execution_id, now, CANCELLED, "cancelled")
        if ended is None:
            known = await executions.get(tx, execution_id)
            if known is None:
                raise NotFound(f"no run {execution_id}", hint="`scout history` shows them")
            raise Conflict(f"run {execution_id} has ended: {known.state}")
        await takeover.end_steps(tx, [execution_id], now, CANCELLED)
        await answers.forget(tx, execution_id)
        return ended


async def claim(db: Connection, lease: Lease, limit: int) -> list[Execution]:
    """Take up to `limit` queued runs whose moment has come, the longest waiting first.

    No two callers get the same one, whatever process or machine they are in.
    """
    args = (lease.owner, lease.until, lease.deadline, lease.now)
    return await _claim(db, _GIVEN, "$4", args, limit)


async def claim_now(db: Connection, span: Span, limit: int) -> list[Execution]:
    """As `claim`, by the database's own clock, in one round trip."""
    if not db.present:
        return await claim(db, await _begun(db, span), limit)
    return await _claim(db, _by_the_database(db), db.present, (span.owner, *_seconds(span)), limit)


async def claim_one(db: Connection, span: Span, execution_id: UUID) -> Execution | None:
    """Take one queued run whose moment has come; None when it is not there to be taken.

    Of any number of callers one gets it.
    """
    if db.present:
        claimed, now, id_ = _by_the_database(db), db.present, "$4"
        args: tuple[object, ...] = (span.owner, *_seconds(span), execution_id)
    else:
        lease = await _begun(db, span)
        claimed, now, id_ = _GIVEN, "$4", "$5"
        args = (lease.owner, lease.until, lease.deadline, lease.now, execution_id)
    sql = f"""
        UPDATE scout_executions SET {claimed}
        WHERE id = {id_} AND state = 'queued' AND run_after <= {now} {_HELD}
    """  # noqa: S608 - constants
    return await db.one(Execution, sql, *args)


async def claim_of(db: Connection, scout_id: UUID, lease: Lease) -> Execution | None:
    """Take the queued run of one scout now, before its moment; None when it has none."""
    sql = f"""
        UPDATE scout_executions SET {_GIVEN} WHERE scout_id = $5 AND state = 'queued' {_HELD}
    """  # noqa: S608 - constants
    return await db.one(
        Execution, sql, lease.owner, lease.until, lease.deadline, lease.now, scout_id
    )


async def _claim(
    db: Connection, claimed: str, now: str, args: tuple[object, ...], limit: int
) -> list[Execution]:
    waiting = _WAITING.format(now=now, limit=f"${len(args) + 1}", locked=db.skip_locked)
    # A single one by equality: the plan of `IN` takes a fifth longer.
    text = _TAKE_ONE if limit == 1 else _TAKE
    taken = await db.all(Execution, text.format(waiting=waiting, claimed=claimed), *args, limit)
    return sorted(taken, key=lambda each: (each.run_after or each.created_at, each.id))


def _by_the_database(db: Connection) -> str:
    later = f"{db.present} + make_interval(secs => CAST({{}} AS float8))"
    return _CLAIMED.format(until=later.format("$2"), deadline=later.format("$3"), now=db.present)


def _seconds(span: Span) -> tuple[float, float]:
    return span.lease.total_seconds(), span.deadline.total_seconds()


async def _begun(db: Connection, span: Span) -> Lease:
    now = await db.now()
    until, deadline = now + span.lease, now + span.deadline
    return Lease(owner=span.owner, until=until, deadline=deadline, now=now)


async def renew(db: Connection, execution_id: UUID, fence: int, lease_until: datetime) -> None:
    """Say that the run is alive.

    Args:
        db: the database.
        execution_id: the run.
        fence: the number it was started with.
        lease_until: until when nobody may take it over.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    sql = f"""
        UPDATE scout_executions SET lease_until = $3, beats = beats + 1 WHERE {LIVE}
    """  # noqa: S608 - a constant
    if not await db.execute(sql, execution_id, fence, lease_until):
        raise fence_lost(execution_id)


async def retry(
    db: Connection, execution: Execution, run_after: datetime, message: str, error_class: str
) -> None:
    """Put a run back that failed for now.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    sql = f"""
        UPDATE scout_executions SET state = 'queued', run_after = $3, error_message = $4,
            error_class = $5, lease_until = NULL, lease_owner = NULL
        WHERE {LIVE}
    """  # noqa: S608 - a constant
    if not await db.execute(sql, execution.id, execution.fence, run_after, message, error_class):
        raise fence_lost(execution.id)


async def release(db: Connection, execution: Execution, now: datetime) -> None:
    """Give a run back untouched, as on SIGTERM: the attempt is not counted.

    Raises:
        FenceLost: another process has taken it over, or it has ended.
    """
    sql = f"""
        UPDATE scout_executions SET state = 'queued', run_after = $3, attempt = attempt - 1,
            lease_until = NULL, lease_owner = NULL
        WHERE {LIVE}
    """  # noqa: S608 - a constant
    if not await db.execute(sql, execution.id, execution.fence, now):
        raise fence_lost(execution.id)


async def running_of(db: Connection, scout_id: UUID) -> Execution | None:
    """Return the live run of a scout, queued or running; None when it has none."""
    sql = "SELECT * FROM scout_executions WHERE scout_id = $1 AND status = 'running'"
    return await db.one(Execution, sql, scout_id)


async def bring_back(db: Connection, now: datetime, latest: datetime) -> None:
    """After the clock went back: no lease and no wait may reach far into what is now the future.

    Args:
        db: the database.
        now: the present moment.
        latest: the end of a lease that begins now.
    """
    leases = (
        "UPDATE scout_executions SET lease_until = $1 WHERE state = 'running' AND lease_until > $1"
    )
    await db.execute(leases, latest)
    waits = "UPDATE scout_executions SET run_after = $1 WHERE state = 'queued' AND run_after > $2"
    await db.execute(waits, now, latest)
