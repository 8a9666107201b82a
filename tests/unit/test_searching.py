"""Search engines with a memory: cached answers, resting engines, several in order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from scout_cli.core.ports import Hit, SearchAnswer, SearchQuery
from scout_cli.service.searching import LONGEST_REST, InOrder, Remembering
from scout_cli.store import migrate, open_database
from tests.contract.databases import StoppedClock

QUERY = SearchQuery(text="ferries")
FOUND = SearchAnswer(outcome="found", hits=(Hit(url="https://a.example/", title="A"),), engine="e")
EMPTY = SearchAnswer(outcome="empty", engine="e")
LIMITED = SearchAnswer(outcome="limited", engine="e", detail="limited by e", hint="wait")
DOWN = SearchAnswer(outcome="unavailable", engine="e", detail="e is down")


class Engine:
    """An engine that gives answers in turn, the last one for ever."""

    def __init__(self, *answers, name="e"):
        self.name = name
        self.answers = list(answers)
        self.asked = 0

    async def search(self, _query):
        """Give the next answer."""
        self.asked += 1
        await asyncio.sleep(0)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def watch():
    """Return a clock that only the test moves."""
    return StoppedClock()


@pytest.fixture
async def db(tmp_path, watch):
    """Yield a real SQLite database with the tables of this version."""
    opened = await open_database(f"sqlite:///{tmp_path}/scout.db", watch)
    await migrate.migrate(opened)
    yield opened
    await opened.close()


def query(number):
    """Return a query of its own."""
    return SearchQuery(text=f"ferries {number}")


@pytest.mark.parametrize("answer", [FOUND, EMPTY])
async def test_a_cached_answer_spares_the_engine(db, watch, answer):
    """The same query is not asked twice within the time, an honest `empty` included."""
    engine = Engine(answer)
    first = Remembering(engine, db, watch, minutes=30)
    assert await first.search(QUERY) == answer
    second = Remembering(engine, db, watch, minutes=30)
    assert await second.search(QUERY) == answer
    assert engine.asked == 1
    watch.forward(31 * 60)
    await second.search(QUERY)
    assert engine.asked == 2


async def test_another_query_or_engine_is_another_answer(db, watch):
    """Window, language and engine belong to the question."""
    engine, other = Engine(FOUND), Engine(FOUND, name="other")
    remembering = Remembering(engine, db, watch, minutes=30)
    for asked in (QUERY, SearchQuery(text="ferries", recency="d"), query(1)):
        await remembering.search(asked)
    await Remembering(other, db, watch, minutes=30).search(QUERY)
    assert (engine.asked, other.asked) == (3, 1)


async def test_no_cache_when_it_is_off(db, watch):
    """With zero minutes every query is asked."""
    engine = Engine(FOUND)
    remembering = Remembering(engine, db, watch, minutes=0)
    await remembering.search(QUERY)
    await remembering.search(QUERY)
    assert engine.asked == 2


@pytest.mark.parametrize("answer", [LIMITED, DOWN])
async def test_failures_are_not_cached(db, watch, answer):
    """What could not be asked is asked again when the engine may be."""
    engine = Engine(answer, FOUND)
    remembering = Remembering(engine, db, watch, minutes=30)
    assert (await remembering.search(QUERY)).outcome == answer.outcome
    watch.forward(3_600)
    assert (await remembering.search(QUERY)).outcome == "found"


async def test_a_limit_lets_the_engine_rest_at_once(db, watch):
    """After a rate limit the engine is not asked for a minute, and the answer says so."""
    engine = Engine(LIMITED, FOUND)
    remembering = Remembering(engine, db, watch, minutes=0)
    assert await remembering.search(query(1)) == LIMITED
    resting = await remembering.search(query(2))
    assert (resting.outcome, resting.retry_after, engine.asked) == ("limited", 60.0, 1)
    assert "rests for 60 s" in resting.detail
    assert "limited by e" in resting.detail
    assert resting.hint
    watch.forward(61)
    assert (await remembering.search(query(2))).outcome == "found"


async def test_three_failures_let_the_engine_rest(db, watch):
    """Two failures in a row are borne, the third opens the breaker for a minute."""
    engine = Engine(DOWN)
    remembering = Remembering(engine, db, watch, minutes=0)
    for number in range(3):
        assert await remembering.search(query(number)) == DOWN
    assert (await remembering.search(query(4))).retry_after == 60.0
    assert engine.asked == 3


async def test_searches_that_fail_side_by_side_earn_one_rest(db, watch):
    """Five queries of one run that meet one outage send the engine to rest once, for a minute."""
    remembering = Remembering(Engine(DOWN), db, watch, minutes=0)
    await asyncio.gather(*(remembering.search(query(number)) for number in range(5)))
    assert (await remembering.search(query(6))).retry_after == 60.0


async def test_a_success_forgets_the_failures(db, watch):
    """Only failures in a row count."""
    engine = Engine(DOWN, DOWN, FOUND, DOWN, DOWN, FOUND)
    remembering = Remembering(engine, db, watch, minutes=0)
    for number in range(6):
        await remembering.search(query(number))
    assert engine.asked == 6


async def test_rests_double_up_to_half_an_hour(db, watch):
    """An engine that keeps limiting is left alone for longer and longer."""
    engine = Engine(LIMITED)
    remembering = Remembering(engine, db, watch, minutes=0)
    rests = []
    for number in range(8):
        await remembering.search(query(number))
        resting = await remembering.search(query(number))
        rests.append(resting.retry_after)
        watch.forward(resting.retry_after + 1)
    assert rests == [60, 120, 240, 480, 960, 1_800, 1_800, 1_800]
    assert timedelta(seconds=rests[-1]) == LONGEST_REST


async def test_the_engine_s_own_wish_counts(db, watch):
    """A named time to wait is kept when it is longer than ours."""
    named = SearchAnswer(outcome="limited", engine="e", detail="x", retry_after=300.0)
    remembering = Remembering(Engine(named), db, watch, minutes=0)
    await remembering.search(QUERY)
    assert (await remembering.search(QUERY)).retry_after == 300.0


async def test_the_rest_outlives_the_program(db, watch):
    """A resting engine is left alone by the next process too."""
    engine = Engine(LIMITED)
    await Remembering(engine, db, watch, minutes=0).search(QUERY)
    assert (await Remembering(engine, db, watch, minutes=0).search(QUERY)).outcome == "limited"
    assert engine.asked == 1


async def test_searches_side_by_side_are_counted_one_by_one(db, watch):
    """Three failures at once open the breaker as three in a row do."""
    engine = Engine(DOWN)
    remembering = Remembering(engine, db, watch, minutes=0)
    await asyncio.gather(*(remembering.search(query(number)) for number in range(3)))
    assert (await remembering.search(query(4))).outcome == "limited"
    assert engine.asked == 3


@pytest.mark.parametrize(
    ("answers", "outcome", "asked"),
    [
        ((FOUND, FOUND), "found", (1, 0)),
        ((EMPTY, FOUND), "found", (1, 1)),
        ((LIMITED, FOUND), "found", (1, 1)),
        ((LIMITED, EMPTY), "empty", (1, 1)),
        ((EMPTY, DOWN), "empty", (1, 1)),
        ((LIMITED, DOWN), "limited", (1, 1)),
        ((DOWN, LIMITED), "unavailable", (1, 1)),
    ],
)
async def test_engines_in_order(answers, outcome, asked):
    """The first that has results; else an honest `empty`; else the first failure."""
    engines = [Engine(answer, name=f"e{at}") for at, answer in enumerate(answers)]
    ordered = InOrder(engines)
    assert (await ordered.search(QUERY)).outcome == outcome
    assert tuple(engine.asked for engine in engines) == asked
    assert ordered.name == "e0, e1"
