"""What belongs to a user beside their scouts: preferences, messages, and what runs consumed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from msgspec.structs import asdict, replace

from scout_cli.core.models import ChatMessage, Location, Scout
from scout_cli.errors import InvalidInput
from scout_cli.service.views import Day, MessageView, Preferences
from scout_cli.store import consumption, messages, preferences, users
from scout_cli.store.database import Database

MOST_DAYS = 366
"""Days that are told of at a time."""


class Household:
    """The belongings of one user.

    Args:
        db: where they are.
        user: whose; None for the local owner's.
    """

    def __init__(self, db: Database, user: UUID | None = None) -> None:
        self._db = db
        self._user = user

    async def owner(self) -> UUID:
        """Return whose they are."""
        return self._user or (await users.local_owner(self._db)).id

    async def preferences(self) -> Preferences:
        """Return what the user prefers."""
        row = await preferences.get(self._db, await self.owner())
        if row is None:
            return Preferences()
        return Preferences(location=row.location, updated_at=row.updated_at)

    async def prefer(self, location: Location | None) -> Preferences:
        """Say where the user is; None takes it back."""
        row = await preferences.put_location(self._db, await self.owner(), location)
        return Preferences(location=row.location, updated_at=row.updated_at)

    async def say(
        self, scout: Scout, content: str, role: Literal["user", "assistant"] = "user"
    ) -> MessageView:
        """Add a message to the conversation about a scout.

        Raises:
            NotFound: the scout is not there any more.
        """
        said = ChatMessage(
            id=self._db.uuid(),
            scout_id=scout.id,
            user_id=scout.user_id,
            role=role,
            content=content,
            created_at=await self._db.now(),
        )
        await messages.add(self._db, said)
        names = MessageView.__struct_fields__
        return MessageView(**{name: getattr(said, name) for name in names})

    async def usage(self, since: date, until: date, scout_id: UUID | None = None) -> list[Day]:
        """Return what runs consumed, for every day (UTC) on which one began.

        Args:
            since: the first day.
            until: the last day.
            scout_id: of this scout only; None for all.

        Raises:
            InvalidInput: the days are the wrong way round, or too many.
        """
        if not 0 <= (until - since).days < MOST_DAYS:
            raise InvalidInput(
                "query: since is after until, or too long before it",
                hint=f"ask for at most {MOST_DAYS} days at a time",
            )
        first = datetime.combine(since, time(), UTC)
        end = datetime.combine(until, time(), UTC) + timedelta(days=1)
        days: dict[date, Day] = {}
        for run in await consumption.between(self._db, await self.owner(), first, end, scout_id):
            day = run.started_at.astimezone(UTC).date()
            days[day] = _added(days.get(day) or Day(day=day), run)
        return list(days.values())


def _added(day: Day, run: consumption.Consumed) -> Day:
    used = asdict(run.usage) if run.usage else {}
    sums = {name: getattr(day, name) + value for name, value in used.items()}
    failed = day.failed + (run.state == "failed")
    return replace(day, runs=day.runs + 1, failed=failed, **sums)
