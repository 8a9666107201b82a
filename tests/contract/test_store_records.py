"""Owners, scouts, pages, findings, vectors, searches and resolutions."""

import asyncio
from array import array
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from scout_cli.core.models import Location, Scout, ScoutPatch
from scout_cli.core.ports import Hit, SearchAnswer
from scout_cli.errors import Conflict, InvalidInput, NotFound
from scout_cli.store import (
    executions,
    findings,
    pages,
    queue,
    resolved,
    scouts,
    searches,
    steps,
    users,
    vectors,
)
from tests.contract import rows
from tests.contract.databases import EVERY

pytestmark = pytest.mark.databases(*EVERY)


@pytest.fixture
async def owner(database):
    """Return the local owner."""
    return await users.local_owner(database)


@pytest.fixture
async def scout(database, owner):
    """Return a stored scout."""
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    return scout


@pytest.fixture
async def run(database, scout):
    """Return a run that has started."""
    execution = rows.execution(scout)
    await queue.start(database, execution)
    return execution


async def count(db, table) -> int:
    """Return how many rows a table has."""
    return await db.value(int, f"SELECT count(*) FROM {table}")


async def test_there_is_one_local_owner(database):
    """Asked for side by side, inside a transaction and again, it is the same one."""
    asked = await asyncio.gather(*(users.local_owner(database) for _ in range(8)))
    async with database.transaction() as tx:
        asked.append(await users.local_owner(tx))
    assert len({user.id for user in asked}) == 1
    assert asked[0].is_local
    assert asked[0].email is None
    assert await count(database, "users") == 1


FULL = {
    "description": "Timetable changes",
    "goal": "Tell me about ferries – 渡船",
    "search_queries": ["ferry news", "渡船"],
    "location": Location(city="Lisboa", country_code="PT", latitude=38.7),
    "frequency": "weekly",
    "is_active": False,
    "last_run_at": rows.AT,
    "consecutive_failures": 2,
    "schedule": "0 9 * * 1",
    "timezone": "Europe/Lisbon",
    "language": "pt",
    "urls": ["https://a.example/"],
    "feeds": ["https://a.example/feed"],
    "include_domains": ["a.example"],
    "exclude_domains": ["b.example"],
    "notify": ["ntfy://x"],
    "next_run_at": rows.AT + timedelta(days=7),
    "planned_queries": ["ferry timetable"],
    "planned_for": "abc",
    "key": "ferries",
    "paused_reason": "it failed",
    "digest": "weekly",
    "anchor": rows.AT - timedelta(days=1),
    "late_slot": rows.AT,
}


async def test_a_scout_comes_back_as_it_was_added(database, owner, scout):
    """The barest and the fullest scout are read as they were written."""
    full = rows.scout(owner.id, **FULL)
    await scouts.add(database, full)
    assert set(FULL) | {"id", "user_id", "title", "created_at", "updated_at"} == set(
        Scout.__struct_fields__
    )
    assert await scouts.get(database, full.id) == full
    assert await scouts.get(database, scout.id) == scout
    assert await scouts.get(database, uuid4()) is None


async def test_a_scout_must_have_an_owner_and_a_known_frequency(database, owner):
    """An unknown owner, an unknown frequency and a used id are told apart."""
    with pytest.raises(NotFound):
        await scouts.add(database, rows.scout(uuid4()))
    with pytest.raises(InvalidInput):
        await scouts.add(database, rows.scout(owner.id, frequency="hourly"))
    scout = rows.scout(owner.id)
    await scouts.add(database, scout)
    with pytest.raises(Conflict):
        await scouts.add(database, scout)


async def test_scouts_are_listed_by_age_and_found_by_prefix(database, owner):
    """`owned` is oldest first; a prefix of an id finds the scouts of that owner."""
    ids = [UUID(f"{start}{'0' * 24}") for start in ("aaaa1111", "aaaa2222", "bbbb3333")]
    made = [
        rows.scout(owner.id, id=id_, created_at=rows.AT - timedelta(days=n))
        for n, id_ in enumerate(ids)
    ]
    for scout in made:
        await scouts.add(database, scout)
    assert await scouts.owned(database, owner.id) == made[::-1]
    assert await scouts.owned(database, uuid4()) == []
    assert await scouts.by_prefix(database, owner.id, "aaaa") == [made[1], made[0]]
    assert await scouts.by_prefix(database, owner.id, "AAAA2") == [made[1]]
    assert await scouts.by_prefix(database, owner.id, str(ids[2])) == [made[2]]
    assert await scouts.by_prefix(database, uuid4(), "aaaa") == []
    for hopeless in ("", " ", "%", "____", "../../etc", "x" * 100_000, "\0"):
        assert await scouts.by_prefix(database, owner.id, hopeless) == []


async def test_a_patch_changes_what_it_sets_and_nothing_else(database, clock, scout):
    """UNSET stays, None empties, and `updated_at` moves with every change."""
    later = clock.forward(5)
    patch = ScoutPatch(title="Boats", goal="g", search_queries=["q"], location=Location(city="any"))
    changed = await scouts.update(database, scout.id, patch)
    assert changed == await scouts.get(database, scout.id)
    assert changed == replace(
        scout,
        title="Boats",
        goal="g",
        search_queries=["q"],
        location=Location(city="any"),
        updated_at=later,
    )
    emptied = await scouts.update(database, scout.id, ScoutPatch(goal=None, location=None))
    assert (emptied.goal, emptied.location, emptied.title) == (None, None, "Boats")


async def test_every_field_of_a_patch_reaches_its_column(database, scout):
    """A patch of everything gives the scout of everything."""
    patch = ScoutPatch(title="Boats", **FULL)
    assert UNSET not in [getattr(patch, name) for name in ScoutPatch.__struct_fields__]
    changed = await scouts.update(database, scout.id, patch)
    for name in ScoutPatch.__struct_fields__:
        assert getattr(changed, name) == getattr(patch, name), name


async def test_an_empty_patch_changes_nothing(database, clock, scout):
    """`updated_at` does not move for nothing; an unknown scout is not found."""
    clock.forward(5)
    assert await scouts.update(database, scout.id, ScoutPatch()) == scout
    for patch in (ScoutPatch(), ScoutPatch(title="x")):
        with pytest.raises(NotFound):
            await scouts.update(database, uuid4(), patch)


async def test_a_refused_patch_changes_nothing(database, scout):
    """One bad value refuses the whole patch."""
    with pytest.raises(InvalidInput):
        await scouts.update(database, scout.id, ScoutPatch(title="x", frequency="often"))
    assert await scouts.get(database, scout.id) == scout


async def test_deleting_a_scout_takes_all_it_has(database, scout, run):
    """Runs, steps, pages, findings, memories and vectors go with the scout."""
    finding = rows.finding(scout, execution_id=run.id)
    await steps.start(database, rows.step(run))
    await pages.add_many(database, [rows.page(run)])
    await pages.seen_put_many(database, [rows.seen(scout)])
    await findings.add_many(database, [finding])
    await vectors.put_many(database, [vectors.of_finding(finding, "e", array("f", [1.0]))])
    assert await scouts.delete(database, scout.id)
    assert not await scouts.delete(database, scout.id)
    for table in (
        "scout_executions",
        "scout_execution_steps",
        "scout_pages",
        "seen_pages",
        "scout_findings",
        "embeddings",
    ):
        assert await count(database, table) == 0, table
    assert await count(database, "users") == 1


async def test_findings_outlive_their_run(database, scout, run):
    """A deleted run takes its steps and pages; its findings stay without it."""
    finding = rows.finding(scout, execution_id=run.id)
    await steps.start(database, rows.step(run))
    await pages.add_many(database, [rows.page(run)])
    await findings.add_many(database, [finding])
    await database.execute("DELETE FROM scout_executions WHERE id = $1", run.id)
    assert await count(database, "scout_execution_steps") == 0
    assert await count(database, "scout_pages") == 0
    kept = await findings.listing(database, scout.user_id, limit=9)
    assert kept == [replace(finding, execution_id=None)]


async def test_a_repeat_outlives_what_it_repeats(database, scout):
    """`same_as` of a deleted finding becomes None."""
    first = rows.finding(scout)
    again = rows.finding(scout, novelty="repeat", same_as=first.id, similarity=0.97)
    await findings.add_many(database, [first, again])
    await database.execute("DELETE FROM scout_findings WHERE id = $1", first.id)
    kept = await findings.listing(database, scout.user_id, limit=9)
    assert kept == [replace(again, same_as=None)]


async def test_pages_come_back_sources_first(database, run):
    """Numbered sources in order, then what could not be read."""
    blocked = rows.page(run, source=None, outcome="blocked", http_status=403, detail="captcha")
    second = rows.page(run, source=2, published_at=rows.AT, published_from="json-ld")
    first = rows.page(run, text="Zürich 東京 " * 10_000)
    await pages.add_many(database, [blocked, second, first])
    assert await pages.of_execution(database, run.id) == [first, second, blocked]
    assert await pages.of_execution(database, uuid4()) == []


async def test_a_page_is_remembered_per_scout_and_overwritten(database, scout):
    """The second reading of a page replaces the memory of the first; other scouts have none."""
    old = rows.seen(scout, etag='"1"')
    await pages.seen_put_many(database, [old, rows.seen(scout, canonical_url="https://b.example/")])
    new = rows.seen(scout, etag=None, content_hash="b", read_at=rows.AT + timedelta(days=1))
    await pages.seen_put_many(database, [new])
    assert await pages.seen_get(database, scout.id, old.canonical_url) == new
    assert await pages.seen_get(database, uuid4(), old.canonical_url) is None
    assert await count(database, "seen_pages") == 2


async def test_a_url_longer_than_an_index_holds_is_refused_by_both(database, scout):
    """2,048 characters fit and 2,049 do not, on either database."""
    fits = "https://a.example/" + "".join(str(uuid4()) for _ in range(60))
    await pages.seen_put_many(database, [rows.seen(scout, canonical_url=fits[:2048])])
    with pytest.raises(InvalidInput):
        await pages.seen_put_many(database, [rows.seen(scout, canonical_url=fits[:2049])])
    with pytest.raises(InvalidInput):
        await findings.add_many(database, [rows.finding(scout, canonical_url=fits[:2049])])


@pytest.fixture
async def history(database, scout):
    """Return five findings of two scouts, oldest first, a minute apart."""
    other = rows.scout(scout.user_id)
    await scouts.add(database, other)
    kinds = ["new", "repeat", "possible_repeat", "stale", "new"]
    made = [
        rows.finding(
            other if number == 4 else scout,
            novelty=novelty,
            created_at=rows.AT + timedelta(minutes=number),
            published_at=rows.AT,
            published_from="feed",
            answered_by="built-in",
            reason="because",
            canonical_url=f"https://a.example/{number % 2}",
        )
        for number, novelty in enumerate(kinds)
    ]
    await findings.add_many(database, made)
    return made


async def test_findings_are_listed_newest_first(database, scout, history):
    """Scout, moment, novelty and number narrow the list, alone and together."""
    me = scout.user_id

    async def listed(**more):
        return [history.index(f) for f in await findings.listing(database, me, limit=99, **more)]

    assert await listed() == [4, 3, 2, 1, 0]
    assert await listed(scout_ids=[scout.id]) == [3, 2, 1, 0]
    assert await listed(since=history[3].created_at) == [4, 3]
    assert await listed(novelty="new") == [4, 0]
    assert await listed(novelty=("new", "possible_repeat"), scout_ids=[scout.id]) == [2, 0]
    assert len(await findings.listing(database, me, limit=2)) == 2
    assert await findings.listing(database, uuid4(), limit=9) == []


async def test_findings_are_found_by_page_run_prefix_and_number(database, scout, run, history):
    """Every way to a finding finds it, and nothing of another scout."""
    page = history[0].canonical_url
    assert await findings.from_page(database, scout.id, page) == [history[0], history[2]]
    assert await findings.count(database, scout.id) == 4
    assert await findings.count(database, uuid4()) == 0
    mine = rows.finding(scout, execution_id=run.id, source=2)
    first = rows.finding(scout, execution_id=run.id, source=1)
    await findings.add_many(database, [mine, first])
    assert await findings.of_execution(database, run.id) == [first, mine]
    found = await findings.by_prefix(database, scout.user_id, str(mine.id)[:18])
    assert found == [mine]
    assert await findings.by_prefix(database, uuid4(), str(mine.id)) == []


async def test_findings_of_a_missing_scout_are_refused_together(database, scout):
    """One finding without a scout refuses the batch."""
    bad = rows.finding(replace(scout, id=uuid4()))
    with pytest.raises(NotFound):
        await findings.add_many(database, [rows.finding(scout), bad])
    assert await findings.count(database, scout.id) == 0


async def test_vectors_belong_to_one_embedder(database, scout, history):
    """A vector is read with its finding by its own embedder; the others show as lacking one."""
    vector = array("f", [0.6, -0.8, 0.0])
    await vectors.put_many(database, [vectors.of_finding(history[1], "a", vector)])
    (found,) = await vectors.of_scout(database, scout.id, "a")
    assert (found.id, found.fact, found.canonical_url, found.created_at) == (
        history[1].id,
        history[1].fact,
        history[1].canonical_url,
        history[1].created_at,
    )
    assert vectors.unpack(found.vector) == vector
    assert await vectors.of_scout(database, scout.id, "b") == []
    assert await vectors.without(database, scout.id, "a") == [history[n] for n in (0, 2, 3)]
    assert await vectors.without(database, scout.id, "b") == history[:4]


async def test_a_vector_is_overwritten_by_its_successor(database, scout, history):
    """One subject has one vector per embedder."""
    for number in (1.0, 0.5):
        row = vectors.of_finding(history[0], "a", array("f", [number]))
        await vectors.put_many(database, [row])
    (found,) = await vectors.of_scout(database, scout.id, "a")
    assert found.vector == b"\x00\x00\x00\x3f"
    with pytest.raises(InvalidInput):
        await vectors.put_many(database, [replace(row, dimension=2)])


async def test_a_search_is_kept_for_a_while(database, clock):
    """An answer is found until it is too old, is overwritten by a newer one, and is pruned."""
    hit = Hit(url="https://a.example/", title="Ä", published_at=rows.AT, published_from="search")
    answer = SearchAnswer(outcome="found", hits=(hit,), engine="ddgs/x")
    before = clock.now() - timedelta(hours=1)
    await searches.put(database, "k", answer)
    assert await searches.get(database, "k", before) == answer
    assert await searches.get(database, "other", before) is None
    assert await searches.get(database, "k", clock.now()) is None
    clock.forward(60)
    await searches.put(database, "k", SearchAnswer(outcome="empty"))
    assert await searches.get(database, "k", before) == SearchAnswer(outcome="empty")
    assert await searches.prune(database, clock.now()) == 0
    assert await searches.prune(database, clock.forward(1)) == 1
    assert await searches.get(database, "k", before) is None


async def test_the_state_of_an_engine_is_kept(database):
    """A breaker opens, and closes again, in one row."""
    assert await searches.engine(database, "ddgs/x") is None
    broken = searches.EngineState(
        name="ddgs/x", failures=3, open_until=rows.AT, detail="limited", updated_at=rows.AT
    )
    closed = replace(broken, failures=0, open_until=None, detail="")
    for state in (broken, closed):
        await searches.put_engine(database, state)
        assert await searches.engine(database, "ddgs/x") == state


async def test_auto_is_resolved_once(database):
    """The first writer's value holds, also for those who came at the same time."""
    assert await resolved.get(database, "embed_url") is None
    offers = [f"builtin://{number}" for number in range(6)]
    answers = await asyncio.gather(*(resolved.put(database, "embed_url", o) for o in offers))
    assert len(set(answers)) == 1
    assert await resolved.put(database, "embed_url", "late") == answers[0]
    assert await resolved.get(database, "embed_url") == answers[0]
    assert await resolved.put(database, "llm_url", "late") == "late"


async def test_every_function_works_inside_a_transaction(database, owner):
    """A whole run in one transaction is there after it, and not before."""
    scout = rows.scout(owner.id)
    run = rows.execution(scout)
    finding = rows.finding(scout, execution_id=run.id)
    async with database.transaction() as tx:
        await scouts.add(tx, scout)
        await queue.start(tx, run)
        await steps.start(tx, rows.step(run))
        await pages.add_many(tx, [rows.page(run)])
        await pages.seen_put_many(tx, [rows.seen(scout)])
        await findings.add_many(tx, [finding])
        await vectors.put_many(tx, [vectors.of_finding(finding, "e", array("f", [1.0]))])
        await searches.put(tx, "k", SearchAnswer(outcome="empty"))
        await resolved.put(tx, "llm_url", "builtin://")
        await executions.finish(
            tx, replace(run, status="completed", state="completed", outcome="new")
        )
        assert await scouts.get(database, scout.id) is None
    assert (await executions.get(database, run.id)).outcome == "new"
    assert await findings.count(database, scout.id) == 1
