"""Writes over the table interface: each goes through the use case that the command line has.

Rows come as plain values that fit their columns; who may name which column was decided before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.models import ChatMessage, Location, Record, Scout, ScoutPatch
from scout_cli.core.ports import Clock
from scout_cli.errors import InvalidInput, NotFound, Refused
from scout_cli.service import audit, deeds, first_runs
from scout_cli.service.audit import COMMAND_LINE, Asker
from scout_cli.service.changes import applied, checked
from scout_cli.service.first_runs import FIRST_RUN
from scout_cli.service.scouts import Scouts
from scout_cli.service.wishes import MAX_TITLE
from scout_cli.store import executions, messages, preferences, scouts, triggers
from scout_cli.store.database import Connection, Database

MAX_CONTENT = 100_000
"""Characters of one message."""

ANYWHERE = {
    "country": "Anywhere",
    "countryCode": "XX",
    "state": None,
    "stateCode": None,
    "city": "any",
    "latitude": 0,
    "longitude": 0,
}
"""A place that stands for none, as the web interface writes it."""

Row = Mapping[str, Any]


class NotYours(Refused):
    """A row would belong to somebody else, or refer to what does."""

    code = "not_yours"


class Writer(Record, frozen=True, kw_only=True):
    """Who writes."""

    user_id: UUID | None
    """None for the service key, which writes for everybody."""


class Tables:
    """Writes rows of the interface's tables.

    Args:
        db: where they are.
        clock: time and identifiers.
        timezone: of new scouts.
        asker: who writes, for the log.
    """

    def __init__(
        self, db: Database, clock: Clock, timezone: str, asker: Asker = COMMAND_LINE
    ) -> None:
        self._db = db
        self._clock = clock
        self._timezone = timezone
        self._asker = asker

    async def insert(self, table: str, row: Row, writer: Writer, *, merge: bool) -> UUID:
        """Add a row and return its id.

        Args:
            table: `scouts`, `scout_messages` or `user_preferences`.
            row: columns and values.
            writer: who writes.
            merge: change the row that is there instead.

        Raises:
            NotYours: it would belong to somebody else.
            InvalidInput: a value that cannot be used.
            Conflict: it is there already.
            NotFound: what it refers to is not there.
        """
        if table == "scouts":
            return await self._insert_scout(row, writer, merge=merge)
        if table == "scout_messages":
            return await self._insert_message(row, writer)
        return await self._insert_preferences(row, writer, merge=merge)

    async def update(self, table: str, ids: Sequence[UUID], row: Row) -> None:
        """Change rows that were found to be the writer's.

        Raises:
            InvalidInput: a value that cannot be used.
        """
        if table == "scouts":
            for scout_id in ids:
                await self._change_scout(scout_id, row)
        elif table == "user_preferences":
            for row_id in ids:
                await preferences.change(self._db, row_id, _kept(row), await self._db.now())

    async def delete(self, table: str, ids: Sequence[UUID]) -> None:
        """Remove rows that were found to be the writer's; a run under way ends by it."""
        if table == "scouts":
            await self._delete_scouts(ids)
        elif table == "scout_executions":
            await self._delete_runs(ids)

    async def prepare(self, user_id: UUID) -> None:
        """Give somebody the preferences with which the web interface asks for no place and no key.

        What is there already stays.
        """
        await preferences.seed(self._db, user_id, ANYWHERE, await self._db.now())

    async def _delete_scouts(self, ids: Sequence[UUID]) -> None:
        async with self._db.transaction() as tx:
            gone = [each for id_ in ids if (each := await scouts.get(tx, id_))]
            for scout in gone:
                await scouts.delete(tx, scout.id)
            await audit.write(tx, self._asker, deeds.of("scout.remove", *gone))

    async def _delete_runs(self, ids: Sequence[UUID]) -> None:
        async with self._db.transaction() as tx:
            gone = [each for id_ in ids if (each := await executions.get(tx, id_))]
            await executions.delete(tx, [run.id for run in gone])
            await audit.write(tx, self._asker, deeds.of("run.remove", *gone))

    async def _insert_scout(self, row: Row, writer: Writer, *, merge: bool) -> UUID:
        owner = _owner_of(row, writer)
        scout_id = row.get("id") or self._clock.uuid()
        there = await scouts.get(self._db, scout_id) if merge and "id" in row else None
        if there is not None:
            if there.user_id != owner:
                raise NotYours("scouts")
            await self._change_scout(scout_id, row)
            return there.id
        now = self._clock.now()
        bare = Scout(
            id=scout_id,
            user_id=owner,
            title=_title(row.get("title")),
            is_active=False,
            timezone=self._timezone,
            created_at=now,
            updated_at=now,
        )
        made = applied(bare, checked(bare, _patch(row)))
        if made.is_active:
            made = replace(made, next_run_at=now + FIRST_RUN)
        await self._saved(self._db, owner).keep(made)
        return made.id

    async def _change_scout(self, scout_id: UUID, row: Row) -> None:
        patch = _patch(row)
        async with self._db.transaction() as tx:
            scout = await triggers.locked_scout(tx, scout_id)
            if scout is None:
                return  # somebody removed it meanwhile
            changed = await self._saved(tx, scout.user_id).change(scout, patch)
            if changed.is_active and not scout.is_active:
                await first_runs.woken(tx, changed)

    def _saved(self, db: Connection, owner: UUID) -> Scouts:
        return Scouts(db, self._clock, _nobody, owner, self._asker)

    async def _insert_message(self, row: Row, writer: Writer) -> UUID:
        scout_id = row.get("scout_id")
        scout = await scouts.get(self._db, scout_id) if scout_id else None
        if scout is None and writer.user_id is None:
            raise NotFound("the scout of this message is not there")
        if scout is None or (writer.user_id is not None and scout.user_id != writer.user_id):
            raise NotYours("scout_messages")
        role, content = row.get("role"), row.get("content")
        if role not in ("user", "assistant") or not isinstance(content, str):
            raise InvalidInput("a message has a role (user, assistant) and a content")
        if len(content) > MAX_CONTENT:
            raise InvalidInput(f"a message has at most {MAX_CONTENT} characters")
        message = ChatMessage(
            id=row.get("id") or self._clock.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            role=role,
            content=content,
            created_at=await self._db.now(),
        )
        await messages.add(self._db, message)
        return message.id

    async def _insert_preferences(self, row: Row, writer: Writer, *, merge: bool) -> UUID:
        owner = _owner_of(row, writer)
        row_id = row.get("id") or self._clock.uuid()
        now = await self._db.now()
        return await preferences.add(self._db, row_id, owner, _kept(row), now, merge=merge)


def _owner_of(row: Row, writer: Writer) -> UUID:
    named = row.get("user_id")
    if writer.user_id is None:
        if named is None:
            raise InvalidInput('null value in column "user_id"')
        return UUID(str(named))
    if named is not None and named != writer.user_id:
        raise NotYours("user_id")
    return writer.user_id


def _title(value: Any) -> str:
    title = " ".join(str(value or "").split())
    if not title:
        raise InvalidInput('null value in column "title"')
    return title[:MAX_TITLE]


def _patch(row: Row) -> ScoutPatch:
    fields = {name: value for name, value in row.items() if name not in ("id", "user_id")}
    if "title" in fields:
        fields["title"] = _title(fields["title"])
    if fields.get("location") is not None:
        fields["location"] = shape.convert(fields["location"], Location, what="location")
    if fields.get("search_queries") is None:
        fields.pop("search_queries", None)
    for name in ("goal", "description"):
        if isinstance(fields.get(name), str):
            fields[name] = " ".join(fields[name].split()) or None
    return shape.convert(shape.plain(fields), ScoutPatch, what="row")


def _kept(row: Row) -> dict[str, Any]:
    """Return preferences as they are stored: no service of that name is used, so no key of it is.

    The page shows a key by its last characters alone, and those are kept for it.
    """
    kept = {name: value for name, value in row.items() if name not in ("id", "user_id")}
    for name in ("firecrawl_api_key", "firecrawl_custom_api_key"):
        if isinstance(kept.get(name), str):
            kept[name] = f"fc-...{kept[name][-4:]}"
    if "firecrawl_custom_api_key" in kept and kept["firecrawl_custom_api_key"] is None:
        kept["firecrawl_key_status"] = "fallback"
    return kept


async def _nobody() -> Any:
    raise InvalidInput("a change fills nothing in")
