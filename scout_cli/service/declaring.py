"""Make the scouts what a file says, all or nothing, and give scouts the keys that files need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import schedule
from scout_cli.core.answers import SetUpAnswer
from scout_cli.core.models import AnsweredBy, Record, Scout
from scout_cli.core.ports import Clock, Reasoner
from scout_cli.core.questions import SetUp
from scout_cli.errors import Conflict, ModelUnavailable
from scout_cli.service import audit, changes, deeds, reach, watching
from scout_cli.service.audit import COMMAND_LINE, Deed
from scout_cli.service.declared import key_of
from scout_cli.service.declared_plan import Entry, Given, Plan, plan
from scout_cli.service.wishes import place_text
from scout_cli.store import keyed, scouts, users
from scout_cli.store.database import Connection, Database


class Filled(Record, frozen=True, kw_only=True):
    """A new scout whose missing fields were filled in, and by whom."""

    scout: Scout
    answered_by: AnsweredBy
    """`code` when nothing was missing."""
    note: str = ""
    """Why the model did not, when it should have."""


class Applied(Record, frozen=True, kw_only=True):
    """What was done."""

    plan: Plan
    ids: dict[str, UUID]
    """Key -> scout, the new ones included."""
    filled: tuple[Filled, ...] = ()
    """The new scouts in the order of the file."""


class Declaring:
    """The scouts of the local owner, as files see them.

    Args:
        db: where they are kept.
        clock: time.
        reasoner: opens the engine that fills in a new scout, when it is needed.
    """

    def __init__(
        self, db: Database, clock: Clock, reasoner: Callable[[], Awaitable[Reasoner]]
    ) -> None:
        self._db = db
        self._clock = clock
        self._reasoner = reasoner

    async def plan(self, given: Given) -> Plan:
        """Return what applying a file would do; nothing is done.

        Raises:
            ConfigError: a value in the file that cannot be used.
        """
        owner = await users.local_owner(self._db)
        return plan(await scouts.owned(self._db, owner.id), given, self._clock.now())

    async def apply(self, given: Given, agreed: Plan) -> Applied:
        """Do what was planned, all or nothing; the model fills in new scouts before that.

        Args:
            given: the file.
            agreed: the plan that somebody has seen.

        Raises:
            Conflict: the scouts have changed since the plan was made, or one that is to be removed
                is running.
        """
        owner = (await users.local_owner(self._db)).id
        filled = [
            replace(each, scout=replace(each.scout, user_id=owner))
            for each in await self._fill_in([entry.scout for entry in agreed.of("add")])
        ]
        async with self._db.transaction() as tx:
            await keyed.hold(tx, owner)
            now = await tx.now()
            found = plan(await scouts.owned(tx, owner), given, now)
            if not found.same(agreed):
                raise Conflict(
                    "the scouts have changed since this was planned; nothing was done",
                    hint="scout apply shows the new plan",
                )
            ids = await _carry_out(tx, found, {each.scout.key: each.scout for each in filled}, now)
        return Applied(plan=found, ids=ids, filled=tuple(filled))

    async def keep_keys(self, chosen: Sequence[Scout]) -> list[Scout]:
        """Give each scout that has no key one made from its title, and store it.

        Returns:
            The same scouts, now each with its key.
        """
        if all(scout.key for scout in chosen):
            return list(chosen)
        owner = (await users.local_owner(self._db)).id
        async with self._db.transaction() as tx:
            await keyed.hold(tx, owner)
            current = await scouts.owned(tx, owner)
            taken = {scout.key for scout in current if scout.key}
            fresh: dict[UUID, str] = {}
            wanted = {scout.id for scout in chosen}
            for scout in current:
                if scout.id in wanted and not scout.key:
                    fresh[scout.id] = key_of(scout.title, scout.goal or "", taken)
                    taken.add(fresh[scout.id])
            await keyed.assign(tx, fresh)
        known = {scout.id: replace(scout, key=fresh.get(scout.id, scout.key)) for scout in current}
        return [known[scout.id] for scout in chosen if scout.id in known]

    async def _fill_in(self, drafts: Sequence[Scout]) -> list[Filled]:
        """Fill in what is missing; an engine that is away is asked once, not for every scout."""
        filled: list[Filled] = []
        away = ""
        for draft in drafts:
            question = _question(draft)
            if draft.title and draft.search_queries:
                filled.append(_filled(draft, question.built_in(), "code"))
                continue
            if named := watching.filled_in(watching.as_job(draft)):
                filled.append(_filled(draft, named, "built-in"))
                continue
            if not away:
                try:
                    answer = await (await self._reasoner()).answer(question)
                except ModelUnavailable as error:
                    away = error.message
                else:
                    note = answer.note if answer.by == "fallback" else ""
                    filled.append(_filled(draft, answer.value, answer.by, note))
                    continue
            filled.append(_filled(draft, question.built_in(), "fallback", away))
        return filled


def _question(draft: Scout) -> SetUp:
    place = place_text(draft.location)
    return SetUp(goal=draft.goal or "", place=place, language=draft.language or "")


def _filled(draft: Scout, answer: SetUpAnswer, by: AnsweredBy, note: str = "") -> Filled:
    scout = replace(
        draft,
        title=draft.title or answer.title,
        description=draft.description or answer.description or draft.goal,
        search_queries=draft.search_queries or list(answer.queries),
    )
    return Filled(scout=scout, answered_by=by, note=note)


async def _carry_out(
    tx: Connection, found: Plan, new: Mapping[str | None, Scout], now: datetime
) -> dict[str, UUID]:
    """Do it; new scouts get times that keep them in the order of the file."""
    ids: dict[str, UUID] = {}
    done: list[Deed] = []
    for number, entry in enumerate(found.entries):
        if entry.action == "add":
            scout = _born(new[entry.key], tx.uuid(), now + timedelta(microseconds=number))
            await scouts.add(tx, scout)
            ids[entry.key] = scout.id
            done += deeds.of("scout.create", scout)
        elif entry.action == "remove":
            await scouts.remove_idle(tx, entry.scout, now)
            done += deeds.of("scout.remove", entry.scout)
        else:
            if entry.action == "change":
                await _change(tx, entry, now)
                done += deeds.of_change(entry.scout, entry.patch)
            ids[entry.key] = entry.scout.id
    await audit.write(tx, COMMAND_LINE, done)
    return ids


def _born(scout: Scout, scout_id: UUID, now: datetime) -> Scout:
    return replace(
        scout,
        id=scout_id,
        frequency=schedule.frequency_of(scout.schedule, scout.timezone, now),
        created_at=now,
        updated_at=now,
        next_run_at=now,
    )


async def _change(tx: Connection, entry: Entry, now: datetime) -> None:
    patch, after = entry.patch, changes.applied(entry.scout, entry.patch)
    if changes.moves(entry.scout, after):
        patch = replace(patch, next_run_at=schedule.upcoming(after, now))
    await reach.change(tx, entry.scout, patch)
