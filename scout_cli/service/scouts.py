"""Saved wishes: make them from a goal in plain words, find them, look into what they found."""

from __future__ import annotations

import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from scout_cli.core import schedule, urls
from scout_cli.core.answers import SetUpAnswer
from scout_cli.core.models import (
    AnsweredBy,
    Execution,
    Finding,
    Location,
    Novelty,
    Record,
    Scout,
    Step,
)
from scout_cli.core.ports import Clock, Reasoner
from scout_cli.core.questions import SetUp
from scout_cli.core.report import clean
from scout_cli.errors import InvalidInput, ModelUnavailable, NotFound
from scout_cli.store import executions, findings, scouts, steps, users
from scout_cli.store.database import Database

MAX_GOAL = 2_000
"""Characters of a goal."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{2,63}", re.IGNORECASE)
_CHANNEL = re.compile(r"[a-z][a-z0-9+.-]*:\S", re.IGNORECASE)
_PREFIX = re.compile(r"[0-9a-f-]{4,36}", re.IGNORECASE)


class Wish(Record, frozen=True, kw_only=True):
    """What a person says about a new scout; the rest is filled in."""

    goal: str
    title: str | None = None
    description: str | None = None
    queries: tuple[str, ...] = ()
    schedule: str = "daily"
    timezone: str = "UTC"
    location: str | None = None
    language: str | None = None
    urls: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    include_domains: tuple[str, ...] = ()
    exclude_domains: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()


class Added(Record, frozen=True, kw_only=True):
    """A new scout and who filled it in."""

    scout: Scout
    answered_by: AnsweredBy
    note: str = ""
    """Why the model did not fill it in, when it should have."""


class Overview(Record, frozen=True, kw_only=True):
    """A scout at a glance."""

    scout: Scout
    last: Execution | None
    findings: int


class Scouts:
    """The scouts of the local owner.

    Args:
        db: where they are kept.
        clock: time and identifiers.
        reasoner: opens the engine that fills in a wish, when it is needed.
    """

    def __init__(
        self, db: Database, clock: Clock, reasoner: Callable[[], Awaitable[Reasoner]]
    ) -> None:
        self._db = db
        self._clock = clock
        self._reasoner = reasoner

    async def owner(self) -> UUID:
        """Return the id of the local owner."""
        return (await users.local_owner(self._db)).id

    async def add(self, wish: Wish) -> Added:
        """Save a scout, filling in what the wish leaves open.

        Raises:
            InvalidInput: a goal, URL, domain, language, rhythm or zone that cannot be used.
        """
        wish = check(wish)
        filled, by, note = await self._fill_in(wish)
        now = self._clock.now()
        scout = Scout(
            id=self._clock.uuid(),
            user_id=await self.owner(),
            title=wish.title or filled.title,
            description=wish.description or filled.description or wish.goal,
            goal=wish.goal,
            search_queries=list(wish.queries or filled.queries),
            location=place(wish.location),
            frequency=schedule.frequency_of(wish.schedule, wish.timezone, now),
            created_at=now,
            updated_at=now,
            schedule=wish.schedule,
            timezone=wish.timezone,
            language=wish.language,
            urls=list(wish.urls),
            feeds=list(wish.feeds),
            include_domains=list(wish.include_domains),
            exclude_domains=list(wish.exclude_domains),
            notify=list(wish.notify),
            next_run_at=now,
        )
        await scouts.add(self._db, scout)
        return Added(scout=scout, answered_by=by, note=note)

    async def _fill_in(self, wish: Wish) -> tuple[SetUpAnswer, AnsweredBy, str]:
        question = SetUp(goal=wish.goal, place=wish.location or "", language=wish.language or "")
        if wish.title and wish.queries:
            return question.built_in(), "code", ""
        try:
            answer = await (await self._reasoner()).answer(question)
        except ModelUnavailable as error:
            return question.built_in(), "fallback", error.message
        return answer.value, answer.by, answer.note if answer.by == "fallback" else ""

    async def all(self) -> list[Overview]:
        """Return every scout with its last execution and the number of its findings."""
        owned = await scouts.owned(self._db, await self.owner())
        return [await self.overview(scout) for scout in owned]

    async def overview(self, scout: Scout) -> Overview:
        """Return one scout at a glance."""
        last = await executions.of_scout(self._db, scout.id, 1)
        return Overview(
            scout=scout,
            last=last[0] if last else None,
            findings=await findings.count(self._db, scout.id),
        )

    async def find(self, name: str) -> Scout:
        """Return the scout with this id, unique id prefix or title.

        Raises:
            NotFound: none has it; the nearest title is offered.
            InvalidInput: several have it.
        """
        owner = await self.owner()
        wanted = name.strip()
        if _PREFIX.fullmatch(wanted):
            by_id = await scouts.by_prefix(self._db, owner, wanted.lower())
            if by_id:
                return _only(by_id, wanted)
        owned = await scouts.owned(self._db, owner)
        folded = wanted.casefold()
        exact = [scout for scout in owned if scout.title.casefold() == folded]
        starting = [
            scout for scout in owned if folded and scout.title.casefold().startswith(folded)
        ]
        if matches := exact or starting:
            return _only(matches, wanted)
        near = difflib.get_close_matches(wanted, [scout.title for scout in owned], n=1, cutoff=0.5)
        raise NotFound(
            f"no scout {clean(wanted)[:80]!r}",
            hint=f"did you mean {clean(near[0])!r}?" if near else "scout list shows them all",
        )

    async def history(self, scout: Scout | None, limit: int) -> list[Execution]:
        """Return the newest executions, of one scout or of all."""
        if scout:
            return await executions.of_scout(self._db, scout.id, limit)
        return await executions.owned(self._db, await self.owner(), limit)

    async def steps(self, execution: Execution) -> list[Step]:
        """Return the steps of an execution in their order."""
        return await steps.of_execution(self._db, execution.id)

    async def findings(
        self,
        *,
        scout: Scout | None = None,
        since: datetime | None = None,
        novelty: tuple[Novelty, ...] = (),
        limit: int = 50,
    ) -> list[Finding]:
        """Return findings, newest first.

        Args:
            scout: only of this one.
            since: only found at or after this moment.
            novelty: only of these kinds; empty for all.
            limit: at most so many.
        """
        return await findings.listing(
            self._db,
            await self.owner(),
            scout_id=scout.id if scout else None,
            since=since,
            novelty=novelty or None,
            limit=limit,
        )


def check(wish: Wish) -> Wish:
    """Refuse a wish that cannot be used.

    Raises:
        InvalidInput: with the value and what is expected.
    """
    goal = " ".join(wish.goal.split())
    if len(goal) < 3:
        raise InvalidInput("the goal is empty", hint='say what to look for: scout add "..."')
    if len(goal) > MAX_GOAL:
        raise InvalidInput(f"the goal has {len(goal)} characters, {MAX_GOAL} are allowed")
    _each((*wish.urls, *wish.feeds), urls.is_web, "a web address", "http:// or https://")
    domains = (*wish.include_domains, *wish.exclude_domains)
    _each(domains, _DOMAIN.fullmatch, "a domain", "without https://, as in example.org")
    _each(wish.notify, _CHANNEL.match, "a channel URL", "such as mailto:me@example.org")
    tags = (wish.language,) if wish.language else ()
    _each(tags, _LANGUAGE.fullmatch, "a language tag", "such as de or pt-BR")
    named = wish.schedule in schedule.PERIODS
    schedule.parse(
        every=wish.schedule if named else None,
        cron=None if named else wish.schedule,
        timezone=wish.timezone,
    )
    return wish


def _each(found: Sequence[str], fits: Callable[[str], Any], kind: str, hint: str) -> None:
    for value in found:
        if not fits(value):
            raise InvalidInput(f"not {kind}: {clean(value)[:200]}", hint=hint)


def place(text: str | None) -> Location | None:
    """Return the location that a person typed, or None for anywhere."""
    if not text or text.strip().casefold() in ("any", "anywhere"):
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return Location(city=parts[0], country=parts[-1] if len(parts) > 1 else None)


def _only(found: Sequence[Scout], name: str) -> Scout:
    if len(found) > 1:
        names = ", ".join(f"{str(scout.id)[:8]} {clean(scout.title)}" for scout in found[:5])
        raise InvalidInput(
            f"{clean(name)[:80]!r} may be several scouts: {names}", hint="use the id"
        )
    return found[0]
