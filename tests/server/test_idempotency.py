"""`Idempotency-Key`: a request that comes twice is carried out once."""

from __future__ import annotations

import asyncio

import pytest

from scout_cli.service.repeats import KEPT
from scout_cli.service.upkeep import Upkeep

WISH = {"goal": "News about ferries", "title": "Ferries", "search_queries": ["ferry"]}
KEY = {"Idempotency-Key": "4b1f0c1e"}


async def _titles(server, who) -> list[str]:
    return [each["title"] for each in (await server.get("/scouts", who)).json["items"]]


async def test_request_that_comes_again_is_answered_again(server_anywhere):
    """The second answer is the first one, byte by byte, and no second scout is made."""
    ann = await server_anywhere.sign_up()
    first = await server_anywhere.post("/scouts", ann, json=WISH, headers=KEY)
    again = await server_anywhere.post("/api/v1/scouts", ann, json=WISH, headers=KEY)
    assert (again.status, again.body) == (201, first.body)
    for name in ("Location", "Etag", "Content-Type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await _titles(server_anywhere, ann) == ["Ferries"]


async def test_key_of_another_request_is_refused(server):
    """The same key with another body, or for another operation, is 409."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json=WISH, headers=KEY)
    other = await server.post("/scouts", ann, json={**WISH, "title": "Trains"}, headers=KEY)
    assert (other.status, other.json["code"]) == (409, "conflict")
    run = await server.post(f"{made.headers['Location']}/run", ann, headers=KEY)
    assert run.status == 409
    assert await _titles(server, ann) == ["Ferries"]


async def test_keys_are_a_users_own(server):
    """Two users may choose the same key."""
    ann, bob = await server.sign_up(), await server.sign_up()
    for who in (ann, bob):
        assert (await server.post("/scouts", who, json=WISH, headers=KEY)).status == 201
        assert await _titles(server, who) == ["Ferries"]


async def test_many_at_once_make_one(server_anywhere):
    """Of 12 requests with one key at the same time one is carried out; the others hear of it."""
    ann = await server_anywhere.sign_up()
    said = await asyncio.gather(
        *(server_anywhere.post("/scouts", ann, json=WISH, headers=KEY) for _ in range(12))
    )
    assert {each.status for each in said} <= {201, 409}
    assert len({each.json["id"] for each in said if each.status == 201}) == 1
    assert await _titles(server_anywhere, ann) == ["Ferries"]


async def test_request_that_failed_may_come_again(server):
    """An error is not kept: corrected, the request goes through under the same key."""
    ann = await server.sign_up()
    wrong = await server.post("/scouts", ann, json={**WISH, "timezone": "Mars"}, headers=KEY)
    assert wrong.status == 400
    assert (await server.post("/scouts", ann, json=WISH, headers=KEY)).status == 201


async def test_request_whose_process_was_lost_may_come_again(server, clock):
    """A key that was begun and never answered is taken over after a while, and not before."""
    ann = await server.sign_up()
    await server.post("/scouts", ann, json=WISH, headers=KEY)
    db = await server.app.database()
    await db.execute("UPDATE idempotency_keys SET status = 0, answer = ''")
    assert (await server.post("/scouts", ann, json=WISH, headers=KEY)).status == 409
    clock.forward(91)
    assert (await server.post("/scouts", ann, json=WISH, headers=KEY)).status == 201


async def test_answers_are_kept_for_two_days(server, clock):
    """After 48 hours a key is free again, and the clean-up removes what was kept."""
    ann = await server.sign_up()
    token = await server.token(ann)
    await server.post("/scouts", token, json=WISH, headers=KEY)
    clock.forward(KEPT.total_seconds() - 1)
    said = await server.post("/scouts", token, json=WISH, headers=KEY)
    assert said.headers["Idempotent-Replayed"] == "true"
    clock.forward(2)
    upkeep: Upkeep = await server.app.upkeep()
    assert (await upkeep.clean()).requests == 1
    said = await server.post("/scouts", token, json=WISH, headers=KEY)
    assert "Idempotent-Replayed" not in said.headers
    assert await _titles(server, token) == ["Ferries", "Ferries"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ü"])
async def test_key_that_cannot_be_used_is_refused(server, key):
    """An empty, endless or non-ASCII key is 400."""
    ann = await server.sign_up()
    said = await server.post("/scouts", ann, json=WISH, headers={"Idempotency-Key": key})
    assert said.status == 400
    assert await _titles(server, ann) == []
