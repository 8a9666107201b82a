"""Listings: pages without gaps or repeats, sorted and narrowed as asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.store import executions, findings, scouts
from tests.contract import rows
from tests.server.furnishing import furnish


async def _walk(server, who, path: str, **query) -> list[dict]:
    """Follow `next` to the end and return all items."""
    found, asked = [], dict(query)
    while True:
        said = await server.get(path, who, params=asked)
        assert said.status == 200, said.body
        found += said.json["items"]
        assert ("Link" in said.headers) == (said.json["next"] is not None)
        if said.json["next"] is None:
            return found
        asked["cursor"] = said.json["next"]


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "title", "-title", "-updated_at"])
async def test_pages_hold_every_scout_once_in_order(server_anywhere, sort):
    """Pages of 3 over 11 scouts, most with equal times, hold each once and in the order asked."""
    ann = await server_anywhere.sign_up()
    db = await server_anywhere.app.database()
    for number in range(11):
        moment = rows.AT + timedelta(minutes=number // 4)
        title = f"Scout {number % 5}"
        await scouts.add(db, rows.scout(ann.id, title=title, created_at=moment, updated_at=moment))
    found = await _walk(server_anywhere, ann, "/scouts", limit="3", sort=sort)
    assert len({each["id"] for each in found}) == len(found) == 11
    key, back = sort.removeprefix("-"), sort.startswith("-")
    order = [(each[key], each["id"]) for each in found]
    assert order == sorted(order, reverse=back)


async def test_new_rows_shift_no_page(server):
    """A scout made between two pages neither repeats nor hides one."""
    ann = await server.sign_up()
    db = await server.app.database()
    made = [
        rows.scout(ann.id, created_at=rows.AT + timedelta(minutes=number)) for number in range(4)
    ]
    for each in made:
        await scouts.add(db, each)
    first = await server.get("/scouts?limit=2", ann)
    await scouts.add(db, rows.scout(ann.id, created_at=rows.AT + timedelta(hours=1)))
    second = await server.get("/scouts", ann, params={"limit": 2, "cursor": first.json["next"]})
    seen = [each["id"] for said in (first, second) for each in said.json["items"]]
    assert seen == [str(each.id) for each in reversed(made)]


async def test_link_leads_to_the_next_page(server):
    """The Link header is the request with the cursor, filters kept."""
    ann = await server.sign_up()
    db = await server.app.database()
    for _ in range(3):
        await scouts.add(db, rows.scout(ann.id))
    first = await server.get("/scouts?limit=2&active=true&sort=created_at", ann)
    link = first.headers["Link"].partition(">")[0].removeprefix("<")
    assert "active=true" in link
    second = await server.get(link, ann)
    assert len(second.json["items"]) == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("sort=goal", "sort"),
        ("sort=(select 1)", "sort"),
        ("offset=3", "offset"),
        ("active=perhaps", "active"),
        ("cursor=", "cursor"),
        ("cursor=%FF%FE", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=WyJ0aXRsZSIsIngiLCJ4Il0", "cursor"),
        ("q=%00", "query"),
    ],
)
async def test_query_that_cannot_be_used_is_refused(server, query, said):
    """A wrong query parameter is 400 and named."""
    ann = await server.sign_up()
    answer = await server.get(f"/scouts?{query}", ann)
    assert answer.status == 400
    assert said in answer.json["detail"]


async def test_cursor_of_another_order_is_refused(server):
    """A cursor goes with the order that it was made in."""
    ann = await server.sign_up()
    db = await server.app.database()
    for _ in range(2):
        await scouts.add(db, rows.scout(ann.id))
    cursor = (await server.get("/scouts?limit=1&sort=title", ann)).json["next"]
    said = await server.get("/scouts", ann, params={"cursor": cursor, "sort": "-title"})
    assert said.status == 400


async def test_cursor_of_another_user_shows_nothing_of_theirs(server):
    """A cursor is a place, not a right: with somebody else's one sees one's own rows."""
    ann, bob = await server.sign_up(), await server.sign_up()
    db = await server.app.database()
    for who in (ann, ann, bob, bob):
        await scouts.add(db, rows.scout(who.id))
    cursor = (await server.get("/scouts?limit=1", ann)).json["next"]
    own = {each["id"] for each in (await server.get("/scouts", bob)).json["items"]}
    said = await server.get("/scouts", bob, params={"cursor": cursor})
    assert {each["id"] for each in said.json["items"]} <= own


async def test_scouts_are_narrowed_by_title_and_activity(server):
    """`q` finds characters of a title, wildcards included as themselves; `active` finds states."""
    ann = await server.sign_up()
    db = await server.app.database()
    await scouts.add(db, rows.scout(ann.id, title="100% Fähren"))
    await scouts.add(db, rows.scout(ann.id, title="Trains", is_active=False))
    for query, expected in (
        ("q=FÄHREN", ["100% Fähren"]),
        ("q=%25", ["100% Fähren"]),
        ("q=_", []),
        ("active=false", ["Trains"]),
    ):
        said = await server.get(f"/scouts?{query}", ann)
        assert [each["title"] for each in said.json["items"]] == expected


async def test_runs_and_findings_are_narrowed(server_anywhere):
    """States, outcomes, kinds and times narrow the listings of runs and findings."""
    ann = await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann)
    db = await server_anywhere.app.database()
    later = rows.AT + timedelta(days=1)
    run = rows.execution(has.scout, started_at=later)
    await executions.add(db, run)
    await executions.finish(
        db, replace(run, state="failed", status="failed", outcome="failed", completed_at=later)
    )
    await findings.add_many(db, [rows.finding(has.scout, novelty="repeat", created_at=later)])
    moment = "2026-11-21T12:00:00Z"
    for path, count in (
        ("/api/v1/executions", 2),
        ("/api/v1/executions?outcome=failed", 1),
        ("/api/v1/executions?state=completed,failed", 2),
        (f"/api/v1/executions?since={moment}", 1),
        (f"/api/v1/executions?until={moment}", 1),
        (f"/scouts/{has.scout.id}/executions?outcome=new", 1),
        ("/api/v1/findings?novelty=repeat", 1),
        (f"/api/v1/findings?execution_id={has.execution.id}", 1),
        (f"/scouts/{has.scout.id}/findings?since={moment}&novelty=new", 0),
        (f"/api/v1/outbox?state=held&scout_id={has.scout.id}", 1),
        ("/api/v1/outbox?state=sent", 0),
    ):
        said = await server_anywhere.get(path, ann)
        assert len(said.json["items"]) == count, path
    naive = await server_anywhere.get("/api/v1/executions?since=2026-11-21T12:00:00", ann)
    assert naive.status == 400


async def test_steps_of_a_run_are_shown_whole(server):
    """A run's steps come in their order, without a cursor."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    said = await server.get(f"/api/v1/executions/{has.execution.id}/steps", ann)
    assert [each["step_number"] for each in said.json["items"]] == [1]
    assert said.json["next"] is None
