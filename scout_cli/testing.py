"""Fakes for people who test what they build on scout: scripted, canned, frozen.

Each fits a port of `core/ports.py`, keeps what it was asked in `asked`, and touches no network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeAlias
from uuid import UUID

from scout_cli.core.memory import ListMemory
from scout_cli.core.news import Delivery, Notice
from scout_cli.core.ports import (
    ChatReply,
    ChatRequest,
    Feed,
    FetchRequest,
    Hit,
    Page,
    Promise,
    SearchAnswer,
    SearchQuery,
    TokenSink,
)
from scout_cli.core.words import terms

__all__ = [
    "CannedSearch",
    "CannedWeb",
    "FrozenClock",
    "ListMemory",
    "MemoryChannel",
    "ScriptedModel",
    "page",
]

Script: TypeAlias = Callable[[ChatRequest], str | ChatReply | BaseException]


class FrozenClock:
    """A clock that moves only when told, with identifiers in a fixed order.

    Args:
        start: the moment it shows.
    """

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._seconds = 0.0
        self._count = 0

    def now(self) -> datetime:
        """Return the moment it shows."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was moved on."""
        return self._seconds

    def uuid(self) -> UUID:
        """Return the next identifier, the same ones in every test."""
        self._count += 1
        return UUID(int=(1 << 76) + (8 << 60) + self._count)

    def advance(self, **amount: float) -> None:
        """Move on, as in `advance(days=1)`; the arguments are those of timedelta."""
        step = timedelta(**amount)
        self._now += step
        self._seconds += step.total_seconds()


class ScriptedModel:
    """A chat model that follows a script.

    Args:
        script: gives the reply to each request; an exception is raised.
        delay: seconds before each reply.
        tools: whether it claims to call tools.
    """

    def __init__(self, script: Script, *, delay: float = 0.0, tools: bool = False) -> None:
        self._script = script
        self._delay = delay
        self._tools = tools
        self.asked: list[ChatRequest] = []

    name = "scripted/model"
    context = 8_192

    async def offers_tools(self) -> bool:
        """Return what the constructor was told."""
        return self._tools

    async def chat(self, request: ChatRequest, on_token: TokenSink | None = None) -> ChatReply:
        """Answer by the script; prompt tokens are estimated from the text."""
        self.asked.append(request)
        if self._delay:
            await asyncio.sleep(self._delay)
        reply = self._script(request)
        if isinstance(reply, BaseException):
            raise reply
        if isinstance(reply, str):
            tokens = sum(len(message.content) for message in request.messages) // 4
            reply = ChatReply(text=reply, prompt_tokens=tokens, completion_tokens=len(reply) // 4)
        if on_token and reply.text:
            await on_token(reply.text)
        return reply


class CannedSearch:
    """A search engine with fixed answers.

    Args:
        hits: what every query finds, or a mapping from query text to hits or a whole answer.
        delay: seconds before each answer.
    """

    def __init__(
        self,
        hits: Sequence[Hit] | Mapping[str, Sequence[Hit] | SearchAnswer],
        *,
        delay: float = 0.0,
    ) -> None:
        self._hits = hits
        self._delay = delay
        self.asked: list[SearchQuery] = []

    name = "canned"

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answer from what was given."""
        self.asked.append(query)
        if self._delay:
            await asyncio.sleep(self._delay)
        found = self._hits.get(query.text, ()) if isinstance(self._hits, Mapping) else self._hits
        if isinstance(found, SearchAnswer):
            return found
        hits = tuple(found)[: query.limit]
        return SearchAnswer(outcome="found" if hits else "empty", hits=hits, engine=self.name)


class CannedWeb:
    """A fetcher with fixed pages and feeds; an unknown URL is not found.

    Args:
        pages: the pages, found by their `url`.
        feeds: the feeds, found by their `url`.
        delay: seconds before each page.
    """

    def __init__(
        self, pages: Sequence[Page] = (), feeds: Sequence[Feed] = (), *, delay: float = 0.0
    ) -> None:
        self.pages = {each.url: each for each in pages}
        self.feeds = {each.url: each for each in feeds}
        self._delay = delay
        self.asked: list[FetchRequest] = []

    async def fetch(self, request: FetchRequest) -> Page:
        """Return the page, `unchanged` when the caller knows its ETag."""
        self.asked.append(request)
        if self._delay:
            await asyncio.sleep(self._delay)
        found = self.pages.get(request.url)
        if found is None:
            return Page(
                url=request.url,
                final_url=request.url,
                outcome="not_found",
                status=404,
                detail="HTTP 404",
            )
        if found.etag and found.etag == request.etag:
            return Page(url=found.url, final_url=found.final_url, outcome="unchanged", status=304)
        return found

    async def feed(self, url: str) -> Feed:
        """Return the feed."""
        return self.feeds.get(url) or Feed(url=url, outcome="not_found", detail="HTTP 404")

    async def warm_up(self) -> None:
        """Have nothing to start."""


def page(url: str, text: str, *, title: str = "", published_at: datetime | None = None) -> Page:
    """Return a page that was read, with its content hash."""
    return Page(
        url=url,
        final_url=url,
        outcome="read",
        status=200,
        title=title or " ".join(terms(text)[:5]),
        text=text,
        content_hash=sha256(" ".join(text.split()).encode()).hexdigest(),
        published_at=published_at,
        published_from="meta" if published_at else "none",
        size=len(text),
    )


class MemoryChannel:
    """A channel that keeps messages by their id, and fails as it is told.

    Args:
        answers: what becomes of the first attempts, in order; afterwards everything is sent. A
            `Delivery` other than `sent` is a failure before the commitment. An exception is raised
            after the message arrived: a crash of which the sender knows nothing more.
        promise: what it claims of itself.
        pause: seconds that it wants between two messages.
    """

    name = "memory"

    def __init__(
        self,
        answers: Sequence[Delivery | BaseException] = (),
        *,
        promise: Promise = "at_least_once",
        pause: float = 0.0,
    ) -> None:
        self._answers = list(answers)
        self.promise: Promise = promise
        self.pause = pause
        self.kept: dict[str, Notice] = {}
        """What arrived, each id once."""
        self.asked: list[Notice] = []
        """Every attempt."""
        self.closed = 0

    async def send(self, notice: Notice, committing: Callable[[], Awaitable[None]]) -> Delivery:
        """Keep one message, or fail."""
        self.asked.append(notice)
        answer = self._answers.pop(0) if self._answers else Delivery(outcome="sent")
        if isinstance(answer, Delivery) and answer.outcome != "sent":
            return answer
        await committing()
        self.kept.setdefault(notice.id, notice)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        """Count how often it was closed."""
        self.closed += 1
