"""Budgets: calls, tokens, pages, searches, seconds; each ends a run with what was verified."""

from __future__ import annotations

import asyncio
import time

import pytest

from scout_cli.core.events import PageSeen, StepFinished
from scout_cli.core.job import Budget
from scout_cli.core.memory import ListMemory
from scout_cli.core.ports import ChatReply, ToolCall
from scout_cli.service.clocks import SystemClock
from scout_cli.testing import CannedSearch, CannedWeb, page
from tests.agent_world import COMPANY, PAPER, hits, job, model, open_steps, run

HUGE = "The weather in the harbour of the town was fine today and it stays so tomorrow.\n" * 2_500


def village(count=20, filler=HUGE):
    """Return pages of 200 kB, each with a fact of its own about the goal, on hosts of their own."""
    return [
        page(
            f"https://host{n}.example/news",
            f"{filler}Saltmere Ferries opens its new route number {n} on {n + 1} May.\n{filler}",
            title=f"Saltmere Ferries route {n}",
        )
        for n in range(count)
    ]


def hungry():
    """Return an answer that always wants more."""
    asked = []

    def answer(_request):
        asked.append(1)
        return {"searches": [f"more ferries {len(asked)}"], "results": [1, 2]}

    return answer


def counted(answer):
    """Return a ChatReply whose prompt tokens are counted at three characters each."""

    def reply(request):
        tokens = sum(len(turn.content) for turn in request.messages) // 3
        return ChatReply(text=answer, prompt_tokens=tokens, completion_tokens=50)

    return reply


async def test_a_hungry_run_keeps_its_bounds():
    """Eight pages of 200 kB each and a model that always wants more: 12 calls, 50,000 tokens."""
    pages = village()
    thinker = model(FollowUpAnswer=hungry())
    began = time.perf_counter()
    ran = await run(pages=pages, thinker=thinker)
    usage = ran.result.usage
    assert (usage.calls, len(thinker.asked)) == (usage.calls, usage.calls)
    assert usage.calls <= 12
    assert usage.prompt_tokens <= 50_000
    assert usage.pages <= 8
    assert usage.searches <= 8
    assert ran.result.outcome == "new"
    assert len(ran.result.facts) >= 6
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("answer", ["prose", '{"facts": []', "", '{"items": ["no source"]}'])
async def test_a_useless_model_keeps_its_bounds(answer):
    """Repair turns count: the run ends within 12 calls and 50,000 tokens, and finds something."""
    bad = counted(answer)
    names = ("PlanAnswer", "ExtractAnswer", "FollowUpAnswer", "WriteAnswer", "SummaryAnswer")
    thinker = model(**dict.fromkeys(names, bad))
    ran = await run(pages=village(8), thinker=thinker)
    assert len(thinker.asked) <= 12
    assert ran.result.usage.prompt_tokens <= 50_000
    assert ran.result.outcome == "new"
    assert {problem.code for problem in ran.result.problems} >= {"bad_output"}
    assert open_steps(ran.events) == set()


@pytest.mark.parametrize(
    ("budget", "spent"),
    [
        (Budget(calls=4), "budget"),
        (Budget(calls=0), "budget"),
        (Budget(tokens=6_000), "budget"),
        (Budget(tokens=0), "budget"),
    ],
)
async def test_without_calls_or_tokens_the_built_in_engine_ends_the_run(budget, spent):
    """What was paid for is kept, the rest is done without the model, and the reader is told."""
    thinker = model()
    ran = await run(job(budget=budget), pages=village(5), thinker=thinker)
    assert len(thinker.asked) <= budget.calls
    assert ran.result.usage.prompt_tokens <= budget.tokens
    assert ran.result.outcome == "new"
    assert spent in {problem.code for problem in ran.result.problems}
    assert "fallback" in {event.answered_by for event in ran.of(StepFinished)}


@pytest.mark.parametrize(("pages", "searches"), [(0, 8), (1, 1), (3, 2), (8, 0)])
async def test_pages_and_searches_are_bounded(pages, searches):
    """No more pages and searches than the budget names, follow-ups included."""
    search = CannedSearch(hits(*village(12, "")))
    budget = Budget(pages=pages, searches=searches)
    ran = await run(
        job(budget=budget, queries=tuple(f"q {n}" for n in range(9)), planned=()),
        pages=village(12, ""),
        search=search,
        thinker=model(FollowUpAnswer=hungry()),
    )
    assert len(search.asked) == searches
    assert len(ran.of(PageSeen)) == (pages if searches else 0)
    assert ran.result.usage.pages == len(ran.of(PageSeen))


async def test_one_host_gets_its_share():
    """A site with many results does not fill the budget while others have some."""
    one = [
        page(f"https://one.example/{n}", f"Saltmere {n}", title="Saltmere Ferries")
        for n in range(6)
    ]
    others = village(4, "")
    ran = await run(pages=[*one, *others])
    hosts = [event.host for event in ran.of(PageSeen)]
    assert len(set(hosts)) == 5
    assert hosts.count("one.example") == 4


class Hanging:
    """A part that never answers."""

    name = "hanging"

    def __init__(self):
        self.asked = 0

    async def search(self, _query):
        """Never answer."""
        self.asked += 1
        await asyncio.Event().wait()

    fetch = feed = search

    async def warm_up(self):
        """Never be ready."""
        await asyncio.Event().wait()


@pytest.mark.parametrize("part", ["search", "fetch", "feed", "chat", "some"])
async def test_the_deadline_ends_a_run_in_which_something_hangs(part):
    """Whatever hangs: the run ends in time, says so, and leaves neither task nor open step."""
    before = asyncio.all_tasks()
    world = {"pages": (COMPANY, PAPER), "thinker": model(), "clock": SystemClock()}
    wish = job(budget=Budget(seconds=0.2))
    if part == "search":
        world["search"] = Hanging()
    elif part == "fetch":
        world["fetcher"] = Hanging()
    elif part == "feed":
        wish = job(budget=Budget(seconds=0.2), feeds=("https://a.example/feed",))
        world["fetcher"] = Hanging()
    elif part == "chat":
        world["thinker"] = model(delay=30)
    else:

        class Partly(CannedWeb):
            async def fetch(self, request):
                if request.url == PAPER.url:
                    await asyncio.Event().wait()
                return await super().fetch(request)

        world["fetcher"] = Partly([COMPANY])
    began = time.perf_counter()
    ran = await run(wish, **world)
    assert time.perf_counter() - began < 10
    assert ran.result.outcome == "could_not_look"
    assert ran.result.results_summary.task_status == "insufficient_data"
    assert "deadline" in {problem.code for problem in ran.result.problems}
    assert open_steps(ran.events) == set()
    assert asyncio.all_tasks() == before


async def test_the_deadline_ends_steps_that_were_waiting_elsewhere():
    """A step that waits for the memory while another one runs out of time ends with it."""

    class Stuck(ListMemory):
        async def page(self, canonical_url):
            if canonical_url == PAPER.url:
                await asyncio.Event().wait()
            return await super().page(canonical_url)

    ran = await run(
        job(budget=Budget(seconds=1.0)),
        pages=(COMPANY, PAPER),
        fetcher=Hanging(),
        memory=Stuck(),
        clock=SystemClock(),
    )
    assert open_steps(ran.events) == set()
    ended = [event for event in ran.of(StepFinished) if event.kind == "scrape"]
    assert [event.status for event in ended] == ["failed", "failed"]


async def test_the_deadline_keeps_what_was_verified():
    """A model that hangs on the second page does not take the facts of the first away."""
    calls = []

    async def chat(request, on_token=None):
        calls.append(request)
        if sum("ExtractAnswer" in str(r.schema) for r in calls) > 1:
            await asyncio.Event().wait()
        return await answer(request, on_token)

    thinker = model()
    answer, thinker.chat = thinker.chat, chat
    ran = await run(
        job(budget=Budget(seconds=2.0)),
        pages=(COMPANY, PAPER),
        thinker=thinker,
        clock=SystemClock(),
    )
    assert ran.result.outcome == "new"
    assert ran.result.results_summary.task_status == "partial"
    assert ran.result.items
    assert ran.result.summary
    assert {fact.answered_by for fact in ran.result.facts} == {"model"}
    assert open_steps(ran.events) == set()


async def test_a_model_that_calls_tools_follows_up_by_number():
    """A tool call reads a listed result or searches; it is counted like any call."""
    replies = [
        ChatReply(text="", tool_calls=(ToolCall(name="scrape_website", arguments={"result": 1}),)),
        ChatReply(text="", tool_calls=(ToolCall(name="search_web", arguments={"query": "ships"}),)),
    ]
    extra = village(9, "")
    thinker = model(offers_tools=True, tools=lambda _: replies.pop(0))
    search = CannedSearch({"saltmere ferries": hits(*extra[:8]), "ships": hits(extra[8])})
    ran = await run(job(planned=()), pages=extra, search=search, thinker=thinker)
    read = [event.url for event in ran.of(PageSeen)]
    assert len(read) == 8
    assert read[-1] == extra[8].url
    assert replies == []
