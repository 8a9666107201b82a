"""The feed of a scout: valid Atom, who may read it, and nothing of a page as markup."""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from scout_cli.server.middleware import LOG
from scout_cli.service.wishes import Wish
from scout_cli.store import executions, findings
from tests.cli.stage import GOAL
from tests.contract import rows
from tests.server.serving import serving, settings

ATOM = "{http://www.w3.org/2005/Atom}"
NASTY = '</li><script>alert(1)</script> & \x00\x1b[31m\u202e\ufffe "quoted" ]]>'


async def scout_of(server, who, **more):
    """Save a scout."""
    wish = Wish(goal=GOAL, timezone="UTC", **more)
    return (await (await server.app.scouts(who.id)).add(wish)).scout


async def news_of(server, scout, *facts, at=rows.AT, **more):
    """Store a run that found these facts."""
    db = await server.app.database()
    run = rows.execution(scout, started_at=at)
    await executions.add(db, run)
    found = [rows.finding(scout, execution_id=run.id, fact=fact, **more) for fact in facts]
    await findings.add_many(db, found)
    ended = replace(
        run,
        state="completed",
        status="completed",
        outcome="new" if facts else "nothing_new",
        completed_at=at,
        summary_text=facts[0] if facts else None,
    )
    await executions.finish(db, ended)
    return ended


async def opened(server, who, scout):
    """Make an address of the feed of a scout and return its path."""
    said = await server.post(f"/api/v1/scouts/{scout.id}/feed-token", who)
    assert said.status == 201, said.body
    url = urlsplit(said.json["url"])
    assert parse_qs(url.query)["token"] == [said.json["token"]]
    return f"{url.path}?{url.query}"


async def test_a_feed_holds_the_runs_with_news_newest_first(server_anywhere):
    """Each run with news is an entry with its facts, as RFC 4287 wants it; silent runs are none."""
    server = server_anywhere
    ann = await server.sign_up()
    scout = await scout_of(server, ann, title="Ferries")
    first = await news_of(server, scout, "The ferry sails at nine.", "It costs 12 euros.")
    await news_of(server, scout, at=rows.AT + timedelta(hours=1))
    second = await news_of(server, scout, "It sails at ten.", at=rows.AT + timedelta(hours=2))
    said = await server.get(await opened(server, ann, scout))
    assert said.status == 200
    assert said.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(said.body)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    assert [each.findtext(f"{ATOM}id") for each in entries] == [
        f"urn:uuid:{second.id}",
        f"urn:uuid:{first.id}",
    ]
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
    assert root.findtext(f"{ATOM}author/{ATOM}name") == "scout"
    assert root.findtext(f"{ATOM}title") == "Ferries"
    assert root.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
    assert root.find(f"{ATOM}link").attrib["href"].startswith(f"{server.url}/api/v1/scouts/")
    content = entries[1].find(f"{ATOM}content")
    assert content.attrib["type"] == "html"
    assert "<li>It costs 12 euros. (<a href=" in content.text
    assert entries[1].find(f"{ATOM}link").attrib["href"].startswith("https://ferries.example/")


async def test_nothing_of_a_page_is_markup(server):
    """Tags, control, direction and impossible characters of a page stay text or go."""
    ann = await server.sign_up()
    scout = await scout_of(server, ann)
    nasty = NASTY.replace("\x00", "")
    await news_of(server, scout, nasty, url="javascript:alert(1)", host="<b>evil</b>")
    said = await server.get(await opened(server, ann, scout))
    entry = ET.fromstring(said.body).find(f"{ATOM}entry")
    content = entry.findtext(f"{ATOM}content")
    assert "<script" not in content
    assert "javascript:" not in said.body.decode()
    assert "&lt;script&gt;" in content
    assert entry.find(f"{ATOM}link") is None
    assert not {"\x1b", "\u202e", "\ufffe"} & set(said.body.decode())


async def test_a_reader_that_has_it_is_told_so(server):
    """The tag of a feed saves sending it again, until there is news."""
    ann = await server.sign_up()
    scout = await scout_of(server, ann)
    path = await opened(server, ann, scout)
    first = await server.get(path)
    again = await server.get(path, headers={"If-None-Match": first.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")
    await news_of(server, scout, "The ferry sails at nine.")
    fresh = await server.get(path, headers={"If-None-Match": first.headers["Etag"]})
    assert fresh.status == 200


async def test_a_token_that_is_withdrawn_opens_nothing(server):
    """After DELETE every address of the feed is worthless; a new one works."""
    ann = await server.sign_up()
    scout = await scout_of(server, ann)
    paths = [await opened(server, ann, scout), await opened(server, ann, scout)]
    assert [(await server.get(path)).status for path in paths] == [200, 200]
    assert (await server.delete(f"/api/v1/scouts/{scout.id}/feed-token", ann)).status == 204
    assert [(await server.get(path)).status for path in paths] == [404, 404]
    assert (await server.get(await opened(server, ann, scout))).status == 200


async def test_a_token_opens_one_feed_and_nothing_else(server):
    """Not another scout's feed, not the API; and an API token opens no feed."""
    ann = await server.sign_up()
    mine, other = await scout_of(server, ann), await scout_of(server, ann, title="Other")
    path = await opened(server, ann, mine)
    token = path.rpartition("=")[2]
    program = await server.token(ann)
    refused = [
        f"/api/v1/scouts/{other.id}/feed.atom?token={token}",
        f"/api/v1/scouts/{uuid4()}/feed.atom?token={token}",
        f"/api/v1/scouts/{mine.id}/feed.atom?token={token}x",
        f"/api/v1/scouts/{mine.id}/feed.atom?token={program}",
        f"/api/v1/scouts/{mine.id}/feed.atom?token=",
        f"/api/v1/scouts/{mine.id}/feed.atom",
    ]
    said = [await server.get(each) for each in refused]
    assert [each.status for each in said] == [404] * len(refused)
    assert len({each.json["detail"] for each in said}) == 1
    assert (await server.get("/api/v1/scouts", token)).status == 401


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_only_its_owner_opens_and_closes_a_feed(server, method):
    """Another user's scout is not there; a token that may only read makes no address."""
    ann, bob = await server.sign_up(), await server.sign_up()
    scout = await scout_of(server, ann)
    path = f"/api/v1/scouts/{scout.id}/feed-token"
    assert (await server.call(method, path, bob)).status == 404
    assert (await server.call(method, path)).status == 401
    reader = await server.token(ann, "read")
    assert (await server.call(method, path, reader)).status == 403


async def test_addresses_are_those_that_the_world_knows(tmp_path):
    """Behind a proxy the links name the public address."""
    given = settings(f"sqlite:///{tmp_path}/scout.db", public_url="https://scout.example/base")
    async with serving(given) as server:
        ann = await server.sign_up()
        scout = await scout_of(server, ann)
        said = await server.post(f"/api/v1/scouts/{scout.id}/feed-token", ann)
    assert said.json["url"].startswith(f"https://scout.example/base/api/v1/scouts/{scout.id}/")


async def test_the_token_of_a_feed_is_not_logged(server, caplog):
    """The line of the log names the route, not the address."""
    ann = await server.sign_up()
    scout = await scout_of(server, ann)
    path = await opened(server, ann, scout)
    with caplog.at_level(logging.INFO, logger=LOG.name):
        await server.get(path)
    (line,) = [each for each in caplog.records if each.name == LOG.name]
    assert line.fields["route"].endswith("/feed.atom")
    assert path.rpartition("=")[2] not in str(vars(line))
