"""Looking: searches and feeds side by side, merged, ranked and chosen, then read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from msgspec.structs import replace

from scout_cli.core import ranking, urls
from scout_cli.core.events import PageSeen
from scout_cli.core.job import Job
from scout_cli.core.models import PageOutcome, Problem, Record
from scout_cli.core.ports import (
    Fetcher,
    FetchRequest,
    Habits,
    Hit,
    Memory,
    Page,
    SearchAnswer,
    SearchEngine,
    SearchQuery,
)
from scout_cli.core.ranking import Candidate
from scout_cli.core.trail import OpenStep, OutOfTime, Trail
from scout_cli.core.words import shorten

LOOKED: frozenset[PageOutcome] = frozenset({"read", "unchanged"})
SHOWN_CONTENT = 5_000
"""Characters of a page's text in the output of its step; the whole text is kept beside."""


class ReadPage(Record, frozen=True, kw_only=True):
    """A page of this run that may be cited."""

    number: int
    page: Page
    canonical_url: str


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
        self._memory = memory
        self._trail = trail
        self._rankings: list[Sequence[Hit]] = []
        self._tried: set[str] = set()
        self._hashes: set[str] = set()
        self._judged: dict[str, bool] = {}
        self._number = 0
        self._asked_at = job.asked_at or trail.clock.now()
        self.habits = Habits()
        """What the user liked; set before the first search."""
        self.queries: list[str] = []
        self.answered = 0
        """Searches and feeds that gave an answer, an empty one included."""
        self.failed = 0
        self.outcomes: dict[str, PageOutcome] = {}
        self.found: list[Candidate] = []

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
        await self._gather([self._query(query, anytime=anytime) for query in asked])
        return asked

    async def read_feeds(self) -> None:
        """Read the scout's feeds side by side."""
        await self._gather([self._feed(url) for url in self._job.feeds])
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

    def _unread(self) -> list[Candidate]:
        return [c for c in self.found if c.canonical_url not in self._tried]

    @staticmethod
    async def _gather(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
        """Run side by side; the first error ends the others and is raised as itself."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(each) for each in work]
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return [task.result() for task in tasks]

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
        self.found = ranking.rank([*pinned, *others], self._job.goal, self._asked_at, self.habits)

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

    async def _fetch(self, chosen: Sequence[Candidate]) -> list[ReadPage]:
        self._tried.update(candidate.canonical_url for candidate in chosen)
        self._trail.spend(pages=len(chosen))
        pages: list[tuple[OpenStep, Page]] = await self._gather(
            [self._fetch_one(candidate) for candidate in chosen]
        )
        self._hashes.update(page.content_hash for _, page in pages if page.outcome == "unchanged")
        read = [
            await self._take(candidate, *found)
            for candidate, found in zip(chosen, pages, strict=True)
        ]
        return [page for page in read if page]

    async def _fetch_one(self, candidate: Candidate) -> tuple[OpenStep, Page]:
        url = candidate.hit.url
        async with self._trail.step("scrape", f"Read: {url}", {"url": url}) as step:
            page = self._allowed(candidate, await self._fetch_changed(candidate))
            step.output = {
                "url": page.final_url or url,
                "title": page.title or candidate.hit.title,
                "content": page.text[:SHOWN_CONTENT],
                "outcome": page.outcome,
            }
            if page.screenshot:
                step.output["screenshot"] = page.screenshot
            if page.outcome not in LOOKED:
                step.fail(page.detail or page.outcome)
        return step, _dated(page, candidate.hit)

    async def _fetch_changed(self, candidate: Candidate) -> Page:
        """Fetch a page, `unchanged` when its text is the one remembered."""
        seen = await self._memory.page(candidate.canonical_url)
        request = FetchRequest(
            url=candidate.hit.url,
            etag=seen.etag if seen else None,
            last_modified=seen.last_modified if seen else None,
            language=self._job.language,
            named=candidate.pinned,
        )
        page = await self._trail.within(self._fetcher.fetch(request))
        if seen is None:
            return page
        if page.outcome == "unchanged":
            return replace(page, content_hash=seen.content_hash)
        same = page.outcome == "read" and page.content_hash == seen.content_hash
        return replace(page, outcome="unchanged") if same else page

    def _allowed(self, candidate: Candidate, page: Page) -> Page:
        """Refuse a page that a redirect brought from outside the scout's domains."""
        final = page.final_url or page.url
        if page.outcome != "read" or candidate.pinned or self._wanted(final):
            return page
        detail = f"redirects to {urls.host_of(final)}, which this scout does not read"
        return Page(url=page.url, final_url=final, outcome="refused", detail=detail)

    async def _take(self, candidate: Candidate, step: OpenStep, page: Page) -> ReadPage | None:
        """Number the page if it is news to this run, and tell what became of it."""
        number = None
        if page.outcome == "read" and page.content_hash in self._hashes:
            page = replace(page, detail="the same text as another page")
        elif page.outcome == "read":
            self._hashes.add(page.content_hash)
            self._number += 1
            number = self._number
        self.outcomes[candidate.canonical_url] = page.outcome
        await self._trail.emit(self._seen(candidate, step, page, number))
        if page.outcome not in LOOKED and candidate.pinned:
            await self._trail.trouble(
                Problem(
                    step=step.number,
                    code=f"page_{page.outcome}",
                    message=f"{candidate.hit.url}: {page.detail or page.outcome}",
                    hint=page.hint,
                )
            )
        if number is None:
            return None
        return ReadPage(number=number, page=page, canonical_url=candidate.canonical_url)

    def _seen(
        self, candidate: Candidate, step: OpenStep, page: Page, number: int | None
    ) -> PageSeen:
        final = page.final_url or page.url
        return PageSeen(
            at=self._trail.clock.now(),
            step=step.number,
            source=number,
            url=page.url,
            final_url=final,
            canonical_url=candidate.canonical_url,
            host=urls.host_of(final),
            title=page.title or candidate.hit.title,
            outcome=page.outcome,
            http_status=page.status,
            detail=page.detail,
            text=page.text if page.outcome == "read" else "",
            content_hash=page.content_hash,
            published_at=page.published_at,
            published_from=page.published_from,
            etag=page.etag,
            last_modified=page.last_modified,
        )


def _dated(page: Page, hit: Hit) -> Page:
    """Take the date of the search result or feed when the page itself has none."""
    if page.published_at or not hit.published_at:
        return page
    return replace(page, published_at=hit.published_at, published_from=hit.published_from)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """Return the error that explains the others: running out of time comes last."""
    leaves: list[BaseException] = []
    waiting: list[BaseException] = [errors]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions
        else:
            leaves.append(error)
    return min(leaves, key=lambda error: isinstance(error, OutOfTime))


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
