"""A hundred days of one scout, with the real service and database and a clock that jumps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.asking import Asking
from scout_cli.core.job import Result
from scout_cli.core.models import Record, Scout
from scout_cli.core.ports import Page
from scout_cli.core.verify import locate
from scout_cli.llm.builtin import LexicalEmbedder
from scout_cli.service.kit import Kit
from scout_cli.service.wishes import Wish
from scout_cli.store.outbox import Content
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, ScriptedModel, page
from tests.agent_world import GOAL, hits, model

DAYS = 100
KNOWN = (
    "Saltmere Ferries will open a new route to Hollen on 3 May 2026, the company said.",
    "A ticket for the new Saltmere Ferries route will cost 12.50 euros for adults.",
    "Saltmere Ferries ordered two electric ships for its new route from a yard in Norway.",
)
COPIES = (
    "On 3 May 2026 Saltmere Ferries will open a new route to Hollen, the company said.",
    "Adults: a ticket for the new Saltmere Ferries route will cost 12.50 euros.",
    "For its new route Saltmere Ferries ordered two electric ships from a yard in Norway.",
)
PLACES = "Arden Brink Corby Dunmore Elswick Farrow Garth Holby Ilford Jarrow".split()
THINGS = (
    "will build a pier in {place} with {number} berths.",
    "hired {number} pilots in {place}.",
    "sold {number} tickets to {place} in one week.",
    "paid {number} euros for a slipway in {place}.",
    "carried {number} cars to {place} in a single day.",
)


class _Row(Record, frozen=True, kw_only=True):
    message: Content


class World(App):
    """The app with a canned web that changes from day to day."""

    web = CannedWeb()
    thinker: ScriptedModel

    async def kit(self) -> Kit:
        """Return the parts of this day."""
        pages = list(self.web.pages.values())
        return Kit(
            reasoner=Asking(self.thinker),
            embedder=LexicalEmbedder(),
            search=CannedSearch(hits(*pages)),
            fetcher=self.web,
        )

    def show(self, *pages: Page) -> None:
        """Make this the web."""
        self.web = CannedWeb(pages)


def told_on(day: int) -> str:
    """Return the one new fact of a day, different from all others in a number or a place."""
    thing = THINGS[day % len(THINGS)]
    place = PLACES[(day // len(THINGS)) % len(PLACES)]
    return "Saltmere Ferries " + thing.format(place=place, number=100 + 7 * day)


def outlet(name: str, day: int, lines: Sequence[str]) -> Page:
    """Return a page that says these lines, and the day, so that no two days are alike."""
    text = "\n".join(["# Harbour", f"Edition {day} of the harbour paper.", *lines])
    return page(f"https://{name}.example/today", text, title="Saltmere Ferries today")


@pytest.fixture
async def world(tmp_path: Path):
    """Give the app on a fresh database, a frozen clock and a competent model."""
    clock = FrozenClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'scout.db'}", notify=("console://",), ballast=0
    )
    async with World.open(settings, clock=clock) as app:
        app.thinker = model(JudgeAnswer={"news": ["none"]})
        yield app


async def begin(app: World) -> Scout:
    """Add the scout and let it see what is known; its first message is the baseline."""
    scouts = await app.scouts()
    added = await scouts.add(Wish(goal=GOAL, queries=("saltmere ferries",), title="Ferries"))
    app.show(outlet("company", 0, KNOWN))
    await run(app, added.scout)
    assert len(await messages(app)) == 1
    return added.scout


async def run(app: World, scout: Scout) -> Result:
    """Run the scout as it stands now."""

    async def emit(_event: object) -> None:
        """Nobody listens."""

    scout = await (await app.scouts()).find(str(scout.id))
    return await (await app.runs()).run(scout, emit)


async def messages(app: World) -> list[Content]:
    """Return the news that waits to be sent or was."""
    database = await app.database()
    sql = "SELECT message FROM notification_outbox WHERE kind = 'news' ORDER BY created_at, id"
    return [each.message for each in await database.all(_Row, sql)]


async def test_a_hundred_days_without_news_send_nothing(world):
    """Pages that change every day and say what is known, in turned words, elsewhere: silence."""
    scout = await begin(world)
    for day in range(1, DAYS + 1):
        world.clock.advance(days=1)
        told = [(KNOWN if (day + at) % 2 else COPIES)[at] for at in range(3)]
        world.show(outlet("company", day, KNOWN), outlet(f"gazette{day % 7}", day, told))
        result = await run(world, scout)
        assert result.outcome == "nothing_new", (day, [f.fact for f in result.facts])
        assert result.counts.repeats == len(result.facts) > 0
    assert len(await messages(world)) == 1


async def test_a_day_when_no_page_changed_asks_the_model_nothing(world):
    """Nothing changed, nothing is read again: no call and no prompt token."""
    scout = await begin(world)
    for _ in range(3):
        world.clock.advance(days=1)
        result = await run(world, scout)
        assert (result.outcome, result.usage.calls) == ("nothing_new", 0)
        assert result.usage.prompt_tokens == 0


async def test_a_hundred_days_with_one_new_fact_send_a_hundred_messages(world):
    """Each day one fact is new among repeats: one message, with that fact and its proof."""
    scout = await begin(world)
    for day in range(1, DAYS + 1):
        world.clock.advance(days=1)
        fresh = told_on(day)
        pages = (outlet("company", day, [*KNOWN[:2], fresh]), outlet("gazette", day, [COPIES[2]]))
        world.show(*pages)
        result = await run(world, scout)
        told = await messages(world)
        assert len(told) == day + 1, (day, fresh, [(f.novelty, f.fact) for f in result.facts])
        (news,) = told[-1].news
        assert [item.text.endswith(fresh) for item in news.items] == [True], (day, news.items)
        texts = {each.url: each.text for each in pages}
        for fact in result.facts:
            assert locate(fact.quote, texts[fact.url]) is not None
        assert {link.url for item in news.items for link in item.links} <= set(texts)
    assert len(await messages(world)) == DAYS + 1
