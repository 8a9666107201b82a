"""Cleaning up what the server keeps: sessions, codes, allowances, events, changes."""

from __future__ import annotations

from datetime import timedelta

from scout_cli.service.upkeep import Retention, Upkeep
from scout_cli.store import allowances, scouts, users
from scout_cli.store.allowances import Allowance
from scout_cli.store.statements import insert, values
from tests.contract import rows


async def test_what_ended_goes(database, clock) -> None:
    """Full allowances at once, sessions after three days, codes after one, items after thirty."""
    async with database.transaction() as tx:
        await allowances.take(tx, [Allowance(name="x", most=10, seconds=300)])
    upkeep = Upkeep(database, clock, Retention())
    assert (await upkeep.preview()).allowances == 0
    clock.forward(31)
    assert (await upkeep.clean()).allowances == 1
    owner, now = database.uuid(), clock.now()
    await database.execute("INSERT INTO users (id, created_at) VALUES ($1, $2)", owner, now)
    for hours in (1, 71, 73):
        ended = now - timedelta(hours=hours)
        await database.execute(
            """INSERT INTO sessions (id, user_id, counted_at, method, created_at, expires_at)
                VALUES ($1, $2, $3, 'password', $3, $3)""",
            database.uuid(), owner, ended,
        )  # fmt: skip
        await database.execute(
            """INSERT INTO codes (hash, user_id, kind, created_at, expires_at)
                VALUES ($1, $2, 'recover', $3, $3)""",
            str(hours), owner, ended,
        )  # fmt: skip
        await database.execute(
            "INSERT INTO chat_items (id, item, created_at) VALUES ($1, '{}', $2)",
            str(hours), now - timedelta(days=hours),
        )  # fmt: skip
    done = await upkeep.clean()
    assert (done.sessions, done.codes, done.chat_items) == (1, 2, 2)


async def test_events_go_with_the_steps_of_their_runs(database, clock) -> None:
    """What an agent said is kept as long as its steps are; of a run under way all of it."""
    owner = await users.local_owner(database)
    scout = rows.scout(owner.id, goal="Ferries")
    await scouts.add(database, scout)
    old = clock.now() - timedelta(days=31)
    ended = {"status": "completed", "state": "completed", "lease_until": None}
    for more in (ended, {}):
        run = rows.execution(scout, started_at=old, created_at=old, **more)
        await database.execute(insert("scout_executions", type(run)), *values(run))
        await database.execute(
            """INSERT INTO execution_events (execution_id, fence, number, user_id, kind, data, at)
                VALUES ($1, 1, 1, $2, 'step', '{}', $3)""",
            run.id, owner.id, old,
        )  # fmt: skip
    upkeep = Upkeep(database, clock, Retention())
    assert (await upkeep.clean()).events == 1
    assert await database.value(int, "SELECT count(*) FROM execution_events") == 1


async def test_changes_go_after_a_day(database, clock) -> None:
    """Who watches has long been told; younger ones stay, and the newest of the old."""
    owner = await users.local_owner(database)
    for _ in range(3):
        await scouts.add(database, rows.scout(owner.id, goal="Ferries"))
    for hours, left in ((23, 3), (25, 1)):
        at = clock.now() - timedelta(hours=hours)
        await database.execute("UPDATE changes SET at = $1", at)
        await Upkeep(database, clock, Retention()).clean()
        assert await database.value(int, "SELECT count(*) FROM changes") == left
