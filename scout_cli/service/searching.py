"""Search engines with a memory: several in order, answers cached, tired ones left to rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from msgspec.structs import replace

from scout_cli.core import shape
from scout_cli.core.ports import Clock, SearchAnswer, SearchEngine, SearchQuery
from scout_cli.store import searches
from scout_cli.store.database import Connection

FAILURES_ALLOWED = 3
"""Failures in a row before an engine rests; a rate limit counts at once."""
REST = timedelta(seconds=60)
"""The first rest; it doubles with every further failure."""
LONGEST_REST = timedelta(minutes=30)


class InOrder:
    """Asks engines one after the other until one has results.

    Args:
        engines: at least one, the preferred first.
    """

    def __init__(self, engines: Sequence[SearchEngine]) -> None:
        self._engines = engines
        self.name = ", ".join(engine.name for engine in engines)

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Return the first results; else an honest `empty`; else the first failure."""
        answers: list[SearchAnswer] = []
        for engine in self._engines:
            answer = await engine.search(query)
            if answer.outcome == "found":
                return answer
            answers.append(answer)
        empty = [answer for answer in answers if answer.outcome == "empty"]
        return (empty or answers)[0]


class Remembering:
    """One engine with a cache and a circuit breaker in the database.

    Args:
        engine: the real one.
        db: where answers and failures are kept.
        clock: ages the cache.
        minutes: how long an answer is used again; 0 for never.
    """

    def __init__(self, engine: SearchEngine, db: Connection, clock: Clock, minutes: int) -> None:
        self._engine = engine
        self._db = db
        self._clock = clock
        self._fresh = timedelta(minutes=minutes)
        self.name = engine.name
        self._noting = asyncio.Lock()

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answer from the cache, refuse while the engine rests, else ask it."""
        key = sha256(self.name.encode() + b"\0" + shape.encode(query)).hexdigest()
        now = self._clock.now()
        if self._fresh and (cached := await searches.get(self._db, key, now - self._fresh)):
            return cached
        state = await searches.engine(self._db, self.name)
        if state and state.open_until and state.open_until > now:
            seconds = (state.open_until - now).total_seconds()
            return SearchAnswer(
                outcome="limited",
                engine=self.name,
                detail=f"{self.name} rests for {seconds:.0f} s more: {state.detail}",
                hint="wait, or add another engine to the setting `search_url`",
                retry_after=seconds,
            )
        answer = await self._engine.search(query)
        async with self._noting:
            await self._note(answer)
        if answer.outcome in ("found", "empty") and self._fresh:
            await searches.put(self._db, key, answer)
        return answer

    async def _note(self, answer: SearchAnswer) -> None:
        """Count failures in a row; searches side by side are counted one by one."""
        now = self._clock.now()
        known = await searches.engine(self._db, self.name)
        failures = known.failures if known else 0
        if answer.outcome in ("found", "empty"):
            if failures:
                await searches.put_engine(
                    self._db,
                    searches.EngineState(name=self.name, failures=0, updated_at=now),
                )
            return
        if known and known.open_until and known.open_until > now:
            return  # a search beside this one has sent the engine to rest: one cause, one rest
        failures += 1
        state = searches.EngineState(
            name=self.name, failures=failures, detail=answer.detail, updated_at=now
        )
        if answer.outcome == "limited" or failures >= FAILURES_ALLOWED:
            first = 1 if answer.outcome == "limited" else FAILURES_ALLOWED
            doubled = REST * 2 ** min(max(0, failures - first), 6)
            named = timedelta(seconds=answer.retry_after or 0)
            state = replace(state, open_until=now + min(max(doubled, named), LONGEST_REST))
        await searches.put_engine(self._db, state)
