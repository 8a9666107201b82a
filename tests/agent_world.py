"""A small world for an agent: pages, a model that fills forms by script, one that obeys pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from scout_cli.core.agent import ScoutAgent
from scout_cli.core.asking import Asking
from scout_cli.core.events import Event, StepFinished, StepStarted
from scout_cli.core.job import Job, Result
from scout_cli.core.memory import ListMemory
from scout_cli.core.models import SeenPage
from scout_cli.core.ports import ChatRequest, Hit, Page, SearchAnswer
from scout_cli.llm.builtin import BuiltIn, LexicalEmbedder
from scout_cli.testing import CannedSearch, CannedWeb, FrozenClock, ScriptedModel, page

GOAL = "Tell me when Saltmere Ferries announces a new route"
ROUTE = "Saltmere Ferries will open a new route to Hollen on 3 May 2026, the company said."
PRICE = "A ticket for the new Saltmere Ferries route will cost 12.50 euros for adults."
SHIPS = "Saltmere Ferries ordered two electric ships for its new route from a yard in Norway."

COMPANY = page(
    "https://saltmere.example/news", f"# News\n{ROUTE}\n{PRICE}", title="Saltmere Ferries news"
)
PAPER = page("https://gazette.example/ships", f"# Harbour\n{SHIPS}", title="Saltmere Ferries ships")
WEATHER = page(
    "https://weather.example/today",
    "It will be sunny in all places of the country today and tomorrow.",
    title="Weather",
)


def hits(*pages: Any) -> tuple[Hit, ...]:
    """Return search results for pages."""
    return tuple(Hit(url=each.url, title=each.title, snippet=each.text[:80]) for each in pages)


def seen(of: Page, text: str = "") -> SeenPage:
    """Return what a scout remembers of a page it read, with its text if it watches the page."""
    clock = FrozenClock()
    return SeenPage(
        scout_id=clock.uuid(),
        user_id=clock.uuid(),
        canonical_url=of.url,
        content_hash=of.content_hash,
        read_at=clock.now(),
        text=text,
    )


def facts_of(request: ChatRequest) -> dict[str, Any]:
    """Answer `extract` by copying the sentences of the page that speak of Saltmere Ferries."""
    prompt = request.messages[1].content
    text = prompt.split("page-", 2)[-1]
    found = [
        line for line in text.splitlines() if "Saltmere Ferries" in line and line.endswith(".")
    ]
    return {"facts": [{"fact": line, "quote": line} for line in found[:5]]}


def brief_of(request: ChatRequest) -> dict[str, Any]:
    """Answer `write` with the facts as they are listed, sources last."""
    prompt = request.messages[1].content
    listed = re.findall(r"^((?:\[S\d+\])+) (.+)$", prompt, re.MULTILINE)
    return {"items": [f"{text} {marks}" for marks, text in listed][:12]}


def sentence_of(request: ChatRequest) -> dict[str, Any]:
    """Answer `summarise` with the first item of the news."""
    prompt = request.messages[1].content
    return {"sentence": re.findall(r"^- (.+)$", prompt, re.MULTILINE)[0][:150]}


GOOD: dict[str, Any] = {
    "SetUpAnswer": {"title": "Saltmere Routes", "description": "New routes.", "queries": ["ferry"]},
    "PlanAnswer": {"queries": ["saltmere timetable"]},
    "ExtractAnswer": facts_of,
    "FollowUpAnswer": {"searches": [], "results": []},
    "WriteAnswer": brief_of,
    "JudgeAnswer": {"news": ["unsure"]},
    "SummaryAnswer": sentence_of,
}


def task_of(request: ChatRequest) -> str:
    """Return the name of the answer that a request asks for; `tools` when it offers them."""
    return str(request.schema["title"]) if request.schema else "tools"


def model(*, offers_tools: bool = False, delay: float = 0.0, **answers: Any) -> ScriptedModel:
    """Return a model that fills every form well, but for the forms named here.

    An answer is a dict, a text, a ChatReply, an exception, or a function of the request.
    """
    script = {**GOOD, **answers}

    def reply(request: ChatRequest) -> Any:
        answer = script[task_of(request)]
        answer = answer(request) if callable(answer) and not isinstance(answer, type) else answer
        return json.dumps(answer) if isinstance(answer, dict) else answer

    return ScriptedModel(reply, tools=offers_tools, delay=delay)


@dataclass
class Ran:
    """A run that is over: its result and all it said."""

    result: Result
    events: list[Event] = field(default_factory=list)

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def agent(
    *,
    pages: Any = (COMPANY, PAPER, WEATHER),
    thinker: ScriptedModel | None = None,
    **parts: Any,
) -> ScoutAgent:
    """Return an agent in this world; without a model the built-in engine thinks."""
    web = parts.pop("fetcher", None) or CannedWeb(pages)
    given = {
        "reasoner": Asking(thinker) if thinker else BuiltIn(),
        "embedder": LexicalEmbedder(),
        "search": CannedSearch(hits(*pages)),
        "fetcher": web,
        "memory": ListMemory(),
        "clock": FrozenClock(),
        **parts,
    }
    return ScoutAgent(**given)


def job(**more: Any) -> Job:
    """Return the usual wish."""
    return Job(**{"goal": GOAL, "queries": ("saltmere ferries",), **more})


async def run(
    wish: Job | None = None, *, emit: Callable[[Event], Any] | None = None, **world: Any
) -> Ran:
    """Run a wish in this world and return what happened."""
    events: list[Event] = []

    async def keep(event: Event) -> None:
        events.append(event)
        if emit:
            emit(event)

    result = await agent(**world).run(wish or job(), keep)
    return Ran(result, events)


def open_steps(events: list[Event]) -> set[int]:
    """Return the numbers of steps that began and never ended."""
    begun = [event.number for event in events if isinstance(event, StepStarted)]
    ended = [event.number for event in events if isinstance(event, StepFinished)]
    assert len(begun) == len(set(begun))
    assert len(ended) == len(set(ended))
    assert set(ended) <= set(begun)
    return set(begun) - set(ended)


LIMITED = SearchAnswer(
    outcome="limited", engine="canned", detail="canned is limiting", hint="wait a while"
)
DOWN = SearchAnswer(outcome="unavailable", engine="canned", detail="canned is down")
EMPTY = SearchAnswer(outcome="empty", engine="canned")
