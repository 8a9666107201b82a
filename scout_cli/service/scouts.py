"""Saved wishes: make them from a goal in plain words, change and remove them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.answers import SetUpAnswer
from scout_cli.core.job import Job
from scout_cli.core.models import AnsweredBy, Location, Record, Scout, ScoutPatch
from scout_cli.core.ports import Clock, Reasoner
from scout_cli.core.questions import SetUp
from scout_cli.errors import ModelUnavailable
from scout_cli.service import audit, deeds, guests, reach, watching
from scout_cli.service.audit import Asker
from scout_cli.service.changes import applied, checked, followed, moves, narrowed
from scout_cli.service.saved import Saved
from scout_cli.service.wishes import MAX_TITLE, Wish, check, place, place_text, wish_of
from scout_cli.store import scouts
from scout_cli.store.database import Connection
from scout_cli.store.overviews import Belongings, Glance, Overview

__all__ = ["Added", "Belongings", "Glance", "Overview", "Scouts", "Wish", "check", "place"]

_RESUMED = ScoutPatch(is_active=True, consecutive_failures=0, paused_reason=None)


class Added(Record, frozen=True, kw_only=True):
    """A new scout and who filled it in."""

    scout: Scout
    answered_by: AnsweredBy
    note: str = ""
    """Why the model did not fill it in, when it should have."""


class Scouts(Saved):
    """The scouts of one user, with all that may be done about them; the log says who did it.

    Args:
        db: where they are kept.
        clock: time and identifiers.
        reasoner: opens the engine that fills in a wish, when it is needed.
        user: whose scouts; None for the local owner's.
        asker: who acts, and from where; None for the user.
    """

    def __init__(
        self,
        db: Connection,
        clock: Clock,
        reasoner: Callable[[], Awaitable[Reasoner]],
        user: UUID | None = None,
        asker: Asker | None = None,
    ) -> None:
        super().__init__(db, user)
        self._clock = clock
        self._reasoner = reasoner
        self._asker = deeds.asker_for(user, asker)

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
        await self.keep(scout)
        return Added(scout=scout, answered_by=by, note=note)

    async def keep(self, scout: Scout) -> None:
        """Store a new scout that is filled in, or is to be.

        Raises:
            Conflict: its id is taken.
            NotFound: its owner is not there.
        """
        async with self._db.transaction() as tx:
            await scouts.add(tx, scout)
            await audit.write(tx, self._asker, deeds.of("scout.create", scout))

    async def _fill_in(
        self, wish: Wish, patience: float | None
    ) -> tuple[SetUpAnswer, AnsweredBy, str]:
        where = place_text(wish.location) if isinstance(wish.location, Location) else wish.location
        question = SetUp(goal=wish.goal, place=where or "", language=wish.language or "")
        if wish.title and wish.queries:
            return question.built_in(), "code", ""
        plain = Job(
            goal=wish.goal,
            title=wish.title or "",
            queries=wish.queries,
            urls=wish.urls,
            feeds=wish.feeds,
        )
        if named := watching.filled_in(plain):
            return named, "built-in", ""
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

    async def change(self, scout: Scout, changes: ScoutPatch, *, unchanged: bool = False) -> Scout:
        """Change a scout and what follows from the change, and return it as it is then.

        Args:
            scout: as it was read.
            changes: the fields to change; what was planned and read for an old goal goes with it,
                and a new rhythm or waking up sets the next run.
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
        done = [deed for each in chosen for deed in deeds.of_change(each, narrowed(each, changes))]
        async with self._db.transaction() as tx:
            if unchanged:
                await scouts.require_unchanged(tx, chosen)
            changed = [
                await reach.change(tx, scout, patch) if patch != ScoutPatch() else scout
                for scout, patch in zip(chosen, patches, strict=True)
            ]
            await audit.write(tx, self._asker, done)
        return changed

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
            await audit.write(tx, self._asker, deeds.of("scout.remove", *chosen))


def _complete(scout: Scout, changes: ScoutPatch, now: datetime) -> ScoutPatch:
    """Return the whole patch that `changes` asks for; an empty one when nothing changes."""
    patch = narrowed(scout, checked(scout, narrowed(scout, changes)))
    patch = followed(scout, patch, now)
    after = applied(scout, patch)
    if moves(scout, after):
        patch = replace(patch, next_run_at=schedule.upcoming(after, now))
    return patch
