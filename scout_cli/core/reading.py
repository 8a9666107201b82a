"""Reading: one question per page, and a check of every quote against the page's own text."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from scout_cli.core import grounds, passages, report, verify
from scout_cli.core.answers import Claim, ExtractAnswer
from scout_cli.core.events import FactDropped, FactVerified
from scout_cli.core.fetching import ReadPage
from scout_cli.core.job import Job
from scout_cli.core.models import AnsweredBy, Record
from scout_cli.core.ports import Parts
from scout_cli.core.questions import Extract
from scout_cli.core.signature import numbers
from scout_cli.core.trail import OpenStep, Trail
from scout_cli.core.urls import host_of
from scout_cli.core.words import fold, shorten, width, words

_OPENING, _OPENING_OF_PAGE = 1, 3
"""Statements that stand for an entry of a feed, and for a page that is watched for itself when it
is seen for the first time."""
_ADDITIONS = 20
"""Sentences and rows that are told of those that were added to a watched page."""
RESERVED_CALLS = 2
"""Model calls kept for writing and summarising."""


class Fact(Record, frozen=True, kw_only=True):
    """A verified fact before it is compared."""

    page: ReadPage
    text: str
    quote: str
    stated_date: str
    by: AnsweredBy
    added: bool = False
    """Whether it did not stand on its page at the last look: no date of the page makes it older."""


class Reading:
    """The pages of one run and what they say about its goal.

    Args:
        parts: what the agent works with.
        job: the wish.
        trail: the record of the run.
    """

    def __init__(self, parts: Parts, job: Job, trail: Trail) -> None:
        self._parts = parts
        self._job = job
        self._takes_what_comes = job.takes_what_comes
        self._watched = job.watched
        self._trail = trail
        self.pages: dict[int, ReadPage] = {}
        self.facts: list[Fact] = []
        self.taken: set[str] = set()
        """Content hashes of the pages that were wholly taken in."""
        self.dropped = 0

    async def read(self, pages: Sequence[ReadPage]) -> None:
        """Take the facts out of `pages`, in their order."""
        for page in pages:
            self.pages[page.number] = page
            await self._extract(page)

    async def _extract(self, read: ReadPage) -> None:
        page = read.page
        question = await self._question(read)
        if not question.text:
            self.taken.add(page.content_hash)  # something went, nothing came
            return
        tokens = passages.tokens_of(question.text + self._job.goal) + 700
        if context := self._parts.reasoner.context:
            tokens = min(tokens, context // 2 + 700)
        given = {"source": read.number, "url": page.final_url}
        title = shorten(page.title or host_of(page.final_url), 80)
        async with self._trail.step("analyze", f"Extract facts: {title}", given) as step:
            answer: ExtractAnswer = await self._trail.ask(
                self._parts.reasoner, question, step, reserve=RESERVED_CALLS, tokens=tokens
            )
            dropped = self.dropped
            by = step.answered_by or "model"
            kept = await self._verified(answer, read, step, by)
            if answer.facts and not kept:
                # The model answered, but quoted nothing right: the page still has its sentences.
                by = "fallback"
                kept = await self._verified(question.built_in(), read, step, by)
            step.output = {
                "facts": [{"fact": fact.text, "quote": fact.quote} for fact in kept],
                "dropped": self.dropped - dropped,
                "facts_by": by,
            }
        self.facts += [replace(fact, added=question.added) for fact in kept]
        if not step.postponed:
            self.taken.add(page.content_hash)

    async def _question(self, read: ReadPage) -> Extract:
        """Ask for what serves the goal; of a page that is watched for itself, what was added."""
        page = read.page
        question = Extract(
            goal=self._job.goal,
            title=page.title,
            text=page.text,
            published=f"{page.published_at:%Y-%m-%d}" if page.published_at else "",
        )
        if not self._takes_what_comes:
            return question
        if read.canonical_url not in self._watched:
            return replace(question, opening=_OPENING)
        seen = await self._parts.memory.page(read.canonical_url)
        if seen is None or not seen.text:
            return replace(question, opening=_OPENING_OF_PAGE)
        new = passages.added(page.text, seen.text)
        return replace(question, text=new, opening=_ADDITIONS, added=True)

    async def _verified(
        self, answer: ExtractAnswer, read: ReadPage, step: OpenStep, by: AnsweredBy
    ) -> list[Fact]:
        found = [await self._verify(claim, read, step, by) for claim in answer.facts]
        return [fact for fact in found if fact]

    async def _verify(
        self, claim: Claim, read: ReadPage, step: OpenStep, by: AnsweredBy
    ) -> Fact | None:
        """Keep a claim whose quote stands in the page, in the page's own words."""
        located = verify.locate(claim.quote, read.page.text)
        if located is None:
            await self._drop(claim, read, step, "the quote is not in the page")
            return None
        quote = report.clean(located.quote)
        text = self._told(claim, quote, read)
        if len(words(text)) < verify.MIN_QUOTE_WORDS and width(text) < verify.MIN_QUOTE_WIDTH:
            await self._drop(claim, read, step, "the quote is little more than a link")
            return None
        await self._trail.emit(
            FactVerified(
                at=self._parts.clock.now(),
                step=step.number,
                source=read.number,
                fact=text,
                quote=quote,
                repaired=located.repaired,
            )
        )
        return Fact(
            page=read,
            text=text,
            quote=quote,
            stated_date=_stated(claim, quote),
            by=by,
        )

    async def _drop(self, claim: Claim, read: ReadPage, step: OpenStep, reason: str) -> None:
        self.dropped += 1
        await self._trail.emit(
            FactDropped(
                at=self._parts.clock.now(),
                step=step.number,
                source=read.number,
                fact=report.clean(claim.fact),
                quote=report.clean(claim.quote),
                reason=reason,
            )
        )

    def _told(self, claim: Claim, quote: str, read: ReadPage) -> str:
        """Return the claim in its own words if the quote bears them out, else the quote."""
        text = report.clean(claim.fact)
        if len(text) >= 10 and grounds.supported(text, quote, title=read.page.title):
            return text
        return shorten(grounds.without_links(quote), 300)


def _stated(claim: Claim, quote: str) -> str:
    """Return the date of a claim if its quote says it, in whatever spelling."""
    date = report.clean(claim.date)
    found = numbers(date)
    said = found <= numbers(quote) if found else fold(date) in fold(quote)
    return date if said and not grounds.has_link(date) else ""
