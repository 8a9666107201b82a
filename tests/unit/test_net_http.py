"""One GET against servers that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from scout_cli.net import http, retry_after
from scout_cli.net.failure import FetchFailed
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer, bomb, dripping, endless, head, silent

SMALL = Limits(size=100_000, wait=0.2)  # as patient as always: a busy machine is no slow server
QUICK = Limits(connect=0.5, headers=0.3, idle=0.3, total=0.6)


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    """Return a page server."""
    async with PageServer() as running:
        yield running


@pytest.fixture
async def sessions(server: PageServer) -> AsyncIterator[Sessions]:
    """Return sessions that may reach the page server."""
    async with Sessions(server.guard(), "scout/test (+tests)", spacing=0) as opened:
        yield opened


async def failing(sessions: Sessions, url: str, limits: Limits = SMALL) -> FetchFailed:
    """Return how a request fails."""
    with pytest.raises(FetchFailed) as failed:
        await http.get(sessions, url, limits=limits)
    return failed.value


async def test_a_page_arrives_with_its_headers(server, sessions):
    """A plain answer comes back whole, and scout says who it is."""
    url = server.serve("/", "hällo", headers={"ETag": '"1"'})
    answer = await http.get(sessions, url, headers={"Accept": "text/html"})
    assert (answer.status, answer.body.decode(), answer.headers["etag"]) == (200, "hällo", '"1"')
    assert (answer.media_type, answer.final_url) == ("text/html", url)
    assert server.visits[0].headers["user-agent"] == "scout/test (+tests)"
    assert server.visits[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"word " * 999, mtime=0)),
        ("gzip", gzip.compress(b"word " * 500, mtime=0) + gzip.compress(b"word " * 499, mtime=0)),
        ("deflate", zlib.compress(b"word " * 999)),
        ("deflate", zlib.compress(b"word " * 999, wbits=-15)),
        ("identity", b"word " * 999),
    ],
)
async def test_compressed_pages_are_unpacked(server, sessions, encoding, packed):
    """gzip, several gzip members, zlib and bare deflate all give the same text."""
    url = server.serve("/", packed, headers={"Content-Encoding": encoding})
    assert (await http.get(sessions, url)).body == b"word " * 999


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", b"not compressed at all"),
        ("gzip", gzip.compress(b"word " * 9_999, mtime=0)[:-30]),
        ("br", b"\x0b\x02\x80hello\x03"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0)),
    ],
)
async def test_damaged_or_unasked_encodings_are_garbled(server, sessions, encoding, packed):
    """A body that is not what its encoding says is a failure, never half a page."""
    url = server.serve("/", packed, headers={"Content-Encoding": encoding})
    assert (await failing(sessions, url)).kind == "garbled"


async def test_a_bomb_stops_early(server, sessions):
    """A body that inflates a thousandfold stops at the ratio, long before the size limit."""
    url = server.serve("/", bomb(60), headers={"Content-Encoding": "gzip"})
    failed = await failing(sessions, url, Limits(size=50 * 1024 * 1024))
    assert (failed.kind, "decompressed" in failed.message) == ("too_large", True)


async def test_a_stream_stops_at_the_size(server, sessions):
    """A stream without a length is cut off once it passes the limit."""
    sent = []

    async def pour(visit, writer):
        writer.write(head("200 OK", {"Content-Type": "text/html"}))
        for _ in range(10_000):
            writer.write(b"x" * 65_536)
            sent.append(1)
            await writer.drain()

    failed = await failing(sessions, server.handle("/", pour))
    assert failed.kind == "too_large"
    assert len(sent) < 200


async def test_a_declared_size_is_refused_unread(server, sessions):
    """A Content-Length beyond the limit ends the request at once."""
    said = {"Content-Type": "text/html", "Content-Length": "209715200"}
    url = server.handle("/", dripping(head("200 OK", said), every=0.01))
    assert (await failing(sessions, url)).kind == "too_large"


async def test_sizes_can_differ_by_type(server, sessions):
    """One media type may be allowed more than the others."""
    body = b"x" * 150_000
    limits = Limits(size=100_000, sizes={"application/pdf": 200_000})
    server.serve("/pdf", body, kind="application/pdf")
    server.serve("/html", body)
    assert len((await http.get(sessions, server.url("/pdf"), limits=limits)).body) == 150_000
    assert (await failing(sessions, server.url("/html"), limits)).kind == "too_large"


async def test_a_body_nobody_wants_is_not_read(server, sessions):
    """A type that the caller does not read costs its headers only."""
    url = server.handle("/", endless(b"x" * 65_536, count=9_999, kind="video/mp4"))
    answer = await http.get(sessions, url, limits=SMALL, wanted=lambda kind: "video" not in kind)
    assert (answer.status, answer.media_type, answer.body) == (200, "video/mp4", b"")


@pytest.mark.parametrize(
    "handler",
    [
        silent,
        dripping(b"HTTP/1.1 200 OK\r\nX: ", every=0.05),
        dripping(head("200 OK", {"Content-Type": "text/html"}), every=0.05),
        dripping(head("200 OK", {"Content-Type": "text/html"}), every=5),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, every=5),
    ],
    ids=["no headers", "slow headers", "slow body", "stalled body", "only continues"],
)
async def test_slow_servers_time_out(server, sessions, handler):
    """Silence, and a trickle that never ends, both end in time."""
    start = monotonic()
    assert (await failing(sessions, server.handle("/", handler), QUICK)).kind == "timeout"
    assert monotonic() - start < 5


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "unreachable"),
        (b"220 mail.test ESMTP\r\n\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 5_000 + b"\r\n", "garbled"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "garbled"),
    ],
    ids=[
        "nothing",
        "smtp",
        "lying length",
        "bad chunk",
        "cut chunk",
        "long",
        "many",
        "two lengths",
    ],
)
async def test_broken_answers_are_failures(server, sessions, answer, kind):
    """An answer that breaks off or is no HTTP is never mistaken for a page."""

    async def send(visit, writer):
        writer.write(answer)

    assert (await failing(sessions, server.handle("/", send))).kind in {kind, "unreachable"}


async def test_a_closed_port_is_unreachable(server, sessions):
    """A refused connection says so, and does not name the address."""
    url = server.url("/")
    await server.__aexit__(None, None, None)
    failed = await failing(sessions, url)
    assert failed.kind == "unreachable"
    assert "refused" in failed.message
    assert "127.0.0.1" not in failed.message


async def test_redirects_are_followed(server, sessions):
    """Relative and absolute redirects lead to the last page, whose address is given."""
    server.redirect("/a", "b?x=1 2")
    server.redirect("/b", server.url("/c", "other.test"), "301 Moved")
    server.serve("/c", "there")
    answer = await http.get(sessions, server.url("/a"))
    assert (answer.body, answer.final_url) == (b"there", server.url("/c", "other.test"))
    assert [visit.path for visit in server.visits] == ["/a", "/b?x=1%202", "/c"]


async def test_credentials_and_conditions_stay_with_their_host(server, sessions):
    """A redirect to another host carries neither keys nor what was cached of the first."""
    server.redirect("/a", "/b")
    server.redirect("/b", server.url("/c", "other.test"))
    server.serve("/c", "there")
    sent = {"Authorization": "Bearer x", "If-None-Match": '"1"', "Accept": "text/html"}
    await http.get(sessions, server.url("/a"), headers=sent)
    first, second, third = (visit.headers for visit in server.visits)
    assert first["if-none-match"] == second["if-none-match"] == '"1"'
    assert second["authorization"] == "Bearer x"
    assert not {"authorization", "if-none-match"} & third.keys()
    assert third["accept"] == "text/html"


async def test_headers_are_text_that_can_be_stored(server, sessions):
    """Bytes that are no UTF-8 become replacement characters, not halves of surrogate pairs."""

    async def send(visit, writer):
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "\xff\xc3\xa9"\r\nContent-Length: 0\r\n\r\n')

    answer = await http.get(sessions, server.handle("/", send))
    assert answer.headers["etag"] == '"\ufffdé"'
    answer.headers["etag"].encode()


async def test_cookies_are_not_kept(server, sessions):
    """A site that sets a cookie does not see it again."""
    url = server.serve("/", "x", headers={"Set-Cookie": "id=1"})
    for _ in range(2):
        await http.get(sessions, url)
    assert all("cookie" not in visit.headers for visit in server.visits)


async def test_an_error_page_is_cut_not_refused(server, sessions):
    """Of an endless error page the beginning is enough."""

    async def pour(visit, writer):
        writer.write(head("403 Forbidden", {"Content-Type": "text/html"}))
        for _ in range(1_000):
            writer.write(b"x" * 65_536)
            await writer.drain()

    answer = await http.get(sessions, server.handle("/", pour), limits=Limits(error_size=1_000))
    assert (answer.status, len(answer.body)) == (403, 1_000)


async def test_a_short_wait_is_waited_for(server, sessions):
    """A host that asks for a moment is asked once more after it."""
    answers = iter([("503 Busy", {"Retry-After": "0"}), ("200 OK", {})])

    async def send(visit, writer):
        status, said = next(answers)
        writer.write(head(status, {"Content-Length": "0", **said}))

    answer = await http.get(sessions, server.handle("/", send), limits=SMALL)
    assert (answer.status, len(server.visits)) == (200, 2)


async def test_a_long_wait_is_reported_and_kept(server, sessions):
    """A host that asks for minutes is left alone: the next request fails without a visit."""
    url = server.serve("/", status="429 Too Many Requests", headers={"Retry-After": "120"})
    answer = await http.get(sessions, url, limits=SMALL)
    assert (answer.status, answer.retry_after) == (429, 120)
    failed = await failing(sessions, url)
    assert failed.kind == "asked_to_wait"
    assert failed.wait == pytest.approx(120, abs=5)
    assert len(server.visits) == 1


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("99999999999", 900.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 900.0),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said, seconds):
    """Both forms of the header are read, bounded by a quarter of an hour."""
    assert retry_after.seconds(said, longest=http._LONGEST_WAIT) == seconds


async def test_cancelling_leaves_nothing(server, sessions):
    """A cancelled request ends at once and gives its place back."""
    url = server.handle("/", silent)
    running = [asyncio.create_task(http.get(sessions, url)) for _ in range(4)]
    await server.visited(2)
    for task in running:
        task.cancel()
    ended = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)
    server.serve("/next", "fine")
    assert (await http.get(sessions, server.url("/next"))).body == b"fine"


async def test_waiting_for_a_turn_is_not_counted(server, sessions):
    """A request that queues behind slow ones has its whole time still before it."""

    async def slow(visit, writer):
        await asyncio.sleep(0.4)
        writer.write(head("200 OK", {"Content-Length": "0"}))

    url = server.handle("/", slow)
    tight = Limits(total=1.4, headers=1.4, idle=1.4)  # two at a time: the last begin after 1.2 s
    answers = await asyncio.gather(*(http.get(sessions, url, limits=tight) for _ in range(8)))
    assert [answer.status for answer in answers] == [200] * 8
