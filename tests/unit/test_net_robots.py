"""robots.txt: H20 of the corpus of hostile pages, and what RFC 9309 says."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest

from scout_cli.net import http
from scout_cli.net.failure import FetchFailed
from scout_cli.net.robots import LONGEST_DELAY, LONGEST_KEPT, SIZE, Kept, Robots, parse
from scout_cli.net.sessions import Sessions
from tests.pages import PageServer, Visit, head


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


class Drawer:
    """Keeps files as a database does, from one process to the next."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.files: dict[str, tuple[str, float]] = {}

    async def get(self, origin: str) -> Kept | None:
        """Return what was put, and how old it is."""
        if origin not in self.files:
            return None
        text, at = self.files[origin]
        return Kept(text=text, age=self._clock() - at)

    async def put(self, origin: str, text: str) -> None:
        """Keep it."""
        self.files[origin] = (text, self._clock())


async def processes(server: PageServer, clock: Clock, drawer: Drawer, number: int) -> list[str]:
    """Read the page with sessions of their own, so many times."""
    fates = []
    for _ in range(number):
        async with Sessions(server.guard(), "scout/test", spacing=0) as opened:
            robots = Robots(opened, clock, drawer)
            opened.permit = robots.permit
            fates.append(await fate(opened, server.url("/page")))
            await robots.close()
    return fates


@pytest.mark.parametrize("rules", ["User-agent: *\nDisallow: /page", "User-agent: *\nAllow: /\0"])
async def test_a_site_is_asked_once_a_day_by_all_processes(server, clock, rules):
    """What one process was told is good for the next, for a day since it was asked for."""
    server.serve("/robots.txt", rules)
    drawer = Drawer(clock)
    first = await processes(server, clock, drawer, 3)
    assert (len(set(first)), asked(server)) == (1, 1)
    clock.seconds += 24 * 3_600 - 1
    assert await processes(server, clock, drawer, 1) == first[:1]
    assert asked(server) == 1
    clock.seconds += 1
    await processes(server, clock, drawer, 2)
    assert asked(server) == 2
    assert "\0" not in drawer.files[server.url("")][0]


async def test_what_is_no_answer_or_too_long_is_not_kept(server, clock):
    """A bad moment is not handed on, and a file beyond measure is asked for by each process."""
    drawer = Drawer(clock)
    server.serve("/robots.txt", "", status="500 Oops")
    assert await processes(server, clock, drawer, 1) == ["robots"]
    server.serve("/robots.txt", "User-agent: *\nAllow: /\n" + "# x\n" * LONGEST_KEPT)
    assert await processes(server, clock, drawer, 2) == ["read", "read"]
    assert drawer.files == {}
    assert asked(server) == 3


async def test_what_was_kept_in_the_future_is_asked_for_again(server, clock):
    """A clock that was set back makes no file good for longer."""
    server.serve("/robots.txt", "User-agent: *\nAllow: /")
    drawer = Drawer(clock)
    await drawer.put(server.url(""), "User-agent: *\nDisallow: /")
    clock.seconds -= 60
    assert await processes(server, clock, drawer, 1) == ["read"]


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [
        ("User-agent: *\nCrawl-delay: 0.4", 0.4),
        ("User-agent: *\nCrawl-delay: 9\n\nUser-agent: scout\nCrawl-delay: 0.4", 0.4),
        ("User-agent: other\nCrawl-delay: 9", 0.0),
        ("User-agent: *\nCrawl-delay: soon", 0.0),
        ("User-agent: *\nCrawl-delay: -5", 0.0),
        ("User-agent: *\nCrawl-delay: 86400", LONGEST_DELAY),
        ("User-agent: *\nCrawl-delay: inf", 0.0),
        ("User-agent: *\nCrawl-delay: nan", 0.0),
    ],
)
async def test_the_delay_that_a_site_asks_for(server, sessions, rules, seconds):
    """Requests to that site start so far apart, at most ten seconds; other sites wait for none."""
    server.serve("/robots.txt", rules)
    assert await fate(sessions, server.url("/page")) == "read"
    pace = sessions.pace
    assert pace.spacing("news.test") == seconds
    assert pace.spacing("other.test") == 0


async def test_pages_of_a_site_with_a_delay_are_apart(server, sessions):
    """Two pages asked for at once arrive one after the other."""
    server.serve("/robots.txt", "User-agent: *\nCrawl-delay: 0.2")
    moments: list[float] = []

    async def note(visit: Visit, writer: asyncio.StreamWriter) -> None:
        moments.append(asyncio.get_running_loop().time())
        writer.write(head("200 OK", {"Content-Length": "0"}))

    url = server.handle("/page", note)
    await asyncio.gather(*(fate(sessions, url) for _ in range(3)))
    assert len(moments) == 3
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert min(gaps) > 0.1, gaps
