"""robots.txt kept in either database: from one process to the next, for a day."""

from __future__ import annotations

from scout_cli.net.robots import KEPT_SECONDS, Kept
from scout_cli.service.manners import KeptRobots
from scout_cli.store import marks
from scout_cli.store.marks import Mark

ORIGIN, OTHER = "https://news.example", "https://other.example:8443"
RULES = "User-agent: *\nDisallow: /ü\n"


async def test_a_file_is_kept_with_its_age(database, clock) -> None:
    """What was put comes back with the seconds since, for each origin its own; no file is one."""

    async def opened():
        return database

    kept = KeptRobots(opened, clock)
    assert await kept.get(ORIGIN) is None
    await kept.put(ORIGIN, RULES)
    clock.forward(90.5)
    await kept.put(OTHER, "")
    assert await kept.get(ORIGIN) == Kept(text=RULES, age=90.5)
    assert await KeptRobots(opened, clock).get(OTHER) == Kept(text="", age=0.0)
    await kept.put(ORIGIN, "User-agent: *")
    assert await kept.get(ORIGIN) == Kept(text="User-agent: *", age=0.0)


async def test_what_is_of_no_use_any_more_goes(database, clock) -> None:
    """With each file that comes those that are too old go, and no other note does."""

    async def opened():
        return database

    kept = KeptRobots(opened, clock)
    await marks.put(database, Mark(name="tick", at=clock.now()))
    await kept.put(ORIGIN, RULES)
    clock.forward(KEPT_SECONDS + 1)
    await kept.put(OTHER, RULES)
    assert await kept.get(ORIGIN) is None
    assert await kept.get(OTHER) is not None
    assert await marks.get(database, "tick") is not None
