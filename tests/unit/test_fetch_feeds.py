"""RSS and Atom, well made and badly made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import feeds
from scout_cli.fetch.wire import Entries, ReadFeed, pack
from tests.pages import atom, rss


def read(body: str | bytes, url: str = "http://news.test/feed") -> Entries:
    """Return the entries of a feed."""
    content = body.encode() if isinstance(body, str) else body
    return feeds.read(ReadFeed(body=content, content_type="application/xml", url=url))


def test_a_feed_is_bounded_and_says_so():
    """Of many entries the newest are kept."""
    days = [(f"/{n}", f"Day {n}", f"2026-01-{n % 28 + 1:02}T00:00:00Z") for n in range(250)]
    entries = read(atom(*days))
    assert len(entries.hits) == 200
    assert "200 of 250" in entries.detail
    moments = [hit.published_at for hit in entries.hits]
    assert moments == sorted(moments, reverse=True)


def test_undated_entries_come_last():
    """An entry without a date is listed, after those that have one."""
    entries = read(rss(("/a", "A", ""), ("/b", "B", "Tue, 03 Mar 2026 08:30:00 GMT")))
    assert [hit.title for hit in entries.hits] == ["B", "A"]
    assert [hit.published_from for hit in entries.hits] == ["feed", "none"]


@pytest.mark.parametrize("link", ["", "javascript:x", "file:///etc/passwd", "http://["])
def test_an_entry_without_a_web_address_is_left_out(link):
    """Only http and https can be fetched."""
    assert [hit.title for hit in read(rss((link, "A", ""), ("/b", "B", ""))).hits] == ["B"]


def test_an_empty_feed_is_a_feed():
    """A feed that lists nothing today is still one."""
    assert read(rss()) == Entries(is_feed=True)


@pytest.mark.parametrize("body", ["", "plain words", "<html><body>A page</body></html>", "{}"])
def test_what_is_no_feed_is_told(body):
    """Other documents are not mistaken for empty feeds."""
    entries = read(body)
    assert (entries.is_feed, entries.hits) == (False, ())
    assert entries.detail


def test_titles_are_plain_text():
    """Markup, escapes and line breaks of a title do not arrive."""
    title = "&lt;b&gt;Bold&lt;/b&gt; &amp;amp; \n\u202ebad"
    assert read(rss(("/a", title, ""))).hits[0].title == "Bold & bad"


@given(st.text(alphabet="<>/&;=\"' itemrsl#x0D8\n", max_size=120), st.binary(max_size=60))
def test_no_feed_breaks_the_reader(text, noise):
    """Any bytes in an entry give entries that can be sent, or ValueError."""
    body = rss((text, text, text)).encode() + noise
    try:
        entries = read(body)
    except ValueError:
        return
    pack(entries)
