"""The brief: safe for a page that shows it as HTML, one link a line, nothing invisible."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.core import shape
from scout_cli.core.job import Item, Source
from scout_cli.core.models import Problem
from scout_cli.core.report import brief, clean, summary


def source(number, url, host="a.example"):
    """Return a page that may be cited."""
    return Source(number=number, url=url, host=host, title="T")


def line(text, url="https://a.example/x", **more):
    """Return the brief of one item with one source."""
    return brief([Item(text=text, sources=(1,), **more)], {1: source(1, url)})


NASTY = st.text(
    st.sampled_from("<>&\"'`[]()!_*#|\\\n\r\t\u202e\u200b\x1b\U000e0041ab:/.") | st.characters(),
    max_size=60,
)


@given(NASTY, NASTY.map("https://a.example/{}".format))
def test_no_text_escapes_its_line(text, url):
    """Whatever page and URL say: one line, no HTML, no second link, no emphasis."""
    shown = line(text, url)
    assert "\n" not in shown
    assert not set(shown) & set('<>"`*_\u202e\u200b\x1b\U000e0041')
    assert shown.count("](") <= 1
    assert len(re.findall(r"[\[\]]", shown)) in (0, 2)


@given(NASTY)
def test_clean_is_idempotent_and_visible(text):
    """A cleaned text is one line without control, invisible and direction characters."""
    assert clean(clean(text)) == clean(text)
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\U000e0000-\U000e007f]", clean(text)
    )


def test_a_line_with_its_sources():
    """The first source is the link, with its date; others are named once."""
    dated = Source(
        number=1,
        url="https://a.example/x_y*(z)",
        host="a.example",
        title="T",
        published_at=datetime(2026, 5, 3, tzinfo=UTC),
    )
    sources = {
        1: dated,
        2: source(2, "https://b.example/", "b.example"),
        3: source(3, "https://a.example/2"),
    }
    shown = brief([Item(text="It opens.", sources=(1, 2, 3))], sources)
    assert shown == (
        "- It opens. ([a.example](https://a.example/x%5Fy%2A%28z%29), 2026-05-03; also b.example)"
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc", "//evil.test/"]
)
def test_only_web_links(url):
    """A source that is no web page is not linked."""
    assert "](" not in line("It opens.", url)


def test_a_possible_repeat_is_labelled():
    """Doubt is said aloud."""
    assert line("It opens.", possible_repeat=True).startswith("- Possible repeat: It opens.")


def test_an_unknown_source_gives_no_link():
    """A number without a page is no link and no error."""
    assert brief([Item(text="It opens.", sources=(9,))], {}) == "- It opens."


@pytest.mark.parametrize(
    ("outcome", "partial", "completed", "status"),
    [
        ("new", False, True, "completed"),
        ("new", True, True, "partial"),
        ("nothing_new", False, False, "not_found"),
        ("degraded", True, False, "insufficient_data"),
        ("could_not_look", True, False, "insufficient_data"),
        ("failed", False, False, "insufficient_data"),
    ],
)
def test_the_record_that_the_interface_reads(outcome, partial, completed, status):
    """Field names and values are the interface's; `not_found` is said only after a real look."""
    found = shape.plain(summary(outcome, "- It opens.", [], partial=partial))
    assert found == {"taskCompleted": completed, "taskStatus": status, "response": "- It opens."}


def test_silence_tells_why():
    """Without news the response says what kind of silence it is, escaped."""
    problem = Problem(code="x", message="<b>limited</b>")
    assert summary("nothing_new", "", [], partial=False).response == "Nothing new."
    assert "&lt;b&gt;limited" in summary("could_not_look", "", [problem], partial=True).response
    assert summary("degraded", "", [], partial=True).response.endswith("everything could be read.")
