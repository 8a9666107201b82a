"""The pages of one run: fetched side by side, compared with what is remembered, and numbered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from scout_cli.core import urls
from scout_cli.core.events import PageSeen
from scout_cli.core.job import Job
from scout_cli.core.models import PageOutcome, Problem, Record
from scout_cli.core.ports import Fetcher, FetchRequest, Hit, Memory, Page
from scout_cli.core.ranking import Candidate
from scout_cli.core.together import together
from scout_cli.core.trail import OpenStep, Trail

LOOKED: frozenset[PageOutcome] = frozenset({"read", "unchanged"})
SHOWN_CONTENT = 5_000
"""Characters of a page's text in the output of its step; the whole text is kept beside."""


class ReadPage(Record, frozen=True, kw_only=True):
    """A page of this run that may be cited."""

    number: int
    page: Page
    canonical_url: str


class Pages:
    """All pages that one run asks for.

    Args:
        job: in whose language they are asked for.
        fetcher: reads them.
        memory: what was read before.
        trail: the record of the run.
        wanted: whether the scout reads a URL, to which a redirect may lead.
    """

    def __init__(
        self,
        job: Job,
        fetcher: Fetcher,
        memory: Memory,
        trail: Trail,
        wanted: Callable[[str], bool],
    ) -> None:
        self._job = job
        self._fetcher = fetcher
        self._memory = memory
        self._trail = trail
        self._wanted = wanted
        self._hashes: set[str] = set()
        self._unchanged: set[str] = set()
        self._texts: dict[str, str] = {}
        self._number = 0
        self.outcomes: dict[str, PageOutcome] = {}
        """By canonical URL."""

    async def fetch(self, chosen: Sequence[Candidate]) -> list[ReadPage]:
        """Fetch side by side; return those that can be cited, in the order of `chosen`."""
        self._trail.spend(pages=len(chosen))
        pages: list[tuple[OpenStep, Page]] = await together(
            [self._fetch_one(candidate) for candidate in chosen]
        )
        self._unchanged.update(
            page.content_hash for _, page in pages if page.outcome == "unchanged"
        )
        self._hashes |= self._unchanged
        read = [
            await self._take(candidate, *found)
            for candidate, found in zip(chosen, pages, strict=True)
        ]
        return [page for page in read if page]

    def unfinished(self, taken: Collection[str]) -> tuple[str, ...]:
        """Return the canonical URLs of the pages whose text nobody took in, now or before.

        Args:
            taken: content hashes of the texts that this run took in. A copy has the hash of the
                page that was read in its place.
        """
        done = self._unchanged.union(taken)
        return tuple(url for url, text in self._texts.items() if text not in done)

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
        if page.outcome == "read":
            self._texts[candidate.canonical_url] = page.content_hash
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
    """Take the date of the search result or feed when the page itself has none.

    `Last-Modified` is none: many servers say that a page is as new as the answer.
    """
    own = page.published_at is not None and page.published_from != "header"
    if own or not hit.published_at:
        return page
    return replace(page, published_at=hit.published_at, published_from=hit.published_from)
