"""What a user may leaf through: scouts, runs, findings, messages; a page at a time, or by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core.models import Novelty, Outcome, Record, Scout, State
from scout_cli.core.news import OutboxState
from scout_cli.errors import NotFound
from scout_cli.service.paging import Asked, Paged, paged
from scout_cli.service.views import (
    ExecutionGlance,
    ExecutionView,
    FindingView,
    MessageView,
    PostView,
    ScoutView,
    StepView,
)
from scout_cli.store import paging, users
from scout_cli.store.database import Database
from scout_cli.store.outbox import OutboxRow
from scout_cli.store.paging import After, Filter, Order

T = TypeVar("T", bound=Record)


class _Row(Record, frozen=True, kw_only=True):
    id: UUID


class Catalogue:
    """The rows of one user.

    Args:
        db: where they are.
        describe: returns what people may see of a channel URL.
        user: whose; None for the local owner's.
    """

    def __init__(
        self, db: Database, describe: Callable[[str], str], user: UUID | None = None
    ) -> None:
        self._db = db
        self._describe = describe
        self._user = user

    async def owner(self) -> UUID:
        """Return whose rows these are."""
        return self._user or (await users.local_owner(self._db)).id

    async def scouts(
        self, asked: Asked, *, active: bool | None = None, title: str = ""
    ) -> Paged[ScoutView]:
        """Return scouts, by `created_at`, `updated_at` or `title`.

        Args:
            asked: which page.
            active: only those that run, or only those that rest; None for both.
            title: only those whose title has these characters, in any case.
        """
        filter_ = await self._own()
        if active is not None:
            filter_.equal("is_active", active)
        if title:
            filter_.containing("title", title)
        columns = {"created_at": datetime, "updated_at": datetime, "title": str}
        found = await self._page(ScoutView, "scouts", filter_, asked, columns)
        return replace(found, items=[self._shown(each) for each in found.items])

    async def scout(self, scout_id: UUID) -> ScoutView:
        """Return one scout.

        Raises:
            NotFound: this user has none of that id.
        """
        return self._shown(await self._one(ScoutView, "scouts", scout_id, "scout"))

    def view(self, scout: Scout) -> ScoutView:
        """Return what programs are shown of a scout."""
        names = ScoutView.__struct_fields__
        return self._shown(ScoutView(**{name: getattr(scout, name) for name in names}))

    async def executions(
        self,
        asked: Asked,
        *,
        scout_id: UUID | None = None,
        states: Sequence[State] = (),
        outcomes: Sequence[Outcome] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Paged[ExecutionGlance]:
        """Return runs, by `started_at`.

        Args:
            asked: which page.
            scout_id: of this scout only.
            states: only in these; empty for all.
            outcomes: only with these; empty for all.
            since: only begun at or after this moment.
            until: only begun before this moment.

        Raises:
            NotFound: this user has no such scout.
        """
        filter_ = await self._own(scout_id)
        filter_.among("state", states)
        filter_.among("outcome", outcomes)
        filter_.between("started_at", since, until)
        columns = {"started_at": datetime}
        return await self._page(ExecutionGlance, "scout_executions", filter_, asked, columns)

    async def execution(self, execution_id: UUID) -> ExecutionView:
        """Return one run.

        Raises:
            NotFound: this user has none of that id.
        """
        return await self._one(ExecutionView, "scout_executions", execution_id, "execution")

    async def steps(self, execution_id: UUID) -> list[StepView]:
        """Return every step of a run, in their order.

        Raises:
            NotFound: this user has no such run.
        """
        await self._one(_Row, "scout_executions", execution_id, "execution")
        return await paging.steps(self._db, StepView, execution_id)

    async def step(self, execution_id: UUID, step_id: UUID) -> StepView:
        """Return one step of a run.

        Raises:
            NotFound: this user has no such run, or it no such step.
        """
        for each in await self.steps(execution_id):
            if each.id == step_id:
                return each
        raise NotFound("no such step", hint="list them to see the ids")

    async def findings(
        self,
        asked: Asked,
        *,
        scout_id: UUID | None = None,
        execution_id: UUID | None = None,
        novelty: Sequence[Novelty] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Paged[FindingView]:
        """Return findings, by `created_at`; see `executions` for the arguments."""
        filter_ = await self._own(scout_id)
        if execution_id is not None:
            await self._one(_Row, "scout_executions", execution_id, "execution")
            filter_.equal("execution_id", execution_id)
        filter_.among("novelty", novelty)
        filter_.between("created_at", since, until)
        columns = {"created_at": datetime}
        return await self._page(FindingView, "scout_findings", filter_, asked, columns)

    async def finding(self, finding_id: UUID) -> FindingView:
        """Return one finding.

        Raises:
            NotFound: this user has none of that id.
        """
        return await self._one(FindingView, "scout_findings", finding_id, "finding")

    async def messages(self, asked: Asked, scout_id: UUID) -> Paged[MessageView]:
        """Return the conversation about a scout, by `created_at`.

        Raises:
            NotFound: this user has no such scout.
        """
        filter_ = await self._own(scout_id)
        columns = {"created_at": datetime}
        return await self._page(MessageView, "scout_messages", filter_, asked, columns)

    async def posts(
        self, asked: Asked, *, scout_id: UUID | None = None, states: Sequence[OutboxState] = ()
    ) -> Paged[PostView]:
        """Return messages of the outbox, by `created_at`.

        Raises:
            NotFound: this user has no such scout.
        """
        filter_ = await self._own(scout_id)
        filter_.among("state", states)
        columns = {"created_at": datetime}
        found = await self._page(OutboxRow, "notification_outbox", filter_, asked, columns)
        return Paged(items=[posted(each) for each in found.items], next=found.next)

    async def post(self, post_id: UUID) -> PostView:
        """Return one message of the outbox.

        Raises:
            NotFound: this user has none of that id.
        """
        return posted(await self._one(OutboxRow, "notification_outbox", post_id, "message"))

    async def _page(
        self,
        of: type[T],
        table: str,
        filter_: Filter,
        asked: Asked,
        columns: dict[str, Any],
    ) -> Paged[T]:
        async def read(order: Order, after: After | None, limit: int) -> list[T]:
            return await paging.page(self._db, of, table, filter_, order, after=after, limit=limit)

        return await paged(asked, columns, read, _place)

    async def _one(self, of: type[T], table: str, id_: UUID, kind: str) -> T:
        found = await paging.owned(self._db, of, table, await self.owner(), id_)
        if found is None:
            raise NotFound(f"no such {kind}", hint="list them to see the ids")
        return found

    async def _own(self, scout_id: UUID | None = None) -> Filter:
        filter_ = Filter(await self.owner())
        if scout_id is not None:
            await self._one(_Row, "scouts", scout_id, "scout")
            filter_.equal("scout_id", scout_id)
        return filter_

    def _shown(self, scout: ScoutView) -> ScoutView:
        if not scout.notify:
            return scout
        return replace(scout, notify=[self._describe(url) for url in scout.notify])


def posted(row: OutboxRow) -> PostView:
    """Return what programs see of a message."""
    names = (name for name in PostView.__struct_fields__ if name != "subject")
    return PostView(subject=row.message.subject, **{name: getattr(row, name) for name in names})


def _place(row: Any, column: str) -> tuple[datetime | str, UUID]:
    return getattr(row, column), row.id
