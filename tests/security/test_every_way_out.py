"""Every way out of scout against every special address: no socket is opened on any of them.

The generated URLs are 10,000 unless `SCOUT_GUARD_URLS` says otherwise.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Awaitable, Callable
from email.headerregistry import Address as Mailbox
from ipaddress import ip_address, ip_network

import ada_url
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scout_cli.core.ports import FetchRequest, SearchQuery
from scout_cli.errors import Refused, ScoutError
from scout_cli.fetch import open_fetcher
from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.guard import AddrInfo, Guard
from scout_cli.net.robots import Robots
from scout_cli.net.sessions import Sessions
from scout_cli.notify import ChannelSettings, open_channel
from scout_cli.notify.mailbox import server as mail_server
from scout_cli.notify.smtp import MailChannel
from scout_cli.search.ddgs import DdgsSearch
from tests.notices import notice
from tests.pages import PageServer
from tests.security.dialling import FakeNames, Sockets
from tests.unit.test_net_addresses import SPECIAL

URLS = int(os.environ.get("SCOUT_GUARD_URLS", "10000"))
_BATCH = 50


class Door(Sockets):
    """Lets through to the page server of a test alone; everything else is noted and refused."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def __call__(self, info: AddrInfo) -> socket.socket:
        """Open the one socket that is ours."""
        if info[4][:2] == ("127.0.0.1", self._port):
            return socket.socket(*info[:3])
        return super().__call__(info)


def spelled(address: str) -> str:
    """Return an address as the host of a URL."""
    return f"[{address.replace('%', '%25')}]" if ":" in address else address


def bare(address: str) -> str:
    """Return an address as a name server would give it."""
    return address.partition("%")[0]


async def _literal(sessions: Sessions, address: str) -> None:
    await http.get(sessions, f"http://{spelled(address)}/")


async def _name(sessions: Sessions, _: str) -> None:
    await http.get(sessions, "http://turned.test/")


async def _redirect(sessions: Sessions, _: str) -> None:
    await http.get(sessions, f"http://news.test:{port_of(sessions)}/away")


async def _redirect_by_name(sessions: Sessions, _: str) -> None:
    await http.get(sessions, f"http://news.test:{port_of(sessions)}/by-name")


async def _robots(sessions: Sessions, _: str) -> None:
    await http.get(sessions, f"http://news.test:{port_of(sessions)}/page", polite=True)


async def _page(sessions: Sessions, address: str) -> None:
    fetcher = open_fetcher("crawl4ai://http", sessions)
    page = await fetcher.fetch(FetchRequest(url=f"http://{spelled(address)}/"))
    feed = await fetcher.feed(f"http://{spelled(address)}/")
    await fetcher.close()
    assert (page.outcome, feed.outcome) == ("refused", "refused")


async def _search(sessions: Sessions, address: str) -> None:
    base = f"http://news.test:{port_of(sessions)}/by-name"
    engine = DdgsSearch(["duckduckgo"], sessions, bases={"duckduckgo": base})
    answer = await engine.search(SearchQuery(text="x"))
    assert answer.outcome == "unavailable"
    assert bare(address) not in answer.detail


def _posting(url: str) -> Callable[[Sessions, str], Awaitable[None]]:
    async def post(sessions: Sessions, address: str) -> None:
        given_ = ChannelSettings(sessions=sessions, mail_from="scout@example.org")
        try:
            channel = open_channel(url.format(spelled(address)), given_)
        except ScoutError:
            return
        assert (await channel.send(notice(), _never)).outcome in ("refused", "retry")

    return post


async def _never() -> None:
    raise AssertionError("a message was about to leave")


WAYS: dict[str, Callable[[Sessions, str], Awaitable[None]]] = {
    "literal": _literal,
    "name": _name,
    "redirect": _redirect,
    "redirect to a name": _redirect_by_name,
    "robots.txt": _robots,
    "page and feed": _page,
    "webhook": _posting("webhook+https://{}/x"),
    "webhook to a name": _posting("webhook+https://turned.test/x"),
    "ntfy": _posting("ntfy://{}/topic"),
    "search": _search,
    "resend": _posting("resend://key@{}?to=a@b.example"),
}


def port_of(sessions: Sessions) -> int:
    """Return the port of the page server behind these sessions."""
    door: Door = sessions.guard._opener  # type: ignore[assignment]
    return door._port


async def outcome(going: Awaitable[None]) -> tuple[str, str]:
    """Return kind and words of a failed fetch, empty when the way says itself how it went."""
    try:
        await going
    except FetchFailed as failed:
        return failed.kind, f"{failed.message} {failed.hint}"
    return "", ""


@pytest.mark.parametrize("way", WAYS)
async def test_no_special_address_is_reached(way: str) -> None:
    """Whatever leads there: 0 of all special addresses get a socket, and none is ever told."""
    async with PageServer() as server:
        for address in SPECIAL:
            door = Door(server.port)
            hosts = {"news.test": "127.0.0.1"}
            names = FakeNames(turned_test=[["93.184.215.14", bare(address)]])
            guard = Guard({f"127.0.0.1:{server.port}"}, hosts, names=names, opener=door)
            server.redirect("/away", f"http://{spelled(address)}/")
            server.redirect("/by-name", "http://turned.test/")
            server.redirect("/by-name/html/", "http://turned.test/")  # as the search package asks
            server.redirect("/robots.txt", f"http://{spelled(address)}/")
            async with Sessions(guard, "scout/test", spacing=0) as sessions:
                robots = Robots(sessions)
                sessions.permit = robots.permit
                kind, told = await outcome(WAYS[way](sessions, address))
                assert kind in ("", "refused", "robots"), address
                assert "name" not in way or bare(address) not in told
                await robots.close()
            assert door.dialled == [], address
        assert not [visit for visit in server.visits if visit.path == "/page"]


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "turned.test"])
async def test_mail_goes_to_no_address_that_no_setting_opens(host: str) -> None:
    """The operator's mail server may be in a private network; cloud metadata never is one."""
    sockets = Sockets()
    names = FakeNames(turned_test=[["93.184.215.14", "169.254.169.254"]])
    channel = MailChannel(
        Mailbox(addr_spec="me@example.org"),
        mail_server(f"smtp://{host}:25"),
        Mailbox(addr_spec="scout@example.org"),
        guard=Guard(private=True, names=names, opener=sockets),
    )
    told = await channel.send(notice(), _never)
    assert told.outcome == "refused"
    assert sockets.dialled == []
    assert host in told.detail or host.startswith("[")
    assert host.startswith("169") or "169" not in told.detail


_HOSTS = st.one_of(
    st.sampled_from([spelled(address) for address in SPECIAL]),
    st.sampled_from(
        ["public.test", "evil.test", "mixed.test", "localhost", "LOCALHOST.", "x.local"]
    ),
    st.integers(0, 2**32 - 1).map(str),
    st.integers(0, 2**32 - 1).map(hex),
    st.integers(0, 2**32 - 1).map(lambda n: f"0{n:o}"),
    st.tuples(*[st.integers(0, 255)] * 4).map(lambda four: ".".join(map(str, four))),
    st.tuples(*[st.integers(0, 255)] * 4).map(lambda four: ".".join(map(hex, four))),
    st.integers(0, 2**128 - 1).map(lambda n: f"[{ip_address(n)}]"),
    st.integers(0, 2**32 - 1).map(lambda n: f"[::ffff:{ip_address(n)}]"),
    st.integers(0, 2**32 - 1).map(lambda n: f"[64:ff9b::{ip_address(n)}]"),
    st.text("0123456789.xabcdef①②⑦⓪。．%:[]@\\/#?-_ ßİ\u200d\u0661", min_size=1, max_size=24),
)
_URLS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(
        ["http://", "https://", "HTTP://", "http:/", "http:", "//", "ftp://", "file://"]
    ),
    st.sampled_from(["", "", "", "user@", "public.test@", "public.test\\@", "127.0.0.1%2f@"]),
    _HOSTS,
    st.sampled_from(["", "", ":80", ":443", ":8080", ":22", ":0", ":11434", ":99999", ":"]),
    st.sampled_from(["", "/", "/a?b=c", "#@127.0.0.1/", "/%0d%0a", "\\x", "/\t", "?@evil.test"]),
)


def allowed(address: str) -> bool:
    """Say whether an address is public, by another rule than scout's own."""
    found = ip_address(address)
    if found.version == 6:
        tunnels = ("2001::/23", "2002::/16", "3fff::/20", "2001:db8::/32", "2620:4f:8000::/48")
        return found in ip_network("2000::/3") and not any(
            found in ip_network(each) for each in tunnels
        )
    anycast = ("192.88.99.0/24", "168.63.129.16/32", "192.31.196.0/24", "192.52.193.0/24")
    odd = (*anycast, "192.175.48.0/24", "192.0.0.0/24", "100.64.0.0/10")
    return (
        found.is_global
        and not found.is_multicast
        and not any(found in ip_network(each) for each in odd)
    )


@settings(
    max_examples=max(1, URLS // _BATCH),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(_URLS, min_size=_BATCH, max_size=_BATCH))
def test_no_generated_url_opens_a_socket_to_a_special_address(urls: list[str]) -> None:
    """However a URL is put together: what is dialled is public, at a port of the web."""
    sockets = Sockets()

    async def fetch_all() -> None:
        names = FakeNames(
            public_test=[["93.184.215.14"]],
            evil_test=[["127.0.0.1"]],
            mixed_test=[["93.184.215.14", "10.0.0.1"]],
        )
        guard = Guard(names=names, opener=sockets)
        async with Sessions(guard, "scout/test", spacing=0) as sessions:
            for url in urls:
                with pytest.raises(FetchFailed):
                    await http.get(sessions, url)

    asyncio.run(fetch_all())
    for address, port in sockets.dialled:
        assert allowed(address), address
        assert port in (80, 443, 8080, 8443)


@settings(max_examples=URLS // 5, deadline=None)
@given(_URLS)
def test_a_browser_would_read_an_accepted_url_alike(url: str) -> None:
    """What passes has the same scheme, host and port for the parser that browsers follow."""
    try:
        target = Guard(private=True).check(url)
    except Refused:
        return
    try:
        second = ada_url.URL(url)
    except ValueError:
        return  # a browser would not ask for it at all
    host = second.hostname.strip("[]")
    assert second.protocol == f"{target.scheme}:"
    assert int(second.port or {"http": 80, "https": 443}[target.scheme]) == target.port
    try:
        assert ip_address(host) == ip_address(target.raw_host or "")
    except ValueError:
        assert host.rstrip(".") == (target.raw_host or "").rstrip(".")


async def test_a_name_that_turns_at_random_never_gets_inside() -> None:
    """U35: whatever a name says each time, every socket is to an address that was checked."""
    choices = [["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::1"]]
    answers = random.Random(7).choices(choices, k=200)
    sockets = Sockets()
    guard = Guard(names=FakeNames(turning_test=answers), opener=sockets)
    async with Sessions(guard, "scout/test", spacing=0) as sessions:
        for _ in range(150):
            with pytest.raises(FetchFailed):
                await http.get(sessions, "http://turning.test/")
    assert {address for address, _ in sockets.dialled} == {"93.184.215.14"}
    assert 20 < len(sockets.dialled) < 60


async def test_a_page_is_not_followed_from_https_to_http() -> None:
    """What was encrypted does not go on in clear, credentials or not."""
    async with PageServer() as server, Sessions(server.guard(), "t", spacing=0) as sessions:
        call = http._Call(sessions, http.Limits(), http._any_type, {}, None)
        here = sessions.guard.check(server.url("/")).with_scheme("https")
        with pytest.raises(FetchFailed) as refused:
            call._next(here, server.url("/plain"))
    assert refused.value.kind == "refused"
    assert "https to http" in refused.value.message


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """`HTTP_PROXY` and friends lead nowhere: the guard would see the proxy's address alone."""
    async with PageServer() as server, PageServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        url = server.serve("/", "hello")
        async with Sessions(server.guard(), "scout/test", spacing=0) as sessions:
            answer = await http.get(sessions, url)
            assert (answer.status, answer.body) == (200, b"hello")
            assert sessions.trusted().trust_env is False
        assert proxy.visits == []
