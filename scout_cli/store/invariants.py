"""What must hold in every database at every moment, looked for as far as a database can tell.

I1   no slot of a scout has two runs, and no scout two live ones
I2   every slot that has come is covered by exactly one run
I3   a run with news has one message for each channel, any other run none
I4   at rest every message is sent, dead or unknown
I6   no run goes on without an owner
I7   the next run of a scout is its next slot
I8   what a run stored is its own: of its fence, its scout and its user
I9   the database itself is sound
I10  a scout's failures in a row are those of its last runs

I2, I4 and parts of the others can only be told when nothing rested, changed or waits, as after a
test: `steady`. I5, I11 and I12 are about receivers and processes, which no database knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from scout_cli.core.models import Record
from scout_cli.store import invariants_of_runs, invariants_of_slots
from scout_cli.store.archive_schema import Table, newest, tables
from scout_cli.store.database import Connection

_TOLD = 10
"""Violations of one kind that are told."""
_PATIENCE = timedelta(hours=1)
"""For which a worker that comes back may leave a lost run where it is."""
_GRACE = timedelta(seconds=15)


class Violation(Record, frozen=True, kw_only=True):
    """Something that cannot be, and is."""

    name: str
    """`I1` to `I10`."""
    detail: str


class _Rule(Record, frozen=True, kw_only=True):
    """Rows that may not be there."""

    name: str
    says: str
    """With the row's identity in the place of `{}`."""
    sql: str
    """Selects the identities of such rows."""


_RULES = (
    _Rule(
        name="I1",
        says="scout {} has two runs for one slot",
        sql="""SELECT CAST(scout_id AS TEXT) FROM scout_executions WHERE slot_at IS NOT NULL
            GROUP BY scout_id, slot_at HAVING count(*) > 1""",
    ),
    _Rule(
        name="I1",
        says="scout {} has two live runs",
        sql="""SELECT CAST(scout_id AS TEXT) FROM scout_executions
            WHERE state IN ('queued', 'running') GROUP BY scout_id HAVING count(*) > 1""",
    ),
    _Rule(
        name="I2",
        says="run {} covers slots from after its own",
        sql="SELECT CAST(id AS TEXT) FROM scout_executions WHERE covers_from > slot_at",
    ),
    _Rule(
        name="I3",
        says="message {} tells of a run without news",
        sql="""SELECT CAST(o.id AS TEXT) FROM notification_outbox o
            JOIN scout_executions e ON e.id = o.execution_id
            WHERE o.kind = 'news' AND (e.state <> 'completed' OR e.outcome <> 'new')""",
    ),
    _Rule(
        name="I3",
        says="run {} was told to one channel twice",
        sql="""SELECT CAST(execution_id AS TEXT) FROM notification_outbox
            WHERE kind = 'news' AND execution_id IS NOT NULL
            GROUP BY execution_id, channel_id HAVING count(*) > 1""",
    ),
    _Rule(
        name="I6",
        says="run {} is in a state that its status denies",
        sql="""SELECT CAST(id AS TEXT) FROM scout_executions WHERE status <> CASE
            WHEN state IN ('queued', 'running') THEN 'running'
            WHEN state = 'completed' THEN 'completed' ELSE 'failed' END""",
    ),
    _Rule(
        name="I6",
        says="run {} is held without a lease",
        sql="""SELECT CAST(id AS TEXT) FROM scout_executions
            WHERE state = 'running' AND lease_until IS NULL""",
    ),
    _Rule(
        name="I8",
        says="step {} is of a fence that its run never had",
        sql="""SELECT CAST(s.id AS TEXT) FROM scout_execution_steps s
            JOIN scout_executions e ON e.id = s.execution_id WHERE s.fence > e.fence""",
    ),
    _Rule(
        name="I8",
        says="step {} goes on, and its run has ended",
        sql="""SELECT CAST(s.id AS TEXT) FROM scout_execution_steps s
            JOIN scout_executions e ON e.id = s.execution_id
            WHERE s.status = 'running' AND e.state IN ('completed', 'failed', 'cancelled')""",
    ),
    _Rule(
        name="I8",
        says="finding {} is of a run that did not complete",
        sql="""SELECT CAST(f.id AS TEXT) FROM scout_findings f
            JOIN scout_executions e ON e.id = f.execution_id WHERE e.state <> 'completed'""",
    ),
    _Rule(
        name="I8",
        says="a vector is of finding {}, which is not there or another scout's",
        sql="""SELECT CAST(v.subject_id AS TEXT) FROM embeddings v
            LEFT JOIN scout_findings f ON f.id = v.subject_id AND f.scout_id = v.scout_id
            WHERE v.subject_kind = 'finding' AND f.id IS NULL""",
    ),
)
_AT_REST = _Rule(
    name="I4",
    says="message {} still waits",
    sql="""SELECT CAST(id AS TEXT) FROM notification_outbox
        WHERE state IN ('pending', 'sending') AND next_attempt_at <= $2""",
)
_UNOWNED = _Rule(
    name="I6",
    says="run {} lost its worker, and nobody took it back",
    sql="""SELECT CAST(id AS TEXT) FROM scout_executions
        WHERE state = 'running' AND lease_until < $2""",
)


async def check(
    db: Connection, now: datetime, *, steady: bool = False, notify: Sequence[str] = ()
) -> list[Violation]:
    """Return what is wrong in a database of this version; nothing is changed.

    Args:
        db: the database.
        now: its present, or the moment at which an archive was made of it.
        steady: whether no scout rested, no rhythm, channel or clock changed and all work is done
            since the first run: then what is missing is told as well.
        notify: with `steady`, the URLs of channels that hear of all scouts.

    Returns:
        At most ten violations of each kind.

    Raises:
        DatabaseUnavailable: it does not answer, or has not the tables of this version.
    """
    found = await _damage(db)
    for rule in _RULES:
        found += await _broken(db, rule)
    for rule in _ownership():
        found += await _broken(db, rule)
    found += await _unowned(db, now, steady=steady)
    if steady:
        found += await _broken(db, _AT_REST, now)
    for name, told in (
        ("I2", await invariants_of_slots.uncovered(db, now) if steady else []),
        ("I3", await invariants_of_runs.untold(db, notify) if steady else []),
        ("I7", await invariants_of_slots.misplaced(db, now, steady=steady)),
        ("I10", await invariants_of_runs.miscounted(db, steady=steady)),
    ):
        found += [Violation(name=name, detail=detail) for detail in told[:_TOLD]]
    return found


async def _broken(db: Connection, rule: _Rule, *args: datetime) -> list[Violation]:
    rows = await db.all(str, f"{rule.sql} LIMIT $1", _TOLD, *args)
    return [Violation(name=rule.name, detail=rule.says.format(row)) for row in rows]


async def _unowned(db: Connection, now: datetime, *, steady: bool) -> list[Violation]:
    if steady:
        return await _broken(db, _UNOWNED, now - _GRACE)
    # Where no worker runs, nobody can take anything back.
    seen = await db.value(datetime, "SELECT at FROM marks WHERE name = 'tick'")
    return await _broken(db, _UNOWNED, seen - _PATIENCE) if seen else []


def _ownership() -> list[_Rule]:
    """Return the rules that a row and what it refers to belong to the same user."""
    known = {table.name: table for table in tables(newest())}
    return [
        _Rule(
            name="I8",
            says=f"a row of {table.name} belongs to another user than its row of {parent}: {{}}",
            sql=f"""SELECT CAST(t.{table.key[0]} AS TEXT) FROM {table.name} t
                JOIN {parent} p ON p.id = t.{column} WHERE t.user_id <> p.user_id""",  # noqa: S608 - names of our own migrations
        )
        for table in known.values()
        for column, parent in _owned(table, known)
    ]


def _owned(table: Table, known: dict[str, Table]) -> list[tuple[str, str]]:
    if "user_id" not in table.names:
        return []
    links = [(each.column, each.table) for each in table.references]
    return [(column, parent) for column, parent in links if "user_id" in known[parent].names]


async def _damage(db: Connection) -> list[Violation]:
    """Let the database examine itself."""
    if db.kind == "postgresql":
        return await _index_damage(db)
    whole = await db.all(str, "SELECT integrity_check FROM pragma_integrity_check LIMIT $1", _TOLD)
    lost = await db.all(
        str, 'SELECT DISTINCT "table" FROM pragma_foreign_key_check LIMIT $1', _TOLD
    )
    told = [line for line in whole if line != "ok"]
    told += [f"a row of {table} refers to one that is not there" for table in lost]
    return [Violation(name="I9", detail=line) for line in told]


async def _index_damage(db: Connection) -> list[Violation]:
    """Look at every B-tree with `amcheck`, where it is installed and may be used.

    Source: PostgreSQL's documentation, "amcheck: tools to verify table and index consistency".
    """
    there = """SELECT coalesce(bool_or(has_function_privilege(p.oid, 'EXECUTE')), false)
        FROM pg_proc p WHERE p.proname = 'bt_index_check' AND pg_function_is_visible(p.oid)"""
    if not await db.value(bool, there):
        return []
    indexes = """SELECT CAST(i.indexrelid AS BIGINT) FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
        WHERE a.amname = 'btree' AND c.relkind = 'i' AND c.relpersistence <> 't'
            AND i.indisvalid AND c.relnamespace = current_schema()::regnamespace"""
    from asyncpg import IndexCorruptedError  # noqa: PLC0415 - loaded where PostgreSQL is in use

    found = []
    for index in await db.all(int, indexes):
        try:
            await db.execute("SELECT bt_index_check(CAST(CAST($1 AS BIGINT) AS oid))", index)
        except IndexCorruptedError as error:
            found.append(Violation(name="I9", detail=str(error)))
    return found
