"""Scouts with what they have: at a glance, by name, and removed."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from scout_cli.core.models import Execution, User
from scout_cli.errors import Conflict, NotFound
from scout_cli.store import executions, findings, overviews, scouts, users
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.rows import AT


@pytest.fixture
async def owner(database):
    """Return the local owner."""
    return await users.local_owner(database)


async def store_run(db, run) -> None:
    """Store a run as it is, whatever state it is in."""
    await db.execute(insert("scout_executions", Execution), *values(run))


@pytest.fixture
async def busy(database, owner):
    """Return three scouts: one with three runs and two findings, one with a run, one bare."""
    made = [
        rows.scout(owner.id, title=f"Scout {n}", created_at=AT + timedelta(seconds=n), urls=["u"])
        for n in range(3)
    ]
    for scout in made:
        await scouts.add(database, scout)
    outcomes = ("new", "nothing_new", "could_not_look")
    for n, outcome in enumerate(outcomes):
        for scout in made[: 1 if n else 2]:
            at = AT + timedelta(hours=n)
            ended = {"status": "completed", "state": "completed", "outcome": outcome}
            await store_run(database, rows.execution(scout, started_at=at, **ended))
    await findings.add_many(database, [rows.finding(made[0]), rows.finding(made[0])])
    await scouts.add(database, rows.scout((await _stranger(database)).id))
    return made


async def _stranger(db):
    user = User(id=uuid4(), email="else@where.example", created_at=AT)
    await db.execute(insert("users", User), *values(user))
    return user


async def test_overviews_are_what_each_scout_alone_would_say(database, owner, busy):
    """Scout, last run and number of findings, oldest scout first, nobody else's."""
    found = await overviews.owned(database, owner.id)
    assert [each.scout for each in found] == await scouts.owned(database, owner.id)
    for each in found:
        last = await executions.of_scout(database, each.scout.id, 1)
        assert each.last == (last[0] if last else None)
        assert each.findings == await findings.count(database, each.scout.id)
    assert [each.last.outcome if each.last else None for each in found] == [
        "could_not_look",
        "new",
        None,
    ]
    assert await overviews.owned(database, uuid4()) == []


async def test_glances_agree_with_overviews(database, owner, busy):
    """The short form says the same."""
    whole = await overviews.owned(database, owner.id)
    short = await overviews.glances(database, owner.id)
    assert [(g.id, g.title, g.schedule, g.is_active, g.next_run_at, g.findings) for g in short] == [
        (o.scout.id, o.scout.title, o.scout.schedule, o.scout.is_active, o.scout.next_run_at,
         o.findings)
        for o in whole
    ]  # fmt: skip
    assert [(g.started_at, g.outcome, g.state) for g in short] == [
        (o.last.started_at, o.last.outcome, o.last.state) if o.last else (None, None, None)
        for o in whole
    ]


async def test_the_last_run_with_news_is_found_behind_silent_ones(database, busy):
    """A scout without news has none."""
    first, second, bare = busy
    assert (await overviews.last_with_news(database, first.id)).started_at == AT
    assert (await overviews.last_with_news(database, second.id)).outcome == "new"
    assert await overviews.last_with_news(database, bare.id) is None


async def test_belongings_are_counted_in_the_order_asked_for(database, busy):
    """Runs and findings of each; one that is not there is left out."""
    first, second, bare = busy
    found = await overviews.belongings(database, [bare.id, uuid4(), first.id, second.id])
    assert [(each.scout_id, each.runs, each.findings) for each in found] == [
        (bare.id, 0, 0),
        (first.id, 3, 2),
        (second.id, 1, 0),
    ]
    assert await overviews.belongings(database, []) == []


async def test_names_are_ids_and_titles(database, owner, busy):
    """Of this owner, oldest first."""
    named = await scouts.names(database, owner.id)
    assert [(each.id, each.title) for each in named] == [(each.id, each.title) for each in busy]
    assert await scouts.names(database, uuid4()) == []


async def test_an_idle_scout_is_removed_with_all_it_has(database, owner, busy):
    """Queued runs and runs whose lease is over do not keep it; a second time it is not there."""
    first, *others = busy
    lost = rows.execution(first, state="running", lease_until=AT)
    await store_run(database, lost)
    async with database.transaction() as tx:
        await scouts.remove_idle(tx, first, AT)
    assert await scouts.owned(database, owner.id) == others
    assert await executions.get(database, lost.id) is None
    assert await findings.count(database, first.id) == 0
    async with database.transaction() as tx:
        with pytest.raises(NotFound):
            await scouts.remove_idle(tx, first, AT)


async def test_a_running_scout_is_not_removed(database, busy):
    """Nor is anything else of the same transaction."""
    first, second, _ = busy
    await store_run(database, rows.execution(second, state="running"))

    async def both() -> None:
        async with database.transaction() as tx:
            await scouts.remove_idle(tx, first, AT)
            await scouts.remove_idle(tx, second, AT)

    with pytest.raises(Conflict, match="'Scout 1' is running since 2026-11-21 02:37:14 UTC"):
        await both()
    assert await scouts.get(database, first.id) == first


async def test_a_scout_whose_run_is_just_beginning_is_not_removed(database, busy):
    """Where writers work side by side, a run that is not yet committed protects its scout."""
    if database.kind == "sqlite":
        return  # one writer at a time: there is no such moment
    first, *_ = busy
    async with database.transaction() as beginning:
        await store_run(beginning, rows.execution(first, state="running"))
        with pytest.raises(Conflict, match="in use just now"):
            async with database.transaction() as tx:
                await scouts.remove_idle(tx, first, AT)
    assert await scouts.get(database, first.id) == first
