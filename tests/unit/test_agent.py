"""The agent from the wish to the result: outcomes, sources, repeats, failures."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from scout_cli.core.agent import collect
from scout_cli.core.events import (
    FactDropped,
    FactVerified,
    PageSeen,
    RunFinished,
    RunStarted,
    StepStarted,
)
from scout_cli.core.job import Budget, Window
from scout_cli.core.memory import ListMemory
from scout_cli.core.ports import Earlier, Feed, FetchRequest, Hit, Page, SearchAnswer
from scout_cli.llm.builtin import LexicalEmbedder, vector_of
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, page
from tests.agent_world import (
    COMPANY,
    DOWN,
    EMPTY,
    LIMITED,
    PAPER,
    PRICE,
    ROUTE,
    SHIPS,
    WEATHER,
    agent,
    hits,
    job,
    model,
    open_steps,
    run,
    seen,
)

NOW = FrozenClock().now()
READABLE = (COMPANY, PAPER)


def failing(url, outcome):
    """Return a page that cannot be read."""
    return Page(url=url, final_url=url, outcome=outcome, detail=f"it is {outcome}")


def known(*facts):
    """Return a memory that holds facts from elsewhere."""
    clock = FrozenClock()
    return ListMemory(
        findings=[
            (
                Earlier(
                    id=clock.uuid(), fact=fact, canonical_url="https://old.example", created_at=NOW
                ),
                vector_of(fact),
            )
            for fact in facts
        ]
    )


@pytest.mark.parametrize("thinker", [None, "model"])
async def test_a_run_finds_what_the_pages_say(thinker):
    """A first run reports the facts of all pages, each with a quote that stands in its page."""
    ran = await run(thinker=model() if thinker else None)
    result = ran.result
    assert result.outcome == "new"
    assert result.results_summary.task_status == "completed"
    assert {fact.quote for fact in result.facts} >= {ROUTE, SHIPS}
    texts = {COMPANY.url: COMPANY.text, PAPER.url: PAPER.text}
    assert all(fact.quote in texts[fact.url] for fact in result.facts)
    assert 10 <= len(result.summary) <= 150
    assert "saltmere.example" in result.results_summary.response
    assert {source.host for source in result.sources} == {"saltmere.example", "gazette.example"}


async def test_the_stream_begins_and_ends_as_it_says():
    """The first event is the start, the last the result; every step ends; facts come between."""
    events = await collect(agent(thinker=model()), job())
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert open_steps(events) == set()
    steps = [event for event in events if isinstance(event, StepStarted)]
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].kind == "summarize"
    assert {step.kind for step in steps} == {"search", "scrape", "analyze", "summarize"}


async def test_a_claim_without_a_quote_is_dropped_and_counted():
    """What the model made up never reaches the brief."""
    made_up = {
        "facts": [
            {"fact": "Saltmere Ferries is bankrupt.", "quote": "Saltmere Ferries is bankrupt now."},
            {"fact": "A route to Hollen opens on 3 May 2026.", "quote": ROUTE},
        ]
    }
    ran = await run(pages=(COMPANY,), thinker=model(ExtractAnswer=made_up))
    assert ran.result.counts.dropped == 1
    assert [event.quote for event in ran.of(FactDropped)] == ["Saltmere Ferries is bankrupt now."]
    assert "bankrupt" not in ran.result.results_summary.response
    assert ran.of(FactVerified)[0].fact == "A route to Hollen opens on 3 May 2026."


async def test_a_fact_that_says_more_than_its_quote_becomes_the_quote():
    """A wrong number or an unrelated claim over a real quote is replaced by the page's words."""
    claims = {
        "facts": [
            {"fact": "The Saltmere Ferries route to Hollen opens on 9 May 2026.", "quote": ROUTE},
            {"fact": "Aliens bought the whole harbour of the town.", "quote": PRICE},
        ]
    }
    ran = await run(pages=(COMPANY,), thinker=model(ExtractAnswer=claims))
    assert [fact.fact for fact in ran.result.facts] == [ROUTE, PRICE]


@pytest.mark.parametrize(
    ("search", "pages", "outcome", "status"),
    [
        (hits(*READABLE), READABLE, "new", "completed"),
        (hits(WEATHER), (WEATHER,), "nothing_new", "not_found"),
        ((), (), "nothing_new", "not_found"),
        ({"saltmere ferries": EMPTY}, (), "nothing_new", "not_found"),
        ({"saltmere ferries": LIMITED}, (), "degraded", "insufficient_data"),
        (
            {"saltmere ferries": LIMITED, "saltmere timetable": LIMITED},
            (),
            "could_not_look",
            "insufficient_data",
        ),
        (
            {"saltmere ferries": LIMITED, "saltmere timetable": DOWN},
            (),
            "could_not_look",
            "insufficient_data",
        ),
        ({"saltmere ferries": DOWN, "saltmere timetable": hits(PAPER)}, READABLE, "new", "partial"),
        (
            {"saltmere ferries": DOWN, "saltmere timetable": hits(WEATHER)},
            (WEATHER,),
            "degraded",
            "insufficient_data",
        ),
        (hits(COMPANY), (failing(COMPANY.url, "blocked"),), "could_not_look", "insufficient_data"),
        (hits(COMPANY), (failing(COMPANY.url, "timeout"),), "could_not_look", "insufficient_data"),
        (
            hits(COMPANY, PAPER, WEATHER),
            (failing(COMPANY.url, "captcha"), failing(PAPER.url, "consent"), WEATHER),
            "degraded",
            "insufficient_data",
        ),
        (
            hits(COMPANY, PAPER, WEATHER),
            (failing(COMPANY.url, "captcha"), PAPER, WEATHER),
            "new",
            "completed",
        ),
    ],
)
async def test_outcomes(search, pages, outcome, status):
    """`Could not look` is never `nothing new`: every combination of answers has its own end."""
    ran = await run(search=CannedSearch(search), pages=pages, thinker=model())
    assert ran.result.outcome == outcome
    assert ran.result.results_summary.task_status == status
    assert ran.result.results_summary.task_completed == (outcome == "new")
    assert open_steps(ran.events) == set()
    if outcome in ("degraded", "could_not_look"):
        assert ran.result.problems
        assert ran.result.problems[0].message in ran.result.results_summary.response


async def test_known_facts_are_repeats():
    """What was reported before is stored in silence and counted."""
    ran = await run(pages=(PAPER,), thinker=model(), memory=known(SHIPS))
    assert ran.result.outcome == "nothing_new"
    assert ran.result.counts.repeats == 1
    assert ran.result.summary == ""
    assert ran.result.results_summary.response == "Nothing new."
    assert len(ran.result.facts) == 1


async def test_a_changed_number_is_new():
    """The same sentence with another date is told."""
    ran = await run(pages=(COMPANY,), memory=known(ROUTE.replace("3 May", "9 May"), PRICE))
    told = [fact.fact for fact in ran.result.facts if fact.novelty == "update"]
    assert told == [ROUTE]


async def test_twins_within_a_run_are_one_line_with_both_sources():
    """The same sentence on two sites is told once and proved twice."""
    copy = page(
        "https://copy.example/a", f"Short.\n{SHIPS}", title="Copy of Saltmere Ferries ships"
    )
    ran = await run(pages=(PAPER, copy), thinker=model())
    assert len(ran.result.items) == 1
    assert sorted(ran.result.items[0].sources) == [1, 2]
    assert ran.result.counts.repeats == 1
    assert "also" in ran.result.results_summary.response


async def test_two_addresses_of_one_text_are_read_once():
    """The second page with the same text costs no question and is remembered all the same."""
    copy = page("https://copy.example/a", PAPER.text, title=PAPER.title)
    thinker = model()
    ran = await run(pages=(PAPER, copy), thinker=thinker)
    asked = [r for r in thinker.asked if r.schema and r.schema["title"] == "ExtractAnswer"]
    assert len(asked) == 1
    assert [(seen.outcome, seen.source) for seen in ran.of(PageSeen)] == [
        ("read", 1),
        ("read", None),
    ]


async def test_nothing_is_asked_when_no_page_changed():
    """Unchanged pages and planned queries cost no call of the model at all."""
    copy = page("https://copy.example/a", PAPER.text, title=PAPER.title)
    thinker = model()
    memory = ListMemory(pages={each.url: seen(each) for each in (COMPANY, PAPER)})
    ran = await run(
        job(planned=(), first=False), pages=(COMPANY, PAPER, copy), thinker=thinker, memory=memory
    )
    assert thinker.asked == []
    assert ran.result.outcome == "nothing_new"
    assert (ran.result.counts.unchanged, ran.result.counts.read) == (2, 1)
    assert ran.result.usage.calls == 0


async def test_a_page_that_answers_not_modified_is_unchanged():
    """What is remembered of a page is asked with, and an answer without text is no news."""
    tagged = replace(PAPER, etag='"v1"')
    memory = ListMemory(pages={PAPER.url: replace(seen(PAPER), etag='"v1"')})
    ran = await run(job(planned=()), pages=(tagged,), memory=memory)
    (looked,) = ran.of(PageSeen)
    assert (looked.outcome, looked.content_hash) == ("unchanged", PAPER.content_hash)


class Slow(CannedWeb):
    """A web whose pages come in the order of their delays."""

    def __init__(self, pages, order):
        super().__init__(pages)
        self._order = order
        self._done = {url: asyncio.Event() for url in order}

    async def fetch(self, request: FetchRequest) -> Page:
        """Wait for the page before this one in the order."""
        at = self._order.index(request.url)
        if at:
            await self._done[self._order[at - 1]].wait()
        found = await super().fetch(request)
        self._done[request.url].set()
        return found


async def test_sources_are_numbered_alike_whatever_arrives_first():
    """Numbers follow the ranking, not the network."""
    pages = (COMPANY, PAPER, WEATHER)
    order = [each.url for each in pages]
    results = []
    for arrival in (order, order[::-1]):
        ran = await run(pages=pages, fetcher=Slow(pages, arrival), thinker=model())
        results.append(ran.result)
        opened = [(e.number, e.description) for e in ran.of(StepStarted)]
        results.append(opened)
    assert results[0] == results[2]
    assert results[1] == results[3]


async def test_problems_are_told_in_the_order_of_steps():
    """Which of two failing searches answers first changes nothing in the result."""

    class Failing:
        name = "failing"

        def __init__(self):
            self.second = asyncio.Event()

        async def search(self, query):
            if query.text == "one":
                await self.second.wait()
                return LIMITED
            self.second.set()
            return DOWN

    ran = await run(job(queries=("one", "two"), planned=()), search=Failing())
    assert [problem.message for problem in ran.result.problems] == [LIMITED.detail, DOWN.detail]


async def test_domains_hold_for_results_and_redirects():
    """Only included domains are read, and a redirect does not lead out of them."""
    stray = replace(COMPANY, final_url="https://evil.example/x")
    web = CannedWeb([stray, PAPER])
    ran = await run(job(include_domains=("saltmere.example",)), pages=(COMPANY, PAPER), fetcher=web)
    assert [request.url for request in web.asked] == [COMPANY.url]
    (looked,) = ran.of(PageSeen)
    assert looked.outcome == "refused"
    assert "evil.example" in looked.detail
    assert ran.result.outcome == "could_not_look"


async def test_excluded_and_unusable_results_are_never_fetched():
    """Excluded domains, walls and broken addresses cost no page."""
    found = [
        Hit(url=url)
        for url in [
            "https://facebook.com/x",
            "http://[",
            "javascript:alert(1)",
            PAPER.url,
            "file:///x",
        ]
    ]
    web = CannedWeb([PAPER, COMPANY])
    await run(
        job(exclude_domains=("gazette.example",)),
        pages=(),
        fetcher=web,
        search=CannedSearch([*found, *hits(COMPANY)]),
    )
    assert [request.url for request in web.asked] == [COMPANY.url]


async def test_fixed_pages_and_feeds_are_sources():
    """A scout's own pages are read first, whatever the search says, and feeds count as results."""
    feed = Feed(
        url="https://gazette.example/feed",
        outcome="read",
        hits=(Hit(url=PAPER.url, title=PAPER.title, published_at=NOW, published_from="feed"),),
    )
    web = CannedWeb([COMPANY, PAPER], [feed])
    ran = await run(
        job(urls=(COMPANY.url,), feeds=(feed.url,)), pages=(), fetcher=web, search=CannedSearch(())
    )
    assert [request.url for request in web.asked] == [COMPANY.url, PAPER.url]
    dated = {fact.published_from for fact in ran.result.facts if fact.url == PAPER.url}
    assert dated == {"feed"}


@pytest.mark.parametrize(("origin", "taken"), [("header", "feed"), ("time", "time")])
async def test_a_feed_knows_better_than_a_server_when_a_page_is_from(origin, taken):
    """What the page says itself counts most; when its file was written, least."""
    page = replace(PAPER, published_at=NOW, published_from=origin)
    hit = Hit(url=PAPER.url, published_at=NOW - timedelta(days=1), published_from="feed")
    feed = Feed(url="https://gazette.example/feed", outcome="read", hits=(hit,))
    web, nothing = CannedWeb([page], [feed]), CannedSearch(())
    ran = await run(job(feeds=(feed.url,)), pages=(), fetcher=web, search=nothing)
    assert {fact.published_from for fact in ran.result.facts} == {taken}


async def test_a_fixed_page_that_is_gone_is_told():
    """A person hears that the page they named cannot be read, with its step."""
    ran = await run(job(urls=("https://gone.example/x",)), pages=(PAPER,), thinker=model())
    assert ran.result.outcome == "new"
    (problem,) = [p for p in ran.result.problems if p.code == "page_not_found"]
    assert "gone.example" in problem.message
    assert problem.step


async def test_a_feed_that_fails_degrades():
    """A silent feed is not `nothing new`."""
    ran = await run(job(feeds=("https://gone.example/feed",)), pages=(WEATHER,))
    assert ran.result.outcome == "degraded"
    assert ran.result.problems[0].code == "feed_not_found"


async def test_old_news_is_stale_but_not_on_the_first_run():
    """What a page dates before the window is kept in silence; a baseline takes it."""
    old = replace(PAPER, published_at=NOW - timedelta(days=60), published_from="meta")
    window = Window(recency="d", since=NOW - timedelta(days=2))
    later = await run(job(first=False, window=window), pages=(old,))
    first = await run(job(first=True, window=window), pages=(old,))
    assert [fact.novelty for fact in later.result.facts] == ["stale"]
    assert later.result.outcome == "nothing_new"
    assert first.result.outcome == "new"


async def test_the_first_run_asks_again_without_a_window():
    """A baseline that finds nothing recent looks at any time, inside the same budget."""
    search = CannedSearch(())
    window = Window(recency="m", since=NOW - timedelta(days=31))
    ran = await run(
        job(window=window, planned=(), budget=Budget(searches=2)), pages=(), search=search
    )
    assert [query.recency for query in search.asked] == ["m", None]
    assert ran.result.usage.searches == 2


async def test_a_search_that_failed_is_not_asked_again_without_a_window():
    """Only an honest "nothing in this window" is a reason to look at any time."""
    down = SearchAnswer(outcome="unavailable", engine="canned", detail="down")
    search = CannedSearch({"ferry": down})
    window = Window(recency="m", since=NOW - timedelta(days=31))
    ran = await run(job(queries=("ferry",), window=window, planned=()), pages=(), search=search)
    assert [query.recency for query in search.asked] == ["m"]
    assert ran.result.outcome == "could_not_look"


async def test_every_fact_is_in_the_brief():
    """Facts that the model left out are added, though their page is cited by another item."""
    lazy = {"items": [f"{ROUTE} [S1]"]}
    ran = await run(pages=(COMPANY,), thinker=model(WriteAnswer=lazy))
    assert [item.text for item in ran.result.items] == [ROUTE, PRICE]


async def test_only_the_doubtful_line_is_labelled():
    """Of two facts of one page the one that may be a repeat is marked, the other is not."""
    similar = "Saltmere asks 12.50 euros for every crossing by boat."
    vector = vector_of(PRICE)
    embedder = LexicalEmbedder()
    (near,) = await embedder.embed([similar])
    cosine = sum(a * b for a, b in zip(vector, near, strict=True))
    assert embedder.cutoffs[0] <= cosine < embedder.cutoffs[1]
    ran = await run(
        pages=(COMPANY,), memory=known(similar), thinker=model(JudgeAnswer={"news": ["unsure"]})
    )
    labels = {item.text: item.possible_repeat for item in ran.result.items}
    assert labels == {ROUTE: False, PRICE: True}


async def test_the_same_world_gives_the_same_result():
    """Nothing in a result depends on chance."""
    first = await run(thinker=model())
    second = await run(thinker=model())
    assert first.result == second.result


async def test_the_present_of_a_run_is_the_jobs():
    """Freshness and the date in the prompt follow from `asked_at`, so that a replay agrees."""
    thinker = model()
    await run(job(asked_at=datetime(2020, 2, 29, tzinfo=UTC)), thinker=thinker)
    assert "Saturday 29 February 2020" in thinker.asked[0].messages[1].content


async def test_a_model_that_quotes_nothing_right_leaves_the_page_its_own_sentences():
    """Invented claims are dropped and counted; the built-in engine then quotes the page."""
    invented = "Saltmere Ferries was sold to a circus for 12 coins last Tuesday at noon."
    liar = model(ExtractAnswer={"facts": [{"fact": invented, "quote": invented, "date": ""}]})
    ran = await run(pages=(COMPANY,), thinker=liar)
    assert ran.result.counts.dropped == 1
    assert {fact.answered_by for fact in ran.result.facts} == {"fallback"}
    assert ran.result.facts[0].quote in COMPANY.text
    assert "circus" not in ran.result.results_summary.response
