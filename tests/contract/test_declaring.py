"""Applying a file to a database, all or nothing, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from scout_cli.cli.wishes import hidden
from scout_cli.config import declared, file
from scout_cli.core.models import ScoutPatch
from scout_cli.errors import Conflict, ModelUnavailable
from scout_cli.llm import ModelSettings, open_chat
from scout_cli.service.declared import table_of
from scout_cli.service.declared_plan import Given
from scout_cli.service.declaring import Applied, Declaring
from scout_cli.store import executions, keyed, scouts, users
from tests.contract import rows

TWO = """
[[scout]]
key = "ferry"
goal = "The ferry from Saltmere to Hollen Island"
every = "weekly"
notify = ["tgram://123456:secret-secret-secret-77/2", "mailto:me@a.example"]

[[scout]]
key = "bonn"
goal = "Python meetups in Bonn"
title = "Bonn"
queries = ["python bonn"]
cron = "0 9 * * 1"
timezone = "Europe/Berlin"
location = { city = "any", country = "Germany", latitude = 50.7 }
active = false
digest = "weekly"
"""


class Stage:
    """A database, a file, and how often the engine was asked."""

    def __init__(self, database, clock) -> None:
        self.db = database
        self.clock = clock
        self.asked = 0
        self.absent = False

    async def reasoner(self):
        """Open the built-in engine, or fail to."""
        self.asked += 1
        if self.absent:
            raise ModelUnavailable("nobody answers")
        return await open_chat("builtin://", ModelSettings(num_ctx=8192, api_key=""))

    @property
    def service(self) -> Declaring:
        """Return what is under test."""
        return Declaring(self.db, self.clock, self.reasoner)

    async def apply(self, text: str, *, prune: bool = False) -> Applied:
        """Plan a file and do it."""
        wanted = given_by(text, prune=prune)
        return await self.service.apply(wanted, await self.service.plan(wanted))

    async def all(self):
        """Return the scouts, oldest first."""
        return await scouts.owned(self.db, (await users.local_owner(self.db)).id)

    async def export(self) -> str:
        """Return the scouts as a file."""
        kept = await self.service.keep_keys(await self.all())
        return declared.write([table_of(scout, scout.key, hidden) for scout in kept])


def given_by(text: str, **more) -> Given:
    """Return what a plan is made from."""
    document = file.parse(text.encode(), Path("scouts.toml"))
    return Given(declarations=declared.read(document), hide=hidden, **more)


def counted(applied: Applied) -> list[str]:
    """Return what was done, in order."""
    return [f"{entry.action} {entry.key}" for entry in applied.plan.entries]


@pytest.fixture
def stage(database, clock) -> Stage:
    """Return a stage on each database."""
    return Stage(database, clock)


async def test_twice_is_once(stage):
    """The first time everything is added, in the file's order; the second changes nothing."""
    assert counted(await stage.apply(TWO)) == ["add ferry", "add bonn"]
    before = await stage.all()
    assert [scout.key for scout in before] == ["ferry", "bonn"]
    stage.clock.forward(60)
    assert counted(await stage.apply(TWO)) == ["unchanged ferry", "unchanged bonn"]
    assert await stage.all() == before
    assert stage.asked == 1


async def test_what_a_file_says_is_what_is_saved(stage):
    """Every field arrives; what is missing is filled in, and a new scout is due at once."""
    applied = await stage.apply(TWO)
    ferry, bonn = await stage.all()
    assert [each.answered_by for each in applied.filled] == ["built-in", "code"]
    assert applied.ids == {"ferry": ferry.id, "bonn": bonn.id}
    assert (ferry.schedule, ferry.frequency, ferry.timezone) == ("weekly", "weekly", "UTC")
    assert ferry.notify == ["tgram://123456:secret-secret-secret-77/2", "mailto:me@a.example"]
    assert ferry.title
    assert len(ferry.search_queries) == 3
    assert (ferry.is_active, bonn.is_active) == (True, False)
    assert ferry.next_run_at == ferry.created_at
    assert (bonn.schedule, bonn.frequency, bonn.digest) == ("0 9 * * 1", "weekly", "weekly")
    assert (bonn.location.city, bonn.location.latitude) == ("any", 50.7)


async def test_an_export_changes_nothing(stage):
    """Also of scouts made by hand, whose keys are kept; secrets stay where they are."""
    await stage.apply(TWO)
    owner = (await users.local_owner(stage.db)).id
    for title in ("Ferry", "ferry", "Ünïcode"):
        await scouts.add(stage.db, rows.scout(owner, title=title, goal=None))
    text = await stage.export()
    before = await stage.all()
    assert {scout.key for scout in before} == {"ferry", "bonn", "ferry-2", "ferry-3", "unicode"}
    assert set(counted(await stage.apply(text, prune=True))) == {
        f"unchanged {scout.key}" for scout in before
    }
    assert await stage.all() == before
    assert await stage.export() == text
    assert "1:secret" not in text


async def test_what_was_changed_by_hand_is_set_back(stage):
    """The next run follows the rhythm again."""
    await stage.apply(TWO)
    ferry, _ = await stage.all()
    last = stage.clock.forward(86_400)
    by_hand = ScoutPatch(schedule="hourly", language="de", last_run_at=last, planned_queries=["x"])
    await scouts.update(stage.db, ferry.id, by_hand)
    applied = await stage.apply(TWO)
    (entry, _) = applied.plan.entries
    assert {each.field: each.new for each in entry.differences} == {
        "every": "weekly",
        "language": None,
    }
    again, _ = await stage.all()
    assert (again.schedule, again.frequency, again.language) == ("weekly", "weekly", None)
    assert again.next_run_at == ferry.created_at + timedelta(days=7)
    assert again.planned_queries == []


async def test_a_scout_keeps_its_identity(stage):
    """All of it may change but the key; it is the same scout with the same id."""
    await stage.apply(TWO)
    before, _ = await stage.all()
    text = TWO.replace("The ferry from Saltmere to Hollen Island", "Glass eels in lake Vostok")
    await stage.apply(text)
    after, _ = await stage.all()
    assert (after.id, after.created_at) == (before.id, before.created_at)
    assert after.goal == "Glass eels in lake Vostok"
    assert "eels" in " ".join(after.search_queries)


async def test_an_absent_model_is_asked_once(stage):
    """Every scout is filled in by the built-in engine, and the reason is told."""
    stage.absent = True
    text = '[[scout]]\ngoal = "one wish"\n[[scout]]\ngoal = "two wishes"\n'
    applied = await stage.apply(text)
    assert [(each.answered_by, each.note) for each in applied.filled] == [
        ("fallback", "nobody answers"),
        ("fallback", "nobody answers"),
    ]
    assert stage.asked == 1
    assert all(scout.search_queries for scout in await stage.all())


async def test_prune_removes_what_an_apply_made(stage):
    """With everything it has; a scout made by hand stays."""
    await stage.apply(TWO)
    owner = (await users.local_owner(stage.db)).id
    await scouts.add(stage.db, rows.scout(owner, title="By hand"))
    only = TWO.partition('[[scout]]\nkey = "bonn"')[0]
    assert counted(await stage.apply(only)) == ["unchanged ferry"]
    assert counted(await stage.apply(only, prune=True)) == ["unchanged ferry", "remove bonn"]
    assert {scout.key for scout in await stage.all()} == {"ferry", None}


async def test_all_or_nothing(stage):
    """One scout that is running cannot be removed; then nothing is added or changed either."""
    await stage.apply(TWO)
    before = await stage.all()
    run = rows.execution(before[1], lease_until=await stage.db.now() + timedelta(minutes=1))
    await executions.add(stage.db, run)
    text = TWO.partition('[[scout]]\nkey = "bonn"')[0].replace("weekly", "daily")
    with pytest.raises(Conflict, match="running"):
        await stage.apply(f'{text}\n[[scout]]\ngoal = "something else"\n', prune=True)
    assert await stage.all() == before


async def test_a_plan_that_is_not_true_any_more_is_not_carried_out(stage):
    """Somebody changed a scout between looking and doing: nothing is done."""
    await stage.apply(TWO)
    wanted = given_by(TWO.replace("weekly", "daily"))
    agreed = await stage.service.plan(wanted)
    ferry, _ = await stage.all()
    await scouts.update(stage.db, ferry.id, ScoutPatch(language="de"))
    before = await stage.all()
    with pytest.raises(Conflict, match="nothing was done"):
        await stage.service.apply(wanted, agreed)
    assert await stage.all() == before


async def test_a_run_that_ends_meanwhile_does_not_disturb(stage):
    """What runs write is none of the file's business."""
    await stage.apply(TWO)
    wanted = given_by(TWO.replace("weekly", "daily"))
    agreed = await stage.service.plan(wanted)
    ferry, _ = await stage.all()
    ended = ScoutPatch(last_run_at=stage.clock.now(), planned_queries=["p"], planned_for="f")
    await scouts.update(stage.db, ferry.id, ended)
    await stage.service.apply(wanted, agreed)
    after, _ = await stage.all()
    assert (after.schedule, after.planned_queries) == ("daily", ["p"])


async def test_two_at_once_make_each_scout_once(database_url, clock, opened):
    """One of them adds; the other sees that its plan is not true any more, or has nothing to do."""
    stages = [Stage(await opened(database_url), clock) for _ in range(4)]
    ended = await asyncio.gather(*(each.apply(TWO) for each in stages), return_exceptions=True)
    assert all(isinstance(each, Applied | Conflict) for each in ended), ended
    assert any(isinstance(each, Applied) for each in ended)
    assert [scout.key for scout in await stages[0].all()] == ["ferry", "bonn"]


async def test_two_exports_at_once_agree_on_the_keys(database_url, clock, opened):
    """A scout has one key, whoever asks."""
    stages = [Stage(await opened(database_url), clock) for _ in range(3)]
    owner = (await users.local_owner(stages[0].db)).id
    for _ in range(3):
        await scouts.add(stages[0].db, rows.scout(owner, goal="abc"))
    texts = await asyncio.gather(*(each.export() for each in stages))
    assert len({frozenset(text.split("[[scout]]")) for text in texts}) == 1
    keys = {scout.key for scout in await stages[0].all()}
    assert keys == {"ferries", "ferries-2", "ferries-3"}


async def test_who_comes_second_waits_and_sees(database_url, clock, opened):
    """A key that somebody is just giving away is not made a second time."""
    first, second = [Stage(await opened(database_url), clock) for _ in range(2)]
    owner = (await users.local_owner(first.db)).id
    await scouts.add(first.db, rows.scout(owner))
    async with first.db.transaction() as tx:
        await keyed.hold(tx, owner)
        await scouts.add(tx, rows.scout(owner, key="ferries"))
        waiting = asyncio.create_task(second.export())
        assert await asyncio.wait({waiting}, timeout=0.2) == (set(), {waiting})
    assert 'key = "ferries-2"' in await waiting


async def test_a_key_that_is_there_stays(stage):
    """Nothing but the file of its owner renames a scout."""
    await stage.apply(TWO)
    ferry, bonn = await stage.all()
    await keyed.assign(stage.db, {ferry.id: "other", bonn.id: "another"})
    assert [scout.key for scout in await stage.all()] == ["ferry", "bonn"]


async def test_keys_belong_to_a_scout_that_is_still_there(stage):
    """One that was removed meanwhile is left out."""
    owner = (await users.local_owner(stage.db)).id
    stays, goes = rows.scout(owner), rows.scout(owner)
    await scouts.add(stage.db, stays)
    assert await stage.service.keep_keys([goes, stays]) == [replace(stays, key="ferries")]


CHARACTERS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(title=CHARACTERS, queries=st.lists(CHARACTERS, max_size=3), description=CHARACTERS)
def test_every_character_survives_file_and_database(tmp_path_factory, title, queries, description):
    """Whatever a scout is called: saved, exported and applied it is the same."""
    asyncio.run(_there_and_back(tmp_path_factory.mktemp("db"), title, queries, description))


async def _there_and_back(folder: Path, title: str, queries: list[str], description: str) -> None:
    from scout_cli.store import open_database  # noqa: PLC0415 - only this test opens its own
    from tests.contract.databases import StoppedClock, migrated_at, sqlite_url  # noqa: PLC0415

    url = sqlite_url(folder / "scout.db")
    await migrated_at(url)
    db = await open_database(url, StoppedClock())
    try:
        stage = Stage(db, StoppedClock())
        owner = (await users.local_owner(db)).id
        more = {"title": title, "search_queries": queries, "description": description}
        await scouts.add(db, rows.scout(owner, goal="abc", **more))
        text = await stage.export()
        before = await stage.all()
        assert [word.split()[0] for word in counted(await stage.apply(text))] == ["unchanged"]
        assert await stage.all() == before
    finally:
        await db.close()
