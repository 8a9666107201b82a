"""Looking: searches and feeds side by side, merged, ranked and chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from scout_cli.core import ranking, urls
from scout_cli.core.fetching import LOOKED, Pages, ReadPage
from scout_cli.core.job import Job
from scout_cli.core.models import PageOutcome, Problem
from scout_cli.core.ports import (
    Fetcher,
    Habits,
    Hit,
    Memory,
    SearchAnswer,
    SearchEngine,
    SearchQuery,
)
from scout_cli.core.ranking import Candidate
from scout_cli.core.together import together
from scout_cli.core.trail import OpenStep, Trail
from scout_cli.core.words import shorten


class Look:
    """All that one run sees of the web.

    Args:
        job: whose words, domains and window count.
        search: the engine.
        fetcher: reads pages and feeds.
        memory: what was read before.
        trail: the record of the run.
    """

    def __init__(
        self, job: Job, search: SearchEngine, fetcher: Fetcher, memory: Memory, trail: Trail
    ) -> None:
        self._job = job
        self._search = search
        self._fetcher = fetcher
        self._pages = Pages(job, fetcher, memory, trail, self._wanted)
        self._trail = trail
        self._rankings: list[Sequence[Hit]] = []
        self._tried: set[str] = set()
        self._judged: dict[str, bool] = {}
        self._asked_at = job.asked_at or trail.clock.now()
        self.habits = Habits()
        """What the user liked; set before the first search."""
        self.queries: list[str] = []
        self.answered = 0
        """Searches and feeds that gave an answer, an empty one included."""
        self.failed = 0
        self.found: list[Candidate] = []

    @property
    def outcomes(self) -> dict[str, PageOutcome]:
        """Return what became of each page that was asked for, by its canonical URL."""
        return self._pages.outcomes

    def unfinished(self, taken: Collection[str]) -> tuple[str, ...]:
        """Return the pages that were read and not taken in; see `Pages.unfinished`."""
        return self._pages.unfinished(taken)

    async def search(self, queries: Sequence[str]) -> None:
        """Run new queries side by side, within the budget, and rank everything found so far."""
        fresh = [query for query in dict.fromkeys(queries) if query not in self.queries]
        answered = self.answered
        self.queries += await self._ask(fresh)
        windowed = self._job.first and self._job.window.recency
        if windowed and self.answered > answered and not any(self._rankings):
            await self._ask(fresh, anytime=True)
        self._rank()

    async def _ask(self, queries: Sequence[str], *, anytime: bool = False) -> Sequence[str]:
        """Run as many of `queries` as the budget allows and return them."""
        left = max(0, self._trail.budget.searches - self._trail.usage.searches)
        asked = queries[:left]
        self._trail.spend(searches=len(asked))
        await together([self._query(query, anytime=anytime) for query in asked])
        return asked

    async def read_feeds(self) -> None:
        """Read the scout's feeds side by side."""
        await together([self._feed(url) for url in self._job.feeds])
        self._rank()

    async def read(self, limit: int) -> list[ReadPage]:
        """Fetch the best candidates not yet tried, at most `limit`, side by side."""
        left = min(limit, self._trail.budget.pages - self._trail.usage.pages)
        untried = [c for c in self.found if c.canonical_url not in self._tried]
        return await self._fetch(ranking.choose(untried, max(0, left)))

    async def read_numbers(self, numbers: Sequence[int]) -> list[ReadPage]:
        """Fetch results by their place in `unread`, within the budget."""
        left = self._trail.budget.pages - self._trail.usage.pages
        listed = self._unread()
        chosen = [listed[number - 1] for number in numbers if 0 < number <= len(listed)]
        return await self._fetch(chosen[: max(0, left)])

    def unread(self, limit: int = 12) -> dict[int, str]:
        """Return the best results that were not read: number and title."""
        return {
            number: shorten(candidate.hit.title or candidate.hit.url, 120)
            for number, candidate in enumerate(self._unread()[:limit], 1)
        }

    async def _fetch(self, chosen: Sequence[Candidate]) -> list[ReadPage]:
        self._tried.update(candidate.canonical_url for candidate in chosen)
        return await self._pages.fetch(chosen)

    def _unread(self) -> list[Candidate]:
        return [c for c in self.found if c.canonical_url not in self._tried]

    async def _query(self, text: str, *, anytime: bool = False) -> None:
        place = self._job.location
        query = SearchQuery(
            text=text,
            recency=None if anytime else self._job.window.recency,
            language=self._job.language,
            country=(place.country_code or "") if place else "",
        )
        given = {"query": text, "recency": query.recency}
        slot = len(self._rankings)
        self._rankings.append(())
        async with self._trail.step("search", f"Search: {text}", given) as step:
            answer = await self._trail.within(self._search.search(query))
            step.output = _search_output(answer)
            if answer.outcome in ("limited", "unavailable"):
                await self._search_failed(answer, step)
            else:
                self.answered += 1
                self._rankings[slot] = answer.hits

    async def _search_failed(self, answer: SearchAnswer, step: OpenStep) -> None:
        self.failed += 1
        step.fail(answer.detail)
        code = "search_limited" if answer.outcome == "limited" else "search_unavailable"
        await self._trail.trouble(
            Problem(step=step.number, code=code, message=answer.detail, hint=answer.hint)
        )

    async def _feed(self, url: str) -> None:
        slot = len(self._rankings)
        self._rankings.append(())
        async with self._trail.step("search", f"Feed: {url}", {"feed": url}) as step:
            feed = await self._trail.within(self._fetcher.feed(url))
            step.output = {"searchResults": [_hit_output(hit) for hit in feed.hits]}
            if feed.outcome in LOOKED:
                self.answered += 1
                self._rankings[slot] = feed.hits
                return
            self.failed += 1
            step.fail(feed.detail)
            await self._trail.trouble(
                Problem(
                    step=step.number,
                    code=f"feed_{feed.outcome}",
                    message=f"{url}: {feed.detail}",
                    hint=feed.hint,
                )
            )

    def _rank(self) -> None:
        since = self._job.window.since
        readable = [[hit for hit in hits if self._wanted(hit.url)] for hits in self._rankings]
        merged = [
            candidate
            for candidate in ranking.fuse(readable)
            if not self._too_old(candidate.hit, since)
        ]
        fixed = {urls.canonical(url): url for url in self._job.urls}
        pinned = [
            Candidate(hit=Hit(url=url), canonical_url=key, pinned=True)
            for key, url in fixed.items()
        ]
        others = [candidate for candidate in merged if candidate.canonical_url not in fixed]
        topic = "" if self._job.takes_what_comes else self._job.goal
        self.found = ranking.rank([*pinned, *others], topic, self._asked_at, self.habits)

    def _wanted(self, url: str) -> bool:
        """Return whether this scout reads `url`; several searches bring the same ones."""
        known = self._judged.get(url)
        if known is None:
            job = self._job
            known = urls.wanted(url, include=job.include_domains, exclude=job.exclude_domains)
            self._judged[url] = known
        return known

    def _too_old(self, hit: Hit, since: Any) -> bool:
        known_old = since is not None and hit.published_at and hit.published_at < since
        return bool(known_old) and not self._job.first


def _search_output(answer: SearchAnswer) -> dict[str, Any]:
    return {
        "searchResults": [_hit_output(hit) for hit in answer.hits],
        "outcome": answer.outcome,
        "engine": answer.engine,
    }


def _hit_output(hit: Hit) -> dict[str, Any]:
    published = hit.published_at.isoformat() if hit.published_at else None
    return {
        "title": hit.title,
        "url": hit.url,
        "description": hit.snippet,
        "publishedTime": published,
    }
