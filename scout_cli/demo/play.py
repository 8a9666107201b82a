"""One scout, three days: the real pipeline on the demo web, with a throw-away database."""

from __future__ import annotations

import textwrap
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.events import Event
from scout_cli.core.job import ReportedFact, Result
from scout_cli.core.models import Record
from scout_cli.core.words import shorten
from scout_cli.demo.pages import DAYS
from scout_cli.demo.web import DemoWeb
from scout_cli.service.scouts import Wish
from scout_cli.store.sqlite_file import url_of

GOAL = "The Saltmere to Hollen Island ferry: when it returns, fares, timetable, the new ship"
FEED_HOST = "harbour-gazette.example"

_SHOWN = 3
"""Facts of each kind in the closing words."""
_WIDTH = 88
_INDENT = " " * 9


class Show(Protocol):
    """Where the play is seen, such as a terminal."""

    def day(self, number: int, moment: datetime) -> None:
        """A day begins; its run starts at `moment`."""
        ...

    async def event(self, event: Event) -> None:
        """The agent says something."""
        ...

    def result(self, result: Result) -> None:
        """The run of the day is over."""
        ...


class Story(Record, frozen=True, kw_only=True):
    """What happened on the three days."""

    days: tuple[Result, ...]
    model: str
    """Who thought, such as `ollama/qwen3:8b` or `built-in`."""

    def explanation(self) -> list[str]:
        """Return what was seen, as lines of plain text for one screen."""
        first, second, third = self.days
        return [
            "What you saw",
            *_finding(first),
            *_silence(second),
            *_repeat(third),
            "",
            f"Thinking: {self.model}. The web was invented and lived on this machine only.",
            'Now a wish of your own:  scout once "..."  looks once,  scout add "..." --run  stays.',
        ]


class DayClock:
    """A clock that starts each day of the demo at its moment and runs from there."""

    def __init__(self, web: DemoWeb) -> None:
        self._web = web
        self._day = web.day
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Return the moment of the day and what has passed since it began, UTC."""
        if self._day != self._web.day:
            self._day = self._web.day
            self._began = time.monotonic()
        return self._web.now + timedelta(seconds=time.monotonic() - self._began)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def uuid(self) -> UUID:
        """Return a random identifier."""
        return uuid.uuid4()


async def play(settings: Settings, show: Show) -> Story:
    """Run one scout over the three days of the demo web.

    Args:
        settings: the model, embedder and bounds to use; database, search and fetching are those
            of the demo.
        show: is told everything as it happens.

    Returns:
        the three results; `explanation()` puts them into words.

    Raises:
        Unavailable: the configured model does not answer.
    """
    with TemporaryDirectory(prefix="scout-demo-") as folder:
        async with DemoWeb() as web:
            staged = stage(settings, web, Path(folder))
            async with App.open(staged, clock=DayClock(web), hosts=web.hosts) as app:
                return await _three_days(app, web, show)


def stage(settings: Settings, web: DemoWeb, folder: Path) -> Settings:
    """Return `settings` with database, search and addresses of the demo.

    Args:
        settings: what else to use.
        web: a running demo web.
        folder: where the throw-away database goes.
    """
    return replace(
        settings,
        database_url=url_of(folder / "demo.db"),
        search_url=(web.search_url,),
        fetch_url="crawl4ai://http",
        allow_private_networks=tuple(sorted(web.open_to)),
        search_cache_minutes=0,
    )


async def _three_days(app: App, web: DemoWeb, show: Show) -> Story:
    scouts, runs = await app.scouts(), await app.runs()
    wish = Wish(goal=GOAL, feeds=(web.url(FEED_HOST, "/feed.xml"),))
    scout_id = (await scouts.add(wish)).scout.id
    results: list[Result] = []
    for number, moment in DAYS.items():
        web.day = number
        show.day(number, moment)
        scout = await scouts.find(str(scout_id))
        results.append(await runs.run(scout, show.event))
        show.result(results[-1])
    last = await scouts.history(scout, limit=1)
    return Story(days=tuple(results), model=last[0].model or "")


def _finding(result: Result) -> list[str]:
    found = _count(result.counts.new, "fact")
    lines = [f"  Day 1  {found}. Each has a sentence that stands word for word in its page;"]
    lines.append(f"{_INDENT}code looked it up there, the brief links the page.")
    if result.counts.unread:
        unread = _count(result.counts.unread, "page")
        lines.append(f"{_INDENT}{unread} could not be read, and the run says which and why.")
    return lines


def _silence(result: Result) -> list[str]:
    if result.outcome != "nothing_new":
        return [f"  Day 2  {_count(result.counts.new, 'new fact')}; outcome: {result.outcome}."]
    unchanged = _count(result.counts.unchanged, "page")
    read = _count(result.counts.read, "new page")
    return [
        f"  Day 2  Silence, after really looking: {unchanged} unchanged and not read again,",
        f"{_INDENT}{read} with nothing to say on the wish.",
    ]


def _repeat(result: Result) -> list[str]:
    news = _of(result, "new", "update", "possible_repeat")
    repeats = [fact for fact in _of(result, "repeat") if fact.similarity is not None]
    lines = [f"  Day 3  The same story from another outlet, with {_count(len(news), 'new fact')}:"]
    for fact in news[:_SHOWN]:
        lines += _quoted("+", fact.fact)
    if repeats:
        lines.append(f"{_INDENT}Told before, so kept silent (no other number, date or name in it):")
    for fact in repeats[:_SHOWN]:
        lines += _quoted("=", f"{fact.fact} (similarity {fact.similarity:.2f})")
    return lines


def _quoted(mark: str, text: str) -> list[str]:
    return textwrap.wrap(
        shorten(text, 2 * _WIDTH),
        _WIDTH,
        initial_indent=f"{_INDENT}{mark} ",
        subsequent_indent=f"{_INDENT}  ",
    )


def _of(result: Result, *novelties: str) -> Sequence[ReportedFact]:
    return [fact for fact in result.facts if fact.novelty in novelties]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
