"""Scouts over HTTP: saved, read, changed, paused, run, copied and removed."""

from __future__ import annotations

import asyncio

import pytest

from scout_cli.store import scouts
from tests.contract import rows
from tests.server.furnishing import CHANNEL, furnish

WISH = {
    "goal": "News about the ferry to Hollen Island",
    "title": "Hollen ferry",
    "search_queries": ["Hollen Island ferry"],
}


@pytest.mark.parametrize("root", ["/scouts", "/api/v1/scouts"])
async def test_saved_scout_is_read_again_from_where_the_answer_says(server_anywhere, root):
    """POST answers 201, a Location and an ETag; GET there answers the same scout and tag."""
    ann = await server_anywhere.sign_up()
    place = {"city": "Hollen", "countryCode": "DE", "latitude": 54.5}
    made = await server_anywhere.post(root, ann, json={**WISH, "location": place})
    assert made.status == 201
    assert made.json["location"] == place
    read = await server_anywhere.get(made.headers["Location"], ann)
    assert read.json == made.json
    assert read.headers["Etag"] == made.headers["Etag"]


async def test_wish_without_title_is_filled_in(server):
    """A scout made of a goal alone gets a title and queries, as `scout add` gives them."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json={"goal": WISH["goal"]})
    assert made.json["title"]
    assert made.json["search_queries"]
    assert made.json["is_active"]
    assert made.json["next_run_at"]


async def test_scout_that_is_not_active_waits_for_resume(server):
    """`is_active: false` plans no run; `resume` plans one, `pause` lets it rest again."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json={**WISH, "is_active": False})
    path = made.headers["Location"]
    assert made.json["next_run_at"] is None
    resumed = await server.post(f"{path}/resume", ann)
    assert resumed.json["is_active"]
    assert resumed.json["next_run_at"]
    paused = await server.post(f"{path}/pause", ann)
    assert not paused.json["is_active"]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "`goal`"),
        ({**WISH, "titel": "x"}, "`titel`"),
        ({**WISH, "location": {"town": "x"}}, "`$.location`"),
        ({**WISH, "urls": ["https://a.example", 3]}, "`$.urls[1]`"),
        ({**WISH, "digest": "hourly"}, "`$.digest`"),
        ({**WISH, "title": ""}, "`$.title`"),
        ({**WISH, "schedule": "often"}, "often"),
        ({**WISH, "schedule": "* * * * * *"}, "five fields"),
        ({**WISH, "schedule": "0 0 30 2 *"}, "cron line"),
        ({**WISH, "timezone": "Mars/Base"}, "Mars/Base"),
        ({**WISH, "urls": ["file:///etc/passwd"]}, "web address"),
        ({**WISH, "language": "not a language"}, "language"),
    ],
)
async def test_wish_that_cannot_be_used_is_refused_with_its_place(server, body, place):
    """A wrong wish is 400, names the field or the value, and saves nothing."""
    ann = await server.sign_up()
    said = await server.post("/scouts", ann, json=body)
    assert said.status == 400
    assert place in said.json["detail"]
    assert (await server.get("/scouts", ann)).json["items"] == []


async def test_change_touches_only_what_it_names(server):
    """PATCH changes the fields it names and what follows from them."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json=WISH)
    path = made.headers["Location"]
    said = await server.patch(path, ann, json={"schedule": "weekly", "location": "Kiel, Germany"})
    assert said.status == 200
    changed = {name for name, value in said.json.items() if value != made.json[name]}
    assert changed <= {"schedule", "frequency", "location", "next_run_at", "updated_at"}
    assert said.json["location"] == {"city": "Kiel", "country": "Germany"}
    assert (await server.patch(path, ann, json={"location": None})).json["location"] is None


async def test_change_of_a_stale_copy_is_refused(server_anywhere, clock):
    """If-Match with the tag of an old state is 412 `changed` and changes nothing."""
    ann = await server_anywhere.sign_up()
    made = await server_anywhere.post("/scouts", ann, json=WISH)
    path, old = made.headers["Location"], {"If-Match": made.headers["Etag"]}
    clock.forward(1)
    first = await server_anywhere.patch(path, ann, json={"title": "First"}, headers=old)
    assert first.status == 200
    for method, body in (("PATCH", {"title": "Second"}), ("DELETE", None)):
        said = await server_anywhere.call(method, path, ann, json=body, headers=old)
        assert (said.status, said.json["code"]) == (412, "changed")
    assert (await server_anywhere.get(path, ann)).json["title"] == "First"
    fresh = {"If-Match": f'"other", {first.headers["Etag"]}'}
    assert (await server_anywhere.delete(path, ann, headers=fresh)).status == 204


async def test_change_between_reading_and_writing_is_noticed(server_anywhere, clock):
    """A change that is asked for only if nobody was faster loses against one that was."""
    ann = await server_anywhere.sign_up()
    made = await server_anywhere.post("/scouts", ann, json=WISH)
    tag = {"If-Match": made.headers["Etag"]}
    clock.forward(1)
    said = await asyncio.gather(
        *(
            server_anywhere.patch(
                made.headers["Location"], ann, json={"title": f"Try {n}"}, headers=tag
            )
            for n in range(8)
        )
    )
    assert sorted(each.status for each in said) == [200] + [412] * 7


async def test_known_answer_is_not_sent_again(server):
    """If-None-Match with the tag is 304 without a body, weak or strong."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json=WISH)
    for tag in (made.headers["Etag"], f"W/{made.headers['Etag']}", "*"):
        said = await server.get(made.headers["Location"], ann, headers={"If-None-Match": tag})
        assert (said.status, said.body) == (304, b"")
    said = await server.get(made.headers["Location"], ann, headers={"If-None-Match": '"x"'})
    assert said.status == 200


async def test_channels_are_described_and_never_told(server):
    """The URL of a channel, which holds its secret, is in no answer."""
    ann = await server.sign_up()
    made = await server.post("/scouts", ann, json={**WISH, "notify": [CHANNEL]})
    assert made.json["notify"] == ["ntfy ntfy.example/a-secret-topic"]
    hook = "webhook+https://hooks.example/T0P-SECRET?secret=whsec_" + "A" * 32
    said = await server.patch(made.headers["Location"], ann, json={"notify": [hook]})
    assert said.json["notify"] == ["webhook hooks.example"]
    for path in ("/scouts", made.headers["Location"]):
        assert b"SECRET" not in (await server.get(path, ann)).body


async def test_run_waits_for_a_worker_and_can_be_cancelled(server_anywhere):
    """POST run queues one run, a second is 409; cancelled, it makes room for the next."""
    ann = await server_anywhere.sign_up()
    path = (await server_anywhere.post("/scouts", ann, json=WISH)).headers["Location"]
    asked = await server_anywhere.post(f"{path}/run", ann)
    assert asked.status == 202
    assert (asked.json["state"], asked.json["trigger"]) == ("queued", "api")
    again = await server_anywhere.post(f"{path}/run", ann)
    assert (again.status, again.json["code"]) == (409, "conflict")
    ended = await server_anywhere.post(f"{asked.headers['Location']}/cancel", ann)
    assert (ended.json["state"], ended.json["status"]) == ("cancelled", "failed")
    assert (await server_anywhere.post(f"{path}/run", ann)).status == 202
    listed = await server_anywhere.get("/api/v1/executions?state=cancelled", ann)
    assert [each["id"] for each in listed.json["items"]] == [asked.json["id"]]


async def test_copy_rests_and_has_no_past(server):
    """A copy has the wish and a title of its own; it is not active and found nothing."""
    ann = await server.sign_up()
    has = await furnish(server, ann, title="Ferries", search_queries=["ferry"])
    copy = await server.post(f"/scouts/{has.scout.id}/duplicate", ann)
    assert copy.status == 201
    assert copy.json["title"] == "Ferries (copy)"
    assert not copy.json["is_active"]
    found = await server.get(f"/scouts/{copy.json['id']}/findings", ann)
    assert found.json["items"] == []
    named = await server.post(f"/scouts/{has.scout.id}/duplicate", ann, json={"title": "Boats"})
    assert named.json["title"] == "Boats"


async def test_removed_scout_is_gone_with_what_it_found(server):
    """DELETE answers 204 and takes runs and findings along."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    assert (await server.delete(f"/scouts/{has.scout.id}", ann)).status == 204
    for path in (
        f"/scouts/{has.scout.id}",
        f"/api/v1/executions/{has.execution.id}",
        f"/api/v1/findings/{has.finding.id}",
    ):
        assert (await server.get(path, ann)).status == 404


async def test_token_that_may_only_read_changes_nothing(server):
    """A read-only token lists scouts, and every write with it is 403."""
    ann = await server.sign_up()
    token = await server.token(ann, "read")
    assert (await server.get("/scouts", token)).status == 200
    assert (await server.post("/scouts", token, json=WISH)).status == 403
    db = await server.app.database()
    assert await scouts.owned(db, ann.id) == []


async def test_scouts_of_the_command_line_are_not_an_accounts(server):
    """What the local owner made on the command line is not in anybody's list."""
    db = await server.app.database()
    owner = await (await server.app.scouts()).owner()
    await scouts.add(db, rows.scout(owner))
    ann = await server.sign_up()
    assert (await server.get("/scouts", ann)).json["items"] == []
