"""The log tells of every write to scouts and runs, whichever surface it came in by."""

from __future__ import annotations

import json

from scout_cli.service.accounts.api_keys import api_key
from scout_cli.service.audit import Wanted
from tests.server.furnishing import CHANNEL
from tests.server.serving import JWT_SECRET
from tests.server.test_functions import BESIDE, CRON

ANON = api_key("anon", JWT_SECRET)
SERVICE = api_key("service_role", JWT_SECRET)
KEY = {"apikey": ANON}
WISH = {"goal": "Ferries to Hollen", "title": "Ferries", "search_queries": ["ferry"]}


async def told(server, target):
    """Return what the log says was done to something: actions with their actors, oldest first."""
    found = await (await server.app.audit()).list(Wanted(target=str(target)))
    return [(line.action, line.actor) for line in reversed(found)]


async def test_the_api_leaves_lines(server_anywhere):
    """Each names who, which id, from where and by which request; no value of the row is in it."""
    server = server_anywhere
    ann = await server.sign_up()
    token = await server.token(ann)
    path = (await server.post("/scouts", ann, json={**WISH, "notify": [CHANNEL]})).headers[
        "Location"
    ]
    change = {"goal": "Ferries to Saltmere", "is_active": False}
    assert (await server.patch(path, ann, json=change)).status == 200
    assert (await server.patch(path, ann, json=change)).status == 200  # nothing new
    assert (await server.post(f"{path}/resume", token)).status == 200
    run = await server.post(f"{path}/run", ann)
    assert (await server.post(f"{run.headers['Location']}/cancel", ann)).status == 200
    assert (await server.post(f"{run.headers['Location']}/cancel", ann)).status == 409
    assert (await server.delete(path, ann)).status == 204
    me, scout = f"user {ann.id}", path.rpartition("/")[2]
    actions = await told(server, scout)
    assert [action for action, _ in actions] == [
        "scout.create",
        "scout.pause",
        "scout.change",
        "scout.resume",
        "scout.remove",
    ]
    assert [actor.split()[0] for _, actor in actions] == ["user", "user", "user", "token", "user"]
    assert await told(server, run.json["id"]) == [("run.start", me), ("run.cancel", me)]
    lines = (await server.get(f"/api/v1/audit?target={scout}&action=scout.create", ann)).json
    (line,) = lines["items"]
    assert (line["user_id"], line["address"]) == (str(ann.id), "127.0.0.1")
    assert line["request_id"]
    assert "secret-topic" not in json.dumps(lines)
    assert (await (await server.app.audit()).verify()).whole


async def test_a_refused_write_leaves_none(server):
    """Another's row, a lost race and a value that cannot be used leave nothing."""
    ann, bob = await server.sign_up(), await server.sign_up()
    path = (await server.post("/scouts", ann, json=WISH)).headers["Location"]
    before = await (await server.app.audit()).list()
    assert (await server.delete(path, bob)).status == 404
    changed = await server.patch(path, ann, json={"title": "x"}, headers={"If-Match": '"old"'})
    assert changed.status == 412
    assert (await server.patch(path, ann, json={"schedule": "never"})).status == 400
    assert await (await server.app.audit()).list() == before


async def test_the_tables_of_the_interface_leave_lines(server):
    """Rows that are added, changed and deleted there, by a user or with the service key."""
    ann = await server.sign_up()
    back = {**KEY, "Prefer": "return=representation"}
    made = await server.post("/rest/v1/scouts?select=id", ann, json=WISH, headers=back)
    scout = made.json[0]["id"]
    row = f"/rest/v1/scouts?id=eq.{scout}"
    assert (await server.patch(row, ann, json={"title": "Boats"}, headers=KEY)).status == 204
    change = {"is_active": True}
    service = {"apikey": SERVICE}
    assert (await server.patch(row, SERVICE, json=change, headers=service)).status == 204
    started = await server.post(f"{CRON}?scoutId={scout}", ann)
    run = started.json["executionId"]
    gone = await server.delete(f"/rest/v1/scout_executions?id=eq.{run}", ann, headers=KEY)
    assert gone.status == 204
    await server.post(f"{CRON}?scoutId={scout}", ANON)
    await server.application[BESIDE].settled()
    assert (await server.delete(row, ann, headers=KEY)).status == 204
    me = f"user {ann.id}"
    assert await told(server, scout) == [
        ("scout.create", me),
        ("scout.change", me),
        ("scout.resume", "service key"),
        ("scout.remove", me),
    ]
    assert await told(server, run) == [("run.start", me), ("run.remove", me)]
    newest = (await (await server.app.audit()).list(Wanted(actions=("run.start",))))[0]
    assert (newest.actor, newest.address) == ("", "127.0.0.1")  # nobody in particular


async def test_a_token_that_reads_writes_nothing_in_the_tables(server):
    """A read-only token sees its owner's rows there, and changes none."""
    ann = await server.sign_up()
    path = (await server.post("/scouts", ann, json=WISH)).headers["Location"]
    row = f"/rest/v1/scouts?id=eq.{path.rpartition('/')[2]}"
    reads, writes = [await server.token(ann, scope, name=scope) for scope in ("read", "write")]
    assert len((await server.get(row, reads, headers=KEY)).json) == 1
    assert (await server.patch(row, reads, json={"title": "x"}, headers=KEY)).status == 403
    assert (await server.delete(row, reads, headers=KEY)).status == 403
    assert (await server.post("/rest/v1/scouts", reads, json=WISH, headers=KEY)).status == 403
    assert (await server.get(row, writes, headers=KEY)).status == 401
