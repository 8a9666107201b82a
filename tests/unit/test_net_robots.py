"""robots.txt: H20 of the corpus of hostile pages, and what RFC 9309 says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.robots import SIZE, Robots, parse
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """Return the moment it stands at."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the rules."""
    return Clock()


@pytest.fixture
async def server() -> AsyncIterator[PageServer]:
    """Yield a site with one page."""
    async with PageServer() as started:
        started.serve("/page", "<p>Hello</p>")
        yield started


@pytest.fixture
async def sessions(server: PageServer, clock: Clock) -> AsyncIterator[Sessions]:
    """Yield sessions that ask for permission."""
    async with Sessions(server.guard(), "scout/test", spacing=0) as opened:
        robots = Robots(opened, clock)
        opened.permit = robots.permit
        yield opened
        await robots.close()


async def fate(sessions: Sessions, url: str) -> str:
    """Return `read`, or the kind of failure."""
    try:
        await http.get(sessions, url, polite=True)
    except FetchFailed as failed:
        return failed.kind
    return "read"


def asked(server: PageServer, path: str = "/robots.txt") -> int:
    """Return how often the site was asked for a path."""
    return sum(visit.path == path for visit in server.visits)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("404 Not Found", "read"),
        ("403 Forbidden", "read"),
        ("401 Unauthorized", "read"),
        ("410 Gone", "read"),
        ("500 Internal Server Error", "robots"),
        ("503 Service Unavailable", "robots"),
        ("204 No Content", "read"),
    ],
)
async def test_what_a_status_means(server, sessions, status, expected):
    """H20: 4xx means that there are no rules, 5xx that nobody may read."""
    server.serve("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    if status.startswith("204"):
        server.serve("/robots.txt", "", status=status)
    assert await fate(sessions, server.url("/page")) == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("User-agent: *\nDisallow: /page", "robots"),
        ("User-agent: *\nDisallow: /other", "read"),
        ("User-agent: scout\nDisallow: /page\n\nUser-agent: *\nAllow: /", "robots"),
        ("User-agent: scout\nAllow: /\n\nUser-agent: *\nDisallow: /", "read"),
        ("User-agent: Scout/2.0\nDisallow: /page", "robots"),
        ("User-agent: scoutmaster\nDisallow: /page", "read"),
        ("User-agent: GPTBot\nUser-agent: CCBot\nDisallow: /", "read"),
        ("User-agent: GPTBot\nUser-agent: *\nDisallow: /", "robots"),
        ("User-agent: *\nDisallow: /*ge$", "robots"),
        ("User-agent: *\nDisallow: /\nAllow: /page", "read"),
        ("\ufeffUser-agent: *\nDisallow: /", "robots"),
        ("<!doctype html><p>Not found</p>", "read"),
        ("\0\xff\xfe" * 100, "read"),
    ],
)
async def test_the_rules_that_hold(server, sessions, rules, expected):
    """The group of scout's own name comes before that of all; the longest rule wins."""
    server.serve("/robots.txt", rules)
    assert await fate(sessions, server.url("/page")) == expected
    assert asked(server, "/page") == (expected == "read")


async def test_a_refusal_says_why_and_what_helps(server, sessions):
    """The outcome is one of its own, with a reason and a hint."""
    server.serve("/robots.txt", "User-agent: *\nDisallow: /")
    with pytest.raises(FetchFailed) as refused:
        await http.get(sessions, server.url("/page"), polite=True)
    assert "robots.txt" in refused.value.message
    assert "feed" in refused.value.hint


async def test_a_site_is_asked_once_a_day(server, sessions, clock):
    """Its rules are kept for a day, and asked for again after it."""
    server.serve("/robots.txt", "User-agent: *\nAllow: /")
    for _ in range(3):
        await fate(sessions, server.url("/page"))
    assert asked(server) == 1
    clock.seconds += 24 * 3_600 + 1
    await fate(sessions, server.url("/page"))
    assert asked(server) == 2


async def test_a_site_that_could_not_answer_is_soon_asked_again(server, sessions, clock):
    """A bad moment of a server does not shut it out for a day."""
    server.serve("/robots.txt", "", status="500 Oops")
    assert await fate(sessions, server.url("/page")) == "robots"
    server.serve("/robots.txt", "", status="404 Not Found")
    assert await fate(sessions, server.url("/page")) == "robots"
    clock.seconds += 301
    assert await fate(sessions, server.url("/page")) == "read"


async def test_pages_of_one_site_ask_once_together(server, sessions):
    """Ten pages at once wait for one answer; a cancelled one does not take it from the others."""
    server.serve("/robots.txt", "User-agent: *\nAllow: /")
    pages = [asyncio.create_task(fate(sessions, server.url("/page"))) for _ in range(10)]
    await asyncio.sleep(0)
    pages[0].cancel()
    assert set(await asyncio.gather(*pages[1:])) == {"read"}
    assert asked(server) == 1


@pytest.mark.parametrize(("hops", "expected"), [(5, "robots"), (6, "read")])
async def test_redirects_are_followed_five_times(server, sessions, hops, expected):
    """H20: five redirects are followed; six are as good as no file."""
    for hop in range(1, hops):
        server.redirect(f"/r{hop}", f"/r{hop + 1}")
    server.redirect("/robots.txt", "/r1")
    server.serve(f"/r{hops}", "User-agent: *\nDisallow: /")
    assert await fate(sessions, server.url("/page")) == expected


async def test_a_redirect_into_a_private_network_is_no_permission(server, sessions):
    """The file passes the guard like any page."""
    server.redirect("/robots.txt", "http://169.254.169.254/")
    assert await fate(sessions, server.url("/page")) == "robots"


async def test_a_file_of_600_kb_is_read_to_its_limit(server, sessions):
    """H20: the first 512 KiB count, and what is beyond is ignored."""
    rule = "User-agent: *\nDisallow: /page\n"
    server.serve("/robots.txt", rule + "# filler\n" * 70_000)
    assert await fate(sessions, server.url("/page")) == "robots"
    assert len(rule + "# filler\n" * 70_000) > SIZE + 50_000


async def test_a_page_that_redirects_to_a_forbidden_one_is_not_read(server, sessions):
    """Each hop asks for itself."""
    server.serve("/robots.txt", "User-agent: *\nDisallow: /secret")
    server.serve("/secret", "x")
    url = server.redirect("/go", "/secret")
    assert await fate(sessions, url) == "robots"
    assert asked(server, "/secret") == 0


async def test_what_a_person_named_is_read_all_the_same(server, sessions):
    """Without `polite` nothing is asked: feeds, and pages that somebody named."""
    server.serve("/robots.txt", "User-agent: *\nDisallow: /")
    await http.get(sessions, server.url("/page"))
    assert asked(server) == 0


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"User-agent: b{n}\n" for n in range(10_000))
        + "".join(f"Allow: /{n}\n" for n in range(30_000)),
        "".join(f"user agent b{n}\nDisallow: /*a*b*c{n}$\n" for n in range(12_000)),
        "User-agent: *\nDisallow: /" + "*a" * 250_000,
        "User-agent: *\nDisallow: " + "%" * 500_000,
    ],
)
def test_a_hostile_file_is_read_in_bounded_time(text):
    """Half a megabyte made to keep a parser busy takes a moment, not minutes."""
    rules = parse(text[:SIZE])
    rules.can_fetch("https://news.test/" + "a" * 4_000, "scout")
