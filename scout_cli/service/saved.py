"""Saved wishes: find them, look into what they found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Execution, Finding, Novelty, Record, Scout, Step
from scout_cli.errors import InvalidInput, NotFound
from scout_cli.service import naming
from scout_cli.store import executions, findings, overviews, queue, scouts, steps, users
from scout_cli.store.database import Connection
from scout_cli.store.overviews import Belongings, Glance, Overview


class Live(Record, frozen=True, kw_only=True):
    """A run and its scout."""

    scout_id: UUID
    run: Execution | None
    """None for a scout that neither runs nor waits to."""


class Saved:
    """The scouts of one user, as they are.

    Args:
        db: where they are kept.
        user: whose scouts; None for the local owner's.
    """

    def __init__(self, db: Connection, user: UUID | None = None) -> None:
        self._db = db
        self._user = user

    async def owner(self) -> UUID:
        """Return whose scouts these are."""
        return self._user or (await users.local_owner(self._db)).id

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

    async def live_run(self, name: str) -> Live:
        """Return the run that is meant by its id, the beginning of one, or the scout it is of.

        Args:
            name: of a run; or of a scout as `find` takes it, for the run that it has now.

        Raises:
            NotFound: neither.
            InvalidInput: it may mean several.
        """
        found = await executions.by_prefix(self._db, await self.owner(), name)
        if len(found) > 1:
            raise InvalidInput(f"{name!r} may be {len(found)} runs", hint="give more of its id")
        if found:
            return Live(scout_id=found[0].scout_id, run=found[0])
        scout = await self.find(name)
        return Live(scout_id=scout.id, run=await queue.running_of(self._db, scout.id))

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
