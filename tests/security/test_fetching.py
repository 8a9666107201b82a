"""Hostile URLs through the Fetcher: pages and feeds are refused, and nothing is told of why."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator

import pytest

from scout_cli.core.ports import FetchRequest
from scout_cli.fetch import OpenFetcher, open_fetcher
from scout_cli.net.guard import Guard
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer
from tests.security.dialling import FakeNames, Sockets
from tests.security.test_addresses import HOSTILE, names

_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*::[0-9a-f:]*")


@pytest.fixture
def sockets() -> Sockets:
    """Return the record of what was dialled."""
    return Sockets()


@pytest.fixture
async def fetcher(sockets: Sockets) -> AsyncIterator[OpenFetcher]:
    """Return a fetcher whose names are invented and whose sockets are counted."""
    async with Sessions(Guard(names=names(), opener=sockets), "scout/test", spacing=0) as sessions:
        opened = open_fetcher("crawl4ai://auto", sessions)
        yield opened
        await opened.close()


@pytest.mark.parametrize(("case", "url"), HOSTILE)
async def test_a_hostile_url_is_refused(sockets, fetcher, case, url):
    """U01-U34, U42-U49: no socket, no child, the outcome `refused`, no address in its words."""
    page, feed = await fetcher.fetch(FetchRequest(url=url)), await fetcher.feed(url)
    assert (page.outcome, feed.outcome) == ("refused", "refused")
    assert sockets.dialled == []
    assert page.detail
    assert page.text == ""
    said = f"{page.detail} {page.hint} {feed.detail} {feed.hint}"
    told = [one for one in _ADDRESS.findall(said) if one not in url]
    assert told == [] or "[" in url  # a literal may be repeated in its plain spelling
    assert fetcher._reader.pid is None


async def test_a_refused_name_does_not_tell_its_address(fetcher):
    """U33: somebody who asks for a name learns nothing of the network behind it."""
    page = await fetcher.fetch(FetchRequest(url="http://evil.test/"))
    assert "127" not in f"{page.detail} {page.hint} {page.final_url}"


async def test_the_host_before_the_fragment_is_the_one_that_is_asked(sockets, fetcher):
    """U12: what stands behind '#' is no host."""
    page = await fetcher.fetch(FetchRequest(url="http://public.test#@127.0.0.1/"))
    assert page.outcome == "unreachable"
    assert sockets.dialled == [("93.184.215.14", 80)]
    assert "93.184" not in f"{page.detail} {page.hint}"


async def test_a_name_cannot_turn_around(sockets, fetcher):
    """U35: the second answer of a rebinding name is checked like the first."""
    request = FetchRequest(url="http://turning.test/")
    assert (await fetcher.fetch(request)).outcome == "unreachable"
    assert (await fetcher.fetch(request)).outcome == "refused"
    assert sockets.dialled == [("93.184.215.14", 80)]


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/", "file:///etc/passwd", "http://[::1]/", "raw:<p>x", "//0/"],
)
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "308 Permanent"])
async def test_a_redirect_inwards_is_refused(location, status):
    """U36, U37: a public page cannot send scout into the network."""
    async with PageServer() as server, Sessions(server.guard(), "scout/test") as sessions:
        opened = open_fetcher("crawl4ai://auto", sessions)
        page = await opened.fetch(FetchRequest(url=server.redirect("/go", location, status)))
        await opened.close()
    assert (page.outcome, page.text) == ("refused", "")
    assert [visit.path for visit in server.visits] == ["/go"]


async def test_a_chain_of_redirects_ends():
    """U38: twenty-one hops are fifteen too many."""
    async with PageServer() as server, Sessions(server.guard(), "t", spacing=0) as sessions:
        for hop in range(21):
            server.redirect(f"/{hop}", f"/{hop + 1}")
        opened = open_fetcher("crawl4ai://auto", sessions)
        page = await opened.fetch(FetchRequest(url=server.url("/0")))
        await opened.close()
    assert page.outcome == "redirects"
    assert len(server.visits) == 6


@pytest.mark.parametrize("value", ['"x"\r\nHost: evil', "\0", "Ünicode", "a\nb"])
async def test_what_was_kept_cannot_add_a_header(value):
    """U49: a stored ETag with a line break is not sent."""
    async with PageServer() as server, Sessions(server.guard(), "t", spacing=0) as sessions:
        url = server.serve("/", status="404 Not Found")
        opened = open_fetcher("crawl4ai://auto", sessions)
        page = await opened.fetch(
            FetchRequest(url=url, etag=value, last_modified=value, language=value)
        )
        await opened.close()
    assert page.outcome == "not_found"
    (visit,) = server.visits
    assert not {"if-none-match", "if-modified-since"} & visit.headers.keys()
    assert visit.headers["host"] == f"news.test:{server.port}"
    assert "evil" not in str(visit.headers)


async def test_an_unknown_name_is_unreachable(sockets):
    """A name that does not exist is no refusal."""
    guard = Guard(names=FakeNames(), opener=sockets)
    async with Sessions(guard, "scout/test") as sessions:
        opened = open_fetcher("crawl4ai://auto", sessions)
        page = await opened.fetch(FetchRequest(url="http://nowhere.test/"))
        await opened.close()
    assert page.outcome == "unreachable"
    assert os.strerror(2).lower() not in page.detail
