"""Publish dates and the places they are found in."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import dates, markup

DAY = datetime(2026, 3, 3, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 8, 30, tzinfo=UTC)


def found(html: str, *, url: str = "http://news.test/", last_modified: str = ""):
    """Return date and origin of a page."""
    tree = markup.parse(f"<html><body>{html}</body></html>")
    assert tree is not None
    return dates.published(tree, url=url, last_modified=last_modified)


def linked(document: object) -> str:
    """Return a JSON-LD script."""
    text = document if isinstance(document, str) else json.dumps(document)
    return f'<script type="application/ld+json">{text}</script>'


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-03T08:30:00Z", MORNING),
        ("2026-03-03T09:30:00+01:00", MORNING),
        ("2026-03-03T08:30:00.000+0000", MORNING),
        ("2026-03-03T08:30", MORNING),
        (" 2026-03-03 08:30:00 ", MORNING),
        ("Tue, 03 Mar 2026 08:30:00 GMT", MORNING),
        ("3 Mar 2026 09:30:00 +0100", MORNING),
        ("2026-03-03", DAY),
        ("20260303", DAY),
        ("2026/03/03", DAY),
        ("2026.03.03", DAY),
        ("2026-13-03", None),
        ("20261303", None),
        ("last Tuesday", None),
        ("", None),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("Wed, 21 Oct 99999999999 07:28:00 GMT", None),
    ],
)
def test_a_moment_is_read_in_utc(text, moment):
    """ISO 8601, mail dates and dates of digits are read; rubbish and zero dates are none."""
    assert dates.parse(text) == moment


@given(st.text(max_size=80) | st.from_regex(r"\d{1,4}[-/ ]\d\d[-/ T]\d\d.{0,20}"))
def test_no_text_breaks_the_reading_of_dates(text):
    """Whatever a page says, the answer is a moment in UTC or none."""
    moment = dates.parse(text)
    assert moment is None or moment.utcoffset().total_seconds() == 0


@pytest.mark.parametrize(
    ("html", "origin"),
    [
        (linked({"@type": "NewsArticle", "datePublished": "2026-03-03T08:30:00Z"}), "json-ld"),
        ('<meta property="article:published_time" content="2026-03-03T08:30:00Z">', "meta"),
        ('<meta itemprop="datePublished" content="2026-03-03T08:30:00Z">', "meta"),
        ('<meta name="DC.date.issued" content="2026-03-03T08:30:00Z">', "meta"),
        ('<article><time datetime="2026-03-03T08:30:00Z">today</time></article>', "time"),
        ('<p><time datetime="2026-03-03T08:30:00Z">today</time></p>', "time"),
    ],
)
def test_the_page_says_when(html, origin):
    """Each place in a page is read, and named."""
    assert found(html) == (MORNING, origin)


@pytest.mark.parametrize(
    "path",
    ["/2026/03/03/bridge", "/news/2026-03-03-bridge.html", "/2026/3/3/", "/x/2026/03/03"],
)
def test_the_address_says_when(path):
    """A date in the path is the date when the page says nothing."""
    assert found("", url=f"http://news.test{path}") == (DAY, "url")


@pytest.mark.parametrize("path", ["/2026/13/03/x", "/a?d=/2026/03/03/", "/12026/03/03/", "/2026/"])
def test_other_numbers_of_an_address_are_no_date(path):
    """Only a whole date in the path counts."""
    assert found("", url=f"http://news.test{path}") == (None, "none")


def test_the_header_is_the_last_resort():
    """Last-Modified is used when nothing else is there."""
    header = "Tue, 03 Mar 2026 08:30:00 GMT"
    assert found("", last_modified=header) == (MORNING, "header")
    assert found("", url="http://n.test/2026/03/03/", last_modified=header)[1] == "url"


def test_the_best_place_wins_and_rubbish_does_not():
    """JSON-LD is believed before meta, meta before time; what cannot be read is passed over."""
    meta = '<meta name="date" content="2026-03-03T08:30:00Z">'
    time = '<time datetime="2020-01-01">'
    good = linked({"datePublished": "2026-03-03"})
    assert found(time + meta + good) == (DAY, "json-ld")
    for bad in (linked({"datePublished": "soon"}), linked("{no json"), linked("[" * 5_000)):
        assert found(time + meta + bad) == (MORNING, "meta")
    assert found('<meta name="date" content="soon">' + time)[1] == "time"


def test_the_article_of_a_graph_is_meant():
    """Of several dated things the article's date is the page's."""
    graph = {
        "@graph": [
            {"@type": "VideoObject", "datePublished": "2001-01-01"},
            {"@type": ["NewsArticle"], "datePublished": "2026-03-03"},
        ]
    }
    assert found(linked(graph)) == (DAY, "json-ld")


def test_of_many_times_outside_an_article_none_is_meant():
    """A list of dated teasers does not date the page that holds it."""
    assert found('<time datetime="2026-03-03"></time><time datetime="2026-03-02"></time>') == (
        None,
        "none",
    )
