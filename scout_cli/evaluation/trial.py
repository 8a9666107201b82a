"""A trial: the real agent, for one engine, over the days of the labelled web."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from msgspec.structs import replace

from scout_cli.app import App
from scout_cli.config import Settings
from scout_cli.core.events import (
    Event,
    FactDropped,
    FactVerified,
    PageSeen,
    RunFinished,
    RunStarted,
)
from scout_cli.core.job import Result
from scout_cli.core.models import Record
from scout_cli.core.words import fold, words
from scout_cli.demo.play import DayClock, stage
from scout_cli.demo.web import DemoWeb
from scout_cli.evaluation.world import TOPICS, LabelledLibrary, Topic
from scout_cli.service.scouts import Wish


class Show(Protocol):
    """Where a trial is seen, such as a terminal."""

    def run(self, model: str, topic: str, day: int) -> None:
        """A run begins."""
        ...

    async def event(self, event: Event) -> None:
        """The agent says something."""
        ...

    def done(self) -> None:
        """The run is over."""
        ...


class Run(Record, frozen=True, kw_only=True):
    """One run of one scout on one day, with what was counted beside it."""

    topic: str
    day: int
    result: Result
    seconds: float
    verified: int
    """Claims whose quote stands in their page."""
    dropped: int
    """Claims whose quote does not; they are not reported."""
    unproven: int
    """Reported facts whose quote is not in the text that was fetched: always 0."""
    unfetched: int
    """Links of the brief to pages that were not fetched in this run: always 0."""


class Trial(Record, frozen=True, kw_only=True):
    """What one engine did on the labelled web."""

    model: str
    embedder: str
    runs: tuple[Run, ...]


async def trial(settings: Settings, show: Show, topics: Sequence[Topic] = TOPICS) -> Trial:
    """Run a scout for each topic over all days, with a throw-away database.

    Args:
        settings: the model, embedder and bounds to use; the rest is that of the labelled web.
        show: is told everything as it happens.
        topics: the wishes.

    Raises:
        Unavailable: the model or embedder does not answer.
    """
    library = LabelledLibrary()
    with TemporaryDirectory(prefix="scout-eval-") as folder:
        async with DemoWeb(library=library) as web:
            staged = replace(stage(settings, web, Path(folder)), notify=())
            async with App.open(staged, clock=DayClock(web), hosts=web.hosts) as app:
                return await _days(app, web, library, show, topics)


async def _days(
    app: App, web: DemoWeb, library: LabelledLibrary, show: Show, topics: Sequence[Topic]
) -> Trial:
    scouts, runs = await app.scouts(), await app.runs()
    ids = {}
    for topic in topics:
        wish = Wish(goal=topic.goal, title=topic.name, queries=topic.queries)
        ids[topic.name] = (await scouts.add(wish)).scout.id
    watched: list[Run] = []
    watch = _Watch(show)
    for day in library.days:
        web.day = day
        for topic in topics:
            scout = await scouts.find(str(ids[topic.name]))
            show.run(app.settings.llm_url, topic.name, day)
            watch.begin()
            result = await runs.run(scout, watch.see)
            show.done()
            watched.append(watch.ended(topic.name, day, result))
    return Trial(model=watch.model, embedder=watch.embedder, runs=tuple(watched))


class _Watch:
    """Counts what a run says while it passes it on."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self.model = self.embedder = ""
        self.begin()

    def begin(self) -> None:
        self._verified = self._dropped = 0
        self._seconds = 0.0
        self._texts: dict[str, str] = {}

    async def see(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.model, self.embedder = event.model, event.embedder
            case FactVerified():
                self._verified += 1
            case FactDropped():
                self._dropped += 1
            case PageSeen() if event.outcome == "read":
                self._texts[event.final_url] = _spelled(event.text)
            case RunFinished():
                self._seconds = event.seconds
            case _:
                pass
        await self._show.event(event)

    def ended(self, topic: str, day: int, result: Result) -> Run:
        reported = [fact for fact in result.facts if fact.novelty not in ("repeat", "stale")]
        proven = [fact for fact in reported if self._stands(fact.url, fact.quote)]
        return Run(
            topic=topic,
            day=day,
            result=result,
            seconds=self._seconds,
            verified=self._verified,
            dropped=self._dropped,
            unproven=len(reported) - len(proven),
            unfetched=sum(source.url not in self._texts for source in result.sources),
        )

    def _stands(self, url: str, quote: str) -> bool:
        return _spelled(quote) in self._texts.get(url, "")


def _spelled(text: str) -> str:
    return " ".join(fold(word) for word in words(text))
