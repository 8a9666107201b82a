"""The demo web answers as real sites and a real search engine do, and its story holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio

from scout_cli.core.details import signature
from scout_cli.core.differences import difference
from scout_cli.demo.pages import DAYS, Library
from scout_cli.demo.web import DemoWeb
from scout_cli.errors import InvalidInput

GAZETTE = "harbour-gazette.example"
OPERATOR = "saltmere-ferries.example"
WIRE = "coastline-wire.example"
QUERY = "Saltmere Hollen Island ferry"


class Reader:
    """A client that sends the Host header of a site to the loopback address."""

    def __init__(self, web: DemoWeb, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def get(self, host: str, path: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
        """Return status, text and headers of one page."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self._web.port}{path}"
        async with self._session.get(url, headers={"Host": host, **sent}) as answer:
            return answer.status, await answer.text(), answer.headers

    async def search(self, q: str, **params: str) -> list[dict]:
        """Return the results of one search."""
        url = f"http://127.0.0.1:{self._web.port}/search"
        async with self._session.get(url, params={"q": q, "format": "json", **params}) as answer:
            assert answer.status == 200, await answer.text()
            return (await answer.json())["results"]


@pytest_asyncio.fixture
async def web():
    """A running demo web on a free port."""
    async with DemoWeb() as running:
        yield running


@pytest_asyncio.fixture
async def reader(web):
    """A client of the running demo web."""
    async with aiohttp.ClientSession() as session:
        yield Reader(web, session)


async def test_sites_are_told_apart_by_the_host_header(reader):
    """Two hosts on one port show two front pages; a host that is not ours shows nothing."""
    status, gazette, _ = await reader.get(GAZETTE, "/")
    _, operator, _ = await reader.get(OPERATOR, "/")
    assert status == 200
    assert "The Harbour Gazette" in gazette
    assert "The Harbour Gazette" not in operator
    assert (await reader.get("elsewhere.example", "/"))[0] == 404


async def test_every_host_is_reserved_for_examples_and_points_to_loopback(web):
    """No name of the demo web can belong to anybody (RFC 2606), and none leaves this machine."""
    assert len(web.hosts) == 6
    assert all(host.endswith(".example") for host in web.hosts)
    assert set(web.hosts.values()) == {"127.0.0.1"}
    assert web.open_to == {f"127.0.0.1:{web.port}"}
    assert web.search_url == f"searxng+http://127.0.0.1:{web.port}"


async def test_a_page_carries_frame_and_date(reader):
    """An article has navigation, footer and cookie bar to strip, and a date to find."""
    _, text, headers = await reader.get(GAZETTE, "/2026/03/ferry-returns")
    for mark in ("<nav", "<footer", "cookie-bar", 'rel="canonical"'):
        assert mark in text
    block = re.search(r'<script type="application/ld\+json">(.*?)</script>', text)
    assert block is not None
    assert json.loads(block[1])["datePublished"] == "2026-03-02T07:10:00+00:00"
    assert headers["Last-Modified"] == "Mon, 02 Mar 2026 07:10:00 GMT"


@pytest.mark.parametrize(
    ("host", "path", "mark"),
    [
        (OPERATOR, "/press/line-reopens", 'article:published_time" content="2026-03-02T05:30:00'),
        ("hollen-council.example", "/decisions/ferry-costs", '<time datetime="2026-02-27T12:00'),
    ],
)
async def test_each_site_states_its_date_in_its_own_way(reader, host, path, mark):
    """A reader meets JSON-LD, meta elements and time elements."""
    assert mark in (await reader.get(host, path))[1]


async def test_links_between_sites_carry_the_port(reader, web):
    """A link to another demo site leads to the running server."""
    _, text, _ = await reader.get(GAZETTE, "/2026/03/ferry-returns")
    assert f'href="http://{OPERATOR}:{web.port}/press/line-reopens"' in text


async def test_an_unchanged_page_answers_304_to_its_tag(reader):
    """If-None-Match with the page's own tag saves the page; another tag does not."""
    _, _, headers = await reader.get(OPERATOR, "/press/line-reopens")
    tag = headers["ETag"]
    status, text, again = await reader.get(OPERATOR, "/press/line-reopens", If_None_Match=tag)
    assert (status, text, again["ETag"]) == (304, "", tag)
    assert (await reader.get(OPERATOR, "/press/line-reopens", If_None_Match='"old"'))[0] == 200


async def test_an_unchanged_page_answers_304_to_its_date(reader):
    """If-Modified-Since is honoured when there is no tag, and only then."""
    page = (OPERATOR, "/press/line-reopens")
    later, earlier = "Mon, 02 Mar 2026 05:30:00 GMT", "Mon, 02 Mar 2026 05:29:59 GMT"
    assert (await reader.get(*page, If_Modified_Since=later))[0] == 304
    assert (await reader.get(*page, If_Modified_Since=earlier))[0] == 200
    both = await reader.get(*page, If_Modified_Since=later, If_None_Match='"old"')
    assert both[0] == 200


async def test_pages_do_not_change_from_day_to_day(reader, web):
    """The tag of an article is the same on all days; only front page and feed move on."""
    page, feed = (GAZETTE, "/2026/03/ferry-returns"), (GAZETTE, "/feed.xml")
    first = [(await reader.get(*address))[2]["ETag"] for address in (page, feed)]
    web.day = 2
    second = [(await reader.get(*address))[2]["ETag"] for address in (page, feed)]
    assert first[0] == second[0]
    assert first[1] != second[1]


async def test_the_feed_lists_what_is_there_newest_first(reader, web):
    """The RSS feed has the dated articles of the day; a page of tomorrow is not in it."""
    _, today, headers = await reader.get(GAZETTE, "/feed.xml")
    assert headers["Content-Type"].startswith("application/rss+xml")
    assert "choir-tenors" not in today
    assert "pier-photographs" not in today
    web.day = 2
    _, tomorrow, _ = await reader.get(GAZETTE, "/feed.xml")
    assert tomorrow.index("choir-tenors") < tomorrow.index("ferry-returns")
    assert (await reader.get(OPERATOR, "/feed.xml"))[0] == 404


async def test_a_page_of_tomorrow_is_not_there_today(reader, web):
    """The wire's story appears on the third day, not before."""
    assert (await reader.get(WIRE, "/w/4417-hollen-line"))[0] == 404
    web.day = 3
    assert (await reader.get(WIRE, "/w/4417-hollen-line"))[0] == 200


async def test_the_search_engine_knows_a_page_that_is_gone(reader):
    """A result may lead to 404, as on the open web."""
    found = [result["url"] for result in await reader.search(QUERY)]
    assert any("pier-photographs" in url for url in found)
    assert (await reader.get(GAZETTE, "/2026/02/pier-photographs"))[0] == 404


async def test_a_cookie_wall_hides_the_text(reader):
    """Without consent the site sends its wall with status 200, with consent the page."""
    path = ("morning-buoy.example", "/why-the-line-matters")
    status, text, _ = await reader.get(*path)
    assert status == 200
    assert "Before you continue" in text
    assert "toy for tourists" not in text
    assert "toy for tourists" in (await reader.get(*path, Cookie="consent=accept"))[1]


async def test_search_answers_like_searxng(reader, web):
    """A result has the fields of SearXNG's JSON, best first, each URL on a demo site."""
    found = await reader.search(QUERY)
    assert [result["score"] for result in found] == sorted(
        (result["score"] for result in found), reverse=True
    )
    for result in found:
        assert {"url", "title", "content", "publishedDate", "engine", "score"} <= set(result)
        host, _, port = result["url"].split("/")[2].partition(":")
        assert host in web.hosts
        assert port == str(web.port)
    assert not any("soup" in result["url"] for result in found)


@pytest.mark.parametrize("time_range", ["day", "week"])
async def test_search_honours_the_time_range(reader, time_range):
    """A shorter window leaves the older and the undated pages out."""
    found = await reader.search(QUERY, time_range=time_range)
    days = 1 if time_range == "day" else 7
    assert found
    for result in found:
        published = datetime.fromisoformat(result["publishedDate"])
        assert (DAYS[1].date() - published.date()).days <= days
    assert len(found) < len(await reader.search(QUERY))


async def test_search_honours_the_language(reader):
    """All sites are in English: other languages find nothing, `all` finds everything."""
    assert await reader.search(QUERY, language="de") == []
    assert await reader.search(QUERY, language="en-GB") == await reader.search(QUERY)
    assert await reader.search(QUERY, language="all") == await reader.search(QUERY)


@pytest.mark.parametrize("q", ['"ferry', "ferry AND", "fare*", "NEAR(ferry", "title:ferry", "a'b"])
async def test_search_takes_any_text(reader, q):
    """Operators of the full-text engine are words like any other."""
    assert isinstance(await reader.search(q), list)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"q": "ferry"}, 403),
        ({"q": "ferry", "format": "html"}, 403),
        ({"format": "json"}, 400),
        ({"q": "", "format": "json"}, 400),
        ({"q": "ferry", "format": "json", "time_range": "decade"}, 400),
    ],
)
async def test_search_refuses_as_searxng_does(reader, web, params, status):
    """Formats that are switched off are 403, missing or wrong parameters 400."""
    url = f"http://127.0.0.1:{web.port}/search"
    async with aiohttp.request("GET", url, params=params) as answer:
        assert answer.status == status


async def test_words_without_meaning_find_nothing(reader):
    """A search of stop words only is answered with an empty list."""
    assert await reader.search("what is the news of") == []


async def test_visits_are_kept(reader, web):
    """The server remembers what was asked of it, refusals included."""
    await reader.get(GAZETTE, "/")
    await reader.get(GAZETTE, "/nowhere")
    assert [(visit.path, visit.status) for visit in web.visits] == [("/", 200), ("/nowhere", 404)]


def test_there_are_three_days():
    """A day outside the story is refused with the days that exist."""
    web = DemoWeb()
    moments = []
    for day in (1, 2, 3):
        web.day = day
        moments.append(web.now)
    assert moments == [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (2, 3, 4)]
    with pytest.raises(InvalidInput):
        web.day = 4


def _facts(host: str, path: str) -> list[str]:
    leaf = Library().leaves[host, path]
    return re.findall(r"<p>([^<]{60,})</p>", leaf.body)


def test_the_third_day_repeats_with_the_same_details_and_adds_one_fact():
    """The wire's sentences say again what the press release said, but for exactly one."""
    earlier = [signature(fact) for fact in _facts(OPERATOR, "/press/line-reopens")]
    added = [
        fact
        for fact in _facts(WIRE, "/w/4417-hollen-line")
        if all(difference(signature(fact), known) for known in earlier)
    ]
    assert len(added) == 1
    assert "9 March 2026" in added[0]


def test_the_second_day_adds_nothing_about_the_ferry():
    """What is new on the second day shares no topic with the goal of the demo."""
    fresh = [leaf for leaf in Library().leaves.values() if leaf.front.day == 2]
    assert fresh
    assert not any(
        word in f"{leaf.front.title} {leaf.text}".lower()
        for leaf in fresh
        for word in ("ferry", "saltmere", "hollen", "ship", "fare")
    )
