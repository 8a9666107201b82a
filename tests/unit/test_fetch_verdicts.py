"""A page, or a wall in front of one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout_cli.fetch import verdicts

STORY = "The council voted to rebuild the bridge, and work begins on Monday in the valley. " * 6


def judged(
    text: str,
    *,
    title: str = "",
    html: str = "",
    url: str = "http://a.test/",
    scripts: bool = False,
    status: int = 200,
) -> str:
    """Return the verdict on a page that shows `text`."""
    return verdicts.judge(
        title=title, seen=text, text=text, html=html, url=url, scripts=scripts, status=status
    )


@pytest.mark.parametrize(
    "text",
    [
        "Please complete the captcha",
        "Our systems have detected unusual traffic from your network",
        "Verify you are human by completing the action below.",
        "Ich bin kein Roboter",
        "Я не робот",
        "Press & Hold to confirm you are a human",
    ],
)
def test_a_captcha_is_known(text):
    """The words of such pages, alone on a page, are enough in several languages."""
    assert judged(text) == "captcha"


@pytest.mark.parametrize(
    "text",
    [
        "Access Denied",
        "Sorry, you have been blocked",
        "Just a moment... Checking your browser",
        "Zugriff verweigert",
        "This video is not available in your country",
        "Error 1020 Ray ID: 7a",
    ],
)
def test_a_block_page_is_known(text):
    """So are those of sites that turn programs away."""
    assert judged(text) == "blocked"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("Before you continue. Accept all cookies or manage options.", "http://a.test/"),
        ("Bevor Sie fortfahren: alle akzeptieren", "http://a.test/"),
        ("Before you continue to the site", "https://consent.a.test/m?continue=x"),
    ],
)
def test_a_consent_wall_is_known(text, url):
    """Two phrases of consent, or one on an address for it, with nothing else to read."""
    assert judged(text, url=url) == "consent"


@pytest.mark.parametrize(
    "phrase",
    [
        "Please complete the captcha.",
        "Access denied.",
        "We use cookies. Accept all cookies. Manage options.",
        "You need to enable JavaScript to run this app.",
    ],
)
def test_a_story_with_such_words_is_a_page(phrase):
    """One phrase inside a story makes no wall of it."""
    assert judged(f"{STORY} {phrase}", html='<div class="g-recaptcha">', scripts=True) == "page"


def test_an_error_page_is_taken_for_a_wall_more_readily():
    """The same words behind HTTP 403 are believed on a longer page."""
    text = f"{STORY} Access denied."
    assert (judged(text, status=403), judged(text)) == ("blocked", "page")


@pytest.mark.parametrize("text", ["", "Loading", "Please enable JavaScript to view this site."])
def test_a_page_that_waits_for_its_scripts_needs_them(text):
    """Next to no text and a script: the text comes later."""
    assert judged(text, scripts=True) == "scripts"


@pytest.mark.parametrize(("text", "verdict"), [("", "empty"), ("- -", "empty"), ("Ja.", "page")])
def test_without_scripts_little_is_little(text, verdict):
    """A short page without scripts is a page, unless it says nothing."""
    assert judged(text) == verdict


@given(st.text(), st.booleans(), st.integers(100, 599))
def test_every_page_gets_a_verdict(text, scripts, status):
    """No text breaks the judgement."""
    verdict = judged(text, title=text, html=text, url=text, scripts=scripts, status=status)
    assert verdict in {"page", "captcha", "blocked", "consent", "scripts", "empty"}
