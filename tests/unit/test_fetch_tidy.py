"""From Markdown to text that can be quoted."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import tidy

HIDDEN = "\x00\x1b\x07\x9b\u200b\u202e\u2066\ufeff\U000e0041\ud800\xad"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Title\n\n\n\nText.", "# Title\n\nText."),
        ("a \\- b \\* c 1\\. d", "a - b * c 1. d"),
        ("* one\n* two\n  + three", "- one\n- two\n- three"),
        ("> quoted words.", "quoted words."),
        ("one\n\n---\n\n* * *\n\ntwo", "one\n\ntwo"),
        ("```\ncode()\n```", "code()"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n\n1 | 2"),
        ("Share\n\nStory.\n\nAccept all cookies", "Story."),
        ("same\nsame\nother", "same\nother"),
        ("a\u00a0b \t c", "a b c"),
        ("", ""),
    ],
)
def test_markdown_becomes_prose(markdown, text):
    """Escapes, rules, fences and buttons go; headings, lists and cells stay."""
    assert tidy.prose(markdown) == text


def test_short_lines_outside_the_content_go():
    """A line that the filter dropped stays when it is a sentence, a heading or long."""
    markdown = "Top stories\n\n# News\n\nThe bridge opens.\n\nIt is long.\n\nMost read"
    assert tidy.prose(markdown, "The bridge opens.") == "# News\n\nThe bridge opens.\n\nIt is long."
    assert "Most read" in tidy.prose(markdown)


@given(st.text(alphabet=st.characters(exclude_categories=[]) | st.sampled_from(HIDDEN)))
def test_nothing_invisible_remains(text):
    """No control, bidirectional, zero-width or tag character and no half of a pair survives."""
    for cleaned in (tidy.visible(text), tidy.plain(text), tidy.prose(text), tidy.one_line(text)):
        assert not set(cleaned) & set(HIDDEN)
        cleaned.encode()
        assert unicodedata.is_normalized("NFC", cleaned)


@given(st.text(), st.text())
def test_prose_is_settled(markdown, kept):
    """The text has no empty ends and no two empty lines in a row."""
    text = tidy.prose(markdown, kept)
    assert text == text.strip()
    assert "\n\n\n" not in text


@given(st.text(max_size=2_000), st.integers(2, 400))
def test_one_line_is_one_bounded_line(text, limit):
    """A title is one line of at most so many characters; a cut shows."""
    line = tidy.one_line(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([line], [])


@pytest.mark.parametrize(
    "line", ["-" * 50_000 + "x", "* " * 50_000 + "x", "> " * 50_000, "|" * 50_000]
)
@pytest.mark.timeout(5)
def test_a_long_line_takes_no_long_time(line):
    """A line of thousands of dashes, as in old plain-text pages, is no hard question."""
    tidy.prose(line)


def test_a_cut_title_ends_in_an_ellipsis():
    """Whoever reads a long title sees that it goes on."""
    assert tidy.one_line("word " * 100, 20) == "word word word word…"
    assert tidy.one_line(" two \n words ") == "two words"
