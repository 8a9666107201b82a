"""The checker of what must hold: silent on what scout does, and loud on each thing it must not."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from scout_cli.core.models import Execution
from scout_cli.service.diagnosis import invariants as diagnosed
from scout_cli.store import channels, findings, invariants, marks, outbox, scouts, users, vectors
from scout_cli.store.marks import Mark
from scout_cli.store.outbox import Content, OutboxRow
from scout_cli.store.statements import insert, values
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)

DAY = timedelta(days=1)
URL = "console://"


class World:
    """A database in which all is well: a daily scout with runs, news, messages and vectors."""

    def __init__(self, db, clock) -> None:
        self.db, self.clock, self.now = db, clock, clock.now()

    async def begin(self):
        """Store three days of a scout's life."""
        self.owner = (await users.local_owner(self.db)).id
        self.scout = rows.scout(
            self.owner,
            goal="Ferries",
            notify=[URL],
            anchor=self.now - 2 * DAY,
            last_run_at=self.now,
            next_run_at=self.now + DAY,
        )
        await scouts.add(self.db, self.scout)
        async with self.db.transaction() as tx:
            (self.channel,) = await channels.ensure(tx, self.owner, [URL])
        self.runs = [await self.run(days, "new" if days else "nothing_new") for days in (2, 1, 0)]
        await marks.put(self.db, Mark(name="tick", at=self.now))
        return self

    async def run(self, days: int, outcome: str | None, **more) -> Execution:
        """Store a run, and with news a finding, its vector and its message."""
        at = self.now - days * DAY
        row = {
            "status": "completed",
            "state": "completed",
            "trigger": "schedule",
            "outcome": outcome,
            "lease_until": None,
            "started_at": at,
            "created_at": at,
            "completed_at": at,
            "slot_at": at,
            "covers_from": at,
        }
        made = rows.execution(self.scout, **{**row, **more})
        await self.db.execute(insert("scout_executions", Execution), *values(made))
        if made.outcome == "new":
            found = rows.finding(self.scout, execution_id=made.id)
            await findings.add_many(self.db, [found])
            await vectors.put_many(self.db, [vectors.of_finding(found, "e", [1.0])])
            await self.message(made)
        return made

    async def message(self, run: Execution, **more) -> None:
        """Store a message that tells of a run."""
        row = {
            "kind": "news",
            "dedupe_key": str(uuid4()),
            "batch": "b",
            "message": Content(subject="s"),
            "state": "sent",
            "next_attempt_at": self.now,
            "created_at": self.now,
            "sent_at": self.now,
        }
        made = OutboxRow(
            id=uuid4(),
            user_id=self.owner,
            channel_id=self.channel.id,
            execution_id=run.id,
            scout_id=self.scout.id,
            **{**row, **more},
        )
        await outbox.add(self.db, [made])

    async def found(self, **more) -> list[str]:
        """Return the names of what is violated."""
        told = await invariants.check(self.db, self.now, **more)
        assert all(each.detail for each in told)
        return sorted({each.name for each in told})


@pytest.fixture
async def world(database, clock):
    """Return a database in which all is well."""
    return await World(database, clock).begin()


async def test_what_is_well_is_not_complained_of(world):
    """Nothing is found in three good days, at rest or not."""
    assert await world.found() == []
    assert await world.found(steady=True) == []


async def test_an_empty_database_is_well(database, clock):
    """A new installation has nothing wrong."""
    assert await invariants.check(database, clock.now(), steady=True) == []


async def test_i1_a_slot_with_two_runs(world):
    """Were the unique index gone, the checker would tell."""
    await world.db.execute("DROP INDEX scout_executions_slot")
    await world.run(0, "nothing_new")
    assert "I1" in await world.found()


async def test_i1_two_live_runs(world):
    """One scout, one live run."""
    await world.db.execute("DROP INDEX scout_executions_one_running")
    for _ in range(2):
        await world.run(
            0, None, status="running", state="queued", slot_at=None, covers_from=None,
            completed_at=None,
        )  # fmt: skip
    assert await world.found() == ["I1"]


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_i2_a_slot_without_a_run(world, lost):
    """A hole between two runs, before now, is told with `steady`; at the very beginning none is."""
    await world.db.execute("DELETE FROM scout_executions WHERE id = $1", world.runs[lost].id)
    assert await world.found() == []
    assert await world.found(steady=True) == ([] if lost == 0 else ["I2"])


async def test_i2_missed_slots_that_one_run_stands_for(world):
    """Coalesced slots are covered."""
    await world.db.execute("DELETE FROM scout_executions WHERE id = $1", world.runs[1].id)
    sql = "UPDATE scout_executions SET covers_from = $1 WHERE id = $2"
    await world.db.execute(sql, world.now - DAY, world.runs[2].id)
    assert await world.found(steady=True) == []
    await world.db.execute(sql, world.now - 2 * DAY, world.runs[2].id)
    assert await world.found(steady=True) == ["I2"]
    await world.db.execute(sql, world.now + DAY, world.runs[2].id)
    assert "I2" in await world.found()


async def test_i3_news_without_a_message(world):
    """With `steady` every channel must have heard; one for all scouts counts too."""
    sql = "DELETE FROM notification_outbox WHERE execution_id = $1"
    assert await world.found(steady=True, notify=["console://other"]) == ["I3"]
    await world.db.execute(sql, world.runs[0].id)
    assert await world.found() == []
    assert await world.found(steady=True) == ["I3"]


async def test_i3_a_message_without_news_or_twice(world):
    """A run that found nothing new is silent, and one that did speaks once."""
    await world.message(world.runs[2])
    assert await world.found() == ["I3"]
    sql = "DELETE FROM notification_outbox WHERE execution_id = $1"
    await world.db.execute(sql, world.runs[2].id)
    await world.message(world.runs[0])
    assert await world.found() == ["I3"]


@pytest.mark.parametrize(
    ("state", "told"), [("pending", ["I4"]), ("sending", ["I4"]), ("held", [])]
)
async def test_i4_a_message_that_waits(world, state, told):
    """At rest nothing waits but what a person holds, or what is for later."""
    await world.db.execute("UPDATE notification_outbox SET state = $1", state)
    assert await world.found() == []
    assert await world.found(steady=True) == told
    await world.db.execute("UPDATE notification_outbox SET next_attempt_at = $1", world.now + DAY)
    assert await world.found(steady=True) == []


async def test_i6_a_run_that_nobody_owns(world):
    """A lease that ran out long ago, while the scheduler was at work."""
    lease = world.now - timedelta(hours=2)
    await world.run(
        0, None, status="running", state="running", lease_until=lease, slot_at=None,
        covers_from=None, completed_at=None,
    )  # fmt: skip
    assert await world.found() == ["I6"]
    await marks.put(world.db, Mark(name="tick", at=lease))
    assert await world.found() == [], "nobody was there to take it back"
    assert await world.found(steady=True) == ["I6"]


async def test_i6_a_status_that_its_state_denies(world):
    """What people see and what the queue knows are one."""
    sql = "UPDATE scout_executions SET state = 'failed', outcome = NULL WHERE id = $1"
    await world.db.execute(sql, world.runs[2].id)
    assert await world.found() == ["I6"]


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (timedelta(hours=25), ["I7"]),
        (2 * DAY, ["I7"]),
        (timedelta(0), []),
        (timedelta(days=3650), ["I7"]),
    ],
)
async def test_i7_a_next_run_that_is_no_next_slot(world, ahead, told):
    """It lies on the lattice of its scout, and leaves no slot out."""
    sql = "UPDATE scouts SET next_run_at = $1"
    await world.db.execute(sql, world.now + ahead)
    assert await world.found() == told
    if not ahead:
        assert await world.found(steady=True) == ["I7"], "due, and nothing runs"


@pytest.mark.parametrize(
    ("schedule", "zone"), [("0 0 * *", "UTC"), ("sometimes", "UTC"), ("daily", "Mars/Base")]
)
async def test_i7_a_rhythm_that_cannot_be_read(world, schedule, zone):
    """It is told, not raised."""
    sql = "UPDATE scouts SET schedule = $1, timezone = $2, next_run_at = $3"
    await world.db.execute(sql, schedule, zone, world.now + DAY)
    assert await world.found() == ["I7"]


async def test_i7_a_resting_scout_is_left_alone(world):
    """Without a rhythm to keep there is none to break."""
    await world.db.execute("UPDATE scouts SET is_active = FALSE, next_run_at = NULL")
    assert await world.found() == []


async def test_i8_what_belongs_to_others(world):
    """Steps of a fence from nowhere, findings of a failed run, vectors of nothing."""
    step = rows.step(world.runs[0], fence=2, status="completed")
    await world.db.execute(insert("scout_execution_steps", type(step)), *values(step))
    assert await world.found() == ["I8"]
    await world.db.execute("DELETE FROM scout_execution_steps")
    step = rows.step(world.runs[0])
    await world.db.execute(insert("scout_execution_steps", type(step)), *values(step))
    assert await world.found() == ["I8"]
    await world.db.execute("DELETE FROM scout_execution_steps")
    await world.db.execute("DELETE FROM scout_findings WHERE execution_id = $1", world.runs[0].id)
    assert await world.found() == ["I8"]
    await world.db.execute("DELETE FROM embeddings")
    assert await world.found() == []
    other = uuid4()
    sql = "INSERT INTO users (id, is_local, created_at) VALUES ($1, FALSE, $2)"
    await world.db.execute(sql, other, world.now)
    await world.db.execute("UPDATE scout_findings SET user_id = $1", other)
    assert await world.found() == ["I8"]


async def test_i9_a_row_without_its_parent(world):
    """SQLite's own examination is part of it; PostgreSQL does not let it happen."""
    if world.db.kind == "sqlite":
        with sqlite3.connect((await world.db.describe()).location) as other:
            other.execute("DELETE FROM channels")
        other.close()
        assert "I9" in await world.found()


@pytest.mark.parametrize(
    ("counted", "classes", "told", "steady"),
    [
        (0, [], [], []),
        (1, [], ["I10"], ["I10"]),
        (2, ["bad_output", "internal"], [], []),
        (1, ["bad_output", "internal"], [], ["I10"]),
        (1, ["bad_output", "model_unavailable"], [], []),
        (2, ["bad_output", "model_unavailable"], ["I10"], ["I10"]),
        (1, ["worker_lost"], [], []),
    ],
)
async def test_i10_failures_in_a_row(world, counted, classes, told, steady):
    """They are the failures of its own since its last success; a person may have reset them."""
    for number, error_class in enumerate(classes, 1):
        at = world.now + timedelta(minutes=number)
        await world.run(
            0, "failed", status="failed", state="failed", error_class=error_class,
            completed_at=at, slot_at=None, covers_from=None,
        )  # fmt: skip
    await world.db.execute("UPDATE scouts SET consecutive_failures = $1", counted)
    assert await world.found() == told
    assert await world.found(steady=True) == steady


async def test_the_doctor_looks_only_when_asked(world):
    """`scout doctor --integrity` tells of the first violation, and of all of them as data."""
    told = []
    for wanted in (False, True):
        await diagnosed.examine(SimpleNamespace(integrity=wanted), world.db, told.append)
    assert [(each.name, each.ok) for each in told] == [("invariants", True)]
    await world.db.execute("UPDATE scouts SET consecutive_failures = 2")
    await world.message(world.runs[2])
    await diagnosed.examine(SimpleNamespace(integrity=True), world.db, told.append)
    assert not told[-1].ok
    assert told[-1].detail.startswith("I3: message ")
    assert told[-1].detail.endswith(", and 1 more")
    assert [each["name"] for each in told[-1].data["violations"]] == ["I3", "I10"]
