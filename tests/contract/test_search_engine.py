"""What every search engine must do: say what it found, and tell "nothing" from "could not look"."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest

from scout_cli.core.ports import SearchQuery
from scout_cli.errors import ConfigError
from scout_cli.net.guard import Guard
from scout_cli.search import open_search
from scout_cli.search.ddgs import DdgsSearch
from scout_cli.search.searxng import SearxngSearch
from tests.search_server import (
    FOUND,
    Found,
    SearchServer,
    Serves,
    challenge_page,
    changed_page,
    duckduckgo_page,
    mojeek_page,
    searxng_reply,
)

QUERY = SearchQuery(text="Saltmere ferry")
MANY = [Found(url=f"https://site{number}.example/page") for number in range(30)]


class Sessions:
    """Gives one session, and a guard that opens nothing."""

    def __init__(self, session=None, guard=None):
        self._session = session
        self.guard = guard or Guard()

    def trusted(self):
        """Return the session."""
        return self._session


def ddg(found):
    """Return a script of DuckDuckGo pages with these results."""
    return lambda asked: duckduckgo_page(asked.query, found)


def searx(found):
    """Return a script of SearXNG replies with these results."""
    rows = [{"url": one.url, "title": one.title, "content": one.snippet} for one in found]
    return lambda _: searxng_reply(rows)


def always(serves):
    """Return a script that gives one answer to everything."""
    return lambda _: serves


@asynccontextmanager
async def searching(kind, script, **limits):
    """Open a server that follows `script` and a search engine of `kind` that asks it."""
    async with SearchServer(script) as server, aiohttp.ClientSession() as session:
        if kind == "ddgs":
            engine = DdgsSearch(
                ["duckduckgo"], Sessions(), bases={"duckduckgo": server.url}, **limits
            )
        else:
            engine = SearxngSearch(server.url, Sessions(session), **limits)
        yield server, engine


async def answer_of(kind, script, query=QUERY, **limits):
    """Return what the engine makes of `script`."""
    async with searching(kind, script, **limits) as (_, engine):
        return await engine.search(query)


both = pytest.mark.parametrize(("kind", "pages"), [("ddgs", ddg), ("searxng", searx)])
each = pytest.mark.parametrize("kind", ["ddgs", "searxng"])


@both
async def test_found(kind, pages):
    """Results come in order, with URL, title, snippet and engine."""
    answer = await answer_of(kind, pages(FOUND))
    assert answer.outcome == "found"
    assert [(hit.url, hit.title, hit.snippet) for hit in answer.hits] == [
        (one.url, one.title, one.snippet) for one in FOUND
    ]
    assert all(hit.engine for hit in answer.hits)
    assert answer.engine.startswith(kind)


@both
async def test_nothing_there(kind, pages):
    """A page that says so means that there is nothing."""
    answer = await answer_of(kind, pages([]))
    assert (answer.outcome, answer.hits) == ("empty", ())


@both
async def test_limit_and_repeats(kind, pages):
    """No more than asked for, and no URL twice."""
    answer = await answer_of(kind, pages([MANY[0], *MANY]), SearchQuery(text="ferry", limit=5))
    assert [hit.url for hit in answer.hits] == [one.url for one in MANY[:5]]


@both
async def test_only_web_addresses(kind, pages):
    """What is not an http(s) address is no result."""
    bad = ["javascript:alert(1)", "data:text/html,x", "/local", "ftp://a.example/", "http://", ""]
    answer = await answer_of(kind, pages([*(Found(url=url) for url in bad), FOUND[0]]))
    assert [hit.url for hit in answer.hits] == [FOUND[0].url]


@both
async def test_text_without_markup(kind, pages):
    """Tags, entities and invisible characters do not reach the reader."""
    dirty = Found(
        url="https://a.example/",
        title="Fish &amp;amp; <b>chips</b>\u202e",
        snippet="&lt;script&gt;x&lt;/script&gt;\n two\u200b\tlines",
    )
    (hit,) = (await answer_of(kind, pages([dirty]))).hits
    assert hit.title in ("Fish & chips", "Fish &amp; chips")
    assert "<" not in hit.snippet
    assert "two lines" in hit.snippet


@both
async def test_addresses_stay_as_they_are(kind, pages):
    """Escapes in an address mean something; a counter around it does not."""
    inner = "https://a.example/a%2Fb%20c?q=x%26y&z=%C3%A9"
    wrapped = "//duckduckgo.com/l/?uddg=https%3A%2F%2Fb.example%2Fx%3Fy%3D1&rut=abc"
    answer = await answer_of(kind, pages([Found(url=inner), Found(url=wrapped)]))
    assert [hit.url for hit in answer.hits] == [inner, "https://b.example/x?y=1"]


@each
@pytest.mark.parametrize(
    ("serves", "outcome"),
    [
        (Serves(status=429, headers={"Retry-After": "17"}), "limited"),
        (Serves(status=500, body="oops"), "unavailable"),
        (Serves(status=503), "unavailable"),
        (Serves(drop=True), "unavailable"),
        (Serves(body="x" * 10_000_000), "unavailable"),
        (Serves(body=""), "unavailable"),
        (Serves(body="<html><body>Hello</body></html>"), "unavailable"),
        (Serves(body="<" * 10_000), "unavailable"),
        (Serves(body=b"\xff\xfe\x00\x01"), "unavailable"),
    ],
    ids=["429", "500", "503", "dropped", "10 MB", "nothing", "other page", "broken", "binary"],
)
async def test_could_not_look(kind, serves, outcome):
    """Every failure is an outcome with its reason, and never "there is nothing"."""
    answer = await answer_of(kind, lambda _: serves)
    assert (answer.outcome, answer.hits) == (outcome, ())
    assert answer.detail
    assert "\n" not in answer.detail
    assert answer.retry_after == (17 if serves.headers else None)


@each
async def test_silence_ends_in_time(kind):
    """An engine that never answers costs its time limit and no more."""
    began = time.monotonic()
    answer = await answer_of(kind, lambda _: Serves(hang=True), timeout=0.3)
    assert answer.outcome == "unavailable"
    assert "within 0.3 s" in answer.detail
    assert time.monotonic() - began < 10


@each
async def test_nobody_there(kind, unused_tcp_port):
    """Refused: an outcome that names the engine."""
    base = f"http://127.0.0.1:{unused_tcp_port}"
    async with aiohttp.ClientSession() as session:
        if kind == "ddgs":
            engine = DdgsSearch(["mojeek"], Sessions(), bases={"mojeek": base})
        else:
            engine = SearxngSearch(base, Sessions(session))
        answer = await engine.search(QUERY)
    assert answer.outcome == "unavailable"
    assert "cannot be reached" in answer.detail


@each
async def test_cancelled(kind):
    """A cancelled search ends at once."""
    async with searching(kind, lambda _: Serves(hang=True)) as (server, engine):
        task = asyncio.create_task(engine.search(QUERY))
        await server.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("status", "words"), [(202, "HTTP 202"), (403, "HTTP 403"), (429, "HTTP 429")]
)
async def test_ddgs_limits(status, words):
    """The three statuses that public engines use for limits are told from real answers."""
    full = duckduckgo_page(QUERY.text, FOUND)
    answer = await answer_of("ddgs", always(Serves(status=status, body=full)))
    assert answer.outcome == "limited"
    assert words in answer.detail
    assert "searxng" in answer.hint


async def test_ddgs_challenge_page():
    """A page with status 200 that asks for proof of being human is a limit."""
    answer = await answer_of("ddgs", lambda asked: challenge_page(asked.query))
    assert answer.outcome == "limited"
    assert "human" in answer.detail


@each
async def test_packed_page(kind):
    """A packed reply is read; one that unpacks beyond the limit is not."""
    packed = {"Content-Encoding": "gzip"}
    good = duckduckgo_page(QUERY.text, FOUND) if kind == "ddgs" else searx(FOUND)(None).body
    answer = await answer_of(
        kind, always(Serves(body=gzip.compress(good.encode()), headers=packed))
    )
    assert answer.outcome == "found"
    bomb = gzip.compress(good.encode() + b" " * 20_000_000)
    answer = await answer_of(kind, always(Serves(body=bomb, headers=packed)))
    assert answer.outcome == "unavailable"
    assert "bytes" in answer.detail


async def test_ddgs_changed_layout():
    """A page full of links that the package no longer understands is not "nothing"."""
    answer = await answer_of("ddgs", lambda asked: changed_page(asked.query, MANY))
    assert answer.outcome == "unavailable"
    assert "pip install -U ddgs" in answer.detail


async def test_ddgs_request_on_the_wire():
    """Words, time window and region reach the engine in its own form."""
    query = SearchQuery(text="Fähre & Preis", recency="w", language="de", country="at")
    async with searching("ddgs", ddg(FOUND)) as (server, engine):
        await engine.search(query)
        await engine.search(SearchQuery(text="x", language="en-GB"))
    first, second = (asked.fields for asked in server.asked)
    assert (first["q"], first["df"], first["l"]) == ("Fähre & Preis", "w", "at-de")
    assert ("df" in second, second["l"]) == (False, "uk-en")


async def test_ddgs_next_engine_after_a_limit():
    """A limited engine hands over to the next one, and what happened stays in the detail."""
    limited = always(Serves(status=202))
    working = always(mojeek_page(QUERY.text, FOUND))
    async with SearchServer(limited) as one, SearchServer(working) as two:
        bases = {"duckduckgo": one.url, "mojeek": two.url}
        answer = await DdgsSearch(["duckduckgo", "mojeek"], Sessions(), bases=bases).search(QUERY)
    assert (answer.outcome, answer.engine) == ("found", "ddgs/mojeek")
    assert [hit.url for hit in answer.hits] == [one.url for one in FOUND]
    assert "duckduckgo is limiting" in answer.detail


async def test_ddgs_an_honest_nothing_ends_the_search():
    """The first real answer counts; the next engine is not bothered."""
    async with SearchServer(ddg([])) as one, SearchServer(ddg(FOUND)) as two:
        bases = {"duckduckgo": one.url, "mojeek": two.url}
        answer = await DdgsSearch(["duckduckgo", "mojeek"], Sessions(), bases=bases).search(QUERY)
    assert answer.outcome == "empty"
    assert not two.asked


async def test_ddgs_all_engines_fail():
    """When no engine answers, a limit outweighs a failure and every reason is kept."""
    limited = always(Serves(status=429, headers={"Retry-After": "60"}))
    async with SearchServer(limited) as one, SearchServer(lambda _: Serves(status=500)) as two:
        bases = {"duckduckgo": one.url, "mojeek": two.url}
        answer = await DdgsSearch(["duckduckgo", "mojeek"], Sessions(), bases=bases).search(QUERY)
    assert (answer.outcome, answer.retry_after) == ("limited", 60)
    assert "duckduckgo is limiting" in answer.detail
    assert "mojeek answered HTTP 500" in answer.detail


async def test_ddgs_deadline_holds_and_ends_the_thread():
    """The deadline ends the wait, and the cut connection the thread, long before its own limit."""
    async with searching("ddgs", lambda _: Serves(hang=True), timeout=60, deadline=0.2) as (
        _,
        engine,
    ):
        began = time.monotonic()
        answer = await engine.search(QUERY)
        assert time.monotonic() - began < 10
        lingering = [one for one in threading.enumerate() if one.name == "ddgs-duckduckgo"]
        assert answer.outcome == "unavailable"
        assert all(thread.daemon for thread in lingering)
        for thread in lingering:
            await asyncio.to_thread(thread.join, 5)
            assert not thread.is_alive()


async def test_ddgs_has_no_way_around_the_guard(monkeypatch):
    """Neither `NO_PROXY` nor a redirect leads past it, and the reason is the guard's."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    async with SearchServer(ddg(FOUND)) as inner:
        away = Serves(status=302, headers={"Location": f"{inner.url}/html/"})
        async with searching("ddgs", always(away)) as (server, engine):
            answer = await engine.search(QUERY)
            assert len(server.asked) == 1
        assert not inner.asked
    assert answer.outcome == "unavailable"
    assert "127.0.0.1 is not an address of the public internet" in answer.detail


async def test_ddgs_base_that_is_no_address():
    """A base without scheme or host is a mistake of configuration, told at once."""
    with pytest.raises(ConfigError, match="base"):
        open_search("ddgs://mojeek?base=nowhere", Sessions())


async def test_ddgs_side_by_side():
    """Searches at the same time do not mix their results."""

    def script(asked):
        return duckduckgo_page(asked.query, [Found(url=f"https://a.example/{asked.query}")])

    async with searching("ddgs", script) as (_, engine):
        answers = await asyncio.gather(
            *(engine.search(SearchQuery(text=f"q{number}")) for number in range(5))
        )
    assert [answer.hits[0].url for answer in answers] == [
        f"https://a.example/q{n}" for n in range(5)
    ]


async def test_ddgs_from_its_url():
    """The URL names engines and, for tests, another base."""
    async with SearchServer(ddg(FOUND)) as server:
        engine = open_search(f"ddgs://duckduckgo?base={server.url}", Sessions())
        answer = await engine.search(QUERY)
    assert engine.name == "ddgs/duckduckgo"
    assert answer.outcome == "found"
    assert server.asked[0].path == "/html/"


async def test_searxng_request_on_the_wire():
    """Format, language, time window and path reach the instance."""
    async with SearchServer(searx(FOUND)) as server, aiohttp.ClientSession() as session:
        engine = open_search(f"searxng+http://{server.host}/searx/", Sessions(session))
        query = SearchQuery(text="Fähre", recency="m", language="de", country="at")
        await engine.search(query)
        await engine.search(SearchQuery(text="x"))
    first, second = server.asked
    assert first.path == "/searx/search"
    assert first.fields == {
        "q": "Fähre",
        "format": "json",
        "language": "de-AT",
        "time_range": "month",
    }
    assert second.fields == {"q": "x", "format": "json", "language": "all"}
    assert engine.name == f"searxng/{server.host}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-14T06:00:00+02:00", datetime(2026, 3, 14, 4, tzinfo=UTC)),
        ("2026-03-14T06:00:00", datetime(2026, 3, 14, 6, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (12, None),
    ],
)
async def test_searxng_dates(written, expected):
    """A publish date is kept in UTC with its origin; a broken one is no reason to lose the hit."""
    row = {"url": "https://a.example/", "title": None, "publishedDate": written}
    (hit,) = (await answer_of("searxng", lambda _: searxng_reply([row]))).hits
    assert hit.published_at == expected
    assert hit.published_from == ("search" if expected else "none")


@pytest.mark.parametrize(
    ("silent", "outcome"),
    [
        ([["google", "CAPTCHA"], ["brave", "timeout"]], "limited"),
        ([["brave", "too many requests"]], "limited"),
        ([["brave", "Suspended: access denied"]], "limited"),
        ([["brave", "timeout"], ["x", "unexpected crash"]], "unavailable"),
        ([], "empty"),
    ],
)
async def test_searxng_engines_that_did_not_answer(silent, outcome):
    """Nothing found while its engines were silent is not "there is nothing"."""
    answer = await answer_of("searxng", lambda _: searxng_reply([], silent))
    assert answer.outcome == outcome
    assert all(engine in answer.detail for engine, _ in silent)
    some = await answer_of("searxng", lambda _: searxng_reply([{"url": FOUND[0].url}], silent))
    assert some.outcome == "found"


@pytest.mark.parametrize(
    ("serves", "hint"),
    [
        (Serves(status=403), "formats"),
        (Serves(body="<html></html>"), "formats"),
        (Serves(body="[1]", kind="application/json"), "formats"),
        (Serves(status=301, headers={"Location": "https://b.example/"}), "search_url"),
    ],
)
async def test_searxng_hints(serves, hint):
    """A misconfigured instance is met with what to change."""
    answer = await answer_of("searxng", lambda _: serves)
    assert answer.outcome == "unavailable"
    assert hint in answer.hint


async def test_searxng_cancelled_search_closes_its_connection():
    """The instance sees that nobody waits any more."""
    async with searching("searxng", lambda _: Serves(hang=True)) as (server, engine):
        task = asyncio.create_task(engine.search(QUERY))
        await server.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.left.wait(), 15)
