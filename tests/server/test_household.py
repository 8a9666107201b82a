"""Findings, messages, preferences, usage, channels and the outbox over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scout_cli.core.models import Usage
from scout_cli.store import executions
from tests.contract import rows
from tests.server.furnishing import CHANNEL, furnish


async def test_finding_tells_why_and_takes_an_opinion(server_anywhere):
    """A finding is shown, explained, put in its story and judged; `why` tells the judgement."""
    ann = await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann)
    path = f"/api/v1/findings/{has.finding.id}"
    assert (await server_anywhere.get(path, ann)).json["quote"] == has.finding.quote
    assert (await server_anywhere.get(f"{path}/why", ann)).json["opinion"] is None
    said = await server_anywhere.post(f"{path}/feedback", ann, json={"opinion": "not_useful"})
    assert said.json["effect"]
    same = await server_anywhere.post(f"{path}/feedback", ann, json={"opinion": "not-useful"})
    assert (same.json["opinion"], same.json["effect"]) == ("not_useful", "Nothing changes.")
    why = (await server_anywhere.get(f"{path}/why", ann)).json
    assert (why["opinion"], why["finding"]["id"]) == ("not_useful", str(has.finding.id))
    assert why["liking_now"] < 0 == why["liking_then"]
    story = (await server_anywhere.get(f"{path}/story", ann)).json
    assert [each["id"] for each in story["findings"]] == [str(has.finding.id)]
    assert story["domains"]
    await server_anywhere.post(f"{path}/feedback", ann, json={"opinion": None})
    assert (await server_anywhere.get(f"{path}/why", ann)).json["opinion"] is None
    again = await server_anywhere.post(f"{path}/feedback", ann, json={"opinion": None})
    assert again.status == 404
    wrong = await server_anywhere.post(f"{path}/feedback", ann, json={"opinion": "great"})
    assert wrong.status == 400


async def test_search_finds_by_words(server_anywhere):
    """A word of a fact brings it; one that is nowhere brings nothing by words."""
    ann = await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann)
    said = await server_anywhere.get("/api/v1/findings/search?q=ferry", ann)
    (found,) = said.json["items"]
    assert (found["finding"]["id"], found["by_words"]) == (str(has.finding.id), 1)
    for query in ("", "q=", "q=%21%21", "q=a&q=b", "q=ferry&limit=0"):
        assert (await server_anywhere.get(f"/api/v1/findings/search?{query}", ann)).status == 400


async def test_a_run_tells_which_prompts_were_used(server):
    """Its hash of what the model was shown is in the run, beside the model."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    run = rows.execution(has.scout, prompts="0123456789ab", model="ollama/x", state="running")
    await executions.add(await server.app.database(), run)
    said = (await server.get(f"/api/v1/executions/{run.id}", ann)).json
    assert (said["prompts"], said["model"]) == ("0123456789ab", "ollama/x")


async def test_messages_are_kept_in_their_order(server, clock):
    """What is said about a scout is listed oldest first, with who said it."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    path = f"/scouts/{has.scout.id}/messages"
    for role, content in (("user", "Weekly."), ("assistant", "Weekly it is.")):
        clock.forward(1)
        said = await server.post(path, ann, json={"role": role, "content": content})
        assert said.status == 201
    listed = (await server.get(path, ann)).json["items"]
    assert [(each["role"], each["content"]) for each in listed] == [
        ("user", "Weekly."),
        ("assistant", "Weekly it is."),
    ]
    for wrong in ({"content": ""}, {"content": "x", "role": "system"}, {"content": "x" * 20_001}):
        assert (await server.post(path, ann, json=wrong)).status == 400


async def test_preferences_are_changed_by_who_has_seen_them(server_anywhere, clock):
    """The place of a user is kept; a change of a stale copy is 412."""
    ann = await server_anywhere.sign_up()
    path = "/api/v1/preferences"
    empty = await server_anywhere.get(path, ann)
    assert empty.json == {"location": None, "updated_at": None}
    kept = await server_anywhere.call("PUT", path, ann, json={"location": "Kiel, Germany"})
    assert kept.json["location"] == {"city": "Kiel", "country": "Germany"}
    assert (await server_anywhere.get(path, ann)).json == kept.json
    stale = {"If-Match": empty.headers["Etag"]}
    said = await server_anywhere.call("PUT", path, ann, json={"location": None}, headers=stale)
    assert said.status == 412
    clock.forward(1)
    said = await server_anywhere.call("PUT", path, ann, json={"location": None})
    assert said.json["location"] is None


async def test_usage_adds_up_the_runs_of_each_day(server_anywhere):
    """Runs, pages and tokens are summed by the day (UTC) on which a run began."""
    ann = await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann)
    db = await server_anywhere.app.database()
    used = Usage(searches=2, pages=3, calls=4, prompt_tokens=500, completion_tokens=60)
    for days, state in ((0, "completed"), (0, "failed"), (2, "completed")):
        moment = rows.AT - timedelta(days=days)
        run = rows.execution(has.scout, started_at=moment)
        await executions.add(db, run)
        status = {"state": state, "status": state, "completed_at": moment, "usage": used}
        await executions.finish(db, replace(run, **status))
    said = await server_anywhere.get("/api/v1/usage", ann)
    (before, today) = said.json["items"]
    assert (before["day"], before["runs"], before["pages"]) == ("2026-11-19", 1, 3)
    assert (today["day"], today["runs"], today["failed"]) == ("2026-11-21", 3, 1)
    assert (today["prompt_tokens"], today["calls"]) == (1_000, 8)
    said = await server_anywhere.get("/api/v1/usage?since=2026-11-20&until=2026-11-20", ann)
    assert said.json["items"] == []
    for query in ("since=2026-11-22&until=2026-11-21", "since=2000-01-01", "since=yesterday"):
        assert (await server_anywhere.get(f"/api/v1/usage?{query}", ann)).status == 400


async def test_messages_of_the_outbox_are_retried_and_held(server_anywhere):
    """A held message is sent again on demand, and held again; one that was sent is 409."""
    ann = await server_anywhere.sign_up()
    has = await furnish(server_anywhere, ann)
    path = f"/api/v1/outbox/{has.message.id}"
    assert (await server_anywhere.post(f"{path}/retry", ann)).json["state"] == "pending"
    assert (await server_anywhere.post(f"{path}/hold", ann)).json["state"] == "held"
    db = await server_anywhere.app.database()
    await db.execute("UPDATE notification_outbox SET state = 'sent'")
    said = await server_anywhere.post(f"{path}/retry", ann)
    assert (said.status, said.json["code"]) == (409, "conflict")
    assert (await server_anywhere.get(path, ann)).json["subject"] == "The ferry sails again"


async def test_disabled_channel_is_used_again(server):
    """`enable` brings a channel back; its URL is told nowhere."""
    ann = await server.sign_up()
    has = await furnish(server, ann)
    db = await server.app.database()
    await db.execute("UPDATE channels SET state = 'disabled', reason = 'gone'")
    said = await server.get("/api/v1/channels", ann)
    assert (said.json["items"][0]["state"], said.json["items"][0]["reason"]) == ("disabled", "gone")
    assert CHANNEL.encode() not in said.body
    said = await server.post(f"/api/v1/channels/{has.channel.id}/enable", ann)
    assert said.json["state"] == "active"


@pytest.mark.parametrize(
    "url",
    [
        "webhook+https://127.0.0.1/hook",
        "webhook+https://localhost/hook",
        "webhook+http://169.254.169.254/latest",
        "webhook+https://hooks.example:6379/",
        "ntfy+http://10.0.0.7/topic",
        "resend+http://key@192.168.0.1?to=a@example.org",
        "json://127.0.0.1/apprise",
        "console://",
        "mailto://somebody-else@example.org",
        "nonsense",
    ],
)
async def test_account_may_not_name_every_channel(server, url):
    """What would reach into this network, past the guard, or a stranger is refused everywhere."""
    ann = await server.sign_up()
    wish = {"goal": "Ferries", "title": "Ferries", "search_queries": ["a"]}
    path = (await server.post("/scouts", ann, json=wish)).headers["Location"]
    for said in (
        await server.post("/scouts", ann, json={**wish, "notify": [url]}),
        await server.patch(path, ann, json={"notify": [url]}),
        await server.post("/api/v1/channels/test", ann, json={"url": url}),
    ):
        assert said.status == 400, said.body
        assert url == "console://" or url.encode() not in said.body


async def test_trials_are_few(server):
    """The eleventh test message in ten minutes is 429 and says when to come back."""
    ann = await server.sign_up()
    said = [
        await server.post("/api/v1/channels/test", ann, json={"url": "console://"})
        for _ in range(11)
    ]
    assert [each.status for each in said] == [400] * 10 + [429]
    assert int(said[-1].headers["Retry-After"]) > 0


async def test_log_shows_a_user_their_own_lines(server):
    """Everybody reads what was done with their account; the admin, who was first, reads all."""
    admin, bob = await server.sign_up(), await server.sign_up()
    own = (await server.get("/api/v1/audit", bob)).json["items"]
    assert own
    assert {line["user_id"] for line in own} == {str(bob.id)}
    assert (await server.get("/api/v1/audit?everybody=true", bob)).status == 403
    every = (await server.get("/api/v1/audit?everybody=true&limit=200", admin)).json["items"]
    assert {str(admin.id), str(bob.id)} <= {line["user_id"] for line in every}
    first = (await server.get("/api/v1/audit?everybody=true&limit=1", admin)).json
    second = await server.get(f"/api/v1/audit?everybody=true&before={first['next']}", admin)
    assert [*first["items"], *second.json["items"]] == every
