"""The proxy of the browser: what it lets through, what it refuses, and that it asks the guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from scout_cli.net.guard import Guard
from scout_cli.net.proxy import FilteringProxy, Patience
from scout_cli.net.proxy_heads import Malformed, parse
from scout_cli.net.traffic import Spent, Traffic
from tests.browsers import Trap
from tests.pages import PageServer, Visit, dripping, head
from tests.security.dialling import FakeNames, Sockets
from tests.security.test_addresses import names

SPECIAL = """
127.0.0.1 0.0.0.0 10.0.0.1 100.64.0.1 169.254.169.254 172.16.0.1 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
255.255.255.255 168.63.129.16 100.100.100.200 [::1] [::] [::ffff:127.0.0.1] [::127.0.0.1]
[64:ff9b::a9fe:a9fe] [2002:7f00:1::] [2001:0:7f00:1::] [fec0::1] [ff02::1] [fd00:ec2::254]
[3fff::1] [100::1] [2001:db8::1] [::ffff:0:127.0.0.1] localhost scout.localhost
metadata.google.internal nas.local 2130706433 0x7f000001 127.1 127.000.000.001 evil.test
mixed.test
""".split()


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    """Return the server that the proxy may reach."""
    async with PageServer() as running:
        yield running


@pytest.fixture
async def proxy(server: PageServer) -> AsyncIterator[FilteringProxy]:
    """Return a proxy in front of it, with a page open."""
    patience = Patience(request=1.0, connect=1.0, idle=1.0)
    async with FilteringProxy(server.guard(), patience) as running:
        running.begin(Traffic())
        yield running


async def said(proxy: FilteringProxy, request: bytes, *, then: bytes = b"") -> bytes:
    """Send a request to the proxy and return all it says until it hangs up."""
    port = int(proxy.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        if then:
            begun = await reader.readuntil(b"\r\n\r\n")
            writer.write(then)
            return begun + await reader.read()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def get(url: str, *fields: str) -> bytes:
    """Return a request for `url` as a browser sends it to a proxy."""
    lines = [f"GET {url} HTTP/1.1", "Host: x", *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def connect(authority: str) -> bytes:
    """Return a request for a tunnel."""
    return f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()


async def test_a_page_passes_with_its_head_written_anew(server, proxy):
    """Fields of the hop stay behind, the host is the one that was checked, and it ends."""
    url = server.serve("/story?x=1", "news").replace("/story", "/story")
    server.serve("/story", "news", headers={"Keep-Alive": "timeout=5", "Alt-Svc": 'h3=":443"'})
    answer = await said(proxy, get(url, "Proxy-Authorization: x", "Upgrade: h2c", "X-Own: kept"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"news")
    assert answer.lower().count(b"connection: close") == 1
    assert b"alt-svc" not in answer.lower()
    (visit,) = server.visits
    assert visit.path == "/story?x=1"
    assert visit.headers["host"] == f"news.test:{server.port}"
    assert visit.headers["x-own"] == "kept"
    assert not {"proxy-authorization", "upgrade"} & set(visit.headers)


async def test_a_body_goes_along(server, proxy):
    """What a form sends arrives, as long as it says."""
    received: list[bytes] = []

    async def answer(visit: Visit, writer: asyncio.StreamWriter) -> None:
        received.append(visit.headers["content-length"].encode())
        writer.write(head("200 OK", {"Content-Length": "2"}) + b"ok")

    url = server.handle("/form", answer)
    request = f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na=b".encode()
    assert (await said(proxy, request)).endswith(b"ok")
    assert received == [b"3"]


async def test_a_second_request_on_the_same_connection_goes_nowhere(server, proxy):
    """One connection, one request: the second one was checked by nobody."""
    first, second = server.serve("/one", "1"), server.serve("/two", "2")
    await said(proxy, get(first) + get(second))
    assert [visit.path for visit in server.visits] in ([], ["/one"])


async def test_a_tunnel_carries_what_it_is_given(server, proxy):
    """CONNECT to an allowed port: bytes both ways."""
    server.serve("/in", "through")
    inner = b"GET /in HTTP/1.1\r\nHost: news.test\r\n\r\n"
    answer = await said(proxy, connect(f"news.test:{server.port}"), then=inner)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"through")


@pytest.mark.parametrize("host", SPECIAL)
async def test_a_special_address_is_refused(host):
    """U01-U34 as sub-resource and as tunnel: no socket, and no address in what is kept of it."""
    sockets, traffic = Sockets(), Traffic()
    async with FilteringProxy(Guard(names=names(), opener=sockets)) as proxy:
        proxy.begin(traffic)
        plain = await said(proxy, get(f"http://{host}/"))
        tunnel = await said(proxy, connect(f"{host}:443"))
    assert plain.split(b" ")[1] == b"403"
    assert tunnel.split(b" ")[1] == b"403"
    assert sockets.dialled == []
    assert traffic.refused == 2
    if host.endswith(".test"):
        assert not any(letter.isdigit() for one in traffic.denials for letter in one.reason)


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 11434])
async def test_a_port_that_is_not_the_webs_is_refused(port):
    """U46: neither as a URL nor as a tunnel."""
    sockets, traffic = Sockets(), Traffic()
    async with FilteringProxy(Guard(names=names(), opener=sockets)) as proxy:
        proxy.begin(traffic)
        await said(proxy, get(f"http://public.test:{port}/"))
        await said(proxy, connect(f"public.test:{port}"))
    assert sockets.dialled == []
    assert traffic.refused == 2


@pytest.mark.parametrize(
    "host", ["printer.local", "metadata.goog", "user:pw@public.test", "public.test.."]
)
async def test_what_only_the_check_knows_is_refused(host):
    """Names of private networks and odd spellings, although a public address is behind them."""
    sockets, traffic = Sockets(), Traffic()
    public = [["93.184.216.34"]]
    known = FakeNames(printer_local=public, metadata_goog=public, public_test=public)
    async with FilteringProxy(Guard(names=known, opener=sockets)) as proxy:
        proxy.begin(traffic)
        assert (await said(proxy, get(f"http://{host}/"))).startswith(b"HTTP/1.1 403")
    assert sockets.dialled == []


async def test_a_name_server_that_changes_its_mind_finds_no_gap():
    """U35: the address that was checked is the one that is dialled, for every connection anew."""
    sockets, traffic = Sockets(), Traffic()
    rebinding = FakeNames(rebind_test=[["93.184.216.34"], ["127.0.0.1"]])
    async with FilteringProxy(Guard(names=rebinding, opener=sockets)) as proxy:
        proxy.begin(traffic)
        for _ in range(2):
            await said(proxy, connect("rebind.test:443"))
    assert sockets.dialled == [("93.184.216.34", 443)]
    assert traffic.refused == 1


@pytest.mark.parametrize(
    "host", ["update.googleapis.com", "clients2.google.com", "Accounts.Google.com."]
)
async def test_the_browsers_own_business_is_refused(host):
    """No page needs what Chromium calls home for, nor is it charged for it."""
    sockets, traffic = Sockets(), Traffic()
    async with FilteringProxy(Guard(names=names(), opener=sockets)) as proxy:
        proxy.begin(traffic)
        assert (await said(proxy, connect(f"{host}:443"))).startswith(b"HTTP/1.1 403")
    assert (sockets.dialled, traffic.requests, traffic.denials) == ([], 0, [])


async def test_nothing_is_served_between_pages(server, proxy):
    """After a page everything it held is cut, and nothing new begins before the next."""
    url = server.handle("/slow", dripping(head("200 OK", {}) + b"begin", every=0.05))
    held = asyncio.create_task(said(proxy, get(url)))
    await server.visited(1)
    proxy.end()
    async with asyncio.timeout(10):
        await held
    assert (await said(proxy, get(url))).startswith(b"HTTP/1.1 403")
    assert len(server.visits) == 1


async def test_a_page_has_an_allowance(server):
    """Requests and bytes beyond it are cut, and it is said what ran out."""
    url = server.serve("/big", "x" * 100_000)
    traffic = Traffic(requests=3, received=150_000)
    async with FilteringProxy(server.guard()) as proxy:
        proxy.begin(traffic)
        sizes = [len(await said(proxy, get(url))) for _ in range(5)]
    assert sizes[0] > 100_000
    assert sum(sizes) < 260_000
    assert len(server.visits) <= 3
    assert "loads more than" in traffic.spent or "more than 3 things" in traffic.spent


def test_the_first_thing_that_ran_out_is_named():
    """Later ones follow from it."""
    traffic = Traffic(requests=0, received=1024 * 1024)
    with pytest.raises(Spent):
        traffic.count_request()
    with pytest.raises(Spent):
        traffic.count_received(2**21)
    assert traffic.spent == "it asked for more than 0 things"


async def test_a_silent_side_ends_the_connection(server, proxy):
    """Half a request, and an answer that never comes, are both given up."""
    port = int(proxy.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET http://news")
    async with asyncio.timeout(15):
        assert await reader.read() == b""
    writer.close()

    async def never(visit: Visit, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(15):
        assert await said(proxy, get(server.handle("/never", never))) == b""


async def test_an_unreachable_host_is_told_without_its_address(unused_tcp_port):
    """502 to the browser, and a reason with the name that the page used."""
    port = unused_tcp_port
    traffic = Traffic()
    guard = Guard({f"127.0.0.1:{port}"}, {"news.test": "127.0.0.1"})
    async with FilteringProxy(guard) as proxy:
        proxy.begin(traffic)
        answer = await said(proxy, get(f"http://news.test:{port}/"))
    assert answer.startswith(b"HTTP/1.1 502")
    assert traffic.denials[0].reason == "news.test cannot be connected to"


async def test_the_proxy_itself_cannot_be_reached_through_it():
    """A page that names the proxy's own address is refused like any other of this machine."""
    async with Trap() as trap, FilteringProxy(Guard()) as proxy:
        proxy.begin(Traffic())
        own = proxy.url.partition("//")[2]
        assert (await said(proxy, connect(own))).startswith(b"HTTP/1.1 403")
        assert (await said(proxy, get(f"http://127.0.0.1:{trap.port}/"))).startswith(
            b"HTTP/1.1 403"
        )
    assert trap.hits == []


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: news.test\r\n\r\n",
        b"GET https://news.test/ HTTP/1.1\r\n\r\n",
        b"GET ftp://news.test/ HTTP/1.1\r\n\r\n",
        b"GET http://news.test/ HTTP/1.0\r\n\r\n",
        b"GET  http://news.test/ HTTP/1.1\r\n\r\n",
        b"TRACE http://news.test/ HTTP/1.1\r\n\r\n",
        b"CONNECT news.test HTTP/1.1\r\n\r\n",
        b"CONNECT u@news.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT news.test:443/x HTTP/1.1\r\n\r\n",
        b"GET http://news.test/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET http://news.test/ HTTP/1.1\r\nA : b\r\n\r\n",
        b"GET http://news.test/ HTTP/1.1\r\nA: b\nHost: x\r\n\r\n",
        b"POST http://news.test/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST http://news.test/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        b"POST http://news.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\r\n\r\n",
    ],
)
async def test_what_no_browser_sends_is_refused(server, proxy, raw):
    """Two readers could take it differently, so nobody gets it."""
    with pytest.raises(Malformed):
        parse(raw)
    assert (await said(proxy, raw)).startswith(b"HTTP/1.1 400")
    assert server.visits == []
