"""A full disk under PostgreSQL is told as what it is, loses nothing, and passes."""

import os
from contextlib import contextmanager

import pytest

from scout_cli.config import Settings
from scout_cli.errors import DatabaseUnavailable
from scout_cli.store import findings, invariants, scouts, users
from tests.chaos.test_disk_full import (
    MovingClock,
    fill_up,
    small_disk,
    tick,
    write_until_full,
    writes_again,
)
from tests.cli.stage import GOAL, StagedApp
from tests.contract import rows

pytestmark = pytest.mark.chaos

_DISK = "32m"
"""An empty database takes a third of it."""


@contextmanager
def cramped(server):
    """Yield a folder on a small disk, and the name of an empty database that lives there."""
    with small_disk(server.folder / "disk", _DISK) as disk:
        os.chown(disk, server.folder.stat().st_uid, -1)
        server.sql("postgres", f"CREATE TABLESPACE cramped LOCATION '{disk}'")
        server.sql("postgres", "CREATE DATABASE cramped TEMPLATE template0 TABLESPACE cramped")
        try:
            yield disk, "cramped"
        finally:
            server.drop("cramped")
            server.sql("postgres", "DROP TABLESPACE cramped")


async def test_a_full_disk_under_postgresql(postgres):
    """F18: nothing is claimed and what was promised can be read; with room again work goes on."""
    clock = MovingClock()
    with cramped(postgres) as (disk, name):
        settings = Settings(database_url=postgres.url(name), llm_url="builtin://")
        async with StagedApp.open(settings, clock=clock) as app:
            await app.init_db()
            db = await app.database()
            owner = (await users.local_owner(db)).id
            scout = rows.scout(owner, goal=GOAL, search_queries=["ferry"], next_run_at=clock.now())
            await scouts.add(db, scout)
            promised = set()
            filler = fill_up(disk)

            error = await write_until_full(db, scout, promised)
            assert error.message == "the disk of the database is full"
            assert not error.retryable
            assert await findings.count(db, scout.id) == len(promised)
            with pytest.raises(DatabaseUnavailable, match="disk of the database is full"):
                await tick(app)
            assert await db.value(int, "SELECT count(*) FROM scout_executions") == 0

            filler.unlink()
            assert await writes_again(db, scout, promised)
            assert await tick(app) == ["new"]
            kept = set(await db.all(type(scout.id), "SELECT id FROM scout_findings"))
            assert promised < kept
            assert await invariants.check(db, clock.now()) == []
