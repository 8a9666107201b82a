"""What the run page is given: results with icons of our own, signed pictures, safe briefs."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import unquote, urlsplit
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from scout_cli import derived
from scout_cli.core.job import Item, Source
from scout_cli.core.models import Execution, ResultsSummary, Scout, Step
from scout_cli.core.report import brief as written
from scout_cli.server.rest.showing import brief, card, icon
from scout_cli.service.accounts.api_keys import api_key
from scout_cli.store import executions, scouts, steps
from tests.server.serving import JWT_SECRET

KEY = {"apikey": api_key("anon", JWT_SECRET)}
JPEG = b"\xff\xd8\xff\xe0 a picture"


def drawn(line):
    """Return a line as a renderer of its kind makes HTML of it: links, code, bold, italic."""
    line = re.sub(
        r"\[([^\]]+)\]\(([^)]+)\)", r'<a href="\2" target="_blank" rel="noopener">\1</a>', line
    )
    line = re.sub(r"`([^`]+)`", r"<code>\1</code>", line)
    line = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", line)
    line = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", line)
    return re.sub(r"(?<![a-z])_([^_]+)_(?![a-z])", r"<em>\1</em>", line)


@pytest.mark.parametrize(
    "text",
    [
        "- <img src=x onerror=alert(1)>",
        '- a" onmouseover="alert(1)',
        "- [x](javascript:alert(1))",
        '- [x](https://a.example/"onload="alert(1))',
        "- [x](https://a.example/'><script>alert(1)</script>)",
        "- [<script>](https://a.example/)",
        "- [a](data:text/html,<script>)",
        "- [a](//evil.example/) [b](/relative)",
        "- &lt;b&gt; & &amp; &#95;",
        "- [a](https://a.example/?a=1&b=2&amp;c=3)",
    ],
)
def test_a_brief_runs_nothing(text):
    """Whatever a page says, the drawn brief is text, and at most one link to the web."""
    html = drawn(brief(text))
    tags = re.findall(r"<(/?\w+)([^>]*)>", html)
    assert {name for name, _ in tags} <= {"a", "/a"}
    for name, inside in tags:
        if name == "a":
            address = re.fullmatch(
                r' href="(https?://[^"]+)" target="_blank" rel="noopener"', inside
            )
            assert address
            assert urlsplit(address[1]).hostname == "a.example"
    assert brief(brief(text)) == brief(text)


def test_a_line_keeps_one_link_whole():
    """Underscores and stars of addresses are encoded; a second link becomes its text."""
    line = "- See [one](https://a.example/a_b_c*d*) and [two](https://b.example/)"
    assert brief(line) == "- See [one](https://a.example/a%5Fb%5Fc%2Ad%2A) and two"
    assert drawn(brief(line)).count("<a ") == 1
    assert "<em>" not in drawn(brief(line))


def test_our_own_briefs_stay_as_they_are():
    """What scout writes is drawn as it is stored."""
    source = Source(
        number=1,
        url="https://a.example/x_y?p=1&q=2",
        host="a.example",
        title="A",
        published_at=None,
    )
    text = written([Item(text='Snake_case & "more" <now> *here*', sources=(1,))], {1: source})
    assert re.sub("&amp;q=2", "&q=2", brief(text)) == text


def test_pictures_of_our_own_are_drawn_from_the_host_alone():
    """They are XML, small, name no address that a browser would ask, and differ by host."""
    one, other = icon("https://www.example.org/a?b=<x>"), icon("https://\u00f6sterreich.example/")
    assert one == icon("https://example.org/other")
    assert one != other
    for each in (one, other, card('A "title" & <more> ' + "x" * 90, "https://a.example/")):
        head, _, body = each.partition(",")
        assert head == "data:image/svg+xml"
        root = ET.fromstring(unquote(body))
        assert root.tag.endswith("svg")
        assert len(each) < 900
        assert "http" not in unquote(body).replace("http://www.w3.org/2000/svg", "")


async def filled(server, who):
    """Store a run with all kinds of steps; return its id."""
    db, now = await server.app.database(), server.app.clock.now()
    scout = Scout(id=uuid4(), user_id=who.id, title="A", goal="a", created_at=now, updated_at=now)
    await scouts.add(db, scout)
    response = "- <script>alert(1)</script> [x](https://a.example/b_c) [y](https://b.example/)"
    run = Execution(
        id=uuid4(),
        scout_id=scout.id,
        user_id=who.id,
        status="completed",
        state="completed",
        started_at=now,
        completed_at=now,
        created_at=now,
        lease_owner="a test",
        lease_until=now,
        fence=1,
        results_summary=ResultsSummary(
            task_completed=True, task_status="completed", response=response
        ),
        summary_text="News",
    )
    await executions.add(db, run)
    kept = derived.screenshots(server.app.settings)
    kept.folder.parent.mkdir(parents=True, exist_ok=True)
    picture = kept.save(run.id, JPEG)
    results = [
        {"title": "A", "url": "https://a.example/"},
        {"title": "", "url": "https://b.example/"},
        {"title": "C", "url": "/relative"},
        {"title": "D", "url": ""},
        {"title": "E", "url": "javascript:alert(1)"},
        "nonsense",
    ]
    page = {"url": "https://a.example/", "title": "A & B", "content": "Text", "outcome": "read"}
    made = (
        ("search", {"query": "a"}, {"searchResults": results}),
        ("search", {"feed": "https://a.example/feed"}, None),
        ("scrape", {"url": "https://a.example/"}, {**page, "screenshot": picture}),
        ("scrape", {"url": "https://a.example/"}, page),
        ("summarize", None, {"response": response}),
    )
    for number, (kind, given, output) in enumerate(made, 1):
        step = Step(
            id=uuid4(),
            execution_id=run.id,
            step_number=number,
            step_type=kind,
            description=kind,
            input_data=given,
            output_data=output,
            status="completed",
            started_at=now,
            created_at=now,
            user_id=who.id,
            fence=1,
        )
        await db.together(steps.started(step))
    return run.id


async def steps_of(server, who, run_id):
    """Return the steps of a run as the page asks for them."""
    query = f"select=*&execution_id=eq.{run_id}&order=step_number.asc"
    answer = await server.get(f"/rest/v1/scout_execution_steps?{query}", who, headers=KEY)
    assert answer.status == 200, answer.body
    return answer.json


async def test_steps_are_what_the_run_page_draws(server_anywhere):
    """Absolute results with icons, a query for feeds, pictures by address, a safe report."""
    server = server_anywhere
    ann = await server.sign_up()
    run_id = await filled(server, ann)
    search, feed, seen, unseen, report = await steps_of(server, ann, run_id)
    results = search["output_data"]["searchResults"]
    assert [each["title"] for each in results] == ["A", "b.example"]
    assert all(each["favicon"].startswith("data:image/svg+xml,") for each in results)
    assert feed["input_data"]["query"] == "https://a.example/feed"
    assert seen["output_data"]["screenshot"].startswith(f"{server.url}/storage/v1/screenshots/")
    assert len(seen["output_data"]["screenshot"]) < 250
    assert unseen["output_data"]["screenshot"].startswith("data:image/svg+xml,")
    assert "<script" not in report["output_data"]["response"]
    query = f"select=id,results_summary,kept:scout_execution_steps(output_data)&id=eq.{run_id}"
    (run,) = (await server.get(f"/rest/v1/scout_executions?{query}", ann, headers=KEY)).json
    assert run["results_summary"]["response"] == report["output_data"]["response"]
    inside = [each["output_data"] for each in run["kept"] if each["output_data"]]
    assert any(each.get("favicon") for each in inside)


async def test_a_picture_is_for_whoever_has_its_link(server, clock):
    """The link needs no token, stays the same for a while, ends, and cannot be changed."""
    ann = await server.sign_up()
    run_id = await filled(server, ann)
    link = (await steps_of(server, ann, run_id))[2]["output_data"]["screenshot"]
    path = link.removeprefix(server.url)
    answer = await server.get(path)
    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.headers["Content-Type"] == "image/jpeg"
    clock.moment += timedelta(minutes=10)
    again = (await steps_of(server, ann, run_id))[2]["output_data"]["screenshot"]
    assert again == link
    for bad in (path[:-1], path[:-6] + "AAAAAA", f"{path}x", path.replace("shots/", "shots/A")):
        assert (await server.get(bad)).status == 404
    for bad in ("x", "%2e%2e", "A" * 400, "%F0%9F%A6%A6"):
        assert (await server.get(f"/storage/v1/screenshots/{bad}")).status == 404
    clock.moment += timedelta(hours=2)
    assert (await server.get(path)).status == 404
