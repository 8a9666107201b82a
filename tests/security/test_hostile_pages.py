"""H01-H14: pages made to harm their reader cost bounded time and memory, and no other page."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from scout_cli.core.ports import FetchRequest, Page
from scout_cli.fetch import open_fetcher
from scout_cli.fetch.web import WebFetcher
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer, Visit, article, bomb, dripping, endless, head

pytestmark = pytest.mark.asyncio(loop_scope="module")

_MIB = 1024 * 1024
_SECONDS = 4.0
LIMITS = Limits(connect=2, headers=2, idle=1, total=3)
STORY = "The town council of Lindental voted on Tuesday to rebuild the old bridge over the Wieser."
MORE = (
    "Work begins on 3 March 2027 and will cost 4.2 million euros, mayor Anna Krüger said.",
    "Until then, buses take the road through the valley and stop at the station every hour.",
)
SECRET = "root:x:0:0"
EVIL = "https://evil.test/steal"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    """Yield one page server for all tests of this module."""
    async with PageServer() as running:
        running.serve("/honest", article("A new bridge", STORY, *MORE))
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fetcher(server: PageServer) -> AsyncIterator[WebFetcher]:
    """Yield one fetcher without a browser, its reading child started."""
    async with Sessions(server.guard(), "scout/test", spacing=0) as sessions:
        opened = open_fetcher("crawl4ai://http", sessions, limits=LIMITS, page_seconds=_SECONDS)
        assert isinstance(opened, WebFetcher)
        await opened.warm_up()
        yield opened
        await opened.close()


def resident(pid: int | str = "self") -> int:
    """Return how much memory a process has at most had, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(row.split()[1]) * 1024 for row in status.splitlines() if "VmHWM" in row)


def _cookies(visit: Visit, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    for number in range(1_000):
        writer.write(f"Set-Cookie: c{number}={'x' * 4_000}; Path=/\r\n".encode())
    writer.write(b"Content-Length: 2\r\n\r\nok")


async def _flood(visit: Visit, writer: asyncio.StreamWriter) -> None:
    _cookies(visit, writer)


async def _lie(visit: Visit, writer: asyncio.StreamWriter) -> None:
    writer.write(head("200 OK", {"Content-Type": "text/html", "Content-Length": "100000"}))
    writer.write(f"<p>{STORY}</p>".encode())


_XXE = f"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">
<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;">]>
<html><body><p>{STORY} &x; &e;&e;&e;</p></body></html>"""
_TITLE = "T\x1b]0;x\x07" * 150_000
_MEMBER = gzip.compress(b"<p>" + b"A" * 20 * _MIB)

Put = Callable[[PageServer], str]
PAGES: dict[str, tuple[Put, set[str]]] = {
    "H01 200 MB": (
        lambda s: s.handle("/h", endless(b"<p>x</p>" * 8_192, count=3_200)),
        {"too_large", "timeout"},
    ),
    "H01 declared": (
        lambda s: s.serve("/h", b"x", headers={"Content-Length": str(200 * _MIB)}),
        {"too_large"},
    ),
    "H02 depth": (lambda s: s.serve("/h", "<div>" * 900_000), {"empty", "unreadable", "timeout"}),
    "H02 depth and text": (
        lambda s: s.serve("/h", "<div>" * 400_000 + f"<p>{STORY}</p>"),
        {"read", "empty", "unreadable", "timeout"},
    ),
    "H03 attributes": (
        lambda s: s.serve("/h", f"<p {' '.join(f'a{n}=1' for n in range(100_000))}>{STORY}</p>"),
        {"read", "empty", "unreadable", "timeout"},
    ),
    "H04 entities in HTML": (
        lambda s: s.serve("/h", _XXE),
        {"read", "empty", "unreadable"},
    ),
    "H04 entities in XHTML": (
        lambda s: s.serve("/h", _XXE, kind="application/xhtml+xml"),
        {"read", "empty", "unreadable"},
    ),
    "H05 UTF-7": (
        lambda s: s.serve("/h", f"<p>{STORY}</p>+ADw-script+AD4-", kind="text/html; charset=utf-7"),
        {"read", "unreadable"},
    ),
    "H05 UTF-16 without its mark": (
        lambda s: s.serve("/h", f"<p>{STORY}</p>".encode("utf-16-le"), kind="text/html"),
        {"read", "unreadable", "unsupported_type", "empty"},
    ),
    "H05 another charset": (
        lambda s: s.serve("/h", f"<p>{STORY} ü</p>", kind="text/html; charset=shift_jis"),
        {"read", "unreadable"},
    ),
    "H06 NULs": (
        lambda s: s.serve("/h", f"<p>\0{STORY}\0</p>" + "\0" * 10_000),
        {"read", "unreadable", "unsupported_type"},
    ),
    "H07 title": (
        lambda s: s.serve("/h", f"<title>{_TITLE}</title><p>{STORY}</p>"),
        {"read", "empty", "unsupported_type"},
    ),
    "H08 base": (
        lambda s: s.serve("/h", f'<base href="//evil.test/"><a href="x">{STORY}</a><p>{STORY}</p>'),
        {"read"},
    ),
    "H09 refresh": (
        lambda s: s.serve(
            "/h",
            f'<meta http-equiv=refresh content="0;url={EVIL}"><p>{STORY}</p>',
            headers={"Refresh": f"0; url={EVIL}"},
        ),
        {"read"},
    ),
    "H10 image": (
        lambda s: s.serve("/h", f"<p>{STORY}</p>", kind="image/png"),
        {"unsupported_type"},
    ),
    "H10 archive": (
        lambda s: s.serve("/h", b"PK\x03\x04" + b"\0" * 1_000, kind="application/zip"),
        {"unsupported_type"},
    ),
    "H10 HTML that is none": (
        lambda s: s.serve("/h", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50),
        {"unsupported_type", "unreadable"},
    ),
    "H10 PDF that is none": (
        lambda s: s.serve("/h", "%PDF-1.7\n" + "obj\n" * 10_000, kind="application/pdf"),
        {"unreadable", "timeout", "empty"},
    ),
    "H11 bomb": (
        lambda s: s.serve("/h", bomb(500), headers={"Content-Encoding": "gzip"}),
        {"too_large"},
    ),
    "H11 members": (
        lambda s: s.serve("/h", _MEMBER * 40, headers={"Content-Encoding": "gzip"}),
        {"too_large"},
    ),
    "H11 bomb in a bomb": (
        lambda s: s.serve("/h", zlib.compress(bomb(100)), headers={"Content-Encoding": "deflate"}),
        {"unsupported_type", "unreadable", "too_large", "read", "empty"},
    ),
    "H11 unasked": (
        lambda s: s.serve("/h", b"\x1b\x00", headers={"Content-Encoding": "br"}),
        {"unreadable"},
    ),
    "H12 more promised": (lambda s: s.handle("/h", _lie), {"unreachable", "timeout"}),
    "H13 a byte a second": (
        lambda s: s.handle(
            "/h", dripping(head("200 OK", {"Content-Type": "text/html"}), every=0.4)
        ),
        {"timeout"},
    ),
    "H14 cookies": (lambda s: s.handle("/h", _flood), {"unreadable", "read", "empty"}),
}


async def look(fetcher: WebFetcher, url: str) -> Page:
    """Fetch `url` without conditions."""
    return await fetcher.fetch(FetchRequest(url=url))


@pytest.mark.parametrize("case", PAGES)
async def test_a_hostile_page_harms_nobody(server: PageServer, fetcher: WebFetcher, case: str):
    """It ends in time with an outcome of its own, and takes little memory with it."""
    put, expected = PAGES[case]
    url, before, began = put(server), resident(), time.monotonic()
    page = await look(fetcher, url)
    seconds = time.monotonic() - began
    assert page.outcome in expected, (page.outcome, page.detail)
    assert seconds < LIMITS.total + _SECONDS + 2
    assert resident() - before < 100 * _MIB
    said = f"{page.title} {page.text} {page.detail} {page.hint} {page.final_url}"
    assert SECRET not in said
    assert "evil.test" not in f"{page.final_url} {page.text}"
    assert not any(c < " " and c not in "\n\t" for c in said)
    assert len(page.title) < 2_000
    assert page.outcome == "read" or page.detail


async def test_the_other_pages_of_a_run_are_still_read(server: PageServer, fetcher: WebFetcher):
    """Hostile pages beside an honest one, all at once: the honest one arrives whole."""
    cases = ["H01 200 MB", "H02 depth", "H11 bomb", "H13 a byte a second"]
    urls = []
    for number, case in enumerate(cases):
        made = PAGES[case][0](server)
        server._handlers[f"/h{number}"] = server._handlers["/h"]
        urls.append(f"{made}{number}")
    *_, honest = await asyncio.gather(
        *(look(fetcher, url) for url in urls), look(fetcher, server.url("/honest"))
    )
    assert honest.outcome == "read"
    assert STORY in honest.text
    assert fetcher._reader.pid is not None
    assert resident(fetcher._reader.pid) < 400 * _MIB
