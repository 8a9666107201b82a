"""Hostile URLs: none of them may open a socket, whatever way leads to it."""

from __future__ import annotations

import pytest

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.errors import Refused
from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.guard import Barred, Guard
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer
from tests.security.dialling import FakeNames, Sockets

HOSTILE = [
    ("U01", "http://127.0.0.1/"),
    ("U02", "http://localhost:11434/api/tags"),
    ("U03", "http://0.0.0.0/"),
    ("U03", "http://0/"),
    ("U04", "http://127.1/"),
    ("U04", "http://127.000.000.001/"),
    ("U05", "http://2130706433/"),
    ("U05", "http://0x7f000001/"),
    ("U05", "http://017700000001/"),
    ("U06", "http://0x7f.1/"),
    ("U07", "http://①②⑦.⓪.⓪.①/"),
    ("U07", "http://127。0。0。1/"),
    ("U08", "http://user:pw@127.0.0.1/"),
    ("U08", "http://user:pw@public.test/"),
    ("U09", "http://public.test:80\\@127.0.0.1/"),
    ("U09", "http:\\\\127.0.0.1\\"),
    ("U10", "http://127.0.0.1%2f@public.test/"),
    ("U11", "http://127.0.0.1%00.public.test/"),
    ("U13", "http://10.0.0.1"),
    ("U13", "http://172.16.0.1"),
    ("U13", "http://192.168.0.1"),
    ("U14", "http://169.254.169.254/latest/meta-data/"),
    ("U15", "http://100.64.0.1/"),
    ("U16", "http://192.0.0.1/"),
    ("U16", "http://192.0.2.1/"),
    ("U16", "http://198.18.0.1/"),
    ("U16", "http://203.0.113.1/"),
    ("U17", "http://192.88.99.1"),
    ("U17", "http://224.0.0.1"),
    ("U17", "http://239.255.255.250"),
    ("U17", "http://255.255.255.255"),
    ("U18", "http://[::1]/"),
    ("U18", "http://[::]/"),
    ("U19", "http://[::ffff:127.0.0.1]/"),
    ("U19", "http://[::ffff:7f00:1]/"),
    ("U20", "http://[::127.0.0.1]/"),
    ("U20", "http://[::a9fe:a9fe]/"),
    ("U21", "http://[::ffff:0:127.0.0.1]/"),
    ("U22", "http://[64:ff9b::a9fe:a9fe]/"),
    ("U22", "http://[64:ff9b:1::1]/"),
    ("U23", "http://[2002:7f00:1::]/"),
    ("U24", "http://[2001:0:7f00:1::]/"),
    ("U25", "http://[3fff::1]/"),
    ("U25", "http://[5f00::1]/"),
    ("U25", "http://[100::1]/"),
    ("U25", "http://[2001:db8::1]/"),
    ("U26", "http://[fec0::1]/"),
    ("U26", "http://[ff02::1]/"),
    ("U27", "http://[fd00:ec2::254]/latest/"),
    ("U28", "http://[fe80::1%25eth0]/"),
    ("U29", "http://168.63.129.16/"),
    ("U30", "http://100.100.100.200/"),
    ("U31", "http://192.0.0.192/"),
    ("U31", "http://169.254.170.2/"),
    ("U32", "http://metadata.google.internal/"),
    ("U32", "http://printer.local/"),
    ("U32", "http://LOCALHOST./"),
    ("U33", "http://evil.test/"),
    ("U34", "http://mixed.test/"),
    ("U42", "file:///etc/passwd"),
    ("U42", "file:/etc/passwd"),
    ("U42", "FILE://localhost/etc/passwd"),
    ("U43", "source:file:///tmp/x"),
    ("U43", "view-source:file:///etc/passwd"),
    ("U44", "raw:<h1>x"),
    ("U44", "raw://<h1>x"),
    *(("U45", f"{scheme}:x") for scheme in "javascript data blob about chrome".split()),
    *(
        ("U45", f"{scheme}://public.test/")
        for scheme in "ftp gopher dict ldap jar ws wss chrome".split()
    ),
    *(("U46", f"http://public.test:{port}/") for port in (0, 22, 25, 5432, 6379, 11434)),
    ("U46", "http://public.test:99999/"),
    ("U47", "http://public.test/" + "a" * 10_000),
    ("U47", "http:///x"),
    ("U47", "http://["),
    ("U47", "http://a b/"),
    ("U47", "http://%zz/"),
    ("U47", ""),
    ("U48", "http://xn--/"),
    ("U48", f"http://{'a' * 64}.test/"),
    ("U48", "http://public.test../"),
    ("U49", "http://public.test/%0d%0aHost:x"),
    ("U49", "http://public.test/\r\nHost: x"),
    ("U49", "http://public.test/\tx"),
]


def names() -> FakeNames:
    """Return a name server with honest, hostile and turning names."""
    return FakeNames(
        public_test=[["93.184.215.14"]],
        evil_test=[["127.0.0.1"]],
        mixed_test=[["93.184.215.14", "10.0.0.1"]],
        turning_test=[["93.184.215.14"], ["127.0.0.1"]],
    )


@pytest.mark.parametrize(("case", "url"), HOSTILE)
async def test_hostile_url_opens_no_socket(case, url):
    """A URL of the corpus is refused before any socket exists, and no address is told."""
    sockets = Sockets()
    async with Sessions(Guard(names=names(), opener=sockets), "scout/test") as sessions:
        with pytest.raises(FetchFailed) as failed:
            await http.get(sessions, url)
    assert failed.value.kind == "refused"
    assert sockets.dialled == []
    if "127.0.0.1" not in url and "10.0.0.1" not in url:
        assert "127.0.0.1" not in str(failed.value)
        assert "10.0.0.1" not in str(failed.value)


async def test_public_host_is_dialled():
    """The guard lets an ordinary name through: U12's real host is the one before the '#'."""
    sockets = Sockets()
    async with Sessions(Guard(names=names(), opener=sockets), "scout/test") as sessions:
        with pytest.raises(FetchFailed) as failed:
            await http.get(sessions, "http://public.test#@127.0.0.1/")
    assert failed.value.kind == "unreachable"
    assert sockets.dialled == [("93.184.215.14", 80)]


async def test_rebinding_name_is_refused_the_second_time():
    """U35: each connection checks the answer that it dials, so a name cannot turn around."""
    sockets = Sockets()
    async with Sessions(Guard(names=names(), opener=sockets), "scout/test", spacing=0) as sessions:
        kinds = []
        for _ in range(2):
            with pytest.raises(FetchFailed) as failed:
                await http.get(sessions, "http://turning.test/")
            kinds.append(failed.value.kind)
    assert kinds == ["unreachable", "refused"]
    assert sockets.dialled == [("93.184.215.14", 80)]


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "//127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]/",
        "http://user:pw@news.test/",
        "http://[",
        "gopher://news.test/",
        "http://news.test:22/",
    ],
)
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
async def test_redirect_to_a_forbidden_place_is_refused(location, status):
    """U36, U37: every hop passes the guard, and the inner server is never asked."""
    async with PageServer() as server, Sessions(server.guard(), "scout/test") as sessions:
        url = server.redirect("/go", location, status)
        with pytest.raises(FetchFailed) as failed:
            await http.get(sessions, url)
    assert failed.value.kind == "refused"
    assert [visit.path for visit in server.visits] == ["/go"]


async def test_redirect_loop_ends():
    """U38: a loop of redirects is given up after five."""
    async with PageServer() as server, Sessions(server.guard(), "t", spacing=0) as sessions:
        url = server.redirect("/loop", "/loop")
        with pytest.raises(FetchFailed) as failed:
            await http.get(sessions, url)
    assert failed.value.kind == "redirects"
    assert len(server.visits) == 6


async def test_the_guard_holds_without_our_own_check():
    """Even a request that never asked the guard about its URL is stopped at the socket."""
    sockets = Sockets()
    async with Sessions(Guard(names=names(), opener=sockets), "scout/test") as sessions:
        for url in ("http://127.0.0.1/", "http://evil.test/", "http://[::ffff:127.0.0.1]/"):
            with pytest.raises(OSError) as failed:  # noqa: PT011 - aiohttp's own family of errors
                await sessions.guarded().get(url)
            assert isinstance(getattr(failed.value, "os_error", None), Barred)
    assert sockets.dialled == []


async def test_a_name_cannot_borrow_an_opened_address():
    """Opening 127.0.0.1:8080 does not let a name from the web lead there."""
    sockets = Sockets()
    guard = Guard({"127.0.0.1:8080"}, names=names(), opener=sockets)
    async with Sessions(guard, "scout/test", spacing=0) as sessions:
        for url in ("http://evil.test:8080/", "http://127.0.0.1:8080/"):
            with pytest.raises(FetchFailed):
                await http.get(sessions, url)
    assert sockets.dialled == [("127.0.0.1", 8080)]


OWN = "scout.public.test:443"


@pytest.mark.parametrize("private", [False, True, {"scout.public.test:443"}])
@pytest.mark.parametrize(
    "url", ["https://scout.public.test/rest/v1/", "https://SCOUT.public.test."]
)
async def test_scout_does_not_ask_itself(private, url):
    """U50: its own server is refused by the name it is reached at, whatever is open."""
    sockets = Sockets()
    guard = Guard(private, own=(OWN,), names=names(), opener=sockets)
    async with (
        PageServer() as server,
        Sessions(guard, "t", spacing=0) as sessions,
        Sessions(Guard(True, server.guard()._hosts, own=(OWN,)), "t", spacing=0) as led,
    ):
        for asking, asked in ((sessions, url), (led, server.redirect("/go", url))):
            with pytest.raises(FetchFailed) as failed:
                await http.get(asking, asked)
            assert failed.value.kind == "refused"
            assert "scout itself" in failed.value.message
    assert sockets.dialled == []


async def test_the_public_address_of_a_server_is_its_own(tmp_path):
    """U50: what `public_url` says is refused for pages, browsers, webhooks, and for guests too."""
    given = Settings(
        database_url=f"sqlite:///{tmp_path}/scout.db", public_url="https://scout.public.test/base"
    )
    async with App.open(given) as app:
        outside = app._outside()
        for sessions in (await outside.sessions(), await outside.guest_sessions()):
            with pytest.raises(Refused, match="scout itself"):
                sessions.guard.check("https://scout.public.test/hook")
            assert sessions.guard.check("https://public.test/hook")
