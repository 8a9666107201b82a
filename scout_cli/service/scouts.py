"""Saved wishes: make them from a goal in plain words, find them, look into what they found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.answers import SetUpAnswer
from scout_cli.core.models import (
    AnsweredBy,
    Execution,
    Finding,
    Location,
    Novelty,
    Record,
    Scout,
    ScoutPatch,
    Step,
)
from scout_cli.core.ports import Clock, Reasoner
from scout_cli.core.questions import SetUp
from scout_cli.errors import ModelUnavailable, NotFound
from scout_cli.service import guests, naming
from scout_cli.service.changes import applied, checked, followed, moves, narrowed
from scout_cli.service.wishes import MAX_TITLE, Wish, check, place, place_text, wish_of
from scout_cli.store import executions, findings, overviews, scouts, steps, users
from scout_cli.store.database import Database
from scout_cli.store.overviews import Belongings, Glance, Overview

__all__ = ["Added", "Belongings", "Glance", "Overview", "Scouts", "Wish", "check", "place"]

_RESUMED = ScoutPatch(is_active=True, consecutive_failures=0, paused_reason=None)


class Added(Record, frozen=True, kw_only=True):
    """A new scout and who filled it in."""

    scout: Scout
    answered_by: AnsweredBy
    note: str = ""
    """Why the model did not fill it in, when it should have."""


class Scouts:
    """The scouts of one user.

    Args:
        db: where they are kept.
        clock: time and identifiers.
        reasoner: opens the engine that fills in a wish, when it is needed.
        user: whose scouts; None for the local owner's.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        reasoner: Callable[[], Awaitable[Reasoner]],
        user: UUID | None = None,
    ) -> None:
        self._db = db
        self._clock = clock
        self._reasoner = reasoner
        self._user = user

    async def owner(self) -> UUID:
        """Return whose scouts these are."""
        return self._user or (await users.local_owner(self._db)).id

    async def add(self, wish: Wish, *, active: bool = True, patience: float | None = None) -> Added:
        """Save a scout, filling in what the wish leaves open.

        Args:
            wish: what it is to look for.
            active: whether it runs; one that does not waits to be resumed.
            patience: seconds for the model to fill it in, then the built-in engine does; None for
                as long as it takes.

        Raises:
            InvalidInput: a goal, URL, domain, language, rhythm, zone or channel that cannot be
                used.
        """
        await guests.refuse(self._db, self._user, wish.notify)
        wish = check(wish)
        filled, by, note = await self._fill_in(wish, patience)
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
            digest=wish.digest,
            key=wish.key,
            is_active=active,
            next_run_at=now if active else None,
        )
        await scouts.add(self._db, scout)
        return Added(scout=scout, answered_by=by, note=note)

    async def _fill_in(
        self, wish: Wish, patience: float | None
    ) -> tuple[SetUpAnswer, AnsweredBy, str]:
        where = place_text(wish.location) if isinstance(wish.location, Location) else wish.location
        question = SetUp(goal=wish.goal, place=where or "", language=wish.language or "")
        if wish.title and wish.queries:
            return question.built_in(), "code", ""
        try:
            async with asyncio.timeout(patience):
                answer = await (await self._reasoner()).answer(question)
        except ModelUnavailable as error:
            return question.built_in(), "fallback", error.message
        except TimeoutError:
            return question.built_in(), "fallback", "the model took too long"
        return answer.value, answer.by, answer.note if answer.by == "fallback" else ""

    async def duplicate(
        self, scout: Scout, *, title: str | None = None, patience: float | None = None
    ) -> Scout:
        """Save a copy that rests: its wish without what was found for it.

        Args:
            scout: what to copy.
            title: of the copy; None for the same with "(copy)".
            patience: see `add`.

        Raises:
            InvalidInput: a title that cannot be used.
        """
        fitting = f"{scout.title[: MAX_TITLE - 7]} (copy)"
        wish = replace(wish_of(scout), title=title if title is not None else fitting, key=None)
        wish = replace(wish, location=scout.location)
        return (await self.add(wish, active=False, patience=patience)).scout

    async def all(self) -> list[Overview]:
        """Return every scout with its last execution and the number of its findings."""
        return await overviews.owned(self._db, await self.owner())

    async def glances(self) -> list[Glance]:
        """Return one line for each scout: less than `all`, and much faster for many."""
        return await overviews.glances(self._db, await self.owner())

    async def overview(self, scout: Scout) -> Overview:
        """Return one scout at a glance."""
        last = await executions.of_scout(self._db, scout.id, 1)
        return Overview(
            scout=scout,
            last=last[0] if last else None,
            findings=await findings.count(self._db, scout.id),
        )

    async def get(self, scout_id: UUID) -> Scout:
        """Return the scout with this id.

        Raises:
            NotFound: this user has none of that id.
        """
        found = await scouts.get(self._db, scout_id)
        if found is None or found.user_id != await self.owner():
            raise NotFound("no such scout", hint="list them to see the ids")
        return found

    async def execution(self, execution_id: UUID) -> Execution:
        """Return the run with this id.

        Raises:
            NotFound: this user has none of that id.
        """
        found = await executions.get(self._db, execution_id)
        if found is None or found.user_id != await self.owner():
            raise NotFound("no such execution", hint="list them to see the ids")
        return found

    async def find(self, name: str) -> Scout:
        """Return the scout with this id, unique beginning of an id, or title.

        Raises:
            NotFound: none has it; the nearest title is offered.
            InvalidInput: several have it.
        """
        return (await self.find_all((name,)))[0]

    async def find_all(self, names: Iterable[str]) -> list[Scout]:
        """Return the scouts that `names` mean, each once; one that is unknown fails them all.

        Raises:
            NotFound: one of them means none.
            InvalidInput: one of them may mean several.
        """
        return await naming.find(self._db, await self.owner(), names)

    async def change(self, scout: Scout, changes: ScoutPatch, *, unchanged: bool = False) -> Scout:
        """Change a scout and what follows from the change, and return it as it is then.

        Args:
            scout: as it was read.
            changes: the fields to change; queries planned for an old goal go with it, and a new
                rhythm or waking up sets the next run.
            unchanged: only if nobody changed it since it was read.

        Raises:
            InvalidInput: a value that cannot be used.
            NotFound: somebody removed it meanwhile.
            Changed: somebody changed it meanwhile, and `unchanged` was asked for.
        """
        (changed,) = await self.change_all([scout], changes, unchanged=unchanged)
        return changed

    async def change_all(
        self, chosen: Sequence[Scout], changes: ScoutPatch, *, unchanged: bool = False
    ) -> list[Scout]:
        """Change several scouts alike, all or none; see `change`."""
        if changes.notify is not UNSET:
            await guests.refuse(self._db, self._user, changes.notify)
        now = self._clock.now()
        patches = [_complete(scout, changes, now) for scout in chosen]
        async with self._db.transaction() as tx:
            if unchanged:
                await scouts.require_unchanged(tx, chosen)
            return [
                await scouts.update(tx, scout.id, patch) if patch != ScoutPatch() else scout
                for scout, patch in zip(chosen, patches, strict=True)
            ]

    async def pause(self, chosen: Sequence[Scout]) -> list[Scout]:
        """Let scouts rest until they are resumed, all or none."""
        return await self.change_all(chosen, ScoutPatch(is_active=False))

    async def resume(self, chosen: Sequence[Scout]) -> list[Scout]:
        """Let scouts run again, their failures forgotten, all or none."""
        return await self.change_all(chosen, _RESUMED)

    async def remove(self, *chosen: Scout, unchanged: bool = False) -> None:
        """Remove scouts with all they have: runs, findings, pages; all or none.

        Args:
            chosen: which ones.
            unchanged: only if nobody changed them since they were read.

        Raises:
            Conflict: one of them is running.
            NotFound: one of them is not there any more.
            Changed: one was changed meanwhile, and `unchanged` was asked for.
        """
        async with self._db.transaction() as tx:
            now = await tx.now()
            if unchanged:
                await scouts.require_unchanged(tx, chosen)
            for scout in chosen:
                await scouts.remove_idle(tx, scout, now)

    async def belongings(self, chosen: Sequence[Scout]) -> list[Belongings]:
        """Return how much each of these scouts has, in their order."""
        return await overviews.belongings(self._db, [scout.id for scout in chosen])

    async def history(self, of: Scout | Sequence[Scout] | None, limit: int) -> list[Execution]:
        """Return the newest executions, of these scouts or, when none is named, of all."""
        chosen = [of] if isinstance(of, Scout) else of or ()
        if not chosen:
            return await executions.owned(self._db, await self.owner(), limit)
        found = [
            run for scout in chosen for run in await executions.of_scout(self._db, scout.id, limit)
        ]
        return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)[:limit]

    async def last_with_news(self, scout: Scout) -> Execution | None:
        """Return the newest execution that found something new, however long ago."""
        return await overviews.last_with_news(self._db, scout.id)

    async def titles(self) -> dict[UUID, str]:
        """Return the titles of all scouts by id."""
        return {each.id: each.title for each in await scouts.names(self._db, await self.owner())}

    async def steps(self, execution: Execution) -> list[Step]:
        """Return the steps of an execution in their order."""
        return await steps.of_execution(self._db, execution.id)

    async def findings(
        self,
        *,
        of: Sequence[Scout] = (),
        since: datetime | None = None,
        novelty: tuple[Novelty, ...] = (),
        limit: int = 50,
    ) -> list[Finding]:
        """Return findings, newest first.

        Args:
            of: only of these scouts; empty for all.
            since: only found at or after this moment.
            novelty: only of these kinds; empty for all.
            limit: at most so many.
        """
        return await findings.listing(
            self._db,
            await self.owner(),
            scout_ids=[scout.id for scout in of],
            since=since,
            novelty=novelty or None,
            limit=limit,
        )


def _complete(scout: Scout, changes: ScoutPatch, now: datetime) -> ScoutPatch:
    """Return the whole patch that `changes` asks for; an empty one when nothing changes."""
    patch = narrowed(scout, checked(scout, narrowed(scout, changes)))
    patch = followed(scout, patch, now)
    after = applied(scout, patch)
    if moves(scout, after):
        patch = replace(patch, next_run_at=schedule.upcoming(after, now))
    return patch
