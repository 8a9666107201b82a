"""A wish that names no topic takes what its own feeds and pages bring, and searches for nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scout_cli.core import passages
from scout_cli.core.job import Budget, Window
from scout_cli.core.memory import ListMemory
from scout_cli.core.ports import Feed, Hit
from scout_cli.core.words import names_topic
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, page
from tests.agent_world import COMPANY, PAPER, SHIPS, WEATHER, hits, job, model, run, seen, task_of

NOW = FrozenClock().now()
FEED = Feed(
    url="https://gazette.example/feed",
    outcome="read",
    hits=tuple(
        Hit(url=each.url, title=each.title, published_at=NOW, published_from="feed")
        for each in (PAPER, WEATHER)
    ),
)
WHATEVER = "What is new in this feed"
DAY = timedelta(days=1)


async def looked(wish, **parts):
    """Return the run of a wish whose searches would find a page, and what was searched for."""
    search = CannedSearch(hits(COMPANY))
    web = CannedWeb([COMPANY, PAPER, WEATHER], [FEED])
    ran = await run(wish, pages=(), fetcher=web, search=search, **parts)
    return ran.result, [query.text for query in search.asked]


async def test_each_entry_of_a_feed_is_told_by_its_first_sentence():
    """Whatever it is about; nothing is searched for, the name of the scout neither."""
    wish = job(goal=WHATEVER, title="Port news", queries=("Port news",), feeds=(FEED.url,))
    result, searched = await looked(wish)
    assert searched == []
    assert result.outcome == "new"
    assert {fact.url for fact in result.facts} == {PAPER.url, WEATHER.url}
    assert len(result.facts) == 2
    assert {fact.quote for fact in result.facts} == {SHIPS, WEATHER.text}


async def test_the_freshest_entries_come_first():
    """A word of the wish in a title is no reason: "feed" is not what it is about."""
    old = Hit(url=PAPER.url, title="Feed: what animal feed costs", published_at=NOW - DAY)
    fresh = Hit(url=WEATHER.url, title=WEATHER.title, published_at=NOW)
    feed = replace(FEED, hits=(old, fresh))
    web = CannedWeb([PAPER, WEATHER], [feed])
    wish = job(goal=WHATEVER, queries=(), feeds=(FEED.url,), budget=Budget(pages=1))
    await run(wish, pages=(), fetcher=web, search=CannedSearch(()))
    assert [each.url for each in web.asked] == [WEATHER.url]


async def test_a_page_that_is_watched_is_told_by_its_first_sentences():
    """Three of them, when it is seen for the first time."""
    said = [f"The harbour office closes quay number {n} for repairs in May." for n in range(9)]
    board = page("https://port.example/board", "\n".join(said), title="Board")
    wish = job(goal="What changes on this page", urls=(board.url,), queries=())
    ran = await run(wish, pages=(), fetcher=CannedWeb([board]), search=CannedSearch(()))
    assert [fact.quote for fact in ran.result.facts] == said[:3]


BOARD = "https://port.example/board"
TIMES = (
    "The ferry sails every day between Saltmere and Hollen, but not in a storm.\n"
    "Departs | Arrives | Days\n"
    "07:30 | 08:10 | Monday to Friday\n"
    "The office on the quay answers questions on working days."
)


async def watched(now, before, dated=None, **parts):
    """Return the result and the quotes of a page that read `before` at the last look."""
    board = page(BOARD, now, title="Board", published_at=dated)
    wish = job(
        goal="What changes on this page",
        urls=(BOARD,),
        queries=(),
        first=False,
        window=Window(since=NOW - DAY),
    )
    memory = ListMemory({BOARD: seen(page(BOARD, before), before)})
    given = {"fetcher": CannedWeb([board]), "search": CannedSearch(()), "memory": memory}
    ran = await run(wish, pages=(), **given, **parts)
    return ran.result, [fact.quote for fact in ran.result.facts]


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("A ticket costs 12.50 euros from 1 December.", True),
        ("09:45 | 10:10 | every day", True),
        ("Subscribe to our newsletter and never miss a ferry.", False),
        ("Ok", False),
    ],
    ids=["a sentence", "a row of a table", "what every page says", "a word"],
)
async def test_of_a_page_that_changed_only_the_change_is_told(added, told):
    """Wherever on the page it is."""
    _, quotes = await watched(f"{TIMES}\n{added}", TIMES)
    assert quotes == ([added] if told else [])


async def test_what_was_added_is_as_new_as_the_look_whatever_the_page_says_of_its_age():
    """A page is dated once and changed later."""
    new = "A ticket costs 12.50 euros from 1 December."
    result, _ = await watched(f"{TIMES}\n{new}", TIMES, dated=NOW - 900 * DAY)
    assert [fact.novelty for fact in result.facts] == ["new"]


async def test_a_page_of_many_new_rows_tells_twenty():
    """The limit that the docs name."""
    rows = [f"{number:02}:15 | {number:02}:55 | on Sundays only" for number in range(24)]
    _, quotes = await watched("\n".join([TIMES, *rows]), TIMES)
    assert quotes == rows[:20]


async def test_a_page_that_only_lost_something_asks_nothing():
    """Nothing came: there is nothing to tell, and no model is asked."""
    thinker = model()
    result, quotes = await watched(TIMES[: TIMES.index("The office")], TIMES, thinker=thinker)
    assert (result.outcome, quotes, thinker.asked) == ("nothing_new", [], [])
    assert result.unfinished == ()


async def test_a_model_is_shown_what_was_added():
    """Prompts are as short as the change."""
    thinker = model(ExtractAnswer={"facts": []})
    new = "Saltmere Ferries sells tickets on board from 1 December."
    await watched(f"{TIMES} {new}", TIMES, thinker=thinker)
    (asked,) = [each for each in thinker.asked if task_of(each) == "ExtractAnswer"]
    assert new in asked.messages[1].content
    assert "07:30" not in asked.messages[1].content


@given(st.lists(st.sampled_from(TIMES.split("\n"))), st.lists(st.sampled_from(TIMES.split("\n"))))
def test_what_was_added_is_on_the_page_and_was_not(now, before):
    """Nothing that stood there is new, and nothing new is left out."""
    found = passages.added("\n".join(now), "\n".join(before)).splitlines()
    assert found == [line for line in now if line not in before]


@pytest.mark.parametrize(
    "changes",
    [
        {"goal": "The timetable of the ferry in this feed"},
        {"goal": WHATEVER, "queries": ("Saltmere ferry",)},
        {"goal": WHATEVER, "feeds": ()},
    ],
    ids=["a topic in the wish", "a topic in a query", "no place of its own"],
)
async def test_a_topic_is_searched_for(changes):
    """So is a wish that has neither feed nor page: there is no other way."""
    wish = job(**{"feeds": (FEED.url,), "queries": (), **changes})
    _, searched = await looked(wish)
    assert searched


async def test_a_model_plans_no_search_for_it():
    """It reads what came; the call is saved."""
    thinker = model()
    wish = job(goal=WHATEVER, queries=(), feeds=(FEED.url,))
    _, searched = await looked(wish, thinker=thinker)
    assert searched == []
    assert "PlanAnswer" not in {task_of(asked) for asked in thinker.asked}


@pytest.mark.parametrize(
    "wish",
    [
        "What is new in this feed?",
        "Tell me when something changes on this page",
        "News",
        "Was gibt es Neues auf dieser Seite?",
        "Quoi de neuf sur ce site",
        "¿Qué hay de nuevo en esta página?",
        "Что нового на этом сайте?",
    ],
)
def test_wishes_without_a_topic(wish):
    """Asking words and words for places, in five languages."""
    assert not names_topic(wish)


@pytest.mark.parametrize("wish", ["ferry news", "Neues von der Fähre", "新着情報", "AI", "1.2.3"])
def test_wishes_with_a_topic(wish):
    """One word that is neither is enough."""
    assert names_topic(wish)
