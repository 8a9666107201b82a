"""The fetcher against a web that misbehaves, with the real Crawl4AI in its real child."""

from __future__ import annotations

import gzip
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from scout_cli.core.ports import FetchRequest, Page
from scout_cli.errors import ConfigError
from scout_cli.fetch import open_fetcher
from scout_cli.fetch.show import Show
from scout_cli.fetch.web import WebFetcher
from scout_cli.net.guard import Guard
from scout_cli.net.limits import Limits
from scout_cli.net.sessions import Sessions
from tests import pages
from tests.pages import PageServer, dripping, endless, head, silent

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = Limits(connect=3, headers=3, idle=3, total=6)
STORY = (
    "The town council of Lindental voted on Tuesday to rebuild the old bridge over the Wieser.",
    "Work begins on 3 March 2027 and will cost 4.2 million euros, mayor Anna Krüger said.",
    "Until then, buses take the road through the valley and stop at the station every hour.",
)
MARCH = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[PageServer]:
    """Return a page server for all tests of this module."""
    async with PageServer() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sessions(server: PageServer) -> AsyncIterator[Sessions]:
    """Return sessions that may reach the page server."""
    async with Sessions(server.guard(), "scout/test", spacing=0) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fetcher(sessions: Sessions) -> AsyncIterator[WebFetcher]:
    """Return the one fetcher of this module, its child started."""
    alone = Show(path="/nowhere/chromium")  # the browser has tests of its own
    opened = open_fetcher("crawl4ai://auto", sessions, limits=LIMITS, page_seconds=4.0, show=alone)
    assert isinstance(opened, WebFetcher)
    await opened.warm_up()
    yield opened
    await opened.close()


async def look(fetcher: WebFetcher, url: str) -> Page:
    """Fetch `url` without conditions."""
    return await fetcher.fetch(FetchRequest(url=url))


def peak() -> int:
    """Return the largest resident size since the mark was last reset, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


async def test_an_article_becomes_its_text(server, fetcher):
    """The story is read word for word; navigation, bars, scripts and footers are not."""
    stamp = '<meta property="article:published_time" content="2026-03-03T09:30:00+01:00">'
    url = server.serve("/story", pages.article("A new bridge", *STORY, head_part=stamp))
    page = await look(fetcher, url)
    assert (page.outcome, page.status, page.title) == ("read", 200, "A new bridge")
    assert all(sentence in page.text for sentence in STORY)
    chrome = ("track()", "Accept all", "Most read", "Imprint", "Share this", "Sport", "margin")
    assert [word for word in chrome if word in page.text] == []
    assert (page.published_at, page.published_from) == (MARCH, "meta")
    assert page.language == "en"
    assert len(page.content_hash) == 64
    assert page.size > 0


async def test_two_pages_in_a_row_share_nothing(server, fetcher):
    """A page reads the same before and after another one, and neither holds the other's text."""
    first = server.serve("/one", pages.article("One", *STORY))
    second = server.serve("/two", "<html><body><h1>Two</h1><ul><li>apples<li>pears</ul></body>")
    before, other, after = [await look(fetcher, url) for url in (first, second, first)]
    assert before == after
    assert other.outcome == "read"
    assert "apples" in other.text
    assert "Lindental" not in other.text
    assert "apples" not in after.text


async def test_a_listing_page_keeps_its_lines(server, fetcher):
    """A page that is a list of headlines is read whole, one headline a line."""
    heads = [f"Headline number {n} about the harbour" for n in range(30)]
    links = "".join(f'<li><a href="/{n}">{line}</a></li>' for n, line in enumerate(heads))
    url = server.serve("/list", f"<html><body><main><ul>{links}</ul></main></body></html>")
    page = await look(fetcher, url)
    assert page.outcome == "read"
    lines = page.text.splitlines()
    assert all(any(line.endswith(head) for line in lines) for head in heads)


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown", "application/json"])
async def test_plain_text_is_read_as_it_is(server, fetcher, kind):
    """Text that is no HTML comes back as it was sent."""
    page = await look(fetcher, server.serve("/plain", "# Notes\n\na <b> & c\n", kind=kind))
    assert (page.outcome, page.text) == ("read", "# Notes\n\na <b> & c")
    assert page.title == ("Notes" if kind == "text/markdown" else "")


async def test_a_pdf_is_read(server, fetcher):
    """The lines of a PDF are text, its title and date those of the file."""
    body = pages.pdf("The council met on Monday.", "It approved the budget.")
    page = await look(fetcher, server.serve("/minutes", body, kind="application/pdf"))
    assert page.outcome == "read"
    assert "The council met on Monday." in page.text
    assert "It approved the budget." in page.text
    assert page.title == "Minutes of the meeting"
    assert page.published_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


async def test_a_damaged_pdf_is_unreadable(server, fetcher):
    """A PDF that breaks off is an outcome."""
    url = server.serve("/half", pages.pdf("words")[:60], kind="application/pdf")
    assert (await look(fetcher, url)).outcome in {"unreadable", "empty"}


async def test_an_rss_feed_lists_its_entries(server, fetcher):
    """Entries come newest first, links absolute, markup of summaries gone."""
    body = pages.rss(
        ("/old", "Old", "Mon, 02 Mar 2026 08:00:00 GMT"),
        ("http://news.test/new", "New &amp; true", "Tue, 03 Mar 2026 09:30:00 +0100"),
        ("javascript:alert(1)", "Evil", ""),
    )
    feed = await fetcher.feed(server.serve("/rss", body, kind="application/rss+xml"))
    assert feed.outcome == "read"
    assert [hit.url for hit in feed.hits] == ["http://news.test/new", server.url("/old")]
    newest = feed.hits[0]
    assert (newest.title, newest.snippet) == ("New & true", "About New & true")
    assert (newest.published_at, newest.published_from) == (MARCH, "feed")
    assert newest.engine == "The Test Times"


async def test_an_atom_feed_lists_its_entries(server, fetcher):
    """Atom is read like RSS."""
    body = pages.atom(("http://news.test/a", "A", "2026-03-03T08:30:00Z"))
    feed = await fetcher.feed(server.serve("/atom", body, kind="application/atom+xml"))
    assert [(hit.title, hit.published_at) for hit in feed.hits] == [("A", MARCH)]


async def test_an_unchanged_feed_is_not_sent_again(server, fetcher):
    """The second look sends conditions; 304 gives the same entries, for none may be lost."""
    body = pages.rss(("/one", "One", "Tue, 03 Mar 2026 08:30:00 GMT"))

    async def answer(visit, writer):
        if visit.headers.get("if-none-match") == '"f1"':
            writer.write(head("304 Not Modified", {}))
        else:
            said = {"Content-Type": "application/rss+xml", "ETag": '"f1"'}
            writer.write(head("200 OK", said) + body.encode())

    url = server.handle("/kept-feed", answer)
    first, second = await fetcher.feed(url), await fetcher.feed(url)
    assert server.visits[-1].headers["if-none-match"] == '"f1"'
    assert (first.outcome, len(first.hits)) == ("read", 1)
    assert second == first


async def test_a_changed_feed_takes_the_place_of_the_old_one(server, fetcher):
    """A feed that changed is read anew, and its own validators are sent from then on."""
    for stamp, title in (("v1", "One"), ("v2", "Two")):
        body = pages.rss(("/entry", title, "Tue, 03 Mar 2026 08:30:00 GMT"))
        said = {"ETag": f'"{stamp}"'}
        url = server.serve("/moving", body, kind="application/rss+xml", headers=said)
        assert [hit.title for hit in (await fetcher.feed(url)).hits] == [title]
    await fetcher.feed(url)
    assert server.visits[-1].headers["if-none-match"] == '"v2"'


async def test_a_feed_that_failed_keeps_what_was_read(server, fetcher):
    """A fault in between is told as such, and forgets nothing."""
    body = pages.rss(("/entry", "One", "Tue, 03 Mar 2026 08:30:00 GMT"))
    said = {"Last-Modified": "Tue, 03 Mar 2026 08:30:00 GMT"}
    await fetcher.feed(server.serve("/shaky", body, kind="application/rss+xml", headers=said))
    url = server.serve("/shaky", status="503 Service Unavailable")
    assert (await fetcher.feed(url)).outcome == "http_error"
    server.serve("/shaky", status="304 Not Modified")
    assert [hit.title for hit in (await fetcher.feed(url)).hits] == ["One"]
    assert server.visits[-1].headers["if-modified-since"] == said["Last-Modified"]


@pytest.mark.parametrize("value", ["Ünicode", "a\tb"])
async def test_what_was_kept_of_a_feed_cannot_garble_a_header(server, fetcher, value):
    """A validator that is no plain text is not sent back, and the feed is read again."""
    body = pages.rss(("/entry", "One", "Tue, 03 Mar 2026 08:30:00 GMT"))

    async def answer(visit, writer):
        said = {"Content-Type": "application/rss+xml", "ETag": value}
        writer.write(head("200 OK", said) + body.encode())

    url = server.handle("/odd-feed", answer)
    assert len((await fetcher.feed(url)).hits) == len((await fetcher.feed(url)).hits) == 1
    assert "if-none-match" not in server.visits[-1].headers


async def test_a_304_for_a_feed_never_read_is_an_error(server, fetcher):
    """A feed cannot be unchanged when it was never read."""
    feed = await fetcher.feed(server.serve("/no-feed", status="304 Not Modified"))
    assert feed.outcome == "http_error"


async def test_a_page_is_no_feed_and_a_feed_no_page(server, fetcher):
    """Each of the two says how to use the other."""
    feed = await fetcher.feed(server.serve("/page", pages.article("A", *STORY)))
    assert (feed.outcome, feed.hits) == ("unreadable", ())
    assert feed.hint
    page = await look(fetcher, server.serve("/f", pages.rss(), kind="application/rss+xml"))
    assert page.outcome == "unsupported_type"
    assert "--feed" in page.hint


async def test_an_xml_bomb_is_harmless(server, fetcher):
    """Entities that multiply end as an outcome; the next feed is read."""
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}'
        '<!ENTITY file SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel>'
        "<title>&e11;</title><item><link>http://news.test/</link><title>&file;</title></item>"
        "</channel></rss>"
    )
    feed = await fetcher.feed(server.serve("/bomb.xml", bomb, kind="text/xml"))
    assert all("root" not in hit.title and len(hit.title) <= 300 for hit in feed.hits)
    body = pages.rss(("/a", "A", ""))
    assert (await fetcher.feed(server.serve("/rss2", body, kind="text/xml"))).outcome == "read"


@pytest.mark.parametrize("body", [b"", b"\0" * 5_000, b"<rss>&#xD800;</rss>", b"<rss><item>" * 999])
async def test_a_broken_feed_does_not_end_the_child(server, fetcher, body):
    """Feeds that cannot be read cost no restart."""
    pid = fetcher._reader.pid
    feed = await fetcher.feed(server.serve("/broken", body, kind="text/xml"))
    assert feed.hits == ()
    assert fetcher._reader.pid == pid


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        ("404 Not Found", "<h1>Gone</h1>", "not_found"),
        ("410 Gone", "", "not_found"),
        ("403 Forbidden", pages.BLOCKED, "blocked"),
        ("403 Forbidden", pages.CAPTCHA, "captcha"),
        ("503 Service Unavailable", pages.BLOCKED, "blocked"),
        ("429 Too Many Requests", "", "blocked"),
        ("401 Unauthorized", "", "blocked"),
        ("500 Internal Server Error", pages.article("Oops", *STORY), "http_error"),
        ("200 OK", pages.BLOCKED, "blocked"),
        ("200 OK", pages.CAPTCHA, "captcha"),
        ("200 OK", pages.CONSENT, "consent"),
        ("200 OK", pages.THIN, "needs_browser"),
        ("200 OK", "<html><body></body></html>", "empty"),
        ("200 OK", "", "empty"),
        ("204 No Content", "", "empty"),
    ],
)
async def test_what_is_no_news_is_said(server, fetcher, status, body, outcome):
    """Walls, errors and empty pages have outcomes of their own, a reason and no text."""
    page = await look(fetcher, server.serve("/wall", body, status=status))
    assert page.outcome == outcome
    assert page.status == int(status[:3])
    assert page.detail
    assert (page.text, page.content_hash) == ("", "")


async def test_without_a_browser_to_come_a_thin_page_is_empty(server, sessions):
    """`crawl4ai://http` never promises a browser."""
    async with open_fetcher("crawl4ai://http", sessions, limits=LIMITS) as plain:
        assert (await look(plain, server.serve("/thin", pages.THIN))).outcome == "empty"


async def test_an_article_about_walls_is_an_article(server, fetcher):
    """Words such as captcha, cookies and access denied do not make a wall of a story."""
    told = (
        "Every captcha asks visitors to verify you are human, and most people hate it.",
        "Sites that use cookies must ask; nearly all press accept all cookies, a study found.",
        "Access denied, read the message that thousands saw on Monday when the portal failed.",
    )
    body = pages.article("The end of the captcha", *told, *STORY, *(s[::-1] for s in STORY))
    page = await look(fetcher, server.serve("/walls", body))
    assert page.outcome == "read"
    assert told[0] in page.text


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
async def test_a_huge_page_stops_early(server, fetcher):
    """Of 200 MB only the allowed part is read, and it is not kept in memory."""
    sent = []

    async def pour(visit, writer):
        writer.write(head("200 OK", {"Content-Type": "text/html"}))
        for _ in range(3_200):
            writer.write(b"x" * 65_536)
            sent.append(65_536)
            await writer.drain()

    url = server.handle("/huge", pour)
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    page = await look(fetcher, url)
    assert page.outcome == "too_large"
    assert sum(sent) < 30 * 1024 * 1024
    assert peak() - before < 50 * 1024 * 1024


async def test_a_bomb_is_too_large(server, fetcher):
    """A page that inflates a thousandfold is stopped."""
    said = {"Content-Encoding": "gzip"}
    page = await look(fetcher, server.serve("/bomb", pages.bomb(60), headers=said))
    assert (page.outcome, page.text) == ("too_large", "")


async def test_a_redirect_loop_is_given_up(server, fetcher):
    """A loop is an outcome, with the last address asked."""
    page = await look(fetcher, server.redirect("/loop", "/loop"))
    assert (page.outcome, page.final_url) == ("redirects", server.url("/loop"))


async def test_the_final_address_is_told(server, fetcher):
    """A page behind a redirect carries its own address."""
    there = server.serve("/there", pages.article("There", *STORY))
    page = await look(fetcher, server.redirect("/here", "/there"))
    assert (page.outcome, page.url, page.final_url) == ("read", server.url("/here"), there)


RUSSIAN = "Новый мост через реку откроется в марте, сообщила мэрия города на сайте. " * 4


@pytest.mark.parametrize(
    ("kind", "meta", "encoding"),
    [
        ("text/html; charset=utf-8", "", "windows-1251"),
        ("text/html", "", "windows-1251"),
        ("text/html", "", "utf-8"),
        ("text/html", "", "utf-16"),
        ("text/html; charset=utf-8", "", "utf-16-le"),
        ("text/html; charset=utf-16be", "", "utf-16-be"),
        ("text/html", '<meta charset="windows-1251">', "windows-1251"),
        ("text/html", '<meta charset="koi8-r">', "koi8-r"),
        ("text/html; charset=windows-1251", '<meta charset="utf-8">', "windows-1251"),
        ("text/html; charset=no-such-thing", "", "utf-8"),
    ],
)
async def test_encodings_are_found(server, fetcher, kind, meta, encoding):
    """The declared encoding is believed unless the bytes prove it wrong."""
    source = f"<html><head>{meta}<title>Мост</title></head><body><p>{RUSSIAN}</p></body></html>"
    page = await look(fetcher, server.serve("/ru", source.encode(encoding), kind=kind))
    assert (page.outcome, page.title, page.text) == ("read", "Мост", RUSSIAN.strip())


@pytest.mark.parametrize(
    "handler",
    [silent, dripping(head("200 OK", {"Content-Type": "text/html"}) + b"<p>", every=0.5)],
    ids=["silence", "a drip"],
)
async def test_slow_servers_time_out(server, fetcher, handler):
    """Silence before the headers and a byte now and then both end in time."""
    page = await look(fetcher, server.handle("/slow", handler))
    assert (page.outcome, page.text) == ("timeout", "")


async def test_a_lying_length_is_no_page(server, fetcher):
    """An answer shorter than it said is not taken for the whole page."""
    body = pages.article("Half", *STORY)
    url = server.serve("/lie", body, headers={"Content-Length": str(len(body) + 999)})
    page = await look(fetcher, url)
    assert page.outcome == "unreachable"


async def test_an_unchanged_page_is_not_sent_again(server, fetcher):
    """What was kept of a page is sent as conditions, and 304 means unchanged."""
    stamps = {"ETag": '"v1"', "Last-Modified": "Tue, 03 Mar 2026 08:30:00 GMT"}
    body = pages.article("Kept", *STORY).encode()

    async def answer(visit, writer):
        if visit.headers.get("if-none-match") == '"v1"':
            writer.write(head("304 Not Modified", {}))
        else:
            writer.write(head("200 OK", {"Content-Type": "text/html", **stamps}) + body)

    url = server.handle("/kept", answer)
    first = await look(fetcher, url)
    assert (first.outcome, first.etag) == ("read", '"v1"')
    assert (first.published_at, first.published_from) == (MARCH, "header")
    request = FetchRequest(url=url, etag=first.etag, last_modified=first.last_modified)
    second = await fetcher.fetch(request)
    assert (second.outcome, second.status, second.text) == ("unchanged", 304, "")
    assert (second.etag, second.last_modified) == (first.etag, first.last_modified)
    assert server.visits[-1].headers["if-modified-since"] == stamps["Last-Modified"]


async def test_a_304_that_nobody_asked_for_is_an_error(server, fetcher):
    """A page cannot be unchanged when it was never read."""
    page = await look(fetcher, server.serve("/never", status="304 Not Modified"))
    assert page.outcome == "http_error"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 20),
        ("text/html", gzip.compress(b"<h1>packed</h1>" * 99, mtime=0)),
        ("image/png", b"<h1>Not an image</h1>"),
        ("application/zip", b"PK\x03\x04"),
    ],
)
async def test_what_is_not_text_is_not_read(server, fetcher, kind, body):
    """Neither the type nor the bytes alone make a page."""
    page = await look(fetcher, server.serve("/picture", body, kind=kind))
    assert (page.outcome, page.text) == ("unsupported_type", "")


async def test_nul_and_escapes_do_not_arrive(server, fetcher):
    """Control characters, bidirectional marks and a title of a megabyte are cut to plain text."""
    title = "\x1b]0;owned\x07\u202eTitle " + "long " * 200_000
    body = f"<title>{title}</title><p>One\0 two\x1b[31m three\u200b four, a sentence.</p>"
    page = await look(fetcher, server.serve("/nul", body))
    assert page.outcome == "read"
    assert "four, a sentence." in page.text
    assert len(page.title) <= 300
    assert not {"\0", "\x1b", "\x07", "\u202e", "\u200b"} & set(page.title + page.text)


async def test_headers_that_are_no_text_do_no_harm(server, fetcher):
    """Odd bytes in the headers of a page neither end the child nor reach its record."""
    pid = fetcher._reader.pid

    async def answer(visit, writer):
        odd = b"Content-Language: \xff\xfe\r\nETag: \xff\r\nLast-Modified: \xff\r\n"
        kind = b"Content-Type: text/plain; charset=\xff\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + kind + odd + b"Content-Length: 5\r\n\r\nwords")

    page = await look(fetcher, server.handle("/odd", answer))
    assert (page.outcome, page.text, page.language) == ("read", "words", "")
    assert fetcher._reader.pid == pid
    repr(page).encode()


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 1_000_000 + "deep",
        "<p " + " ".join(f'a{n}="{n}"' for n in range(50_000)) + ">words of a page</p>",
        "<table><tr><td>" * 3_000 + "nested",
    ],
    ids=["divs", "attributes", "tables"],
)
async def test_a_monstrous_page_harms_no_other(server, fetcher, body):
    """Whatever becomes of such a page, nothing is made up of it, and the next one is read."""
    page = await look(fetcher, server.serve("/monster", body))
    assert page.outcome in {"read", "empty", "unreadable", "timeout"}
    assert "Error" not in page.text
    after = await look(fetcher, server.serve("/after", pages.article("After", *STORY)))
    assert after.outcome == "read"


async def test_the_death_of_the_child_costs_one_page_at_most(server, fetcher):
    """A child killed in the middle of a page makes that page unreadable; the next is read."""
    await fetcher.warm_up()
    pid = fetcher._reader.pid

    async def answer(visit, writer):
        os.kill(pid, signal.SIGSTOP)
        body = pages.article("Lost", *STORY).encode()
        writer.write(head("200 OK", {"Content-Type": "text/html"}) + body)
        await writer.drain()
        os.kill(pid, signal.SIGKILL)

    lost = await look(fetcher, server.handle("/lost", answer))
    assert lost.outcome in {"unreadable", "read"}  # read, when it was noticed before the page
    after = await look(fetcher, server.serve("/after", pages.article("After", *STORY)))
    assert (after.outcome, after.title) == ("read", "After")
    assert fetcher._reader.pid != pid


@pytest.mark.parametrize(
    "url", ["crawl4ai://chrome", "crawl4ai://", "crawl4ai://nowhere", "curl://auto", "auto"]
)
async def test_an_unknown_fetcher_is_a_configuration_error(url):
    """A mode that does not exist is refused, and those that do are named."""
    async with Sessions(Guard(), "scout/test") as sessions:
        with pytest.raises(ConfigError) as refused:
            open_fetcher(url, sessions)
    assert "crawl4ai" in refused.value.hint


async def test_a_closed_fetcher_says_so(server, sessions):
    """After `close` a page is an outcome and no new child is started."""
    closed = open_fetcher("crawl4ai://auto", sessions, limits=LIMITS)
    await closed.close()
    page = await look(closed, server.serve("/late", pages.article("Late", *STORY)))
    assert (page.outcome, "closed" in page.detail) == ("unreadable", True)
    feed = await closed.feed(server.serve("/late.xml", pages.rss(), kind="text/xml"))
    assert feed.outcome == "unreadable"


async def test_an_endless_error_page_is_cut(server, fetcher):
    """Of an endless error page the beginning is enough."""
    body = endless(b"x" * 65_536, count=3_200, kind="text/html")

    async def pour(visit, writer):
        writer.write(head("404 Not Found", {"Content-Type": "text/html"}))
        await body(visit, writer)

    assert (await look(fetcher, server.handle("/endless", pour))).outcome == "not_found"
