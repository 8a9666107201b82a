"""The feed of a scout: who may read it, and what is in it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from scout_cli.core.models import Finding, Record, Scout
from scout_cli.errors import NotFound
from scout_cli.service.accounts.refusals import BadToken
from scout_cli.service.accounts.tokens import NewToken, Tokens
from scout_cli.service.audit import Asker
from scout_cli.store import briefs, scouts
from scout_cli.store.database import Database

ENTRIES = 30
"""Runs in a feed."""


class News(Record, frozen=True, kw_only=True):
    """What one run reported."""

    execution_id: UUID
    at: datetime
    summary: str
    facts: tuple[Finding, ...]


class ScoutFeed(Record, frozen=True, kw_only=True):
    """What a scout reported, newest first."""

    scout: Scout
    news: tuple[News, ...]


class Syndication:
    """The feeds of one database.

    Args:
        db: the database.
        tokens: the keys of their addresses.
    """

    def __init__(self, db: Database, tokens: Tokens) -> None:
        self._db = db
        self._tokens = tokens

    async def open(self, scout: Scout, asker: Asker) -> NewToken:
        """Make a token for the feed of a scout; it is in the answer and nowhere else.

        Raises:
            Conflict: its owner has too many tokens.
        """
        return await self._tokens.create(
            scout.user_id,
            f"feed of {scout.title}"[:100],
            asker,
            scopes=("read",),
            kind="feed",
            scout_id=scout.id,
        )

    async def withdraw(self, scout: Scout) -> int:
        """Make every token of the feed of a scout worthless; return how many there were."""
        return await briefs.forget_tokens(self._db, scout.user_id, scout.id)

    async def read(self, scout_id: UUID, token: str) -> ScoutFeed:
        """Return the feed that a token opens.

        Raises:
            NotFound: it opens none, or not this one; nothing tells which.
        """
        try:
            key = await self._tokens.feed(token)
        except BadToken:
            raise _nothing() from None
        scout = await scouts.get(self._db, scout_id)
        if scout is None or scout.user_id != key.user_id or key.scout_id not in (None, scout_id):
            raise _nothing()
        return ScoutFeed(scout=scout, news=tuple(await self._news(scout_id)))

    async def _news(self, scout_id: UUID) -> list[News]:
        runs = await briefs.of_scout(self._db, scout_id, ENTRIES)
        facts: defaultdict[UUID | None, list[Finding]] = defaultdict(list)
        for finding in await briefs.facts_of(self._db, [run.id for run in runs]):
            facts[finding.execution_id].append(finding)
        return [
            News(
                execution_id=run.id,
                at=run.completed_at or run.started_at,
                summary=run.summary_text or "",
                facts=tuple(facts[run.id]),
            )
            for run in runs
        ]


def _nothing() -> NotFound:
    return NotFound("no such feed", hint="POST /api/v1/scouts/{scout_id}/feed-token makes one")
