"""Reading: one question per page, and a check of every quote against the page's own text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from scout_cli.core import passages, report, verify
from scout_cli.core.answers import Claim, ExtractAnswer
from scout_cli.core.events import FactDropped, FactVerified
from scout_cli.core.job import Job
from scout_cli.core.look import ReadPage
from scout_cli.core.models import AnsweredBy, Record
from scout_cli.core.ports import Parts
from scout_cli.core.questions import Extract
from scout_cli.core.trail import OpenStep, Trail
from scout_cli.core.urls import host_of
from scout_cli.core.words import shorten

RESERVED_CALLS = 2
"""Model calls kept for writing and summarising."""


class Fact(Record, frozen=True, kw_only=True):
    """A verified fact before it is compared."""

    page: ReadPage
    text: str
    quote: str
    stated_date: str
    by: AnsweredBy


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
        self._trail = trail
        self.pages: dict[int, ReadPage] = {}
        self.facts: list[Fact] = []
        self.dropped = 0

    async def read(self, pages: Sequence[ReadPage]) -> None:
        """Take the facts out of `pages`, in their order."""
        for page in pages:
            self.pages[page.number] = page
            await self._extract(page)

    async def _extract(self, read: ReadPage) -> None:
        page = read.page
        question = Extract(
            goal=self._job.goal,
            title=page.title,
            text=page.text,
            published=f"{page.published_at:%Y-%m-%d}" if page.published_at else "",
            marker=f"page-{sha256(page.text.encode()).hexdigest()[:16]}",
        )
        tokens = passages.tokens_of(page.text) + 700
        if context := self._parts.reasoner.context:
            tokens = min(tokens, context // 2 + 700)
        given = {"source": read.number, "url": page.final_url}
        title = shorten(page.title or host_of(page.final_url), 80)
        async with self._trail.step("analyze", f"Extract facts: {title}", given) as step:
            answer: ExtractAnswer = await self._trail.ask(
                self._parts.reasoner, question, step, reserve=RESERVED_CALLS, tokens=tokens
            )
            kept = [
                fact for claim in answer.facts if (fact := await self._verify(claim, read, step))
            ]
            step.output = {
                "facts": [{"fact": fact.text, "quote": fact.quote} for fact in kept],
                "dropped": len(answer.facts) - len(kept),
            }
        self.facts += kept

    async def _verify(self, claim: Claim, read: ReadPage, step: OpenStep) -> Fact | None:
        """Keep a claim whose quote stands in the page, in the page's own words."""
        located = verify.locate(claim.quote, read.page.text)
        text = report.clean(claim.fact)
        if located is None:
            self.dropped += 1
            await self._trail.emit(
                FactDropped(
                    at=self._parts.clock.now(),
                    step=step.number,
                    source=read.number,
                    fact=text,
                    quote=report.clean(claim.quote),
                    reason="the quote is not in the page",
                )
            )
            return None
        quote = report.clean(located.quote)
        if len(text) < 10 or not verify.supported(text, located.quote):
            text = shorten(quote, 300)
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
            stated_date=self._stated(claim, quote),
            by=step.answered_by or "model",
        )

    @staticmethod
    def _stated(claim: Claim, quote: str) -> str:
        date = report.clean(claim.date)
        return date if date and verify.supported(date, quote) else ""
